"""The nurse's form of any shape, as its page asks for it: conditions, groups that repeat, scores."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hospital import followups, questionnaires
from hospital.database import Database
from hospital.followups import FollowUpTask
from scripts.questionnaire import Questionnaire
from scripts.questionnaire_files import load_questionnaires
from tests.console_app import Site
from tests.moments import NOON
from tests.test_filling import FEVERS, SYMPTOMS, options, question, questionnaire, when
from tests.test_web_followups import identify

SHAPES = questionnaire(
    {"linkId": "hello", "type": "display", "text": {"en": "Read this first."}},
    question("smokes", "boolean", required=True, normal=False),
    question("a day/#1", "integer", minValue=1, maxValue=80, **when(("smokes", "=", True))),
    {
        "linkId": "medicine",
        "type": "group",
        "repeats": True,
        "maxOccurs": 3,
        "text": {"en": "A medicine"},
        "item": [
            question("name", "string", required=True),
            question("missed", "boolean"),
            question("why", "text", **when(("missed", "=", True))),
        ],
    },
    question("since", "date"),
    question("pulses", "integer", repeats=True),
    *(question(f"mood{n}", "choice", answerOption=options("no", "some", "often", scored=True)) for n in (1, 2)),
    score=[
        {
            "id": "mood",
            "text": {"en": "Burden"},
            "sum": ["mood1", "mood2"],
            "band": [{"least": 0, "text": {"en": "little"}}, {"least": 3, "text": {"en": "much"}}],
        }
    ],
    redFlag=[{"id": "high", "text": {"en": "Heavy burden"}, "score": "mood", "operator": ">=", "answer": 4}],
)


def asks(session: Session, task_id: Any, asked: Questionnaire = SHAPES) -> None:
    """The task asks this one."""
    row = questionnaires.publish(session, asked.id, json.loads(asked.body), asked.sha256, NOON)
    session.get_one(FollowUpTask, task_id).questionnaire_id = row.id


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    with database.transaction() as session:
        asks(session, made.task.id)
    return made


@pytest.mark.covers("H15", "H21")
async def test_whatever_shape_it_has_it_is_saved_as_given(site: Site) -> None:
    site.talking()
    form = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        shown = (await ana.get(form)).text
        assert shown.count("hidden") and 'data-item="a day/#1" hidden' in shown
        await ana.post(f"{form}/answers/a%20day/%231", value="5")  # kept; it counts when it is enabled
        await ana.post(f"{form}/answers/smokes", value="true")
        added = (await ana.post(f"{form}/repetitions/medicine", more="1")).text
        assert 'data-item="name@1"' in added and "hx-swap-oob" in added
        await ana.post(f"{form}/answers/name@1", value="Aspirin")
        await ana.post(f"{form}/answers/missed@1", value="true")
        await ana.post(f"{form}/repetitions/medicine", more="1")
        await ana.post(f"{form}/repetitions/medicine", more="0")
        await ana.post(f"{form}/answers/name@2", 404, value="gone")
        await ana.post(f"{form}/answers/since", 422, value="2026-02-31")
        await ana.post(f"{form}/answers/since", value="2026-03-01")
        await ana.post(f"{form}/answers/pulses", value="60\r\n\r\n72")
        await ana.post(f"{form}/answers/mood1", value="some")
        told = (await ana.post(f"{form}/answers/mood2", value="often")).text
        assert "Burden" in told and ">3<" in told and "much" in told and "Act on this" not in told
        flagged = (await ana.post(f"{form}/answers/mood1", value="often")).text
        assert "Heavy burden" in flagged
        await ana.post(f"{form}/repetitions/medicine", more="1")
        await ana.post(f"{form}/repetitions/medicine", more="1")
        await ana.post(f"{form}/repetitions/medicine", 422, more="1")
        await ana.post(f"{form}/repetitions/smokes", 422, more="1")
        await ana.post(f"{form}/repetitions/nothing", 404, more="1")
    assert site.answers() == {
        "a day/#1": 5,
        "smokes": True,
        "medicine": {"so_far": 3},
        "name@1": "Aspirin",
        "missed@1": True,
        "since": "2026-03-01",
        "pulses": [60, 72],
        "mood1": "often",
        "mood2": "often",
    }


async def test_what_was_told_to_the_machine_is_on_the_form(site: Site) -> None:
    site.talking()
    with site.database.transaction() as session:
        for key, value in (("name@1", {"voice": 10042}), ("pulses", {"so_far": [60]})):
            followups.save_answer(session, site.task.id, key, value, NOON)
    async with site.signed_in("ana") as ana:
        shown = (await ana.get(f"/followups/{site.task.id}")).text
    assert "case 10042" in shown and ">60</textarea>" in shown


async def test_a_field_takes_as_many_letters_as_its_answer_may_have(site: Site) -> None:
    asked = questionnaire(
        question("word", "string"),
        question("short", "string", maxLength=20),
        question("words", "text"),
        question("which", "open-choice", answerOption=options("a")),
    )
    with site.database.transaction() as session:
        asks(session, site.task.id, asked)
    site.talking()
    async with site.signed_in("ana") as ana:
        page = (await ana.get(f"/followups/{site.task.id}")).text
    fields = {one.link_id: page.partition(f'data-item="{one.link_id}"')[2] for one in asked.items}
    limits = {name: int(re.findall('maxlength="([0-9]+)"', field)[0]) for name, field in fields.items()}
    assert limits == {"word": 1600, "short": 20, "words": 4000, "which": 1600}


async def test_a_hidden_fact_is_not_on_the_form_and_what_hangs_on_it_is(site: Site) -> None:
    fact = question("ward", "string", initial="North", readOnly=True, hidden=True)
    with site.database.transaction() as session:
        asks(session, site.task.id, questionnaire(fact, question("bed", **when(("ward", "=", "North")))))
    site.talking()
    async with site.signed_in("ana") as ana:
        shown = (await ana.get(f"/followups/{site.task.id}")).text
    assert 'data-item="ward" hidden' in shown
    assert 'data-item="bed"' in shown and 'data-item="bed" hidden' not in shown


@pytest.mark.covers("H15", "H21")
async def test_the_questions_under_each_answer_appear_when_it_is_chosen(site: Site) -> None:
    with site.database.transaction() as session:
        asks(session, site.task.id, SYMPTOMS)
    site.talking()
    form = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        page = (await ana.get(form)).text
        for about, key in (("Fever", "symptoms#1"), ("Pain", "symptoms#2"), ("their own words", "symptoms#3")):
            under = page.partition(f'data-item="{key}" hidden')[2]
            assert about in under.partition("</p>")[0], key
        await ana.post(f"{form}/answers/days@2", value="4")
        told = (await ana.post(f"{form}/answers/symptoms", value=["pain"])).text
        assert "symptoms#2" in told and "days@2" in told and "symptoms#1" not in told and "days@1" not in told
        assert 'data-item="symptoms#2">' in (await ana.get(form)).text


@pytest.mark.covers("H15", "H21")
async def test_each_of_several_numbers_has_a_field_and_its_questions(site: Site) -> None:
    with site.database.transaction() as session:
        asks(session, site.task.id, FEVERS)
    site.talking()
    form = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        page = (await ana.get(form)).text
        assert 'data-item="fever@1"' in page and 'data-item="day@1" hidden' in page
        told = (await ana.post(f"{form}/answers/fever@1", value="38,5")).text
        assert "day@1" in told and "pill@1" not in told
        added = (await ana.post(f"{form}/repetitions/fever@", more="1")).text
        assert 'data-item="fever@2"' in added and 'data-item="day@2" hidden' in added
        await ana.post(f"{form}/answers/fever@2", value="39")
        assert "pill@2" in (await ana.post(f"{form}/answers/day@2", value="2026-11-20")).text
        taken_away = (await ana.post(f"{form}/repetitions/fever@", more="0")).text
        assert "day@1" in taken_away and "fever@2" not in taken_away
        await ana.post(f"{form}/repetitions/fever@", more="0")
        assert 'data-item="fever@1"' in (await ana.get(form)).text, "the first field stays"


@pytest.mark.parametrize("code", sorted(load_questionnaires()[0]))
async def test_every_questionnaire_of_the_library_is_shown(site: Site, code: str) -> None:
    with site.database.transaction() as session:
        asks(session, site.task.id, load_questionnaires()[0][code])
    site.talking()
    async with site.signed_in("ana") as ana:
        assert (await ana.get(f"/followups/{site.task.id}")).text.count("<form") > 5


@pytest.mark.covers("H15")
async def test_only_what_is_suggested_is_marked_so(site: Site) -> None:
    scale = options(*(str(number) for number in range(11)))
    asked = questionnaire(
        question("pain", "choice", answerOption=scale, initial="10"),
        question("places", "choice", answerOption=scale, initial=["1", "10"], repeats=True),
        question("way", "open-choice", answerOption=options("text", "call"), initial={"text": "By letter."}),
    )
    with site.database.transaction() as session:
        asks(session, site.task.id, asked)
    site.talking()
    async with site.signed_in("ana") as ana:
        await identify(ana, site)
        page = (await ana.get(f"/followups/{site.task.id}")).text
    labels = re.findall(
        r'<label class="choice"><input type="(\w+)" name="value" value="(\w+)"(.*?)</label>', page, re.DOTALL
    )
    marked = [(kind, code) for kind, code, rest in labels if "suggested" in rest]
    assert marked == [("radio", "10"), ("checkbox", "1"), ("checkbox", "10")]
