"""Both towers: encoding each distinct picture once changes neither loss nor gradients; item biases."""

import torch

from visrec.config import ItemTowerConfig, ModelConfig, UserTowerConfig
from visrec.data.images import ImageFacts
from visrec.models import TowerOutput, TwoTower
from visrec.training.losses import softmax_loss

FACTS = ImageFacts(height=16, width=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
CONFIG = ModelConfig(
    dim=8, item=ItemTowerConfig(width=8, dropout=0), user=UserTowerConfig(hidden_dim=16, dropout=0)
)


def make_model(num_items: int = 12) -> TwoTower:
    torch.manual_seed(0)
    return TwoTower(CONFIG, num_items=num_items, image_facts=FACTS)


def test_pixels_once_has_the_loss_and_gradients_of_encoding_every_position() -> None:
    pictures = torch.randint(0, 256, (12, 16, 16, 3), dtype=torch.uint8)
    items_BL = torch.tensor([[3, 7, 3, 9, 7], [7, 1, 9, 9, 3]])
    distinct_N, slots_BL = torch.unique(items_BL, return_inverse=True)
    zeros_BL = torch.zeros_like(items_BL)

    once = make_model()
    out = once(pictures[distinct_N], distinct_N, slots_BL[:, :-1], zeros_BL[:, :-1], zeros_BL[:, :-1])
    loss_once = _loss(out, slots_BL[:, 1:])
    loss_once.backward()  # type: ignore[no-untyped-call]

    naive = make_model()
    flat = items_BL.flatten()
    every_position = naive.item_tower(pictures[flat], flat).view(2, 5, 8)
    users = naive.user_tower(every_position[:, :-1], zeros_BL[:, :-1], zeros_BL[:, :-1])
    # The candidates once more, from pixels of their own; then no vector is shared between roles.
    candidates = naive.item_tower(pictures[distinct_N], distinct_N)
    loss_naive = _loss(
        TowerOutput(users_BLD=users, items_ND=candidates, biases_N=naive.item_biases()[distinct_N]),
        slots_BL[:, 1:],
    )
    loss_naive.backward()  # type: ignore[no-untyped-call]

    torch.testing.assert_close(loss_once, loss_naive, atol=1e-5, rtol=0)
    for (name, a), (_, b) in zip(once.named_parameters(), naive.named_parameters(), strict=True):
        if a.grad is not None and b.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, atol=1e-5, rtol=0, msg=name)
    trained = {name for name, p in once.named_parameters() if p.grad is not None}
    assert trained == {name for name, p in naive.named_parameters() if p.grad is not None}
    assert any(name.startswith("item_tower.backbone") for name in trained)


def test_biases_start_at_log_popularity() -> None:
    model = make_model(num_items=3)
    model.set_item_counts(torch.tensor([9.0, 3.0, 0.0]))
    biases = model.item_biases()
    torch.testing.assert_close(biases[0] - biases[1], torch.log(torch.tensor(10 / 4)))


def test_biases_may_start_at_the_log_of_a_share() -> None:
    model = TwoTower(CONFIG, num_items=3, image_facts=FACTS)
    model.set_item_counts(torch.tensor([9.0, 3.0, 5.0]), as_probabilities=True)
    torch.testing.assert_close(model.item_biases().exp(), torch.tensor([0.5, 0.2, 0.3]))


def test_an_unseen_item_has_the_bias_of_the_rarest_tenth() -> None:
    model = make_model(num_items=12)
    counts = torch.arange(12.0)
    counts[11] = 0
    model.set_item_counts(counts)
    assert model.biases is not None
    with torch.no_grad():
        model.biases.weight[:, 0] = torch.arange(12.0)
    biases = model.item_biases()
    assert biases[5] == 5  # seen: its own
    assert biases[0] == biases[11] == 1.0  # of the ten seen items the rarest is item 1


def test_a_model_without_biases_scores_by_vectors_alone() -> None:
    model = TwoTower(CONFIG.replace(item_bias=False), num_items=3, image_facts=FACTS)
    assert model.item_biases().tolist() == [0, 0, 0]


def _loss(out: TowerOutput, targets_BL: torch.Tensor) -> torch.Tensor:
    logits_PN = out.users_BLD.flatten(0, 1) @ out.items_ND.T + out.biases_N
    return softmax_loss(logits_PN, targets_BL.flatten()).mean()
