"""Pictures that are named after their items: item X is the file X.jpg of a folder."""

from collections.abc import Sequence

from pyarrow import fs as pafs

from visrec.data.catalogue.sources import FilePicture
from visrec.data.quarantine import Reject
from visrec.data.reasons import Reason
from visrec.storage import Location

PICTURE_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif")
"""In order of preference where an item has several."""


def pictures_by_item(
    folder: Location, infos: Sequence[pafs.FileInfo]
) -> tuple[dict[str, FilePicture], list[Reject]]:
    """The picture of each item id, in the order of `infos`, and the files that another of the same name stands for.

    Example:
        >>> infos = folder.filesystem.get_file_info(pafs.FileSelector(folder.path))     # doctest: +SKIP
        >>> pictures_by_item(folder, infos)[0]["i7"].path                               # doctest: +SKIP
        'i7.jpg'
    """
    best: dict[str, tuple[int, str]] = {}
    rejects = []
    for info in infos:
        stem, _, ending = str(info.base_name).rpartition(".")
        if not stem or stem.startswith(".") or ending.lower() not in PICTURE_ENDINGS:
            continue
        candidate = (PICTURE_ENDINGS.index(ending.lower()), str(info.base_name))
        kept = min(candidate, best.get(stem, candidate))
        if stem in best:
            dropped = max(candidate, best[stem])[1]
            rejects.append(
                Reject("images", str(folder / dropped), Reason.DUPLICATE_ITEM, f"{kept[1]} is taken")
            )
        best[stem] = kept
    return {stem: FilePicture(folder, name) for stem, (_, name) in best.items()}, rejects
