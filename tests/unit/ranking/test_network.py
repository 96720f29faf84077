import numpy as np
import pytest
import torch

from visrec.ranking.calibration import Calibration
from visrec.ranking.network import Network, Scaling
from visrec.ranking.ranker import Ranker
from visrec.ranking.torch_network import TorchNetwork, integrated_gradients

NUM_FEATURES, NUM_TASKS = 5, 3
SKIP = np.array([0, 2, 0, 0, 0], np.float32)
RATES = np.array([0.5, 0.1], np.float32)
TASK_WEIGHTS = np.array([1.0, 0.2, -0.5], np.float32)

cross_layers = pytest.mark.parametrize("num_layers", [0, 1, 3])


def make_module(num_layers: int) -> TorchNetwork:
    torch.manual_seed(0)
    module = TorchNetwork(
        num_features=NUM_FEATURES, num_tasks=NUM_TASKS, hidden_dim=4, cross_layers=num_layers, dropout=0.5
    )
    module.initialise(SKIP, RATES)
    return module.eval()


def make_random_module(num_layers: int) -> TorchNetwork:
    module = make_module(num_layers)
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def random_candidates(num: int = 7) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    return np.random.default_rng(0).normal(size=(num, NUM_FEATURES)).astype(np.float32)


@cross_layers
def test_numpy_and_torch_give_the_same_logits(num_layers: int) -> None:
    module, x = make_random_module(num_layers), random_candidates()
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(module.to_numpy().logits(x), expected, rtol=1e-4, atol=1e-5)


@cross_layers
def test_round_trip_through_numpy(num_layers: int) -> None:
    module, x = make_random_module(num_layers), torch.from_numpy(random_candidates())
    state = torch.random.get_rng_state()
    copy = TorchNetwork.from_numpy(module.to_numpy())
    assert torch.equal(torch.random.get_rng_state(), state)
    with torch.no_grad():
        assert torch.equal(copy(x), module(x))


def test_without_training_the_main_logit_is_the_retrieval_score() -> None:
    x = random_candidates()
    logits = make_module(1).to_numpy().logits(x)
    np.testing.assert_allclose(logits[:, 0], 2 * x[:, 1], rtol=1e-5)
    np.testing.assert_allclose(logits[:, 1:], np.tile(np.log(RATES / (1 - RATES)), (7, 1)), rtol=1e-5)


@cross_layers
def test_contributions_sum_up_to_the_difference_of_the_logits(num_layers: int) -> None:
    network, x = make_random_module(num_layers).to_numpy(), random_candidates()
    baseline = x.mean(0)
    found = integrated_gradients(network, x, baseline, TASK_WEIGHTS)
    difference = (network.logits(x) - network.logits(baseline[None])) @ TASK_WEIGHTS
    np.testing.assert_allclose(found.sum(1), difference, rtol=1e-3, atol=1e-4)


@cross_layers
def test_contributions_equal_those_of_finite_differences(num_layers: int) -> None:
    """The numpy network in float64, differentiated by central differences and integrated by the midpoint rule."""
    network, x = make_random_module(num_layers).to_numpy(), random_candidates(3)
    exact = Network(weights={name: value.astype(np.float64) for name, value in network.weights.items()})
    baseline, num_steps, epsilon = x.mean(0).astype(np.float64), 400, 1e-5
    gradient = np.zeros(x.shape)
    for step in (np.arange(num_steps) + 0.5) / num_steps:
        at = baseline + step * (x - baseline)
        for feature, shift in enumerate(epsilon * np.eye(NUM_FEATURES)):
            slope = (exact.logits(at + shift) - exact.logits(at - shift)) / (2 * epsilon)
            gradient[:, feature] += slope @ TASK_WEIGHTS / num_steps
    found = integrated_gradients(network, x, x.mean(0), TASK_WEIGHTS)
    np.testing.assert_allclose(found, gradient * (x - baseline), rtol=1e-3, atol=1e-4)


def test_a_ranker_explains_scores_from_the_mean_candidate() -> None:
    """Without training only the retrieval score contributes."""
    network = make_module(1).to_numpy()
    curve = Calibration(knots=np.array([-1.0, 1.0]), values=np.array([0.0, 1.0]))
    ranker = Ranker(
        names=("a", "score", "b", "c", "d"),
        tasks=("positive", "click", "like"),
        scaling=Scaling(mean_F=np.zeros(5, np.float32), std_F=np.ones(5, np.float32)),
        network=network,
        calibrations=(curve, curve, curve),
        threshold=0.5,
        task_weights_T=np.array([1, 0, 0], np.float32),
        max_history=10,
        num_candidates=10,
    )
    x = random_candidates()
    expected = np.zeros_like(x)
    expected[:, 1] = 2 * (x[:, 1] - x[:, 1].mean())
    np.testing.assert_allclose(ranker.explain(x), expected, atol=1e-5)
