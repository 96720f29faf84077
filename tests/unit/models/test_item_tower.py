"""Item tower: pictures alone, ids alone, both; backbones by name."""

import pytest
import torch

from visrec.config import ItemTowerConfig
from visrec.data.images import ImageFacts
from visrec.errors import ConfigError
from visrec.models import ItemTower
from visrec.models.backbones.networks import SmallCNN

FACTS = ImageFacts(height=32, width=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


def tower(**settings: object) -> ItemTower:
    torch.manual_seed(0)
    return ItemTower(ItemTowerConfig(**settings), dim=8, num_items=10, image_facts=FACTS)


def pictures(num: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (num, 32, 32, 3), dtype=torch.uint8, generator=generator)


def test_a_picture_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    model = tower(dropout=0).train()
    together = model(pictures(5), torch.arange(5))
    alone = torch.cat([model(pictures(5)[k : k + 1], torch.tensor([k])) for k in range(5)])
    torch.testing.assert_close(together, alone)


def test_the_small_cnn_joins_average_and_maximum_of_all_stages() -> None:
    assert SmallCNN(width=8)(torch.zeros(2, 3, 64, 64)).shape == (2, 2 * (8 + 16 + 32))


def test_ids_alone_look_up_their_vector_and_unseen_items_get_none() -> None:
    model = tower(backbone=None, id_embedding=True, dropout=0).eval()
    model.known[3] = False
    vectors = model(None, torch.tensor([2, 3, -1]))
    assert model.ids is not None
    torch.testing.assert_close(vectors[0], model.ids.weight[2])
    assert vectors[1:].abs().sum() == 0


def test_with_pixels_an_unseen_item_has_the_vector_of_its_picture() -> None:
    both = tower(id_embedding=True, dropout=0).eval()
    seen, unseen = both(pictures(1), torch.tensor([4])), both(pictures(1), torch.tensor([-1]))
    assert both.ids is not None
    torch.testing.assert_close(seen - unseen, both.ids.weight[4:5])


def test_id_dropout_leaves_out_its_share_of_ids_in_training_only() -> None:
    model = ItemTower(
        ItemTowerConfig(id_embedding=True, id_dropout=0.5, dropout=0), dim=4, num_items=400, image_facts=FACTS
    )
    same_picture = pictures(1).expand(400, -1, -1, -1)
    pixels_only = model(same_picture[:1], torch.tensor([-1]))
    model.train()
    dropped = (model(same_picture, torch.arange(400)) - pixels_only).abs().sum(1) < 1e-4
    assert 150 < int(dropped.sum()) < 250
    model.eval()
    assert not ((model(same_picture, torch.arange(400)) - pixels_only).abs().sum(1) < 1e-4).any()


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "googlenet"])
def test_any_torchvision_backbone_gives_vectors(name: str) -> None:
    model = tower(backbone=name)
    for mode in (True, False):
        assert model.train(mode)(pictures(2), torch.arange(2)).shape == (2, 8)


def test_a_mistyped_backbone_names_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"model\.item\.backbone: expected .* got 'resnet81'; nearest: .*resnet18"
    ):
        tower(backbone="resnet81")


def test_a_backbone_that_does_not_support_the_size_raises() -> None:
    with pytest.raises(ConfigError, match="vit_b_16 cannot take pictures of 32 x 32 pixels"):
        tower(backbone="vit_b_16")


def test_neither_pixels_nor_ids_raises() -> None:
    with pytest.raises(ConfigError, match="expected a backbone or id_embedding: true"):
        tower(backbone=None)
