"""The files of a study's report."""

from matplotlib.figure import Figure

from visrec.config import Config, dump_yaml
from visrec.reports.style import png
from visrec.storage import Location
from visrec.tune.points import mutable_keys
from visrec.tune.records import records_json
from visrec.tune.report.facts import StudyFacts
from visrec.tune.report.markdown import study_markdown
from visrec.tune.report.plots import (
    history,
    importance_bars,
    learning_curves,
    parallel_coordinates,
    pareto,
    schedules,
)
from visrec.tune.winner import last_config

BEST = "best.yaml"
TRIALS = "trials.json"


def write_study(folder: Location, facts: StudyFacts, checkpoint: str) -> None:
    """Write `report.md` and its plots, `trials.json`, `best.yaml`, and a YAML for each trial of a Pareto front."""
    figures = _figures(facts)
    for file, (figure, _) in figures.items():
        (folder / file).write_bytes(png(figure))
    shows = {file: text for file, (_, text) in figures.items()}
    (folder / "report.md").write_text(study_markdown(facts, checkpoint, shows))
    (folder / TRIALS).write_text(records_json(facts.records))
    (folder / BEST).write_text(_yaml(facts, last_config(facts.job, facts.order[0]), facts.order[0].number))
    if len(facts.objectives) > 1:
        (folder / "pareto").make_dirs()
        for record in facts.front:
            place = folder / f"pareto/trial-{record.number:05d}.yaml"
            place.write_text(_yaml(facts, last_config(facts.job, record), record.number))


def _yaml(facts: StudyFacts, job: Config, number: int) -> str:
    note = f"# Trial {number} of a study; made by `visrec tune`, for `visrec train --config`.\n"
    if facts.job.tune.scheduler.kind == "pbt":
        note += "# The settings of its last epoch: earlier ones are in trials.json and in the plot of schedules.\n"
    return note + dump_yaml(job)


def _figures(facts: StudyFacts) -> dict[str, tuple[Figure, str]]:
    """File name -> the figure and its caption; figures without data are left out."""
    figures = {
        "history.png": (history(facts), "Value of each trial, and the best so far"),
        "learning_curves.png": (learning_curves(facts), "Value of each trial over its epochs"),
    }
    if facts.importance:
        figures["importance.png"] = (importance_bars(facts), "Importance of each key")
    if len(facts.objectives) > 1:
        figures["pareto.png"] = (pareto(facts), "Pareto front of the first two objectives")
    if facts.job.tune.scheduler.kind == "pbt":
        figures["schedules.png"] = (
            schedules(facts, mutable_keys(facts.job)),
            "Settings of each trial over its epochs",
        )
    else:
        figures["parallel_coordinates.png"] = (
            parallel_coordinates(facts),
            "Settings and value of each trial",
        )
    return figures
