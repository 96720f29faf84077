"""Training of a blend in this process: one checkpoint of all members, reproducible, resumed bit for bit, refitted."""

import json
from pathlib import Path

import numpy as np
import pytest
from tests.support.snapshots import checkerboard_snapshot
from tests.support.training import Crash, crash_at_report, run_training, within

from visrec.config import (
    ItemTowerConfig,
    MemberConfig,
    ModelConfig,
    PhaseConfig,
    SplitConfig,
    TrainingConfig,
    TrainWorkloadConfig,
    TransitionsConfig,
    UserTowerConfig,
)
from visrec.data.snapshot import Snapshot
from visrec.models import BlendedRecommender, load_recommender
from visrec.models.blend_facts import REFIT, SELECTION, BlendFacts
from visrec.models.epochs import read_epochs
from visrec.models.item_inputs import Pictures
from visrec.storage import ArtifactStore, Location
from visrec.training.environment import LocalEnvironment
from visrec.training.messages import MemberFinished, MemberStarted, ProgressUpdate, RunFinished
from visrec.training.run import train

USER = UserTowerConfig(hidden_dim=8, max_length=10)
MEMBERS = (
    MemberConfig(
        name="closed-form",
        model=ModelConfig(
            dim=16,
            item=ItemTowerConfig(backbone=None, id_embedding=True, dropout=0),
            user=UserTowerConfig(kind="pooling", pooling_half_life=3.5, max_length=10),
            item_bias=False,
        ),
        phases=(
            PhaseConfig(
                name="solved", closed_form=TransitionsConfig(kind="transitions", history_half_life=1.4)
            ),
        ),
    ),
    MemberConfig(
        name="pictures",
        model=ModelConfig(dim=8, item=ItemTowerConfig(width=4), user=USER),
        phases=(PhaseConfig(epochs=3, batch_size=8, learning_rate=1e-2),),
    ),
    MemberConfig(
        name="ids",
        model=ModelConfig(dim=8, item=ItemTowerConfig(backbone=None, id_embedding=True), user=USER),
        phases=(PhaseConfig(epochs=2, batch_size=8),),
    ),
)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    store = ArtifactStore(str(tmp_path_factory.mktemp("workspace")))
    return checkerboard_snapshot(store, num_users=40, num_items=20)


def job(*members: MemberConfig, **training: object) -> TrainWorkloadConfig:
    settings = TrainingConfig.model_validate({"members": members or MEMBERS, **training})
    return TrainWorkloadConfig(training=settings)


def vectors(folder: Path) -> np.ndarray:
    return np.asarray(np.load(folder / "last" / "item_vectors.npy"))


def test_one_checkpoint_holds_all_members(snapshot: Snapshot, tmp_path: Path) -> None:
    environment = run_training(job(), snapshot, tmp_path)
    last = tmp_path / "last"
    blend = load_recommender(Location.parse(last))
    assert isinstance(blend, BlendedRecommender)
    facts = BlendFacts.read(Location.parse(last))
    assert facts is not None
    assert {member.config.name for member in facts.members} == {"closed-form", "pictures", "ids"}
    assert sum(member.weight for member in facts.members) == pytest.approx(1)
    kept = {member.config.name for member in facts.members if member.fitted_on is not None}
    assert {member.name for member in blend.members} == kept
    assert "pictures" in kept  # an uploaded picture needs a vector, whatever the metric says
    encoded_ID = blend.encode_items(Pictures.of(snapshot), np.arange(20))
    np.testing.assert_allclose(encoded_ID, vectors(tmp_path), rtol=1e-4, atol=1e-5)
    phases = [record.phase for record in read_epochs(Location.parse(last))]
    assert phases == ["closed-form/solved", *["pictures/base"] * 3, *["ids/base"] * 2, "blend"]
    assert [report.member for report in environment.reports if isinstance(report, MemberFinished)][:3] == [
        "closed-form",
        "pictures",
        "ids",
    ]
    assert isinstance(environment.reports[-1], RunFinished)


