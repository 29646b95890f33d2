"""Any Questionnaire of R4, made by chance: read, asked in every way to its end, and answered validly: as text messages,
on a page, by key on the telephone, and on the nurse's form."""

import asyncio
import contextlib
import json
import os
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from hospital import followups, questionnaires, surveys
from hospital.database import Database
from hospital.patients import Patient
from hotline import wiring
from hotline.caller_joints import SqlJournal
from ivr.call import Call
from ivr.dialogues.survey import survey
from ivr.front_desk import FrontDesk
from scripts import texting, words_between
from scripts.answers import AnswerRefused
from scripts.fhir_export import as_fhir
from scripts.fhir_questionnaire import read_fhir
from scripts.filling import Filling
from scripts.questionnaire import CHOICES, Answer, Item, ItemType, Questionnaire
from scripts.questionnaire_files import read_body
from tests.answering import VOICE, Answering
from tests.characters import LUCIA
from tests.console_app import Site
from tests.moments import NOON
from tests.test_care_dialogues import front, shelf, words
from tests.test_fhir import exported
from tests.test_filling import an_answer, answered_on
from tests.test_web_followups import identify
from tests.test_web_form_shapes import asks
from tests.workshops import shipped
from web import answer_view
from web.answer_fields import OTHER

__all__ = ["front", "shelf", "words"]
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


# ── By key, on the telephone ────────────────────────────────────────────────────────────────────────────────────────


def theirs(data: st.DataObject) -> Questionnaire:
    """In Spanish, so that it can be spoken."""
    resource = {"resourceType": "Questionnaire", "status": "active", "language": "es", "item": data.draw(items())}
    return read_fhir(json.dumps(resource).encode()).questionnaire


def as_told(value: Any) -> Any:
    """An answer as whoever gave it remembers it: which case holds what was spoken they do not know."""
    if isinstance(value, list):
        return [as_told(one) for one in value]
    return VOICE if isinstance(value, dict) and "voice" in value else value


@pytest.mark.covers("H21", "H28", "H39")
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_is_asked_by_key_to_its_end_and_kept_as_given(front: FrontDesk, data: st.DataObject) -> None:
    asked = theirs(data)
    with front.database.transaction() as session:
        lucia = next(one for one in session.scalars(select(Patient)) if one.name == LUCIA.name)
        row = questionnaires.publish(session, f"any-{os.urandom(4).hex()}", json.loads(asked.body), asked.sha256, NOON)
        due = NOON - timedelta(hours=1)
        task = followups.plan(session, patient_id=lucia.id, questionnaire_id=row.id, reason="survey", due_at=due)
        task.channel, task_id = surveys.CHANNEL, task.id

    def saved() -> dict[str, Any]:
        with front.database.transaction() as session:
            return followups.answers(session, task_id)

    caller = Answering(lambda many: data.draw(st.integers(0, many - 1)), lambda: Filling(asked, saved()).next())

    async def call() -> None:
        call_id = f"terminal-{os.urandom(4).hex()}"
        journal = SqlJournal(front.database, call_id, "terminal", LUCIA.numbers[0], lambda: NOON)
        await journal.begin()

        async def ask(call: Call) -> None:
            await survey(call, front, task_id)

        house, number = wiring.house_keys(front), LUCIA.numbers[0]
        await caller.call(ask, WORDS, journal, house, call_id=call_id, number=number)

    asyncio.run(call())
    kept, told = saved(), str(caller.transcript)
    filling = Filling(asked, kept)
    assert filling.next() is None and not filling.missing(), told
    questions = {place.key: as_told(kept.get(place.key)) for place in filling.places if not place.counts}
    assert {key: value for key, value in questions.items() if value is not None} == caller.answers, told
    exported(asked, kept, "completed")


# ── On the nurse's form ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    """Ana talks with João, who has said who he is."""
    made = Site(database, tmp_path)
    made.talking()
    return made


def as_sent(item: Item, value: Any) -> dict[str, Any]:
    """What the form sends for an answer."""
    several = value if isinstance(value, list) else [] if value is None else [value]
    if item.type in CHOICES:
        free = [one["text"] for one in several if isinstance(one, dict)]
        codes = [one for one in several if not isinstance(one, dict)]
        return {"value": [*codes, *([OTHER] if free else [])], "text": "".join(free)}
    written = [str(one).lower() if isinstance(one, bool) else str(one) for one in several]
    return {"value": "\r\n".join(written)}


def fields(page: str) -> dict[str, str]:
    """Key → its field, of all that the page shows."""
    parts = re.split(r'(?=<(?:form|section|div|p) [^>]*data-item=")', page)
    found = {}
    for part in parts:
        named = re.match(r'<form [^>]*data-item="([^"]+)"( hidden)?', part)
        if named and not named[2]:
            found[unescape(named[1])] = part
    return found


@pytest.mark.covers("H15", "H21")
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_is_filled_in_on_the_nurses_form_and_kept_as_given(site: Site, data: st.DataObject) -> None:
    asked = theirs(data)
    with site.database.transaction() as session:
        session.execute(delete(followups.Answer).where(followups.Answer.task_id == site.task.id))
        asks(session, site.task.id, asked)
    gave: dict[str, Any] = {}
    counted: dict[str, int] = {}

    async def fill_in() -> None:
        at = f"/followups/{site.task.id}"
        async with site.signed_in("ana") as ana:
            await identify(ana, site)
            while True:
                page = fields((await ana.get(at)).text)
                filling = Filling(asked, site.answers())
                shown = {one.key for one in filling.asked() if not one.counts}
                assert set(page) == shown, "what is asked now, and nothing else"
                more = next((one for one in filling.places if one.counts and one.key not in counted), None)
                if more is not None:
                    counted[more.key] = data.draw(st.integers(0, 2))
                    for _ in range(counted[more.key]):
                        await ana.post(f"{at}/repetitions/{quote(more.key)}", more="1")
                    continue
                place = next((filling.place(key) for key in page if key not in gave), None)
                if place is None:
                    return
                value = gave[place.key] = an_answer(data.draw, filling, place)
                for option in place.item.options:
                    assert f'value="{option.code}"' in page[place.key]
                await ana.post(f"{at}/answers/{quote(place.key)}", **as_sent(place.item, value))

    asyncio.run(fill_in())
    kept = site.answers()
    filling = Filling(asked, kept)
    now = {one.key for one in filling.places}
    assert {key: kept[key] for key in gave if key in now and gave[key] is not None} == {
        key: value for key, value in gave.items() if key in now and value is not None
    }
    assert not filling.missing()
    exported(asked, kept, "completed")
