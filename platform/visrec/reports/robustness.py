"""The part of the report about changed pictures: for people, for programs, and for a terminal."""

from dataclasses import asdict
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from rich.console import Console
from rich.table import Table

from visrec.evaluation.bootstrap import Interval
from visrec.reports.style import COLOURS, MUTED, TEXT, new_figure, tidy, top_of_axes
from visrec.reports.tables import interval, signed, table
from visrec.robustness.corruptions import describe
from visrec.robustness.summary import PushEffect, Robustness

_LINES = {"jpeg": "#0072B2", "blur": "#E69F00", "noise": "#009E73", "brightness": "#CC79A7"}


def robustness_plot(robustness: Robustness) -> Figure:
    """Two panels; the second only where corruptions were measured."""
    height, k = 3.9, robustness.list_size
    figure = new_figure(
        9.6,
        height,
        title="What changed pictures do",
        subtitle=f"{robustness.num_users:,} users, lists of {k}; left: {robustness.num_targets:,} unpopular items "
        "attacked, with bootstrap intervals over users; right: all pictures corrupted",
    )
    panels = figure.subplots(1, 2 if robustness.corruptions else 1, squeeze=False)[0]
    figure.subplots_adjust(0.075, 0.5 / height, 0.985, top_of_axes(height), wspace=0.2)
    _exposure(panels[0], robustness)
    if robustness.corruptions:
        _corruption_bars(panels[1], robustness)
    return figure


def _exposure(axes: Any, robustness: Robustness) -> None:
    name = f"exposure@{robustness.list_size}"
    clean = robustness.clean[name]
    for transferred, label, colour in (
        (False, "white box", COLOURS["model"]),
        (True, "transferred", COLOURS["recent_popularity"]),
    ):
        found = [effect for effect in robustness.pushes if effect.push.transferred == transferred]
        if found:
            values = [clean, *(effect.after[name] for effect in found)]
            _line(axes, [0, *(effect.push.epsilon for effect in found)], values, label, colour)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(bottom=0)
    axes.set_title("Share of all places that the attacked items take", size=9.5, loc="left", color=TEXT)
    axes.set_xlabel("largest change of a pixel, of 255", size=8.5, color=MUTED)
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    tidy(axes, grid="y")


def _corruption_bars(axes: Any, robustness: Robustness) -> None:
    clean = robustness.clean[f"ndcg@{robustness.list_size}"]
    severities = list(dict.fromkeys(effect.corruption.severity for effect in robustness.corruptions))
    for name, colour in _LINES.items():
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


def _line(axes: Any, places: list[int], values: list[Interval], label: str, colour: str) -> None:
    means = [value.mean for value in values]
    spread = [[v.mean - v.low for v in values], [v.high - v.mean for v in values]]
    axes.errorbar(
        places, means, yerr=spread, color=colour, linewidth=1.8, marker="o", markersize=4, label=label
    )


def robustness_json(robustness: Robustness) -> dict[str, Any]:
    """Everything of plain types."""
    return asdict(robustness)


def robustness_section(robustness: Robustness, plot: str) -> str:
    """The section of `report.md`."""
    parts = ["## Changed pictures", _attack(robustness), plot, _corruptions(robustness)]
    return "\n\n".join(part for part in parts if part)


