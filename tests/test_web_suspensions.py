"""The page on which a clinic is suspended: who may, what is shown before, how far its patients are told."""

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import agentless, attempts, audit, suspension_view, suspensions
from hospital.attempts import Claimed
from hospital.booking import Appointment, Doctor, Slot
from hospital.callbacks import Callback
from hospital.database import Database
from hospital.patients import PatientIdentifier, identifier_facts
from hospital.suspensions import Suspension
from tests.characters import LUCIA
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, admit, clinic
from tests.moments import NOON
from tests.test_hospital_suspensions import book

pytestmark = pytest.mark.covers("H6")
SPAN = {"since": "2026-11-26T08:00", "until": "2026-11-26T18:00", "reason": "illness"}


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    made = Site(database, tmp_path)
    lucias_appointment(database)
    return made


def lucias_appointment(database: Database) -> None:
    with database.transaction() as session:
        slots = clinic(session, 2)
        lucia = admit(session, LUCIA)
        lucia.identifiers = [PatientIdentifier(**identifier_facts("record", "R-lucia"))]
        book(session, slots[0], lucia.id)


def doctor(database: Database) -> str:
    with database.transaction() as session:
        return str(session.scalars(select(Doctor.id)).one())


async def test_grace_sees_whom_it_concerns_and_then_suspends_it(site: Site) -> None:
    form = {"doctor": doctor(site.database), **SPAN}
    async with site.signed_in("grace") as grace:
        shown = words((await grace.post("/clinics/preview", **form)).text)
        assert "1 appointment, 1 free time" in shown and "Lucía Fernández" in shown
        with site.database.transaction() as session:
            assert session.scalars(select(Suspension)).all() == [], "shown, and nothing changed"
        await grace.post("/clinics/suspend", **form)
        listed = words((await grace.get("/clinics/list")).text)
        assert "told 0 of 1" in listed and "Not yet" in listed and "Lucía Fernández" in listed
    with site.database.transaction() as session:
        assert session.scalars(select(Appointment.state)).all() == ["suspended"]
        actions = [(row.action, row.account_id) for row in audit.newest(session)]
        assert ("clinic.suspended", site.staff["grace"].id) in actions
        assert ("suspension.read", site.staff["grace"].id) in actions


async def test_who_was_not_reached_is_a_callback_with_an_owner(site: Site) -> None:
    async with site.signed_in("grace") as grace, site.signed_in("ana") as ana:
        await grace.post("/clinics/suspend", doctor=doctor(site.database), **SPAN)
        with site.database.transaction() as session:
            called = agentless.claim_next(session, "n1", NOON, UNCAPPED, kinds={"suspension"}, most=1)
            assert isinstance(called, Claimed) and attempts.dialling(session, called.attempt_id, NOON)
            attempts.to_review(session, called.attempt_id, NOON, "link_lost")
            callback = session.scalars(select(Callback)).one()
        assert "callback, nobody yet" in words((await grace.get("/clinics/list")).text)
        assert "not reached by the automatic calls" in words((await ana.get("/callbacks")).text)
        await ana.post(f"/callbacks/{callback.id}/own")
        listed = words((await grace.get("/clinics/list")).text)
        assert "Not reached" in listed and "Ana" in listed and "first number (urgent" in listed
        await ana.get(f"/followups/{called_task(site)}", 403)  # it is no follow-up


def called_task(site: Site) -> UUID:
    with site.database.transaction() as session:
        (one,) = suspension_view.noticed(session, session.scalars(select(Suspension.id)).one())
        return one.task_id


async def test_a_patient_who_is_transferred_is_told_alone_and_the_clinic_takes_place(site: Site) -> None:
    with site.database.transaction() as session:
        taken = session.scalars(select(Appointment.slot_id)).one()
        book(session, session.scalars(select(Slot.id).where(Slot.id != taken)).one(), site.joao.id, "joao")
    form = {"doctor": doctor(site.database), **SPAN, "reason": "transferred", "record": "R-lucia"}
    async with site.signed_in("grace") as grace:
        shown = words((await grace.post("/clinics/preview", **form)).text)
        assert "1 appointment of one patient; the clinic itself takes place" in shown
        assert "Lucía Fernández" in shown and "João" not in shown
        await grace.post("/clinics/suspend", **form)
        listed = words((await grace.get("/clinics/list")).text)
        assert "told 0 of 1" in listed and "One patient is transferred" in listed and "João" not in listed
    with site.database.transaction() as session:
        assert sorted(session.scalars(select(Appointment.state))) == ["booked", "suspended"]
        assert set(session.scalars(select(Slot.state))) == {"open"}


async def test_it_takes_place_again_and_who_was_told_is_to_be_called(site: Site) -> None:
    with site.database.transaction() as session:
        taken = session.scalars(select(Appointment)).one()
        mine, free = taken.id, session.scalars(select(Slot.id).where(Slot.id != taken.slot_id)).one()
        book(session, free, site.joao.id, "joao")
    async with site.signed_in("grace") as grace:
        await grace.post("/clinics/suspend", doctor=doctor(site.database), **SPAN)
        with site.database.transaction() as session:
            suspended = session.scalars(select(Suspension.id)).one()
            suspensions.told(session, mine, NOON)
        listed = (await grace.get("/clinics/list")).text
        assert "1 appointment stands as before: its patient is not called about it." in listed
        assert "1 patient was told otherwise and keeps a suspended appointment: call and book anew." in listed
        for _ in range(2):  # pressed twice
            shown = words((await grace.post(f"/clinics/{suspended}/lift")).text)
            assert "takes place again; 1 to call and book anew" in shown
            assert "Was told: call and book anew" in shown and "Takes place again" in shown
            assert "Stopped: The clinic takes place again" in shown
        assert f"/clinics/{suspended}/lift" not in (await grace.get("/clinics/list")).text
    with site.database.transaction() as session:
        states = {one.patient_id: one.state for one in session.scalars(select(Appointment))}
        assert states.pop(site.joao.id) == "booked" and set(states.values()) == {"suspended"}
        lifted = [row.account_id for row in audit.newest(session) if row.action == "clinic.lifted"]
        assert lifted == [site.staff["grace"].id]


@pytest.mark.covers("H51")
@pytest.mark.parametrize("name", ["ana", "oscar"])
async def test_only_who_has_the_right_suspends(site: Site, name: str) -> None:
    async with site.signed_in(name) as page:
        await page.get("/clinics", 403)
        await page.post("/clinics/suspend", 403, doctor=doctor(site.database), **SPAN)
        await page.post(f"/clinics/{UUID(int=1)}/lift", 403)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"doctor": "nobody"}, "Choose whose clinic"),
        ({"since": ""}, "from when until when"),
        ({"until": "2026-11-26T07:00"}, "to a later one"),
        ({"since": "2026-11-20T08:00", "until": "2026-11-20T09:00"}, "has not passed"),
        ({"reason": "bored"}, "Choose why"),
        ({"reason": "transferred"}, "Give the record number"),
        ({"reason": "transferred", "record": " "}, "Give the record number"),
        ({"record": "R-lucia"}, "and of nobody else"),
        ({"reason": "transferred", "record": "R-nobody"}, "No patient has this record number"),
        ({"doctor": "00000000-0000-0000-0000-000000000000"}, "no such clinic"),
    ],
)
async def test_what_is_wrong_is_said(site: Site, wrong: dict[str, str], told: str) -> None:
    async with site.signed_in("grace") as grace:
        for path in ("/clinics/preview", "/clinics/suspend"):
            answer = await grace.post(path, 422, **{"doctor": doctor(site.database), **SPAN, **wrong})
            assert told in words(answer.text)
