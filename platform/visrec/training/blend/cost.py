"""Facts of a log, and the time that a member's training takes on it, as estimated before it starts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import MemberConfig, PhaseConfig, TrainWorkloadConfig
from visrec.data.attributes import AttributeFacts
from visrec.data.snapshot import Snapshot
from visrec.training.examples import num_windows
from visrec.training.initial import attribute_columns, training_sequences

_SOLUTIONS = 24
"""Most solutions of the search for a closed form's settings, for a catalogue of up to `_ITEMS_OF_SOLUTIONS` items."""
_ITEMS_OF_SOLUTIONS = 4000
_SECONDS_PER_SOLUTION = 1.5
"""Of that search at 2,000 items. These rates were measured on two cores of a server of 2024."""
_SCORES_PER_SECOND = 4e7
"""Scores of a position and an item by a sequential model, forward and backward."""
_SAMPLED_ITEMS = 2000
"""Items that a position is scored with where the loss samples."""
_PIXELS_PER_SECOND = {"small_cnn": 2.5e7}
"""Pixels through a backbone that is trained, forward and backward."""
_PIXELS_PER_SECOND_OF_OTHERS = 1.5e6


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFacts:
    """Facts of the training events by which members are chosen.

    Attributes:
        num_items: Items of the catalogue.
        num_events: Training events.
        lengths_U: Training events of each user, int64.
        num_pixels: Pixels of a picture.
        attributes: Attributes that the catalogue has.
    """

    num_items: int
    num_events: int
    lengths_U: NDArray[np.int64]
    num_pixels: int
    attributes: tuple[str, ...]

    @classmethod
    def of(cls, job: TrainWorkloadConfig, snapshot: Snapshot) -> "LogFacts":
        """Those of a snapshot under the job's split."""
        lengths = [np.diff(block.offsets) for block in training_sequences(snapshot, job)]
        lengths_U = np.concatenate([np.zeros(0, np.int64), *lengths])
        facts = AttributeFacts.of(*attribute_columns(snapshot))
        sources = {"categories": facts.categories, "price": facts.price_edges, "title": facts.title_words}
        return cls(
            num_items=snapshot.num_items,
            num_events=int(lengths_U.sum()),
            lengths_U=lengths_U,
            num_pixels=snapshot.image_facts.height * snapshot.image_facts.width,
            attributes=tuple(name for name, values in sources.items() if values),
        )

    @property
    def num_sequences(self) -> int:
        """Users with two or more training events."""
        return int((self.lengths_U > 1).sum())

    def num_windows(self, max_length: int, most: int) -> int:
        """Windows of an epoch, at most `most` of a user."""
        return int(num_windows(self.lengths_U, max_length, most).sum())


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberCost:
    """Estimated time of a member's training.

    Attributes:
        fixed_seconds: For the search, and a solution.
        epoch_seconds: For each epoch by gradient descent.
    """

    fixed_seconds: float
    epoch_seconds: float

    @classmethod
    def of(cls, member: MemberConfig, facts: LogFacts) -> "MemberCost":
        """The cost for a log."""
        if all(phase.closed_form is not None for phase in member.phases):
            num = num_solutions(facts.num_items) if member.search else 1
            seconds = num * _SECONDS_PER_SOLUTION * (facts.num_items / 2000) ** 2.5
            return cls(fixed_seconds=seconds, epoch_seconds=0)
        return cls(fixed_seconds=0, epoch_seconds=_epoch_seconds(member, member.phases[-1], facts))

    def seconds(self, member: MemberConfig) -> float:
        """All phases of a member together."""
        epochs = sum(phase.epochs for phase in member.phases if phase.closed_form is None)
        return self.fixed_seconds + epochs * self.epoch_seconds


def num_solutions(num_items: int) -> int:
    """Solutions that the search for a closed form's settings may take; one costs the cube of the number of items.

    Beyond some thousand items their number falls faster than that, since every other step grows with the items too.
    """
    affordable = _SOLUTIONS * (_ITEMS_OF_SOLUTIONS / max(num_items, 1)) ** 5
    return max(2, min(_SOLUTIONS, round(affordable)))


def _epoch_seconds(member: MemberConfig, phase: PhaseConfig, facts: LogFacts) -> float:
    scored = facts.num_items
    if phase.loss.name != "full_softmax":
        scored = min(scored, _SAMPLED_ITEMS)
    seconds = facts.num_events * scored / _SCORES_PER_SECOND
    backbone = member.model.item.backbone
    if backbone is None:
        return seconds
    rate = _PIXELS_PER_SECOND.get(backbone, _PIXELS_PER_SECOND_OF_OTHERS)
    # A frozen backbone sees each picture once, in all epochs together.
    num_pictures = facts.num_items / phase.epochs if phase.trainable == "head" else 1.2 * facts.num_events
    return seconds + num_pictures * facts.num_pixels / rate
