"""Settings of losses and negatives that do not go together are refused in one line."""

import pytest

from visrec.config import LossConfig, parse_config
from visrec.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "bpr", "label_smoothing": 0.1}, "label_smoothing belongs to the softmax losses"),
        ({"name": "bce", "label_smoothing": 0.1}, "expected 0 with bce, got 0.1"),
        ({"name": "gbce", "label_smoothing": 0.1}, "expected 0 with gbce, got 0.1"),
        ({"name": "gbce", "calibration": 1.1}, "calibration"),
        ({"name": "full_softmax", "num_hard_negatives": 2}, "got num_hard_negatives"),
        ({"name": "full_softmax", "in_batch_negatives": False}, "got in_batch_negatives: false"),
        ({"in_batch_negatives": False}, "got no negatives"),
        ({"name": "hinge"}, "name"),
    ],
)
def test_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(LossConfig, settings)


def test_accepted() -> None:
    LossConfig(name="full_softmax", num_explicit_negatives=5, label_smoothing=0.1)
    LossConfig(name="bpr", in_batch_negatives=False, num_uniform_negatives=1)
