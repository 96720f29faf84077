"""All stages of an ingest, in order: the cheap ones first, so that mistakes show early.

plan        files, columns and catalogue, without Ray            open_logs, read_catalogue
read        rows to events; bad rows to the quarantine           read_logs
decode      pictures to pixels                                   decode_pictures
shuffle     all events of a user into one block                  shuffle_by_user
clean       duplicates, bots, unknown items; merging of visits   clean_users
statistics  k-core, popularity, user offsets, time cuts          global_stats
write       tables of the snapshot                               write_users, write_items
"""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Protocol

import numpy as np

from visrec.config import EVENT_KINDS
from visrec.config.ingest import IngestConfig
from visrec.data.facts import InputFacts, SnapshotFacts, TimeFacts
from visrec.data.images import ImageFacts
from visrec.errors import DataError
from visrec.ingestion.catalogue import read_catalogue
from visrec.ingestion.cleaning import CleaningRules
from visrec.ingestion.files import Inputs
from visrec.ingestion.nearest import explain_unknown_item
from visrec.ingestion.quarantine import Reason, RejectCounts, check_rejected_share, write_rejects
from visrec.ingestion.source_catalogue import SourceCatalogue
from visrec.ingestion.stages.clean import CleanLog, clean_users, write_read_rejects
from visrec.ingestion.stages.global_stats import GlobalStats, global_stats
from visrec.ingestion.stages.pictures import DecodedPictures, decode_pictures
from visrec.ingestion.stages.read import EventLog, LogSource, first_item_ids, open_logs, read_logs
from visrec.ingestion.stages.shuffle import shuffle_by_user
from visrec.ingestion.stages.write import WrittenCounts, write_items, write_users
from visrec.ingestion.tie_order import id_numbers
from visrec.storage import Location


