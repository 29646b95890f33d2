"""A red flag from Ana's form: she raises it or sets it aside with a reason, and it cannot be forgotten."""

from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital import answer_flags, climbing, followups
from hospital.answer_flags import AnswerFlag
from hospital.attempts import Attempt
from hospital.audit import AuditRow
from hospital.calendars import Calendar
from hospital.cases import Case
from hospital.database import Database
from hospital.patients import Patient
from hospital.urgent import Ladder
from tests.console_app import Page, Site, words
from tests.moments import ZONE

pytestmark = pytest.mark.covers("H33")
CLOCK = timedelta(minutes=5)


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


async def ill(page: Page, site: Site) -> None:
    """João is on the line: pain of 10, breathless and bleeding."""
    task = f"/followups/{site.task.id}"
    for identifier in ("name", "birth_date"):
        await page.post(f"{task}/ticks/{identifier}", on="on")
    await page.post(f"{task}/answers/pain", value="10")
    await page.post(f"{task}/answers/symptoms", value=["breathless", "bleeding"])
    await page.post(f"{task}/all-normal")


def cases_of(site: Site) -> list[tuple[str, str, str | None, str | None]]:
    with site.database.transaction() as session:
        return [(one.state, one.detail, one.role, one.caller) for one in session.scalars(select(Case))]


def flags(site: Site) -> dict[str, str]:
    with site.database.transaction() as session:
        return {one.code: one.state for one in answer_flags.of_task(session, site.task.id).values()}


def forgotten(site: Site) -> int:
    """The core looks, as it does each second."""
    with site.database.transaction() as session:
        looked = climbing.anything_stands(session)
        raised = len(answer_flags.raise_forgotten(session, site.now, CLOCK))
        assert looked or not raised, "what is due would not have been looked for"
        return raised


@pytest.mark.parametrize("result", ["completed", "partial", "call_later", "hung_up"])
async def test_no_result_is_taken_while_one_stands(site: Site, result: str) -> None:
    call = site.talking()
    async with site.signed_in("ana") as ana:
        await ill(ana, site)
        refused = await ana.post(f"/followups/{site.task.id}/result/{result}", 409)
        assert refused.text == (
            "First deal with the red flag: Severe pain, Trouble breathing, Bleeding. "
            "Raise it (9), or set it aside with a reason (8)."
        )
        assert cases_of(site) == [], "nobody is rung for what a nurse may judge"
        raised = words((await ana.post(f"/followups/{site.task.id}/flags/raise")).text)
        assert "Severe pain raised" in raised and "Raise it" not in raised
        await ana.post(f"/followups/{site.task.id}/result/{result}")
        await ana.post(f"/followups/{site.task.id}/flags/raise", 409)
    site.over(call)


async def test_raised_it_is_the_urgent_task_of_everywhere(site: Site) -> None:
    site.talking()
    async with site.signed_in("ana") as ana, site.signed_in("grace") as grace:
        await ill(ana, site)
        await ana.post(f"/followups/{site.task.id}/flags/raise")
        with site.database.transaction() as session:
            assert len(climbing.climb(session, Calendar(ZONE, "CO"), Ladder(), site.now)) == 1
            case_id = session.scalars(select(Case.id)).one()
        page = words((await grace.get(f"/cases/{case_id}")).text)
        assert "Bleeding, Breathless, Severe pain" in page, "all that were raised"
        assert "Severe pain, Trouble breathing, Bleeding. Answered on the form" in page
        asked = words((await ana.get(f"/followups/{site.task.id}/questions")).text)
        assert "Who is on call" in asked and "Open the case" in asked
        log = unescape(words((await ana.get(f"/followups/{site.task.id}/past")).text))
        assert "Red flag raised: Bleeding, Breathless, Severe pain" in log
    with site.database.transaction() as session:
        joaos = session.get_one(Patient, site.joao.id).numbers[0].number
        (row,) = session.scalars(select(AuditRow).where(AuditRow.action == "urgent.raised"))
        assert row.account_id == site.staff["ana"].id and set(row.detail["flags"]) == {
            "severe_pain",
            "breathless",
            "bleeding",
        }
    assert cases_of(site)[0][0] == "open" and cases_of(site)[0][2:] == (None, joaos)


