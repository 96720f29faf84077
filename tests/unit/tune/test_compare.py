from pathlib import Path

import pytest
from tests.support.checkpoints import make_checkpoint
from tests.support.snapshots import checkerboard_snapshot
from tests.support.studies import RATE, make_job, make_record

from visrec.storage import ArtifactStore
from visrec.tune.compare import default_trial, improvement_over

UNCHANGED = make_record(0, [0.1, 0.2], point={})
BETTER = make_record(1, [0.3, 0.4])


def test_the_lead_over_oneself_is_nothing_and_over_another_turns_with_the_order(tmp_path: Path) -> None:
    workspace = ArtifactStore(str(tmp_path))
    snapshot = checkerboard_snapshot(workspace, num_users=30, num_items=20)
    one = make_checkpoint(workspace, snapshot, name="one", seed=1)
    other = make_checkpoint(workspace, snapshot, name="other", seed=2)
    itself = improvement_over(make_job(), snapshot, one, one, 0)
    assert (itself.interval.low, itself.interval.mean, itself.interval.high) == (0, 0, 0)
    assert itself.num_users == 30
    ahead = improvement_over(make_job(), snapshot, one, other, 0)
    behind = improvement_over(make_job(), snapshot, other, one, 0)
    assert ahead.interval.low < ahead.interval.mean < ahead.interval.high
    assert behind.interval.mean == pytest.approx(-ahead.interval.mean)
    assert ahead.text.endswith("ndcg@10 over the unchanged config (trial 0), on the same 30 users")


def test_the_config_as_it_is_is_found_by_what_it_trains() -> None:
    default_rate = make_job().training.phases[0].learning_rate
    spelled_out = make_record(0, [0.1], point={RATE: default_rate})
    assert default_trial(make_job(), [UNCHANGED, BETTER], BETTER) is UNCHANGED
    assert default_trial(make_job(), [spelled_out, BETTER], BETTER) is spelled_out
    assert default_trial(make_job(try_defaults=False), [BETTER], BETTER) is None


def test_what_was_stopped_or_is_the_best_itself_is_not_compared() -> None:
    stopped = make_record(0, [0.1], status="stopped", point={})
    assert default_trial(make_job(), [stopped, BETTER], BETTER) is None
    assert default_trial(make_job(), [UNCHANGED, BETTER], UNCHANGED) is None
    population = make_job(scheduler={"kind": "pbt"})
    assert default_trial(population, [UNCHANGED, BETTER], BETTER) is None
    cheap = make_job(objectives=[{"metric": "num_parameters"}])
    assert default_trial(cheap, [UNCHANGED, BETTER], BETTER) is None
    elsewhere = make_record(1, [0.3], point={"training.split.protocol": "global_time"})
    assert default_trial(make_job(), [UNCHANGED, elsewhere], elsewhere) is None
