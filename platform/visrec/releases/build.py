"""Building a release from a checkpoint, the snapshot that it was trained on, and the report that measured it."""

import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import fs as pafs

from visrec.arrays import ITEM_VECTORS, unit_vectors
from visrec.config import EVENT_KINDS, ReleaseConfig, SplitConfig
from visrec.data.interactions import read_interactions
from visrec.data.snapshot import Snapshot
from visrec.models import Recommender
from visrec.models.checkpoint import Checkpoint
from visrec.models.item_inputs import Pictures
from visrec.ranking.item_features import ItemFeatures
from visrec.ranking.ranker import FACTS, WEIGHTS, Ranker
from visrec.releases.catalogue import PopularItems
from visrec.releases.gate import check_gate, check_parents, measured_ranker, unmet_conditions
from visrec.releases.histories import REACTIONS, write_histories, write_users
from visrec.releases.release import (
    ITEMS,
    METRICS,
    PICTURE_VECTORS,
    POPULAR,
    POPULARITY,
    RANKER,
    SCORE_INDEX,
    SIMILAR_INDEX,
    Release,
    ReleaseFacts,
)
from visrec.reports.report import Report
from visrec.retrieval import append_bias, build_retriever
from visrec.storage import Artifact, ArtifactStore, Location, content_id

FORMAT = 3
"""Part of every release's name: raise it when the same parents would give other files."""

_THUMBNAILS = "thumbnails"
_METRICS_OF_REPORT = ("part", "split", "num_users", "metrics", "paired", "ranker_gain", "oracle_share")


def release_name(checkpoint: Checkpoint, report: Report, config: ReleaseConfig) -> str:
    """The name of a release of these parents.

    `activate` is no part of it, and `force` only where it overrides the gate: a release by force is another one than
    the one that the gate would have let through.
    """
    is_forced = config.force and unmet_conditions(report.facts, config) is not None
    settings = config.model_dump(mode="json", exclude={"activate"} if is_forced else {"activate", "force"})
    return content_id("release", FORMAT, checkpoint.name, report.name, settings)


def build_release(
    workspace: ArtifactStore,
    checkpoint: Checkpoint,
    snapshot: Snapshot,
    report: Report,
    config: ReleaseConfig,
) -> Release:
    """Check the gate, verify the parents' files, then write the release. `activate` makes it the live one.

    Raises:
        VisrecError: The parents do not belong together; nothing is written.
        GateError: The gate is closed, and `release.force` does not override it; nothing is written.
        ArtifactError: A file of the checkpoint, the snapshot, the report or the ranker is damaged; nothing is written.
    """
    report.artifact.verify()
    check_parents(checkpoint, snapshot, report)
    forced = check_gate(report.facts, config)
    ranker = measured_ranker(workspace, report.facts, config)
    verify_parents(checkpoint, snapshot, ranker)

    recommender, vectors_ID = checkpoint.recommender(), checkpoint.item_vectors
    parents = {"checkpoints": checkpoint.name, "snapshots": snapshot.name, "reports": report.name}
    name = release_name(checkpoint, report, config)
    with workspace.create("releases", name, config=config, parents=parents) as writer:
        folder = writer.staging
        recommender.save(folder)
        _copy_files(snapshot, folder)
        _save_array(folder / ITEM_VECTORS, vectors_ID)
        similar_ID = _write_picture_vectors(folder, recommender, snapshot, vectors_ID)
        build_retriever(config.index, append_bias(vectors_ID, recommender.item_biases)).save(
            (folder / SCORE_INDEX).make_dirs()
        )
        build_retriever(config.index, unit_vectors(similar_ID)).save((folder / SIMILAR_INDEX).make_dirs())
        ranker_history = 0 if ranker is None else Ranker.load(ranker.location).max_history
        kinds = _write_users(folder, snapshot, max(config.max_history, ranker_history))
        if ranker is not None:
            items = ItemFeatures.fit(
                snapshot, checkpoint.split, None, recommender=recommender, vectors_ID=vectors_ID
            )
            _write_ranker(folder, ranker, items)
            _write_reactions(folder, snapshot, checkpoint.split, max_history=ranker_history)
        measured = report.facts.model_dump(mode="json", include=set(_METRICS_OF_REPORT))
        metrics = {key: measured[key] for key in _METRICS_OF_REPORT}
        (folder / METRICS).write_text(json.dumps(metrics, indent=1))
        writer.counts |= {"num_items": snapshot.num_items, "num_users": snapshot.num_users}
        facts = ReleaseFacts(
            images=snapshot.facts.images,
            kinds=kinds,
            event_weights=snapshot.facts.event_weights,
            index=config.index,
            has_pictures=recommender.reads_pictures,
            picture_vectors=similar_ID is not vectors_ID,
            ranker=ranker.name if ranker is not None else None,
            forced=forced,
        )
        writer.facts |= facts.as_dict()
    assert writer.result is not None
    return Release(writer.result)


