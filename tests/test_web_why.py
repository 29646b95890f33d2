"""Why a patient was, or wasn't, called: read by the nurse, as sentences."""

from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from hospital import attempts, campaigns, followups
from hospital.accounts import Account
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import PRESETS
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from tests.characters import JOAO
from tests.console_app import Site, words
from tests.hospital_scene import POLICY
from tests.moments import NOON
from web.plans import plans
from web.words import DECISIONS

pytestmark = pytest.mark.covers("H14", "H18", "H51")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


async def read(site: Site, who: str = "ana") -> str:
    async with site.signed_in(who) as page:
        return unescape(words((await page.get(f"/followups/{site.task.id}/why")).text))


def change(site: Site, **values: object) -> None:
    with site.database.transaction() as session:
        patient = session.get_one(Patient, site.joao.id)
        for column, value in values.items():
            setattr(patient, column, value)


def calls(site: Site, hours: float = 0) -> Claimed | NotNow:
    with site.database.transaction() as session:
        ana = session.query(Account).filter_by(username="ana").one().id
        return attempts.claim(session, site.task.id, ana, "n1", NOON + timedelta(hours=hours), POLICY)


async def test_nothing_stands_in_the_way(site: Site) -> None:
    told = await read(site)
    assert "It may be called now." in told
    assert "Wednesday 13:00, Bogota, as they told us" in told
    assert "08:00–21:00" in told
    assert "first number" in told
    assert "0 of 3, counted where the phone rang" in told


async def test_what_was_decided_is_told_with_the_clock_that_it_was_judged_by(site: Site) -> None:
    assert isinstance(calls(site, hours=9), NotNow)
    claimed = calls(site)
    assert isinstance(claimed, Claimed)
    with site.database.transaction() as session:
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.rang(session, session.get_one(Attempt, claimed.attempt_id).channel_id)
        attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON, POLICY)
    told = await read(site)
    assert "Not called at 22:00, Bogota time: outside the patient's hours; it may be tomorrow 08:00" in told
    assert "Called at 13:00, Bogota time, first number" in told
    assert "No answer: again tomorrow 18:10, second number (1 of 3 tries)" in told
    site.now = NOON + timedelta(hours=9)
    told = await read(site)
    assert "Not called: outside the patient's hours; it may be tomorrow 08:00." in told
    assert "Wednesday 22:00, Bogota" in told


async def test_a_public_holiday_there_is_said(site: Site) -> None:
    site.now = NOON + timedelta(days=13)  # the Immaculate Conception, a Tuesday
    site.app.state.services = replace(site.app.state.services, policy=replace(POLICY, window=PRESETS["co"]))
    told = await read(site)
    assert "May be called today not at all, it is a public holiday there" in told
    assert "it may be tomorrow 07:00" in told


async def test_each_thing_that_stands_in_the_way_is_a_sentence(site: Site) -> None:
    change(site, opted_out=["follow_up"])
    told = await read(site)
    assert "Not called: the patient has opted out." in told
    assert "Opted out of follow up" in told
    change(site, opted_out=[], death_reported_at=NOON)
    assert "Not called: reported deceased, not confirmed yet." in await read(site)
    change(site, death_reported_at=None, deceased_at=NOON)
    assert "Not called: the patient has died." in await read(site)
    change(site, deceased_at=None)
    with site.database.transaction() as session:
        for number in session.get_one(Patient, site.joao.id).numbers:
            number.invalid_since = NOON
    told = await read(site)
    assert "Not called: no number left that may be called." in told
    assert "2 put away as wrong, 0 not safe to call" in told


async def test_what_was_stopped_this_week_is_found_with_its_reason(site: Site) -> None:
    change(site, opted_out=["follow_up"])
    assert isinstance(calls(site), NotNow)
    async with site.signed_in("ana") as ana:
        assert JOAO.name not in (await ana.get("/followups")).text
        told = (await ana.get("/followups?show=closed")).text
        assert JOAO.name in told and "The patient has opted out" in words(told) and "/why" in told
    told = await read(site)
    assert "The patient has opted out. Nobody calls for it any more." in told
    async with site.signed_in("ruby") as ruby:
        assert JOAO.name not in (await ruby.get("/followups?show=closed")).text
    site.now = NOON + timedelta(days=8)
    async with site.signed_in("ana") as ana:
        assert JOAO.name not in (await ana.get("/followups?show=closed")).text


