"""Words between questions: headings and items that only show something are said by every way of asking, each once."""

from typing import Any

import pytest

from scripts import texting, words_between
from scripts.filling import Filling, Place
from scripts.questionnaire import Item
from tests.test_filling import SYMPTOMS, options, question, questionnaire, when
from tests.workshops import shipped


def shown(link_id: str, english: str, spanish: str, **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": "display", "text": {"en": english, "es": spanish}, **more}


def group(link_id: str, english: str, spanish: str, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    text = {"en": english, "es": spanish}
    return {"linkId": link_id, "type": "group", "text": text, "item": list(items), **more}


BETWEEN = questionnaire(
    shown("welcome", "Thank you for your time.", "Gracias por su tiempo."),
    question("pain", "boolean", required=True),
    shown("rest", "Rest as much as you need.", "Descanse lo que necesite."),
    question("where", "choice", required=True, answerOption=options("arm", "leg"), **when(("pain", "=", True))),
    shown("cold", "Cold helps.", "El frío ayuda.", **when(("pain", "=", True))),
    group("home", "At home", "En casa", shown("care", "Keep it dry.", "Manténgalo seco.")),
    group("food", "Food", "Comida", question("eats", "boolean", required=True)),
    shown("bye", "Drink enough.", "Beba suficiente."),
    group("end", "At the end", "Para terminar", shown("call", "Call us at any time.", "Llámenos cuando quiera.")),
    title={"en": "Words between", "es": "Palabras entre preguntas"},
)


def said(answers: dict[str, Any], key: str | None) -> list[str]:
    filling = Filling(BETWEEN, answers)
    place: Place | None = filling.place(key) if key else None
    leads = words_between.before(filling, place) if place else words_between.after_all(filling)
    return [lead.text.of("en").text for _, lead in leads if isinstance(lead, Item)]


@pytest.mark.covers("H28")
def test_what_stands_since_the_last_question_is_said_whatever_of_it_is_disabled() -> None:
    assert said({}, "pain") == ["Thank you for your time."]
    assert said({"pain": True}, "where") == ["Rest as much as you need."]
    assert said({"pain": True, "where": "arm"}, "eats") == ["Cold helps.", "At home", "Keep it dry.", "Food"]
    # without pain "where" is not asked: what stands before it is not lost, and what is disabled is not said
    assert said({"pain": False}, "eats") == ["Rest as much as you need.", "At home", "Keep it dry.", "Food"]


@pytest.mark.covers("H28")
def test_what_stands_behind_the_last_question_is_said_at_the_end() -> None:
    assert said({"pain": False, "eats": True}, None) == ["Drink enough.", "At the end", "Call us at any time."]


def test_each_time_that_a_group_repeats_has_its_own_words() -> None:
    made = questionnaire(
        group("g", "Medicine", "Medicina", shown("d", "Look.", "Mire."), question("a", "boolean"), repeats=True)
    )
    filling = Filling(made, {"g": {"so_far": 2}})
    first, second = (words_between.before(filling, filling.place(key)) for key in ("a@1", "a@2"))
    assert [lead.text.of("en").text for _, lead in first if isinstance(lead, Item)] == ["Medicine", "Look."]
    assert not {key for key, _ in first} & {key for key, _ in second}


@pytest.mark.covers("H28")
def test_which_repetition_it_is_is_said_where_there_are_several() -> None:
    asked = [question("a", "boolean"), question("b", "boolean")]
    made = questionnaire(group("g", "Medicine", "Medicina", *asked, repeats=True))

    def told(answers: dict[str, Any], key: str) -> str:
        filling = Filling(made, answers)
        place = filling.place(key)
        leads = words_between.another(filling, place) if place.counts else words_between.before(filling, place)
        return texting.told([lead for _, lead in leads], shipped().words(), "en")

    assert told({"g": {"so_far": 1}, "a@1": True}, "b@1") == "Medicine.", "nobody asks which"
    assert told({"g": {"so_far": 2}, "a@1": True}, "b@1") == "Medicine. We are at number 1."
    assert told({"g": {"so_far": 2}}, "a@2") == "Medicine. We are at number 2."
    assert [told({"g": {"so_far": times}}, "g") for times in (0, 1, 2)] == [
        "Medicine.",
        "Medicine.",
        "Medicine. We are at number 2.",
    ]


@pytest.mark.covers("H28")
def test_which_of_several_answers_is_asked_about_is_said_once() -> None:
    filling = Filling(SYMPTOMS, {"symptoms": ["pain", {"text": "itch"}]})
    keys = ("days@2", "days@3", "doctor@3")
    pain, itch, still_itch = (words_between.before(filling, filling.place(key)) for key in keys)
    assert [lead for _, lead in (*pain, *itch)] == [
        words_between.About(SYMPTOMS.items[0].options[1]),
        words_between.About(None),
    ]
    assert still_itch == itch, "by its key it is known as said"
