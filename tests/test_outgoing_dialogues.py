"""Calls that the hotline begins, as transcripts without a PBX: golden ones in tests/golden_outgoing/.

Lucía has an appointment in cardiology, and Grace has just suspended the clinic; her phone has rung and was answered.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from hospital import (
    accounts,
    agentless,
    attempts,
    booking,
    consents,
    lifted_suspensions,
    missed_visits,
    patients,
    reminders,
    suspension_view,
    suspensions,
)
from hospital.attempts import Attempt, Claimed
from hospital.booking import Appointment, Department, Kind, Slot
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient, PatientIdentifier
from hospital.reminders import RecurringReminder
from hospital.suspensions import Suspension, SuspensionNotice
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal, appointment_messages
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted
from scripts import wording
from tests.characters import LUCIA
from tests.conftest import renewed
from tests.hospital_scene import POLICY
from tests.moments import NOON, ZONE
from tests.test_dialogues import has, lucia_of, words
from tests.transcripts import Said, in_each, is_golden, pressed, there

__all__ = ["words"]

ME = f"1,{LUCIA.birth_keys}"
CALL = "terminal-1"


def clinic_suspended(session: Session, count: int = 1) -> None:
    has(session, "cardiology", count)
    first = booking.appointments(session, lucia_of(session).id, NOON)[0]
    doctor_id = session.scalar(
        select(Slot.doctor_id)
        .join(Appointment, Appointment.slot_id == Slot.id)
        .where(Appointment.id == first.appointment_id)
    )
    grace = accounts.by_sip_username(session, "grace")
    assert doctor_id is not None and grace is not None
    suspensions.suspend(
        session,
        doctor_id=doctor_id,
        since=first.starts_at,
        until=first.starts_at + timedelta(hours=12),
        reason="illness",
        account_id=grace.id,
        at=NOON,
        policy=POLICY,
    )


def examination_suspended(session: Session) -> None:
    has(session, "blood", 1)
    visit = booking.appointments(session, lucia_of(session).id, NOON)[0]
    doctor_id = session.scalar(
        select(Slot.doctor_id)
        .join(Appointment, Appointment.slot_id == Slot.id)
        .where(Appointment.id == visit.appointment_id)
    )
    grace = accounts.by_sip_username(session, "grace")
    assert doctor_id is not None and grace is not None
    span = {"since": visit.starts_at, "until": visit.starts_at + timedelta(hours=1)}
    suspensions.suspend(
        session, doctor_id=doctor_id, reason="equipment", account_id=grace.id, at=NOON, policy=POLICY, **span
    )


def a_childs_clinic(session: Session) -> None:
    child = patients.register(session, name="Mateo Fernández", birth=date(2018, 5, 4), language="es", numbers=[])
    child.guardian_id = lucia_of(session).id
    clinic_suspended(session)
    session.execute(update(Appointment).values(patient_id=child.id))
    session.execute(update(FollowUpTask).where(FollowUpTask.kind == "suspension").values(patient_id=child.id))


def an_appointment_tomorrow(session: Session, code: str = "cardiology") -> None:
    has(session, code, 1)
    session.execute(update(Appointment).values(booked_at=NOON - timedelta(days=3)))
    assert reminders.plan_appointments(session, NOON, POLICY, days_before=1, from_hour=10) == 1


def a_blood_test_tomorrow(session: Session) -> None:
    an_appointment_tomorrow(session, "blood")


def her_childs_appointment_tomorrow(session: Session) -> None:
    """It is Lucía who is called for Mateo."""
    child = patients.register(session, name="Mateo Fernández", birth=date(2018, 5, 4), language="es", numbers=[])
    child.guardian_id = lucia_of(session).id
    an_appointment_tomorrow(session)
    session.execute(update(Appointment).values(patient_id=child.id))
    session.execute(update(FollowUpTask).where(FollowUpTask.kind == "reminder").values(patient_id=child.id))


def repeats(session: Session, about: str, department: str | None) -> None:
    grace = accounts.by_sip_username(session, "grace")
    assert grace is not None
    where = session.scalar(select(Department.id).where(Department.code == department))
    span = {"first_at": NOON, "until": NOON + timedelta(days=90), "every_days": 30}
    patient = lucia_of(session).id
    reminders.begin(session, patient_id=patient, about=about, department_id=where, account_id=grace.id, at=NOON, **span)
    assert reminders.plan_recurring(session, NOON, POLICY) == 1


def a_medicine(session: Session) -> None:
    repeats(session, "medication", None)


def a_checkup(session: Session) -> None:
    repeats(session, "checkup", "cardiology")


def a_revisit(session: Session) -> None:
    repeats(session, "revisit", "cardiology")


def a_missed_visit(session: Session) -> None:
    """Yesterday's; the desk has written down that she did not come."""
    has(session, "cardiology", 1)
    session.execute(update(Appointment).values(state="no_show", booked_at=NOON - timedelta(days=3)))
    hers = select(Appointment.slot_id)
    session.execute(update(Slot).where(Slot.id.in_(hers)).values(starts_at=NOON - timedelta(days=1)))
    assert missed_visits.offer(session, NOON, POLICY) == 1


