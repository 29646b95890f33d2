"""A clinic is suspended: free times go, appointments are suspended, everybody concerned is told, and nobody twice."""

from datetime import datetime, time, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import (
    agentless,
    attempts,
    audit,
    booking,
    callbacks,
    followups,
    lifted_suspensions,
    patients,
    plan_changes,
    suspension_view,
    suspensions,
)
from hospital.attempts import Attempt, Claimed
from hospital.booking import Appointment, Booked, Doctor, Slot, SlotTaken
from hospital.callbacks import Callback
from hospital.calling_hours import Window, first_allowed
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.suspensions import Suspension, SuspensionNotice
from tests.characters import JOAO, LUCIA, MEI, Character
from tests.hospital_scene import POLICY, admit, at_once, clinic, day_three, employ
from tests.moments import NOON, ZONE

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TOMORROW = NOON + DAY
EVENING = NOON + timedelta(hours=10)  # 23:00 in Bogotá
NIGHT = NOON + timedelta(hours=14)
pytestmark = pytest.mark.covers("H6")


def book(session: Session, slot: UUID, who: UUID, holder: str = "desk") -> UUID:
    booking.hold(session, slot, holder, NOON)
    return booking.confirm(session, slot, holder, who, NOON, "desk").id


def suspend(session: Session, *, at: datetime = NOON, policy: CallingPolicy = POLICY) -> UUID:
    """Dr Vega's clinic, tomorrow."""
    doctor = session.scalars(select(Doctor.id)).one()
    grace = employ(session, "grace", "supervisor").id
    span = {"since": TOMORROW, "until": TOMORROW + DAY}
    return suspensions.suspend(
        session, doctor_id=doctor, reason="illness", account_id=grace, at=at, policy=policy, **span
    )


def lucias_clinic(session: Session, character: Character = LUCIA, free: int = 2) -> tuple[UUID, list[UUID]]:
    """Her appointment and the slots; the first is hers."""
    slots = clinic(session, 1 + free)
    later = session.get_one(Slot, slots[-1])
    later.starts_at = TOMORROW + 3 * DAY  # not suspended
    session.flush()
    return book(session, slots[0], admit(session, character).id), slots


def next_call(session: Session, at: datetime = NOON, most: int = 5) -> Claimed | NotNow | None:
    return agentless.claim_next(session, "n1", at, POLICY, kinds={"suspension"}, most=most)


def rings_out(session: Session, at: datetime, result: str = "no_answer") -> None:
    claimed = next_call(session, at)
    assert isinstance(claimed, Claimed), claimed
    assert attempts.dialling(session, claimed.attempt_id, at)
    attempts.rang(session, claimed.channel_id)
    assert attempts.line_ended(session, claimed.attempt_id, result, at, POLICY)


def task(session: Session) -> FollowUpTask:
    return session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension")).one()


def standing(session: Session) -> str:
    session.flush()
    notice = session.scalars(select(SuspensionNotice)).one()
    (line,) = suspension_view.noticed(session, notice.suspension_id)
    return line.standing


def codes(session: Session) -> list[str]:
    session.flush()
    return [decision.code for decision in followups.decisions(session, task(session).id)]


def test_free_times_go_and_who_has_one_is_told(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        doctor = session.scalars(select(Doctor.id)).one()
        shown = suspensions.affected(session, doctor, TOMORROW, TOMORROW + DAY, NOON)
        assert [one.appointment_id for one in shown] == [mine]
        assert suspension_view.free_times(session, doctor, TOMORROW, TOMORROW + DAY, NOON) == 1
        suspend(session)
    with database.transaction() as session:
        assert session.get_one(Appointment, mine).state == "suspended"
        offered = booking.openings(session, "cardiology", NOON, after=NOON, limit=9)
        assert [one.slot_id for one in offered] == slots[2:], "only what lies outside the span"
        assert booking.appointments(session, task(session).patient_id, NOON) == []
        due = task(session)
        assert (due.channel, due.priority, due.due_until) == ("automated_call", 1, TOMORROW)
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.params) == ("appointment_suspended", {"starts_at": TOMORROW.isoformat()})
        assert message.number == LUCIA.numbers[0] and standing(session) == "pending"


