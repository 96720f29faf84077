"""Members of `training.recipe: auto`, chosen by what the catalogue and the log hold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from visrec.config import (
    ItemTowerConfig,
    LossConfig,
    MemberConfig,
    ModelConfig,
    PhaseConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.data.attributes import AttributeFacts
from visrec.data.snapshot import Snapshot
from visrec.training.initial import attribute_columns, training_sequences

_MAX_FACTORS = 512
_FULL_SOFTMAX_ITEMS = 20_000
"""Largest catalogue for which a step scores all items."""
_SEQUENCES = 48_000
"""Sequences that a member by gradient descent trains on in all its epochs together, about."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 4, 16


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFacts:
    """Facts of the training events by which members are chosen.

    Attributes:
        num_items: Items of the catalogue.
        num_events: Training events.
        num_sequences: Users with two or more of them.
        attributes: Attributes that the catalogue has.
    """

    num_items: int
    num_events: int
    num_sequences: int
    attributes: tuple[str, ...]

    @classmethod
    def of(cls, job: TrainWorkloadConfig, snapshot: Snapshot) -> "LogFacts":
        """Those of a snapshot under the job's split."""
        lengths = [np.diff(block.offsets) for block in training_sequences(snapshot, job)]
        lengths_U = np.concatenate([np.zeros(0, np.int64), *lengths])
        facts = AttributeFacts.of(*attribute_columns(snapshot))
        sources = {
            "categories": facts.categories,
            "price": facts.price_edges,
            "title": facts.title_words,
        }
        return cls(
            num_items=snapshot.num_items,
            num_events=int(lengths_U.sum()),
            num_sequences=int((lengths_U > 1).sum()),
            attributes=tuple(name for name, values in sources.items() if values),
        )

    @property
    def num_epochs(self) -> int:
        """Epochs of a member by gradient descent: fewer of them over a larger log."""
        wanted = round(_SEQUENCES / max(self.num_sequences, 1))
        return min(max(wanted, _FEWEST_EPOCHS), _MOST_EPOCHS)


def auto_members(job: TrainWorkloadConfig, snapshot: Snapshot) -> tuple[MemberConfig, ...]:
    """The members for a snapshot, those that usually give most per second first.

    Example:
        >>> [member.name for member in auto_members(job, snapshot)]                      # doctest: +SKIP
        ['closed-form', 'attributes', 'pictures', 'ids']
    """
    return tuple(_members(job, LogFacts.of(job, snapshot)))


def _members(job: TrainWorkloadConfig, facts: LogFacts) -> Iterator[MemberConfig]:
    start = TransitionsConfig(
        kind="transitions",
        history_half_life=1.4,
        target_half_life=1.4,
        cooccurrence_weight=0.35,
        popularity_power=0.1,
        target_popularity_power=0.1,
        truncation="requests",
    )
    if facts.num_sequences and facts.num_items <= start.max_items:
        yield _closed_form(job, facts, start)
    if facts.attributes:
        yield _attributes(facts)
    if job.model.item.backbone is not None:
        yield _pictures(job, facts)
    yield _ids(facts)


def _closed_form(job: TrainWorkloadConfig, facts: LogFacts, start: TransitionsConfig) -> MemberConfig:
    """Linear item-transition model on ids (SLIST: Choi et al. 2021), with settings chosen by validation.

    An item without events gets its vector from attributes and, with a pretrained backbone, from pictures.
    """
    given = job.model.item
    # training.start_from has the encoders of another model, of which only those of the member of pictures are taken.
    reads_pictures = given.weights is not None and job.training.start_from is None
    item = ItemTowerConfig(backbone=None, id_embedding=True, attributes=facts.attributes, dropout=0)
    if reads_pictures:
        item = given.replace(id_embedding=True, attributes=facts.attributes, dropout=0)
    return MemberConfig(
        name="closed-form",
        model=ModelConfig(
            dim=2 * min(_MAX_FACTORS, facts.num_items),
            item=item,
            user=UserTowerConfig(kind="pooling", pooling_half_life=3.5),
            item_bias=False,
        ),
        phases=(PhaseConfig(name="transitions", trainable="head", closed_form=start),),
        search=True,
    )


def _attributes(facts: LogFacts) -> MemberConfig:
    """Sequential model on categories, price and title words, with an id vector for what these leave open."""
    return MemberConfig(
        name="attributes",
        model=ModelConfig(
            item=ItemTowerConfig(
                backbone=None, id_embedding=True, id_dropout=0.5, attributes=facts.attributes, dropout=0
            ),
            user=UserTowerConfig(dropout=0.3),
        ),
        phases=(_sequential_phase(facts),),
    )


def _pictures(job: TrainWorkloadConfig, facts: LogFacts) -> MemberConfig:
    """The two towers of pixels and clicks: from scratch, or the head alone on a pretrained backbone."""
    if job.model.item.weights is not None:
        phase = PhaseConfig(name="transfer", trainable="head", epochs=facts.num_epochs)
    else:
        phase = PhaseConfig(
            name="base",
            epochs=facts.num_epochs,
            batch_size=32,
            learning_rate=6e-3,
            loss=LossConfig(num_popularity_negatives=200),
        )
    return MemberConfig(name="pictures", model=job.model, phases=(phase.replace(early_stopping_epochs=4),))


def _ids(facts: LogFacts) -> MemberConfig:
    """Sequential model on ids (GRU4Rec: Hidasi et al. 2016) beside a mean of recent items."""
    return MemberConfig(
        name="ids",
        model=ModelConfig(
            item=ItemTowerConfig(backbone=None, id_embedding=True, dropout=0),
            user=UserTowerConfig(dropout=0.3, pooling_half_life=5),
        ),
        phases=(_sequential_phase(facts),),
    )


def _sequential_phase(facts: LogFacts) -> PhaseConfig:
    """Full softmax where the catalogue allows it, else many popular negatives."""
    loss = LossConfig(name="full_softmax", positive_masking="seen")
    if facts.num_items > _FULL_SOFTMAX_ITEMS:
        loss = LossConfig(num_popularity_negatives=2000)
    return PhaseConfig(
        name="base",
        epochs=facts.num_epochs,
        batch_size=32,
        learning_rate=3e-3,
        max_windows_per_user=100,
        loss=loss,
        early_stopping_epochs=3,
    )
