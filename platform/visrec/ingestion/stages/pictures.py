"""Stage: decode the pictures. One Ray task writes one part of the image store, or as many as a row group fills."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visrec.cluster.tasks import fetch, in_order, run_tasks
from visrec.config.ingest import IngestConfig
from visrec.data.images import PictureRows
from visrec.data.parts import ROWS_PER_PART
from visrec.errors import DataError
from visrec.ingestion.picture_sources import CellPicture, PictureSource
from visrec.ingestion.pictures import PartResult, PictureSums, decode_and_store
from visrec.ingestion.quarantine import Reason, Reject, RejectCounts, check_rejected_share
from visrec.ingestion.source_catalogue import SourceCatalogue
from visrec.storage import Location


@dataclass(frozen=True, kw_only=True, slots=True)
class DecodedPictures:
    """The pictures of the catalogue, as stored.

    Attributes:
        rows: Rows of the decoded pictures of each item.
        rejects: Pictures that could not be decoded.
        sums: Over the decoded pictures.
    """

    rows: PictureRows
    rejects: list[Reject]
    sums: PictureSums

    @property
    def has_picture(self) -> NDArray[np.bool_]:
        """Whether each item has a picture, bool [I]."""
        return self.rows.has_picture_I


def decode_pictures(
    catalogue: SourceCatalogue, folder: Location, config: IngestConfig, *, on_pictures: Callable[[int], None]
) -> DecodedPictures:
    """Write `images/` and `thumbnails/`.

    Args:
        catalogue: Where the pictures are.
        folder: The snapshot's folder.
        config: Sizes and limits.
        on_pictures: Called with the number of pictures decoded, each time some have been.

    Raises:
        DataError: Too many pictures cannot be decoded, or no item has one.
    """
    for name in ("images", "thumbnails"):
        (folder / name).make_dirs()
    starts = _task_starts(catalogue.sources)
    arguments = (
        (catalogue.sources[start:end], start // ROWS_PER_PART, folder, config.images)
        for start, end in pairwise([*starts, len(catalogue.sources)])
    )
    results: dict[int, PartResult] = {}
    for number, reference in run_tasks(decode_and_store, arguments):
        results[number] = fetch(reference)
        on_pictures(results[number].num_rows)
    usable_R = np.ones(len(catalogue.sources), bool)
    rejects: list[Reject] = []
    sums = PictureSums.zero()
    for result in in_order(results.items()):  # in order: sums of floats depend on it
        usable_R[result.bad_rows] = False
        rejects += result.rejects
        sums += result.sums
    rows = PictureRows.of_rows(catalogue.row_item, num_items=len(catalogue), usable_R=usable_R)
    pictures = DecodedPictures(rows=rows, rejects=rejects, sums=sums)
    _check_pictures(catalogue, pictures, config)
    return pictures


def _task_starts(sources: Sequence[PictureSource]) -> list[int]:
    """First row of each task: every part for files; for cells as many parts as the row group fills, so that a row group
    is not read again for each."""
    starts: list[int] = []
    last_group: object = None
    for start in range(0, len(sources), ROWS_PER_PART):
        source = sources[start]
        group = (source.file, source.row_group) if isinstance(source, CellPicture) else None
        if group is None or group != last_group:
            starts.append(start)
        last_group = group
    return starts


def _check_pictures(catalogue: SourceCatalogue, pictures: DecodedPictures, config: IngestConfig) -> None:
    # An item without a picture is not a damaged picture.
    damaged = [reject for reject in pictures.rejects if reject.reason != Reason.NO_IMAGE]
    num_missing = len(pictures.rejects) - len(damaged)
    check_rejected_share(
        RejectCounts.of(damaged),
        len(catalogue.sources) - num_missing,
        limit=config.cleaning.max_rejected_images_share,
        what="pictures",
        setting="ingest.cleaning.max_rejected_images_share",
    )
    if not pictures.has_picture.any():
        rejected = RejectCounts.of([*catalogue.rejects, *pictures.rejects])
        raise DataError(
            f"expected items with a picture, found none; most frequent: {rejected.most_frequent()}"
        )