def said_to_have_died(session: Session) -> None:
    """Of calls about one's own appointment nobody can opt out; of whoever has died nothing is told."""
    lucia_of(session).death_reported_at = NOON


def opts_out_while_it_rings(session: Session) -> None:
    """Lucía's daughter tells a nurse, on another line, that her mother wants no reminders."""
    consents.set_consent(session, lucia_of(session).id, "reminder", False, NOON, call_id="n1-2")


def moved_while_it_rings(session: Session) -> None:
    lucia = lucia_of(session).id
    (visit,) = suspensions.of_patient(session, lucia, NOON)
    booking.cancel(session, visit.appointment_id, lucia, NOON)


def may_leave_a_message(session: Session) -> None:
    lucia_of(session).numbers[0].may_leave_message = True


def nothing_on_record(session: Session) -> None:
    """A list told her name and her number alone."""
    lucia = lucia_of(session)
    lucia.birth, lucia.birth_year, lucia.birth_token = None, None, None
    session.execute(delete(PatientIdentifier).where(PatientIdentifier.patient_id == lucia.id))


def no_birth_date_on_record(session: Session) -> None:
    lucia = lucia_of(session)
    lucia.birth, lucia.birth_year, lucia.birth_token = None, None, None


def nothing_free(session: Session) -> None:
    session.execute(update(Slot).values(state="withdrawn"))


@dataclass(frozen=True)
class Scene:
    """`presses`: a row of keys for each question, "" for silence; after the last one Lucía hangs up. `due` makes what
    is due, `rings` happens while her phone rings. `inbound`: she calls us, and nothing rings."""

    presses: str
    due: Callable[[Session], None] = clinic_suspended
    rings: Callable[[Session], None] | None = None
    inbound: bool = False
    kind: str = "suspension"
    only: str | None = None


