"""`visrec init`: looks at a newcomer's data, and writes the config that ingests it."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from visrec.config import PipelineConfig, parse_config, with_absolute_paths
from visrec.errors import ConfigError
from visrec.inspection import Inspection, inspect_data
from visrec.inspection.answers import annotate, lay_over, without_answered
from visrec.inspection.preview import Preview, preview_ingest
from visrec.inspection.readings import Question
from visrec.inspection.shortfalls import ask_of_preview
from visrec.inspection.yaml_writer import plain_settings, write_yaml
from visrec.workloads.settings import workload_console

_COLUMN_WIDTH = 30
_TITLE_WIDTH = 24
_STEPS = ("ingest", "train", "evaluate", "publish", "serve")


@dataclass(frozen=True, kw_only=True, slots=True)
class InitResult:
    """Result of `visrec init`.

    Attributes:
        path: The written config.
        inspection: What was found.
        questions: What remains to be answered.
        preview: A sample of the log as ingest will read it; None while a question stands in the way.
    """

    path: Path
    inspection: Inspection
    questions: list[Question]
    preview: Preview | None

    @property
    def runs(self) -> bool:
        """Whether the config can run as it is."""
        return all(question.taken is not None for question in self.questions)


def init(
    *paths: str | os.PathLike[str],
    output: str | os.PathLike[str] = "shop.yaml",
    logs: Sequence[str | os.PathLike[str]] = (),
    settings: Sequence[str] = (),
    force: bool = False,
    console: Console | None = None,
    progress: bool = False,
) -> InitResult:
    """Look at files and folders, and write the config that ingests them.

    Args:
        *paths: Folders or files with logs, a catalogue and pictures.
        output: The config to write.
        logs: Files that are logs, where the data leaves a choice.
        settings: `key.path=value` pairs, laid over what was found: answers to questions.
        force: Overwrite `output`.
        console: Shows what the command shows; by default nothing is printed.
        progress: Show it on standard output.

    Raises:
        ConfigError: `output` is there already, or a setting is wrong.
        DataError: There is nothing to read, or no log.

    Example:
        >>> visrec.init("data/shop", output="shop.yaml").runs                             # doctest: +SKIP
        True
    """
    console = workload_console(console, progress)
    target = Path(output)
    if target.exists() and not force:
        raise ConfigError(f"expected no file at {target}, there is one; overwrite it with --force")
    given = [os.fspath(path) for path in paths]
    inspection = inspect_data(given, logs=[os.fspath(path) for path in logs])
    laid_over = lay_over(inspection.settings, settings)
    questions = without_answered(inspection.questions, settings)
    job = parse_config(PipelineConfig, plain_settings(laid_over))
    preview = None
    if all(question.taken is not None for question in questions):
        config = with_absolute_paths(job).ingest
        preview = preview_ingest(config)
        questions = [*ask_of_preview(preview, config), *questions]
    text = write_yaml(annotate(laid_over, questions), _header(given, len(questions), target))
    target.write_text(text, encoding="utf-8")
    result = InitResult(path=target, inspection=inspection, questions=questions, preview=preview)
    _show(result, console)
    return result


def _header(paths: Sequence[str], num_questions: int, target: Path) -> list[str]:
    asked = (
        f"Questions that the data left open: {num_questions}; each stands at its setting. "
        if num_questions
        else ""
    )
    lines = [f"Made by `visrec init {shlex.join(paths)}`. {asked}To run it:"]
    return [*lines, *(f"  visrec {step} --config {target}" for step in _STEPS)]


def _show(result: InitResult, console: Console) -> None:
    _show_verdicts(result.inspection, console)
    if result.preview:
        if result.preview.rows:
            console.print("\nSome rows of the log with their items, as ingest reads them:\n")
            console.print(_row_table(result.preview))
        console.print()
        console.print(_share_table(result.preview))
    for number, question in enumerate(result.questions, start=1):
        console.print(f"\n[bold]Question {number}[/]  {escape(question.text)}")
        if question.taken:
            console.print(f"  Taken: {escape(question.taken)}. To take another reading, add:")
        else:
            console.print("  The config cannot run before this is answered. Add one of:")
        for answer in question.answers:
            console.print(f"    {escape(answer)}", soft_wrap=True)
    console.print(f"\nwrote {escape(str(result.path))}", soft_wrap=True)
    if result.runs:
        console.print(f"next: visrec ingest --config {escape(str(result.path))}", soft_wrap=True)


def _show_verdicts(inspection: Inspection, console: Console) -> None:
    """A block for each file: what it is taken for, then its columns and what each is read as."""
    width = max((len(column) for verdict in inspection.verdicts for column, _ in verdict.columns), default=0)
    for verdict in inspection.verdicts:
        style = "dim" if verdict.taken_for.startswith("not ") else "bold"
        console.print(f"[{style}]{verdict.taken_for:<9}[/]  {escape(verdict.name)}", soft_wrap=True)
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(min_width=9)
        table.add_column(min_width=min(width, _COLUMN_WIDTH), overflow="fold")
        table.add_column(overflow="fold")
        for column, role in verdict.columns:
            table.add_row("", escape(column), escape(role))
        console.print(table)
        if verdict.note:
            console.print(Padding(f"[dim]{escape(verdict.note)}[/]", (0, 0, 0, 11)))


def _row_table(preview: Preview) -> Table:
    table = Table(box=None, pad_edge=False)
    names = ["user", "item", "title", "time", "kind", "picture"]
    rows = [[row.user, row.item, row.title, row.time, row.kind, row.picture] for row in preview.rows]
    if not any(row.title for row in preview.rows):
        names, rows = [names[0], names[1], *names[3:]], [[*row[:2], *row[3:]] for row in rows]
    for name in names:
        width = _TITLE_WIDTH if name == "title" else None
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=width)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _share_table(preview: Preview) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    table.add_row("log rows looked at", f"{preview.num_rows:,}")
    table.add_row("  without a fault", _share(preview.num_valid, preview.num_rows))
    table.add_row("  with an item of the catalogue", _share(preview.num_known, preview.num_rows))
    table.add_row("  with an item that has a picture", _share(preview.num_usable, preview.num_rows))
    for reason, (count, example) in preview.reasons.items():
        table.add_row(f"  [dim]{reason}[/]", f"[dim]{count:,}[/]", f"[dim]{escape(example)}[/]")
    table.add_row("items", f"{preview.num_items:,}")
    table.add_row("  with a picture", _share(preview.num_with_picture, preview.num_items))
    return table


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "none"
