"""Stage: read the logs. One Ray task a chunk; good rows stay in the object store, the driver sees counts."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from visrec.cluster.tasks import fetch, run_tasks, share
from visrec.config import EVENT_KINDS
from visrec.config.ingest import CleaningConfig, IngestConfig, InteractionsConfig
from visrec.ingest.chunks import Chunk, SourceLines, check_columns, split_into_chunks
from visrec.ingest.events import EventRules, check_events, kind_codes, mapped_columns
from visrec.ingest.files import Inputs
from visrec.ingest.formats import read
from visrec.ingest.ids import all_integers
from visrec.ingest.quarantine import REASONS, Reason, Tally, example
from visrec.ingest.times import parse_iso


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSource:
    """One log.

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
        """Role and column name of what the log has."""
        return mapped_columns(self.config.columns)


def open_logs(config: IngestConfig, inputs: Inputs) -> list[LogSource]:
    """Look into the files of all logs.

    Raises:
        DataError: A file cannot be read, or a mapped column is missing.
    """
    sources = [
        LogSource(setting=name, config=log, chunks=split_into_chunks(inputs.logs[name]))
        for name, log in config.logs.items()
    ]
    for source in sources:
        check_columns(source.chunks, source.columns, setting=f"{source.setting}.columns")
    return sources


def event_rules(sources: Sequence[LogSource], cleaning: CleaningConfig) -> list[EventRules]:
    """What makes a row of each log an event; the future begins now.

    Ids of events are unique within a log only: those of several logs are told apart by the log.
    """
    now = time.time()
    return [
        EventRules(
            time_unit=source.config.time_unit,
            kinds=kind_codes(source.config.kind_names),
            default_kind=EVENT_KINDS.index(source.config.default_kind),
            min_time=parse_iso(cleaning.min_time) or 0,
            max_time=int((now + cleaning.max_future_seconds) * 1000),
            setting=source.setting,
            event_id_prefix=f"{place}:" if len(sources) > 1 else "",
        )
        for place, source in enumerate(sources)
    ]


_USERS_IN_SAMPLE = 100_000
_MIN_USERS_OF_CHUNK = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectSummary:
    """Counts of a table of rejects, with one example each: (chunk, line, detail)."""

    counts: dict[Reason, int]
    examples: dict[Reason, tuple[int, int, str]]

    @classmethod
    def of(cls, rejects: pa.Table) -> "RejectSummary":
        """Summarise a table of `REJECT_SCHEMA`."""
        codes = np.asarray(rejects.column("reason"))
        found, firsts, counts = np.unique(codes, return_index=True, return_counts=True)
        rows = rejects.take(pa.array(firsts)).to_pylist()
        reasons = [REASONS[code] for code in found]
        return cls(
            counts=dict(zip(reasons, counts.tolist(), strict=True)),
            examples={
                r: (row["chunk"], row["line"], row["detail"]) for r, row in zip(reasons, rows, strict=True)
            },
        )

    def tally(self, places: SourceLines) -> Tally:
        """With the examples' places spelled out."""
        result = Tally()
        for reason, count in self.counts.items():
            chunk, line, detail = self.examples[reason]
            location = places.format(np.array([chunk], np.int32), np.array([line]))[0].as_py()
            result.add(reason, count, example(location, detail))
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class _Summary:
    """What the driver sees of a piece of a chunk."""

    num_lines: int
    num_events: int
    rejects: RejectSummary
    integer_users: bool
    users: list[str]
    """User ids of some events, evenly spaced."""


@dataclass(kw_only=True, slots=True)
class Rows:
    """What was read of one log.

    Attributes:
        num_rows: Rows read, good and bad.
        num_events: Good rows.
        tally: Refused rows.
    """

    num_rows: int = 0
    num_events: int = 0
    tally: Tally = field(default_factory=Tally)


