"""From a checkpoint and its snapshot to a ranker, and to what is known of its quality."""

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
from visrec.ranking.ctr import position_slot
from visrec.ranking.features import known_features
from visrec.ranking.fit import Examples, HeldOutScores, cross_fit, fit_network, fold_of
from visrec.ranking.item_facts import ItemFacts
from visrec.ranking.lists import Impressions, ListMaker, RetrievedLists
from visrec.ranking.network import Scaling
from visrec.ranking.quality import Calibration, OrderQuality, TaskQuality, judge_order, judge_task
from visrec.ranking.ranker import Ranker

_MIN_LISTS = 10
"""Least number of users with a retrieved held-out item."""

_EXPLAINED = 300
"""Lists whose scores are taken apart to see what matters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RankerTraining:
    """A ranker and how good it is on users that its network had not seen.

    Attributes:
        ranker: Fitted to all users.
        order: NDCG@10 of the lists before and after.
        tasks: By name.
        importance: Mean size of each feature's share of a score, in log-odds.
        examination: By task but the main one, odds of success at each place of the page relative to the first.
        num_lists: Lists learned from.
        num_impressions: Impressions learned from.
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
    """Learn from the validation part of the split that the checkpoint was trained on.

    Raises:
        ConfigError: The checkpoint was fitted on the validation part as well, or a weight is of an unknown task.
        DataError: Too few users have a held-out item among their candidates.
    """
    split = checkpoint.split
    if split.fit_on != "train":
        raise ConfigError(
            "a ranker learns from the validation events, which its checkpoint must not have seen: expected one trained"
            f" with training.split.fit_on=train, got {checkpoint.name}, trained with {split.fit_on}"
        )
    towers = TwoTowerScorer.load(checkpoint)
    facts = ItemFacts.fit(
        snapshot,
        split,
        "validation",
        vectors_ID=towers.vectors_ID,
        biases_I=towers.recommender.item_biases,
    )
    maker = ListMaker(
        snapshot=snapshot, split=split, towers=towers, facts=facts, names=known_features(facts), config=config
    )
    users = sample_users(snapshot.num_users, 1, config.max_users, seed)
    lists, impressions = maker.make("validation", users, impressions=bool(config.tasks))
    num_found = np.bincount(fold_of(lists.user_U[lists.labels_UM.any(1)], 2, seed + 1), minlength=2)
    if num_found.sum() < _MIN_LISTS or not num_found.all():
        raise DataError(
            f"expected at least {_MIN_LISTS} users with a validation event among their {config.num_candidates}"
            f" candidates, and some in each half of the users, got {num_found[0]} and {num_found[1]}"
        )
    return _learn(lists, impressions, maker, seed)


def _learn(lists: RetrievedLists, impressions: Impressions, maker: ListMaker, seed: int) -> RankerTraining:
    config, names = maker.config, maker.names
    kinds = _learnable(impressions, config, seed)
    tasks = (POSITIVE, *kinds)
    if unknown := sorted(set(config.task_weights) - set(tasks)):
        raise ConfigError(
            f"ranker.task_weights: expected some of {', '.join(tasks)}, got {', '.join(unknown)}"
        )
    scaling = Scaling.fit(lists.features_UMF[lists.valid_UM])
    examples = Examples(
        lists_UMF=scaling.apply(lists.features_UMF) * lists.valid_UM[..., None],
        valid_UM=lists.valid_UM,
        labels_UM=lists.labels_UM,
        rows_NF=scaling.apply(impressions.features_NF),
        successes_NT=_columns([impressions.labels(kind) for kind in kinds], len(impressions)),
        positions_N=impressions.positions_N,
    )
    skip_F = np.where(np.array(names) == "score", scaling.std_F, 0).astype(np.float32)
    held_out = cross_fit(examples, lists.user_U, impressions.user_N, skip_F, config, seed)
    fitted = fit_network(examples, skip_F, config, seed)
    logit = {POSITIVE: held_out.list_evidence(lists.valid_UM)}
    labels = {POSITIVE: lists.labels_UM[lists.valid_UM]}
    users = {POSITIVE: np.repeat(lists.user_U, lists.valid_UM.sum(1))}
    for place, task in enumerate(tasks[1:]):
        logit[task], labels[task] = held_out.rows_NT[:, place], examples.successes_NT[:, place]
        users[task] = impressions.user_N
    threshold = best_threshold(logit[POSITIVE], labels[POSITIVE])
    calibrations = tuple(Calibration.fit(logit[t], labels[t], config.calibration) for t in tasks)
    ranker = Ranker(
        names=names,
        tasks=tasks,
        scaling=scaling,
        network=fitted.network,
        calibrations=calibrations,
        threshold=float(calibrations[0].apply(np.array([threshold]))[0]),
        task_weights_T=np.array([config.task_weights.get(task, 0) for task in tasks], np.float32),
        max_history=config.max_history,
        num_candidates=config.num_candidates,
    )
    length = 1 + int(position_slot(impressions.positions_N).max(initial=0))
    return RankerTraining(
        ranker=ranker,
        order=_order(lists, held_out, ranker.task_weights_T, seed),
        tasks={
            t: judge_task(logit[t], labels[t], fold_of(users[t], 2, seed + 1), config.calibration)
            for t in tasks
        },
        importance=_importance(ranker, lists),
        examination={
            task: np.exp(row[1:length] - row[1]).round(4).tolist()
            for task, row in zip(tasks[1:], fitted.positions_TP, strict=True)
        },
        num_lists=len(lists),
        num_impressions=len(impressions),
    )


def _learnable(impressions: Impressions, config: RankerConfig, seed: int) -> list[EventKind]:
    """Tasks with enough successes and failures, some of both in each part that is scored or judged by itself."""
    folds = fold_of(impressions.user_N, config.folds, seed)
    halves = fold_of(impressions.user_N, 2, seed + 1)
    found = []
    for task in config.tasks:
        labels = impressions.labels(task)
        enough = min(labels.sum(), (~labels).sum()) >= config.min_task_examples
        if enough and _both_in_each(labels, folds, config.folds) and _both_in_each(labels, halves, 2):
            found.append(task)
    return found


def _both_in_each(labels: NDArray[np.bool_], part: NDArray[np.int64], num_parts: int) -> bool:
    """Whether each part has successes and failures."""
    return all(np.bincount(part[labels == value], minlength=num_parts).all() for value in (True, False))


def _columns(columns: list[NDArray[np.bool_]], num_rows: int) -> NDArray[np.bool_]:
    return np.stack(columns, axis=1) if columns else np.zeros((num_rows, 0), np.bool_)


def _importance(ranker: Ranker, lists: RetrievedLists) -> dict[str, float]:
    shares = [
        np.abs(ranker.explain(features[there])).mean(0)
        for features, there in zip(lists.features_UMF[:_EXPLAINED], lists.valid_UM, strict=False)
    ]
    means = zip(ranker.names, np.mean(shares, axis=0).tolist(), strict=True)
    return dict(sorted(means, key=lambda item: -item[1]))


def _order(
    lists: RetrievedLists, held_out: HeldOutScores, task_weights_T: NDArray[np.float32], seed: int
) -> OrderQuality:
    before_UM = -np.broadcast_to(np.arange(lists.labels_UM.shape[1], dtype=np.float32), lists.labels_UM.shape)
    after_UM = held_out.list_order(lists.valid_UM, task_weights_T)
    return judge_order(before_UM, after_UM, lists.labels_UM, lists.num_targets_U, seed)
