"""The ranker's network in torch: what training and explanations need beyond the forward pass of `network`.

Shape suffixes: M candidates, Q points of the quadrature, F features, T tasks.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from visrec.ranking.ctr import MAX_POSITIONS
from visrec.ranking.network import Network

_QUADRATURE = 16
"""Points of the Gauss-Legendre rule; the network is smooth, so that the error is about 1e-6."""


class TorchNetwork(nn.Module):
    """`network.Network` in torch, with dropout, and with a position-bias tower that only training reads.

    The position tower (`positions`) adds to the logits of the impression tasks what the position on the page adds to
    the chance of success, so that the network itself learns what the item is worth at any position.

    Example:
        >>> module = TorchNetwork(num_features=3, num_tasks=2, hidden_dim=4, cross_layers=1, dropout=0.0)
        >>> module(torch.zeros(5, 3)).shape
        torch.Size([5, 2])
    """

    skip: Tensor

    def __init__(
        self, *, num_features: int, num_tasks: int, hidden_dim: int, cross_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.cross = nn.ModuleList(nn.Linear(num_features, num_features) for _ in range(cross_layers))
        self.deep = nn.Sequential(
            nn.Linear(num_features, hidden_dim),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, hidden_dim),
            nn.SiLU(),
        )
        self.out = nn.Linear(num_features + hidden_dim, num_tasks)
        self.positions = nn.Embedding(MAX_POSITIONS + 1, num_tasks - 1)
        self.register_buffer("skip", torch.zeros(num_tasks, num_features))

    def initialise(self, skip_F: NDArray[np.float32], rates: NDArray[np.float32]) -> None:
        """Set the weights from which training starts: those of a network that leaves the retriever's order alone.

        Args:
            skip_F: Fixed weights of the features in the main task's logit.
            rates: Share of successes of each task but the main one: float32 [T - 1].
        """
        for layer in self.cross:
            assert isinstance(layer, nn.Linear)
            nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        nn.init.zeros_(self.positions.weight)
        with torch.no_grad():
            self.out.bias[1:] = torch.logit(torch.from_numpy(rates))
            self.skip[0] = torch.from_numpy(skip_F)

    @classmethod
    def from_numpy(cls, network: Network) -> "TorchNetwork":
        """The network in evaluation mode; its position tower has no weights."""
        num_tasks, num_features = network.weights["skip"].shape
        with torch.device("meta"):  # allocates no weights and draws no random number
            module = cls(
                num_features=num_features,
                num_tasks=num_tasks,
                hidden_dim=len(network.weights["deep.0.bias"]),
                cross_layers=network.num_cross_layers,
                dropout=0.0,
            )
        weights = {name: torch.tensor(value) for name, value in network.weights.items()}
        module.load_state_dict(weights, strict=False, assign=True)
        return module.eval()

    def to_numpy(self) -> Network:
        """The network without its position tower."""
        return Network(
            weights={
                name: tensor.detach().numpy().copy()
                for name, tensor in self.state_dict().items()
                if not name.startswith("positions")
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits [..., T] of scaled features [..., F]."""
        cross = x
        for layer in self.cross:
            cross = x * layer(cross) + cross
        logits: Tensor = self.out(torch.cat([cross, self.deep(x)], dim=-1)) + x @ self.skip.T
        return logits


def integrated_gradients(
    network: Network,
    x_MF: NDArray[np.float32],
    baseline_F: NDArray[np.float32],
    task_weights_T: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Attribution of each candidate's logit to its features: integrated gradients (Sundararajan et al. 2017).

    The gradient of the weighted sum of the tasks' logits is integrated along the straight line from the baseline to
    the candidate, so that a row sums up to the candidate's logit minus that of the baseline.

    Args:
        network: Whose logits are explained.
        x_MF: Scaled features of the candidates.
        baseline_F: Scaled features that a candidate is compared with.
        task_weights_T: Weights of the tasks' logits.

    Returns:
        float32 [M, F].
    """
    points_Q, weights_Q = np.polynomial.legendre.leggauss(_QUADRATURE)  # of the interval from -1 to 1
    steps_Q = ((points_Q + 1) / 2)[:, None, None]
    path_QMF = torch.tensor(
        (baseline_F + steps_Q * (x_MF - baseline_F)).astype(np.float32), requires_grad=True
    )
    logits_QMT = TorchNetwork.from_numpy(network)(path_QMF)
    (gradient_QMF,) = torch.autograd.grad((logits_QMT @ torch.tensor(task_weights_T)).sum(), path_QMF)
    mean_MF = np.tensordot(weights_Q / 2, gradient_QMF.numpy(), axes=1)
    return np.asarray(mean_MF * (x_MF - baseline_F), np.float32)
