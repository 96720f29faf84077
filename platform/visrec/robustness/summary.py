"""The numbers of a robustness evaluation: means, paired changes, intervals."""

from collections.abc import Mapping
from dataclasses import dataclass

from visrec.evaluation.bootstrap import Interval, intervals, paired_intervals
from visrec.robustness.plan import Corruption, PromotionAttack, RobustnessPlan, Variant
from visrec.robustness.promotion import AttackSetup
from visrec.robustness.variants import Outcome

Intervals = dict[str, Interval]


@dataclass(frozen=True, kw_only=True, slots=True)
class PushEffect:
    """What an attack did.

    Attributes:
        push: The attack.
        after: Means under attack.
        change: After minus before, paired by user.
        users_per_item: Users, among those measured, whose list holds an attacked item, mean over the attacked items.
        psnr: Mean over the attacked pictures in dB; None where none changed.
        ssim: Likewise.
    """

    push: PromotionAttack
    after: Intervals
    change: Intervals
    users_per_item: float
    psnr: float | None
    ssim: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CorruptionEffect:
    """What a corruption of all pictures did.

    Attributes:
        corruption: Its name and severity.
        ndcg: Mean with corrupted pictures.
        change: After minus before, paired by user.
    """

    corruption: Corruption
    ndcg: Interval
    change: Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class Robustness:
    """The numbers of a report's part on robustness.

    Attributes:
        num_users: Users measured.
        num_targets: Items attacked.
        list_size: Length of the lists.
        source: Name of the checkpoint that transferred pictures were computed against.
        clean: Means with the pictures as they are.
        users_per_item: As in `PushEffect`, before any attack.
        pushes: Attacks, in the order of the plan.
        corruptions: Likewise.
    """

    num_users: int
    num_targets: int
    list_size: int
    source: str | None
    clean: Intervals
    users_per_item: float
    pushes: tuple[PushEffect, ...]
    corruptions: tuple[CorruptionEffect, ...]


def summarise_robustness(
    plan: RobustnessPlan, setup: AttackSetup, clean: Outcome, outcomes: Mapping[Variant, Outcome]
) -> Robustness:
    """Sum up all variants."""
    config = plan.evaluation.config
    k = config.list_size

    def means(outcome: Outcome) -> Intervals:
        return intervals(
            outcome.columns,
            num_samples=config.bootstrap_samples,
            seed=plan.seed,
            confidence=config.confidence,
        )

    def change(outcome: Outcome) -> Intervals:
        return paired_intervals(
            outcome.columns,
            clean.columns,
            num_samples=config.bootstrap_samples,
            seed=plan.seed,
            confidence=config.confidence,
        )

    def users_per_item(outcome: Outcome) -> float:
        return float(outcome.columns[f"exposure@{k}"].sum() * k / len(setup.targets_T))

    pushes, corruptions = [], []
    for variant, outcome in outcomes.items():
        after, moved = means(outcome), change(outcome)
        if isinstance(variant, PromotionAttack):
            pushes.append(
                PushEffect(
                    push=variant,
                    after=after,
                    change=moved,
                    users_per_item=users_per_item(outcome),
                    psnr=outcome.psnr,
                    ssim=outcome.ssim,
                )
            )
        else:
            corruptions.append(
                CorruptionEffect(corruption=variant, ndcg=after[f"ndcg@{k}"], change=moved[f"ndcg@{k}"])
            )
    return Robustness(
        num_users=len(setup.users),
        num_targets=len(setup.targets_T),
        list_size=k,
        source=plan.source.name if plan.source is not None else None,
        clean=means(clean),
        users_per_item=users_per_item(clean),
        pushes=tuple(pushes),
        corruptions=tuple(corruptions),
    )
