"""Facts of a snapshot: the manifest's JSON both ways, and damage that is named."""

from typing import Any

import pytest

from visrec.config.base import DEFAULT_WEIGHTS
from visrec.data.facts import InputFacts, SnapshotFacts
from visrec.errors import ArtifactError

JSON: dict[str, Any] = {
    "images": {"height": 8, "width": 10, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]},
    "input": {"interactions": ["a.csv", "b.csv"], "items": None, "images": "pictures", "truth": None},
    "global_time_cuts": [1, 2],
    "reasons": {"bot": 3},
    "event_weights": dict(DEFAULT_WEIGHTS),
    "times": {"resolutions": {"ingest.interactions": "day"}, "tied_share": 0.25, "num_unrated_users": 1},
}


def test_facts_are_the_same_json_again() -> None:
    facts = SnapshotFacts.from_json(JSON, source="snapshot s")
    assert facts.to_json() == JSON
    assert list(facts.to_json()) == list(JSON)
    assert (facts.images.width, facts.global_time_cuts, facts.input.interactions) == (
        10,
        (1, 2),
        ("a.csv", "b.csv"),
    )
    assert facts.event_weights["cart"] == 3.0
    one_log = {**JSON, "input": {**JSON["input"], "interactions": "a.csv"}}
    assert SnapshotFacts.from_json(one_log, source="snapshot s").to_json() == one_log


def test_facts_without_input_and_with_facts_of_later_versions_are_read() -> None:
    values = {name: fact for name, fact in JSON.items() if name not in ("input", "reasons", "times")}
    facts = SnapshotFacts.from_json({**values, "later": 1}, source="snapshot s")
    assert facts.input == InputFacts()
    assert facts.reasons == {}
    assert facts.times is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": None}, r"^snapshot s: facts\.images in its manifest is damaged: "),
        ({"global_time_cuts": [1]}, r"facts\.global_time_cuts\.1 in its manifest is damaged: Field required"),
        ({"event_weights": {"glance": 1}}, r"facts\.event_weights\.glance"),
    ],
)
def test_damaged_facts_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtifactError, match=message):
        SnapshotFacts.from_json({**JSON, **change}, source="snapshot s")
