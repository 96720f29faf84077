"""Check that the evaluation's metrics agree with a published reference implementation to 1e-9, on the same scores.

    python benchmarks/agree_with_reference.py --reference DIR --workspace WORKSPACE [--snapshot NAME]

`DIR` holds the reference's `eval.py`; the workspace holds a snapshot of the same data
(`examples/movielens-posters.yaml`). Compares all metrics of the reference user by user, and their bootstrap
intervals, under three protocols (warm, temporal, cold) with four kinds of scores (random, constant, popularity,
item-kNN; the last three are full of ties). Exit code 1 if anything differs by more.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visrec.baselines.item_item import ItemKnn
from visrec.baselines.popularity import Popularity
from visrec.config import SplitConfig
from visrec.data.held_out import HeldOut, hold_out, known_events, ranked_items
from visrec.data.snapshot import Sequences, Snapshot
from visrec.data.splits import TEST, TRAIN
from visrec.evaluation.bootstrap import intervals
from visrec.evaluation.metrics import ranking_metrics
from visrec.evaluation.ranks import rank_targets
from visrec.storage import ArtifactStore

TOLERANCE = 1e-9
KS = (5, 10, 20, 50)
Scores = Callable[[NDArray[np.int64]], NDArray[np.float32]]


def main() -> int:
    """Compare; return 0 if everything agrees."""
    parser = argparse.ArgumentParser(description="Compare the metrics with the published protocol's.")
    parser.add_argument("--reference", required=True, type=Path, help="folder with eval.py")
    parser.add_argument("--workspace", required=True, help="workspace with a snapshot of the same data")
    parser.add_argument("--snapshot", default="latest")
    options = parser.parse_args()
    reference = _load(options.reference / "eval.py")
    data = reference.load_data()
    snapshot = Snapshot(ArtifactStore(options.workspace).find("snapshots", options.snapshot))
    block = _whole(snapshot, data)
    differences = [
        _warm(reference, data, block),
        _temporal(reference, data, snapshot, block),
        _cold(reference, data, snapshot, block),
    ]
    worst = max(differences)
    print(
        f"largest difference {worst:.1e}: {'agrees' if worst <= TOLERANCE else 'DOES NOT AGREE'} to {TOLERANCE:.0e}"
    )
    return 0 if worst <= TOLERANCE else 1


def _load(path: Path) -> Any:
    """Import a module from a file."""
    spec = importlib.util.spec_from_file_location("reference_eval", path)
    if spec is None or spec.loader is None or not path.exists():
        raise SystemExit(f"expected the published protocol at {path}, found no such file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference_eval"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def _whole(snapshot: Snapshot, data: Any) -> Sequences:
    """All sequences as one block (the data is small), checked to be the reference's data."""
    block = _joined(snapshot, SplitConfig())
    users = block.user_index[block.row_of_event]
    same = np.array_equal(users, data.u) and np.array_equal(block.items, data.i)
    if not same or not np.array_equal(block.times // 1000, data.t):
        raise SystemExit(
            "expected the snapshot to hold exactly the reference's users, items, events and order"
        )
    print(f"same data: {len(block):,} users, {snapshot.num_items:,} items, {len(block.items):,} events")
    return block


def _joined(snapshot: Snapshot, split: SplitConfig) -> Sequences:
    blocks = list(snapshot.sequences(split))
    lengths = np.concatenate([np.diff(block.offsets) for block in blocks])
    events = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("user_index", "items", "kinds", "times", "weights", "marks")
    }
    return Sequences(offsets=np.r_[0, np.cumsum(lengths)], **events)


def _scorers(known: Sequences, held_out: HeldOut, num_items: int) -> dict[str, NDArray[np.float32]]:
    """Scores [U, I] of several kinds for the held-out users."""
    histories, times, size = held_out.histories, held_out.times, (len(held_out), num_items)
    return {
        "random": np.random.default_rng(0).random(size, np.float32),
        "constant": np.zeros(size, np.float32),
        "popularity": Popularity.fit([known], num_items).score(histories, times),
        "item-kNN": ItemKnn.fit([known], num_items).score(histories, times),
    }


def _warm(reference: Any, data: Any, block: Sequences) -> float:
    split = reference.warm_split(data)
    held_out = hold_out(block, "test")
    assert np.array_equal(held_out.targets.items, np.concatenate(split.test))
    names = {f"{ours}@{k}": f"{theirs}@{k}" for k in KS for ours, theirs in (("hr", "HR"), ("ndcg", "NDCG"))}
    worst = []
    for kind, scores in _scorers(known_events(block, "test"), held_out, data.n_items).items():
        ours = ranking_metrics(rank_targets(scores, held_out.histories, held_out.targets), KS)
        theirs = reference.evaluate_warm(split, _rows(scores, split.users), ks=KS, per_user=True)
        worst.append(_compare(reference, f"warm, {kind}", ours, theirs, names | {"mrr": "MRR"}))
    return max(worst)