async def test_a_paused_campaign_is_told(site: Site) -> None:
    with site.database.transaction() as session:
        ida = session.query(Account).filter_by(username="ida").one().id
        wanted = campaigns.Wanted("Day three", "progressive", reason="discharge_day_3")
        made = campaigns.create(session, wanted, ida, NOON)
        assert campaigns.order(session, made.id, "start", ida, NOON)
    told = await read(site)
    assert "It may be called now." in told and "Day three, running" in told
    with site.database.transaction() as session:
        assert campaigns.order(session, made.id, "pause", ida, NOON)
    told = await read(site)
    assert "its campaign is paused" in told and "Day three, paused" in told


async def test_the_cap_is_told_with_its_figures(site: Site) -> None:
    site.app.state.services = site.app.state.services.__class__(**{**vars(site.app.state.services), "policy": POLICY})
    claimed = calls(site)
    assert isinstance(claimed, Claimed)
    with site.database.transaction() as session:
        assert attempts.dialling(session, claimed.attempt_id, NOON)
        attempts.rang(session, session.get_one(Attempt, claimed.attempt_id).channel_id)
        attempts.line_ended(session, claimed.attempt_id, "busy", NOON, POLICY)
    told = await read(site)
    assert "Not called: called often enough; it may be tomorrow 08:00." in told
    assert "1 today (at most 1), 1 in seven days (at most 3)" in told


async def test_the_nurse_notes_on_whose_clock_the_patient_is(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        told = unescape(words((await ana.post(f"/followups/{site.task.id}/zone", zone="Asia/Shanghai")).text))
        assert "Thursday 02:00, Shanghai, as they told us" in told
        assert "Not called: outside the patient's hours" in told
        await ana.post(f"/followups/{site.task.id}/zone", 422, zone="Middle/Earth")
        told = words((await ana.post(f"/followups/{site.task.id}/zone", zone="")).text)
        assert "Sao Paulo, by the number" in told


async def test_without_a_number_the_address_tells_the_clock_and_else_the_hospital(site: Site) -> None:
    with site.database.transaction() as session:
        for number in session.get_one(Patient, site.joao.id).numbers:
            number.invalid_since = NOON
    change(site, zone=None, address="Calle 1\nLima\nPeru")
    assert "Lima, by the country of the address" in await read(site)
    change(site, address="Calle 1, Bogotá")
    assert "Bogota, the hospital's: nothing tells another" in await read(site)


async def test_it_is_closed_to_other_nurses_and_each_look_is_audited(site: Site) -> None:
    async with site.signed_in("ruby") as ruby:
        await ruby.get(f"/followups/{site.task.id}/why", 403)
        await ruby.post(f"/followups/{site.task.id}/zone", 403, zone="Asia/Shanghai")
    async with site.signed_in("ana") as ana:
        assert "/why" in (await ana.get(f"/followups/{site.task.id}")).text
    with site.database.transaction() as session:
        assert session.get_one(Patient, site.joao.id).zone != "Asia/Shanghai"
        assert session.get_one(FollowUpTask, site.task.id).state == "open"
        assert followups.decisions(session, site.task.id)


def test_every_decision_that_the_hotline_writes_has_its_sentence() -> None:
    written = set()
    for path in (Path(followups.__file__).parent).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for part in text.split("decide(")[1:]:
            arguments = part.partition(")")[0].replace("\n", " ").split(",")
            written |= {one.strip().strip('"') for one in arguments[:4] if one.strip().startswith('"')}
    assert {"called", "to_nurse", "number_put_away", "plan_changed"} <= written
    assert written <= DECISIONS.keys()
    assert JOAO.name not in str(DECISIONS)


@pytest.mark.parametrize(
    ("plan", "sha256", "told"),
    [
        ("diabetes", plans()["diabetes"].sha256, "Plan Diabetes, since 25 Nov 2026 "),
        ("diabetes", "0", "Plan Diabetes, since 25 Nov 2026; the plan has been changed since"),
        ("leeches", "0", "Plan leeches, since 25 Nov 2026; the plan is not used any more"),
    ],
)
async def test_of_a_plan_it_is_told_since_when_and_that_it_is_another_now(
    site: Site, plan: str, sha256: str, told: str
) -> None:
    with site.database.transaction() as session:
        event = CareEvent(source="x", kind="enrolment", patient_id=site.joao.id, at=NOON, told_at=NOON)
        session.add(event)
        session.flush()
        follows = Enrolment(event_id=event.id, patient_id=site.joao.id, plan=plan, plan_sha256=sha256, enrolled_at=NOON)
        session.add(follows)
        session.flush()
        task = session.get_one(FollowUpTask, site.task.id)
        task.enrolment_id, task.step = follows.id, "day-1"
    assert told in await read(site)
