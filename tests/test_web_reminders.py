"""Reminders that repeat on their page: begun for a record, stopped, and only by who works follow-ups."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital import agentless, audit, patients, reminders
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.reminders import RecurringReminder
from tests.characters import RUTH
from tests.console_app import Site, words
from tests.hospital_scene import POLICY, clinic
from tests.moments import NOON

pytestmark = pytest.mark.covers("H25")

FORM = {"record": "D-705", "about": "medication", "every": "7", "first": "2026-11-26", "last": "2026-12-31"}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    with database.transaction() as session:
        clinic(session)
        identifiers, numbers = {"record": "D-705"}, [RUTH.numbers[0]]
        patients.register(
            session, name=RUTH.name, birth=RUTH.birth, language="en", numbers=numbers, identifiers=identifiers
        )
    return made


async def test_ana_begins_one_and_stops_it(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        assert "Ruth" not in words((await ana.get("/reminders")).text)
        listed = words((await ana.post("/reminders/begin", **FORM)).text)
        assert "Ruth Miller" in listed and "7 days" in listed and "a nurse" in listed
        with site.database.transaction() as session:
            one = session.scalars(select(RecurringReminder)).one()
        assert one.next_at.isoformat() == "2026-11-26T14:00:00+00:00", "nine in the morning in Bogotá"
        assert "Ruth" not in words((await ana.post(f"/reminders/{one.id}/stop")).text)
        await ana.post(f"/reminders/{one.id}/stop", 409)
    with site.database.transaction() as session:
        actions = [row.action for row in audit.newest(session) if row.account_id == site.staff["ana"].id]
        assert {"reminder.begun", "reminder.read", "reminder.stopped"} <= set(actions)


@pytest.mark.covers("H14", "H51")
async def test_ana_reads_why_the_hotline_did_not_call(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        assert "/why" not in (await ana.post("/reminders/begin", **FORM)).text
        at = NOON + timedelta(days=1)
        with site.database.transaction() as session:
            assert reminders.plan_recurring(session, at, POLICY) == 1
            refused = agentless.claim_next(session, "n1", at + timedelta(hours=9), POLICY, kinds=["reminder"], most=1)
            assert isinstance(refused, NotNow), "it is evening there"
    site.now = at
    async with site.signed_in("ana") as ana:
        (link,) = re.findall(r'href="(/followups/[^"]+/why)"', (await ana.get("/reminders")).text)
        told = unescape(words((await ana.get(link)).text))
        assert "Ruth Miller: why called, why not" in told and "an automatic call" in told
        assert "Not called at 22:00, New York time: outside the patient's hours" in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"record": "nobody"}, "no patient"),
        ({"about": "checkup"}, "has a department"),
        ({"department": "cardiology"}, "a medicine has none"),
        ({"every": "0"}, "every 1 to 366 days"),
        ({"last": "2026-11-20"}, "ends after its first day"),
    ],
)
async def test_what_is_wrong_is_said(site: Site, wrong: dict[str, str], told: str) -> None:
    async with site.signed_in("ana") as ana:
        assert told in words((await ana.post("/reminders/begin", 422, **{**FORM, **wrong})).text)


@pytest.mark.covers("I4")
async def test_what_the_cap_cannot_keep_is_refused(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        assert "7 days" not in words((await ana.get("/reminders")).text), "this site has no cap"
        assert "1 day" in words((await ana.post("/reminders/begin", **{**FORM, "every": "1"})).text)
        site.app.state.services = replace(site.app.state.services, policy=POLICY)
        page = (await ana.get("/reminders")).text
        assert "one of the 3 contacts that a patient may have in seven days" in page and 'min="3"' in page
        refused = await ana.post("/reminders/begin", 422, **{**FORM, "every": "2"})
        assert "allows 3 contacts in seven days, reminders included: let it repeat every 3 days" in refused.text
        assert "3 days" in words((await ana.post("/reminders/begin", **{**FORM, "every": "3"})).text)


@pytest.mark.covers("H51")
async def test_oscar_may_not(site: Site) -> None:
    async with site.signed_in("oscar") as oscar:
        await oscar.get("/reminders", 403)
        await oscar.post("/reminders/begin", 403, **FORM)
