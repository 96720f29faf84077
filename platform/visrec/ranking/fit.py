"""Training the ranker's network.

The main task is listwise: a softmax over the retrieved candidates (Cao et al. 2007), of which the held-out items are to
have the probability. The other tasks are pointwise, on impressions. They share the network below the output layer.

Shape suffixes: U users, M candidates, N impressions, F features, T tasks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from visrec.config import RankerConfig
from visrec.ranking.ctr import MAX_POSITIONS, position_slot
from visrec.ranking.network import Network
from visrec.ranking.ranker import log_softmax

_POSITIONS_RATE = 10.0
"""The tower of positions learns so many times as fast as the network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    """What the network is fitted to; features are scaled.

    Attributes:
        lists_UMF: Features of the retrieved lists, float32.
        valid_UM: Where there is a candidate, bool.
        labels_UM: Which candidates were taken, bool.
        rows_NF: Features of impressions, float32.
        successes_NT: For each task but the main one whether the impression was a success, bool.
        positions_N: Place on the page, -1 where it is not known, int32.
    """

    lists_UMF: NDArray[np.float32]
    valid_UM: NDArray[np.bool_]
    labels_UM: NDArray[np.bool_]
    rows_NF: NDArray[np.float32]
    successes_NT: NDArray[np.bool_]
    positions_N: NDArray[np.int32]

    def take(self, users_U: NDArray[np.bool_], rows_N: NDArray[np.bool_]) -> "Examples":
        """Only some users and some impressions."""
        return Examples(
            lists_UMF=self.lists_UMF[users_U],
            valid_UM=self.valid_UM[users_U],
            labels_UM=self.labels_UM[users_U],
            rows_NF=self.rows_NF[rows_N],
            successes_NT=self.successes_NT[rows_N],
            positions_N=self.positions_N[rows_N],
        )


class _TorchNetwork(nn.Module):
    """`network.Network` in torch, with dropout, and with the tower of positions that only training knows."""

    skip: Tensor

    def __init__(
        self, skip_F: NDArray[np.float32], rate_T: NDArray[np.float32], config: RankerConfig
    ) -> None:
        super().__init__()
        num_features, num_tasks, hidden = len(skip_F), 1 + len(rate_T), config.hidden_dim
        cross = [nn.Linear(num_features, num_features) for _ in range(config.cross_layers)]
        self.cross = nn.ModuleList(cross)
        self.deep = nn.Sequential(
            nn.Linear(num_features, hidden),
            nn.SiLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, hidden),
            nn.SiLU(),
        )
        self.out = nn.Linear(num_features + hidden, num_tasks)
        # How much more a place is looked at than others; what the network says of an item is then free of it.
        self.positions = nn.Embedding(MAX_POSITIONS + 1, num_tasks - 1)
        skip_TF = torch.zeros(num_tasks, num_features)
        skip_TF[0] = torch.from_numpy(skip_F)
        self.register_buffer("skip", skip_TF)
        for layer in cross:
            nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        with torch.no_grad():  # the mean first, then what tells the candidates apart
            self.out.bias[1:] = torch.logit(torch.from_numpy(rate_T))
        nn.init.zeros_(self.positions.weight)

    def forward(self, x: Tensor) -> Tensor:
        cross = x
        for layer in self.cross:
            cross = x * layer(cross) + cross
        logits: Tensor = self.out(torch.cat([cross, self.deep(x)], dim=-1)) + x @ self.skip.T
        return logits


@dataclass(frozen=True, kw_only=True, slots=True)
class Fitted:
    """What came out.

    Attributes:
        network: The network.
        positions_TP: Log-odds that each place on the page adds to each task but the main one, float32; slot 0: unknown.
    """

    network: Network
    positions_TP: NDArray[np.float32]