@dataclass(kw_only=True, slots=True)
class Log:
    """The logs as read, together.

    Attributes:
        places: Where rows stand.
        rows_of: What was read of each log, in the order of the logs.
        blocks: References of tables of `EVENT_SCHEMA`.
        rejects: References of tables of `REJECT_SCHEMA`, the empty ones left out.
        integer_users: Whether all user ids are integers.
        user_sample: User ids of some events: a user with more events is more often among them.
    """

    places: SourceLines
    rows_of: list[Rows]
    blocks: list[Any] = field(default_factory=list)
    rejects: list[Any] = field(default_factory=list)
    integer_users: bool = True
    user_sample: list[str] = field(default_factory=list)

    @property
    def num_rows(self) -> int:
        """Rows read, good and bad."""
        return sum(rows.num_rows for rows in self.rows_of)

    @property
    def num_events(self) -> int:
        """Good rows."""
        return sum(rows.num_events for rows in self.rows_of)

    @property
    def tally(self) -> Tally:
        """Refused rows."""
        together = Tally()
        for rows in self.rows_of:
            together.include(rows.tally)
        return together


def _read_chunk(
    number: int, chunk: Chunk, columns: dict[str, str], rules: EventRules, item_ids: Any, sample_size: int
) -> Iterator[Any]:
    """Three values for each piece of the chunk: events, rejects, summary."""
    for raw in read(chunk, columns):
        events, rejects = check_events(raw, rules, item_ids, number)
        users = events.column("user_id").combine_chunks()
        step = max(1, len(users) // sample_size)
        sample = users.take(pa.array(np.arange(0, len(users), step)))
        summary = _Summary(
            num_lines=raw.num_lines,
            num_events=len(users),
            rejects=RejectSummary.of(rejects),
            integer_users=all_integers(pc.unique(users)),
            users=sample.to_pylist(),
        )
        yield events
        yield rejects
        yield summary


def read_log(
    sources: Sequence[LogSource], cleaning: CleaningConfig, item_ids: Any, *, on_rows: Callable[[int], None]
) -> Log:
    """Read all chunks of all logs.

    Args:
        sources: The logs.
        cleaning: Which times are possible.
        item_ids: Ids of the catalogue, a pyarrow string array.
        on_rows: Told how many rows have been read, each time some have.

    Raises:
        DataError: A file is damaged or cannot be read.
    """
    chunks = [chunk for source in sources for chunk in source.chunks]
    log_of_chunk = [place for place, source in enumerate(sources) for _ in source.chunks]
    sample = max(_MIN_USERS_OF_CHUNK, _USERS_IN_SAMPLE // max(len(chunks), 1))
    shared = share(item_ids), sample
    rules = [share(of_log) for of_log in event_rules(sources, cleaning)]
    tasks = (
        (n, chunk, sources[place].columns, rules[place], *shared)
        for n, (chunk, place) in enumerate(zip(chunks, log_of_chunk, strict=True))
    )
    results: dict[int, list[tuple[Any, Any, _Summary]]] = {}
    for number, references in run_tasks(_read_chunk, tasks):
        pieces = [references[k : k + 3] for k in range(0, len(references), 3)]
        results[number] = [(events, rejects, fetch(summary)) for events, rejects, summary in pieces]
        on_rows(sum(_num_rows(summary) for _, _, summary in results[number]))
    lines = [sum(summary.num_lines for _, _, summary in results[k]) for k in range(len(chunks))]
    log = Log(places=SourceLines.of(chunks, lines), rows_of=[Rows() for _ in sources])
    for number, place in enumerate(log_of_chunk):
        for events, rejects, summary in results[number]:
            _include(log, log.rows_of[place], events, rejects, summary)
    return log


def _num_rows(summary: _Summary) -> int:
    return summary.num_events + sum(summary.rejects.counts.values())


def _include(log: Log, rows: Rows, events: Any, rejects: Any, summary: _Summary) -> None:
    rows.num_rows += _num_rows(summary)
    rows.num_events += summary.num_events
    rows.tally.include(summary.rejects.tally(log.places))
    if summary.num_events:
        log.blocks.append(events)
        log.user_sample += summary.users
        log.integer_users &= summary.integer_users
    if summary.rejects.counts:
        log.rejects.append(rejects)
