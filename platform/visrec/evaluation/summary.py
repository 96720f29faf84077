"""Summary of an evaluation: means with intervals, paired differences, groups, catalogue and classification metrics."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from visrec.evaluation.beyond_accuracy import coverage, gini, recommendation_counts
from visrec.evaluation.bootstrap import Intervals, intervals
from visrec.evaluation.groups import ACTIVITY_GROUPS, POPULARITY_GROUPS, activity_groups
from visrec.evaluation.measure import Measures
from visrec.evaluation.metrics import PerUser
from visrec.evaluation.pairs import PairClassification, classify_pairs
from visrec.evaluation.plan import ALONE, MODEL, ORACLE, RANKED, WITHOUT, EvaluationPlan

Bootstrap = Callable[[Mapping[str, NDArray[np.float64]]], Intervals]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """One group of users.

    Attributes:
        num_users: Users in it.
        scorers: Scorer -> metric -> interval.
    """

    num_users: int
    scorers: dict[str, Intervals]


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberQuality:
    """What a member of a blend gives.

    Attributes:
        alone: Metrics of the member alone.
        gain: Metrics of the blend minus those of the blend without the member, paired by user.
    """

    alone: Intervals
    gain: Intervals


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """Averages over all users, by scorer and metric.

    Attributes:
        num_users: Users measured.
        num_targets: Held-out items of all of them.
        metrics: Means with intervals.
        paired: Baseline -> metric -> model minus baseline, paired by user. The oracle is no baseline.
        ranker_gain: Metric -> with the ranker minus without, paired by user; None without a ranker.
        oracle_share: Metric -> the model's mean divided by the oracle's; None without an oracle.
        activity: Group of `ACTIVITY_GROUPS` -> its users.
        popularity: Group of `POPULARITY_GROUPS` -> users with such a held-out item, and the metrics of those items.
        catalogue: Scorer -> coverage and Gini coefficient of the lists.
        pairs: Scorer -> pair classification, None where there were too few pairs.
        curves: Scorer -> `recall` and `ndcg` -> means at k = 1, 2, ...
        exposure: Scorer -> number of lists that hold each item, int64 [I].
        members: Member -> what it gives; empty for a model that is no blend of several.
    """

    num_users: int
    num_targets: int
    metrics: dict[str, Intervals]
    paired: dict[str, Intervals]
    ranker_gain: Intervals | None
    oracle_share: dict[str, float] | None
    activity: dict[str, Group]
    popularity: dict[str, Group]
    catalogue: dict[str, dict[str, float]]
    pairs: dict[str, PairClassification | None]
    curves: dict[str, dict[str, list[float]]]
    exposure: dict[str, NDArray[np.int64]]
    members: dict[str, MemberQuality]


def summarise(measures: Measures, plan: EvaluationPlan, *, seed: int) -> Summary:
    """Average the measures of all users.

    Args:
        measures: Of all blocks, merged (`measure.merge`).
        plan: Cut-offs, resamples, confidence, candidates.
        seed: Of the resamples.
    """
    config, candidates = plan.config, plan.candidates
    bootstrap = partial(
        intervals, num_samples=config.bootstrap_samples, seed=seed, confidence=config.confidence
    )
    all_columns = {name: scorer.metrics for name, scorer in measures.scorers.items()}
    measures = _without_members(measures)
    columns = {name: all_columns[name] for name in measures.scorers}
    exposure = {
        name: recommendation_counts(scorer.lists, plan.num_items) for name, scorer in measures.scorers.items()
    }
    metrics = _nested(columns, bootstrap)
    return Summary(
        num_users=len(measures.user_index),
        num_targets=int(measures.num_targets.sum()),
        metrics=metrics,
        paired=_nested(_differences(columns), bootstrap),
        ranker_gain=_ranker_gain(columns, bootstrap),
        oracle_share=_oracle_share(metrics),
        activity=_activity(measures, config.list_size, bootstrap),
        popularity=_popularity(measures, bootstrap),
        catalogue={
            name: _catalogue(counts, candidates, config.list_size) for name, counts in exposure.items()
        },
        pairs={name: classify_pairs(scorer.pairs) for name, scorer in measures.scorers.items()},
        curves={
            name: {
                "recall": (scorer.curves[0] / len(measures.user_index)).tolist(),
                "ndcg": (scorer.curves[1] / len(measures.user_index)).tolist(),
            }
            for name, scorer in measures.scorers.items()
        },
        exposure=exposure,
        members={name: _member_quality(all_columns, name, bootstrap) for name in plan.members},
    )


def _without_members(measures: Measures) -> Measures:
    """The measures of the scorers that are compared with each other."""
    scorers = {
        name: scorer for name, scorer in measures.scorers.items() if not name.startswith((ALONE, WITHOUT))
    }
    return replace(measures, scorers=scorers)


def _member_quality(columns: Mapping[str, PerUser], name: str, bootstrap: Bootstrap) -> MemberQuality:
    without = columns[WITHOUT + name]
    return MemberQuality(
        alone=bootstrap(columns[ALONE + name]),
        gain=bootstrap({metric: values - without[metric] for metric, values in columns[MODEL].items()}),
    )


def _nested(columns: Mapping[str, PerUser], bootstrap: Bootstrap) -> dict[str, Intervals]:
    """Intervals of each scorer's metrics, from one bootstrap, so that all share its resamples."""
    flat = {(scorer, metric): values for scorer, row in columns.items() for metric, values in row.items()}
    of_flat = bootstrap({f"{scorer}/{metric}": values for (scorer, metric), values in flat.items()})
    nested: dict[str, Intervals] = {scorer: {} for scorer in columns}
    for scorer, metric in flat:
        nested[scorer][metric] = of_flat[f"{scorer}/{metric}"]
    return nested


