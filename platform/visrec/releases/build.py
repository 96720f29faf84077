"""Making a release from a checkpoint, the snapshot it was trained on, and the report that measured it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import fs as pafs

from visrec.arrays import unit_vectors
from visrec.config import EVENT_KINDS, ReleaseConfig, SplitConfig
from visrec.data.interactions import last_reactions, read_log
from visrec.data.snapshot import Snapshot
from visrec.errors import VisrecError
from visrec.models import Recommender
from visrec.models.checkpoint import ITEM_VECTORS, Checkpoint
from visrec.models.item_inputs import Pictures
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.ranker import FACTS, WEIGHTS, Ranker
from visrec.releases.catalogue import measure_popularity
from visrec.releases.histories import REACTIONS, write_histories, write_users
from visrec.releases.release import Release, save_array
from visrec.retrieval import append_bias, build_retriever
from visrec.storage import Artifact, Location, Workspace, content_id


def check_gate(report: Mapping[str, Any], config: ReleaseConfig) -> None:
    """Compare a `report.json` with the conditions of the config; without conditions everything passes.

    Raises:
        VisrecError: A condition is not met, or the report does not hold what it needs; names the metric, what was
            expected and what came.

    Example:
        >>> report = {"part": "test", "metrics": {"model": {"ndcg@10": {"mean": 0.03}}}, "paired": {}}
        >>> check_gate(report, ReleaseConfig(min_metric={"ndcg@10": 0.02}))
    """
    if not config.min_metric and config.beat_baseline is None:
        return
    if report["part"] != "test":
        raise VisrecError(f"gate: expected a report of the test part, got one of the {report['part']} part")
    for metric, least in config.min_metric.items():
        mean = _look_up(report["metrics"], "model", metric)["mean"]
        if mean < least:
            raise VisrecError(f"gate: expected {metric} of at least {least:g}, got {mean:.4f}")
    if config.beat_baseline is not None:
        _beats(report["paired"], config.beat_baseline, config.baseline_metric)


def _beats(paired: Mapping[str, Any], baseline: str, metric: str) -> None:
    lead = _look_up(paired, baseline, metric)
    if lead["low"] <= 0:
        raise VisrecError(
            f"gate: expected a lead over {baseline} in {metric} whose interval lies above 0, got {lead['mean']:+.4f}"
            f" ({lead['low']:+.4f} to {lead['high']:+.4f})"
        )


def _look_up(values: Mapping[str, Any], who: str, metric: str) -> Mapping[str, float]:
    if who not in values:
        raise VisrecError(f"gate: expected {who} in the report, got {', '.join(values) or 'nothing'}")
    if metric not in values[who]:
        raise VisrecError(
            f"gate: expected {metric} of {who} in the report, got {', '.join(values[who]) or 'nothing'}"
        )
    found: Mapping[str, float] = values[who][metric]
    return found


FORMAT = 3
"""Part of every release's name: raise it when the same parents would give other files."""


def release_name(checkpoint: Checkpoint, report: Artifact, config: ReleaseConfig) -> str:
    """The name that a release of these parents has; whether it goes live at once is no part of it."""
    return content_id(
        "release", FORMAT, checkpoint.name, report.name, config.model_dump(mode="json", exclude={"activate"})
    )


def build_release(
    workspace: Workspace, checkpoint: Checkpoint, snapshot: Snapshot, report: Artifact, config: ReleaseConfig
) -> Artifact:
    """Check the gate, then write the release. It does not go live by that: see `live.activate`.

    Raises:
        VisrecError: The report measured another checkpoint, or the gate does not open; nothing is written.
        ArtifactError: A file of the checkpoint is damaged.
    """
    _check_parents(checkpoint, snapshot, report)
    measured = json.loads((report.location / "report.json").read_text())
    check_gate(measured, config)
    recommender = checkpoint.recommender()
    vectors_ID: NDArray[np.float32] = np.load(
        checkpoint.artifact.local_path(ITEM_VECTORS), mmap_mode="r", allow_pickle=False
    )
    parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name, "reports": report.name}
    ranker = measured_ranker(workspace, report, measured, config)
    name = release_name(checkpoint, report, config)
    with workspace.create("releases", name, config=config, parents=parents) as writer:
        folder = writer.staging
        _copy_files(checkpoint, snapshot, folder)
        save_array(folder, "item_vectors.npy", vectors_ID)
        similar_ID = _write_picture_vectors(folder, recommender, snapshot, vectors_ID)
        build_retriever(config.index, append_bias(vectors_ID, recommender.item_biases)).save(
            (folder / "scores").make_dirs()
        )
        build_retriever(config.index, unit_vectors(similar_ID)).save((folder / "similar").make_dirs())
        known = 0 if ranker is None else Ranker.load(ranker.location).max_history
        kinds = _write_users(folder, snapshot, max(config.max_history, known))
        if ranker is not None:
            _write_ranker(folder, ranker, checkpoint, snapshot, recommender, vectors_ID, max_history=known)
        keys = ("part", "split", "num_users", "metrics", "paired", "ranker_gain", "oracle_share")
        (folder / "metrics.json").write_text(json.dumps({key: measured.get(key) for key in keys}, indent=1))
        writer.counts |= {"num_items": snapshot.num_items, "num_users": snapshot.num_users}
        writer.facts |= {
            "images": snapshot.artifact.manifest.facts["images"],
            "kinds": kinds,
            "event_weights": snapshot.artifact.manifest.facts["event_weights"],
            "index": config.index,
            "has_pictures": recommender.config.item.backbone is not None,
            "picture_vectors": similar_ID is not vectors_ID,
            "ranker": ranker.name if ranker is not None else None,
        }
    assert writer.result is not None
    return Release(writer.result).artifact