def test_two_runs_agree(snapshot: Snapshot, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run_training(job(), snapshot, tmp_path / name)
    np.testing.assert_array_equal(vectors(tmp_path / "one"), vectors(tmp_path / "two"))


@pytest.mark.parametrize("number", [1, 2, 4, 6, 9, 11])
def test_a_run_that_crashed_ends_as_if_it_had_not(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    whole = run_training(job(), snapshot, tmp_path / "whole")
    broken = LocalEnvironment(tmp_path / "broken")
    assert number <= len(whole.reports)
    monkeypatch.setattr(broken, "report", crash_at_report(number, broken))
    with pytest.raises(Crash):
        train(within(job(), snapshot), snapshot, broken)
    run_training(job(), snapshot, tmp_path / "broken")
    np.testing.assert_array_equal(vectors(tmp_path / "whole"), vectors(tmp_path / "broken"))
    for file in ("epochs.json", "blend.json"):
        one, two = (json.loads((tmp_path / name / "last" / file).read_text()) for name in ("whole", "broken"))
        assert [_plain(values) for values in one] == [_plain(values) for values in two]


def _plain(values: object) -> object:
    """Without times."""
    if not isinstance(values, dict):
        return values
    return {key: value for key, value in values.items() if not key.endswith(("second", "seconds"))}


@pytest.mark.parametrize(
    ("refit", "fit_on", "again"),
    [
        ("closed_form", "train", {"closed-form"}),
        ("all", "train", {"closed-form", "pictures", "ids"}),
        ("none", "train", set()),
        ("none", "train_and_validation", {"closed-form", "pictures", "ids"}),
    ],
)
def test_what_is_fitted_on_the_validation_events_too(
    snapshot: Snapshot, tmp_path: Path, refit: str, fit_on: str, again: set[str]
) -> None:
    split = SplitConfig.model_validate({"fit_on": fit_on})
    run_training(job(refit=refit, split=split), snapshot, tmp_path)
    last = tmp_path / "last"
    facts = BlendFacts.read(Location.parse(last))
    assert facts is not None
    kept = {member.config.name: member.fitted_on for member in facts.members if member.fitted_on is not None}
    expected = again & kept.keys()
    assert {name for name, number in kept.items() if number == REFIT} == expected
    assert (last / SELECTION).exists() == bool(expected)
    if expected:
        before = load_recommender(Location.parse(last / SELECTION))
        assert isinstance(before, BlendedRecommender)
        assert {member.name for member in before.members} == kept.keys()
        old, new = np.load(last / SELECTION / "item_vectors.npy"), vectors(tmp_path)
        for name in kept:
            columns = before.columns_of(name)
            same = np.allclose(old[:, columns], new[:, columns])
            assert same == (name not in expected)


def test_a_member_is_searched_and_its_settings_are_kept(snapshot: Snapshot, tmp_path: Path) -> None:
    searched = MEMBERS[0].replace(search=True)
    run_training(job(searched), snapshot, tmp_path)
    facts = BlendFacts.read(Location.parse(tmp_path / "last"))
    assert facts is not None
    (member,) = facts.members
    assert not member.config.search
    assert member.config.phases[0].closed_form is not None


def test_the_budget_leaves_out_what_does_not_fit(snapshot: Snapshot, tmp_path: Path) -> None:
    told: list[ProgressUpdate] = []
    environment = LocalEnvironment(tmp_path, told.append)
    train(within(job(budget_minutes=1e-9), snapshot), snapshot, environment)
    started = [update for update in told if isinstance(update, MemberStarted)]
    assert [(update.member, update.number, update.num_members) for update in started] == [
        ("closed-form", 1, 3)
    ]
    facts = BlendFacts.read(Location.parse(tmp_path / "last"))
    assert facts is not None
    assert [member.config.name for member in facts.members] == ["closed-form"]
