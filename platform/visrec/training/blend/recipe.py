"""Members of `training.recipe: auto`, chosen by what the catalogue and the log hold."""

from collections.abc import Iterator

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
from visrec.data.snapshot import Snapshot
from visrec.training.blend.cost import LogFacts, MemberCost

VERSION = 1
"""Increased when the same snapshot would give other members, so that old checkpoints are not taken for new ones."""
_MAX_FACTORS = 512
_FULL_SOFTMAX_SCORES = 1e9
"""Most scores of an epoch, events by items, for which a step scores all items."""
_BATCH = 32
_STEPS = {"attributes": 900, "pictures": 1100, "ids": 900}
"""Steps of a member by gradient descent, about: fewer epochs over a larger log."""
_FEWEST_EPOCHS, _MOST_EPOCHS = 4, 40
_MOST_SECONDS = 150.0
"""Estimated time of all epochs, beyond which there are fewer of them."""


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
    """Sequential model on categories, price and title words alone: ids have members of their own."""
    item = ItemTowerConfig(backbone=None, attributes=facts.attributes, dropout=0)
    model = ModelConfig(item=item, user=UserTowerConfig(dropout=0.5))
    phase = _sequential_phase(facts, learning_rate=6e-3)
    return _with_epochs(MemberConfig(name="attributes", model=model, phases=(phase,)), facts)


def _pictures(job: TrainWorkloadConfig, facts: LogFacts) -> MemberConfig:
    """The two towers of pixels and clicks: from scratch, or the head alone on a pretrained backbone."""
    if job.model.item.weights is not None:
        phase = PhaseConfig(name="transfer", trainable="head", batch_size=_BATCH)
    else:
        phase = PhaseConfig(
            name="base",
            batch_size=_BATCH,
            learning_rate=6e-3,
            loss=LossConfig(num_popularity_negatives=200),
        )
    phase = phase.replace(early_stopping_epochs=4)
    return _with_epochs(MemberConfig(name="pictures", model=job.model, phases=(phase,)), facts)


def _ids(facts: LogFacts) -> MemberConfig:
    """Sequential model on ids (GRU4Rec: Hidasi et al. 2016) beside a mean of recent items."""
    model = ModelConfig(
        item=ItemTowerConfig(backbone=None, id_embedding=True, dropout=0),
        user=UserTowerConfig(dropout=0.3, pooling_half_life=5),
    )
    phase = _sequential_phase(facts, learning_rate=3e-3)
    return _with_epochs(MemberConfig(name="ids", model=model, phases=(phase,)), facts)


def _sequential_phase(facts: LogFacts, *, learning_rate: float) -> PhaseConfig:
    """Full softmax where the catalogue allows it, else many popular negatives."""
    loss = LossConfig(name="full_softmax", positive_masking="seen")
    if facts.num_events * facts.num_items > _FULL_SOFTMAX_SCORES:
        loss = LossConfig(num_popularity_negatives=2000)
    return PhaseConfig(
        name="base",
        batch_size=_BATCH,
        learning_rate=learning_rate,
        max_windows_per_user=100,
        loss=loss,
        early_stopping_epochs=3,
    )


def _with_epochs(member: MemberConfig, facts: LogFacts) -> MemberConfig:
    """The member with the number of epochs that makes its number of steps, or that its time allows."""
    phase = member.phases[0]
    windows = facts.num_windows(member.model.user.max_length, phase.max_windows_per_user)
    wanted = round(_STEPS[member.name] / max(windows / _BATCH, 1))
    # A frozen backbone's share of an epoch depends on their number.
    cost = MemberCost.of(member.replace(phases=(phase.replace(epochs=max(wanted, 1)),)), facts)
    affordable = round(_MOST_SECONDS / max(cost.epoch_seconds, 1e-9))
    epochs = min(max(min(wanted, affordable), _FEWEST_EPOCHS), _MOST_EPOCHS)
    return member.replace(phases=(phase.replace(epochs=epochs),))