def measured_ranker(
    workspace: Workspace, report: Artifact, measured: Mapping[str, Any], config: ReleaseConfig
) -> Artifact | None:
    """The ranker that the report measured, if it made the lists better and the config wants it."""
    name, gain = report.manifest.parents.get("rankers"), measured.get("ranker_gain")
    if config.ranker == "none" or name is None or not gain or gain[config.baseline_metric]["mean"] <= 0:
        return None
    return workspace.find("rankers", name)


def _write_ranker(
    release: Location,
    ranker: Artifact,
    checkpoint: Checkpoint,
    snapshot: Snapshot,
    recommender: Recommender,
    vectors_ID: NDArray[np.float32],
    *,
    max_history: int,
) -> None:
    """The ranker, what it knows of items from all events that there are, and what users refused or only viewed."""
    folder = (release / "ranker").make_dirs()
    for file in (WEIGHTS, FACTS):
        _copy(ranker.location / file, folder / file)
    split = checkpoint.split
    facts = ItemFeatures.fit(snapshot, split, None, vectors_ID=vectors_ID, biases_I=recommender.item_biases)
    facts.save(folder)
    logs = (read_log(snapshot, block, positives=False) for block in snapshot.sequences(split))
    reactions = (last_reactions(log, max_history) for log in logs)
    write_histories(release, reactions, max_history=2 * max_history, file=REACTIONS)  # refusals and views


def _check_parents(checkpoint: Checkpoint, snapshot: Snapshot, report: Artifact) -> None:
    measured, trained_on = report.manifest.parents["checkpoints"], checkpoint.snapshot_name
    if measured != checkpoint.name:
        raise VisrecError(
            f"expected a report of checkpoint {checkpoint.name}, got {report.name}, which measured {measured}"
        )
    if trained_on != snapshot.name:
        raise VisrecError(
            f"expected snapshot {trained_on}, on which {checkpoint.name} was trained, got {snapshot.name}"
        )


def _copy_files(checkpoint: Checkpoint, snapshot: Snapshot, folder: Location) -> None:
    for file in ("model.safetensors", "model.json"):
        _copy(checkpoint.location / file, folder / file)
    _copy(snapshot.artifact.location / "items.parquet", folder / "items.parquet")
    (folder / "thumbnails").make_dirs()
    for part in (snapshot.artifact.location / "thumbnails").files():
        _copy(part, folder / "thumbnails" / part.name)


def _copy(source: Location, target: Location) -> None:
    pafs.copy_files(
        source.path,
        target.path,
        source_filesystem=source.filesystem,
        destination_filesystem=target.filesystem,
    )


def _write_picture_vectors(
    folder: Location, recommender: Recommender, snapshot: Snapshot, vectors_ID: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Vectors to compare pictures by. Where items are known by id too, an uploaded picture has no such part: then it is
    compared with what the pixels alone give."""
    item = recommender.config.item
    if item.backbone is None or not (item.id_embedding or item.attributes):
        return vectors_ID
    items = np.flatnonzero(snapshot.picture_rows.has_picture_I)
    similar_ID = np.zeros_like(vectors_ID)
    similar_ID[items] = recommender.encode_items(Pictures.of(snapshot), items, from_pixels_alone=True)
    save_array(folder, "picture_vectors.npy", similar_ID)
    return similar_ID


def _write_users(folder: Location, snapshot: Snapshot, max_history: int) -> dict[str, int]:
    """Histories and popularity; returns the number of events of each kind."""

    def blocks() -> Any:
        return snapshot.sequences(SplitConfig())

    kinds = np.zeros(len(EVENT_KINDS), np.int64)
    for block in blocks():
        kinds += np.bincount(block.kinds, minlength=len(EVENT_KINDS))
    write_histories(folder, blocks(), max_history=max_history)
    write_users(folder, snapshot.user_ids())
    popularity = measure_popularity(blocks, snapshot.num_items)
    save_array(folder, "popular.npy", popularity.items)
    save_array(folder, "popularity.npy", popularity.events_per_week)
    return {kind: int(count) for kind, count in zip(EVENT_KINDS, kinds, strict=True) if count}
