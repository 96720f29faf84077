"""Detection of divergence, and eval mode without side effects."""

import math

import pytest
import torch
from torch import nn

from visrec.config import PhaseConfig
from visrec.errors import DivergedError
from visrec.training.numerics import check_finite, eval_mode

PHASE = PhaseConfig(name="wild", learning_rate=0.5)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_nan_or_infinite_loss_is_named(loss: float) -> None:
    with pytest.raises(DivergedError, match=f"the loss is {loss} after epoch 3 of phase wild; .* got 0.5"):
        check_finite(nn.Linear(2, 1), loss, PHASE, 2)


@pytest.mark.parametrize("weight", [math.nan, -math.inf])
def test_one_weight_that_is_not_finite_is_found_behind_a_finite_loss(weight: float) -> None:
    last = nn.Linear(4, 1)
    model = nn.Sequential(nn.Linear(4, 4), last)
    check_finite(model, 1.0, PHASE, 0)
    with torch.no_grad():
        last.weight[0, 2] = weight
    with pytest.raises(DivergedError, match="weights are not finite after epoch 1 of phase wild"):
        check_finite(model, 1.0, PHASE, 0)


def test_eval_mode_restores_the_mode_of_every_module_also_after_an_error() -> None:
    norm, dropout = nn.BatchNorm1d(2).eval(), nn.Dropout()
    model = nn.Sequential(nn.Dropout(), nn.Sequential(norm, dropout).eval())
    dropout.train()
    before = [module.training for module in model.modules()]
    with eval_mode(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    with pytest.raises(RuntimeError, match="stop"), eval_mode(model):
        raise RuntimeError("stop")
    assert [module.training for module in model.modules()] == before
