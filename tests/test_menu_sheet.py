"""A main menu of the site's own: what is refused, and what nobody would reach."""

import pytest

from ivr.dialogues.welcome import CONVERSATIONS
from scripts.menu_sheet import REACHES, SHIPPED, Menu, out_of_reach, read_menu
from scripts.yaml_lines import FileRefused, SourceFile


def menu(*rows: tuple[str, str]) -> Menu:
    entries = [{"key": key, "leads_to": leads_to} for key, leads_to in rows]
    return read_menu(SourceFile.of({"entries": entries}, "menu"))


def test_every_conversation_can_be_offered() -> None:
    assert set(CONVERSATIONS) == set(REACHES)
    assert {leads_to for _, leads_to in SHIPPED} <= set(REACHES)
    assert menu(*SHIPPED) == SHIPPED
    assert out_of_reach(SHIPPED) == []


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([], "has 0 choices"),
        ([(str(n), name) for n, name in enumerate(list(REACHES)[:6], 1)], "has 6 choices"),
        ([("1", "results"), ("1", "book")], "key 1 is used twice"),
        ([("9", "results")], "key '9' can't be a choice"),
        ([("1", "parking")], "there is no conversation 'parking'"),
        ([("1", "results"), ("2", "results")], "'results' is offered twice"),
    ],
)
def test_what_is_refused(rows: list[tuple[str, str]], what: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        menu(*rows)
    assert [what in problem.what for problem in refusal.value.problems] == [True]


def test_what_nobody_reaches_is_told() -> None:
    assert out_of_reach(menu(("1", "appointments"), ("2", "care"))) == ["results", "information", "other", "survey"]
    parts = menu(("1", "book"), ("2", "my_appointments"), ("3", "examination"), ("4", "results"), ("5", "care"))
    assert out_of_reach(parts) == ["information", "other", "survey"]  # not the menu whose parts are offered
