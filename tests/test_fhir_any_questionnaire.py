"""Any Questionnaire of R4, made by chance: read, asked in every way to its end, and answered validly."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import texting, words_between
from scripts.answers import AnswerRefused
from scripts.fhir_export import as_fhir
from scripts.fhir_questionnaire import read_fhir
from scripts.filling import Filling
from scripts.questionnaire import Answer, ItemType
from scripts.questionnaire_files import read_body
from tests.test_fhir import exported
from tests.test_filling import answered_on
from tests.workshops import shipped
from web import answer_view

KINDS = sorted(set(ItemType) - {ItemType.GROUP, ItemType.DISPLAY})


@st.composite
def items(draw: st.DrawFn, depth: int = 3, path: str = "i", before: tuple[dict[str, Any], ...] = ()) -> list[Any]:
    """Questions and groups in one another, repeated or not, with conditions on what stands before them or around."""
    made: list[Any] = []
    for at in range(draw(st.integers(1, 3))):
        known = [*before, *made]
        kind = draw(st.sampled_from([*KINDS, "group", "group", "display"] if depth else KINDS))
        one: dict[str, Any] = {"linkId": f"{path}.{at}", "type": kind, "text": f"{path}.{at}?"}
        if kind != "display":
            one |= {name: True for name in ("repeats", "required") if draw(st.booleans())}
        if kind in ("choice", "open-choice"):
            one["answerOption"] = [{"valueCoding": {"code": str(n), "display": f"{n}!"}} for n in range(draw(OPTIONS))]
        asked = [other for other in known if other["type"] not in ("group", "display")]
        if asked and draw(st.booleans()):
            to = draw(st.sampled_from(asked))
            one["enableWhen"] = [{"question": to["linkId"], "operator": "exists", "answerBoolean": draw(st.booleans())}]
        if kind == "group" or (depth and kind != "display" and draw(st.integers(0, 2)) == 0):
            one["item"] = draw(items(max(0, depth - 1), one["linkId"], (*known, one)))
        made.append(one)
    return made


OPTIONS = st.integers(1, 14)
WORDS = shipped().words()


@pytest.mark.covers("H21", "H28")
@settings(deadline=None, max_examples=30)
@given(st.data())
def test_it_is_asked_in_every_way_and_answered_validly(data: st.DataObject) -> None:
    resource = {"resourceType": "Questionnaire", "status": "active", "item": data.draw(items())}
    found = read_fhir(json.dumps(resource).encode())
    asked = found.questionnaire
    assert read_body(asked.body) == asked
    if not found.left_out:
        again = as_fhir(asked, 1)
        assert again.left_out == ()
        assert read_fhir(json.dumps(again.resource).encode()).questionnaire.items == asked.items
    answers: dict[str, Answer | None] = {}
    for most in (data.draw(st.integers(0, 8)), 120):
        answered_on(data.draw, asked, answers, most)
        filling = Filling(asked, answers)
        whole = filling.next() is None
        exported(asked, answers, "completed" if whole else "in-progress")
        for place in filling.asked():
            assert texting.question(place, WORDS, "es", [one for _, one in words_between.before(filling, place)])
            with contextlib.suppress(AnswerRefused):
                texting.value(filling, place, data.draw(st.sampled_from(["1", "1 2", "23/11/2026", "9:20", "x"])))
        pages = [answer_view.show(filling, number + 1) for number in range(len(answer_view.stops(filling)))]
        shown = {page.place.key for page in pages if page is not None}
        assert {place.key for place in filling.asked()} <= shown
