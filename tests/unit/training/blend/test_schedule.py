"""Time plan of a blend: estimates, mended by what members took, and what fits into a budget."""

from dataclasses import dataclass

import numpy as np
import pytest

from visrec.config import ItemTowerConfig, MemberConfig, ModelConfig, PhaseConfig, TransitionsConfig
from visrec.training.blend.cost import LogFacts, MemberCost
from visrec.training.blend.schedule import Schedule

LINEAR = MemberConfig(
    name="linear", phases=(PhaseConfig(closed_form=TransitionsConfig(kind="transitions")),), search=True
)
IDS = MemberConfig(
    name="ids",
    model=ModelConfig(item=ItemTowerConfig(backbone=None, id_embedding=True)),
    phases=(PhaseConfig(epochs=10),),
)
COSTS = {
    "linear": MemberCost(fixed_seconds=30, epoch_seconds=0),
    "ids": MemberCost(fixed_seconds=0, epoch_seconds=10),
}


@dataclass
class Clock:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_estimates_are_mended_by_what_was_taken() -> None:
    schedule = Schedule(costs=COSTS)
    assert schedule.left([LINEAR, IDS]) == 130
    schedule.done(LINEAR, num_epochs=1, seconds=60)  # twice the estimate
    assert schedule.left([IDS]) == 200
    schedule.done(IDS, num_epochs=4, seconds=10)  # stopped early, a quarter of the estimate
    assert schedule.ratio == 1


@pytest.mark.parametrize(
    ("budget", "epochs"), [(200, 10), (131, 10), (90, 6), (51, 2), (49, None), (20, None)]
)
def test_a_member_gets_the_epochs_that_fit(budget: float, epochs: int | None) -> None:
    clock = Clock()
    schedule = Schedule(costs=COSTS, budget_seconds=budget, now=clock)
    assert (schedule.fitting(LINEAR) is not None) == (budget >= 30)
    schedule.done(LINEAR, num_epochs=1, seconds=30)
    clock.seconds = 30
    found = schedule.fitting(IDS)
    assert (found.phases[0].epochs if found is not None else None) == epochs


def test_without_a_budget_everything_fits() -> None:
    assert Schedule(costs=COSTS).fitting(IDS) == IDS


def test_costs_grow_with_the_log() -> None:
    def facts(num_items: int, num_users: int) -> LogFacts:
        return LogFacts(
            num_items=num_items,
            num_events=10 * num_users,
            lengths_U=np.full(num_users, 10),
            num_pixels=64 * 64,
            attributes=(),
        )

    small, large = facts(1000, 1000), facts(1000, 2000)
    assert MemberCost.of(IDS, large).epoch_seconds == 2 * MemberCost.of(IDS, small).epoch_seconds
    pictures = MemberConfig(name="pictures")
    assert MemberCost.of(pictures, small).epoch_seconds > MemberCost.of(IDS, small).epoch_seconds
    assert MemberCost.of(LINEAR, facts(2000, 1000)).fixed_seconds > MemberCost.of(LINEAR, small).fixed_seconds
    assert large.num_sequences == 2000
    assert large.num_windows(max_length=5, most=8) == 4000
