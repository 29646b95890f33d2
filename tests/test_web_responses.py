"""What was answered: figures for who may read them, words for fewer, files that say the same as the page."""

import csv
import io
import json
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hospital import answer_links, followups, outbox, patients, questionnaires
from hospital.answer_links import Links
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.text_records import StepText
from scripts.questionnaire_files import load_questionnaires
from tests.characters import JOAO
from tests.console_app import Site, words
from tests.moments import NOON
from tests.test_filling import SYMPTOMS
from tests.test_web_form_shapes import SHAPES, asks

pytestmark = pytest.mark.covers("H28", "H51")
OPEN = "=the stairs, +1 pill"  # what a spreadsheet would take for a formula


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def answered(site: Site, count: int, **more: Any) -> None:
    """So many other patients' day-3 questions: the pain is 2, and three of them feel worse."""
    with site.database.transaction() as session:
        form = session.get_one(FollowUpTask, site.task.id).questionnaire_id
        assert form is not None
        for n in range(count):
            patient = patients.register(
                session, name=f"Somebody {n}", birth=date(1980, 1, 1), language="en", numbers=[]
            )
            task = followups.plan(
                session, patient_id=patient.id, questionnaire_id=form, reason="discharge_day_3", due_at=NOON
            )
            given = {"general": "worse" if n < 3 else "better", "pain": 2, "temperature": None} | more
            for item, value in given.items():
                followups.save_answer(session, task.id, item, value, NOON)


def version(site: Site) -> str:
    with site.database.transaction() as session:
        return str(session.get_one(FollowUpTask, site.task.id).questionnaire_id)


async def read(site: Site, who: str, path: str = "") -> str:
    async with site.signed_in(who) as page:
        return unescape((await page.get(f"/responses/{version(site)}{path}")).text)


