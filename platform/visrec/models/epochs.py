"""Epoch records of a training: loss, speed and validation metrics. A checkpoint holds them as `epochs.json`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from visrec.errors import ArtifactError
from visrec.storage import Location

EPOCHS = "epochs.json"
EPOCHS_OF_0_2 = "history.json"
"""Name of the epochs' file in checkpoints of visrec 0.2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochRecord:
    """One epoch of a training.

    Attributes:
        phase: Name of the phase.
        epoch: Number within the phase, from 1.
        loss: Mean training loss of a position; of a closed-form phase the mean squared error of the map from pictures.
        images_per_second: Pictures encoded from pixels per second and worker; 0 where activations are cached.
        sequences_per_second: Sequences trained on per second and worker.
        seconds: Time of the epoch, without validation.
        metrics: Validation metrics by name; empty for a refit, which has no validation.
        trained_parameters: Number of parameters that the phase trains; None in records of early versions.

    Example:
        >>> record = EpochRecord(phase="main", epoch=1, loss=2.5, seconds=1.0, metrics={"ndcg@10": 0.25})
        >>> EpochRecord.from_json(record.to_json()) == record
        True
    """

    phase: str
    epoch: int
    loss: float
    images_per_second: float = 0.0
    sequences_per_second: float = 0.0
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    trained_parameters: int | None = None

    def to_json(self) -> dict[str, Any]:
        """A flat JSON object, with the metrics on the same level as the other facts."""
        values: dict[str, Any] = {
            "phase": self.phase,
            "epoch": self.epoch,
            "loss": self.loss,
            "images_per_second": self.images_per_second,
            "sequences_per_second": self.sequences_per_second,
            "seconds": self.seconds,
            **self.metrics,
        }
        if self.trained_parameters is not None:
            values["trained_parameters"] = self.trained_parameters
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "EpochRecord":
        """Read `to_json`: every key that is no field is a metric.

        Raises:
            KeyError, ValueError, TypeError: A fact is missing, or a metric is no number.
        """
        metrics = dict(values)
        return cls(
            phase=str(metrics.pop("phase")),
            epoch=int(metrics.pop("epoch")),
            loss=float(metrics.pop("loss")),
            images_per_second=float(metrics.pop("images_per_second")),
            sequences_per_second=float(metrics.pop("sequences_per_second")),
            seconds=float(metrics.pop("seconds")),
            trained_parameters=metrics.pop("trained_parameters", None),
            metrics={name: float(value) for name, value in metrics.items()},
        )


def epochs_to_json(epochs: Iterable[EpochRecord]) -> str:
    """Content of `epochs.json`."""
    return json.dumps([record.to_json() for record in epochs], indent=1)


def read_epochs(folder: Location) -> list[EpochRecord]:
    """Epoch records of a checkpoint's folder, also of one that visrec 0.2 wrote.

    Raises:
        ArtifactError: The file is missing or damaged.
    """
    place = folder / EPOCHS if (folder / EPOCHS).exists() else folder / EPOCHS_OF_0_2
    try:
        return [EpochRecord.from_json(values) for values in json.loads(place.read_text())]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"expected the epochs of a training at {place}: {error!r}") from None
