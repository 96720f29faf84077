"""The plan of a robustness evaluation: promotion attacks and corruptions, and whether the model can be attacked."""

from collections.abc import Iterator
from dataclasses import dataclass

from visrec.config.evaluation import AttackConfig, CorruptionName, Severity
from visrec.errors import ArtifactError, ConfigError
from visrec.evaluation.plan import EvaluationPlan
from visrec.models.checkpoint import Checkpoint
from visrec.storage import ArtifactStore


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionAttack:
    """An attack that promotes the target items by changing their main pictures.

    Attributes:
        epsilon: Largest change of a pixel, of 255.
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
"""One way of changing pictures; variants are measured independently of each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RobustnessPlan:
    """Attacks and corruptions to measure. Small and picklable: any process can measure any variant from it.

    Attributes:
        evaluation: Checkpoint, snapshot, split, cut-offs.
        config: Attacks and corruptions.
        source: Checkpoint that transferred attacks are computed against; None leaves them out.
        seed: Of target items, users, random starts and noise.
    """

    evaluation: EvaluationPlan
    config: AttackConfig
    source: Checkpoint | None
    seed: int

    def variants(self) -> Iterator[Variant]:
        """All that is measured, in the order of the report."""
        for transferred in (False, True) if self.source is not None else (False,):
            yield from (
                PromotionAttack(epsilon=epsilon, transferred=transferred) for epsilon in self.config.epsilons
            )
        for name in self.config.corruptions:
            yield from (Corruption(name=name, severity=severity) for severity in self.config.severities)


def plan_robustness(evaluation: EvaluationPlan, workspace: ArtifactStore, seed: int) -> RobustnessPlan | None:
    """Plan of the attacks in `evaluation.attack`; None where that is null.

    Raises:
        ConfigError: A model without pictures, or a source that is missing or of another snapshot.
    """
    config = evaluation.config.attack
    if config is None:
        return None
    source = _source(config.source_checkpoint, evaluation, workspace)
    for checkpoint in (evaluation.checkpoint, *([source] if source is not None else [])):
        if not checkpoint.recommender().reads_pictures:
            raise ConfigError(
                f"evaluation.attack: expected a model that reads pictures, got checkpoint {checkpoint.name}, whose "
                "items have ids only"
            )
    return RobustnessPlan(evaluation=evaluation, config=config, source=source, seed=seed)


def _source(name: str | None, evaluation: EvaluationPlan, workspace: ArtifactStore) -> Checkpoint | None:
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