def rows(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_ana_reads_figures_with_what_they_are_of(site: Site) -> None:
    answered(site, 12)
    async with site.signed_in("ana") as ana:
        told = words((await ana.get("/responses")).text)
        assert "Three days after discharge" in told and "12" in told and "92 %" in told, "12 of 13 that were due"
    told = words(await read(site, "ana"))
    assert "13 became due in the last 30 days" in told and "12 were answered" in told
    assert "Put to 12; answered by 12, left out by 0, not reached by 0." in told
    assert "Put to 12; answered by 0, left out by 12, not reached by 0." in told, "the temperature"
    page = await read(site, "ana")
    assert "9 · 75 %" in page and "3 · 25 %" in page
    assert "<script" not in page.partition('class="charts"')[2]
    assert "Mean 2.0, middle 2, from 2 to 2" in told


async def test_each_version_stands_by_itself(site: Site) -> None:
    answered(site, 6)
    old = version(site)
    with site.database.transaction() as session:
        body = json.loads(load_questionnaires()[0]["discharge-day3"].body)
        body["title"]["en"] = "The third day"
        new = questionnaires.publish(session, "discharge-day3", body, "another", NOON + timedelta(minutes=1))
        session.get_one(FollowUpTask, site.task.id).questionnaire_id = new.id
        followups.save_answer(session, site.task.id, "pain", 9, NOON)
    async with site.signed_in("ana") as ana:
        assert "Mean 9.0" in words((await ana.get(f"/responses/{version(site)}")).text)
        assert "Mean 2.0" in words((await ana.get(f"/responses/{old}")).text)
        assert "The third day" in (await ana.get("/responses")).text


async def test_the_doctor_sees_no_small_figures_and_nobodys_words(site: Site) -> None:
    answered(site, 4, **{"next-visit": OPEN})
    page = await read(site, "dora")
    assert "Too few answered to be shown." in page and "fewer than 5" in page
    assert "Mean" not in page and OPEN not in page and "<rect" not in page
    answered(site, 20)
    page = await read(site, "dora")
    assert "Mean 2.0, middle 2." in words(page) and "from 2 to 2" not in page
    assert OPEN not in page and "in their own words" not in page
    told = rows(await read(site, "dora", "/figures.csv"))
    counts = {row["answer"]: row["count"] for row in told if row["question"] == "general"}
    assert counts == {"Better": "18", "The same": "0", "Worse": "6"}


async def test_what_a_doctor_is_not_shown_is_not_in_the_file_either(site: Site) -> None:
    answered(site, 12)
    told = rows(await read(site, "dora", "/figures.csv"))
    counts = {row["answer"]: row["count"] for row in told if row["question"] == "general"}
    assert counts == {"Better": "hidden", "The same": "0", "Worse": "hidden"}
    seen = {row["answer"]: row["count"] for row in rows(await read(site, "ana", "/figures.csv"))}
    assert seen["Worse"] == "3"


async def test_words_and_single_responses_are_for_who_sees_everybodys(site: Site) -> None:
    answered(site, 6, **{"next-visit": OPEN})
    assert OPEN not in await read(site, "ana")
    page = await read(site, "grace")
    assert page.count(OPEN) == 6 and "6 in their own words" in page
    async with site.signed_in("ana") as ana:
        await ana.get(f"/responses/{version(site)}/responses.csv", 403)
    told = rows(await read(site, "grace", "/responses.csv"))
    spoken = [row for row in told if row["question"] == "next-visit"]
    assert [row["answer"] for row in spoken] == [f"'{OPEN}"] * 6, "no spreadsheet reckons with it"
    assert {row["answer text"] for row in told if row["question"] == "general"} == {"Worse", "Better"}
    assert {row["answer text"] for row in told if row["question"] == "temperature"} == {"left out"}
    assert "Somebody" not in str(told) and JOAO.name not in str(told)
    with site.database.transaction() as session:
        audited = session.scalars(select(AuditRow).where(AuditRow.action.like("responses.%"))).all()
        assert {row.action for row in audited} == {"responses.read", "responses.exported"}
        assert len(next(row for row in audited if row.action == "responses.exported").detail["patients"]) == 6
        assert session.scalars(select(AuditRow).where(AuditRow.action == "denied")).one()


async def test_under_a_choice_of_several_the_file_says_of_which_answer(site: Site) -> None:
    with site.database.transaction() as session:
        asks(session, site.task.id, SYMPTOMS)
    answered(site, 1, **{"symptoms": ["pain"], "days@2": 4})
    told = {row["text"]: row["answer"] for row in rows(await read(site, "grace", "/responses.csv"))}
    assert told == {"symptoms": "pain", "Pain: days": "4"}


async def test_what_is_asked_no_more_is_not_in_the_file(site: Site) -> None:
    with site.database.transaction() as session:
        asks(session, site.task.id, SHAPES)
        for key, value in (
            ("smokes", False),
            ("a day/#1", 20),  # told before
            ("medicine", 1),
            ("name@1", "Aspirin"),
            ("missed@1", None),
            ("name@2", "taken away"),
        ):
            followups.save_answer(session, site.task.id, key, value, NOON)
    told = [(row["question"], row["answer"]) for row in rows(await read(site, "grace", "/responses.csv"))]
    assert told == [("smokes", "false"), ("name", "Aspirin"), ("missed", "")]


async def test_nothing_was_answered_and_no_such_version(site: Site) -> None:
    assert "Nothing was answered" in await read(site, "ana")
    async with site.signed_in("ana") as ana:
        await ana.get("/responses/00000000-0000-0000-0000-000000000000", 404)
        assert "Three days after discharge" in (await ana.get("/responses?days=7")).text


async def test_how_the_answers_have_come(site: Site) -> None:
    answered(site, 6)  # the telephone, a call of the patient's own
    with site.database.transaction() as session:
        tasks = session.scalars(select(FollowUpTask).where(FollowUpTask.id != site.task.id)).all()
        for task, via in zip(tasks, ("web", "web", "text", "telephone"), strict=False):
            account = site.staff["ana"].id if via == "telephone" else None
            followups.save_answer(session, task.id, "pain", 1, NOON, via=via, account_id=account)
        for task in tasks[:5]:
            link = answer_links.make(session, task, "en", NOON, Links("https://answers.test"), NOON + timedelta(days=1))
            message = f"step/{task.id}"
            outbox.put(session, once=message, key="x", locale="en", number="+12025550105", at=NOON)
            row = session.scalars(select(OutboxRow).where(OutboxRow.once == message)).one()
            row.state = "failed" if task is tasks[4] else "delivered"
            session.add(StepText(task_id=task.id, outbox_id=row.id, patient_id=task.patient_id, number_token=b"x",
                                 texted_at=NOON, answer_by=NOON + timedelta(days=1)))  # fmt: skip
            session.flush()
            if task in tasks[:2]:
                assert answer_links.begin(session, link.rpartition("/")[2], NOON)
    told = words(await read(site, "ana"))
    assert "Of 4 links that were sent 2 were begun on, and 0 finished." in told
    page = await read(site, "ana")
    bars = ("The page of a link: 2.", "Replies to text messages: 1.", "A nurse, by telephone: 1.")
    for bar in (*bars, "A call of the patient's own: 2.", "An automated call: 0."):
        assert bar in page
    ways = {row["way"] for row in rows(await read(site, "grace", "/responses.csv"))}
    assert ways == {"The page of a link", "Replies to text messages", "A nurse, by telephone"} | {
        "A call of the patient's own"
    }


async def test_the_doctor_does_not_see_which_few_came_by_which_way(site: Site) -> None:
    answered(site, 12)
    with site.database.transaction() as session:
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.id != site.task.id)).first()
        assert task is not None
        followups.save_answer(session, task.id, "pain", 1, NOON, via="web")
    page = await read(site, "dora")
    assert "The page of a link: hidden." in page and "A call of the patient's own: hidden." in page
    assert "The page of a link: 1." in await read(site, "ana")
