"""The logs of a snapshot: where the rows of each are, and how they are read."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from visrec.config import EVENT_KINDS
from visrec.config.ingest import Cleaning, Ingest, InteractionsInput
from visrec.data.inputs import Inputs
from visrec.data.reading.chunks import Chunk, cut
from visrec.data.reading.columns import check_columns
from visrec.data.reading.events import EventRules, kind_codes, mapped_columns
from visrec.data.reading.times import parse_iso


@dataclass(frozen=True)
class LogSource:
    """One log.

    Attributes:
        setting: Name of its setting, such as `ingest.interactions.1`.
        config: The setting.
        chunks: Of its files.
    """

    setting: str
    config: InteractionsInput
    chunks: list[Chunk]

    @property
    def columns(self) -> dict[str, str]:
        """Role and column name of what the log has."""
        return mapped_columns(self.config.columns)


def open_logs(config: Ingest, inputs: Inputs) -> list[LogSource]:
    """Look into the files of all logs.

    Raises:
        DataError: A file cannot be read, or a mapped column is missing.
    """
    sources = [LogSource(name, log, cut(inputs.logs[name])) for name, log in config.logs.items()]
    for source in sources:
        check_columns(source.chunks, source.columns, setting=f"{source.setting}.columns")
    return sources


def event_rules(sources: Sequence[LogSource], cleaning: Cleaning) -> list[EventRules]:
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
