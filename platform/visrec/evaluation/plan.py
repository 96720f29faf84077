"""The plan of an evaluation: checkpoint, split, the scorers that are compared, and why some are left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from visrec.baselines.item_item import Ease, ItemKnn
from visrec.baselines.popularity import Popularity, RecentPopularity, count_items
from visrec.config import EvaluationConfig, SplitConfig
from visrec.data.held_out import KnownEvents, ranked_items
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError
from visrec.evaluation.scorers import MemberScorer, Scorer, TwoTowerScorer
from visrec.models.checkpoint import Checkpoint
from visrec.storage import Artifact

MODEL, RANKED, ORACLE = "model", "ranked", "oracle"
"""Names of the two-tower model, of the model with its learned ranker, and of the upper bound that knows the users' true
tastes. Baselines are called as in `EvaluationConfig.baselines`."""


ALONE, WITHOUT = "alone/", "without/"
"""Prefixes of the names of a blend's member alone, and of the blend without it."""


class ScorerFactory(Protocol):
    """Makes a scorer that this room does not know. Small and picklable: any process can make the scorer from it."""

    def fit(self, plan: "EvaluationPlan") -> Scorer:
        """Fit or load the scorer."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationPlan:
    """Model, split, metrics and baselines of an evaluation. Picklable: any process can fit any scorer from it.

    Attributes:
        checkpoint: The model to measure.
        snapshot: The data that it was trained on.
        split: The split that it was trained on.
        config: What to measure.
        given: Scorers that the caller adds: `RANKED`, `ORACLE`.
        left_out: Baselines that are not run, and why.
        members: Members of the model, where it is a blend of several.
    """

    checkpoint: Checkpoint
    snapshot: Artifact
    split: SplitConfig
    config: EvaluationConfig
    given: Mapping[str, ScorerFactory] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ()

    @property
    def scorer_names(self) -> tuple[str, ...]:
        """The model first, then the model with its ranker, then the baselines that are run, then a blend's members."""
        ours = (MODEL, RANKED) if RANKED in self.given else (MODEL,)
        return (
            *ours,
            *(name for name in self.config.baselines if name not in self.left_out),
            *(prefix + name for name in self.members for prefix in (ALONE, WITHOUT)),
        )

    @property
    def num_items(self) -> int:
        """Size of the catalogue."""
        return Snapshot(self.snapshot).num_items

    @property
    def candidates(self) -> NDArray[np.int32] | None:
        """Item indices that are ranked, None for all."""
        return ranked_items(self.split, self.num_items, self.config.part)

    @property
    def known_events(self) -> KnownEvents:
        """The events that baselines are fitted on."""
        return KnownEvents(artifact=self.snapshot, split=self.split, part=self.config.part)

    def count_known_events(self) -> NDArray[np.int64]:
        """Known events of each item, int64 [I]: one pass over the snapshot, whose result all others are given."""
        return count_items(self.known_events, self.num_items)


def plan_evaluation(
    checkpoint: Checkpoint,
    snapshot: Artifact,
    config: EvaluationConfig,
    *,
    given: Mapping[str, ScorerFactory] | None = None,
) -> EvaluationPlan:
    """Decide which scorers are compared.

    Args:
        checkpoint: The model to measure.
        snapshot: The data that it was trained on.
        config: What to measure.
        given: `RANKED`: the model with its learned ranker. `ORACLE`: the oracle, if the users' true tastes are known.

    Raises:
        ConfigError: The part to test is one that the model was trained on.
    """
    split, given = checkpoint.split, given or {}
    saw_validation = split.fit_on == "train_and_validation" and not checkpoint.is_refitted
    if config.part == "validation" and saw_validation:
        raise ConfigError(
            "evaluation.part: expected 'test', since the checkpoint was trained on validation as well, got 'validation'"
        )
    left_out: dict[str, str] = {}
    if ORACLE in config.baselines and ORACLE not in given:
        left_out[ORACLE] = (
            "the truth is known for generated data only, and there is none beside this snapshot's input"
        )
    num_items = Snapshot(snapshot).num_items
    if "ease" in config.baselines and num_items > config.max_ease_items:
        left_out["ease"] = (
            f"the catalogue has {num_items:,} items, and EASE inverts an items x items matrix; "
            f"evaluation.max_ease_items is {config.max_ease_items:,}"
        )
    return EvaluationPlan(
        checkpoint=checkpoint,
        snapshot=snapshot,
        split=split,
        config=config,
        given=given,
        left_out=left_out,
        members=_members(checkpoint),
    )


def fit_scorer(plan: EvaluationPlan, name: str, counts_I: NDArray[np.int64]) -> Scorer:
    """Fit or load one of the plan's scorers.

    Args:
        plan: The plan.
        name: One of `plan.scorer_names`.
        counts_I: See `EvaluationPlan.count_known_events`.
    """
    if name in plan.given:
        return plan.given[name].fit(plan)
    events, num_items, config = plan.known_events, plan.num_items, plan.config
    for prefix in (ALONE, WITHOUT):
        if name.startswith(prefix):
            member = name.removeprefix(prefix)
            return MemberScorer.load(plan.checkpoint, config.part, member, left_out=prefix == WITHOUT)
    match name:
        case "model":
            return TwoTowerScorer.load(plan.checkpoint, config.part)
        case "popularity":
            return Popularity(counts_I=counts_I)
        case "recent_popularity":
            return RecentPopularity.fit(events, num_items, days=config.recent_days)
        case "item_knn":
            return ItemKnn.fit(events, num_items, num_neighbours=config.knn_neighbours, counts_I=counts_I)
        case "ease":
            return Ease.fit(events, num_items, regularisation=config.ease_regularisation)
    raise ValueError(f"expected one of {', '.join(plan.scorer_names)}, got {name!r}")


def _members(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Members of a blend, those with most weight first; none where there is but one."""
    if checkpoint.blend is None:
        return ()
    kept = [member for member in checkpoint.blend.members if member.fitted_on is not None]
    return tuple(member.config.name for member in kept) if len(kept) > 1 else ()
