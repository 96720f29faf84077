import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from visrec.attacks import fgsm, pgd


def pictures(seed: int = 0, num: int = 3) -> Tensor:
    return torch.rand(num, 4, 5, 3, generator=torch.Generator().manual_seed(seed)) * 255


def test_hand_worked_fgsm() -> None:
    # d loss / d pixels = (2, -3, 0), so the signs are +, -, 0; 254 is held at 255.
    images = torch.tensor([254.0, 10.0, 77.0]).reshape(1, 1, 1, 3)
    slope = torch.tensor([2.0, -3.0, 0.0])
    found = fgsm(lambda x: (x * slope).sum(), images, epsilon=4.0)
    assert found.flatten().tolist() == [255.0, 6.0, 77.0]


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 16), st.integers(1, 4), st.floats(0, 16), st.booleans(), st.integers(0, 99))
def test_always_within_the_ball_and_the_range(
    epsilon: float, steps: int, step_size: float, random: bool, seed: int
) -> None:
    images = pictures(seed)
    generator = torch.Generator().manual_seed(seed) if random else None
    found = pgd(
        lambda x: (x.sin() * x).sum(),
        images,
        epsilon=epsilon,
        steps=steps,
        step_size=step_size,
        generator=generator,
    )
    assert float((found - images).abs().max()) <= epsilon + 1e-4
    assert float(found.min()) >= 0 and float(found.max()) <= 255
    assert not found.requires_grad


@given(st.integers(0, 99), st.booleans())
@settings(max_examples=20, deadline=None)
def test_a_convex_loss_does_not_fall(seed: int, linear: bool) -> None:
    images, slope = pictures(seed), pictures(seed + 100) - 128

    def loss(x: Tensor) -> Tensor:
        return (x * slope).sum() if linear else torch.logsumexp((x * slope).flatten(1) / 1e4, 1).sum()

    for found in (
        fgsm(loss, images, epsilon=3.0),
        pgd(loss, images, epsilon=3.0, steps=5, step_size=1.0),
    ):
        assert loss(found.double()) >= loss(images.double()) - 1e-9


def test_epsilon_zero_is_the_pictures_themselves() -> None:
    generator = torch.Generator().manual_seed(1)
    assert torch.equal(fgsm(torch.sum, pictures(), epsilon=0.0), pictures())
    found = pgd(torch.sum, pictures(), epsilon=0.0, steps=3, step_size=1.0, generator=generator)
    assert torch.equal(found, pictures())


def test_gradients_of_parameters_and_pictures_stay_as_they_were() -> None:
    layer = nn.Linear(3, 2)
    images = pictures().requires_grad_(True)
    layer(images).sum().backward()
    before = [p.grad.clone() for p in (*layer.parameters(), images) if p.grad is not None]
    found = pgd(lambda x: layer(x).square().sum(), images, epsilon=8.0, steps=2, step_size=4.0)
    after = [p.grad for p in (*layer.parameters(), images) if p.grad is not None]
    assert len(before) == 3 and all(torch.equal(a, b) for a, b in zip(after, before, strict=True))
    assert found.grad_fn is None and torch.equal(images.detach(), pictures())


def test_works_where_gradients_are_switched_off() -> None:
    with torch.no_grad():
        found = fgsm(torch.sum, pictures(), epsilon=2.0)
    assert bool((found > pictures()).all()) or float(found.max()) == 255.0


def test_a_random_start_follows_the_generator() -> None:
    def start(seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return pgd(torch.sum, pictures(), epsilon=4.0, steps=1, step_size=0.0, generator=generator)

    assert torch.equal(start(1), start(1)) and not torch.equal(start(1), start(2))
    assert (
        float((start(1) - pictures()).abs().mean()) > 1.5
    )  # uniform: 2 on average, less what 0 and 255 hold back
