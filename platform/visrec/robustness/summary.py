"""Summary of a robustness evaluation: means and paired changes of all variants, with intervals."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from visrec.evaluation.bootstrap import Interval, Intervals, intervals, paired_intervals
from visrec.robustness.plan import Corruption, PromotionAttack, RobustnessPlan, Variant
from visrec.robustness.promotion import AttackSetup
from visrec.robustness.variants import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class AttackEffect:
    """Effect of one promotion attack.

    Attributes:
        attack: The attack.
        after: Means under attack.
        change: After minus before, paired by user.
        users_per_item: Users, among those measured, whose list holds an attacked item, mean over the attacked items.
        psnr: Mean over the attacked pictures in dB; None where none changed.
        ssim: Likewise.
    """

    attack: PromotionAttack
    after: Intervals
    change: Intervals
    users_per_item: float
    psnr: float | None
    ssim: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CorruptionEffect:
    """Effect of one corruption of all pictures.

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
    """Effects of all variants.

    Attributes:
        num_users: Users measured.
        num_targets: Items attacked.
        list_size: Length of the lists.
        source: Name of the checkpoint that transferred attacks were computed against.
        clean: Means with unchanged pictures.
        users_per_item: As in `AttackEffect`, before any attack.
        attacks: In the order of the plan.
        corruptions: Likewise.
    """

    num_users: int
    num_targets: int
    list_size: int
    source: str | None
    clean: Intervals
    users_per_item: float
    attacks: tuple[AttackEffect, ...]
    corruptions: tuple[CorruptionEffect, ...]


def summarise_robustness(
    plan: RobustnessPlan, setup: AttackSetup, clean: Outcome, outcomes: Mapping[Variant, Outcome]
) -> Robustness:
    """Average the outcomes of all variants over the users."""
    config = plan.evaluation.config
    k = config.list_size
    means = partial(
        intervals, num_samples=config.bootstrap_samples, seed=plan.seed, confidence=config.confidence
    )
    changes = partial(
        paired_intervals, num_samples=config.bootstrap_samples, seed=plan.seed, confidence=config.confidence
    )

    def users_per_item(outcome: Outcome) -> float:
        return float(outcome.metrics[f"exposure@{k}"].sum() * k / len(setup.targets_T))

    attacks, corruptions = [], []
    for variant, outcome in outcomes.items():
        after, change = means(outcome.metrics), changes(outcome.metrics, clean.metrics)
        match variant:
            case PromotionAttack():
                attacks.append(
                    AttackEffect(
                        attack=variant,
                        after=after,
                        change=change,
                        users_per_item=users_per_item(outcome),
                        psnr=outcome.psnr,
                        ssim=outcome.ssim,
                    )
                )
            case Corruption():
                corruptions.append(
                    CorruptionEffect(corruption=variant, ndcg=after[f"ndcg@{k}"], change=change[f"ndcg@{k}"])
                )
    return Robustness(
        num_users=len(setup.users),
        num_targets=len(setup.targets_T),
        list_size=k,
        source=plan.source.name if plan.source is not None else None,
        clean=means(clean.metrics),
        users_per_item=users_per_item(clean),
        attacks=tuple(attacks),
        corruptions=tuple(corruptions),
    )