def _differences(columns: Mapping[str, PerUser]) -> dict[str, PerUser]:
    """Model minus each baseline, user by user."""
    return {
        name: {metric: columns[MODEL][metric] - values for metric, values in row.items()}
        for name, row in columns.items()
        if name not in (MODEL, RANKED, ORACLE)
    }


def _ranker_gain(columns: Mapping[str, PerUser], bootstrap: Bootstrap) -> Intervals | None:
    if RANKED not in columns:
        return None
    return bootstrap({metric: values - columns[MODEL][metric] for metric, values in columns[RANKED].items()})


def _oracle_share(metrics: Mapping[str, Intervals]) -> dict[str, float] | None:
    if ORACLE not in metrics:
        return None
    ranking = ("recall@", "ndcg@", "hr@", "precision@", "f1@", "map@", "mrr")
    return {
        name: metrics[MODEL][name].mean / best.mean
        for name, best in metrics[ORACLE].items()
        if name.startswith(ranking) and best.mean > 0
    }


def _activity(measures: Measures, k: int, bootstrap: Bootstrap) -> dict[str, Group]:
    group_U = activity_groups(measures.history_lengths)
    groups = {}
    for code, group in enumerate(ACTIVITY_GROUPS):
        rows = np.flatnonzero(group_U == code)
        if len(rows):
            columns = {
                name: {metric: scorer.metrics[metric][rows] for metric in (f"recall@{k}", f"ndcg@{k}")}
                for name, scorer in measures.scorers.items()
            }
            groups[group] = Group(num_users=len(rows), scorers=_nested(columns, bootstrap))
    return groups


def _popularity(measures: Measures, bootstrap: Bootstrap) -> dict[str, Group]:
    groups = {}
    for group in POPULARITY_GROUPS:
        by_scorer = {name: scorer.by_target[group] for name, scorer in measures.scorers.items()}
        rows = np.flatnonzero(~np.isnan(next(iter(by_scorer[MODEL].values()))))
        if len(rows):
            columns = {
                name: {metric: values[rows] for metric, values in row.items()}
                for name, row in by_scorer.items()
            }
            groups[group] = Group(num_users=len(rows), scorers=_nested(columns, bootstrap))
    return groups


def _catalogue(
    counts: NDArray[np.int64], candidates: NDArray[np.int32] | None, list_size: int
) -> dict[str, float]:
    ranked = counts if candidates is None else counts[candidates]
    return {f"coverage@{list_size}": coverage(ranked), f"gini@{list_size}": gini(ranked)}
