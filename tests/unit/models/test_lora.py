"""LoRA: the identity at first, few parameters, and merging into the weights."""

import torch
from torch import nn

from visrec.models.lora import LoraUpdate, add_lora, merge_lora, merged_state


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Flatten(),
        nn.Linear(128, 4),
    )


def test_lora_starts_as_the_identity_and_trains_only_its_own_parameters() -> None:
    plain, adapted = network(), network()
    add_lora(adapted, rank=2, alpha=4.0)
    pixels = torch.rand(2, 3, 4, 4)
    assert torch.equal(plain(pixels), adapted(pixels))
    trained = {name: p.numel() for name, p in adapted.named_parameters() if p.requires_grad}
    # rank x (inputs + outputs) of the dense convolution (27, 8) and the linear layer (128, 4); none by group
    assert sorted(trained.values()) == [2 * 4, 2 * 8, 2 * 27, 2 * 128]


def test_the_update_is_alpha_over_rank_times_the_product() -> None:
    weight = torch.randn(2, 3)
    update = LoraUpdate(weight, rank=1, alpha=0.5)
    with torch.no_grad():
        update.down_RJ.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
        update.up_OR.copy_(torch.tensor([[1.0], [-1.0]]))
    expected = weight + 0.5 * torch.tensor([[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]])
    torch.testing.assert_close(update(weight), expected)


def test_merging_keeps_the_function_and_restores_the_names() -> None:
    plain, adapted = network(), network()
    add_lora(adapted, rank=2, alpha=4.0)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, std=0.1)
    pixels = torch.rand(2, 3, 4, 4)
    before, state = adapted(pixels), merged_state(adapted)
    merge_lora(adapted)
    torch.testing.assert_close(adapted(pixels), before)
    assert set(adapted.state_dict()) == set(plain.state_dict()) == set(state)
    plain.load_state_dict(state)
    torch.testing.assert_close(plain(pixels), before)