def print_robustness(robustness: Robustness, console: Console) -> None:
    """A table of the attacks and one of the corruptions."""
    k = robustness.list_size
    attacks = Table(box=None, pad_edge=False, header_style="bold")
    attacks.add_column("attack", no_wrap=True)
    for heading in ("exposure", "gain", "users an item", f"NDCG@{k}", "PSNR"):
        attacks.add_column(heading, justify="right", no_wrap=True)
    attacks.add_row(
        "none",
        f"{robustness.clean[f'exposure@{k}'].mean:.2%}",
        "",
        f"{robustness.users_per_item:.1f}",
        f"{robustness.clean[f'ndcg@{k}'].mean:.4f}",
        "",
    )
    for effect in robustness.pushes:
        attacks.add_row(
            title(effect),
            f"{effect.after[f'exposure@{k}'].mean:.2%}",
            f"{effect.change[f'exposure@{k}'].mean:+.2%}",
            f"{effect.users_per_item:.1f}",
            f"{effect.change[f'ndcg@{k}'].mean:+.4f}",
            _psnr(effect),
        )
    console.print(attacks)
    if robustness.corruptions:
        corruptions = Table(box=None, pad_edge=False, header_style="bold")
        corruptions.add_column("all pictures", no_wrap=True)
        for heading in (f"NDCG@{k}", "change, paired"):
            corruptions.add_column(heading, justify="right", no_wrap=True)
        for found in robustness.corruptions:
            low, high = found.change.low, found.change.high
            corruptions.add_row(
                f"{found.corruption.name}, {found.corruption.severity}",
                f"{found.ndcg.mean:.4f}",
                f"{found.change.mean:+.4f} \\[{low:+.3f}, {high:+.3f}]",
            )
        console.print(corruptions)


def title(effect: PushEffect) -> str:
    """An attack's name for people."""
    return f"{effect.push.epsilon}/255, {'transferred' if effect.push.transferred else 'white box'}"


def _attack(robustness: Robustness) -> str:
    k = robustness.list_size
    header = [
        "Attack",
        "Exposure",
        "Gain",
        "Users an item",
        "Lists reached",
        f"NDCG@{k}, change",
        "PSNR",
        "SSIM",
    ]
    rows = [
        [
            "none",
            f"{robustness.clean[f'exposure@{k}'].mean:.2%}",
            "",
            f"{robustness.users_per_item:.1f}",
            f"{robustness.clean[f'reach@{k}'].mean:.1%}",
            f"{robustness.clean[f'ndcg@{k}'].mean:.4f}",
            "",
            "",
        ]
    ]
    for effect in robustness.pushes:
        gain = effect.change[f"exposure@{k}"]
        rows.append(
            [
                title(effect),
                f"{effect.after[f'exposure@{k}'].mean:.2%}",
                f"{gain.mean:+.2%} [{gain.low:+.2%}, {gain.high:+.2%}]",
                f"{effect.users_per_item:.1f}",
                f"{effect.after[f'reach@{k}'].mean:.1%}",
                signed(effect.change[f"ndcg@{k}"]),
                _psnr(effect),
                f"{effect.ssim:.4f}" if effect.ssim is not None else "",
            ]
        )
    source = (
        f" Transferred pictures were computed against checkpoint `{robustness.source}`."
        if robustness.source is not None
        else ""
    )
    note = (
        f"An attacker changes the pictures of {robustness.num_targets:,} of the less popular half of the items, each "
        f"pixel by at most the given part of 255, so that they enter the lists of {robustness.num_users:,} users "
        f"(projected gradient descent; white box: knows the model and the users).{source} Exposure: share of all "
        f"places in the lists of {k} that these items take; gain: what the attack adds to it. Users an item: lists "
        "that hold an attacked item, mean over the items. Changes are paired by user. PSNR and SSIM: how alike the "
        "changed pictures are to the old ones; above 40 dB few people see a difference."
    )
    return f"{table(header, rows)}\n\n{note}"


def _corruptions(robustness: Robustness) -> str:
    if not robustness.corruptions:
        return ""
    k = robustness.list_size
    rows = [["none", "", f"{robustness.clean[f'ndcg@{k}'].mean:.4f}", ""]]
    for effect in robustness.corruptions:
        name, severity = effect.corruption.name, effect.corruption.severity
        rows.append(
            [
                f"{name}, {severity}",
                describe(name, severity),
                interval(effect.ndcg),
                signed(effect.change),
            ]
        )
    header = ["All pictures", "Setting", f"NDCG@{k}", "Change, paired"]
    return f"### Common corruptions\n\nWithout an attacker, on every picture of the catalogue:\n\n{table(header, rows)}"


def _psnr(effect: PushEffect) -> str:
    return f"{effect.psnr:.1f} dB" if effect.psnr is not None else ""
