"""Plans as files: what is shipped is sound, and what is wrong is refused with its file and line."""

from pathlib import Path

import pytest

from hospital.plans import Rule, Step
from scripts.plan_files import load_plans, read_plan
from scripts.questionnaire_files import load_questionnaires
from scripts.yaml_lines import FileRefused

pytestmark = pytest.mark.covers("H20", "H21", "H22")

GOOD = """\
id: kidney
title: {en: After a kidney operation}
begins: surgery
enrol: {wards: [urology], diagnoses: [n20, C64], age: {from: 18, to: 90}, studies: [stones]}
ends_with: [readmitted, transferred]
step:
  - {id: day-1, after: 1 days, questionnaire: form, at: "10:30", days: any, within: 1 days, priority: 1}
  - {id: control, since: day-1, after: 2 weeks, questionnaire: form, channel: letter, fallback: [sms]}
  - {id: check, every: 4 weeks, until: 12 weeks, questionnaire: form, announce: 4 hours}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "kidney.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        read_plan(path, {"form"})
    return [str(problem).partition("/")[2] for problem in refused.value.problems]


def test_the_shipped_plans_are_sound() -> None:
    found, wrong = load_plans(load_questionnaires()[0])
    assert not wrong
    assert "discharge" in found


def test_a_good_plan_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kidney.yaml"
    path.write_text(GOOD)
    plan = read_plan(path, {"form"})
    assert plan.rule == Rule(frozenset({"urology"}), ("N20", "C64"), (18, 90), frozenset({"stones"}))
    assert plan.ends_with == {"readmitted", "transferred"}
    assert [step.id for step in plan.steps] == ["day-1", "control", "check"]
    assert plan.steps[1] == Step("control", 14, "form", "letter", ("sms",), since="day-1")
    assert [step.announce_hours for step in plan.steps] == [None, None, 4]
    assert (plan.steps[2].after, plan.steps[2].every, plan.steps[2].until) == (28, 28, 84)
    path.write_text("# another comment\n" + GOOD)
    assert read_plan(path, {"form"}).sha256 == plan.sha256


def test_a_step_that_is_not_announced_says_so(tmp_path: Path) -> None:
    path = tmp_path / "kidney.yaml"
    path.write_text(GOOD.replace("announce: 4 hours", "announce: never"))
    assert read_plan(path, {"form"}).steps[2].announce_hours == 0


def test_without_a_rule_only_a_clinician_enrols(tmp_path: Path) -> None:
    path = tmp_path / "kidney.yaml"
    path.write_text("\n".join(line for line in GOOD.splitlines() if not line.startswith("enrol")))
    assert read_plan(path, {"form"}).rule is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (", until: 12 weeks", "", "kidney.yaml:9: recurs without an end: add 'until'"),
        ("every: 4 weeks", "every: 0 days", "kidney.yaml:9: recurs at once for ever: at least 1 day"),
        ("every: 4 weeks", "after: 4 weeks", "kidney.yaml:9: ends what does not recur"),
        ("until: 12 weeks", "until: 520 weeks", "kidney.yaml:7: makes 132 tasks for each patient; 60 are allowed"),
        ("until: 12 weeks", "until: 900 weeks", "kidney.yaml:9: 6300 days are more than ten years"),
        ("{id: day-1, after", "{id: day-1, since: control, after", "kidney.yaml:7: counts from 'control', which"),
        ("since: day-1", "since: day-2", "kidney.yaml:8: counts from the step 'day-2', which is not in this plan"),
        ("since: day-1", "since: control", "kidney.yaml:8: counts from 'control', which counts from 'control': a loop"),
        (
            "questionnaire: form, at",
            "questionnaire: old, at",
            "kidney.yaml:7: there is no questionnaire 'old'; there are form",
        ),
        ("channel: letter", "channel: pigeon", "kidney.yaml:8: 'pigeon' is not known here; allowed: nurse_call,"),
        ("[sms]", "[letter]", "kidney.yaml:8: names a channel twice, or the step's own"),
        ("begins: surgery", "begins: birthday", "kidney.yaml:3: 'birthday' is not known here"),
        ("ends_with: [readmitted", "ends_with: [rain", "kidney.yaml:5: 'rain' is not known here"),
        ("id: control", "id: day-1", "kidney.yaml:8: the step 'day-1' stands here a second time; it was on line 7"),
        ("after: 1 days", "after: 1 business day", "kidney.yaml:7: business days can't be counted here"),
        ("after: 1 days", "after: soon", "kidney.yaml:7: 'soon' is no span: write '3 days'"),
        ("from: 18", "from: 95", "kidney.yaml:4: nobody is from 95 to 90 years old"),
        ("announce: 4 hours", "announce: 49 hours", "kidney.yaml:9: write 'never', or 1 to 48 hours before the call"),
        ("announce: 4 hours", "announce: soon", "kidney.yaml:9: write 'never', or 1 to 48 hours before the call"),
        ("channel: letter", "channel: letter, announce: never", "kidney.yaml:8: a message says that we will call, and"),
        ("priority: 1", "priority: 10", "kidney.yaml:7: a whole number from 1 to 9 is expected"),
        ('"10:30"', "10:30", "kidney.yaml:7: text is expected"),
        ("id: kidney", "id: liver", "kidney.yaml:1: id is 'liver', but the file is named kidney.yaml"),
        (
            "enrol: {wards: [urology], diagnoses: [n20, C64], age: {from: 18, to: 90}, studies: [stones]}",
            "enrol: {}",
            "kidney.yaml:4: says nobody",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in GOOD
    assert any(problem.startswith(told) for problem in problems(tmp_path, GOOD.replace(old, new, 1)))


def test_one_bad_file_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "kidney.yaml").write_text(GOOD)
    (tmp_path / "heart.yaml").write_text("id: heart\n")
    found, wrong = load_plans({"form"}, tmp_path)
    assert list(found) == ["kidney"]
    assert {problem.line for problem in wrong} == {1}
