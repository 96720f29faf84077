"""Settings and fixtures that tests of several folders share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine makes a single example slow, and a red build must stay red when it is run again.
settings.register_profile("visrec", deadline=None, derandomize=True)
settings.register_profile("many", deadline=None, max_examples=10_000)
settings.load_profile("visrec")


@pytest.fixture(scope="module")
def local_cluster() -> Iterator[None]:
    """A local Ray cluster for the tests of a file."""
    import ray  # imported here: most tests need no Ray

    ray.init("local", num_cpus=4, log_to_driver=False)
    yield
    ray.shutdown()
