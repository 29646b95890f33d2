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

from hospital import followups, patients, questionnaires
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.followups import FollowUpTask
from scripts.questionnaire_files import load_questionnaires
from tests.characters import JOAO
from tests.console_app import Site, words
from tests.moments import NOON

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


async def test_nothing_was_answered_and_no_such_version(site: Site) -> None:
    assert "Nothing was answered" in await read(site, "ana")
    async with site.signed_in("ana") as ana:
        await ana.get("/responses/00000000-0000-0000-0000-000000000000", 404)
        assert "Three days after discharge" in (await ana.get("/responses?days=7")).text
