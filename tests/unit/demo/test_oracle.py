from pathlib import Path

import numpy as np
import pytest

from visrec.demo.catalogue import ATTRIBUTES
from visrec.demo.oracle import Oracle
from visrec.demo.tastes import BIAS
from visrec.demo.truth import write_truth
from visrec.demo.world import World
from visrec.errors import ArtifactError, NotFoundError
from visrec.storage import Location


@pytest.fixture(scope="module")
def truth(world: World, tmp_path_factory: pytest.TempPathFactory) -> Location:
    folder = Location.parse(tmp_path_factory.mktemp("demo") / "truth")
    write_truth(folder, world, {"rows": 1})
    return folder


def test_a_score_is_the_affinity_of_one_user_for_one_item(world: World, truth: Location) -> None:
    catalogue, time = world.catalogue, int(world.catalogue.created_at[-1])
    score = Oracle.load(truth).score(["u00003"], np.array([time]), ["i00042"])
    worths = world.tastes.worths(np.array([3]), np.array([time]))[0]
    begins = np.cumsum([0, *(len(values) for values in ATTRIBUTES.values())])[:4]
    values = catalogue.designs[catalogue.design_of_item[42]]
    log_odds = BIAS + worths[begins + values].sum() + catalogue.quality[42]
    assert score.dtype == np.float32
    assert score == pytest.approx(np.array([[1 / (1 + np.exp(-log_odds))]]), rel=1e-5)


def test_each_user_is_scored_at_a_time_of_their_own_and_items_to_come_score_nothing(
    world: World, truth: Location
) -> None:
    created = world.catalogue.created_at
    scores = Oracle.load(truth).score(
        ["u00001", "u00001"], created[[399, 799]], ["i00399", "i00400", "i00799"]
    )
    assert (scores > 0).tolist() == [[True, False, False], [True, True, True]]


def test_unknown_ids_and_a_missing_truth_are_told(truth: Location, tmp_path: Path) -> None:
    oracle = Oracle.load(truth)
    with pytest.raises(NotFoundError, match="user 'bot'"):
        oracle.score(["bot"], np.array([0]), ["i00001"])
    with pytest.raises(NotFoundError, match="item 'gone1'"):
        oracle.score(["u00001"], np.array([0]), ["gone1"])
    with pytest.raises(ArtifactError, match="expected the truth"):
        Oracle.load(Location.parse(tmp_path))
