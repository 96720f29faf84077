"""Training of a ranker, from a checkpoint and its snapshot to the fitted ranker and its quality on held-out users."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visrec.config import EventKind, RankerConfig
from visrec.config.ranker import POSITIVE
from visrec.data.snapshot import Snapshot
from visrec.errors import ConfigError, DataError
from visrec.evaluation.pairs import best_threshold, sample_users
from visrec.evaluation.scorers import TwoTowerScorer
from visrec.models.checkpoint import Checkpoint
from visrec.ranking.calibration import Calibration
from visrec.ranking.ctr import position_slot
from visrec.ranking.features import available_features
from visrec.ranking.fitting import Examples, FittedNetwork, HeldOutScores, cross_fit, fit_network, fold_of
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.network import Scaling
from visrec.ranking.quality import OrderQuality, TaskQuality, order_quality, task_quality
from visrec.ranking.ranker import Ranker
from visrec.ranking.training_data import Impressions, RetrievedLists, TrainingDataBuilder

_MIN_LISTS = 10
"""Least number of users with a retrieved held-out item."""
_EXPLAINED = 300
"""Lists whose scores are explained for the importance of the features."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankerTraining:
    """A ranker and its quality on users that its network was not trained on.

    Attributes:
        ranker: Fitted to all users.
        order: NDCG@10 of the lists before and after.
        tasks: Quality by task.
        importance: Mean absolute contribution of each feature to a score (in logits), largest first.
        examination: By task but the main one, odds of success at each position of the page relative to the first.
        num_lists: Lists in the training data.
        num_impressions: Impressions in the training data.
    """

    ranker: Ranker
    order: OrderQuality
    tasks: dict[str, TaskQuality]
    importance: dict[str, float]
    examination: dict[str, list[float]]
    num_lists: int
    num_impressions: int


def train_ranker(
    checkpoint: Checkpoint, snapshot: Snapshot, config: RankerConfig, seed: int
) -> RankerTraining:
    """Train on the validation part of the split that the checkpoint was trained on.

    Args:
        checkpoint: The two towers; they must not have been fitted on the validation part.
        snapshot: That the checkpoint was trained on.
        config: Of the ranker.
        seed: Of the sampled users, the folds, and the networks.

    Raises:
        ConfigError: The checkpoint was fitted on the validation part as well, or a weight is of an unknown task.
        DataError: Too few users have a held-out item among their candidates.
    """
    split = checkpoint.split
    if split.fit_on != "train" and not checkpoint.is_refitted:
        raise ConfigError(
            "a ranker learns from the validation events, which its checkpoint must not have seen: expected one trained"
            f" with training.split.fit_on=train, got {checkpoint.name}, trained with {split.fit_on}"
        )
    towers = TwoTowerScorer.load(checkpoint, "validation")
    items = ItemFeatures.fit(
        snapshot,
        split,
        "validation",
        recommender=towers.recommender,
        vectors_ID=towers.vectors_ID,
    )
    builder = TrainingDataBuilder(
        snapshot=snapshot,
        split=split,
        towers=towers,
        item_features=items,
        names=available_features(items),
        config=config,
    )
    users = sample_users(snapshot.num_users, 1, config.max_users, seed)
    lists, impressions = builder.build("validation", users, impressions=bool(config.tasks))
    _check_lists(lists, config, seed)
    return _train(lists, impressions, builder.names, config, seed)


def _train(
    lists: RetrievedLists, impressions: Impressions, names: tuple[str, ...], config: RankerConfig, seed: int
) -> RankerTraining:
    kinds = _trainable_tasks(impressions, config, seed)
    tasks = (POSITIVE, *kinds)
    if unknown := sorted(set(config.task_weights) - set(tasks)):
        raise ConfigError(
            f"ranker.task_weights: expected some of {', '.join(tasks)}, got {', '.join(unknown)}"
        )
    scaling = Scaling.fit(lists.features_UMF[lists.valid_UM])
    examples = _scaled_examples(lists, impressions, kinds, scaling)
    skip_F = np.where(np.array(names) == "score", scaling.std_F, 0).astype(np.float32)
    held_out = cross_fit(examples, lists.user_U, impressions.user_N, skip_F, config, seed)
    fitted = fit_network(examples, skip_F, config, seed)

    logits = {POSITIVE: held_out.main_logits(lists.valid_UM)}
    labels = {POSITIVE: lists.labels_UM[lists.valid_UM]}
    users = {POSITIVE: np.repeat(lists.user_U, lists.valid_UM.sum(1))}
    for place, task in enumerate(kinds):
        logits[task], labels[task] = held_out.rows_NT[:, place], examples.successes_NT[:, place]
        users[task] = impressions.user_N
    calibrations = tuple(Calibration.fit(logits[t], labels[t], config.calibration) for t in tasks)
    threshold = np.array([best_threshold(logits[POSITIVE], labels[POSITIVE])])
    ranker = Ranker(
        names=names,
        tasks=tasks,
        scaling=scaling,
        network=fitted.network,
        calibrations=calibrations,
        threshold=float(calibrations[0].apply(threshold)[0]),
        task_weights_T=np.array([config.task_weights.get(task, 0) for task in tasks], np.float32),
        max_history=config.max_history,
        num_candidates=config.num_candidates,
    )
    halves = {task: fold_of(users[task], 2, seed + 1) for task in tasks}
    return RankerTraining(
        ranker=ranker,
        order=_order_quality(lists, held_out, ranker.task_weights_T, seed),
        tasks={t: task_quality(logits[t], labels[t], halves[t], config.calibration) for t in tasks},
        importance=_importance(ranker, lists),
        examination=_examination(fitted, kinds, impressions.positions_N),
        num_lists=len(lists),
        num_impressions=len(impressions),
    )


