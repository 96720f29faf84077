"""visrec: visual recommendation from item pictures and interaction logs, on one machine or on a Ray cluster.

    import visrec

    snapshot = visrec.ingest("shop.yaml")
    checkpoint = visrec.train("shop.yaml", model={"dim": 32}, progress=True)
    visrec.evaluate("shop.yaml")
    visrec.publish("shop.yaml")

    shop = visrec.open("workspace")
    shop.recommend(user="u00017", k=10)
    visrec.Workspace("workspace").report().metrics["model"]["ndcg@10"]

The library's rooms hold the parts; the jobs that put them together are in `visrec.workloads`, the serving graph in
`visrec.deployments`. Importing this module imports no other: its names are loaded at their first use.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from visrec.errors import VisrecError

if TYPE_CHECKING:
    from visrec.recommend.lists import Item, RecommendationList, RecommendedItem
    from visrec.recommend.shop import Shop
    from visrec.recommend.shop import open_shop as open
    from visrec.recommend.types import HistoryEvent
    from visrec.workloads.demo_data import demo_data
    from visrec.workloads.evaluate import evaluate
    from visrec.workloads.ingest import ingest
    from visrec.workloads.init import init
    from visrec.workloads.publish import publish
    from visrec.workloads.train import train
    from visrec.workloads.train_ranker import train_ranker
    from visrec.workspace import Workspace

try:
    __version__ = version("visrec")
except PackageNotFoundError:  # a wheel unpacked by a Ray runtime environment has no metadata on the path
    __version__ = "0.0.0+unpacked"

# Public names that are loaded at their first use: module and name there. Each also stands above, for type checkers.
# The library imports no workload; that this table names their functions is the one exception, for the sake of users.
_LAZY = {
    "HistoryEvent": ("visrec.recommend.types", "HistoryEvent"),
    "Item": ("visrec.recommend.lists", "Item"),
    "RecommendationList": ("visrec.recommend.lists", "RecommendationList"),
    "RecommendedItem": ("visrec.recommend.lists", "RecommendedItem"),
    "Shop": ("visrec.recommend.shop", "Shop"),
    "Workspace": ("visrec.workspace", "Workspace"),
    "demo_data": ("visrec.workloads.demo_data", "demo_data"),
    "evaluate": ("visrec.workloads.evaluate", "evaluate"),
    "ingest": ("visrec.workloads.ingest", "ingest"),
    "init": ("visrec.workloads.init", "init"),
    "open": ("visrec.recommend.shop", "open_shop"),
    "publish": ("visrec.workloads.publish", "publish"),
    "train": ("visrec.workloads.train", "train"),
    "train_ranker": ("visrec.workloads.train_ranker", "train_ranker"),
}

__all__ = [
    "HistoryEvent",
    "Item",
    "RecommendationList",
    "RecommendedItem",
    "Shop",
    "VisrecError",
    "Workspace",
    "__version__",
    "demo_data",
    "evaluate",
    "ingest",
    "init",
    "open",
    "publish",
    "train",
    "train_ranker",
]


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, attribute = _LAZY[name]
        value = getattr(import_module(module), attribute)
        globals()[name] = value  # found without this function from now on
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
