"""Robustness in the report: section of `report.md`, part of `report.json`, plot, tables for a terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console
from rich.table import Table

from visrec.evaluation.bootstrap import Interval
from visrec.reports.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.reports.tables import table
from visrec.robustness.corruptions import describe
from visrec.robustness.summary import AttackEffect, Robustness

_CORRUPTION_COLOURS = {"jpeg": "#0072B2", "blur": "#E69F00", "noise": "#009E73", "brightness": "#CC79A7"}


def robustness_json(robustness: Robustness) -> dict[str, Any]:
    """`robustness` of `report.json`, of plain types. The keys are those of format version 1."""
    return {
        "num_users": robustness.num_users,
        "num_targets": robustness.num_targets,
        "list_size": robustness.list_size,
        "source": robustness.source,
        "clean": {name: asdict(interval) for name, interval in robustness.clean.items()},
        "users_per_item": robustness.users_per_item,
        "pushes": [_attack_json(effect) for effect in robustness.attacks],
        "corruptions": [asdict(effect) for effect in robustness.corruptions],
    }


def robustness_section(robustness: Robustness, plot: str) -> str:
    """The section of `report.md`.

    Args:
        robustness: The numbers.
        plot: Markdown of the plot.
    """
    parts = [
        "## Robustness to changed pictures",
        _attack_table(robustness),
        plot,
        _corruption_table(robustness),
    ]
    return "\n\n".join(part for part in parts if part)


def print_robustness(robustness: Robustness, console: Console) -> None:
    """A table of the attacks and one of the corruptions."""
    k = robustness.list_size
    attacks = _narrow_table("attack", ("exposure", "gain", "users per item", f"NDCG@{k}, change", "PSNR"))
    attacks.add_row(
        "none",
        f"{robustness.clean[f'exposure@{k}'].mean:.2%}",
        "",
        f"{robustness.users_per_item:.1f}",
        "",
        "",
    )
    for effect in robustness.attacks:
        attacks.add_row(
            attack_title(effect),
            f"{effect.after[f'exposure@{k}'].mean:.2%}",
            f"{effect.change[f'exposure@{k}'].mean:+.2%}",
            f"{effect.users_per_item:.1f}",
            f"{effect.change[f'ndcg@{k}'].mean:+.4f}",
            _psnr(effect),
        )
    console.print(attacks)
    if robustness.corruptions:
        corruptions = _narrow_table("all pictures", (f"NDCG@{k}", "change, paired"))
        for found in robustness.corruptions:
            corruptions.add_row(
                f"{found.corruption.name}, {found.corruption.severity}",
                f"{found.ndcg.mean:.4f}",
                f"{found.change:+.4f}",
            )
        console.print(corruptions)


def robustness_plot(robustness: Robustness) -> Figure:
    """Exposure under attack at the left; NDCG under corruptions, where they were measured, at the right."""
    height, k = 3.9, robustness.list_size
    corrupted = "; right: all pictures corrupted" if robustness.corruptions else ""
    figure = new_figure(
        9.6,
        height,
        title="Robustness to changed pictures",
        subtitle=f"{robustness.num_users:,} users, lists of {k}; left: {robustness.num_targets:,} unpopular items "
        f"attacked, with bootstrap intervals over users{corrupted}",
    )
    panels = figure.subplots(1, 2 if robustness.corruptions else 1, squeeze=False)[0]
    figure.subplots_adjust(0.075, 0.5 / height, 0.985, top_of_axes(height), wspace=0.2)
    _plot_exposure(panels[0], robustness)
    if robustness.corruptions:
        _plot_corruptions(panels[1], robustness)
    return figure


def attack_title(effect: AttackEffect) -> str:
    """An attack's name for people."""
    return f"{effect.attack.epsilon}/255, {'transferred' if effect.attack.transferred else 'white box'}"


def _attack_json(effect: AttackEffect) -> dict[str, Any]:
    fields = asdict(effect)
    return {"push": fields.pop("attack"), **fields}


