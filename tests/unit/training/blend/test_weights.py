"""Weights of a blend: known answers on made scores."""

import numpy as np
from numpy.typing import NDArray
from tests.support.snapshots import sequences_of

from visrec.data.held_out import HeldOut
from visrec.training.blend.weights import ChosenWeights, WeightSearch
from visrec.training.validation import ValidationSet

NUM_USERS, NUM_ITEMS = 200, 40
TARGETS = np.random.default_rng(0).integers(1, NUM_ITEMS, NUM_USERS)


def validation() -> ValidationSet:
    block = HeldOut(
        histories=sequences_of([[0]] * NUM_USERS), targets=sequences_of([[int(t)] for t in TARGETS])
    )
    return ValidationSet(blocks=[block], candidates=None, set_valued=False)


def noisy(seed: int, strength: float) -> NDArray[np.float32]:
    """Scores of noise, with the target's raised."""
    scores = np.random.default_rng(seed).normal(size=(NUM_USERS, NUM_ITEMS))
    scores[np.arange(NUM_USERS), TARGETS] += strength
    return np.asarray(scores / scores.std(axis=1, keepdims=True), np.float32)


def choose(**scores: NDArray[np.float32]) -> ChosenWeights:
    return WeightSearch(
        names=list(scores),
        scores=[[values] for values in scores.values()],
        validation=validation(),
        metric_name="ndcg@10",
        seed=0,
    ).run()


def test_two_independent_members_help_each_other() -> None:
    chosen = choose(one=noisy(1, 1.5), two=noisy(2, 1.5))
    assert {gain.name for gain in chosen.gains} == {"one", "two"}
    assert all(gain.weight > 0.2 for gain in chosen.gains)
    assert sum(gain.weight for gain in chosen.gains) == 1
    first, second = chosen.gains
    assert first.gain is None
    assert second.gain is not None
    assert second.gain.low > 0
    assert chosen.lead is not None
    assert chosen.metric > max(gain.alone for gain in chosen.gains)


def test_a_member_of_noise_is_left_out() -> None:
    chosen = choose(noise=noisy(9, 0.0), good=noisy(1, 4.0))
    assert [(gain.name, gain.weight) for gain in chosen.gains] == [("good", 1.0), ("noise", 0.0)]
    assert chosen.gains[1].gain is not None  # what it would have given
    assert chosen.gains[1].gain.mean <= 0
    assert chosen.lead is None
    assert chosen.metric == chosen.gains[0].alone


def test_the_better_member_gets_more_weight() -> None:
    chosen = choose(weak=noisy(4, 1.0), strong=noisy(5, 2.5))
    weights = {gain.name: gain.weight for gain in chosen.gains}
    assert weights["strong"] > weights["weak"]
    assert chosen.gains[0].name == "strong"


def test_one_member_is_the_blend() -> None:
    chosen = choose(only=noisy(1, 1.0))
    assert [(gain.name, gain.weight, gain.gain) for gain in chosen.gains] == [("only", 1.0, None)]


def test_two_searches_agree() -> None:
    scores = {"one": noisy(1, 1.0), "two": noisy(2, 1.0), "three": noisy(3, 0.5)}
    assert choose(**scores) == choose(**scores)
