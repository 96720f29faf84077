"""Members of a blend: the section of `report.md`, and the lines in the terminal after a training."""

from visrec.evaluation.bootstrap import Interval
from visrec.evaluation.summary import Summary
from visrec.models.blend_facts import BlendFacts, IntervalFacts, MemberFacts
from visrec.reports.context import ReportContext
from visrec.reports.tables import difference, metric_title, table


def members_section(summary: Summary, context: ReportContext) -> str:
    """What each member of a blend gives, alone and in the blend; empty for a model that is no blend."""
    blend = context.plan.checkpoint.blend
    if blend is None:
        return ""
    name = f"ndcg@{context.plan.config.list_size}"
    rows = []
    for member in blend.members:
        quality = summary.members.get(member.config.name)
        rows.append(
            [
                member.config.name,
                _weight(member),
                f"{member.alone:.4f}",
                _gain(member),
                f"{quality.alone[name]:.4f}" if quality is not None else "",
                difference(quality.gain[name]) if quality is not None else "",
            ]
        )
    metric = metric_title(blend.metric_name)
    title = metric_title(name)
    header = [
        "Member",
        "Weight",
        f"Validation: alone, {metric}",
        "Gain when it joined",
        f"{context.plan.config.part.capitalize()}: alone, {title}",
        "Blend minus blend without it",
    ]
    lead = "" if blend.lead is None else (f", {_interval(blend.lead):+.4f} over its best member")
    note = (
        "The model's score is the weighted sum of its members' scores, each divided by its standard deviation over the "
        "catalogue. Weights were chosen on the validation users; gains there are measured on users that the weights "
        f"were not chosen on (cross-fitted): {metric} of the blend {blend.metric:.4f}{lead}. A member that raises "
        "nothing is left out, but one that reads pictures is kept for pictures of no item, with next to no weight."
    )
    return f"## Members of the blend\n\n{table(header, rows)}\n\n{note}"


def member_lines(blend: BlendFacts) -> list[str]:
    """What each member gives on the validation users, a line each."""
    width = max(len(member.config.name) for member in blend.members)
    metric = metric_title(blend.metric_name)
    lines = [
        f"  {member.config.name:<{width}}  weight {_weight(member):<8}  alone {metric} {member.alone:.4f}  "
        f"gain {_gain(member)}"
        for member in blend.members
    ]
    lead = "" if blend.lead is None else f", {_interval(blend.lead):+.4f} over its best member"
    return [*lines, f"  blend: {metric} {blend.metric:.4f}{lead}"]


def _weight(member: MemberFacts) -> str:
    return f"{member.weight:.2f}" if member.fitted_on is not None else "left out"


def _gain(member: MemberFacts) -> str:
    return f"{_interval(member.gain):+.4f}" if member.gain is not None else "(the first)"


def _interval(facts: IntervalFacts) -> Interval:
    return Interval(mean=facts.mean, low=facts.low, high=facts.high)
