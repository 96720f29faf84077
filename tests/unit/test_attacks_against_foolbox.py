"""Attacks against foolbox: the same model, start and steps give the same pictures."""

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from visrec.attacks import fgsm, pgd

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of SciPy, about an old import within foolbox
    from foolbox.attacks import FGSM, LinfPGD
    from foolbox.attacks.base import Attack
    from foolbox.models.pytorch import PyTorchModel

EPSILON, STEP = 8.0, 2.0


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.Tanh(), nn.Flatten(), nn.Linear(54, 4)).eval()


@pytest.fixture
def images() -> Tensor:
    return torch.rand(5, 8, 8, 3, generator=torch.Generator().manual_seed(1)) * 255


@pytest.mark.parametrize("steps", [1, 20])
def test_pgd(model: nn.Module, images: Tensor, steps: int) -> None:
    attack = LinfPGD(steps=steps, abs_stepsize=STEP / 255, random_start=False)
    found = pgd(loss_of(model), images, epsilon=EPSILON, steps=steps, step_size=STEP)
    assert torch.allclose(found, theirs(attack, model, images), atol=1e-3)


def test_fgsm(model: nn.Module, images: Tensor) -> None:
    attack = FGSM(random_start=False)
    found = fgsm(loss_of(model), images, epsilon=EPSILON)
    assert torch.allclose(found, theirs(attack, model, images), atol=1e-3)


LABELS = torch.tensor([0, 1, 2, 3, 0])


def loss_of(model: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda x: functional.cross_entropy(model(x.permute(0, 3, 1, 2) / 255), LABELS, reduction="sum")


def theirs(attack: Attack, model: nn.Module, images: Tensor) -> Tensor:
    wrapped = PyTorchModel(model, bounds=(0, 1), device="cpu")
    _, clipped, _ = attack(wrapped, images.permute(0, 3, 1, 2) / 255, LABELS, epsilons=EPSILON / 255)
    found: Tensor = clipped.permute(0, 2, 3, 1) * 255
    assert float((found - images).abs().max()) >= STEP - 1e-3  # it did something
    return found
