"""Lines in the terminal on the members of a blend."""

from visrec.config import ItemTowerConfig, MemberConfig, ModelConfig, PhaseConfig
from visrec.models.blend_facts import REFIT, SELECTION, BlendFacts, IntervalFacts, MemberFacts
from visrec.reports.members import member_lines


def member(name: str) -> MemberConfig:
    item = ItemTowerConfig(backbone=None, id_embedding=True)
    return MemberConfig(name=name, model=ModelConfig(item=item), phases=(PhaseConfig(),))


def test_a_line_for_each_member_and_one_for_the_blend() -> None:
    gain = IntervalFacts(mean=0.01, low=0.005, high=0.015)
    loss = IntervalFacts(mean=-0.001, low=-0.002, high=0.001)
    facts = BlendFacts(
        metric_name="ndcg@10",
        metric=0.11,
        lead=gain,
        members=(
            MemberFacts(config=member("linear"), weight=0.75, alone=0.1, gain=None, fitted_on=REFIT),
            MemberFacts(config=member("pictures"), weight=0.25, alone=0.09, gain=gain, fitted_on=SELECTION),
            MemberFacts(config=member("ids"), weight=0.0, alone=0.05, gain=loss, fitted_on=None),
        ),
    )
    assert member_lines(facts) == [
        "  linear    weight 0.75      alone NDCG@10 0.1000  gain (the first)",
        "  pictures  weight 0.25      alone NDCG@10 0.0900  gain +0.0100 [+0.0050, +0.0150]",
        "  ids       weight left out  alone NDCG@10 0.0500  gain -0.0010 [-0.0020, +0.0010]",
        "  blend: NDCG@10 0.1100, +0.0100 [+0.0050, +0.0150] over its best member",
    ]
