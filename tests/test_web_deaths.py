"""A death that somebody told a nurse of is settled by a clinician; nobody else sees who it is about."""

from pathlib import Path

import pytest

from hospital import audit
from hospital.database import Database
from hospital.patients import Patient
from tests.characters import JOAO
from tests.console_app import Site, words


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def reported(site: Site) -> None:
    with site.database.transaction() as session:
        session.get_one(Patient, site.joao.id).death_reported_at = site.now


def joao(site: Site) -> Patient:
    with site.database.transaction() as session:
        return session.get_one(Patient, site.joao.id)


@pytest.mark.covers("H18", "H51", "I8")
@pytest.mark.parametrize("died", ["yes", "no"])
async def test_ana_settles_a_reported_death(site: Site, died: str) -> None:
    address = f"/deaths/{site.joao.id}"
    async with site.signed_in("ana") as ana:
        assert "No reports" in (await ana.get("/deaths")).text
        await ana.post(address, 409, died=died)
        reported(site)
        assert site.joao.name in words((await ana.get("/deaths")).text)
        await ana.post(address, 422, died="perhaps")
        assert "No reports" in (await ana.post(address, died=died)).text
        await ana.post(address, 409, died=died)
        listed = JOAO.name in words((await ana.get("/followups")).text)
        log = words((await ana.get(f"/followups/{site.task.id}/past")).text)
    task = site.task_now()
    if died == "yes":
        assert (task.state, task.stop_reason, listed) == ("stopped", "died", False)
        assert "Stopped: The patient has died" in log
    else:
        assert (task.state, listed) == ("open", True), "and everything goes on"
    async with site.signed_in("grace") as grace:
        figures = words((await grace.get("/coverage")).text)
        assert f"surgery 2 1 {'1 0' if died == 'yes' else '0 1'} " in figures, "due, excused, to be contacted"
    found = joao(site)
    assert found.death_reported_at is None
    assert found.deceased_at == (site.now if died == "yes" else None)
    with site.database.transaction() as session:
        rows = [row.action for row in audit.of_subject(session, f"patient:{site.joao.id}")]
        assert [one for one in rows if one.startswith("death")] == [
            "death.confirmed" if died == "yes" else "death.taken_back"
        ]


async def test_oscar_learns_nothing(site: Site) -> None:
    reported(site)
    async with site.signed_in("oscar") as oscar:
        await oscar.get("/deaths", 403)
        await oscar.post(f"/deaths/{site.joao.id}", 403, died="yes")
    assert joao(site).deceased_at is None