def fit_network(examples: Examples, skip_F: NDArray[np.float32], config: RankerConfig, seed: int) -> Fitted:
    """Fit to all examples for the config's number of epochs; equal input gives equal weights.

    Args:
        examples: Lists and impressions.
        skip_F: Fixed weights of the main task, float32: the retrieval score as it is.
        config: Size of the network, learning rate, and so on.
        seed: Of initial weights, order and dropout.
    """
    num_rows, num_tasks = examples.successes_NT.shape
    rate_T = ((examples.successes_NT.sum(0) + 1) / (num_rows + 2)).astype(np.float32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        twin = _TorchNetwork(skip_F, rate_T.reshape(num_tasks), config)
        _train(twin, examples, config, np.random.default_rng(seed))
    weights = {
        name: tensor.detach().numpy().copy()
        for name, tensor in twin.state_dict().items()
        if not name.startswith("positions")
    }
    return Fitted(
        network=Network(weights=weights), positions_TP=twin.positions.weight.detach().numpy().T.copy()
    )


def _train(twin: _TorchNetwork, examples: Examples, config: RankerConfig, rng: np.random.Generator) -> None:
    # A list without a held-out item says nothing about the order.
    users = np.flatnonzero(examples.labels_UM.any(1))
    lists, there, labels = (
        torch.from_numpy(a) for a in (examples.lists_UMF, examples.valid_UM, examples.labels_UM)
    )
    rows = torch.from_numpy(examples.rows_NF)
    successes = torch.from_numpy(examples.successes_NT.astype(np.float32))
    slots = torch.from_numpy(position_slot(examples.positions_N))
    num_steps = max(1, -(-len(users) // config.batch_size))
    optimizer = torch.optim.AdamW(_parameter_groups(twin, config))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=config.epochs * num_steps,
    )
    twin.train()
    for _ in range(config.epochs):
        order = np.array_split(rng.permutation(users), num_steps)
        impressions = np.array_split(rng.permutation(len(rows)), num_steps)
        for chosen, shown in zip(order, impressions, strict=True):
            loss = torch.zeros(())
            if len(chosen):
                loss = loss + _listwise(twin(lists[chosen])[..., 0], there[chosen], labels[chosen])
            if len(shown) and successes.shape[1]:
                logits = twin(rows[shown])[:, 1:] + twin.positions(slots[shown])
                loss = loss + config.impression_weight * F.binary_cross_entropy_with_logits(
                    logits, successes[shown]
                )
            optimizer.zero_grad()
            if loss.requires_grad:
                torch.autograd.backward(loss)
                optimizer.step()
            schedule.step()


def _parameter_groups(twin: _TorchNetwork, config: RankerConfig) -> list[dict[str, Any]]:
    """Weights decay, biases do not; the few numbers of the tower of positions learn fast."""
    named = dict(twin.named_parameters())
    positions = named.pop("positions.weight")
    return [
        {
            "params": [p for n, p in named.items() if not n.endswith("bias")],
            "lr": config.learning_rate,
            "weight_decay": config.weight_decay,
        },
        {
            "params": [p for n, p in named.items() if n.endswith("bias")],
            "lr": config.learning_rate,
            "weight_decay": 0.0,
        },
        {"params": [positions], "lr": _POSITIONS_RATE * config.learning_rate, "weight_decay": 0.0},
    ]


def _listwise(logits_UM: Tensor, valid_UM: Tensor, labels_UM: Tensor) -> Tensor:
    """Cross entropy of the softmax over each list; several held-out items share the probability."""
    log_probability = torch.log_softmax(logits_UM.masked_fill(~valid_UM, -1e9), dim=1)
    targets = labels_UM / labels_UM.sum(1, keepdim=True)
    loss: Any = -(targets * log_probability).sum(1).mean()
    return loss  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutScores:
    """Scores of networks that have not seen the user.

    Attributes:
        lists_UMT: Logits of all tasks on the retrieved lists, float32.
        rows_NT: Logits of all tasks but the main one on the impressions, as if all places were alike, float32.
    """

    lists_UMT: NDArray[np.float32]
    rows_NT: NDArray[np.float32]

    def list_evidence(self, valid_UM: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Log of the main task's softmax within each list, of all candidates one after the other."""
        lists = zip(self.lists_UMT[..., 0], valid_UM, strict=True)
        return np.concatenate([log_softmax(row[there]) for row, there in lists])

    def list_order(
        self, valid_UM: NDArray[np.bool_], task_weights_T: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What the lists are put in order by, as `Ranker.scores` does but for a constant; last where there is nothing.

        Example:
            >>> scores = HeldOutScores(np.float32([[[3, 0], [1, 5], [9, 9]]]), np.empty((0, 1), np.float32))
            >>> scores.list_order(np.array([[True, True, False]]), np.float32([1, 2])).tolist()
            [[3.0, 11.0, -inf]]
        """
        return np.where(valid_UM, self.lists_UMT @ task_weights_T, np.float32(-np.inf))


def cross_fit(
    examples: Examples,
    user_U: NDArray[np.int32],
    user_N: NDArray[np.int32],
    skip_F: NDArray[np.float32],
    config: RankerConfig,
    seed: int,
) -> HeldOutScores:
    """Fit `config.folds` networks, each to all but one part of the users, and score that part.

    Args:
        examples: Lists and impressions.
        user_U: User index of each list.
        user_N: User index of each impression.
        skip_F: See `fit_network`.
        config: Also how many parts.
        seed: Of the parts and of the networks.
    """
    fold_U, fold_N = fold_of(user_U, config.folds, seed), fold_of(user_N, config.folds, seed)
    num_tasks = 1 + examples.successes_NT.shape[1]
    lists_UMT = np.zeros((*examples.labels_UM.shape, num_tasks), np.float32)
    rows_NT = np.zeros(examples.successes_NT.shape, np.float32)
    for fold in range(config.folds):
        network = fit_network(
            examples.take(fold_U != fold, fold_N != fold), skip_F, config, seed + 1 + fold
        ).network
        held_U, held_N = np.flatnonzero(fold_U == fold), np.flatnonzero(fold_N == fold)
        for row in held_U:
            lists_UMT[row] = network.logits(examples.lists_UMF[row])
        rows_NT[held_N] = network.logits(examples.rows_NF[held_N])[:, 1:]
    return HeldOutScores(lists_UMT=lists_UMT, rows_NT=rows_NT)


def fold_of(users: NDArray[np.int32], num_folds: int, seed: int) -> NDArray[np.int64]:
    """The part that each user belongs to, by a hash of its index (Knuth's multiplicative): int64 of the same shape."""
    mixed = (users.astype(np.uint64) + np.uint64(seed) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(num_folds)).astype(np.int64)
