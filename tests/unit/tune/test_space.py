import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visrec.config import ParameterConfig, TuneConfig, TuneWorkloadConfig, parse_config
from visrec.errors import ConfigError
from visrec.tune.points import apply_point, check_space, default_point
from visrec.tune.space import draw, draw_distinct, grid, ordered_keys

RATE = "training.phases.0.learning_rate"
KIND = "model.user.kind"
HEADS = "model.user.num_heads"


def space(**parameters: Any) -> dict[str, ParameterConfig]:
    keys = {"rate": RATE, "kind": KIND, "heads": HEADS}
    return {keys[name]: parse_config(ParameterConfig, given) for name, given in parameters.items()}


CONDITIONAL = space(
    heads={"choice": [1, 2], "when": {KIND: "transformer"}},  # named before what it depends on
    kind={"choice": ["gru", "transformer"]},
    rate={"loguniform": [1e-4, 1e-2]},
)


def job(values: dict[str, Any]) -> TuneWorkloadConfig:
    return parse_config(TuneWorkloadConfig, {"tune": {"space": values}})


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=50, deadline=None)
def test_a_point_has_a_key_exactly_where_its_condition_holds(seed: int) -> None:
    point = draw(CONDITIONAL, np.random.default_rng(seed))
    assert (HEADS in point) == (point[KIND] == "transformer")
    assert 1e-4 <= point[RATE] <= 1e-2
    json.dumps(point)  # plain values only
    apply_point(TuneWorkloadConfig(), point)


def test_draws_follow_from_the_seed_and_none_comes_twice() -> None:
    choices = space(kind={"choice": ["gru", "transformer"]}, heads=CONDITIONAL[HEADS].model_dump())
    first = draw_distinct(choices, 3, 0, known=[])
    assert first == draw_distinct(choices, 3, 0, known=[])
    assert (
        len({json.dumps(p, sort_keys=True) for p in first}) == 3
    )  # gru, and a transformer of 1 and of 2 heads
    assert len(draw_distinct(choices, 10, 0, known=[])) == 3
    assert len(draw_distinct(choices, 10, 0, known=first[:1])) == 2


def test_a_grid_holds_each_combination_once() -> None:
    choices = space(kind={"choice": ["gru", "transformer"]}, heads=CONDITIONAL[HEADS].model_dump())
    assert list(grid(choices)) == [
        {KIND: "gru"},
        {KIND: "transformer", HEADS: 1},
        {KIND: "transformer", HEADS: 2},
    ]


def test_a_section_comes_before_keys_in_it() -> None:
    adversary = "training.phases.0.adversary"
    found = job(
        {
            f"{adversary}.epsilon": {"uniform": [0, 1], "when": {adversary: [{"kind": "embedding"}]}},
            adversary: {"choice": [None, {"kind": "embedding"}]},
        }
    )
    check_space(found)
    assert ordered_keys(found.tune.space) == [adversary, f"{adversary}.epsilon"]
    with_one = apply_point(found, {adversary: {"kind": "embedding"}, f"{adversary}.epsilon": 0.25})
    assert with_one.training.phases[0].adversary.epsilon == 0.25  # type: ignore[union-attr]
    assert found.tune.space[adversary].choice == (
        None,
        {"kind": "embedding"},
    )  # nothing was put into the choice itself


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({}, "tune.space: expected at least one key of the training config, got none"),
        (
            {"training.phases.0.learning_rat": {"uniform": [0.1, 1]}},
            "tune.space.training.phases.0.learning_rat: unknown key; did you mean 'learning_rate'?",
        ),
        ({RATE: {"uniform": [0.1, 11]}}, f"tune.space.{RATE}: expected less than or equal to 10, got 11.0"),
        (
            {"training.phases.1.epochs": {"choice": [1, 2]}},
            "tune.space.training.phases.1.epochs: expected a list place from 0 to 0, got '1'",
        ),
        ({"model.dim": {"uniform": [10, 110]}}, "tune.space.model.dim: expected integer, got 48.2"),
        (
            {"training.split": {"choice": [{"protocol": "global_time"}]}},
            "tune.space.training.split: expected a key in which trials may differ, got {'protocol': 'global_time'}",
        ),
        (
            {KIND: {"choice": ["gru", "lstm"]}},
            f"tune.space.{KIND}: expected 'gru', 'transformer' or 'pooling', got 'lstm'",
        ),
        (
            {HEADS: {"choice": [1], "when": {KIND: "transformer"}}},
            f"tune.space.{HEADS}.when: expected a key of the space, got {KIND}",
        ),
        (
            {KIND: {"choice": ["gru"]}, HEADS: {"choice": [1], "when": {KIND: "transformer"}}},
            f"tune.space.{HEADS}.when.{KIND}: expected one of ['gru'], got 'transformer'",
        ),
        (
            {KIND: {"choice": ["gru"], "when": {HEADS: 1}}, HEADS: {"choice": [1], "when": {KIND: "gru"}}},
            f"tune.space: the conditions of {KIND} and {HEADS} go in a circle",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_key(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_space(job(values))
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"uniform": [1, 0]}, "expected a lower bound below the upper one, got 1 and 0"),
        ({"loguniform": [0, 1]}, "expected a lower bound above 0 for loguniform, got 0"),
        ({}, "expected exactly one of uniform, loguniform, quniform, randint, choice, got none"),
        ({"uniform": [0, 1], "choice": [1]}, "got uniform and choice"),
        ({"choice": []}, "expected at least one value in choice, got none"),
        ({"uniform": [0, float("inf")]}, "expected a finite number, got inf"),
        ({"quniform": [0.1, 0.5, 0]}, "expected a step above 0 and within the bounds, got 0"),
        ({"quniform": [0.1, 0.5, 0.2]}, r"expected bounds that are multiples of the step 0\.2, got 0\.1"),
    ],
)
def test_a_parameter_is_checked_by_itself(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        parse_config(ParameterConfig, values)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            {"space": {"a": {"unifrm": [0, 1]}}},
            "space.a.unifrm: unknown key; did you mean 'uniform'?",
        ),
        ({"scheduler": {"kind": "pbt"}, "run_in": "workers"}, "scheduler.kind: pbt needs run_in: process"),
        ({"scheduler": {"kind": "pbt"}, "search": {"kind": "optuna"}}, "draws its population at random"),
        ({"search": {"kind": "grid"}, "space": {"a": {"uniform": [0, 1]}}}, "got a range for a"),
        (
            {"objectives": [{"metric": "auc"}, {"metric": "auc"}]},
            "one or more different metrics, got auc, auc",
        ),
        ({"scheduler": {"mutate": ["a"]}}, "scheduler.mutate: expected keys of the space, got a"),
    ],
)
def test_settings_that_do_not_go_together(values: dict[str, Any], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        parse_config(TuneConfig, values)


def test_the_default_point_is_what_the_config_says() -> None:
    values = {
        "model": {"user": {"kind": "transformer"}},
        "training": {"phases": [{}]},
        "tune": {"space": {k: p.model_dump() for k, p in CONDITIONAL.items()}},
    }
    found = parse_config(TuneWorkloadConfig, values)
    assert default_point(found) == {KIND: "transformer", HEADS: 2, RATE: 0.002}
    assert apply_point(found, default_point(found)).model == found.model
