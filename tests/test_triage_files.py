"""The hospital's triage table: what is shipped is sound, and what is wrong is refused with its file and line."""

from pathlib import Path

import pytest

from hotline import demo_clinics
from scripts import triage
from scripts.triage import HERE, Department, Next, RedFlag, read_triage
from scripts.yaml_lines import FileRefused

pytestmark = pytest.mark.covers("H9")
LANGUAGES = ("en", "es", "pt-BR", "zh-CN", "mi")

GOOD = """\
reviewed_by: null
start: first
steps:
  first:
    question: {en: "What is it about?"}
    rows:
      - {key: "1", red_flag: chest_pain, complaint: {en: pain in the chest}}
      - {key: "2", next: second, complaint: {en: a child}}
      - {key: "3", department: general, complaint: {en: anything else}}
  second:
    question: {en: "What is wrong?"}
    rows:
      - {key: "1", red_flag: child_in_danger, complaint: {en: a baby with fever}}
      - {key: "2", department: paediatrics, complaint: {en: a cough}}
"""


def problems(tmp_path: Path, text: str, languages: tuple[str, ...] = ("en",)) -> list[str]:
    path = tmp_path / "triage.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_triage(path, languages)
    return [str(problem).partition("/")[2] for problem in refused.value.problems]


def test_the_shipped_table_is_said_in_every_language_and_leads_to_departments_of_the_demo() -> None:
    table = read_triage(HERE, LANGUAGES)
    assert table.departments() <= {code for code, _ in demo_clinics.DEPARTMENTS}
    for step in table.steps.values():
        assert isinstance(step.rows[0].leads_to, RedFlag), "the red flag is said first"


def test_a_good_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "triage.yaml"
    path.write_text(GOOD)
    table = read_triage(path, ("en",))
    assert table.start == "first"
    assert table.steps["first"].rows[1].leads_to == Next("second")
    assert table.departments() == {"general", "paediatrics"}
    path.write_text(GOOD.replace("department: general", "department: general, urgency: urgent"))
    assert read_triage(path, ("en",)).steps["first"].rows[2].leads_to == Department("general", "urgent")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"2", next: second', '"1", next: second', "triage.yaml:8: key 1 is used twice in this step; it was on line 7"),
        ('"2", next: second', '"9", next: second', "triage.yaml:8: key '9' can't be a choice"),
        ("next: second", "next: third", "triage.yaml:8: there is no step 'third'"),
        ("next: second", "department: child", "triage.yaml:11: no row leads to the step 'second'"),
        ("next: second", "next: first", "triage.yaml:8: leads back to 'first': a caller would go round for ever"),
        ("department: paediatrics", "next: first", "triage.yaml:14: leads back to 'first'"),
        ("red_flag: child_in_danger", "department: paediatrics", "triage.yaml:11: has no row with red_flag"),
        ("department: general, ", "", "triage.yaml:9: leads to nothing: exactly one of red_flag, department, next"),
        ("department: general", "department: general, next: second", "triage.yaml:9: leads to department and next"),
        ("department: general", "department: General", "triage.yaml:9: 'General' is no code"),
        (
            "department: general",
            "department: general, urgency: now",
            "triage.yaml:9: 'now' is none of routine, soon, urgent",
        ),
        (
            "red_flag: child_in_danger",
            "red_flag: child_in_danger, urgency: soon",
            "triage.yaml:13: says how urgent an appointment is",
        ),
        ("department: general", "diagnosis: flu", "triage.yaml:9: 'diagnosis' is not known here"),
        ("    rows:\n", "    row:\n", "triage.yaml:6: 'row' is not known here"),
        ("start: first", "start: none", "triage.yaml:2: there is no step 'none'"),
        ("anything else", "x" * 301, "triage.yaml:9: has 301 letters; 300 are said"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert any(problem.startswith(told) for problem in problems(tmp_path, GOOD.replace(old, new, 1)))


def test_a_language_that_callers_can_choose_must_be_there(tmp_path: Path) -> None:
    told = problems(tmp_path, GOOD, ("en", "es"))
    assert len(told) == 7, "two questions and five complaints"
    assert told[0] == "triage.yaml:5: is not said in es, which callers can choose"


def test_more_than_five_rows_are_too_many_to_keep_in_mind(tmp_path: Path) -> None:
    row = '      - {key: "%s", department: general, complaint: {en: more}}\n'
    more = GOOD.replace("  second:", "".join(row % key for key in (4, 5, 6)) + "  second:", 1)
    assert problems(tmp_path, more) == ["triage.yaml:7: has 6 rows; 1 to 5 can be kept in mind by a listener"]
    assert triage.MOST_ROWS == 5
