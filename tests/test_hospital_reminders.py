"""Who is reminded of what, when, and how: of an appointment once, of what repeats until it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import agentless, attempts, booking, consents, followups, outbox, reminder_texts, reminders
from hospital.attempts import Attempt, Claimed
from hospital.calling_hours import PRESETS
from hospital.calling_rules import NotNow, cap_ends
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.reminders import RecurringReminder, Reminder
from tests.characters import LUCIA, RUTH
from tests.hospital_scene import POLICY, admit, at_once, clinic, day_three, employ
from tests.moments import NOON, ZONE
from tests.test_hospital_suspensions import book

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
pytestmark = pytest.mark.covers("H25")


def plan(session: Session, at: datetime = NOON) -> int:
    return reminders.plan_appointments(session, at, POLICY, days_before=1, from_hour=10)


def lucias_appointment(session: Session, *, booked: timedelta = 3 * DAY, starts: timedelta = DAY) -> UUID:
    slots = clinic(session, 1, first=NOON + starts)
    mine = book(session, slots[0], admit(session, LUCIA).id)
    session.get_one(booking.Appointment, mine).booked_at = NOON - booked
    session.flush()
    return mine


SATURDAY = datetime(2027, 1, 9, 10, 30, tzinfo=ZONE)  # Monday the 11th is a holiday in Colombia


@pytest.mark.covers("H24")
@pytest.mark.parametrize(
    ("starts", "planned"),
    [
        (datetime(2027, 1, 11, 9, tzinfo=ZONE), "Sat 09 10:30"),
        (datetime(2027, 1, 12, 7, tzinfo=ZONE), "Sat 09 10:30"),
        (datetime(2027, 1, 13, 7, tzinfo=ZONE), "Tue 12 10:30"),
        (datetime(2027, 1, 18, 7, tzinfo=ZONE), "Sat 16 10:30"),
    ],
    ids=["on a holiday", "after it", "two days after it", "on a Monday"],
)
def test_on_the_last_day_before_on_which_there_are_calls(database: Database, starts: datetime, planned: str) -> None:
    policy = replace(POLICY, window=PRESETS["co"])
    with database.transaction() as session:
        slots = clinic(session, 1, first=starts)
        mine = book(session, slots[0], admit(session, LUCIA).id)
        session.get_one(booking.Appointment, mine).booked_at = SATURDAY - 3 * DAY
    for days in range(10):
        at = SATURDAY + days * DAY
        with database.transaction() as session:
            reminders.plan_appointments(session, at, policy, days_before=1, from_hour=10)
            if days == 0:  # after its hours, and again: once
                reminders.plan_appointments(session, at + 8 * HOUR, policy, days_before=1, from_hour=10)
    with database.transaction() as session:
        due = task(session)
        assert f"{due.due_at.astimezone(ZONE):%a %d %H:%M}" == planned
        assert due.due_until == starts


def test_a_saturday_whose_hours_are_over_when_reminders_begin_is_none(database: Database) -> None:
    policy = replace(POLICY, window=PRESETS["co"])  # on Saturdays until three in the afternoon
    with database.transaction() as session:
        slots = clinic(session, 1, first=SATURDAY + 9 * DAY)
        mine = book(session, slots[0], admit(session, LUCIA).id)
        session.get_one(booking.Appointment, mine).booked_at = SATURDAY
        for day, planned in ((6, 1), (7, 0)):
            at = SATURDAY.replace(hour=16) + day * DAY
            assert reminders.plan_appointments(session, at, policy, days_before=1, from_hour=16) == planned


def task(session: Session) -> FollowUpTask:
    session.flush()
    session.expire_all()
    return session.scalars(select(FollowUpTask).where(FollowUpTask.kind == "reminder")).one()


def call_for(session: Session, at: datetime = NOON) -> Claimed | NotNow | None:
    return agentless.claim_next(session, "n1", at, POLICY, kinds={"reminder"}, most=5)


def sent(session: Session) -> list[str]:
    session.flush()
    return [row.key for row in session.scalars(select(OutboxRow))]


@pytest.mark.covers("H24")
def test_once_the_day_before_from_ten_on(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        assert plan(session, NOON - 4 * HOUR) == 0, "nine in the morning"
        assert plan(session) == 1
    with database.transaction() as session:
        assert plan(session) == 0, "once"
        due = task(session)
        assert (due.purpose, due.due_until, due.priority) == ("reminder", NOON + DAY, 6)
        assert isinstance(call_for(session), Claimed)


def test_two_processes_remind_of_it_once(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
    made = at_once(database, *[partial(plan)] * 3)
    assert [one for one in made if one == 1] == [1]


@pytest.mark.parametrize(
    ("booked", "starts"), [(HOUR, DAY), (3 * DAY, 2 * DAY), (3 * DAY, 6 * HOUR)], ids=["today", "later", "same day"]
)
def test_not_of_what_was_just_booked_or_is_not_tomorrow(
    database: Database, booked: timedelta, starts: timedelta
) -> None:
    with database.transaction() as session:
        lucias_appointment(session, booked=booked, starts=starts)
        assert plan(session) == 0


@pytest.mark.covers("I4")
def test_who_wants_none_has_none_also_when_she_says_so_in_between(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        lucia = session.scalars(select(Patient)).one()
        lucia.opted_out = ["reminder"]
        session.flush()
        assert plan(session) == 0
        lucia.opted_out = []
        session.flush()
        assert plan(session) == 1
        consents.set_consent(session, lucia.id, "reminder", False, NOON, call_id="n1-1")
        session.expire_all()
        assert call_for(session) is None
        assert (task(session).stop_reason, text_those_due(session)) == ("opted_out", [])


def was_called(session: Session, at: datetime) -> None:
    """For a follow-up: it rang, and nobody answered."""
    lucia = session.scalars(select(Patient)).one()
    followup, number = day_three(session, lucia, due_at=NOON - DAY), lucia.numbers[0]
    call: dict[str, object] = {"state": "ended", "line_result": "no_answer", "rang": True, "claimed_at": at}
    whom = {"task_id": followup.id, "patient_id": lucia.id, "number_id": number.id, "number_token": number.token}
    session.add(Attempt(channel_id="n1-x", dial_until=at, ended_at=at, **whom, **call))
    session.flush()


@pytest.mark.covers("I4")
def test_the_cap_holds_it_back_until_tomorrow_morning(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        plan(session)
        was_called(session, NOON - HOUR)
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"
        again = task(session)
        assert (again.state, again.next_try_at) == ("open", NOON + 19 * HOUR), "eight in the morning, before she comes"


def text_those_due(session: Session, at: datetime = NOON) -> list[str]:
    """What has been written by now, all in all."""
    while reminder_texts.work_next(session, at, POLICY):
        session.flush()
    return sent(session)


def wants_texts(session: Session) -> None:
    consents.set_reminded_by(session, session.scalars(select(Patient)).one().id, "sms", NOON, call_id="n1-1")
    session.expire_all()


def codes(session: Session) -> list[str]:
    return [row.code for row in followups.decisions(session, task(session).id)]


@pytest.mark.covers("H4")
def test_who_would_rather_read_is_written_to(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        wants_texts(session)
        assert plan(session) == 1
        assert text_those_due(session) == ["appointment_reminder"]
        assert (task(session).channel, task(session).state, call_for(session)) == ("sms", "done", None)
        assert codes(session) == ["planned", "sent_instead"]
        assert text_those_due(session, NOON + HOUR) == ["appointment_reminder"], "once"


@pytest.mark.covers("I4")
def test_a_text_waits_for_tomorrow_where_she_was_called_today(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        wants_texts(session)
        plan(session)
        was_called(session, NOON - HOUR)
        assert text_those_due(session) == []
        assert (task(session).state, task(session).next_try_at) == ("open", NOON + 19 * HOUR), "eight in the morning"
        assert text_those_due(session, NOON + 18 * HOUR) == []
        assert text_those_due(session, NOON + 19 * HOUR) == ["appointment_reminder"]
        assert codes(session) == ["planned", "cap_reached", "sent_instead"]


@pytest.mark.covers("I4")
def test_no_text_comes_later_than_what_it_reminds_of(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session, starts=17 * HOUR)  # six in the morning
        wants_texts(session)
        plan(session)
        was_called(session, NOON - HOUR)
        assert text_those_due(session) == []
        assert (task(session).state, task(session).stop_reason) == ("stopped", "not_reached")
        assert text_those_due(session, NOON + 16 * HOUR) == []


@pytest.mark.covers("I4")
def test_whoever_was_reminded_by_text_is_not_called_that_day(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        wants_texts(session)
        plan(session)
        text_those_due(session)
        lucia, ana = session.scalars(select(Patient)).one(), employ(session, "ana", "nurse").id
        due = day_three(session, lucia)
        refused = attempts.claim(session, due.id, ana, "n1", NOON + HOUR, POLICY)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"
        assert refused.not_before == NOON + 19 * HOUR
        session.execute(update(OutboxRow).values(state="failed", error="unknown_number"))
        assert isinstance(attempts.claim(session, due.id, ana, "n1", NOON + HOUR, POLICY), Claimed), "reached nobody"


@pytest.mark.covers("I4")
def test_a_second_reminder_by_text_is_tomorrows(database: Database) -> None:
    with database.transaction() as session:
        medicine(session)
        first = session.scalars(select(RecurringReminder)).one()
        session.add(
            RecurringReminder(
                about="checkup",
                patient_id=first.patient_id,
                begun_by=first.begun_by,
                begun_at=NOON,
                every_days=7,
                next_at=NOON,
                until=first.until,
            )
        )
        wants_texts(session)
        reminders.plan_recurring(session, NOON, POLICY)
        assert text_those_due(session) == ["please_call"]
        assert text_those_due(session, NOON + 20 * HOUR) == ["please_call", "please_call"]


@pytest.mark.covers("I4")
@pytest.mark.parametrize("hour", [21, 27], ids=["in the evening", "in the night"])
def test_no_text_leaves_outside_the_hours(database: Database, hour: int) -> None:
    at = NOON - 13 * HOUR + hour * HOUR
    with database.transaction() as session:
        medicine(session, first_at=at)
        wants_texts(session)
        reminders.plan_recurring(session, at, POLICY)
        assert text_those_due(session, at) == [] and task(session).state == "open"
        assert text_those_due(session, NOON + 20 * HOUR) == ["please_call"]


def test_who_changes_their_mind_before_it_leaves_is_written_to_no_more(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        wants_texts(session)
        plan(session)
        consents.set_consent(session, task(session).patient_id, "reminder", False, NOON, call_id="n1-1")
        session.expire_all()
        assert text_those_due(session) == []
        assert (task(session).state, task(session).stop_reason) == ("stopped", "opted_out")


def test_a_text_that_waits_is_not_needed_for_what_was_cancelled(database: Database) -> None:
    with database.transaction() as session:
        mine = lucias_appointment(session)
        wants_texts(session)
        plan(session)
        booking.cancel(session, mine, task(session).patient_id, NOON)
        assert text_those_due(session) == [] and task(session).state == "done"


def test_who_does_not_answer_is_tried_once_a_day_and_then_written_to(database: Database) -> None:
    """The call and the text after it are one contact: the cap of one a day is not in its way, and counts one."""
    with database.transaction() as session:
        lucias_appointment(session)
        plan(session)
        rings_out_of_reminders(session)
        assert text_those_due(session) == ["appointment_reminder"]
        assert (task(session).state, task(session).stop_reason) == ("stopped", "not_reached")
        token = session.scalars(select(Attempt.number_token)).one()
        assert attempts.contacts(session, task(session).patient_id, token, NOON + HOUR) == [NOON]


@pytest.mark.covers("I4")
def test_after_a_call_that_the_cap_put_off_for_good_no_text_comes_either(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session, starts=17 * HOUR)
        plan(session)
        was_called(session, NOON - HOUR)
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"
        assert text_those_due(session) == []
        assert (task(session).state, task(session).stop_reason) == ("stopped", "not_reached")


@pytest.mark.covers("I4")
def test_a_text_after_the_last_call_of_an_evening_leaves_in_the_morning_and_counts(database: Database) -> None:
    evening = NOON + 8 * HOUR - timedelta(seconds=10)
    with database.transaction() as session:
        lucias_appointment(session)
        plan(session)
        task(session).max_tries = 1
        rings_out_of_reminders(session, evening, evening + timedelta(seconds=30))
        assert text_those_due(session, evening + timedelta(minutes=1)) == []
        assert text_those_due(session, NOON + 19 * HOUR) == ["appointment_reminder"]
        token = session.scalars(select(Attempt.number_token)).one()
        contacts = attempts.contacts(session, task(session).patient_id, token, NOON + 20 * HOUR)
        assert contacts == [evening, NOON + 19 * HOUR]


def rings_out_of_reminders(session: Session, at: datetime = NOON, until: datetime = NOON) -> None:
    claimed = call_for(session, at)
    assert isinstance(claimed, Claimed) and attempts.dialling(session, claimed.attempt_id, at)
    attempts.rang(session, claimed.channel_id)
    attempts.line_ended(session, claimed.attempt_id, "no_answer", until, POLICY)


def test_what_was_cancelled_or_confirmed_needs_no_call(database: Database) -> None:
    with database.transaction() as session:
        mine = lucias_appointment(session)
        plan(session)
        booking.cancel(session, mine, task(session).patient_id, NOON)
        refused = call_for(session)
        assert isinstance(refused, NotNow) and (refused.code, task(session).state) == ("not_needed", "done")


# ── What its gateway did not take at once ───────────────────────────────────────────────────────────────────────────


def not_taken(session: Session, at: datetime = NOON) -> OutboxRow:
    """A reminder by text that its gateway refuses for now."""
    wants_texts(session)
    if not session.scalars(select(FollowUpTask)).all():
        plan(session)
    text_those_due(session, at)
    due = outbox.claim(session, at)
    assert due is not None
    outbox.not_sent(session, due.id, "gateway_down", at)
    return session.get_one(OutboxRow, due.id)


def take_back(session: Session, at: datetime) -> int:
    session.flush()
    return reminder_texts.take_back(session, at, POLICY)


@pytest.mark.covers("I4")
@pytest.mark.parametrize("what", ["appointment", "medicine"])
def test_what_no_gateway_took_all_day_waits_for_the_morning(database: Database, what: str) -> None:
    with database.transaction() as session:
        if what == "appointment":
            lucias_appointment(session)
        else:
            medicine(session)
            wants_texts(session)
            reminders.plan_recurring(session, NOON, POLICY)
        message = not_taken(session)
        assert take_back(session, NOON + 7 * HOUR) == 0, "eight in the evening"
        assert take_back(session, NOON + 13 * HOUR) == 1, "two in the night"
        assert outbox.claim(session, NOON + 13 * HOUR) is None
        assert (message.state, message.due_at) == ("queued", NOON + 19 * HOUR), "eight in the morning"
        assert take_back(session, NOON + 19 * HOUR) == 0
        assert outbox.claim(session, NOON + 19 * HOUR) is not None


@pytest.mark.covers("I4")
def test_what_could_leave_only_when_the_appointment_is_over_does_not(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session, starts=17 * HOUR)  # six in the morning
        message = not_taken(session)
        assert take_back(session, NOON + 13 * HOUR) == 1
        assert (message.state, message.error) == ("failed", "too_late")


@pytest.mark.parametrize("what", ["cancelled", "moved", "another time", "came after all"])
def test_of_what_is_no_longer_so_nobody_is_reminded(database: Database, what: str) -> None:
    with database.transaction() as session:
        mine = lucias_appointment(session)
        message = not_taken(session)
        appointment = session.get_one(booking.Appointment, mine)
        slot = session.get_one(booking.Slot, appointment.slot_id)
        if what == "cancelled":
            booking.cancel(session, mine, appointment.patient_id, NOON)
        elif what == "moved":
            other = booking.Slot(doctor_id=slot.doctor_id, starts_at=slot.starts_at + HOUR)
            session.add(other)
            session.flush()
            booking.hold(session, other.id, "desk", NOON)
            booking.reschedule(session, mine, other.id, "desk", appointment.patient_id, NOON, "desk")
        elif what == "another time":
            slot.starts_at += HOUR
        else:
            reminders.heard(session, task(session).id, NOON)
        assert take_back(session, NOON + HOUR) == 1
        assert (message.state, message.error) == ("failed", "withdrawn")


# ── Its text reached nobody ─────────────────────────────────────────────────────────────────────────────────────────


def failed(session: Session, error: str) -> OutboxRow:
    """A reminder by text that its gateway reports so an hour later."""
    wants_texts(session)
    plan(session)
    text_those_due(session)
    due = outbox.claim(session, NOON)
    assert due is not None
    if error == "too_late":
        outbox.not_sent(session, due.id, "gateway_down", NOON)
        outbox.withdraw(session, session.get_one(OutboxRow, due.id), error)
    elif error == "undelivered":
        outbox.sent(session, due.id, "gateway-1", NOON)
        outbox.reported(session, due.id, "failed", "gateway-1", NOON, error)
    else:
        outbox.not_sent(session, due.id, error, NOON, final=True)
    session.flush()
    return session.get_one(OutboxRow, due.id)


@pytest.mark.covers("H19")
@pytest.mark.parametrize("error", ["undelivered", "no_mobile", "opted_out", "bad_number", "fate_unknown", "too_late"])
def test_whom_a_text_does_not_reach_is_called(database: Database, error: str) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        failed(session, error)
        if error == "fate_unknown":
            assert not reminder_texts.work_next(session, NOON + HOUR / 12, POLICY), "a report may come"
        later = NOON + HOUR
        assert reminder_texts.work_next(session, later, POLICY)
        assert (task(session).state, task(session).channel) == ("open", "automated_call")
        assert codes(session) == ["planned", "sent_instead", "text_undelivered"]
        assert not reminder_texts.work_next(session, later, POLICY), "once"
        called = call_for(session, later)
        if error == "fate_unknown":  # it may have arrived: a contact of that day
            assert isinstance(called, NotNow) and called.code == "cap_reached"
        else:
            assert isinstance(called, Claimed)


@pytest.mark.covers("H19")
def test_after_such_calls_no_second_text_follows(database: Database) -> None:
    with database.transaction() as session:
        lucias_appointment(session)
        failed(session, "undelivered")
        reminder_texts.work_next(session, NOON + HOUR, POLICY)
        task(session).max_tries = 1
        rings_out_of_reminders(session, NOON + HOUR, NOON + HOUR)
        assert text_those_due(session, NOON + 2 * HOUR) == ["appointment_reminder"]
        assert (task(session).state, task(session).stop_reason) == ("stopped", "not_reached")


@pytest.mark.parametrize("why", ["cancelled", "opted out", "died", "over"])
def test_where_nothing_is_left_to_remind_of_nobody_is_called(database: Database, why: str) -> None:
    with database.transaction() as session:
        mine = lucias_appointment(session)
        failed(session, "undelivered")
        lucia = session.scalars(select(Patient)).one()
        if why == "cancelled":
            booking.cancel(session, mine, lucia.id, NOON)
        elif why == "opted out":
            lucia.opted_out = ["reminder"]
        elif why == "died":
            lucia.deceased_at = NOON
        session.flush()
        assert not reminder_texts.work_next(session, NOON + (DAY if why == "over" else HOUR), POLICY)
        assert (task(session).state, task(session).channel) == ("done", "sms")


def medicine(session: Session, **more: object) -> UUID:
    ruth, ana = admit(session, RUTH).id, employ(session, "ana", "nurse").id
    values = {"about": "medication", "department_id": None, "every_days": 7, "first_at": NOON, "until": NOON + 20 * DAY}
    return reminders.begin(session, patient_id=ruth, account_id=ana, at=NOON - DAY, **{**values, **more})


@pytest.mark.covers("H44")
def test_what_repeats_is_due_again_until_it_ends(database: Database) -> None:
    with database.transaction() as session:
        medicine(session)
    counts = []
    for days in range(40):
        with database.transaction() as session:
            counts.append(reminders.plan_recurring(session, NOON + days * DAY, POLICY))
    assert [day for day, count in enumerate(counts) if count] == [0, 7, 14]
    with database.transaction() as session:
        assert reminders.running(session, NOON + 30 * DAY) == []


@pytest.mark.covers("I4")
@pytest.mark.parametrize(("a_week", "days"), [(None, 1), (7, 1), (4, 2), (3, 3), (2, 4), (1, 7)])
def test_how_often_the_cap_lets_it_repeat(a_week: int | None, days: int) -> None:
    policy = replace(POLICY, cap_a_week=a_week)
    assert reminders.fewest_days(policy) == days
    given: list[datetime] = []
    for n in range(0, 28, days):
        assert cap_ends(given, NOON + n * DAY, policy) is None
        given.append(NOON + n * DAY)


def test_what_was_not_given_before_the_next_time_is_the_next_ones(database: Database) -> None:
    with database.transaction() as session:
        medicine(session, every_days=2, until=NOON + 5 * DAY)
        ends = []
        for days in (0, 2, 4):
            reminders.plan_recurring(session, NOON + days * DAY, POLICY)
            rows = select(FollowUpTask.due_until).where(FollowUpTask.due_at == NOON + days * DAY)
            ends.append(session.scalars(rows).one())
    assert ends == [NOON + 2 * DAY, NOON + 4 * DAY, NOON + 5 * DAY]


def test_what_repeats_keeps_its_hour_when_the_clocks_change(database: Database) -> None:
    """Chile's went back on 4 April 2026, and went forward on 6 September."""
    santiago = ZoneInfo("America/Santiago")
    first = datetime(2026, 4, 1, 9, tzinfo=santiago)
    policy = replace(POLICY, zone=santiago)
    with database.transaction() as session:
        medicine(session, first_at=first, every_days=30, until=first + 300 * DAY)
    hours = set()
    for days in range(0, 250, 10):
        with database.transaction() as session:
            reminders.plan_recurring(session, first.astimezone(UTC) + days * DAY, policy)
        with database.transaction() as session:
            next_at = session.scalars(select(RecurringReminder.next_at)).one()
            hours.add(next_at.astimezone(santiago).hour)
    assert hours == {9}


