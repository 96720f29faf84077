"""The model before the first step: random weights, pretrained weights, or the encoders of another checkpoint."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from visrec.config import TrainWorkloadConfig
from visrec.data.attributes import AttributeFacts
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TRAIN, VALIDATION
from visrec.errors import ArtifactError, ConfigError
from visrec.models import BlendedRecommender, TwoTower, TwoTowerRecommender
from visrec.models.blend import MEMBERS
from visrec.models.pretrained import PRETRAINED, load_pretrained
from visrec.models.two_tower_recommender import WEIGHTS
from visrec.models.weights import WeightsFacts, fit_weights
from visrec.storage import ArtifactStore, Location

_CATALOGUE_PREFIXES = (
    "biases.",
    "item_counts",
    "item_tower.ids.",
    "item_tower.known",
    "item_tower.attributes.",
)
"""State-dict keys that belong to a catalogue; all others are the encoders, which another catalogue can start from."""


def initial_model(job: TrainWorkloadConfig, snapshot: Snapshot) -> tuple[TwoTower, WeightsFacts | None]:
    """The towers of a job before the first step, and the facts of the weights that they start from.

    Raises:
        ConfigError: Settings that do not go together, or no such published weights.
        ArtifactError: A file of weights or a checkpoint that is missing, damaged, or does not fit.
    """
    torch.manual_seed(job.seed)
    attributes = attribute_facts(job, snapshot)
    model = TwoTower(
        job.model, num_items=snapshot.num_items, image_facts=snapshot.image_facts, attributes=attributes
    )
    _set_attributes(model, snapshot, attributes)
    facts = _load_weights(model, job)
    if job.training.start_from is not None:
        facts = _load_encoders(model, job, job.training.start_from) or facts
    counts_I = np.zeros(snapshot.num_items)
    for block in training_sequences(snapshot, job):
        counts_I += np.bincount(block.items, minlength=snapshot.num_items)
    # The other losses but bce do not see a constant in all biases; gbce would take many epochs to learn it.
    calibrated = any(phase.loss.name == "gbce" for phase in job.training.phases)
    model.set_item_counts(torch.from_numpy(counts_I).float(), as_probabilities=calibrated)
    return model, facts


def training_sequences(snapshot: Snapshot, job: TrainWorkloadConfig) -> Iterator[Sequences]:
    """Training events in blocks of users; a refit trains on the validation events too."""
    last = VALIDATION if job.training.split.fit_on == "train_and_validation" else TRAIN
    return (block.where(block.marks <= last) for block in snapshot.sequences(job.training.split))


def attribute_facts(job: TrainWorkloadConfig, snapshot: Snapshot) -> AttributeFacts | None:
    """Vocabulary of the catalogue's attributes; None for a model that uses none."""
    if not job.model.item.attributes:
        return None
    return AttributeFacts.of(*attribute_columns(snapshot))


def starting_point(job: TrainWorkloadConfig) -> str | None:
    """Checksum of the weight files that a job starts from; None for random weights and published ones.

    Raises:
        ArtifactError: A file of weights or a checkpoint is missing.
    """
    files = []
    if job.training.start_from is not None:
        files.append(start_checkpoint(job, job.training.start_from) / WEIGHTS)
    if job.model.item.weights not in (None, PRETRAINED):
        files.append(Location.parse(str(job.model.item.weights)))
    digest = hashlib.sha256()
    for file in files:
        if not file.exists():
            raise ArtifactError(f"expected weights at {file}, found no file")
        digest.update(file.read_bytes())
    return digest.hexdigest() if files else None


def start_checkpoint(job: TrainWorkloadConfig, start_from: str) -> Location:
    """Folder of the model that training starts from: a name in the workspace, `latest`, a path or a URI.

    Of a blend it is the folder of the first member that reads pictures.

    Raises:
        ArtifactError: No such checkpoint, or a damaged one.
        ConfigError: A blend without such a member.
    """
    if "/" in start_from:
        folder = Location.parse(start_from)
    else:
        folder = ArtifactStore(job.workspace).find("checkpoints", start_from).location
    if not (folder / MEMBERS).exists():
        return folder
    blend = BlendedRecommender.load(folder)
    for member in blend.members:
        if member.recommender.reads_pictures:
            return folder / MEMBERS / member.name
    raise ConfigError(
        f"training.start_from: expected a model that reads pictures, got the blend {start_from} of "
        f"{', '.join(member.name for member in blend.members)}"
    )


def attribute_columns(
    snapshot: Snapshot,
) -> tuple[list[list[str] | None], list[float | None], list[str | None]]:
    """Categories, price and title of each item, in the order of their indices; None where one is missing."""
    items = snapshot.items

    def column(name: str) -> list[Any]:
        return items.column(name).to_pylist() if name in items.column_names else [None] * len(items)

    return column("categories"), column("price"), column("title")


def _set_attributes(model: TwoTower, snapshot: Snapshot, facts: AttributeFacts | None) -> None:
    if facts is not None and model.item_tower.attributes is not None:
        categories, prices, titles = attribute_columns(snapshot)
        codes = facts.category_codes(categories), facts.price_codes(prices), facts.title_codes(titles)
        model.item_tower.attributes.set_codes(*(torch.from_numpy(array) for array in codes))


def _load_weights(model: TwoTower, job: TrainWorkloadConfig) -> WeightsFacts | None:
    """Load pretrained weights of the backbone, by name or from a file, as the config says."""
    config = job.model.item
    if config.weights is None:
        return None
    if config.backbone is None or model.item_tower.backbone is None:
        raise ConfigError("model.item.weights: expected a backbone for them, got backbone: null")
    network, facts = load_pretrained(config.backbone, config.weights)
    # The parameters of a chain have other names than those of its network, in the same order.
    fit_weights(model.item_tower.backbone.network, network.state_dict(), source=config.weights)
    model.item_tower.normalise_like(facts.mean, facts.std)
    return facts


def _load_encoders(model: TwoTower, job: TrainWorkloadConfig, start_from: str) -> WeightsFacts | None:
    """Load the encoders of another checkpoint; item ids, biases and counts keep their initial values."""
    recommender = TwoTowerRecommender.load(start_checkpoint(job, start_from))
    given = {k: v for k, v in recommender.weights().items() if not k.startswith(_CATALOGUE_PREFIXES)}
    expected = {k: v for k, v in model.state_dict().items() if not k.startswith(_CATALOGUE_PREFIXES)}
    for name in sorted(expected.keys() | given.keys()):
        ours, theirs = expected.get(name), given.get(name)
        if ours is None or theirs is None or ours.shape != theirs.shape:
            shapes = [tuple(t.shape) if t is not None else "nothing" for t in (ours, theirs)]
            raise ArtifactError(
                f"training.start_from: {start_from} has other encoders than the config's model: expected {name} of "
                f"{shapes[0]}, got {shapes[1]}"
            )
    model.load_state_dict(given, strict=False)
    return recommender.weights_facts
