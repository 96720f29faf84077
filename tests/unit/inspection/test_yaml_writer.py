"""Drafted settings as YAML: what is written is what is read, comments or not."""

from hypothesis import given
from hypothesis import strategies as st

from visrec.config import PipelineConfig
from visrec.config.written import load_written, plain_values
from visrec.inspection.answers import annotate, lay_over, without_answered
from visrec.inspection.readings import Question, Setting
from visrec.inspection.yaml_writer import plain_settings, write_yaml

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
NAMES = st.dictionaries(TEXT, st.sampled_from(["view", "cart"]))


@given(path=TEXT, user=TEXT, item=TEXT, separator=TEXT, names=NAMES, comment=TEXT)
def test_what_is_written_is_read(
    path: str, user: str, item: str, separator: str, names: dict[str, str], comment: str
) -> None:
    settings = [
        Setting(key="workspace", value=path, comment=comment),
        Setting(key="ingest.interactions.path", value=path, comment=comment, before=(comment,)),
        Setting(key="ingest.interactions.columns.user_id", value=user),
        Setting(key="ingest.interactions.columns.item_id", value=item),
        Setting(key="ingest.interactions.columns.kind", value=None, comment=comment),
        Setting(key="ingest.interactions.kind_names", value=names),
        Setting(key="ingest.items.category_separator", value=separator, comment=comment),
        Setting(key="ingest.images.path", value=path, active=False),
        Setting(key="seed", value=3),
    ]
    read = plain_values(PipelineConfig, load_written(write_yaml(settings, [comment])))
    expected = plain_settings(settings)
    assert read == expected
    assert "images" not in expected["ingest"]


def test_a_list_of_logs() -> None:
    settings = [
        Setting(key="ingest.interactions.0.path", value="views.csv", before=("the views",)),
        Setting(key="ingest.interactions.0.columns.kind", value=None),
        Setting(key="ingest.interactions.1.path", value="orders.csv"),
    ]
    text = write_yaml(settings, [])
    assert plain_settings(settings) == {
        "ingest": {"interactions": [{"path": "views.csv", "columns": {"kind": None}}, {"path": "orders.csv"}]}
    }
    assert load_written(text) == plain_settings(settings)


def test_answers_replace_extend_and_stand_alone() -> None:
    drafted = [
        Setting(key="ingest.interactions.kind_names", value={"pv": "view"}),
        Setting(key="ingest.items.path", value="a.csv", comment="3 rows"),
        Setting(key="ingest.items.columns.price", value="price"),
    ]
    laid_over = lay_over(
        drafted,
        ["ingest.interactions.kind_names.buy=purchase", "ingest.items.path=007", "ingest.items.columns={}"],
    )
    assert plain_settings(laid_over) == {
        "ingest": {
            "interactions": {"kind_names": {"pv": "view", "buy": "purchase"}},
            "items": {"path": "007", "columns": {}},
        }
    }


def test_a_question_stands_at_its_setting_until_it_is_answered() -> None:
    settings = [Setting(key="a.x", value=1), Setting(key="a.y", value=2)]
    question = Question(
        key="a.y", text="Two or three?", answers=("--set a.y=3",), taken="two", lines=("y: 3",)
    )
    assert annotate(settings, [question])[1].before == (
        "Question 1: Two or three?",
        "Taken: two. Otherwise:",
        "  y: 3",
    )
    assert without_answered([question], ["a.x=1"]) == [question]
    assert without_answered([question], ["a.y=3"]) == []
    assert without_answered([question], ["a={x: 1}"]) == []
