import numpy as np
import pytest
import torch

from visrec.config import RankerConfig
from visrec.ranking.fit import _TorchNetwork
from visrec.ranking.network import Network


def twins(cross_layers: int) -> tuple[_TorchNetwork, Network]:
    """The same random weights in torch and in numpy: 5 features, 3 tasks."""
    config = RankerConfig(cross_layers=cross_layers, hidden_dim=4)
    torch.manual_seed(0)
    twin = _TorchNetwork(
        np.array([0, 2, 0, 0, 0], np.float32), np.array([0.5, 0.1], np.float32), config
    ).eval()
    for parameter in twin.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    state = {name: tensor.numpy() for name, tensor in twin.state_dict().items()}
    return twin, Network(
        weights={name: value for name, value in state.items() if not name.startswith("positions")}
    )


@pytest.mark.parametrize("cross_layers", [0, 1, 3])
def test_numpy_says_what_torch_says(cross_layers: int) -> None:
    twin, network = twins(cross_layers)
    x = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(network.logits(x), twin(torch.from_numpy(x)).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cross_layers", [0, 1, 3])
def test_gradient_is_that_of_autograd(cross_layers: int) -> None:
    twin, network = twins(cross_layers)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), requires_grad=True)
    weights = np.array([1.0, 0.2, -0.5], np.float32)
    torch.autograd.backward((twin(x) @ torch.from_numpy(weights)).sum())
    assert x.grad is not None
    found = network.gradient(x.detach().numpy(), weights)
    np.testing.assert_allclose(found, x.grad.numpy(), rtol=1e-3, atol=1e-4)


def test_untrained_it_is_the_retrieval_score() -> None:
    config = RankerConfig()
    twin = _TorchNetwork(np.array([0, 2, 0], np.float32), np.array([0.5], np.float32), config).eval()
    x = torch.randn(4, 3)
    with torch.no_grad():
        assert twin(x)[:, 0].tolist() == pytest.approx((2 * x[:, 1]).tolist())
