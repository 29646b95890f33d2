"""What many answers come to: figures with what they are of, and nothing of single people for who has no right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.answer_figures import FEW, OTHER, SPOKEN, Figures, few, figures, for_who_has_no_right
from tests.test_filling import FEVERS, MEDICINES, options, question, questionnaire, when

pytestmark = pytest.mark.covers("H28", "H51")
FORM = questionnaire(
    question("pain"),
    question("worse", "boolean"),
    question("signs", "choice", repeats=True, answerOption=options("fever", "cough", "none")),
    question("drug", "open-choice", answerOption=options("all", "some")),
    question("why", "text", **when(("worse", "=", True))),
    question("heat", "decimal"),
    question("on", "date"),
)


def of(*answers: dict[str, Any], form: Any = FORM) -> dict[str, Figures]:
    return {one.item.link_id: one for one in figures(form, answers)}


def bars(one: Figures) -> dict[str, int | None]:
    return {bar.code: bar.count for bar in one.bars}


def denominators(one: Figures) -> tuple[int, int, int, int]:
    return one.put, one.answered, one.left_out, one.not_reached


def test_a_question_is_put_to_whom_it_applies_and_answered_left_out_or_not_reached() -> None:
    told = of(
        {"pain": 3, "worse": True, "why": "my knee"},
        {"pain": 5, "worse": True, "why": None},
        {"pain": 0, "worse": False},
        {"pain": None},  # left out, and hung up after it
        {},
    )
    assert denominators(told["pain"]) == (5, 3, 1, 1)
    assert denominators(told["worse"]) == (5, 3, 0, 2)
    assert denominators(told["why"]) == (2, 1, 1, 0), "it applies to two only"
    assert denominators(told["heat"]) == (5, 0, 0, 5)
    for one in told.values():
        assert one.put == one.answered + one.left_out + one.not_reached


def test_choices_are_counted_by_who_chose_them() -> None:
    told = of(
        {"signs": ["fever", "cough"], "drug": "all"},
        {"signs": ["none"], "drug": {"text": "half of it"}},
        {"signs": ["fever"], "drug": {"voice": 10042}},
        {"signs": {"so_far": ["fever"], "asked": ["fever"]}},  # cut off: that is no answer yet
    )
    assert bars(told["signs"]) == {"fever": 2, "cough": 1, "none": 1}
    assert denominators(told["signs"]) == (4, 3, 0, 1)
    assert told["signs"].share(told["signs"].bars[0]) == pytest.approx(2 / 3)
    assert bars(told["drug"]) == {"all": 1, "some": 0, OTHER: 1, SPOKEN: 1}
    assert told["drug"].words == ((1, "half of it"), (2, "case 10042"))


def test_numbers_make_a_histogram() -> None:
    told = of(*({"pain": value, "heat": 36.0 + value / 10} for value in (0, 0, 1, 3, 3, 3, 10)))
    assert bars(told["pain"]) == {"0": 2, "1": 1, "2": 0, "3": 3, **{str(n): 0 for n in range(4, 10)}, "10": 1}
    numbers = told["pain"].numbers
    assert numbers is not None
    assert (numbers.middle, numbers.least, numbers.most) == (3, 0, 10)
    assert sum(bar.count or 0 for bar in told["heat"].bars) == 7
    assert told["heat"].bars[0].low == 36.0


def test_a_group_that_repeats_counts_each_time() -> None:
    told = of(
        {"takes": True, "doses": 2, "medicine": 2, "name@1": "A", "missed@1": True, "why@1": "forgot", "name@2": "B"},
        form=MEDICINES,
    )
    assert denominators(told["name"]) == (2, 2, 0, 0)
    assert denominators(told["missed"]) == (2, 1, 0, 1)
    assert [said for _, said in told["name"].words] == ["A", "B"]


def test_each_of_several_numbers_counts_and_one_person_s_are_nobody_s_to_see() -> None:
    mine = {f"fever@{n}": 38 + n for n in (1, 2)} | {"day@1": "2026-11-20", "fever@": {"so_far": 3}}
    told = of(*[mine] * 3, form=FEVERS)
    assert denominators(told["fever"]) == (6, 6, 0, 0), "the third field is empty"
    assert denominators(told["day"]) == (6, 3, 0, 3)
    assert for_who_has_no_right([told["fever"]])[0].hidden, "six numbers of three people"


def test_few_people_are_nobodys_to_see() -> None:
    four = for_who_has_no_right(figures(FORM, [{"pain": n, "worse": True, "why": "x"} for n in range(4)]))
    assert all(one.hidden and one.bars == () and one.numbers is None and one.words == () for one in four)
    many = [{"worse": n > 0, "pain": 1 if n > 2 else 9, "why": "x"} for n in range(20)]
    told = {one.item.link_id: one for one in for_who_has_no_right(figures(FORM, many))}
    assert bars(told["worse"]) == {"yes": None, "no": None}, "the one who said no would follow from the rest"
    numbers = told["pain"].numbers
    assert numbers is not None and (numbers.least, numbers.most) == (None, None)
    assert told["why"].words == ()
    assert [few(n) for n in (0, 1, 4, 5)] == ["0", "fewer than 5", "fewer than 5", "5"]


@given(st.lists(st.sampled_from(["fever", "cough", "none"]), max_size=60))
def test_what_is_hidden_does_not_follow_from_what_is_shown(said: list[str]) -> None:
    """One option each: the answered are known, so with all others known a hidden one would be, too."""
    form = questionnaire(question("sign", "choice", answerOption=options("fever", "cough", "none")))
    (one,) = for_who_has_no_right(figures(form, [{"sign": sign} for sign in said]))
    hidden = [bar for bar in one.bars if bar.count is None]
    assert (
        len(hidden) != 1
        or one.answered - sum(bar.count or 0 for bar in one.bars) >= FEW
        or not any(bar.count for bar in one.bars)
    )
    assert all(bar.count is None or bar.count == 0 or bar.count >= FEW for bar in one.bars)


@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=50))
def test_every_number_is_in_one_bar(told: list[float]) -> None:
    form = questionnaire(question("n", "decimal"))
    (one,) = figures(form, [{"n": value} for value in told])
    assert sum(bar.count or 0 for bar in one.bars) == len(told)
    assert len(one.bars) <= 14
