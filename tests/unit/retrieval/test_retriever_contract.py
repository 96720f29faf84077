"""One contract for every kind of retriever, against a full sort."""

import io
from itertools import permutations
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from visrec.config import ReleaseConfig
from visrec.errors import ArtifactError
from visrec.retrieval import RetrieverKind, append_bias, append_one, build_retriever, load_retriever
from visrec.retrieval.common import write_index
from visrec.storage import Location

KINDS: tuple[RetrieverKind, ...] = get_args(ReleaseConfig.model_fields["index"].annotation)
EXACT_KINDS: tuple[RetrieverKind, ...] = ("exact", "faiss_flat")
APPROXIMATE_KINDS = tuple(kind for kind in KINDS if kind not in EXACT_KINDS)

every_kind = pytest.mark.parametrize("kind", KINDS)


def whole_numbers(num: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Small whole numbers: sums are exact in any order, and there are many ties."""
    return np.random.default_rng(seed).integers(-3, 4, (num, dim)).astype(np.float32)


def full_sort(
    vectors: NDArray[np.float32],
    queries: NDArray[np.float32],
    k: int,
    exclude: list[NDArray[np.int32]] | None = None,
) -> tuple[list[list[int]], list[list[float]]]:
    items, scores = [], []
    for row, query in enumerate(queries):
        gone = set(exclude[row].tolist()) if exclude else set()
        ranked = sorted((-float(v @ query), i) for i, v in enumerate(vectors) if i not in gone)[:k]
        missing = k - len(ranked)
        items.append([i for _, i in ranked] + [-1] * missing)
        scores.append([-s for s, _ in ranked] + [-np.inf] * missing)
    return items, scores


def test_every_configured_kind_is_tested_here() -> None:
    assert set(KINDS) == set(EXACT_KINDS) | set(APPROXIMATE_KINDS)
    assert len(KINDS) == 4


@every_kind
def test_known_answer_with_bias(kind: RetrieverKind) -> None:
    vectors = append_bias(np.array([[1, 0], [0, 1], [1, 1]], np.float32), np.array([5, 0, 0], np.float32))
    items, scores = build_retriever(kind, vectors).search(append_one(np.array([[2, 1]], np.float32)), 3)
    assert items.tolist() == [[0, 2, 1]]
    assert scores.tolist() == [[7.0, 3.0, 1.0]]
    assert items.dtype == np.int32
    assert scores.dtype == np.float32


@pytest.mark.parametrize("kind", EXACT_KINDS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    num_items=st.integers(1, 60),
    k=st.integers(1, 70),
    num_excluded=st.integers(0, 60),
)
def test_equals_a_full_sort(
    kind: RetrieverKind, seed: int, num_items: int, k: int, num_excluded: int
) -> None:
    vectors, queries = whole_numbers(num_items, 3, seed), whole_numbers(2, 3, seed + 1)
    rng = np.random.default_rng(seed)
    exclude = [rng.integers(0, num_items, num_excluded).astype(np.int32), np.empty(0, np.int32)]
    items, scores = build_retriever(kind, vectors).search(queries, k, exclude)
    assert (items.tolist(), scores.tolist()) == full_sort(vectors, queries, k, exclude)


def test_blocks_of_items_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, queries = whole_numbers(50, 3, 0), whole_numbers(4, 3, 1)
    monkeypatch.setattr("visrec.retrieval.exact.BLOCK_ITEMS", 7)
    items, scores = build_retriever("exact", vectors).search(queries, 12)
    assert (items.tolist(), scores.tolist()) == full_sort(vectors, queries, 12)


@every_kind
def test_batch_equals_single(kind: RetrieverKind) -> None:
    vectors, queries = whole_numbers(300, 6, 0), whole_numbers(9, 6, 1)
    retriever = build_retriever(kind, vectors)
    items, scores = retriever.search(queries, 10)
    for row in range(len(queries)):
        one_items, one_scores = retriever.search(queries[row : row + 1], 10)
        assert one_items.tolist() == items[row : row + 1].tolist()
        assert one_scores.tolist() == scores[row : row + 1].tolist()


@every_kind
def test_ties_go_to_the_lower_index(kind: RetrieverKind) -> None:
    items, _ = build_retriever(kind, np.ones((200, 4), np.float32)).search(np.ones((1, 4), np.float32), 5)
    assert items.tolist() == [[0, 1, 2, 3, 4]]


@every_kind
def test_k_above_the_catalogue_is_padded(kind: RetrieverKind) -> None:
    items, scores = build_retriever(kind, np.eye(3, dtype=np.float32)).search(
        np.array([[3, 2, 1]], np.float32), 5
    )
    assert items.tolist() == [[0, 1, 2, -1, -1]]
    assert scores.tolist() == [[3, 2, 1, -np.inf, -np.inf]]


@every_kind
def test_nothing_indexed_and_nothing_asked(kind: RetrieverKind) -> None:
    items, scores = build_retriever(kind, np.empty((0, 3), np.float32)).search(np.ones((2, 3), np.float32), 2)
    assert items.tolist() == [[-1, -1], [-1, -1]]
    assert np.isneginf(scores).all()
    items, _ = build_retriever(kind, np.eye(3, dtype=np.float32)).search(np.empty((0, 3), np.float32), 2)
    assert items.shape == (0, 2)


@every_kind
def test_everything_excluded(kind: RetrieverKind) -> None:
    everything = np.arange(3, dtype=np.int32)
    items, _ = build_retriever(kind, np.eye(3, dtype=np.float32)).search(
        np.ones((1, 3), np.float32), 2, [everything]
    )
    assert items.tolist() == [[-1, -1]]


@every_kind
def test_round_trip_and_two_builds_agree(kind: RetrieverKind, tmp_path: str) -> None:
    vectors, queries = whole_numbers(200, 5, 0), whole_numbers(6, 5, 1)
    first, second = Location.parse(tmp_path) / "a", Location.parse(tmp_path) / "b"
    for folder in (first, second):
        build_retriever(kind, vectors, seed=3).save(folder.make_dirs())
    assert [f.read_bytes() for f in first.files()] == [f.read_bytes() for f in second.files()]
    loaded = load_retriever(first)
    assert loaded.num_items == 200
    for ours, theirs in zip(
        build_retriever(kind, vectors, seed=3).search(queries, 9), loaded.search(queries, 9), strict=True
    ):
        assert ours.tolist() == theirs.tolist()


def learned(num_items: int, num_queries: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Groups of like items, as a trained tower makes them; lengths and biases differ as popularity does."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 16))
    items = centres[rng.integers(0, 40, num_items)] + rng.normal(scale=0.5, size=(num_items, 16))
    items *= rng.lognormal(0, 0.3, (num_items, 1))
    users = centres[rng.integers(0, 40, num_queries)] + rng.normal(scale=0.5, size=(num_queries, 16))
    vectors = append_bias(items.astype(np.float32), rng.normal(size=num_items).astype(np.float32))
    return vectors, append_one(users.astype(np.float32))


def recall(found: NDArray[np.int32], wanted: NDArray[np.int32]) -> float:
    hits = [len(set(f) & set(w)) / len(w) for f, w in zip(found.tolist(), wanted.tolist(), strict=True)]
    return float(np.mean(hits))


@every_kind
def test_recall_floor(kind: RetrieverKind) -> None:
    vectors, queries = learned(3000, 50)
    found, _ = build_retriever(kind, vectors).search(queries, 20)
    wanted, _ = build_retriever("exact", vectors).search(queries, 20)
    assert recall(found, wanted) >= (1.0 if kind in EXACT_KINDS else 0.95)


@every_kind
def test_k_good_ones_come_back_beside_the_excluded(kind: RetrieverKind) -> None:
    vectors, queries = learned(1000, 10)
    best, _ = build_retriever("exact", vectors).search(queries, 120)
    found, _ = build_retriever(kind, vectors).search(queries, 20, list(best[:, :100]))
    assert (found >= 0).all()
    assert recall(found, best[:, 100:]) >= (1.0 if kind in EXACT_KINDS else 0.9)
    assert all(not set(f) & set(b) for f, b in zip(found.tolist(), best[:, :100].tolist(), strict=True))


@every_kind
@pytest.mark.parametrize(
    "damage", ["cut", "flip", "no data", "no facts", "bad facts", "other format", "other kind"]
)
def test_a_damaged_index_is_refused(kind: RetrieverKind, damage: str, tmp_path: str) -> None:
    folder = Location.parse(tmp_path)
    build_retriever(kind, whole_numbers(60, 4, 0)).save(folder)
    data, facts = folder / "index.bin", folder / "index.json"
    content = data.read_bytes()
    if damage == "cut":
        data.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        data.write_bytes(content[:20] + bytes([content[20] ^ 255]) + content[21:])
    elif damage == "no data":
        data.delete()
    elif damage == "no facts":
        facts.delete()
    elif damage == "bad facts":
        facts.write_text("{")
    elif damage == "other format":
        facts.write_text(facts.read_text().replace('"format": 1', '"format": 99'))
    else:
        facts.write_text(facts.read_text().replace(kind, "ball_tree"))
    with pytest.raises(ArtifactError, match="index"):
        load_retriever(folder)


@pytest.mark.parametrize(("stored", "claimed"), list(permutations(KINDS, 2)))
def test_an_index_of_another_kind_than_its_facts_say_is_refused(
    stored: RetrieverKind, claimed: RetrieverKind, tmp_path: str
) -> None:
    folder = Location.parse(tmp_path)
    build_retriever(stored, whole_numbers(60, 4, 0)).save(folder)
    facts = folder / "index.json"
    facts.write_text(facts.read_text().replace(f'"{stored}"', f'"{claimed}"'))
    with pytest.raises(ArtifactError, match="index") as caught:
        load_retriever(folder)
    assert "\n" not in str(caught.value)


def test_an_exact_index_of_anything_but_float_vectors_is_refused(tmp_path: str) -> None:
    folder, buffer = Location.parse(tmp_path), io.BytesIO()
    np.save(buffer, np.arange(4))
    write_index(folder, buffer.getvalue(), kind="exact")
    with pytest.raises(ArtifactError, match=r"expected float32 \[items, dim\] .*, got int64 \[4\]"):
        load_retriever(folder)


@every_kind
def test_wrong_arguments(kind: RetrieverKind) -> None:
    retriever = build_retriever(kind, np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError, match=r"expected queries \[B, 3\], got \[1, 2\]"):
        retriever.search(np.ones((1, 2), np.float32), 1)
    with pytest.raises(ValueError, match="k of at least 1, got 0"):
        retriever.search(np.ones((1, 3), np.float32), 0)
    with pytest.raises(ValueError, match="each of 1 queries, got 0"):
        retriever.search(np.ones((1, 3), np.float32), 1, [])
