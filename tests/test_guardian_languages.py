"""Mei speaks for her newborn, for whom a list told no language: whatever is written or read out is in hers."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import arrivals, booking, patients, suspensions
from hospital.appointments import Appointment
from hospital.callbacks import Callback
from hospital.calling_rules import where_reached
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.slots import Slot
from hotline.caller_joints import appointment_messages
from tests.characters import MEI
from tests.console_app import Site, words
from tests.hospital_scene import POLICY, admit, clinic, employ, library
from tests.moments import NOON, ZONE
from tests.test_hospital_suspensions import book

pytestmark = pytest.mark.covers("H13", "H24", "H26")
DAY = timedelta(days=1)


class Family:
    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction() as session:
            self.mei = admit(session, MEI).id
            child = patients.register(session, name="Hua Chen", birth=NOON.date() - 9 * DAY, language="es", numbers=[])
            child.guardian_id, self.child = self.mei, child.id
            self.slots = clinic(session, 2)
            self.tom = employ(session, "tom", "agent").id

    def books(self) -> UUID:
        with self.database.transaction() as session:
            return book(session, self.slots[0], self.child)

    def locales(self) -> set[str]:
        with self.database.transaction() as session:
            return set(session.scalars(select(OutboxRow.locale)))


@pytest.fixture
def family(database: Database) -> Family:
    return Family(database)


def test_of_a_suspended_clinic(family: Family) -> None:
    family.books()
    with family.database.transaction() as session:
        doctor = session.scalars(select(Slot.doctor_id)).first()
        assert doctor is not None
        suspensions.suspend(
            session, doctor_id=doctor, since=NOON, until=NOON + 3 * DAY, reason="illness", account_id=family.tom,
            at=NOON, policy=POLICY,
        )  # fmt: skip
    assert family.locales() == {"zh-CN"}
    with family.database.transaction() as session:
        task = session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension")).one()
        suspensions.not_reached(session, task, NOON)
        assert session.scalars(select(Callback.language)).all() == ["zh-CN"]


def test_of_a_ticket_in_the_waiting_room(family: Family) -> None:
    mine = family.books()
    with family.database.transaction() as session:
        at = session.scalars(select(Slot.starts_at).join(Appointment, Appointment.slot_id == Slot.id)).one()
        arrivals.arrive(session, mine, family.tom, at - timedelta(minutes=5), ZONE)
    assert family.locales() == {"zh-CN"}


def test_of_what_was_booked(family: Family) -> None:
    mine = family.books()
    tell = appointment_messages(lambda: NOON, lambda: ())["confirmed"]
    with family.database.transaction() as session:
        tell(session, booking.booked(session, mine), family.child)
    assert family.locales() == {"zh-CN"}


def test_a_number_at_which_another_language_is_spoken_goes_before(family: Family) -> None:
    with family.database.transaction() as session:
        session.get_one(Patient, family.mei).numbers[0].language = "en"
    with family.database.transaction() as session:
        reached = where_reached(session, session.get_one(Patient, family.child), NOON)
        assert (reached.person.id, reached.language) == (family.mei, "en")


async def test_what_the_nurse_reads_is_in_hers_and_asks_for_her(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path)
    with database.transaction() as session:
        library(session)
        mei = admit(session, MEI)
        child = patients.register(session, name="Hua Chen", birth=NOON.date() - 9 * DAY, language="es", numbers=[])
        child.guardian_id = mei.id
        session.get_one(FollowUpTask, site.task.id).patient_id = child.id
    async with site.signed_in("ana") as ana:
        page = words((await ana.get(f"/followups/{site.task.id}")).text)
    assert "请问您是患者的母亲、父亲或监护人吗" in page and "请问您是患者本人吗" not in page
