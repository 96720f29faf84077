"""Pictures that are named after their items: item X has the file X.jpg of a folder, and those of its sub-folder X."""

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import fs as pafs

from visrec.data.catalogue.sources import FilePicture
from visrec.data.ids import natural_order
from visrec.data.quarantine import Reject
from visrec.data.reasons import Reason
from visrec.storage import Location

PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif")
"""In order of preference where an item has several files of its name."""


def pictures_by_item(
    folder: Location, infos: Sequence[pafs.FileInfo]
) -> tuple[dict[str, list[FilePicture]], list[Reject]]:
    """The pictures of each item id, and the files that another of the same name stands for.

    The file X.jpg comes first, then those of the folder X in the natural order of their names.

    Example:
        >>> infos = list_folder(folder, setting="ingest.images.path", sub_folders=True)      # doctest: +SKIP
        >>> [picture.path for picture in pictures_by_item(folder, infos)[0]["i7"]]           # doctest: +SKIP
        ['i7.jpg', 'i7/1.jpg', 'i7/2.jpg']
    """
    best: dict[str, tuple[int, str]] = {}
    inside: dict[str, list[str]] = {}
    rejects = []
    for info in infos:
        stem, ending = _stem_and_ending(str(info.base_name))
        if not stem or stem.startswith(".") or ending not in PICTURE_ENDINGS:
            continue
        sub_folder = _sub_folder(folder, info)
        if sub_folder is not None:
            inside.setdefault(sub_folder, []).append(str(info.base_name))
            continue
        candidate = (PICTURE_ENDINGS.index(ending), str(info.base_name))
        kept = min(candidate, best.get(stem, candidate))
        if stem in best:
            dropped = max(candidate, best[stem])[1]
            rejects.append(
                Reject("images", str(folder / dropped), Reason.DUPLICATE_ITEM, f"{kept[1]} is taken")
            )
        best[stem] = kept
    found = {stem: [FilePicture(folder, name)] for stem, (_, name) in best.items()}
    for item, names in inside.items():
        found.setdefault(item, []).extend(FilePicture(folder, f"{item}/{name}") for name in _ordered(names))
    return found, rejects


def _stem_and_ending(name: str) -> tuple[str, str]:
    stem, _, ending = name.rpartition(".")
    return stem, ending.lower()


def _sub_folder(folder: Location, info: pafs.FileInfo) -> str | None:
    """Name of the folder below `folder` that the file is in; None for a file directly in it."""
    inner = str(info.path)[len(folder.path.rstrip("/")) + 1 :]
    return inner.rpartition("/")[0] or None


def _ordered(names: Sequence[str]) -> list[str]:
    order = natural_order(pa.array([_stem_and_ending(name)[0] for name in names], pa.string()))
    return [names[place] for place in order]
