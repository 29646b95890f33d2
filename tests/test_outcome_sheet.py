"""The sheet of outcomes: what a hospital may choose, what is refused and why, and the sentence of each row."""

from datetime import timedelta
from typing import Any

import pytest

from hospital.outcome_rules import CONTACT_WAYS, LINE_WAYS, SHIPPED, Rule
from hospital.outcomes import CONTACT_RESULTS, LINE_RESULTS
from scripts.findings import of_outcomes
from scripts.outcome_sheet import as_data, only_changes, read_outcomes
from scripts.yaml_lines import FileRefused, SourceFile
from web.outcome_words import FIXED, sentence

MINUTES = timedelta(minutes=1)
pytestmark = pytest.mark.covers("H14", "H18", "H51")


def read(**body: Any) -> Any:
    return read_outcomes(SourceFile.of(body, "outcomes"))


def refused(**body: Any) -> str:
    with pytest.raises(FileRefused) as told:
        read(**body)
    return "\n".join(f"{'.'.join(one.where)}: {one.what}. {one.do}" for one in told.value.problems)


def test_what_is_shipped_is_in_the_sheets_own_shape() -> None:
    assert read(**as_data(SHIPPED)) == SHIPPED == read()
    assert only_changes(as_data(SHIPPED)) == {}
    assert LINE_WAYS.keys() == LINE_RESULTS - {"answered", "cancelled", "not_allowed"} == SHIPPED.line.keys()
    assert CONTACT_WAYS.keys() == CONTACT_RESULTS == SHIPPED.contact.keys()


def test_a_row_is_changed_and_the_others_stay() -> None:
    rules = read(line={"no_answer": {"next": "nurse"}}, contact={"moved": {"next": "other_number", "after": "1 d"}})
    assert rules.line["no_answer"] == Rule("nurse")
    assert rules.contact["moved"] == Rule("other_number", timedelta(days=1))
    assert rules.line["busy"] == SHIPPED.line["busy"]
    assert rules.most_dials == SHIPPED.most_dials


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"contact": {"refused": {"next": "same_number"}}}, "who has said no is not called again"),
        ({"contact": {"deceased": {"next": "nurse"}}}, "who has died is not called again"),
        ({"contact": {"completed": {"next": "nurse"}}}, "who is done is not called again"),
        ({"contact": {"wrong_person": {"next": "same_number"}}}, "somebody else's number"),
        ({"contact": {"wrong_person": {"next": "close", "number": "kept"}}}, "a stranger would be called again"),
        ({"contact": {"hung_up": {"next": "close", "number": "invalid"}}}, "says nothing against the number"),
        ({"line": {"invalid_number": {"next": "same_number"}}}, "says that it does not exist"),
        ({"line": {"invalid_number": {"next": "other_number", "number": "invalid"}}}, "two attempts a day apart"),
        ({"line": {"network_failure": {"next": "close"}}}, "The line is ours"),
        ({"line": {"network_failure": {"next": "same_number", "after": "another_time"}}}, "Give a time, such as"),
        ({"line": {"busy": {"next": "same_number", "after": "0 min"}}}, "too soon"),
        ({"line": {"busy": {"next": "same_number", "after": "4 min"}}}, "5 minutes to 14 days"),
        ({"line": {"busy": {"next": "same_number", "after": "15 d"}}}, "too late"),
        ({"line": {"busy": {"next": "same_number", "after": "soon"}}}, "Write 30 min, 2 h, 1 d"),
        ({"line": {"busy": {"next": "nurse", "after": "1 h"}}}, "no call follows"),
        ({"line": {"busy": {"next": "shout"}}}, "there is no step 'shout'"),
        ({"line": {"busy": {"next": "same_number", "last_try": "1 h"}}}, "no time for the last try"),
        ({"line": {"busy": {}}}, "'next' is missing"),
        ({"line": {"asleep": {"next": "close"}}}, "'asleep' is not known here"),
        ({"line": {"answered": {"next": "close"}}}, "'answered' is not known here"),
        ({"line": {"busy": {"next": "close", "number": "lost"}}}, "nothing that happens to a number"),
        ({"most_dials": 1000}, "called for ever"),
        ({"most_dials": 2.5}, "2.5 calls are not possible"),
        ({"most_dials": "many"}, "a number is expected"),
    ],
)
def test_what_must_not_be_is_refused_with_what_to_do(body: dict[str, Any], told: str) -> None:
    assert told in refused(**body)


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = refused(most_dials=1, line={"busy": {"next": "same_number", "after": "1 min"}}, contact={"refused": {}})
    assert "most_dials:" in told
    assert "line.busy.after:" in told
    assert "contact.refused:" in told


def test_giving_up_where_a_nurse_would_have_tried_is_warned_of() -> None:
    found = of_outcomes(read(line={"no_answer": {"next": "close"}}))
    assert [(one.where, one.stops) for one in found] == [(("line", "no_answer", "next"), False)]
    assert of_outcomes(SHIPPED) == []


def test_each_row_says_what_it_does() -> None:
    assert sentence("busy", SHIPPED.line["busy"]) == (
        "After 30 minutes, the same number; the last try is tomorrow, on the next number."
    )
    assert sentence("no_answer", SHIPPED.line["no_answer"]) == (
        "Tomorrow at the other time of day, the next number. It is a try only if the phone rang."
    )
    assert sentence("wrong_person", SHIPPED.contact["wrong_person"]) == (
        "The number is put away at once. After 5 minutes, the next number, or closed where there is none."
    )
    assert "two calls a day apart say so" in sentence("invalid_number", SHIPPED.line["invalid_number"])
    assert "an automatic call is hers from now on" in sentence("hung_up", Rule("nurse"))
    for result in FIXED:
        assert sentence(result, None)
