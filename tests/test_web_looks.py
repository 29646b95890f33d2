"""Who was shown is written down: of a list each patient who is new on it, of a page whoever stands on it."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import followups
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.recordings import Recording
from tests.characters import JOAO, MEI
from tests.console_app import Site
from tests.hospital_scene import admit


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
