"""Fitting the ranker's network with torch, also by cross-fitting, so that held-out scores exist for every user.

The main task is listwise: cross entropy of a softmax over the retrieved candidates (Cao et al. 2007) with the held-out
items as targets. The other tasks are pointwise: binary cross entropy on impressions. All tasks share the network below
the output layer.

Shape suffixes: U users, M candidates, N impressions, F features, T tasks.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from visrec.config import RankerConfig
from visrec.ranking.ctr import position_slot
from visrec.ranking.network import Network, log_softmax
from visrec.ranking.torch_network import TorchNetwork

_POSITIONS_RATE = 10.0
"""Learning rate of the position tower, as a multiple of that of the network."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examples:
    """Training examples with scaled features.

    Attributes:
        lists_UMF: Features of the retrieved lists, float32.
        valid_UM: Whether there is a candidate at this place of the list, bool.
        labels_UM: Whether the candidate is held out, bool.
        rows_NF: Features of impressions, float32.
        successes_NT: Whether the impression was a success, for each task but the main one: bool.
        positions_N: Position on the page, -1 where it is not known: int32.
    """

    lists_UMF: NDArray[np.float32]
    valid_UM: NDArray[np.bool_]
    labels_UM: NDArray[np.bool_]
    rows_NF: NDArray[np.float32]
    successes_NT: NDArray[np.bool_]
    positions_N: NDArray[np.int32]

    def take(self, users_U: NDArray[np.bool_], rows_N: NDArray[np.bool_]) -> "Examples":
        """Only some users' lists and some impressions."""
        return Examples(
            lists_UMF=self.lists_UMF[users_U],
            valid_UM=self.valid_UM[users_U],
            labels_UM=self.labels_UM[users_U],
            rows_NF=self.rows_NF[rows_N],
            successes_NT=self.successes_NT[rows_N],
            positions_N=self.positions_N[rows_N],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FittedNetwork:
    """Result of a fit.

    Attributes:
        network: The network.
        position_logits_TP: What each slot of `position_slot` adds to the logit of each task but the main one, float32.
    """

    network: Network
    position_logits_TP: NDArray[np.float32]


def fit_network(
    examples: Examples, skip_F: NDArray[np.float32], config: RankerConfig, seed: int
) -> FittedNetwork:
    """Fit to all examples for the config's number of epochs; equal input gives equal weights.

    Args:
        examples: Lists and impressions.
        skip_F: Fixed weights of the features in the main task's logit, float32: those of the retrieval score.
        config: Size of the network, learning rate, and so on.
        seed: Of initial weights, order of the examples, and dropout.
    """
    num_rows, num_tasks = examples.successes_NT.shape
    rates = ((examples.successes_NT.sum(0) + 1) / (num_rows + 2)).astype(np.float32).reshape(num_tasks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = TorchNetwork(
            num_features=len(skip_F),
            num_tasks=1 + num_tasks,
            hidden_dim=config.hidden_dim,
            cross_layers=config.cross_layers,
            dropout=config.dropout,
        )
        module.initialise(skip_F, rates)
        _run_epochs(module, examples, config, np.random.default_rng(seed))
    return FittedNetwork(
        network=module.to_numpy(), position_logits_TP=module.positions.weight.detach().numpy().T.copy()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldOutScores:
    """Logits from networks that were not trained on the user.

    Attributes:
        lists_UMT: Logits of all tasks on the retrieved lists, float32.
        rows_NT: Logits of all tasks but the main one on the impressions, without the position tower: float32.
    """

    lists_UMT: NDArray[np.float32]
    rows_NT: NDArray[np.float32]

    def main_logits(self, valid_UM: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Log of the main task's softmax within each list, for all candidates of all lists one after the other."""
        lists = zip(self.lists_UMT[..., 0], valid_UM, strict=True)
        return np.concatenate([log_softmax(logits[valid]) for logits, valid in lists])

    def ranking_scores(
        self, valid_UM: NDArray[np.bool_], task_weights_T: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Scores that the lists are ordered by: `Ranker.scores` up to a constant, -inf where there is no candidate.

        Example:
            >>> lists_UMT = np.float32([[[3, 0], [1, 5], [9, 9]]])
            >>> scores = HeldOutScores(lists_UMT=lists_UMT, rows_NT=np.empty((0, 1), np.float32))
            >>> scores.ranking_scores(np.array([[True, True, False]]), np.float32([1, 2])).tolist()
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
    """Fit `config.folds` networks, each to all but one fold of the users, and score that fold.

    Args:
        examples: Lists and impressions.
        user_U: User index of each list.
        user_N: User index of each impression.
        skip_F: See `fit_network`.
        config: Also the number of folds.
        seed: Of the folds and of the networks.
    """
    fold_U, fold_N = fold_of(user_U, config.folds, seed), fold_of(user_N, config.folds, seed)
    num_tasks = 1 + examples.successes_NT.shape[1]
    lists_UMT = np.zeros((*examples.labels_UM.shape, num_tasks), np.float32)
    rows_NT = np.zeros(examples.successes_NT.shape, np.float32)
    for fold in range(config.folds):
        others = examples.take(fold_U != fold, fold_N != fold)
        network = fit_network(others, skip_F, config, seed + 1 + fold).network
        held_U, held_N = np.flatnonzero(fold_U == fold), np.flatnonzero(fold_N == fold)
        for row in held_U:
            lists_UMT[row] = network.logits(examples.lists_UMF[row])
        rows_NT[held_N] = network.logits(examples.rows_NF[held_N])[:, 1:]
    return HeldOutScores(lists_UMT=lists_UMT, rows_NT=rows_NT)


def fold_of(users: NDArray[np.int32], num_folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of each user, by a hash of its index (Knuth's multiplicative): int64 of the same shape."""
    mixed = (users.astype(np.uint64) + np.uint64(seed) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(num_folds)).astype(np.int64)


def _run_epochs(
    module: TorchNetwork, examples: Examples, config: RankerConfig, rng: np.random.Generator
) -> None:
    """Train in place with AdamW under a one-cycle schedule; a step takes a batch of lists and one of impressions."""
    users = np.flatnonzero(examples.labels_UM.any(1))  # a list without a held-out item has no target
    lists, valid, labels = (
        torch.from_numpy(a) for a in (examples.lists_UMF, examples.valid_UM, examples.labels_UM)
    )
    rows = torch.from_numpy(examples.rows_NF)
    successes = torch.from_numpy(examples.successes_NT.astype(np.float32))
    slots = torch.from_numpy(position_slot(examples.positions_N))
    num_steps = max(1, -(-len(users) // config.batch_size))
    optimizer = torch.optim.AdamW(_parameter_groups(module, config))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        [group["lr"] for group in optimizer.param_groups],
        total_steps=config.epochs * num_steps,
    )
    module.train()
    for _ in range(config.epochs):
        list_batches = np.array_split(rng.permutation(users), num_steps)
        row_batches = np.array_split(rng.permutation(len(rows)), num_steps)
        for batch_U, batch_N in zip(list_batches, row_batches, strict=True):
            loss = torch.zeros(())
            if len(batch_U):
                loss = loss + _listwise_loss(module(lists[batch_U])[..., 0], valid[batch_U], labels[batch_U])
            if len(batch_N) and successes.shape[1]:
                logits = module(rows[batch_N])[:, 1:] + module.positions(slots[batch_N])
                loss = loss + config.impression_weight * F.binary_cross_entropy_with_logits(
                    logits, successes[batch_N]
                )
            optimizer.zero_grad()
            if loss.requires_grad:
                torch.autograd.backward(loss)
                optimizer.step()
            schedule.step()


def _listwise_loss(logits_UM: Tensor, valid_UM: Tensor, labels_UM: Tensor) -> Tensor:
    """Cross entropy of the softmax over each list; several held-out items share the target probability."""
    log_probability = torch.log_softmax(logits_UM.masked_fill(~valid_UM, -1e9), dim=1)
    targets = labels_UM / labels_UM.sum(1, keepdim=True)
    loss: Any = -(targets * log_probability).sum(1).mean()
    return loss  # type: ignore[no-any-return]


def _parameter_groups(module: TorchNetwork, config: RankerConfig) -> list[dict[str, Any]]:
    """Weights with weight decay, biases without; the few numbers of the position tower at a rate of their own."""
    named = dict(module.named_parameters())
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
