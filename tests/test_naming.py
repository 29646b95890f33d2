"""How people are told apart by their names, in every language."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from ivr.dialogues.naming import told_apart
from scripts import wording
from scripts.wording import Site

SITE = Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES")
OLD, YOUNG = date(1950, 5, 9), date(1980, 2, 29)


@pytest.mark.parametrize(
    ("names", "called"),
    [
        (["María López"], ["María"]),
        (["María López", "José López"], ["María", "José"]),
        (["María López", "María Pérez", "José Gil"], ["María López", "María Pérez", "José"]),
        (["María del Mar Gil", "María del Pilar Gil"], ["María del Mar", "María del Pilar"]),
        (["MARIA LÓPEZ", "María Pérez"], ["MARIA LÓPEZ", "María Pérez"]),  # they sound the same
        (["María", "María López"], ["María", "María López"]),
        (["李明", "王芳"], ["李明", "王芳"]),
    ],
)
def test_no_more_of_a_name_than_it_takes(names: list[str], called: list[str]) -> None:
    assert told_apart([(name, YOUNG) for name in names]) == called


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "For María Gil, the younger, press one. For María Gil, the elder, press two."),
        ("es", "Para María Gil, de menor edad, marque uno. Para María Gil, de mayor edad, marque dos."),
        ("pt-BR", "Para María Gil, de menos idade, pressione um. Para María Gil, de mais idade, pressione dois."),
        ("zh-CN", "年纪较小的María Gil，请按一。年纪较大的María Gil，请按二。"),
        ("mi", "Mō María Gil, te taitamariki ake, pēhia te tahi. Mō María Gil, te pakeke ake, pēhia te rua."),
    ],
)
def test_of_one_name_they_are_the_elder_and_the_younger(language: str, said: str) -> None:
    called = told_apart([("María Gil", YOUNG), ("María Gil", OLD)])
    choices = [{"given_name": one, "key": key} for key, one in enumerate(called, 1)]
    assert wording.load(SITE).text("for_whom.short", language, choices=choices) == said


@pytest.mark.parametrize("born", [[OLD, OLD], [OLD, None], [None, None], [OLD, YOUNG, YOUNG]])
def test_whose_age_tells_nothing_keep_their_whole_names(born: list[date | None]) -> None:
    assert told_apart([("María Gil", one) for one in born]) == ["María Gil"] * len(born)


def test_a_name_of_any_length_does_not_lose_which_one_it_is() -> None:
    called = told_apart([("Ana " * 100, OLD), ("Ana " * 100, YOUNG)])
    assert wording.load(SITE).text("recognised", "en", given_name=called[0]).endswith(", the elder.")
