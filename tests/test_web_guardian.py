"""Ana writes down who is called for Tiago, until when, and that it is over."""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from hospital import followups, patients
from hospital.database import Database
from hospital.patients import Patient
from tests.console_app import Site, words
from tests.moments import NOON

pytestmark = pytest.mark.covers("H13", "H52")


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


@pytest.fixture
def task(site: Site) -> UUID:
    """Tiago's follow-up; he is six and nobody speaks for him."""
    with site.database.transaction() as session:
        child = patients.register(session, name="Tiago Souza", birth=date(2020, 5, 4), language="pt-BR", numbers=[])
        told = {"questionnaire_id": site.task.questionnaire_id, "reason": "discharge_day_3", "due_at": NOON}
        return followups.plan(session, patient_id=child.id, **told).id


def tiago(site: Site, task: UUID) -> Patient:
    with site.database.transaction() as session:
        return session.get_one(followups.FollowUpTask, task).patient


async def test_named_changed_and_ended(site: Site, task: UUID) -> None:
    panel = f"/followups/{task}/guardian"
    bia = {"called": " Bia  Souza ", "number": "+5511955550123", "relation": "mother", "language": "pt-BR"}
    async with site.signed_in("ana") as ana:
        assert "Name a guardian" in words((await ana.get(f"/followups/{task}/past")).text)
        await ana.post(panel, 204, until="2026-12-31", born="1990-04-03", **bia)
        shown = words((await ana.get(f"/followups/{task}/past")).text)
        assert "Bia Souza mother until 31 Dec 2026" in shown and "+5511955550123" in shown
        assert "May be contacted for: the guardian" in shown
        await ana.post(f"{panel}/change", 204, relation="legal")
        shown = words((await ana.get(f"/followups/{task}/past")).text)
        assert "Bia Souza legal guardian" in shown and "until 31" not in shown
        await ana.post(f"{panel}/end", 204)
        shown = words((await ana.get(f"/followups/{task}/past")).text)
        assert "Bia" not in shown and "The guardian was ended: nobody else is called" in shown
        await ana.post(f"{panel}/end", 409)
    assert tiago(site, task).guardian_id is None


WRONG = [
    {"called": " "},
    {"number": "12"},
    {"relation": "boss"},
    {"relation": ""},
    {"language": "xx"},
    {"until": "2026-02-31"},
    {"until": "2020-01-01"},
    {"born": "2090-01-01"},
    {"called": "x" * 201},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
async def test_what_is_wrong_is_said_and_changes_nothing(site: Site, task: UUID, wrong: dict[str, str]) -> None:
    right = {"called": "Bia Souza", "number": "+5511955550123", "relation": "mother", "language": "pt-BR"}
    async with site.signed_in("ana") as ana, site.signed_in("oscar") as oscar:
        await ana.post(f"/followups/{task}/guardian", 422, **{**right, **wrong})
        await oscar.post(f"/followups/{task}/guardian", 403, **right)
    assert tiago(site, task).guardian_id is None
