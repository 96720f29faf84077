"""Stage: read the logs. One Ray task a chunk; events stay in the object store, the driver sees counts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.cluster.tasks import fetch, run_tasks, share
from visrec.config.ingest import CleaningConfig, IngestConfig, InteractionsConfig
from visrec.errors import DataError
from visrec.ingestion.chunks import (
    Chunk,
    SourceLines,
    check_columns,
    check_keys,
    mapped_columns,
    split_into_chunks,
)
from visrec.ingestion.column_types import ColumnNames, check_types
from visrec.ingestion.events import EventRules, check_events
from visrec.ingestion.files import Inputs
from visrec.ingestion.formats import read_rows
from visrec.ingestion.id_text import id_texts
from visrec.ingestion.ids import all_integers, fill_digits
from visrec.ingestion.quarantine import RejectCounts, RejectSummary, check_rejected_share
from visrec.ingestion.resolution import TimeStep
from visrec.ingestion.text_dialect import TextSettings

_SAMPLE_SIZE = 100_000
_MIN_SAMPLE_OF_CHUNK = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSource:
    """One log and the chunks of its files.

    Attributes:
        setting: Name of its setting, such as `ingest.interactions.1`.
        config: The setting.
        chunks: Of its files.
    """

    setting: str
    config: InteractionsConfig
    chunks: list[Chunk]

    @property
    def columns(self) -> dict[str, str]:
        """Role and column name of the columns that the log has."""
        return mapped_columns(self.config.columns)


@dataclass(kw_only=True, slots=True)
class LogCounts:
    """Counts of one log.

    Attributes:
        num_rows: Rows read, rejected ones included.
        num_events: Valid rows.
        rejected: Rejected rows.
        absent: Roles whose key no row of a piece has, of every piece with rows.
        time_step: Of the valid rows' times; None without any.
    """

    num_rows: int = 0
    num_events: int = 0
    rejected: RejectCounts = field(default_factory=RejectCounts)
    absent: list[frozenset[str]] = field(default_factory=list)
    time_step: TimeStep | None = None


@dataclass(kw_only=True, slots=True)
class EventLog:
    """The events of all logs, in the object store.

    Attributes:
        source_lines: Locations of rows.
        counts_of_log: In the order of the logs.
        blocks: References of tables of `EVENT_SCHEMA`.
        rejects: References of tables of `REJECT_SCHEMA`, empty ones left out.
        integer_users: Whether all user ids are integers.
        user_sample: User ids of a sample of events: a user with more events is more often among them.
    """

    source_lines: SourceLines
    counts_of_log: list[LogCounts]
    blocks: list[Any] = field(default_factory=list)
    rejects: list[Any] = field(default_factory=list)
    integer_users: bool = True
    user_sample: list[str] = field(default_factory=list)

    @property
    def num_rows(self) -> int:
        """Rows read, rejected ones included."""
        return sum(counts.num_rows for counts in self.counts_of_log)

    @property
    def num_events(self) -> int:
        """Valid rows."""
        return sum(counts.num_events for counts in self.counts_of_log)

    @property
    def rejected(self) -> RejectCounts:
        """Rejected rows."""
        together = RejectCounts()
        for counts in self.counts_of_log:
            together.include(counts.rejected)
        return together


def open_logs(config: IngestConfig, inputs: Inputs) -> list[LogSource]:
    """Cut the files of all logs into chunks, and check that they have the mapped columns.

    Raises:
        DataError: A file cannot be read, or a mapped column is missing.
    """
    sources = [
        LogSource(
            setting=name,
            config=log,
            chunks=split_into_chunks(inputs.logs[name], settings=TextSettings.of(log, name)),
        )
        for name, log in config.logs.items()
    ]
    for source in sources:
        check_columns(source.chunks, source.columns, setting=f"{source.setting}.columns")
    return sources


def first_item_ids(sources: Sequence[LogSource]) -> set[str]:
    """Item ids at the beginning of each log, to compare names of files with."""
    ids: set[str] = set()
    for source in sources:
        columns = {"item_id": source.columns["item_id"]}
        pieces = (raw for chunk in source.chunks[:1] for raw in read_rows(chunk, columns))
        for raw in islice(pieces, 1):
            found = pc.unique(id_texts(raw.columns["item_id"]).values.drop_null())
            ids.update(fill_digits(found, source.config.item_id_width).to_pylist())
    return ids


def event_rules(sources: Sequence[LogSource], cleaning: CleaningConfig) -> list[EventRules]:
    """Rules of each log; the future begins now.

    Event ids are unique within a log only: with several logs they have the number of the log before them.
    """
    now = time.time()
    return [
        EventRules.of(
            source.config,
            cleaning,
            now=now,
            setting=source.setting,
            event_id_prefix=f"{number}:" if len(sources) > 1 else "",
        )
        for number, source in enumerate(sources)
    ]


def read_logs(
    sources: Sequence[LogSource], cleaning: CleaningConfig, item_ids: Any, *, on_rows: Callable[[int], None]
) -> EventLog:
    """Read and validate all chunks of all logs.

    Args:
        sources: The logs.
        cleaning: Which times are possible, and how many rows may be bad.
        item_ids: Ids of the catalogue, a pyarrow string array.
        on_rows: Called with the number of rows read, each time some have been.

    Raises:
        DataError: A file is damaged or cannot be read, or a log has no valid row or too many bad ones.
    """
    chunks = [chunk for source in sources for chunk in source.chunks]
    log_of_chunk = [number for number, source in enumerate(sources) for _ in source.chunks]
    sample_size = max(_MIN_SAMPLE_OF_CHUNK, _SAMPLE_SIZE // max(len(chunks), 1))
    shared = share(item_ids), sample_size
    rules = [share(of_log) for of_log in event_rules(sources, cleaning)]
    tasks = (
        (number, chunk, sources[log].columns, rules[log], *shared)
        for number, (chunk, log) in enumerate(zip(chunks, log_of_chunk, strict=True))
    )
    results: dict[int, list[tuple[Any, Any, _PieceSummary]]] = {}
    for number, references in run_tasks(_read_chunk, tasks):
        for last in references[-1:]:
            fetch(last)  # a generator that fails puts its error in the place of a value that it did not yield
        pieces = [references[k : k + 3] for k in range(0, len(references), 3)]
        results[number] = [(events, rejects, fetch(summary)) for events, rejects, summary in pieces]
        on_rows(sum(summary.num_rows for _, _, summary in results[number]))
    num_lines = [sum(summary.num_lines for _, _, summary in results[k]) for k in range(len(chunks))]
    log = EventLog(
        source_lines=SourceLines.of(chunks, num_lines), counts_of_log=[LogCounts() for _ in sources]
    )
    for number, of_log in enumerate(log_of_chunk):
        for events, rejects, summary in results[number]:
            _include(log, log.counts_of_log[of_log], events, rejects, summary)
    for source, counts in zip(sources, log.counts_of_log, strict=True):
        _check_log(source, counts, cleaning, only_log=len(sources) == 1)
    return log


@dataclass(frozen=True, kw_only=True, slots=True)
class _PieceSummary:
    """Summary of one piece of a chunk, for the driver."""

    num_lines: int
    num_events: int
    rejects: RejectSummary
    integer_users: bool
    user_sample: list[str]
    absent: frozenset[str]
    time_step: TimeStep | None

    @property
    def num_rows(self) -> int:
        return self.num_events + sum(self.rejects.counts.values())


def _read_chunk(
    number: int, chunk: Chunk, columns: dict[str, str], rules: EventRules, item_ids: Any, sample_size: int
) -> Iterator[Any]:
    """Three values for each piece of the chunk: events, rejects, summary."""
    names = ColumnNames(setting=f"{rules.setting}.columns", names=columns, file=str(chunk.file.location))
    for raw in read_rows(chunk, columns):
        check_types(raw.columns, names)
        events, rejects = check_events(raw, rules, item_ids, number)
        users = events.column("user_id").combine_chunks()
        step = max(1, len(users) // sample_size)
        sample = users.take(pa.array(np.arange(0, len(users), step)))
        yield events
        yield rejects
        yield _PieceSummary(
            num_lines=raw.num_lines,
            num_events=len(users),
            rejects=RejectSummary.of(rejects),
            integer_users=all_integers(pc.unique(users)),
            user_sample=sample.to_pylist(),
            absent=raw.absent,
            time_step=TimeStep.of(np.asarray(events.column("time"))),
        )


def _include(log: EventLog, counts: LogCounts, events: Any, rejects: Any, summary: _PieceSummary) -> None:
    counts.num_rows += summary.num_rows
    counts.num_events += summary.num_events
    counts.rejected.include(summary.rejects.resolve(log.source_lines))
    if summary.num_rows:
        counts.absent.append(summary.absent)
    if summary.time_step:
        counts.time_step = summary.time_step.joined(counts.time_step)
    if summary.num_events:
        log.blocks.append(events)
        log.user_sample += summary.user_sample
        log.integer_users &= summary.integer_users
    if summary.rejects.counts:
        log.rejects.append(rejects)


def _check_log(source: LogSource, counts: LogCounts, cleaning: CleaningConfig, *, only_log: bool) -> None:
    setting, path = source.setting, source.config.path
    if not counts.num_rows:
        raise DataError(f"{setting}.path: expected rows in {path}, found none")
    check_keys(source.chunks, source.columns, counts.absent, setting=f"{setting}.columns")
    if not counts.num_events:
        raise DataError(
            f"{setting}: expected a valid row in {path}, all {counts.num_rows:,} are rejected; "
            f"most frequent: {counts.rejected.most_frequent()}"
        )
    check_rejected_share(
        counts.rejected,
        counts.num_rows,
        limit=cleaning.max_rejected_share,
        what="log rows" if only_log else f"rows of {path}",
        setting="ingest.cleaning.max_rejected_share",
    )
