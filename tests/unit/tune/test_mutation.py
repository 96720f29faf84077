import pytest
from tests.support.studies import DIM, RATE, make_job

from visrec.config import ParameterConfig
from visrec.errors import ConfigError
from visrec.tune.points import clip_to_space, mutable_keys


def test_only_what_means_the_same_to_a_trained_model_may_change() -> None:
    assert mutable_keys(make_job(scheduler={"kind": "pbt"})) == [RATE]
    with pytest.raises(ConfigError, match=rf"expected keys training\.phases\.N\..*, got {DIM}"):
        mutable_keys(make_job(scheduler={"kind": "pbt", "mutate": [DIM]}))
    with pytest.raises(ConfigError, match="got none in the space"):
        mutable_keys(make_job(scheduler={"kind": "pbt"}, space={DIM: {"choice": [8, 16]}}))


def test_numbers_stay_within_their_range() -> None:
    space = {
        RATE: ParameterConfig(loguniform=(1e-4, 1e-1)),
        "a": ParameterConfig(randint=(1, 4)),
        DIM: ParameterConfig(choice=(8,)),
    }
    assert clip_to_space(space, {RATE: 0.12, "a": 5, DIM: 9.6, "other": 1}) == {
        RATE: 0.1,
        "a": 3,
        DIM: 9.6,
        "other": 1,
    }
    assert clip_to_space(space, {RATE: 0.01}) == {RATE: 0.01}
