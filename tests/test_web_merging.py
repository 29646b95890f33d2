"""Mei has two records: Grace sees what merging does, merges them, and nothing names the duplicate any more."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import column as sql_column
from sqlalchemy import exists, select, text, update
from sqlalchemy import table as sql_table
from sqlalchemy.orm import Session

from hospital import attempts, enrolling, enrolments, followups, identifiers, merging, patients, vault
from hospital.appointments import Appointment
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.calendars import Calendar
from hospital.campaigns import CampaignPatient, Wanted, create
from hospital.database import Database
from hospital.enrolment_records import Enrolment
from hospital.enrolments import Told
from hospital.followups import FollowUpTask
from hospital.merging import MOVED
from hospital.patients import Patient, PatientIdentifier, PhoneNumber, Stay, Visit
from hospital.slots import Department, Doctor, Slot
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from tests.characters import JOAO, LUCIA, MEI
from tests.console_app import Site, words
from tests.hospital_scene import UNCAPPED, admit, library
from tests.moments import NOON, ZONE

pytestmark = pytest.mark.covers("H13", "H45", "H51")
NEW = "+8613055550199"


class Twice(Site):
    """`stays` and `goes` are both Mei; both follow the diabetes plan, the duplicate a second one, too."""

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database, folder)
        plans = load_plans(load_questionnaires()[0])[0]
        with database.transaction() as session:
            library(session)
            self.stays, self.goes = admit(session, MEI).id, admit(session, MEI).id
            for patient_id, record in ((self.stays, "R-1"), (self.goes, "R-2")):
                token = vault.token("record", record)
                session.add(PatientIdentifier(patient_id=patient_id, kind="record", value=record, token=token))
            duplicate = session.get_one(Patient, self.goes)
            duplicate.numbers[0].safe_to_call = False
            more = PhoneNumber(patient_id=self.goes, rank=3, number=NEW, token=patients.number_token(NEW))
            session.add(more)
            duplicate.opted_out = ["survey"]
            session.add(Visit(patient_id=self.goes, at=NOON, department="cardiology"))
            session.add(Stay(patient_id=self.goes, ward="surgery 2", admitted_at=NOON))
            by, site = self.staff["ana"].id, Calendar(ZONE, "CO")
            enrolling.enrol(session, plans["diabetes"], [self.stays, self.goes], NOON, site, by)
            enrolling.enrol(session, plans["hypertension"], [self.goes], NOON, site, by)
            campaign = create(session, Wanted("Both", "preview"), by, NOON)
            for patient_id in (self.stays, self.goes):
                session.add(CampaignPatient(campaign_id=campaign.id, patient_id=patient_id, added_at=NOON, added_by=by))
            session.flush()
            self.due = self._day_three(session, self.goes)
            self.slot = self._slot(session)
            self._books(session, self.goes, "a")

    def _day_three(self, session: Session, patient_id: UUID) -> UUID:
        task = followups.plan(
            session,
            patient_id=patient_id,
            questionnaire_id=self.task.questionnaire_id,
            reason="discharge_day_3",
            due_at=NOON,
        )
        return task.id

    def _slot(self, session: Session) -> UUID:
        department = Department(code="cardiology", names={"en": "Cardiology"})
        session.add(department)
        session.flush()
        doctor = Doctor(department_id=department.id, name="Vega")
        session.add(doctor)
        session.flush()
        slot = Slot(doctor_id=doctor.id, starts_at=NOON + timedelta(days=1), capacity=2)
        session.add(slot)
        session.flush()
        return slot.id

    def _books(self, session: Session, patient_id: UUID, key: str, seat: int = 1) -> None:
        session.add(
            Appointment(
                slot_id=self.slot,
                patient_id=patient_id,
                seat=seat,
                capacity=2,
                booked_via="agent",
                confirmation=key,
                booked_at=NOON,
            )
        )
        session.flush()

    def naming(self, patient_id: UUID) -> set[str]:
        """Columns of whatever table that name a patient."""
        with self.database.transaction() as session:
            columns = session.execute(
                text(
                    "SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c JOIN pg_attribute a "
                    "ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
                    "WHERE c.contype = 'f' AND c.confrelid = 'patient'::regclass"
                )
            ).all()
            assert {f"{table}.{column}" for table, column in columns} == {
                *(f"{table}.{column}" for table, column in MOVED),
                "phone_number.patient_id",
            }, "a new column that names a patient is to be moved too"
            asked = [*columns, ("enrolment", "patient_id")]
            return {
                f"{table}.{column}"
                for table, column in asked
                if session.scalar(
                    select(exists().where(sql_column(column) == patient_id).select_from(sql_table(table)))
                )
            }


@pytest.fixture
def twice(database: Database, tmp_path: Path) -> Twice:
    return Twice(database, tmp_path)


async def test_what_it_does_is_said_before_and_nothing_names_the_duplicate_after(twice: Twice) -> None:
    async with twice.signed_in("grace") as grace:
        told = words((await grace.post("/merge/preview", survivor="R-1", duplicate="R-2")).text)
        assert "7 open follow-ups of the duplicate will be called for the record that stays: Day 3 after" in told
        assert "8 of the duplicate stop, for both records follow the plan" in told
        assert "1 telephone number and 1 appointment of the duplicate" in told
        assert "opted out of holds from then on: survey" in told and "Are they one person" not in told
        before = twice.naming(twice.goes)
        assert {"enrolment.patient_id", "campaign_patient.patient_id", "appointment.patient_id"} < before
        done = await grace.post("/merge", survivor=str(twice.stays), duplicate=str(twice.goes))
        assert "They are one record now." in done.text
        again = await grace.post("/merge", 409, survivor=str(twice.stays), duplicate=str(twice.goes))
        assert again.text == "One of them was merged already."
        assert MEI.name in (await grace.post("/enrol/find", said="R-2")).text
    assert twice.naming(twice.goes) == set()
    with twice.database.transaction() as session:
        survivor = session.get_one(Patient, twice.stays)
        assert session.get_one(Patient, twice.goes).merged_into == survivor.id
        kept = [(one.number, one.rank, one.safe_to_call) for one in survivor.numbers]
        assert kept == [(MEI.numbers[0], 1, False), (MEI.numbers[1], 2, True), (NEW, 3, True)]
        assert survivor.opted_out == ["survey"]
        running = select(Enrolment.plan).where(Enrolment.patient_id == survivor.id, Enrolment.ended_at.is_(None))
        assert sorted(session.scalars(running)) == ["diabetes", "hypertension"]
        stopped = session.scalars(select(FollowUpTask).where(FollowUpTask.stop_reason == "merged")).all()
        assert len(stopped) == 8
        assert followups.decisions(session, twice.due)[-1].code == "record_merged"
        claimed = attempts.claim(session, twice.due, twice.staff["ana"].id, "n1", twice.now, UNCAPPED)
        assert isinstance(claimed, Claimed) and claimed.number == MEI.numbers[1], "the first is not safe, says one"
        rows = session.scalars(select(AuditRow).where(AuditRow.action == "patient.merged")).all()
        assert {row.subject for row in rows} == {f"patient:{twice.stays}", f"patient:{twice.goes}"}


@pytest.mark.parametrize(
    ("ago", "closed", "stopped"),
    [
        (timedelta(days=900), True, []),
        (timedelta(days=20), False, []),
        (timedelta(hours=3), False, ["day-3", "day-30"]),
    ],
    ids=["years ago and over", "another stay", "the same, told twice"],
)
def test_two_discharges_are_two_and_one_that_both_records_were_told_of_is_one(
    twice: Twice, ago: timedelta, closed: bool, stopped: list[str]
) -> None:
    plan = load_plans(load_questionnaires()[0])[0]["discharge"]
    with twice.database.transaction() as session:
        for source, patient_id, at in (("his:1", twice.stays, NOON - ago), ("his:2", twice.goes, NOON)):
            enrolments.tell(session, [Told(source, "discharge", patient_id, at)], [plan], at, Calendar(ZONE, "CO"))
            if closed and patient_id == twice.stays:
                mine = FollowUpTask.patient_id == patient_id, FollowUpTask.reason.startswith("discharge_")
                session.execute(update(FollowUpTask).where(*mine).values(state="done", closed_at=NOON - ago))
    with twice.database.transaction() as session:
        people = session.get_one(Patient, twice.goes), session.get_one(Patient, twice.stays)
        told = merging.foretell(session, *people, NOON).stopped
        assert [one for one in told if one.startswith("discharge_")] == [
            f"discharge_{step}".replace("-", "_") for step in stopped
        ]
        assert merging.merge(session, twice.goes, twice.stays, twice.staff["grace"].id, NOON) is None
        merged = FollowUpTask.stop_reason == "merged", FollowUpTask.reason.startswith("discharge_")
        assert sorted(session.scalars(select(FollowUpTask.step).where(*merged))) == stopped


@pytest.mark.covers("I4")
async def test_what_the_duplicate_alone_tells_is_kept_and_it_is_as_careful_as_either(twice: Twice) -> None:
    with twice.database.transaction() as session:
        survivor, duplicate = session.get_one(Patient, twice.stays), session.get_one(Patient, twice.goes)
        survivor.note, survivor.zone, survivor.address = "Hard of hearing.", None, "12 Long Road\nBogotá"
        survivor.numbers[0].may_leave_message = duplicate.numbers[0].may_leave_message = True
        duplicate.numbers[0].safe_to_call = True
        duplicate.numbers[1].invalid_since = NOON - timedelta(days=2)
        duplicate.note, duplicate.zone, duplicate.address = "Her daughter reads.", "Asia/Shanghai", survivor.address
        duplicate.may_write, duplicate.address_wrong_since = False, NOON - timedelta(days=9)
        duplicate.suits, duplicate.reminded_by = "morning", "sms"
        identifiers.set_pin(duplicate, "2468")
    async with twice.signed_in("grace") as grace:
        told = words((await grace.post("/merge/preview", survivor="R-1", duplicate="R-2")).text)
        for sentence in (
            "1 number that both have is wrong, not safe to call or without messages from then on",
            "The duplicate’s note stands below its own.",
            "Its address counts as wrong: a letter came back.",
            "No letters are sent to it any more.",
            "The duplicate’s time zone becomes its own",
            "Calls are made at the time of day that suits",
            "Reminders are text messages.",
            "The duplicate’s PIN ends.",
        ):
            assert sentence in told
        assert "The duplicate’s address becomes its own" not in told
        await grace.post("/merge", survivor=str(twice.stays), duplicate=str(twice.goes))
    with twice.database.transaction() as session:
        kept = session.get_one(Patient, twice.stays)
        assert kept.note == "Hard of hearing.\nHer daughter reads."
        assert (kept.may_write, kept.address_wrong_since) == (False, NOON - timedelta(days=9))
        assert (kept.zone, kept.suits, kept.reminded_by) == ("Asia/Shanghai", "morning", "sms")
        assert not identifiers.on_record(kept, "pin"), "one that never matched would be asked for"
        facts = [(one.safe_to_call, one.may_leave_message, one.invalid_since) for one in kept.numbers[:2]]
        assert facts == [(True, True, None), (True, False, NOON - timedelta(days=2))]


@pytest.mark.parametrize(
    ("own", "theirs", "kept"),
    [
        (None, "1 New Street", ("1 New Street", NOON)),
        ("2 Old Street", "1 New Street", ("2 Old Street", None)),
        ("2 Old Street", None, ("2 Old Street", None)),
    ],
    ids=["it has none", "another one", "only its own"],
)
def test_an_address_and_that_it_is_wrong_go_together(
    twice: Twice, own: str | None, theirs: str | None, kept: tuple[str, object]
) -> None:
    with twice.database.transaction() as session:
        survivor, duplicate = session.get_one(Patient, twice.stays), session.get_one(Patient, twice.goes)
        survivor.address, duplicate.address, duplicate.address_wrong_since = own, theirs, theirs and NOON
        session.flush()
        assert merging.merge(session, twice.goes, twice.stays, twice.staff["grace"].id, NOON) is None
        merged = session.get_one(Patient, twice.stays)
        assert (merged.address, merged.address_wrong_since) == kept


async def test_it_is_refused_where_it_would_be_wrong(twice: Twice) -> None:
    async def refused(says: str) -> None:
        async with twice.signed_in("grace") as grace:
            told = await grace.post("/merge/preview", survivor="R-1", duplicate="R-2")
            assert says in words(told.text) and "for good</button>" not in told.text
            assert says in (await grace.post("/merge", 409, survivor=str(twice.stays), duplicate=str(twice.goes))).text

    with twice.database.transaction() as session:
        twice._books(session, twice.stays, "b", 2)
    await refused("Both have a seat at the same time.")
    with twice.database.transaction() as session:
        session.execute(update(Appointment).values(state="cancelled", cancelled_at=NOON))
        claimed = attempts.claim(session, twice.due, twice.staff["ana"].id, "n1", twice.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
    await refused("One of them is being called")
    with twice.database.transaction() as session:
        attempts.not_dialled(session, claimed.attempt_id, twice.now, UNCAPPED)
        session.get_one(Patient, twice.goes).death_reported_at = NOON
    await refused("One of them has died, or is said to have")
    with twice.database.transaction() as session:
        session.get_one(Patient, twice.goes).death_reported_at = None
        session.get_one(Patient, twice.goes).guardian_id = twice.stays
    await refused("they are two people")


async def test_who_is_meant_must_be_sure(twice: Twice) -> None:
    with twice.database.transaction() as session:
        admit(session, LUCIA)
    async with twice.signed_in("grace") as grace:
        several = await grace.post("/merge/preview", 422, survivor="Mei Chen", duplicate="R-2")
        assert several.text == "The record that stays could be one of several. Say its record number."
        assert "was not found" in (await grace.post("/merge/preview", 422, survivor="R-1", duplicate="R-9")).text
        same = await grace.post("/merge/preview", survivor="R-1", duplicate="R-1")
        assert "These are the same record." in same.text
        other = words((await grace.post("/merge/preview", survivor="R-1", duplicate=LUCIA.name)).text)
        assert "Are they one person?" in other and JOAO.name not in other
        gone = await grace.post("/merge", 409, survivor=str(UUID(int=1)), duplicate=str(twice.goes))
        assert "not there any more" in gone.text
    for who in ("ana", "dora", "ida"):
        async with twice.signed_in(who) as page:
            await page.post("/merge", 403, survivor=str(twice.stays), duplicate=str(twice.goes))
    assert twice.naming(twice.goes)
