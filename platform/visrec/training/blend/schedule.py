"""Time plan of a blend's training: estimates for each member, mended by what earlier ones took, and the budget."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from visrec.config import MemberConfig
from visrec.training.blend.cost import MemberCost

_FEWEST_EPOCHS = 2
"""A member that has no time for so many epochs is left out."""


@dataclass(kw_only=True)
class Schedule:
    """Estimates of a run.

    Attributes:
        costs: Of each member, by name.
        budget_seconds: Longest training; None for no limit.
        now: Clock, in seconds.
    """

    costs: dict[str, MemberCost]
    budget_seconds: float | None = None
    now: Callable[[], float] = time.perf_counter
    _begun: float = field(init=False)
    _estimated: float = 0.0
    _taken: float = 0.0

    def __post_init__(self) -> None:
        self._begun = self.now()

    @property
    def ratio(self) -> float:
        """Time taken by the time estimated, over the members that are done; 1 before the first."""
        return self._taken / self._estimated if self._estimated else 1.0

    def left(self, members: Sequence[MemberConfig]) -> float:
        """Estimated seconds of some members."""
        return self.ratio * sum(self.costs[member.name].seconds(member) for member in members)

    def done(self, member: MemberConfig, num_epochs: int, seconds: float) -> None:
        """Note what a member took."""
        cost = self.costs[member.name]
        by_descent = [phase for phase in member.phases if phase.closed_form is None]
        self._estimated += cost.fixed_seconds + (num_epochs * cost.epoch_seconds if by_descent else 0)
        self._taken += seconds

    def fitting(self, member: MemberConfig) -> MemberConfig | None:
        """The member with as many epochs as the rest of the budget allows; None where that is too little."""
        if self.budget_seconds is None:
            return member
        cost, rest = self.costs[member.name], self.budget_seconds - (self.now() - self._begun)
        if self.left([member]) <= rest:
            return member
        last = member.phases[-1]
        if last.closed_form is not None:
            return None
        earlier = sum(phase.epochs for phase in member.phases[:-1])
        room = (rest / self.ratio - cost.fixed_seconds) / cost.epoch_seconds if cost.epoch_seconds else 0.0
        epochs = min(last.epochs, int(room) - earlier)
        if epochs < _FEWEST_EPOCHS:
            return None
        return member.replace(phases=(*member.phases[:-1], last.replace(epochs=epochs)))
