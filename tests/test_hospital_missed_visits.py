"""Who did not come is offered other times: once, under the rules of any contact."""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import agentless, arrivals, booking, consents, missed_visits, reminder_texts, reminders
from hospital.attempts import Claimed
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from tests.characters import LUCIA
from tests.hospital_scene import POLICY, admit, at_once, clinic, employ
from tests.moments import NOON, ZONE
from tests.test_hospital_reminders import call_for, text_those_due, was_called

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TEN = NOON - 3 * HOUR
pytestmark = pytest.mark.covers("H38")


def missed(session: Session, first: datetime = TEN) -> UUID:
    """Lucía's appointment with Dr Vega; Tom writes down that she did not come. Another time is free tomorrow."""
    slot, _ = clinic(session, 2, first=first)
    booking.hold(session, slot, "lucia", first - DAY)
    hers = booking.confirm(session, slot, "lucia", admit(session, LUCIA).id, first - DAY, "ivr").id
    assert arrivals.did_not_come(session, hers, employ(session, "tom", "agent").id, first + timedelta(minutes=20))
    return hers


def lucia(session: Session) -> Patient:
    return session.scalars(select(Patient)).one()


def tasks(session: Session) -> list[FollowUpTask]:
    session.flush()
    return list(session.scalars(select(FollowUpTask).where(FollowUpTask.kind == reminders.KIND)))


def test_she_is_called_once_and_an_hour_after_it_at_the_earliest(database: Database) -> None:
    with database.transaction() as session:
        hers = missed(session)
        assert missed_visits.offer(session, TEN + timedelta(minutes=59), POLICY) == 0, "who is late may still come"
        assert missed_visits.offer(session, TEN + HOUR, POLICY) == 1
        assert missed_visits.offer(session, NOON, POLICY) == 0, "once"
        (task,) = tasks(session)
        assert (task.purpose, task.channel, task.patient_id) == ("reminder", "automated_call", lucia(session).id)
        assert isinstance(call_for(session), Claimed)
        about = reminders.due(session, task.id)
        assert about.missed is not None and about.department is not None
        assert (about.missed.appointment_id, about.department.code) == (hers, "cardiology")


def test_two_processes_offer_it_once(database: Database) -> None:
    with database.transaction() as session:
        missed(session)
    verb = partial(missed_visits.offer, at=NOON, policy=POLICY)
    assert sorted(one for one in at_once(database, verb, verb, verb) if one) == [1]


@pytest.mark.parametrize("later", [DAY - HOUR, 2 * DAY])
def test_what_was_missed_long_ago_is_left_alone(database: Database, later: timedelta) -> None:
    with database.transaction() as session:
        missed(session)
        assert missed_visits.offer(session, TEN + later, POLICY) == (1 if later < 2 * DAY else 0)


def test_a_slip_of_the_desk_that_is_undone_calls_nobody(database: Database) -> None:
    with database.transaction() as session:
        hers = missed(session)
        assert missed_visits.offer(session, NOON, POLICY) == 1
        tom = employ(session, "ida", "agent").id
        assert arrivals.undo(session, hers, "no_show", tom, NOON, ZONE)
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "not_needed"


def test_who_has_another_appointment_there_is_offered_none(database: Database) -> None:
    with database.transaction() as session:
        missed(session)
        assert missed_visits.offer(session, NOON, POLICY) == 1
        slot = session.scalars(select(booking.Slot.id).order_by(booking.Slot.starts_at.desc())).first()
        assert slot is not None
        session.get_one(booking.Slot, slot).starts_at = NOON + DAY
        session.flush()
        booking.hold(session, slot, "lucia", NOON)
        booking.confirm(session, slot, "lucia", lucia(session).id, NOON, "desk")
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "not_needed"


@pytest.mark.covers("I4")
@pytest.mark.parametrize("why", ["opted_out", "deceased", "reported"])
def test_nobody_is_offered_it_who_wants_no_reminders_or_has_died(database: Database, why: str) -> None:
    with database.transaction() as session:
        missed(session)
        who = lucia(session)
        if why == "opted_out":
            consents.set_consent(session, who.id, "reminder", False, NOON)
        elif why == "deceased":
            who.deceased_at = NOON
        else:
            who.death_reported_at = NOON
        session.flush()
        assert missed_visits.offer(session, NOON, POLICY) == 0
        assert tasks(session) == []


@pytest.mark.covers("I4")
def test_an_opt_out_in_between_ends_it(database: Database) -> None:
    with database.transaction() as session:
        missed(session)
        missed_visits.offer(session, NOON, POLICY)
        consents.set_consent(session, lucia(session).id, "reminder", False, NOON)
        assert call_for(session) is None
        assert text_those_due(session) == []


@pytest.mark.covers("I4")
def test_the_cap_and_the_hours_hold_it_back(database: Database) -> None:
    with database.transaction() as session:
        missed(session)
        missed_visits.offer(session, NOON, POLICY)
        was_called(session, NOON - HOUR)
        refused = call_for(session)
        assert isinstance(refused, NotNow) and refused.code == "cap_reached"
        assert refused.not_before == NOON + 19 * HOUR, "eight in the morning"


@pytest.mark.covers("I4")
def test_who_would_rather_read_is_written_to_once(database: Database) -> None:
    with database.transaction() as session:
        missed(session)
        consents.set_reminded_by(session, lucia(session).id, "sms", NOON, call_id="n1-1")
        session.expire_all()
        missed_visits.offer(session, NOON, POLICY)
        assert text_those_due(session) == ["appointment_missed"]
        (message,) = session.scalars(select(OutboxRow))
        assert message.params == {"starts_at": TEN.isoformat()}, "date and time, and nothing else"
        assert agentless.claim_next(session, "n1", NOON, POLICY, kinds={"reminder"}, most=5) is None
        assert not reminder_texts.work_next(session, NOON + DAY, POLICY)
