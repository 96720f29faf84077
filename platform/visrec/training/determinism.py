"""The same sums in the same order, with any number of threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def deterministic_algorithms(device: torch.device) -> Iterator[None]:
    """Within, PyTorch takes algorithms that give the same bits each time; afterwards what it took before.

    Without it the gradient of looking up rows, which histories and targets do, is summed by threads in the order in
    which they come. Where a GPU has no such algorithm, PyTorch warns and goes on.

    Example:
        >>> with deterministic_algorithms(torch.device("cpu")):
        ...     torch.are_deterministic_algorithms_enabled()
        True
    """
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)
