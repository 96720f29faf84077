"""Members of `recipe: auto` by what the catalogue and the log hold, and the recipe that a config means."""

from pathlib import Path

import pytest
from tests.support.snapshots import checkerboard_snapshot, make_snapshot

from visrec.config import (
    ItemTowerConfig,
    ModelConfig,
    PhaseConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    load_config,
    parse_config,
)
from visrec.errors import ConfigError
from visrec.storage import ArtifactStore
from visrec.training.blend.cost import num_solutions
from visrec.training.blend.recipe import auto_members


def test_a_catalogue_with_categories_has_a_member_for_attributes(tmp_path: Path) -> None:
    snapshot = checkerboard_snapshot(ArtifactStore(str(tmp_path)), num_users=8, num_items=10)
    members = auto_members(TrainWorkloadConfig(), snapshot)
    assert [member.name for member in members] == ["closed-form", "attributes", "pictures", "ids"]
    assert members[1].model.item.attributes == ("categories", "price")
    assert members[2].model == ModelConfig()
    assert members[0].model.dim == 20  # as many factors as items


def test_a_model_without_pictures_has_no_member_for_them(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2, 3]] * 4, num_items=4)
    no_pictures = TrainWorkloadConfig(
        model=ModelConfig(item=ItemTowerConfig(backbone=None, id_embedding=True))
    )
    assert [member.name for member in auto_members(no_pictures, snapshot)] == [
        "closed-form",
        "attributes",
        "ids",
    ]


def test_the_head_of_a_pretrained_backbone_is_trained(tmp_path: Path) -> None:
    snapshot = make_snapshot(ArtifactStore(str(tmp_path)), [[0, 1, 2, 3]] * 4, num_items=4)
    model = ModelConfig(item=ItemTowerConfig(backbone="resnet18", weights="pretrained"))
    members = {m.name: m for m in auto_members(TrainWorkloadConfig(model=model), snapshot)}
    assert members["pictures"].model.item.weights == "pretrained"
    assert members["pictures"].phases[0].trainable == "head"


def test_a_search_takes_fewer_solutions_of_a_larger_catalogue() -> None:
    assert [num_solutions(num) for num in (10, 4000, 5000, 10_000)] == [24, 24, 8, 2]


@pytest.mark.parametrize(
    ("training", "recipe"),
    [
        ({}, "auto"),
        ({"phases": [{}]}, "phases"),
        ({"members": [{"name": "one"}]}, "members"),
        ({"recipe": "auto"}, "auto"),
        ({"recipe": "phases", "phases": [{"epochs": 1}]}, "phases"),
    ],
)
def test_the_recipe_follows_from_what_is_given(training: dict[str, object], recipe: str) -> None:
    found = parse_config(TrainingConfig, training)
    assert found.recipe == recipe
    assert parse_config(TrainingConfig, found.model_dump(mode="json")) == found


@pytest.mark.parametrize(
    ("training", "line"),
    [
        ({"recipe": "auto", "phases": [{}]}, "recipe: auto takes no phases, got 1"),
        (
            {"recipe": "phases", "phases": [{}], "members": [{"name": "a"}]},
            "recipe: phases takes no members, got 1",
        ),
        ({"recipe": "phases"}, "at least one phase is needed"),
        ({"recipe": "members"}, "recipe: members needs one or more members"),
        ({"members": [{"name": "a"}, {"name": "a"}]}, "each member needs a name of its own, got a, a"),
        ({"members": [{"name": "a", "search": True}]}, "search: true needs one phase with a closed_form"),
    ],
)
def test_a_mistake_is_one_line(training: dict[str, object], line: str) -> None:
    with pytest.raises(ConfigError, match=line) as caught:
        parse_config(TrainingConfig, training)
    assert "\n" not in str(caught.value)


def test_a_phase_that_is_set_is_the_recipe() -> None:
    found = load_config(TrainWorkloadConfig, overrides=["training.phases.0.epochs=3"])
    assert found.training.recipe == "phases"
    assert found.training.phases == (PhaseConfig(epochs=3),)
