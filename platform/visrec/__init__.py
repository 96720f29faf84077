"""visrec: pixels and clicks in, personalised pictures out, on one laptop or on a Ray cluster.

The library holds the parts (config, data, models, training, evaluation, retrieval, releases); the
jobs that put them together are in `visrec.workloads`, the serving graph in `visrec.deployments`.
"""

from importlib.metadata import PackageNotFoundError, version

from visrec.errors import VisrecError

try:
    __version__ = version("visrec")
except PackageNotFoundError:  # a wheel unpacked by a Ray runtime environment has no metadata on the path
    __version__ = "0.0.0+unpacked"

__all__ = ["VisrecError", "__version__"]