SCENES = {
    "is_rebooked": Scene(f"{ME},1,1,1"),
    "hears_other_times": Scene(f"{ME},1,4,2,1"),
    "goes_back_from_the_times": Scene(f"{ME},1,#,3"),
    "takes_none_of_the_times": Scene(f"{ME},1,1,3"),
    "nothing_is_free": Scene(f"{ME},1,1", rings=nothing_free),
    "wants_no_other": Scene(f"{ME},2"),
    "decides_later": Scene(f"{ME},3"),
    "asks_for_a_person": Scene(f"{ME},0"),
    "hears_it_and_hangs_up": Scene(ME),
    "two_appointments": Scene(f"{ME},1,1,1,3", due=lambda session: clinic_suspended(session, 3)),
    "an_examination": Scene(f"{ME},1,1,1", due=examination_suspended),
    "her_childs_appointment": Scene(f"{ME},3", due=a_childs_clinic),
    "not_now": Scene("2,2"),
    "not_now_and_says_nothing": Scene("2,,,"),
    "wrong_number": Scene("3"),
    "does_not_want_calls": Scene("4"),
    "does_not_want_calls_and_asks_for_a_person": Scene("4!0"),
    "asks_for_a_person_at_once": Scene("0"),
    "nobody_speaks": Scene(",,,,"),
    "is_slow": Scene(f",,,1,{ME},3"),
    "needs_it_repeated_slowly": Scene(f"*,7,{ME},3"),
    "speaks_another_language": Scene("8,X,2,1"),
    "is_somebody_else": Scene("1,01011970,0000,01011970,0000,01011970,0000"),
    "has_nothing_on_record": Scene("1", rings=nothing_on_record),
    "has_no_birth_date_on_record": Scene("1,0000,*206,3", rings=no_birth_date_on_record),
    "hangs_up_at_once": Scene(""),
    "a_machine": Scene("(machine)"),
    "a_machine_that_may_take_a_message": Scene("(machine),", rings=may_leave_a_message),
    "a_machine_and_she_picks_up": Scene(f"(machine),1,1,{ME.split(',')[1]},3", rings=may_leave_a_message),
    "a_machine_after_silence": Scene(",(machine)"),
    "a_fax": Scene("(fax)", rings=may_leave_a_message),
    "died_while_it_rang": Scene("", rings=said_to_have_died, only="es"),
    "was_moved_while_it_rang": Scene("", rings=moved_while_it_rings, only="es"),
    "reminded_and_comes": Scene(f"{ME},1", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_and_moves": Scene(f"{ME},2,1,1", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_and_cancels": Scene(f"{ME},3,1", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_of_an_examination": Scene(f"{ME},1", due=a_blood_test_tomorrow, kind="reminder"),
    "reminded_and_goes_back": Scene(f"{ME},3,#,1", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_and_wants_no_more": Scene(f"{ME},4", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_and_wants_no_calls_at_all": Scene("4", due=an_appointment_tomorrow, kind="reminder"),
    "reminded_after_an_opt_out_while_it_rang": Scene(
        "", due=an_appointment_tomorrow, rings=opts_out_while_it_rings, kind="reminder", only="es"
    ),
    "her_childs_after_her_opt_out": Scene(
        "", due=her_childs_appointment_tomorrow, rings=opts_out_while_it_rings, kind="reminder", only="es"
    ),
    "her_childs_after_her_death": Scene(
        "", due=her_childs_appointment_tomorrow, rings=said_to_have_died, kind="reminder", only="es"
    ),
    "her_childs_and_wants_no_calls_at_all": Scene("4", due=her_childs_appointment_tomorrow, kind="reminder"),
    "her_childs_and_wants_no_more": Scene(f"{ME},4", due=her_childs_appointment_tomorrow, kind="reminder"),
    "a_medicine": Scene(f"{ME},1", due=a_medicine, kind="reminder"),
    "a_medicine_and_a_question": Scene(f"{ME},2", due=a_medicine, kind="reminder"),
    "a_medicine_and_no_more": Scene(f"{ME},3", due=a_medicine, kind="reminder"),
    "a_checkup_is_booked": Scene(f"{ME},2,1,1", due=a_checkup, kind="reminder"),
    "a_revisit_and_no_more": Scene(f"{ME},3", due=a_revisit, kind="reminder"),
    "missed_and_books_another_time": Scene(f"{ME},1,1,1", due=a_missed_visit, kind="reminder"),
    "missed_and_wants_no_other_time": Scene(f"{ME},2", due=a_missed_visit, kind="reminder"),
    "phones_in_and_hears_it_first": Scene(f"2,1,2,{LUCIA.birth_keys},1,1,1,3", inbound=True),
}


@pytest.fixture
def front(cluster: postgres.Cluster, demo_template: str, words: wording.Wording) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        made = wiring.front_desk(build(DEMO), database, words)
        desk = booking.OwnDesk(database, zone=ZONE, **appointment_messages(lambda: NOON, lambda: made.site_says))
        yield replace(made, now=lambda: NOON, desk=desk, policy=POLICY)


def rings(session: Session, kind: str, policy: CallingPolicy = POLICY) -> Attempt:
    """The dialer's part: the contact that is due is claimed and dialled, on the terminal's channel."""
    claimed = agentless.claim_next(session, "n1", NOON, policy, kinds={kind}, most=1)
    assert isinstance(claimed, Claimed), claimed
    assert attempts.dialling(session, claimed.attempt_id, NOON)
    attempt = session.get_one(Attempt, claimed.attempt_id)
    attempt.channel_id = CALL
    return attempt


async def played(language: str, name: str, front: FrontDesk, words: wording.Wording) -> str:
    scene = SCENES[name]
    with front.database.transaction() as session:
        lucia_of(session).language = language
        scene.due(session)
    if not scene.inbound:
        with front.database.transaction() as session:
            rings(session, scene.kind)
    if scene.rings is not None:
        with front.database.transaction() as session:
            scene.rings(session)
    direction = "in" if scene.inbound else "out"
    journal = SqlJournal(front.database, CALL, "n1", LUCIA.numbers[0], lambda: NOON, direction)
    await journal.begin()

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound" if scene.inbound else "outgoing"](call, front)

    said = Said(words)
    transcript = await rehearse(
        dialogue,
        said,
        scripted(pressed(scene.presses, language, chooses=scene.inbound) if scene.presses else []),
        language="en",
        caller_number=LUCIA.numbers[0],
        journal=journal,
        house=wiring.house_keys(front),
    )
    return said.under(transcript)


@pytest.mark.covers("H6", "H11", "H39")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording
) -> None:
    is_golden(await played(language, name, front, words), "golden_outgoing", language, name)


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_outgoing") == set(in_each(SCENES))


@dataclass
class After:
    """What is in the database when the call is over."""

    task: FollowUpTask
    attempt: Attempt
    notice: SuspensionNotice
    standing: str
    lucia: Patient
    messages: list[str] = field(default_factory=list)


def after(front: FrontDesk) -> After:
    with front.database.transaction() as session:
        attempt = session.scalars(select(Attempt)).one()
        attempts.line_ended(session, attempt.id, "answered", NOON, POLICY)
        notice = session.scalars(select(SuspensionNotice)).one()
        (line,) = suspension_view.noticed(session, notice.suspension_id)
        sent = session.scalars(select(OutboxRow).order_by(OutboxRow.key)).all()
        lucia = lucia_of(session)
        assert lucia.numbers
        return After(
            session.get_one(FollowUpTask, notice.task_id),
            attempt,
            notice,
            line.standing,
            lucia,
            [row.key for row in sent],
        )


OUTCOMES: Mapping[str, tuple[str, str | None, str]] = {
    "is_rebooked": ("rebooked", "completed", "done"),
    "wants_no_other": ("given_up", "completed", "done"),
    "decides_later": ("acknowledged", "completed", "done"),
    "takes_none_of_the_times": ("acknowledged", "completed", "done"),
    "asks_for_a_person": ("wants_person", "completed", "done"),
    "hears_it_and_hangs_up": ("told", "hung_up", "open"),
    "not_now": ("not_reached", "call_later", "stopped"),  # tomorrow at this time the appointment is over
    "asks_for_a_person_at_once": ("pending", "partial", "open"),
    "nobody_speaks": ("pending", "left_message", "open"),
    "a_machine": ("pending", None, "open"),
    "a_machine_that_may_take_a_message": ("pending", "left_message", "open"),
    "a_machine_and_she_picks_up": ("acknowledged", "completed", "done"),
    "a_fax": ("pending", None, "open"),
    "does_not_want_calls": ("not_reached", "refused", "stopped"),
    "does_not_want_calls_and_asks_for_a_person": ("not_reached", "refused", "stopped"),
    "is_somebody_else": ("pending", "partial", "open"),
    "died_while_it_rang": ("not_reached", "refused", "stopped"),
    "was_moved_while_it_rang": ("given_up", "completed", "done"),
}

LINES = {"a_machine": "machine", "a_machine_that_may_take_a_message": "machine", "a_fax": "fax"}


@pytest.mark.covers("H6", "H18", "I5")
@pytest.mark.parametrize("name", OUTCOMES)
async def test_what_came_of_it_is_written_down(name: str, front: FrontDesk, words: wording.Wording) -> None:
    await played("es", name, front, words)
    left = after(front)
    assert (left.standing, left.attempt.contact_result, left.task.state) == OUTCOMES[name]
    assert left.attempt.line_result == LINES.get(name, "answered")


class LiftsMeanwhile(booking.OwnDesk):
    """While she chooses another time for the first appointment, Grace says that the clinic takes place again."""

    async def departments(self, kind: Kind = "clinic") -> list[Department]:
        def lift(session: Session) -> None:
            one = session.scalars(select(Suspension)).one()
            lifted_suspensions.lift(session, one.id, one.begun_by, NOON)

        await self._database.run(lift)
        return await super().departments(kind)


@pytest.mark.covers("H6")
async def test_what_takes_place_again_during_the_call_is_not_told(front: FrontDesk, words: wording.Wording) -> None:
    desk = LiftsMeanwhile(front.database, zone=ZONE, **appointment_messages(lambda: NOON, lambda: front.site_says))
    heard = await played("en", "two_appointments", replace(front, desk=desk), words)
    assert heard.count("cannot take place") == heard.count("journal: suspension_told") == 1
    with front.database.transaction() as session:
        first, second = session.scalars(
            select(Appointment).join(SuspensionNotice, SuspensionNotice.appointment_id == Appointment.id)
            .join(Slot, Slot.id == Appointment.slot_id).order_by(Slot.starts_at)
        )  # fmt: skip
        assert (first.state, second.state) == ("cancelled", "booked") and first.moved_to is not None


REMINDED: Mapping[str, tuple[str, str, list[str]]] = {
    "reminded_and_comes": ("completed", "done", []),
    "reminded_and_moves": ("completed", "done", ["appointment_moved"]),
    "reminded_and_cancels": ("completed", "done", ["appointment_cancelled"]),
    "reminded_and_wants_no_more": ("completed", "done", []),
    "reminded_and_wants_no_calls_at_all": ("refused", "stopped", []),
    "reminded_after_an_opt_out_while_it_rang": ("refused", "stopped", []),
    "her_childs_after_her_opt_out": ("refused", "stopped", []),
    "her_childs_after_her_death": ("hung_up", "stopped", []),  # nobody else is known to be called for him
    "her_childs_and_wants_no_calls_at_all": ("refused", "stopped", []),
    "her_childs_and_wants_no_more": ("completed", "done", []),
    "a_medicine_and_a_question": ("completed", "done", []),
    "a_medicine_and_no_more": ("completed", "done", []),
    "a_checkup_is_booked": ("completed", "done", ["appointment_confirmed"]),
    "a_revisit_and_no_more": ("completed", "done", []),
    "missed_and_books_another_time": ("completed", "done", ["appointment_confirmed"]),
    "missed_and_wants_no_other_time": ("completed", "done", []),
}


@pytest.mark.covers("H24", "H25", "I4")
@pytest.mark.parametrize("name", REMINDED)
async def test_what_came_of_a_reminder_is_written_down(name: str, front: FrontDesk, words: wording.Wording) -> None:
    await played("es", name, front, words)
    with front.database.transaction() as session:
        attempt = session.scalars(select(Attempt)).one()
        attempts.line_ended(session, attempt.id, "answered", NOON, POLICY)
        task = session.get_one(FollowUpTask, attempt.task_id)
        sent = [row.key for row in session.scalars(select(OutboxRow))]
        assert (attempt.contact_result, task.state, sent) == REMINDED[name]
        said = name.endswith(("wants_no_more", "no_calls_at_all")) or "opt_out" in name
        about_her_child = name.startswith("her_childs_and")
        assert ("reminder" in lucia_of(session).opted_out) == (said and not about_her_child)
        for child in session.scalars(select(Patient).where(Patient.guardian_id == lucia_of(session).id)):
            assert child.opted_out == [], "another guardian is asked anew"
            assert ("reminder" in child.guardian_declined) == (said and about_her_child)


@pytest.mark.covers("H25", "I4")
@pytest.mark.parametrize(("name", "goes_on"), [("a_medicine", 1), ("a_medicine_and_no_more", 0)])
async def test_a_medicine_of_which_no_more_is_wanted_is_in_the_plan_no_longer(
    name: str, goes_on: int, front: FrontDesk, words: wording.Wording
) -> None:
    """That reminder alone: of appointments the patient still hears."""
    await played("es", name, front, words)
    with front.database.transaction() as session:
        attempt = session.scalars(select(Attempt)).one()
        attempts.line_ended(session, attempt.id, "answered", NOON, POLICY)
        medicine = session.scalars(select(RecurringReminder)).one()
        assert medicine.stopped_at == (None if goes_on else NOON)
        assert len(reminders.running(session, NOON)) == goes_on
        assert reminders.plan_recurring(session, NOON + timedelta(days=31), POLICY) == goes_on
        assert "reminder" not in lucia_of(session).opted_out