def _temporal(reference: Any, data: Any, snapshot: Snapshot, block: Sequences) -> float:
    split = reference.temporal_split(data)
    ours = _joined(snapshot, SplitConfig(protocol="global_time"))
    cut = int((ours.marks != split.extra["part"]).sum())
    marked = replace(block, marks=split.extra["part"])
    everyone = hold_out(marked, "test")
    chosen = np.flatnonzero(np.isin(everyone.histories.user_index, split.users))
    held_out = HeldOut(histories=everyone.histories.take(chosen), targets=everyone.targets.take(chosen))
    assert np.array_equal(held_out.histories.user_index, split.users)
    print(
        f"temporal: {cut} events at the very second of a cut fall on its other side; {len(everyone) - len(chosen)} "
        "users whose history lies in the validation part are measured here and not there"
    )
    worst = []
    for kind, scores in _scorers(known_events(marked, "test"), held_out, data.n_items).items():
        ranks = rank_targets(scores, held_out.histories, held_out.targets, set_valued=True)
        mine = ranking_metrics(ranks, KS)
        theirs = reference.evaluate_set(split, _rows(scores, split.users), ks=KS, per_user=True)
        worst.append(_compare(reference, f"temporal, {kind}", mine, theirs, _set_names()))
    return max(worst)


def _cold(reference: Any, data: Any, snapshot: Snapshot, block: Sequences) -> float:
    worst = []
    for seed in range(3):
        protocol = SplitConfig(protocol="cold_items", cold_seed=seed)
        split = reference.cold_split(data, seed=seed)
        marked = _joined(snapshot, protocol)
        assert np.array_equal(marked.marks == TEST, np.isin(data.i, split.extra["cold"]))
        assert np.array_equal(
            marked.marks == TRAIN, ~np.isin(data.i, [*split.extra["cold"], *split.extra["valid_cold"]])
        )
        candidates = ranked_items(protocol, data.n_items, "test")
        assert candidates is not None and np.array_equal(candidates, split.extra["cold"])
        held_out = hold_out(marked, "test")
        for kind, scores in _scorers(known_events(marked, "test"), held_out, data.n_items).items():
            ranks = rank_targets(
                scores, held_out.histories, held_out.targets, candidates=candidates, set_valued=True
            )
            ours = ranking_metrics(ranks, KS)
            theirs = reference.evaluate_set(
                split, _rows(scores, split.users), ks=KS, candidates=candidates, auc=True, per_user=True
            )
            names = _set_names() | {"auc": "AUC"}
            worst.append(_compare(reference, f"cold (seed {seed}), {kind}", ours, theirs, names))
    return max(worst)


def _set_names() -> dict[str, str]:
    return {
        f"{ours}@{k}": f"{theirs}@{k}"
        for k in KS
        for ours, theirs in (("recall", "Recall"), ("ndcg", "NDCG"))
    }


def _rows(scores: NDArray[np.float32], users: NDArray[np.int64]) -> Scores:
    """The scores as a function of user indices, which the reference expects."""
    row_of_user = np.full(int(users.max()) + 1, -1)
    row_of_user[users] = np.arange(len(users))
    return lambda wanted: scores[row_of_user[wanted]]


def _compare(
    reference: Any,
    what: str,
    ours: dict[str, NDArray[np.float64]],
    theirs: dict[str, NDArray[np.float64]],
    names: dict[str, str],
) -> float:
    """Largest difference of the metrics of any user, and of the intervals."""
    by_user = max(float(np.abs(ours[a] - theirs[b]).max()) for a, b in names.items())
    mine = intervals({a: ours[a] for a in names}, num_samples=200, seed=0)
    summary = reference.summarise({b: theirs[b] for b in names.values()}, n_boot=200, seed=0)
    by_interval = _largest(
        abs(x - y)
        for a, b in names.items()
        for x, y in zip((mine[a].mean, mine[a].low, mine[a].high), summary[b], strict=True)
    )
    main = next(name for name in names if name.startswith("ndcg@10"))
    print(
        f"{what:<24} {len(ours[main]):>4} users, {len(names):>2} metrics: ndcg@10 {ours[main].mean():.4f}, "
        f"largest difference of a user {by_user:.0e}, of an interval {by_interval:.0e}"
    )
    return max(by_user, by_interval)


def _largest(values: Iterable[float]) -> float:
    return max(values, default=0.0)


if __name__ == "__main__":
    sys.exit(main())
