"""What a robustness evaluation will do, and whether it can be done."""

from collections.abc import Iterator
from dataclasses import dataclass

from visrec.config.evaluation import AttackConfig, CorruptionName, Severity
from visrec.errors import ArtifactError, ConfigError
from visrec.evaluation.plan import EvaluationPlan
from visrec.models.checkpoint import Checkpoint
from visrec.storage import Workspace


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionAttack:
    """An attack: pictures of the target items, changed by at most `epsilon` of 255.

    Attributes:
        epsilon: Most that a pixel changes.
        transferred: Computed against the source checkpoint instead of the attacked one itself (white box).
    """

    epsilon: int
    transferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Corruption:
    """A common corruption of all pictures."""

    name: CorruptionName
    severity: Severity


Variant = PromotionAttack | Corruption
"""One way of changing the pictures; what it does is measured apart from the others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RobustnessPlan:
    """Small and whole: any process can measure any variant from it.

    Attributes:
        evaluation: Checkpoint, snapshot, split, cut-offs.
        attack: Its settings.
        source: Checkpoint that the transferred pictures are computed against, None without such.
        seed: Of targets, users, starts and noise.
    """

    evaluation: EvaluationPlan
    attack: AttackConfig
    source: Checkpoint | None
    seed: int

    def variants(self) -> Iterator[Variant]:
        """All that is measured, in the order of the report."""
        for transferred in (False, True) if self.source is not None else (False,):
            yield from (
                PromotionAttack(epsilon=epsilon, transferred=transferred) for epsilon in self.attack.epsilons
            )
        for name in self.attack.corruptions:
            yield from (Corruption(name=name, severity=severity) for severity in self.attack.severities)


def plan_robustness(evaluation: EvaluationPlan, workspace: Workspace, seed: int) -> RobustnessPlan | None:
    """Look at what there is and decide; None where `evaluation.attack` is null.

    Raises:
        ConfigError: A model without pixels, or a source that is missing or of another snapshot.
    """
    attack = evaluation.config.attack
    if attack is None:
        return None
    source = _source(attack.source_checkpoint, evaluation, workspace)
    for checkpoint in (evaluation.checkpoint, *([source] if source is not None else [])):
        if checkpoint.model.item.backbone is None:
            raise ConfigError(
                f"evaluation.attack: expected a model that reads pictures, got checkpoint {checkpoint.name}, which "
                "knows items by id only"
            )
    return RobustnessPlan(evaluation=evaluation, attack=attack, source=source, seed=seed)


def _source(name: str | None, evaluation: EvaluationPlan, workspace: Workspace) -> Checkpoint | None:
    if name is None:
        return None
    try:
        source = Checkpoint.find(workspace, name)
    except ArtifactError as error:
        raise ConfigError(f"evaluation.attack.source_checkpoint: {error}") from None
    parent = source.snapshot_name
    if parent != evaluation.snapshot.name:
        raise ConfigError(
            f"evaluation.attack.source_checkpoint: expected a checkpoint of snapshot {evaluation.snapshot.name}, "
            f"got {source.name} of {parent}"
        )
    return source