def verify_parents(checkpoint: Checkpoint, snapshot: Snapshot, ranker: Artifact | None) -> None:
    """Compare the files that a release is built from with the checksums of their manifests.

    Of the snapshot's decoded images, which are many times larger than the rest, only where picture vectors are made.

    Raises:
        ArtifactError: A file is missing or differs; names it.
    """
    checkpoint.artifact.verify()
    manifest = snapshot.artifact.manifest
    unread = ["quarantine.parquet/"]
    if not _has_picture_vectors(checkpoint.recommender()):
        unread.append("images/")
    files = {file: sha256 for file, sha256 in manifest.files.items() if not file.startswith(tuple(unread))}
    Artifact(snapshot.artifact.location, manifest.replace(files=files)).verify()
    if ranker is not None:
        ranker.verify()


def _copy_files(snapshot: Snapshot, folder: Location) -> None:
    """Copy the catalogue and the thumbnails."""
    source = snapshot.artifact.location
    _copy(source / ITEMS, folder / ITEMS)
    (folder / _THUMBNAILS).make_dirs()
    for part in (source / _THUMBNAILS).files():
        _copy(part, folder / _THUMBNAILS / part.name)


def _write_picture_vectors(
    folder: Location, recommender: Recommender, snapshot: Snapshot, vectors_ID: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Vectors [I, D] that uploaded pictures are compared with.

    These are the item vectors where items are known by pixels alone. Where ids or attributes are part of an item
    vector, an uploaded picture has no such part: then they are vectors from pixels alone, in a file of their own.
    """
    if not _has_picture_vectors(recommender):
        return vectors_ID
    items = np.flatnonzero(snapshot.picture_rows.has_picture_I)
    similar_ID = np.zeros_like(vectors_ID)
    similar_ID[items] = recommender.encode_items(Pictures.of(snapshot), items, from_pixels_alone=True)
    _save_array(folder / PICTURE_VECTORS, similar_ID)
    return similar_ID


def _has_picture_vectors(recommender: Recommender) -> bool:
    """Whether item vectors hold more than pixels, so that pictures need vectors of their own."""
    return recommender.reads_pictures and recommender.reads_more_than_pictures


def _write_users(folder: Location, snapshot: Snapshot, max_history: int) -> dict[str, int]:
    """Write histories, user ids and popularity; returns the number of events of each kind."""

    def blocks() -> Any:
        return snapshot.sequences(SplitConfig())

    kinds = np.zeros(len(EVENT_KINDS), np.int64)
    for block in blocks():
        kinds += np.bincount(block.kinds, minlength=len(EVENT_KINDS))
    write_histories(folder, blocks(), max_history=max_history)
    write_users(folder, snapshot.user_ids())
    popular = PopularItems.fit(blocks, snapshot.num_items)
    _save_array(folder / POPULAR, popular.items)
    _save_array(folder / POPULARITY, popular.events_per_week)
    return {kind: int(count) for kind, count in zip(EVENT_KINDS, kinds, strict=True) if count}


def _write_ranker(release: Location, ranker: Artifact, items: ItemFeatures) -> None:
    """Copy the ranker, and write the item features, fitted on all events."""
    folder = (release / RANKER).make_dirs()
    for file in (WEIGHTS, FACTS):
        _copy(ranker.location / file, folder / file)
    items.save(folder)


def _write_reactions(folder: Location, snapshot: Snapshot, split: SplitConfig, *, max_history: int) -> None:
    """Write each user's last negatives and views, at most `max_history` of each."""
    logs = (read_interactions(snapshot, block, positives=False) for block in snapshot.sequences(split))
    reactions = (log.last_reactions(max_history) for log in logs)
    write_histories(folder, reactions, max_history=2 * max_history, file=REACTIONS)


def _copy(source: Location, target: Location) -> None:
    pafs.copy_files(
        source.path,
        target.path,
        source_filesystem=source.filesystem,
        destination_filesystem=target.filesystem,
    )


def _save_array(place: Location, array: NDArray[Any]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    place.write_bytes(buffer.getvalue())
