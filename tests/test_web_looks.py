"""Who was shown is written down: of a list each patient who is new on it, of a page whoever stands on it."""

from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import followups, patients
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.patients import Patient
from hospital.recordings import Recording
from tests.characters import JOAO, MEI
from tests.console_app import Site, words
from tests.hospital_scene import admit
from tests.moments import NOON
from tests.test_web_cases import told


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def shown(site: Site, action: str) -> list[list[str]]:
    """The patients of each look, oldest first."""
    rows = select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)
    with site.database.transaction() as session:
        return [row.detail.get("patients", []) for row in session.scalars(rows)]


def closed_with_mei(site: Site) -> UUID:
    """A follow-up of Mei that was done lately."""
    with site.database.transaction() as session:
        mei = admit(session, MEI)
        task = followups.plan(
            session,
            patient_id=mei.id,
            questionnaire_id=site.task.questionnaire_id,
            reason="discharge_day_3",
            due_at=site.now,
            owner_id=site.staff["ana"].id,
        )
        task.state, task.closed_at = "done", site.now
        return mei.id


@pytest.mark.covers("H51")
async def test_another_list_within_two_minutes_names_whom_it_adds(site: Site) -> None:
    joao, mei = str(site.joao.id), str(closed_with_mei(site))
    async with site.signed_in("ana") as ana:
        await ana.get("/followups")
        assert MEI.name in (await ana.get("/followups?show=closed")).text
        for _ in range(2):
            await ana.get("/followups/list/all")
            await ana.get("/followups/list/closed")
        assert shown(site, "list.read") == [[joao], [mei]], "a part that refreshes is the same look"
        site.now += timedelta(minutes=3)
        await ana.get("/followups/list/all")
    assert shown(site, "list.read") == [[joao], [mei], [joao]]


@pytest.mark.covers("H18", "H51")
async def test_who_looks_for_another_name_at_once_has_seen_another_patient(site: Site) -> None:
    with site.database.transaction() as session:
        mei = admit(session, MEI)
        for number, patient in enumerate((site.joao, mei)):
            session.add(
                Recording(
                    call_id=f"n1-{number}", patient_id=patient.id, state="none", reason="refused", started_at=site.now
                )
            )
    async with site.signed_in("grace") as grace:
        assert JOAO.name in (await grace.post("/recordings/find", wanted="joão")).text
        assert MEI.name in (await grace.post("/recordings/find", wanted="mei")).text
        await grace.post("/recordings/find", wanted="")
    assert shown(site, "recordings.find") == [[str(site.joao.id)], [str(mei.id)]]


def read(site: Site, action: str) -> list[str]:
    """Of what, oldest first."""
    rows = select(AuditRow.subject).where(AuditRow.action == action).order_by(AuditRow.seq)
    with site.database.transaction() as session:
        return list(session.scalars(rows))


@pytest.mark.covers("H30", "H51")
@pytest.mark.parametrize("part", ["/file", "/transcript", "/peaks"])
async def test_a_part_of_a_case_is_a_look_also_on_a_page_that_stays_open(site: Site, part: str) -> None:
    case_id = told(site, "message", "n1-1")
    async with site.signed_in("ana") as ana:
        await ana.get(f"/cases/{case_id}{part}")
        assert read(site, "case.read") == [f"case:{case_id}"]
        site.now += timedelta(minutes=30)
        for _ in range(2):
            await ana.get(f"/cases/{case_id}{part}")
        assert read(site, "case.read") == [f"case:{case_id}"] * 2


@pytest.mark.covers("H30", "H51")
async def test_what_an_order_gives_back_of_a_case_is_a_look_and_a_refusal_is_none(site: Site) -> None:
    complaint, message = told(site, "complaint", "n1-1"), told(site, "message", "n1-2")
    async with site.signed_in("ana") as ana:
        await ana.get(f"/cases/{complaint}/file", 403)
        await ana.post(f"/cases/{message}/own")
    assert read(site, "case.read") == [f"case:{message}"]


def child_of(site: Site, name: str = "Tiago Souza") -> Patient:
    """João is the guardian."""
    with site.database.transaction() as session:
        child = patients.register(session, name=name, birth=date(2020, 5, 4), language="pt-BR", numbers=[])
        child.guardian_id = site.joao.id
        return child


def follow_up(site: Site, patient: Patient) -> UUID:
    with site.database.transaction() as session:
        told = {"questionnaire_id": site.task.questionnaire_id, "reason": "discharge_day_3", "due_at": NOON}
        return followups.plan(session, patient_id=patient.id, owner_id=site.staff["ana"].id, **told).id


@pytest.mark.covers("H13", "H51")
async def test_a_guardian_whose_number_is_shown_is_looked_at_too(site: Site) -> None:
    child = child_of(site)
    task = follow_up(site, child)
    async with site.signed_in("ana") as ana:
        assert JOAO.numbers[0] in (await ana.get(f"/followups/{task}/past")).text
        assert read(site, "record.read") == [f"patient:{child.id}", f"patient:{site.joao.id}"]
        site.now += timedelta(minutes=3)
        added = await ana.post(f"/followups/{task}/numbers", whose="guardian", number="+5511955550199")
        assert JOAO.numbers[0] in added.text
    assert read(site, "record.read")[2:] == [f"patient:{child.id}", f"patient:{site.joao.id}"]


@pytest.mark.covers("H13", "H51")
async def test_the_children_on_a_parents_form_are_looked_at_too(site: Site) -> None:
    child = child_of(site)
    async with site.signed_in("ana") as ana:
        assert "Tiago Souza, born" in (await ana.get(f"/followups/{site.task.id}/past")).text
    assert read(site, "record.read") == [f"patient:{site.joao.id}", f"patient:{child.id}"]


@pytest.mark.covers("H13", "H51")
async def test_whoever_is_called_in_the_same_call_is_looked_at_too(site: Site) -> None:
    child = child_of(site)
    follow_up(site, child)
    site.talking()
    async with site.signed_in("ana") as ana:
        page = words((await ana.get(f"/followups/{site.task.id}")).text)
        assert "Tiago Souza: Day 3 after discharge" in page
    assert f"patient:{child.id}" in read(site, "record.read")
