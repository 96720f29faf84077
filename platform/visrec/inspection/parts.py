"""Logs in several files of one shape: months, for example, whose names differ in more than numbers."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from visrec.inspection.files import FoundTable, common_glob
from visrec.inspection.readings import LogReading, OpenTable
from visrec.inspection.samples import sample_table

_SLACK = 0.02
"""Share of the whole period by which parts may overlap."""


def with_joined_parts(tables: Sequence[OpenTable], candidates: Sequence[LogReading]) -> list[OpenTable]:
    """The tables, with logs of equal columns that follow each other in time as one.

    Parts that overlap in time are left apart: one may be a copy or a sample of another.
    """
    groups: dict[tuple[str, tuple[str, ...]], list[LogReading]] = {}
    for candidate in candidates:
        found = candidate.table.found
        groups.setdefault((found.format, found.fields), []).append(candidate)
    joined = list(tables)
    for group in groups.values():
        glob = common_glob([c.table.found.path for c in group], [t.found.path for t in tables])
        if len(group) > 1 and glob and _follow_each_other(group):
            parts = [c.table for c in group]
            joined = [t for t in joined if all(t is not part for part in parts)]
            joined.append(_joined([part.found for part in parts], glob))
    return joined


def _follow_each_other(group: Sequence[LogReading]) -> bool:
    times = sorted((c.time for c in group), key=lambda t: t.first)
    slack = _SLACK * (max(t.last for t in times) - times[0].first)
    return all(after.first >= before.last - slack for before, after in pairwise(times))


def _joined(parts: Sequence[FoundTable], glob: str) -> OpenTable:
    files = tuple(file for part in parts for file in part.files)
    found = replace(parts[0], path=glob, name=glob.rsplit("/", 1)[-1], files=files)
    return OpenTable(found=found, sample=sample_table(files, found.column_names))
