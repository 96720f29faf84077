"""All stages of ingest, one after another: cheap mistakes show first, expensive work comes last."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from visrec.config import EVENT_KINDS
from visrec.config.ingest import IngestConfig
from visrec.errors import DataError
from visrec.ingest.catalogue import Catalogue, read_catalogue
from visrec.ingest.cleaning import CleaningRules
from visrec.ingest.files import Inputs
from visrec.ingest.quarantine import Reason, Tally, check_share, rejects_table, tally, write_quarantine
from visrec.ingest.stages.clean import CleanLog, clean_users, write_read_rejects
from visrec.ingest.stages.global_stats import GlobalStats, global_stats
from visrec.ingest.stages.pictures import Pictures, write_pictures
from visrec.ingest.stages.read import Log, LogSource, open_logs, read_log
from visrec.ingest.stages.shuffle import by_user
from visrec.ingest.stages.write import Written, write_users
from visrec.storage import Location


class Progress(Protocol):
    """Who wants to know how far it is."""

    def start(self, what: str, total: int | None) -> None:
        """A stage begins: what it counts, and to where, if that is known."""

    def advance(self, count: int) -> None:
        """So many more are done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """What was built.

    Attributes:
        counts: For the manifest.
        facts: For the manifest.
        refused: Log rows by reason.
        refused_items: Items and pictures by reason.
    """

    counts: dict[str, float]
    facts: dict[str, Any]
    refused: Tally
    refused_items: Tally


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What can be known without reading rows and pictures.

    Attributes:
        logs: What the logs' files hold.
        catalogue: Items, and where their pictures are.
    """

    logs: list[LogSource]
    catalogue: Catalogue


def plan_snapshot(config: IngestConfig, inputs: Inputs) -> Plan:
    """Look into the files. Needs no Ray, so that mistakes in the config show at once.

    Raises:
        DataError: A file cannot be read, or a mapped column is missing.
    """
    return Plan(
        logs=open_logs(config, inputs), catalogue=read_catalogue(config, inputs.items, inputs.pictures)
    )


def build_snapshot(
    config: IngestConfig, inputs: Inputs, plan: Plan, folder: Location, progress: Progress
) -> Built:
    """Fill a folder with all files of a snapshot (see `visrec.data.snapshot`). Needs a Ray session.

    Raises:
        DataError: The input cannot be read, too much of it is dirt, or nothing of it is left.
    """
    for name in ("quarantine.parquet", "interactions.parquet", "sequences.parquet"):
        (folder / name).make_dirs()
    catalogue = plan.catalogue
    log = _read(config, plan, progress)
    progress.start("pictures decoded", len(catalogue.sources))
    pictures = write_pictures(catalogue, folder, config.images, on_pictures=progress.advance)
    refused_items = tally(catalogue.rejects)
    refused_items.include(_check_pictures(config, catalogue, pictures))
    cleaned, refused = _clean(config, log, pictures, folder, progress)
    shares = (config.validation_share, config.test_share)
    progress.start("passes over all users", None)
    core = global_stats(
        cleaned.blocks,
        pictures.has_picture,
        config.cleaning.k_core,
        shares=shares,
        on_pass=progress.advance,
    )
    if not core.num_users or not core.kept_items.any():
        raise DataError(_nothing_left(config, log, refused))
    progress.start("users written", core.num_users)
    written = write_users(cleaned.blocks, core, log.places, folder, on_users=progress.advance)
    refused.counts[Reason.BELOW_K_CORE] += written.num_below_core
    _write_items(catalogue, pictures, core, folder)
    _write_quarantine(catalogue, pictures, folder)
    return Built(
        counts=_counts(log, catalogue, pictures, cleaned, core, written, refused, refused_items),
        facts=_facts(config, inputs, pictures, core, refused, refused_items),
        refused=refused,
        refused_items=refused_items,
    )


def _read(config: IngestConfig, plan: Plan, progress: Progress) -> Log:
    progress.start("rows read", None)
    log = read_log(plan.logs, config.cleaning, plan.catalogue.item_ids, on_rows=progress.advance)
    for source, rows in zip(plan.logs, log.rows_of, strict=True):
        setting, path = source.setting, source.config.path
        if not rows.num_rows:
            raise DataError(f"{setting}.path: expected rows in {path}, found none")
        if not rows.num_events:
            raise DataError(
                f"{setting}: expected a valid row in {path}, all {rows.num_rows:,} are refused; "
                f"most frequent: {rows.tally.most_frequent()}"
            )
        what = "log rows" if len(plan.logs) == 1 else f"rows of {path}"
        _check_rows(config, rows.tally, rows.num_rows, what=what)
    return log


def _check_rows(config: IngestConfig, refused: Tally, num_rows: int, *, what: str = "log rows") -> None:
    limit = config.cleaning.max_rejected_share
    check_share(refused, num_rows, limit=limit, what=what, setting="ingest.cleaning.max_rejected_share")


def _check_pictures(config: IngestConfig, catalogue: Catalogue, pictures: Pictures) -> Tally:
    refused = tally(pictures.rejects)
    missing = refused.counts[Reason.NO_IMAGE]
    broken = Tally()
    broken.include(refused)
    del broken.counts[Reason.NO_IMAGE]  # an item without a picture is no broken picture
    check_share(
        broken,
        len(catalogue.sources) - missing,
        limit=config.cleaning.max_rejected_images_share,
        what="pictures",
        setting="ingest.cleaning.max_rejected_images_share",
    )
    if not pictures.has_picture.any():
        everything = tally(catalogue.rejects)
        everything.include(refused)
        raise DataError(
            f"expected items with a picture, found none; most frequent: {everything.most_frequent()}"
        )
    return refused


def _clean(
    config: IngestConfig, log: Log, pictures: Pictures, folder: Location, progress: Progress
) -> tuple[CleanLog, Tally]:
    cleaning = config.cleaning
    quarantine = folder / "quarantine.parquet"
    write_read_rejects(log.rejects, log.places, quarantine)
    progress.start("users cleaned", None)
    blocks = by_user(log.blocks, log.user_sample, log.num_events, integers=log.integer_users)
    log.blocks.clear()  # the shuffled copies take their place in the object store
    weights = config.events.resolved()
    rules = CleaningRules(
        near_duplicate_window=cleaning.near_duplicate_seconds * 1000,
        merge_window=cleaning.merge_seconds * 1000,
        events_per_minute=cleaning.bot_events_per_minute,
        weights=np.array([weights[kind] for kind in EVENT_KINDS], np.float32),
        has_picture=pictures.has_picture,
        integer_users=log.integer_users,
    )
    cleaned = clean_users(blocks, rules, log.places, quarantine, on_users=progress.advance)
    refused = Tally()
    refused.include(log.tally)
    refused.include(cleaned.tally)
    _check_rows(config, refused, log.num_rows)
    return cleaned, refused


def _nothing_left(config: IngestConfig, log: Log, refused: Tally) -> str:
    core = config.cleaning.k_core
    hint = f" and the {core}-core (ingest.cleaning.k_core)" if core else ""
    reasons = refused.most_frequent(all_reasons=True) or "none"
    return f"no interaction of {log.num_rows:,} rows is left after cleaning{hint}; refused before: {reasons}"


def _write_items(catalogue: Catalogue, pictures: Pictures, core: GlobalStats, folder: Location) -> None:
    kept_items: NDArray[np.int64] = np.flatnonzero(core.kept_items)
    kept = catalogue.items.take(pa.array(kept_items))
    more = pictures.rows.more
    further = pa.ListArray.from_arrays(pa.array(more.offsets, pa.int32()), pa.array(more.values))
    columns = {
        "item_index": pa.array(np.arange(len(kept_items), dtype=np.int32)),
        "item_id": kept.column("item_id"),
        "image_row": pa.array(pictures.rows.main_I[kept_items]),
        "more_image_rows": further.take(pa.array(kept_items)),
        **{name: kept.column(name) for name in kept.schema.names if name != "item_id"},
        "num_positives": pa.array(core.num_positives[kept_items]),
    }
    pq.write_table(pa.table(columns), f"{folder.path}/items.parquet", filesystem=folder.filesystem)


def _write_quarantine(catalogue: Catalogue, pictures: Pictures, folder: Location) -> None:
    quarantine = folder / "quarantine.parquet"
    rows = rejects_table([*catalogue.rejects, *pictures.rejects])
    # Also where nothing was refused at all: readers want a file to find the columns in.
    write_quarantine(quarantine, "catalogue", rows, even_if_empty=True)


def _counts(
    log: Log,
    catalogue: Catalogue,
    pictures: Pictures,
    cleaned: CleanLog,
    core: GlobalStats,
    written: Written,
    refused: Tally,
    refused_items: Tally,
) -> dict[str, float]:
    return {
        "num_rows_read": log.num_rows,
        "num_rejected_rows": sum(refused.counts.values()),
        "num_merged_events": cleaned.num_merged,
        "num_interactions": written.num_interactions,
        "num_positives": written.num_positives,
        "num_users": core.num_users,
        "num_users_without_positives": written.num_empty_users,
        "num_items_read": len(catalogue),
        "num_items": int(core.kept_items.sum()),
        "num_rejected_items": sum(refused_items.counts.values()),
        "num_unreadable_item_values": catalogue.num_unreadable_values,
        "num_images": len(catalogue.sources),
        "num_rejected_images": len(pictures.rejects),
        "num_left_out_images": catalogue.num_left_out,
    }


def _absolute(path: str | None) -> str | None:
    return path if path is None or "://" in path else str(Location.parse(path))


def _facts(
    config: IngestConfig,
    inputs: Inputs,
    pictures: Pictures,
    core: GlobalStats,
    refused: Tally,
    refused_items: Tally,
) -> dict[str, Any]:
    logs = [_absolute(log.path) for log in config.logs.values()]
    reasons = refused.counts + refused_items.counts
    return {
        "images": {
            "height": config.images.height,
            "width": config.images.width,
            "mean": list(pictures.sums.mean),
            "std": list(pictures.sums.std),
        },
        "input": {
            "interactions": logs[0] if len(logs) == 1 else logs,
            "items": _absolute(config.items.path),
            "images": _absolute(config.images.path),
            "truth": str(inputs.truth) if inputs.truth else None,
        },
        "global_time_cuts": list(core.cuts),
        "reasons": {reason.value: count for reason, count in sorted(reasons.items())},
        "event_weights": dict(config.events.resolved()),
    }
