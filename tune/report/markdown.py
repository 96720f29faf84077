"""The study's report as Markdown."""

from collections.abc import Mapping, Sequence

import yaml

from visrec.reports.tables import table
from visrec.tune.records import TrialRecord
from visrec.tune.report.facts import StudyFacts


def format_value(number: float) -> str:
    """A number with four significant digits or decimals.

    Example:
        >>> format_value(0.123456), format_value(1234567.0), format_value(0.00001)
        ('0.1235', '1234567', '1e-05')
    """
    if number and abs(number) < 1e-3:
        return f"{number:.4g}"
    return f"{number:.0f}" if abs(number) >= 1000 else f"{number:.4f}"


def format_setting(found: object) -> str:
    """A setting's value as YAML, for a table cell.

    Example:
        >>> format_setting({"kind": "embedding"}), format_setting(None)
        ('{kind: embedding}', 'null')
    """
    if found is None:
        return "null"
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, dict | list | tuple):
        return yaml.safe_dump(found, default_flow_style=True, sort_keys=False, width=10_000).strip()
    return f"{found:.4g}" if isinstance(found, float) else str(found)


_ENDINGS = {
    "done": "All trials ended.",
    "time": "The study's time was over.",
    "patience": "The study had stopped getting better.",
}
_SHOWN = 20
"""Trials in the table."""


