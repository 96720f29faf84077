"""From the config of a phase to its adversary."""

from collections.abc import Callable, Iterator
from functools import partial

from torch import Tensor

from visrec.config import ConsistencyAdversary, EmbeddingAdversary, PhaseConfig
from visrec.training.adversaries.consistency import consistency_losses
from visrec.training.adversaries.embedding import embedding_losses
from visrec.training.adversaries.free import free_losses
from visrec.training.adversaries.pixels import pixel_losses
from visrec.training.forward import Forward

LossStream = Callable[[Forward], Iterator[Tensor]]


def no_adversary(forward: Forward) -> Iterator[Tensor]:
    """The clean losses, once."""
    yield forward.losses_of(forward.output())


def choose_adversary(phase: PhaseConfig) -> LossStream:
    """The adversary of a phase; one without weight is none at all, so that the run equals plain training."""
    config = phase.adversary
    if config is None or config.weight == 0:
        return no_adversary
    if isinstance(config, EmbeddingAdversary):
        return partial(embedding_losses, config)
    if isinstance(config, ConsistencyAdversary):
        return partial(consistency_losses, config)
    if config.method == "free":
        return partial(free_losses, config)
    return partial(pixel_losses, config)
