from visrec.config import TrainWorkloadConfig
from visrec.storage import content_id


def test_a_name_follows_from_content_alone() -> None:
    assert content_id({"a": 1, "b": [2]}) == content_id({"b": [2], "a": 1})
    assert content_id(TrainWorkloadConfig(seed=1)) == content_id(
        TrainWorkloadConfig(seed=1).model_dump(mode="json")
    )
    names = [
        content_id(TrainWorkloadConfig(seed=1)),
        content_id(TrainWorkloadConfig(seed=2)),
        content_id("a", "b"),
        content_id(["a", "b"]),
    ]
    assert len(set(names)) == 4
    assert all(len(n) == 12 and int(n, 16) >= 0 for n in names)


def test_the_name_of_the_empty_list_is_known() -> None:
    # sha256 of "[]"; a change of it would orphan every artifact that there is
    assert content_id() == "4f53cda18c2b"
