"""Stage: decode the pictures. One Ray task writes one part of the image store, or as many as a row group holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, in_order, run_tasks
from visrec.config.ingest import ImagesConfig
from visrec.data.images import ROWS_PER_PART, PictureRows
from visrec.ingest.catalogue import Catalogue
from visrec.ingest.pictures import CellPicture, PartResult, PictureSource, PictureSums, decode_and_store
from visrec.ingest.quarantine import Reject
from visrec.storage import Location


@dataclass(frozen=True, kw_only=True, slots=True)
class Pictures:
    """What became of all pictures.

    Attributes:
        rows: Where each item's pictures are, those that could be decoded.
        rejects: Pictures that could not be decoded.
        sums: Over the good ones.
    """

    rows: PictureRows
    rejects: list[Reject]
    sums: PictureSums

    @property
    def has_picture(self) -> NDArray[np.bool_]:
        """Whether each item has a picture, bool [I]."""
        return self.rows.has_picture_I


def write_pictures(
    catalogue: Catalogue, folder: Location, config: ImagesConfig, *, on_pictures: Callable[[int], None]
) -> Pictures:
    """Write `images/` and `thumbnails/`.

    Args:
        catalogue: Where the pictures are.
        folder: The snapshot's folder.
        config: Sizes and limits.
        on_pictures: Told how many pictures have been decoded, each time some have.
    """
    for name in ("images", "thumbnails"):
        (folder / name).make_dirs()
    starts = _task_starts(catalogue.sources)
    arguments = (
        (catalogue.sources[start:end], start // ROWS_PER_PART, folder, config)
        for start, end in pairwise([*starts, len(catalogue.sources)])
    )
    results: dict[int, PartResult] = {}
    for number, reference in run_tasks(decode_and_store, arguments):
        results[number] = fetch(reference)
        on_pictures(results[number].num_rows)
    usable_R = np.ones(len(catalogue.sources), bool)
    rejects: list[Reject] = []
    sums = PictureSums(count=0, total=np.zeros(3), squares=np.zeros(3))
    for result in in_order(results.items()):  # so that sums of floats are the same in every run
        usable_R[result.bad_rows] = False
        rejects += result.rejects
        sums += result.sums
    rows = PictureRows.of_rows(catalogue.row_item, num_items=len(catalogue), usable_R=usable_R)
    return Pictures(rows=rows, rejects=rejects, sums=sums)


def _task_starts(sources: Sequence[PictureSource]) -> list[int]:
    """First row of each task: every part for files; for cells as many parts as the row group fills, so that a row group
    is not read again for each."""
    starts = list(range(0, len(sources), ROWS_PER_PART))
    kept: list[int] = []
    group: object = None
    for start in starts:
        source = sources[start]
        here = (source.file, source.row_group) if isinstance(source, CellPicture) else None
        if here is None or here != group:
            kept.append(start)
        group = here
    return kept