def _attack_table(robustness: Robustness) -> str:
    k = robustness.list_size
    header = [
        "Attack",
        "Exposure",
        "Exposure, gain",
        "Users per item",
        "Lists reached",
        f"NDCG@{k}, change",
        "PSNR",
        "SSIM",
    ]
    clean = [
        "none",
        f"{robustness.clean[f'exposure@{k}'].mean:.2%}",
        "",
        f"{robustness.users_per_item:.1f}",
        f"{robustness.clean[f'reach@{k}'].mean:.1%}",
        "",
        "",
        "",
    ]
    attacked = [
        [
            attack_title(effect),
            f"{effect.after[f'exposure@{k}'].mean:.2%}",
            f"{effect.change[f'exposure@{k}']:+.2%}",
            f"{effect.users_per_item:.1f}",
            f"{effect.after[f'reach@{k}'].mean:.1%}",
            f"{effect.change[f'ndcg@{k}']:+.4f}",
            _psnr(effect),
            f"{effect.ssim:.4f}" if effect.ssim is not None else "",
        ]
        for effect in robustness.attacks
    ]
    clean_ndcg = f"{robustness.clean[f'ndcg@{k}'].mean:.4f}"
    source = (
        f" Transferred pictures were computed against checkpoint `{robustness.source}`."
        if robustness.source is not None
        else ""
    )
    note = (
        f"A promotion attack: the main pictures of {robustness.num_targets:,} items, sampled from the less popular "
        "half, are changed by projected gradient descent, each pixel by at most the given part of 255, so that the "
        f"items enter the lists of {robustness.num_users:,} users. White box: the attacker knows the model and the "
        f"users.{source} Exposure: share of all positions in the lists of {k} that the attacked items take; gain in "
        "percentage points. Users per item: users whose list holds the item, mean over the attacked items. Lists "
        f"reached: lists that hold an attacked item. NDCG@{k} without an attack is {clean_ndcg}; changes are paired by "
        "user. PSNR and SSIM: similarity of the changed to the original pictures; above 40 dB few people see a "
        "difference."
    )
    return f"{table(header, [clean, *attacked])}\n\n{note}"


def _corruption_table(robustness: Robustness) -> str:
    if not robustness.corruptions:
        return ""
    k = robustness.list_size
    rows = [["none", "", f"{robustness.clean[f'ndcg@{k}']:.4f}", ""]]
    for effect in robustness.corruptions:
        name, severity = effect.corruption.name, effect.corruption.severity
        rows.append(
            [
                f"{name}, {severity}",
                describe(name, severity),
                f"{effect.ndcg:.4f}",
                f"{effect.change:+.4f}",
            ]
        )
    header = ["Corruption", "Setting", f"NDCG@{k}", "Change, paired"]
    heading = "### Common corruptions\n\nEvery picture of the catalogue is corrupted, without an attacker:"
    return f"{heading}\n\n{table(header, rows)}"


def _psnr(effect: AttackEffect) -> str:
    return f"{effect.psnr:.1f} dB" if effect.psnr is not None else ""


def _narrow_table(first: str, others: Sequence[str]) -> Table:
    columns = Table(box=None, pad_edge=False, header_style="bold")
    columns.add_column(first, no_wrap=True)
    for heading in others:
        columns.add_column(heading, justify="right", no_wrap=True)
    return columns


def _plot_exposure(axes: Any, robustness: Robustness) -> None:
    name = f"exposure@{robustness.list_size}"
    clean = robustness.clean[name]
    for transferred, label, colour in (
        (False, "white box", COLOURS["model"]),
        (True, "transferred", COLOURS["recent_popularity"]),
    ):
        effects = [effect for effect in robustness.attacks if effect.attack.transferred == transferred]
        if effects:
            epsilons = [0, *(effect.attack.epsilon for effect in effects)]
            _plot_line(axes, epsilons, [clean, *(effect.after[name] for effect in effects)], label, colour)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(bottom=0)
    axes.set_title("Share of list positions that attacked items take", size=9.5, loc="left", color=TEXT)
    axes.set_xlabel("largest change of a pixel, of 255", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    tidy(axes, grid="y")


def _plot_line(axes: Any, places: list[int], values: list[Interval], label: str, colour: str) -> None:
    means = [value.mean for value in values]
    errors = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
    axes.errorbar(
        places, means, yerr=errors, color=colour, linewidth=1.8, marker="o", markersize=4, label=label
    )


def _plot_corruptions(axes: Any, robustness: Robustness) -> None:
    clean = robustness.clean[f"ndcg@{robustness.list_size}"]
    severities = list(dict.fromkeys(effect.corruption.severity for effect in robustness.corruptions))
    for name, colour in _CORRUPTION_COLOURS.items():
        found = {e.corruption.severity: e.ndcg for e in robustness.corruptions if e.corruption.name == name}
        if found:
            means = [clean.mean, *(found[s].mean for s in severities)]
            axes.plot(means, color=colour, linewidth=1.8, marker="o", markersize=4, label=name)
    axes.set_xticks(range(len(severities) + 1), ["none", *severities])
    axes.set_ylim(bottom=0)
    axes.set_title(
        f"NDCG@{robustness.list_size} by severity of the corruption", size=9.5, loc="left", color=TEXT
    )
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    tidy(axes, grid="y")