async def test_set_aside_with_an_outcome_and_a_reason_each_and_audited(site: Site) -> None:
    call = site.talking()
    aside = f"/followups/{site.task.id}/flags/aside"
    async with site.signed_in("ana") as ana, site.signed_in("ruby") as ruby:
        await ill(ana, site)
        await ruby.post(aside, 403, flag="severe-pain", outcome="treated", why="no")
        await ana.post(aside, 422, flag="severe-pain", outcome="treated", why="  ")
        await ana.post(aside, 422, flag="severe-pain", outcome="later", why="because")
        await ana.post(aside, 409, flag="nothing", outcome="treated", why="because")
        for flag in ("severe-pain", "breathless", "bleeding"):
            await ana.post(f"/followups/{site.task.id}/result/completed", 409)
            part = await ana.post(aside, flag=flag, outcome="treated", why="Dr Vega has seen him today")
        assert "Known, and treated already" in words(part.text)
        site.now += timedelta(minutes=1)
        await ana.post(f"/followups/{site.task.id}/result/completed")
        site.over(call)
        log = unescape(words((await ana.get(f"/followups/{site.task.id}/past")).text))
    assert "Red flag set aside, Severe pain: Known, and treated already" in log
    assert (site.task_now().state, cases_of(site)) == ("done", [])
    with site.database.transaction() as session:
        rows = list(session.scalars(select(AuditRow).where(AuditRow.action == "flag.set_aside")))
        assert rows[0].detail == {"flag": "severe_pain", "outcome": "treated"}
        assert "Vega" not in str([row.detail for row in rows]), "the chain holds codes only"
        kept = session.get_one(AnswerFlag, (site.task.id, "severe-pain"))
        assert (kept.why, kept.settled_by) == ("Dr Vega has seen him today", site.staff["ana"].id)
    site.now += timedelta(hours=1)
    assert forgotten(site) == 0


async def test_an_answer_that_changes_asks_again_and_a_corrected_one_takes_it_away(site: Site) -> None:
    site.talking()
    task = f"/followups/{site.task.id}"
    async with site.signed_in("ana") as ana:
        await ill(ana, site)
        await ana.post(f"{task}/answers/symptoms", value="none")
        assert flags(site) == {"severe-pain": "standing", "breathless": "gone", "bleeding": "gone"}
        await ana.post(f"{task}/flags/aside", flag="severe-pain", outcome="advised", why="takes more of it")
        await ana.post(f"{task}/answers/pain", value="10")
        await ana.post(f"{task}/answers/temperature", value="37")
        assert flags(site)["severe-pain"] == "set_aside", "nothing about it has changed"
        await ana.post(f"{task}/answers/pain", value="9")
        assert flags(site)["severe-pain"] == "standing"
        await ana.post(f"{task}/answers/pain", value="2")
        assert flags(site)["severe-pain"] == "gone"
        await ana.post(f"{task}/result/partial")


async def test_what_she_forgets_is_raised_by_itself(site: Site) -> None:
    """Her page is closed, or her machine is gone: a minute after the call who is on call is told."""
    call = site.talking()
    async with site.signed_in("ana") as ana:
        await ill(ana, site)
    site.now += timedelta(minutes=2)
    assert forgotten(site) == 0, "they talk"
    site.over(call)
    assert forgotten(site) == 0
    site.now += timedelta(minutes=1)
    assert forgotten(site) == 1
    assert forgotten(site) == 0, "once"
    assert [state for state, *_ in cases_of(site)] == ["open"]
    async with site.signed_in("ana") as ana:
        log = unescape(words((await ana.get(f"/followups/{site.task.id}/past")).text))
        assert "Red flag raised by itself, because nobody had dealt with it" in log
        await ana.post(f"/followups/{site.task.id}/result/completed")


async def test_a_long_talk_does_not_hold_it_back(site: Site) -> None:
    call = site.talking()
    async with site.signed_in("ana") as ana:
        await ill(ana, site)
    site.now += CLOCK
    assert forgotten(site) == 1
    with site.database.transaction() as session:
        assert session.get_one(Attempt, call).state == "talking"


async def test_what_the_machine_has_raised_is_not_raised_twice(site: Site) -> None:
    site.talking()
    with site.database.transaction() as session:
        followups.save_answer(session, site.task.id, "pain", 10, site.now)
        followups.decide(session, site.task.id, "red_flag", site.now, flag="severe_pain")
    async with site.signed_in("ana") as ana:
        for identifier in ("name", "birth_date"):
            await ana.post(f"/followups/{site.task.id}/ticks/{identifier}", on="on")
        await ana.post(f"/followups/{site.task.id}/answers/temperature", value="37")
        assert flags(site) == {}
        await ana.post(f"/followups/{site.task.id}/answers/pain", value="9")
        assert flags(site) == {"severe-pain": "standing"}


async def test_of_a_call_for_two_no_red_flag_of_either_is_left(site: Site) -> None:
    with site.database.transaction() as session:
        other = followups.plan(
            session,
            patient_id=site.task.patient_id,
            questionnaire_id=site.task.questionnaire_id,
            reason="discharge_day_7",
            due_at=site.now,
        ).id
    site.talking()
    async with site.signed_in("ana") as ana:
        await ill(ana, site)
        refused = await ana.post(f"/followups/{other}/result/partial", 409)
        assert f"Severe pain, Trouble breathing, Bleeding ({site.joao.name})" in refused.text