class Progress(Protocol):
    """Receives the progress of an ingest."""

    def start(self, stage: str, total: int | None) -> None:
        """A stage begins: the name of what it counts, and how many there are, if that is known."""

    def advance(self, count: int) -> None:
        """`count` more are done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestPlan:
    """Result of looking into the files, before rows and pictures are read.

    Attributes:
        logs: The logs and the chunks of their files.
        catalogue: Items, and where their pictures are.
    """

    logs: list[LogSource]
    catalogue: SourceCatalogue


@dataclass(frozen=True, kw_only=True, slots=True)
class IngestCounts:
    """Counts of an ingest, as `counts` of the snapshot's manifest holds them."""

    num_rows_read: int
    num_rejected_rows: int
    num_merged_events: int
    num_shared_event_ids: int
    """Events whose event id is also that of an event of another item or kind."""
    num_interactions: int
    num_positives: int
    num_users: int
    num_users_without_positives: int
    num_items_read: int
    num_items: int
    num_rejected_items: int
    """Rejected pictures included."""
    num_unreadable_item_values: int
    num_images: int
    num_rejected_images: int
    num_left_out_images: int
    """Beyond `ingest.images.max_per_item`."""

    def to_json(self) -> dict[str, float]:
        """For the counts of a manifest."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltSnapshot:
    """Counts and facts of a snapshot whose files are written.

    Attributes:
        counts: For the manifest.
        facts: For the manifest.
        rejected_rows: Log rows by reason.
        rejected_items: Items and pictures by reason.
        notes: One line each about input that may be meant otherwise than it was read.
    """

    counts: IngestCounts
    facts: SnapshotFacts
    rejected_rows: RejectCounts
    rejected_items: RejectCounts
    notes: tuple[str, ...]


def plan_snapshot(config: IngestConfig, inputs: Inputs) -> IngestPlan:
    """Check the files and read the catalogue. Needs no Ray, so that mistakes in the config show at once.

    Raises:
        DataError: A file cannot be read, or a mapped column is missing.
    """
    logs = open_logs(config, inputs)
    catalogue = read_catalogue(config, inputs.items, inputs.pictures, logged_ids=lambda: first_item_ids(logs))
    return IngestPlan(logs=logs, catalogue=catalogue)


def build_snapshot(
    config: IngestConfig, inputs: Inputs, plan: IngestPlan, folder: Location, progress: Progress
) -> BuiltSnapshot:
    """Write all files of a snapshot (see `visrec.data.schemas`) to a folder. Needs a Ray session.

    Raises:
        DataError: The input cannot be read, too much of it is bad, or nothing of it is left.
    """
    quarantine = (folder / "quarantine.parquet").make_dirs()
    for name in ("interactions.parquet", "sequences.parquet"):
        (folder / name).make_dirs()
    catalogue = plan.catalogue

    progress.start("rows read", None)
    log = read_logs(plan.logs, config.cleaning, catalogue.item_ids, on_rows=progress.advance)
    write_read_rejects(log.rejects, log.source_lines, quarantine)

    progress.start("pictures decoded", len(catalogue.sources))
    pictures = decode_pictures(catalogue, folder, config, on_pictures=progress.advance)
    write_rejects(quarantine, "catalogue", [*catalogue.rejects, *pictures.rejects])

    progress.start("users cleaned", None)
    blocks = shuffle_by_user(log.blocks, log.user_sample, log.num_events, integers=log.integer_users)
    log.blocks.clear()  # frees the object store: the shuffled blocks are copies
    rules = _cleaning_rules(config, log, catalogue, pictures)
    cleaned = clean_users(blocks, rules, log.source_lines, quarantine, on_users=progress.advance)
    rejected_rows = _check_rejected_rows(config, log, cleaned, catalogue)

    progress.start("passes over all users", None)
    stats = global_stats(
        cleaned.blocks,
        pictures.has_picture,
        config.cleaning.k_core,
        shares=(config.validation_share, config.test_share),
        on_pass=progress.advance,
    )
    if not stats.num_users or not stats.kept_items.any():
        raise DataError(_nothing_left(config, log, rejected_rows))

    progress.start("users written", stats.num_users)
    written = write_users(cleaned.blocks, stats, log.source_lines, folder, on_users=progress.advance)
    write_items(catalogue, pictures.rows, stats, folder)

    rejected_rows.counts[Reason.BELOW_K_CORE] += written.num_below_core
    rejected_items = RejectCounts.of([*catalogue.rejects, *pictures.rejects])
    reasons = rejected_rows.counts + rejected_items.counts
    return BuiltSnapshot(
        counts=_counts(log, catalogue, pictures, cleaned, stats, written),
        facts=_facts(config, inputs, pictures, stats, _times(plan, log, cleaned, written), reasons),
        rejected_rows=rejected_rows,
        rejected_items=rejected_items,
        notes=_notes(config, catalogue, log, cleaned),
    )


def _cleaning_rules(
    config: IngestConfig, log: EventLog, catalogue: SourceCatalogue, pictures: DecodedPictures
) -> CleaningRules:
    weights = config.events.resolved()
    return CleaningRules(
        near_duplicate_window=config.cleaning.near_duplicate_seconds * 1000,
        merge_window=config.cleaning.merge_seconds * 1000,
        events_per_minute=config.cleaning.bot_events_per_minute,
        weights=np.array([weights[kind] for kind in EVENT_KINDS], np.float32),
        has_picture=pictures.has_picture,
        integer_users=log.integer_users,
        item_numbers=id_numbers(catalogue.item_ids),
        tie_seed=config.tie_seed,
    )


def _check_rejected_rows(
    config: IngestConfig, log: EventLog, cleaned: CleanLog, catalogue: SourceCatalogue
) -> RejectCounts:
    """Rejected log rows so far.

    Raises:
        DataError: They are too many.
    """
    rejected = RejectCounts()
    rejected.include(log.rejected)
    rejected.include(cleaned.rejected)
    if Reason.UNKNOWN_ITEM in rejected.counts:
        place = config.items.path or f"the names of the pictures in {config.images.path}"
        reading = f" ({catalogue.reading})" if catalogue.reading and not config.items.path else ""
        explain_unknown_item(rejected, catalogue.item_ids.to_pylist(), f"{place}{reading}")
    check_rejected_share(
        rejected,
        log.num_rows,
        limit=config.cleaning.max_rejected_share,
        what="log rows",
        setting="ingest.cleaning.max_rejected_share",
    )
    return rejected


def _notes(
    config: IngestConfig, catalogue: SourceCatalogue, log: EventLog, cleaned: CleanLog
) -> tuple[str, ...]:
    notes = list(catalogue.notes)
    if cleaned.shared_event_ids.num_events:
        notes.append(cleaned.shared_event_ids.note(log.source_lines, config.logs))
    return tuple(notes)


def _nothing_left(config: IngestConfig, log: EventLog, rejected: RejectCounts) -> str:
    k = config.cleaning.k_core
    core = f" and the {k}-core (ingest.cleaning.k_core)" if k else ""
    reasons = rejected.most_frequent(all_reasons=True) or "none"
    return f"no interaction of {log.num_rows:,} rows is left after cleaning{core}; rejected before: {reasons}"


def _counts(
    log: EventLog,
    catalogue: SourceCatalogue,
    pictures: DecodedPictures,
    cleaned: CleanLog,
    stats: GlobalStats,
    written: WrittenCounts,
) -> IngestCounts:
    return IngestCounts(
        num_rows_read=log.num_rows,
        num_rejected_rows=log.rejected.total + cleaned.rejected.total + written.num_below_core,
        num_merged_events=cleaned.num_merged,
        num_shared_event_ids=cleaned.shared_event_ids.num_events,
        num_interactions=written.num_interactions,
        num_positives=written.num_positives,
        num_users=stats.num_users,
        num_users_without_positives=written.num_empty_users,
        num_items_read=len(catalogue),
        num_items=int(stats.kept_items.sum()),
        num_rejected_items=len(catalogue.rejects) + len(pictures.rejects),
        num_unreadable_item_values=catalogue.unreadable_values.total,
        num_images=len(catalogue.sources),
        num_rejected_images=len(pictures.rejects),
        num_left_out_images=catalogue.num_left_out,
    )


def _facts(
    config: IngestConfig,
    inputs: Inputs,
    pictures: DecodedPictures,
    stats: GlobalStats,
    times: TimeFacts,
    reasons: Counter[Reason],
) -> SnapshotFacts:
    logs = tuple(_absolute(log.path) for log in config.logs.values() if log.path is not None)
    return SnapshotFacts(
        images=ImageFacts(
            height=config.images.height,
            width=config.images.width,
            mean=pictures.sums.mean,
            std=pictures.sums.std,
        ),
        input=InputFacts(
            interactions=logs[0] if len(logs) == 1 else logs,
            items=None if config.items.path is None else _absolute(config.items.path),
            images=None if config.images.path is None else _absolute(config.images.path),
            truth=str(inputs.truth) if inputs.truth else None,
        ),
        global_time_cuts=stats.cuts,
        reasons={reason.value: count for reason, count in sorted(reasons.items())},
        event_weights=config.events.resolved(),
        times=times,
    )


def _times(plan: IngestPlan, log: EventLog, cleaned: CleanLog, written: WrittenCounts) -> TimeFacts:
    steps = zip(plan.logs, log.counts_of_log, strict=True)
    return TimeFacts(
        resolutions={source.setting: c.time_step.resolution for source, c in steps if c.time_step},
        tied_share=written.num_tied / max(written.num_interactions, 1),
        num_unrated_users=cleaned.num_unrated_users,
    )


def _absolute(path: str) -> str:
    return path if "://" in path else str(Location.parse(path))
