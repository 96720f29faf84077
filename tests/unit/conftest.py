"""One thread: a tiny model is faster with it, and its sums are always taken in the same order."""

from collections.abc import Iterator

import pytest
import torch
from tests.support.evaluation import evaluated

__all__ = ["evaluated"]


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
