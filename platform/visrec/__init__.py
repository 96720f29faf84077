"""visrec: visual recommendation from item pictures and interaction logs, on one machine or on a Ray cluster.

    import visrec

    shop = visrec.open("workspace")
    shop.recommend(user="u00017", k=10)

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

try:
    __version__ = version("visrec")
except PackageNotFoundError:  # a wheel unpacked by a Ray runtime environment has no metadata on the path
    __version__ = "0.0.0+unpacked"

# Public names that are loaded at their first use: module and name there. Each also stands above, for type checkers.
_LAZY = {
    "HistoryEvent": ("visrec.recommend.types", "HistoryEvent"),
    "Item": ("visrec.recommend.lists", "Item"),
    "RecommendationList": ("visrec.recommend.lists", "RecommendationList"),
    "RecommendedItem": ("visrec.recommend.lists", "RecommendedItem"),
    "Shop": ("visrec.recommend.shop", "Shop"),
    "open": ("visrec.recommend.shop", "open_shop"),
}

__all__ = [
    "HistoryEvent",
    "Item",
    "RecommendationList",
    "RecommendedItem",
    "Shop",
    "VisrecError",
    "__version__",
    "open",
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