def study_markdown(facts: StudyFacts, checkpoint: str, plots: Mapping[str, str]) -> str:
    """The text of `report.md`.

    Args:
        facts: The numbers.
        checkpoint: Name of the best trial's checkpoint.
        plots: File name of a plot -> its caption, in the order in which they appear.
    """
    sections = [
        _opening(facts, checkpoint),
        _cost(facts),
        _trials(facts),
        _front(facts),
        _rungs(facts),
        _importance(facts),
        _failures(facts),
        "\n\n".join(f"![{shows}]({file})" for file, shows in plots.items()),
        _method(facts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _opening(facts: StudyFacts, checkpoint: str) -> str:
    lines = [
        "# Study",
        "",
        f"{len(facts.records)} trials in {facts.seconds / 60:.1f} minutes: {facts.count('finished')} finished, "
        f"{facts.count('stopped')} stopped early, {facts.count('failed')} failed. {_ENDINGS[facts.ending]}",
    ]
    best = facts.order[0]
    named = ", ".join(
        f"{o.metric} {format_value(v)}" for o, v in zip(facts.objectives, best.objectives or [], strict=True)
    )
    lines += [
        "",
        f"**Best: trial {best.number}, validation {named}**, after {best.epochs} of {best.planned_epochs} epochs"
        f"; checkpoint `{checkpoint}`.",
        "Its config is `best.yaml`: `visrec train --config best.yaml`.",
        *_lead(facts),
        "",
        table(["key", "value"], [[f"`{key}`", format_setting(v)] for key, v in best.last_point.items()]),
    ]
    return "\n".join(lines)


def _lead(facts: StudyFacts) -> list[str]:
    if facts.lead is None:
        return []
    doubt = (
        "" if facts.lead.interval.low > 0 else " The interval holds 0: with other users it might be behind."
    )
    return ["", f"It is ahead by {facts.lead.text} (95% bootstrap interval).{doubt}"]


def _cost(facts: StudyFacts) -> str:
    share = facts.trained_epochs / max(facts.planned_epochs, 1)
    return (
        "## Cost\n\n"
        f"{facts.trained_epochs} epochs trained of the {facts.planned_epochs} that full runs of all trials would have "
        f"taken: {share:.0%}. The epochs took {facts.trained_seconds:.0f} s in all trials together{_saved(facts)}."
    )


def _saved(facts: StudyFacts) -> str:
    if not facts.saved_seconds:
        return ""
    seconds = f"{facts.saved_seconds:.0f} s"
    return f"; stopping early saved about {seconds} more (epochs not trained, at each trial's own mean time)"


def _trials(facts: StudyFacts) -> str:
    head = [
        "trial",
        "state",
        "epochs",
        *(o.metric for o in facts.objectives),
        *(f"`{key}`" for key in facts.keys),
        "s",
    ]
    rows = [_row(facts, record) for record in facts.order[:_SHOWN]]
    more = len(facts.order) - len(rows)
    note = f"\n\n{more} more are in `trials.json`." if more > 0 else ""
    return "## Trials, best first\n\n" + table(head, rows) + note


def _row(facts: StudyFacts, record: TrialRecord) -> list[str]:
    point = record.last_point
    return [
        str(record.number),
        record.status,
        f"{record.epochs}/{record.planned_epochs}",
        *(format_value(v) for v in record.objectives or []),
        *(format_setting(point[key]) if key in point else "" for key in facts.keys),
        f"{record.seconds:.0f}",
    ]


def _front(facts: StudyFacts) -> str:
    if len(facts.objectives) < 2:
        return ""
    rows = [
        [str(r.number), *(format_value(v) for v in r.objectives or []), f"`pareto/trial-{r.number:05d}.yaml`"]
        for r in facts.front
    ]
    return (
        "## Pareto front\n\nNo other trial is better in one objective without being worse in another.\n\n"
        + table(["trial", *(o.metric for o in facts.objectives), "config"], rows)
    )


def _rungs(facts: StudyFacts) -> str:
    if not facts.rungs:
        return ""
    name = facts.objectives[0].metric
    rows = [[f"{r.epochs:g}", str(r.num_reached), str(r.num_stopped), *_ends(r.values)] for r in facts.rungs]
    factor = facts.job.tune.scheduler.reduction_factor
    return (
        f"## Rungs of ASHA\n\nOne bracket; at each rung a trial goes on if it is among the best 1/{factor:g} of those "
        "that have been there before it.\n\n"
        + table(
            ["after epoch", "reached", "stopped", f"best {name}", f"median {name}", f"worst {name}"], rows
        )
    )


def _ends(values: Sequence[float]) -> list[str]:
    """Best, median and worst of sorted values, as text."""
    return (
        [format_value(v) for v in (values[0], values[len(values) // 2], values[-1])]
        if values
        else ["", "", ""]
    )


def _importance(facts: StudyFacts) -> str:
    if facts.job.tune.scheduler.kind == "pbt":
        return ""  # trials copy weights and settings of others: no value belongs to one set of settings
    if not facts.importance:
        return "## Parameter importance\n\nToo few trials with different values to tell."
    rows = [[f"`{i.key}`", f"{i.share:.2f}"] for i in facts.importance]
    return (
        "## Parameter importance\n\n"
        "fANOVA (Hutter, Hoos and Leyton-Brown 2014; Optuna's implementation on scikit-learn's random forest): the "
        f"variance of {facts.objectives[0].metric} that each key explains by itself, as a share of what all of them "
        "explain so. Trials that were stopped early count with the value that they had then; keys with a condition are "
        "left out.\n\n" + table(["key", "share"], rows)
    )


def _failures(facts: StudyFacts) -> str:
    failed = [r for r in facts.records if r.status == "failed"]
    if not failed:
        return ""
    rows = [[str(r.number), str(r.epochs), r.reason or ""] for r in failed]
    return "## Failed trials\n\n" + table(["trial", "epochs", "reason"], rows)


def _method(facts: StudyFacts) -> str:
    settings = facts.job.tune
    training = facts.job.training
    return (
        "## Method\n\n"
        f"Search: {settings.search.kind}; scheduler: {settings.scheduler.kind}; trials in: {settings.run_in}; seed "
        f"{facts.job.seed}. Every number is of the validation part of the split `{training.split.protocol}`, of at "
        f"most {training.validation_users:,} users: the test part was not looked at. The best of many trials "
        "was lucky as well: expect a little less on other data. Quality is that of the best epoch of a trial's last "
        "phase."
    )