def test_what_was_missed_is_given_once(database: Database) -> None:
    with database.transaction() as session:
        medicine(session)
        assert reminders.plan_recurring(session, NOON + 15 * DAY, POLICY) == 1
        assert session.scalars(select(RecurringReminder.next_at)).one() == NOON + 21 * DAY


def test_stopped_in_a_call_it_never_comes_again(database: Database) -> None:
    with database.transaction() as session:
        medicine(session)
        reminders.plan_recurring(session, NOON, POLICY)
        recurring = session.scalars(select(Reminder.recurring_id)).one()
        assert recurring is not None and reminders.stop(session, recurring, NOON, call_id="n1-1")
        assert not reminders.stop(session, recurring, NOON, call_id="n1-1")
        session.expire_all()
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "not_needed"
        assert reminders.plan_recurring(session, NOON + 8 * DAY, POLICY) == 0
        assert text_those_due(session, NOON + 8 * DAY) == []


@pytest.mark.parametrize("wrong", [{"about": "taxes"}, {"every_days": 0}, {"until": NOON - DAY}])
def test_what_cannot_be_is_refused(database: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="remind"), database.transaction() as session:
        medicine(session, **wrong)


def test_the_message_says_not_what_for(database: Database) -> None:
    with database.transaction() as session:
        medicine(session)
        session.scalars(select(Patient)).one().reminded_by = "sms"
        session.flush()
        reminders.plan_recurring(session, NOON, POLICY)
        text_those_due(session)
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.params) == ("please_call", {})


def test_what_repeats_is_not_planned_while_it_is_unwanted_and_given_once_when_it_is_wanted_again(
    database: Database,
) -> None:
    with database.transaction() as session:
        lucia, grace = admit(session, LUCIA), employ(session, "grace", "supervisor")
        span = {"every_days": 1, "first_at": NOON, "until": NOON + timedelta(days=30)}
        who = {"patient_id": lucia.id, "account_id": grace.id, "department_id": None}
        reminders.begin(session, about="medication", at=NOON, **who, **span)
        consents.set_consent(session, lucia.id, "reminder", False, NOON)
        assert reminders.plan_recurring(session, NOON + timedelta(days=3), POLICY) == 0
        consents.set_consent(session, lucia.id, "reminder", True, NOON)
        assert reminders.plan_recurring(session, NOON + timedelta(days=3), POLICY) == 1
