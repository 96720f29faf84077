import math

import pytest
import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.errors import DivergedError
from visrec.training.numerics import check_finite

PHASE = PhaseConfig(name="wild", learning_rate=0.5)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_named(loss: float) -> None:
    with pytest.raises(DivergedError, match=f"the loss is {loss} after epoch 3 of phase wild; .* got 0.5"):
        check_finite(nn.Linear(2, 1), loss, PHASE, 2)


@pytest.mark.parametrize("weight", [math.nan, -math.inf])
def test_one_weight_is_enough_when_the_loss_does_not_tell(weight: float) -> None:
    last = nn.Linear(4, 1)
    model = nn.Sequential(nn.Linear(4, 4), last)
    check_finite(model, 1.0, PHASE, 0)
    with torch.no_grad():
        last.weight[0, 2] = weight
    with pytest.raises(DivergedError, match="weights are not finite after epoch 1 of phase wild"):
        check_finite(model, 1.0, PHASE, 0)
