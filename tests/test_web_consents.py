"""João tells Ana what he wants no contacts for; it is in force before she has hung up."""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import attempts, consents, followups, outbox, patients, plan_changes
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from tests.characters import JOAO, MEI
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, admit
from tests.moments import NOON

pytestmark = pytest.mark.covers("H52", "I4")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def opted_out(site: Site, patient_id: UUID) -> set[str]:
    with site.database.transaction() as session:
        return set(consents.opted_out(session, patient_id))


@pytest.mark.parametrize("purpose", consents.PURPOSES)
async def test_each_purpose_is_refused_and_wanted_again_and_audited(site: Site, purpose: str) -> None:
    panel = f"/followups/{site.task.id}/consents/{site.joao.id}/{purpose}"
    async with site.signed_in("ana") as ana:
        assert "Follow-up calls: yes Reminders: yes" in words((await ana.get(f"/followups/{site.task.id}")).text)
        await ana.post(panel, 204)
        assert opted_out(site, site.joao.id) == {purpose}
        assert ": no" in words((await ana.get(f"/followups/{site.task.id}/past")).text)
        await ana.post(panel, 204, on="on")
    assert opted_out(site, site.joao.id) == set()
    with site.database.transaction() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action.startswith("consent.")).order_by(AuditRow.seq))
        told = [(row.action, row.account_id, row.detail) for row in rows]
    ana_id = site.staff["ana"].id
    assert told == [
        ("consent.withdrawn", ana_id, {"purpose": purpose}),
        ("consent.given", ana_id, {"purpose": purpose}),
    ]


async def test_what_rings_is_hung_up_and_what_is_queued_does_not_leave(site: Site) -> None:
    with site.database.transaction() as session:
        claimed = attempts.claim(session, site.task.id, site.staff["ana"].id, "n1", NOON, UNCAPPED)
        assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, NOON)
        told = {"key": "please_call", "locale": "pt-BR", "number": JOAO.numbers[0], "at": NOON}
        outbox.put(session, once="reminder/1", patient_id=site.joao.id, **told)
        outbox.put(session, once="appointment_confirmed/1", patient_id=site.joao.id, **told)
    panel = f"/followups/{site.task.id}/consents/{site.joao.id}"
    async with site.signed_in("ana") as ana:
        await ana.post(f"{panel}/reminder", 204)
        with site.database.transaction() as session:
            assert plan_changes.called_off(session, NOON) == [], "it is a follow-up that rings"
            left = {row.once: row.state for row in session.scalars(select(OutboxRow))}
            assert left == {"reminder/1": "failed", "appointment_confirmed/1": "queued"}
        await ana.post(f"{panel}/follow_up", 204)
        with site.database.transaction() as session:
            assert [one.id for one in plan_changes.called_off(session, NOON)] == [claimed.attempt_id]
        log = words((await ana.get(f"/followups/{site.task.id}/past")).text)
    assert "Hung up before anybody answered: The patient has opted out" in log


async def test_of_a_child_it_is_asked_of_who_is_called_too_and_of_nobody_else(site: Site) -> None:
    with site.database.transaction() as session:
        child = patients.register(session, name="Tiago Souza", birth=date(2020, 5, 4), language="pt-BR", numbers=[])
        child.guardian_id, mei = site.joao.id, admit(session, MEI).id
        session.flush()
        task = followups.plan(
            session,
            patient_id=child.id,
            questionnaire_id=site.task.questionnaire_id,
            reason="discharge_day_3",
            due_at=NOON,
        ).id
        child_id = child.id
    panel = f"/followups/{task}/consents"
    async with site.signed_in("ana") as ana, site.signed_in("oscar") as oscar:
        assert "May be contacted for: the guardian" in words((await ana.get(f"/followups/{task}")).text)
        await ana.post(f"{panel}/{site.joao.id}/follow_up", 204)
        await ana.post(f"{panel}/{mei}/follow_up", 404)
        await ana.post(f"{panel}/{child_id}/appointment", 404)
        await oscar.post(f"{panel}/{child_id}/survey", 403)
    assert (opted_out(site, site.joao.id), opted_out(site, child_id), opted_out(site, mei)) == (
        {"follow_up"},
        set(),
        set(),
    )
    with site.database.transaction() as session:
        assert session.get_one(Patient, child_id).opted_out == []


async def test_the_guardian_speaks_of_this_child_only_and_the_nurse_sees_what_is_held(site: Site) -> None:
    with site.database.transaction() as session:
        child = patients.register(session, name="Tiago Souza", birth=date(2020, 5, 4), language="pt-BR", numbers=[])
        child.guardian_id = site.joao.id
        session.flush()
        form = site.task.questionnaire_id
        told = {"questionnaire_id": form, "reason": "discharge_day_3", "due_at": NOON}
        task, child_id = followups.plan(session, patient_id=child.id, **told).id, child.id
    panel = f"/followups/{task}/consents/{site.joao.id}/follow_up"
    async with site.signed_in("ana") as ana:
        await ana.post(panel, 204, about="patient")
        form_page = words((await ana.get(f"/followups/{task}")).text)
        assert "Of these, about Tiago Souza: Follow-up calls: no" in form_page
        assert "nobody is called" in form_page and 'id="held"' in (await ana.get(f"/followups/{task}/call")).text
        listed = words((await ana.get("/followups/list/all")).text)
        assert "Held for you" in listed and "the guardian wants none" in listed
        assert opted_out(site, site.joao.id) == opted_out(site, child_id) == set()
        await ana.post(panel, 204, about="patient", on="on")
        assert 'id="held"' not in (await ana.get(f"/followups/{task}/call")).text