def test_a_time_that_is_made_later_does_not_take_place_either(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        doctor = session.scalars(select(Doctor.id)).one()
        suspend(session)
        before, first, last, after = (
            Slot(doctor_id=doctor, starts_at=TOMORROW + span) for span in (-MINUTE, 7 * MINUTE, DAY - MINUTE, DAY)
        )
        session.add_all([before, first, last, after])
        session.flush()
        offered = {one.slot_id for one in booking.openings(session, "cardiology", NOON, after=NOON, limit=9)}
        assert {before.id, after.id} < offered and not {first.id, last.id} & offered
        with pytest.raises(SlotTaken):
            booking.hold(session, first.id, "desk", NOON)


@pytest.mark.parametrize(("from_hour", "waits"), [(8, True), (11, False)])
def test_nobody_travels_in_vain_for_the_sake_of_the_hour(database: Database, from_hour: int, waits: bool) -> None:
    """Suspended at eleven in the evening, and her appointment is at one."""
    window = Window((((time(from_hour), time(21)),),) * 7)
    with database.transaction() as session:
        lucias_clinic(session)
        suspend(session, at=EVENING, policy=CallingPolicy(window, ZONE))
        (message,) = session.scalars(select(OutboxRow))
        assert message.due_at == (first_allowed(EVENING, window, ZONE) if waits else EVENING)
        assert message.useful_until == TOMORROW


def test_who_has_moved_it_in_the_evening_is_told_nothing_in_the_morning(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        suspend(session, at=EVENING)
        assert suspensions.take_back(session) == 0
        booking.hold(session, slots[-1], "call", NIGHT)
        booking.reschedule(session, mine, slots[-1], "call", task(session).patient_id, NIGHT, "ivr")
        assert suspensions.take_back(session) == 1
        (message,) = session.scalars(select(OutboxRow).where(OutboxRow.key == "appointment_suspended"))
        assert (message.state, message.error) == ("failed", "withdrawn")


@pytest.mark.parametrize("reason", ["bored", ""])
def test_a_reason_is_one_of_ours(database: Database, reason: str) -> None:
    with pytest.raises(ValueError, match="no reason"), database.transaction() as session:
        clinic(session)
        doctor, grace = session.scalars(select(Doctor.id)).one(), employ(session, "grace", "supervisor").id
        span = {"since": TOMORROW, "until": TOMORROW + DAY}
        suspensions.suspend(session, doctor_id=doctor, reason=reason, account_id=grace, at=NOON, policy=POLICY, **span)


@pytest.mark.covers("I1", "I2")
def test_who_confirms_at_that_moment_is_told_or_hears_that_it_is_gone(database: Database) -> None:
    with database.transaction() as session:
        (slot,) = clinic(session)
        lucia = admit(session, LUCIA).id
        booking.hold(session, slot, "call", NOON)

    def confirms(session: Session) -> UUID:
        return booking.confirm(session, slot, "call", lucia, NOON, "ivr").id

    confirmed, _ = at_once(database, confirms, suspend)
    with database.transaction() as session:
        states = list(session.scalars(select(Appointment.state)))
        if isinstance(confirmed, SlotTaken):
            assert states == []
        else:
            assert states == ["suspended"] and standing(session) == "pending", "never booked on a suspended clinic"


@pytest.mark.covers("I11")
def test_rebooked_she_has_exactly_one(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        suspend(session)
        lucia = task(session).patient_id
        (told,) = suspensions.of_patient(session, lucia, NOON)
        assert isinstance(told, Booked) and told.appointment_id == mine
        booking.hold(session, slots[2], "call", NOON)
        booking.reschedule(session, mine, slots[2], "call", lucia, NOON, "ivr")
    with database.transaction() as session:
        assert [one.starts_at for one in booking.appointments(session, lucia, NOON)] == [TOMORROW + 3 * DAY]
        assert standing(session) == "rebooked" and suspensions.of_patient(session, lucia, NOON) == []
        called = next_call(session)
        assert isinstance(called, NotNow) and called.code == "not_needed"
        assert (task(session).state, next_call(session)) == ("done", None)


@pytest.mark.covers("I4")
def test_one_patient_who_is_transferred_moves_and_their_time_is_free(database: Database) -> None:
    with database.transaction() as session:
        appointment, slots = lucias_clinic(session)
        lucia, doctor = session.get_one(Appointment, appointment).patient_id, session.scalars(select(Doctor.id)).one()
        grace = employ(session, "grace", "supervisor").id
        span = {"doctor_id": doctor, "since": TOMORROW, "until": TOMORROW + DAY, "at": NOON}
        mei = admit(session, MEI).id
        book(session, slots[1], mei, "mei")
        suspensions.suspend(session, **span, reason="transferred", account_id=grace, policy=POLICY, patient_id=lucia)
        states = {one.patient_id: one.state for one in session.scalars(select(Appointment))}
        assert states == {lucia: "suspended", mei: "booked"}
        assert {slot.state for slot in session.scalars(select(Slot))} == {"open"}
        with pytest.raises(SlotTaken):
            booking.hold(session, slots[0], "joao", NOON)
    with database.transaction() as session:
        assert [one.appointment_id for one in suspensions.of_patient(session, lucia, NOON)] == [appointment]
        booking.hold(session, slots[2], "lucia", NOON)
        booking.reschedule(session, appointment, slots[2], "lucia", lucia, NOON, "ivr")
        book(session, slots[0], admit(session, JOAO).id, "joao")


@pytest.mark.parametrize(("reason", "one"), [("transferred", False), ("illness", True)])
def test_one_patient_alone_is_suspended_only_for_a_transfer(database: Database, reason: str, one: bool) -> None:
    with database.transaction() as session:
        appointment, _ = lucias_clinic(session)
        lucia, doctor = session.get_one(Appointment, appointment).patient_id, session.scalars(select(Doctor.id)).one()
        grace = employ(session, "grace", "supervisor").id
        with pytest.raises(ValueError):
            suspensions.suspend(
                session, doctor_id=doctor, since=TOMORROW, until=TOMORROW + DAY, reason=reason, account_id=grace,
                at=NOON, policy=POLICY, patient_id=lucia if one else None,
            )  # fmt: skip


def test_the_cap_does_not_hold_it_back_and_the_log_says_so(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session, JOAO)
        suspend(session)
        ana = employ(session, "ana", "nurse").id
        joao = task(session).patient
        called = attempts.claim(session, day_three(session, joao).id, ana, "n1", NOON, POLICY)
        assert isinstance(called, Claimed)
        attempts.dialling(session, called.attempt_id, NOON)
        attempts.rang(session, called.channel_id)
        blocked = next_call(session)
        assert isinstance(blocked, NotNow) and blocked.code == "already_in_a_call"
        attempts.line_ended(session, called.attempt_id, "no_answer", NOON, POLICY)
        assert next_call(session) is None, "looked at again in a while"
        assert isinstance(next_call(session, NOON + 6 * MINUTE), Claimed)
        assert codes(session)[-1] == "called"
        assert followups.decisions(session, task(session).id)[-1].facts["cap"] == "exempt"


@pytest.mark.covers("I4")
def test_the_window_holds_it_back(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        suspend(session, at=NIGHT - 3 * HOUR)  # midnight in Bogotá; the appointment is at one in the afternoon
        refused = next_call(session, NIGHT)
        assert isinstance(refused, NotNow) and refused.code == "outside_window"
        opens = datetime(2026, 11, 26, 8, 0, tzinfo=ZONE)
        assert task(session).next_try_at == opens
        assert next_call(session, opens - MINUTE) is None
        (message,) = session.scalars(select(OutboxRow))
        assert message.due_at == opens, "a message at night wakes people, too"
        assert isinstance(next_call(session, opens), Claimed)


def test_mei_is_busy_then_does_not_answer_and_is_one_item_for_a_person(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session, MEI)
        suspend(session)
        rings_out(session, NOON, "busy")
        again = task(session)
        assert (again.tries, again.next_number_rank, again.next_try_at) == (1, 1, NOON + 30 * MINUTE)
        rings_out(session, NOON + 30 * MINUTE)
        assert (again.tries, again.next_number_rank) == (2, 2), "her second number"
        rings_out(session, NOON + HOUR)
        assert (again.state, again.stop_reason, standing(session)) == ("stopped", "not_reached", "not_reached")
        (item,) = session.scalars(select(Callback))
        assert (item.why, item.number, item.patient_id) == ("suspended", MEI.numbers[0], again.patient_id)
        notice = session.scalars(select(SuspensionNotice)).one()
        suspensions.told(session, notice.appointment_id, NOON + 2 * HOUR)  # she phones in
        session.refresh(item)
        assert (item.state, item.outcome, standing(session)) == ("done", "told_meanwhile", "told")


@pytest.mark.parametrize("invalid", [True, False])
def test_who_has_no_number_is_seen_on_the_page(database: Database, invalid: bool) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        for number in session.scalars(select(patients.PhoneNumber)):
            number.invalid_since, number.safe_to_call = (NOON, True) if invalid else (None, False)
        suspend(session)
        refused = next_call(session)
        assert isinstance(refused, NotNow) and refused.code == "no_usable_number"
        assert (task(session).stop_reason, standing(session)) == ("no_usable_number", "not_reached")
        assert callbacks.still_open(session) == [], "nobody is called on a number that is not theirs or not safe"


def test_a_child_is_called_at_the_mothers(database: Database) -> None:
    with database.transaction() as session:
        mine, _ = lucias_clinic(session)
        lucia = session.get_one(Appointment, mine).patient_id
        child = patients.register(session, name="Mateo", birth=NOON.date() - 8 * 365 * DAY, language="es", numbers=[])
        child.guardian_id = lucia
        session.get_one(Appointment, mine).patient_id = child.id
        session.flush()
        suspend(session)
        called = next_call(session)
        assert isinstance(called, Claimed) and called.number == LUCIA.numbers[0]
        contact = agentless.find(session, called.channel_id)
        assert contact is None, "not dialled yet"
        attempts.dialling(session, called.attempt_id, NOON)
        contact = agentless.find(session, called.channel_id)
        assert contact is not None and (contact.patient.id, contact.person.id) == (child.id, lucia)


@pytest.mark.covers("H1")
def test_two_children_on_one_number_are_two_items_where_neither_was_told(database: Database) -> None:
    with database.transaction() as session:
        slots = clinic(session, 2)
        lucia = admit(session, LUCIA).id
        children = []
        for slot, name in zip(slots, ("Mateo", "Sofía"), strict=True):
            born = NOON.date() - 8 * 365 * DAY
            child = patients.register(session, name=name, birth=born, language="es", numbers=[])
            child.guardian_id = lucia
            session.flush()
            book(session, slot, child.id, name)
            children.append(child.id)
        suspend(session)
        for due in session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "suspension")):
            suspensions.not_reached(session, due, NOON)
        items = callbacks.still_open(session)
        assert {item.patient_id for item in items} == set(children)
        assert {(item.why, item.number) for item in items} == {("suspended", LUCIA.numbers[0])}
        notice = session.scalars(select(SuspensionNotice)).first()
        assert notice is not None
        assert all(line.callback for line in suspension_view.noticed(session, notice.suspension_id))
        suspensions.told(session, notice.appointment_id, NOON)
        assert len(callbacks.still_open(session)) == 1, "the other one still is to be told"


@pytest.mark.covers("I3")
def test_two_dialers_call_nobody_twice_and_keep_to_the_lines(database: Database) -> None:
    with database.transaction() as session:
        slots = clinic(session, 3)
        for slot, character in zip(slots, (LUCIA, MEI, JOAO), strict=True):
            book(session, slot, admit(session, character).id, character.sip)
        suspend(session)
    claims = at_once(database, *[partial(next_call, most=2)] * 4)
    assert sum(isinstance(one, Claimed) for one in claims) == 2 and claims.count(None) == 2
    with database.transaction() as session:
        assert len({one.patient_id for one in session.scalars(select(Attempt))}) == 2


def test_who_was_told_and_hung_up_is_called_again_and_who_acknowledged_is_not(database: Database) -> None:
    with database.transaction() as session:
        mine, _ = lucias_clinic(session)
        suspend(session)
        called = next_call(session)
        assert isinstance(called, Claimed) and attempts.dialling(session, called.attempt_id, NOON)
        assert agentless.answered(session, called.channel_id, NOON, POLICY) is not None
        suspensions.told(session, mine, NOON)
        attempts.line_ended(session, called.attempt_id, "answered", NOON, POLICY)
        assert (task(session).state, task(session).next_try_at, standing(session)) == (
            "open",
            NOON + 30 * MINUTE,
            "told",
        )
        suspensions.acknowledged(session, mine, NOON + MINUTE)
        session.expire_all()
        assert (task(session).state, standing(session), next_call(session, NOON + HOUR)) == (
            "done",
            "acknowledged",
            None,
        )


@pytest.mark.covers("I3", "I10")
def test_a_call_whose_fate_is_unknown_goes_to_a_person(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        suspend(session)
        called = next_call(session)
        assert isinstance(called, Claimed) and attempts.dialling(session, called.attempt_id, NOON)
        assert attempts.to_review(session, called.attempt_id, NOON, "link_lost")
        assert (task(session).state, task(session).stop_reason) == ("stopped", "fate_unknown")
        assert [item.why for item in callbacks.still_open(session)] == ["suspended"]
        assert next_call(session, NOON + DAY) is None


# ── It takes place again ────────────────────────────────────────────────────────────────────────────────────────────


def lift(session: Session, suspension_id: UUID, at: datetime = NOON + MINUTE) -> lifted_suspensions.Lifted | None:
    grace = session.get_one(Suspension, suspension_id).begun_by
    return lifted_suspensions.lift(session, suspension_id, grace, at)


def again_by(session: Session, since: datetime, until: datetime, patient_id: UUID | None = None) -> UUID:
    """Another suspension, by who began the first."""
    first = session.scalars(select(Suspension)).first()
    assert first is not None
    return suspensions.suspend(
        session, doctor_id=first.doctor_id, since=since, until=until, account_id=first.begun_by, at=NOON,
        reason="leave" if patient_id is None else "transferred", policy=POLICY, patient_id=patient_id,
    )  # fmt: skip


def test_who_does_not_know_keeps_the_appointment_and_the_free_times_are_offered(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        suspended = suspend(session, at=EVENING)
    with database.transaction() as session:
        lifted = lift(session, suspended, EVENING + MINUTE)
        assert lifted == lifted_suspensions.Lifted((mine,), (), {})
        assert lift(session, suspended, EVENING + 2 * MINUTE) is None, "pressed twice"
    with database.transaction() as session:
        assert session.get_one(Appointment, mine).state == "booked"
        offered = {one.slot_id for one in booking.openings(session, "cardiology", NOON, after=NOON, limit=9)}
        assert offered == set(slots[1:])
        assert (task(session).state, task(session).stop_reason, standing(session)) == (
            "stopped",
            "takes_place",
            "takes_place",
        )
        (message,) = session.scalars(select(OutboxRow).where(OutboxRow.key == "appointment_suspended"))
        assert (message.state, message.error) == ("failed", "withdrawn")
        assert not suspensions.told(session, mine, EVENING + HOUR), "who is about to be told hears nothing of it"
        assert standing(session) == "takes_place"
        (row,) = [row for row in audit.newest(session) if row.action == "clinic.lifted"]
        assert (row.detail["appointments"], row.detail["told"]) == (1, 0)
        later = Slot(doctor_id=session.scalars(select(Doctor.id)).one(), starts_at=TOMORROW + 7 * MINUTE)
        session.add(later)
        session.flush()
        session.refresh(later)
        assert later.state == "open", "made later, it takes place, too"


def test_what_is_suspended_again_is_told_again(database: Database) -> None:
    with database.transaction() as session:
        mine, _ = lucias_clinic(session, MEI)
        first = suspend(session)
        for at in (NOON, NOON + 30 * MINUTE, NOON + HOUR):
            rings_out(session, at)
        assert standing(session) == "not_reached"
        assert lift(session, first, NOON + 2 * HOUR) == lifted_suspensions.Lifted((mine,), (), {})
        session.expire_all()
        (item,) = session.scalars(select(Callback))
        assert (item.state, item.outcome) == ("done", "takes_place")
    with database.transaction() as session:
        second = again_by(session, TOMORROW, TOMORROW + DAY)
        (line,) = suspension_view.noticed(session, second)
        assert (line.standing, suspension_view.noticed(session, first)) == ("pending", [])
        waiting = select(OutboxRow).where(OutboxRow.state == "queued", OutboxRow.key == "appointment_suspended")
        assert session.scalars(waiting).one().once == f"appointment_suspended/{mine}"
        due = session.scalars(select(FollowUpTask).where(FollowUpTask.state == "open")).one()
        suspensions.not_reached(session, due, NOON + 3 * HOUR)
        assert len(callbacks.still_open(session)) == 1


@pytest.mark.parametrize("how", ["heard", "text_sent", "text_sending", "text_unknown", "talking", "by_a_person"])
def test_who_was_told_keeps_a_suspended_appointment_and_its_time(database: Database, how: str) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        suspended = suspend(session)
        message = session.scalars(select(OutboxRow)).one()
        match how:
            case "heard":
                assert suspensions.told(session, mine, NOON)
            case "text_sent":
                message.state, message.sent_at = "sent", NOON
            case "text_sending":
                message.state = "sending"
            case "text_unknown":
                message.state, message.error = "failed", "fate_unknown"
            case "talking":
                called = next_call(session)
                assert isinstance(called, Claimed) and attempts.dialling(session, called.attempt_id, NOON)
                assert agentless.answered(session, called.channel_id, NOON, POLICY) is not None
            case _:
                suspensions.not_reached(session, task(session), NOON)
                (item,) = callbacks.still_open(session)
                ana = employ(session, "ana", "nurse").id
                assert callbacks.own(session, item.id, ana, NOON) and callbacks.finish(
                    session, item.id, ana, "reached", NOON
                )
    with database.transaction() as session:
        assert lifted_suspensions.would_lift(session, suspended, NOON) == lifted_suspensions.Lifted((), (mine,), {})
        assert lift(session, suspended) == lifted_suspensions.Lifted((), (mine,), {})
    with database.transaction() as session:
        assert session.get_one(Appointment, mine).state == "suspended" and standing(session) == "to_book_anew"
        assert slots[0] not in {
            one.slot_id for one in booking.openings(session, "cardiology", NOON, after=NOON, limit=9)
        }


def test_what_rings_at_that_moment_is_hung_up_and_says_nothing(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        suspended = suspend(session)
        called = next_call(session)
        assert isinstance(called, Claimed) and attempts.dialling(session, called.attempt_id, NOON)
        lift(session, suspended)
    with database.transaction() as session:
        (off,) = plan_changes.called_off(session, NOON + MINUTE)
        assert off.id == called.attempt_id
        assert agentless.answered(session, called.channel_id, NOON + MINUTE, POLICY) is None
        attempts.line_ended(session, called.attempt_id, "answered", NOON + MINUTE, POLICY)
        assert not attempts.contact_result(session, called.attempt_id, "call_later", NOON + 2 * MINUTE, POLICY)
        assert (task(session).state, task(session).stop_reason) == ("stopped", "takes_place")
        assert next_call(session, NOON + HOUR) is None and standing(session) == "takes_place"


def test_what_another_suspension_covers_stays_suspended(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session, free=3)
        first = suspend(session)
        second = again_by(session, TOMORROW - HOUR, session.get_one(Slot, slots[1]).starts_at)  # hers alone
        assert lift(session, first) == lifted_suspensions.Lifted((), (), {mine: second})
        session.expire_all()
        states = [session.get_one(Slot, slot).state for slot in slots]
        assert states == ["withdrawn", "open", "open", "open"]
        assert (session.get_one(Appointment, mine).state, task(session).state) == ("suspended", "open")
        assert [line.standing for line in suspension_view.noticed(session, second)] == ["pending"]
        assert lift(session, second, NOON + 2 * MINUTE) == lifted_suspensions.Lifted((mine,), (), {})
        session.expire_all()
        assert session.get_one(Slot, slots[0]).state == "open" and session.get_one(Appointment, mine).state == "booked"


def test_of_a_transfer_and_a_clinic_each_is_lifted_by_itself(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        first = suspend(session)
        transferred = again_by(session, TOMORROW, TOMORROW + DAY, session.get_one(Appointment, mine).patient_id)
        assert lift(session, first) == lifted_suspensions.Lifted((), (), {mine: transferred})
        session.expire_all()
        assert (
            session.get_one(Slot, slots[0]).state == "open" and session.get_one(Appointment, mine).state == "suspended"
        )
        assert lift(session, transferred) == lifted_suspensions.Lifted((mine,), (), {})


@pytest.mark.covers("I1")
def test_lifted_and_suspended_at_one_moment_no_time_is_offered_that_does_not_take_place(database: Database) -> None:
    with database.transaction() as session:
        mine, slots = lucias_clinic(session)
        first = suspend(session)
    results = at_once(
        database,
        lambda session: lift(session, first),
        lambda session: again_by(session, TOMORROW, TOMORROW + DAY),
        lambda session: lift(session, first),
    )
    assert not [one for one in results if isinstance(one, Exception)]
    with database.transaction() as session:
        assert [session.get_one(Slot, slot).state for slot in slots[:2]] == ["withdrawn", "withdrawn"]
        assert session.get_one(Appointment, mine).state == "suspended"
        assert [row.action for row in audit.newest(session)].count("clinic.lifted") == 1


def test_what_is_over_is_not_lifted(database: Database) -> None:
    with database.transaction() as session:
        lucias_clinic(session)
        suspended = suspend(session)
        assert lift(session, suspended, TOMORROW + DAY) is None
        assert (
            lifted_suspensions.lift(session, UUID(int=0), session.get_one(Suspension, suspended).begun_by, NOON) is None
        )