def _check_lists(lists: RetrievedLists, config: RankerConfig, seed: int) -> None:
    num_found = np.bincount(fold_of(lists.user_U[lists.labels_UM.any(1)], 2, seed + 1), minlength=2)
    if num_found.sum() < _MIN_LISTS or not num_found.all():
        raise DataError(
            f"expected at least {_MIN_LISTS} users with a validation event among their {config.num_candidates}"
            f" candidates, and some in each half of the users, got {num_found[0]} and {num_found[1]}"
        )


def _trainable_tasks(impressions: Impressions, config: RankerConfig, seed: int) -> list[EventKind]:
    """Tasks with enough successes and failures, and some of both in each fold and in each half of the users."""
    folds = fold_of(impressions.user_N, config.folds, seed)
    halves = fold_of(impressions.user_N, 2, seed + 1)
    found = []
    for task in config.tasks:
        labels = impressions.labels(task)
        enough = min(labels.sum(), (~labels).sum()) >= config.min_task_examples
        if enough and _both_in_each(labels, folds, config.folds) and _both_in_each(labels, halves, 2):
            found.append(task)
    return found


def _both_in_each(labels: NDArray[np.bool_], fold: NDArray[np.int64], num_folds: int) -> bool:
    """Whether each fold has successes and failures."""
    return all(np.bincount(fold[labels == value], minlength=num_folds).all() for value in (True, False))


def _scaled_examples(
    lists: RetrievedLists, impressions: Impressions, kinds: list[EventKind], scaling: Scaling
) -> Examples:
    successes = [impressions.labels(kind) for kind in kinds]
    return Examples(
        lists_UMF=scaling.apply(lists.features_UMF) * lists.valid_UM[..., None],
        valid_UM=lists.valid_UM,
        labels_UM=lists.labels_UM,
        rows_NF=scaling.apply(impressions.features_NF),
        successes_NT=np.stack(successes, axis=1) if kinds else np.zeros((len(impressions), 0), np.bool_),
        positions_N=impressions.positions_N,
    )


def _order_quality(
    lists: RetrievedLists, held_out: HeldOutScores, task_weights_T: NDArray[np.float32], seed: int
) -> OrderQuality:
    before_UM = -np.broadcast_to(np.arange(lists.labels_UM.shape[1], dtype=np.float32), lists.labels_UM.shape)
    after_UM = held_out.ranking_scores(lists.valid_UM, task_weights_T)
    return order_quality(before_UM, after_UM, lists.labels_UM, lists.num_targets_U, seed)


def _importance(ranker: Ranker, lists: RetrievedLists) -> dict[str, float]:
    shares = [
        np.abs(ranker.explain(features_MF[valid_M])).mean(0)
        for features_MF, valid_M in zip(lists.features_UMF[:_EXPLAINED], lists.valid_UM, strict=False)
    ]
    means = zip(ranker.names, np.mean(shares, axis=0).tolist(), strict=True)
    return dict(sorted(means, key=lambda item: -item[1]))


def _examination(
    fitted: FittedNetwork, kinds: list[EventKind], positions_N: NDArray[np.int32]
) -> dict[str, list[float]]:
    num_slots = 1 + int(position_slot(positions_N).max(initial=0))
    return {
        task: np.exp(logits_P[1:num_slots] - logits_P[1]).round(4).tolist()
        for task, logits_P in zip(kinds, fitted.position_logits_TP, strict=True)
    }
