"""A message before a call: once a day, inside the hours, to nobody who may not be called, and no contact by itself."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from hospital import announcing, enrolments, followups, outbox, questionnaires
from hospital.attempt_records import contacts
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.enrolments import Told
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.patients import Patient, PhoneNumber
from hospital.plans import Plan, Rule, Step
from hotline.caller_joints import rendered
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import POLICY, admit
from tests.moments import NOON, ZONE
from tests.test_care_dialogues import words
from web.words import decision

__all__ = ["words"]
pytestmark = pytest.mark.covers("H25")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OURS = "+576015550100"
PLAN = Plan(
    "discharge",
    {"en": "A plan"},
    "discharge",
    Rule(),
    (
        Step("day-1", 1, "form", business_days=False),  # Ruth has Thanksgiving
        Step("also-day-1", 1, "form", business_days=False),
        Step("by-text", 1, "form", channel="sms", business_days=False),
    ),
)
DUE = datetime(2026, 11, 26, 9, 0, tzinfo=ZONE)  # the day after NOON


def planned(session: Session, who: Character = LUCIA, **step: int | str) -> UUID:
    """Home today: two calls tomorrow at nine, and a text message. `step`: what the calls' steps say otherwise."""
    questionnaires.publish(session, "form", {"purpose": "follow-up"}, "sha-1", NOON)
    patient = admit(session, who)
    site = Calendar(ZONE, "CO")
    calls = [replace(one, **step) if one.channel != "sms" else one for one in PLAN.steps]  # type: ignore[arg-type]
    plan = replace(PLAN, steps=tuple(calls))
    assert enrolments.tell(session, [Told("his:1", "discharge", patient.id, NOON)], [plan], NOON, site).tasks == 3
    return patient.id


def announce(session: Session, at: datetime, before: timedelta = 20 * HOUR) -> list[OutboxRow]:
    """All messages there are after the core has looked."""
    assert announcing.announce_some(session, at, POLICY, before, OURS) is None
    session.flush()
    session.expire_all()
    return list(session.scalars(select(OutboxRow)))


@pytest.mark.parametrize("who", [LUCIA, MEI, JOAO, RUTH, WIREMU], ids=lambda who: who.language)
def test_one_message_before_the_calls_of_a_day(database: Database, words: Wording, who: Character) -> None:
    with database.transaction() as session:
        patient_id = planned(session, who)
        assert announce(session, DUE - 21 * HOUR) == [], "too early"
        (message,) = announce(session, DUE - 20 * HOUR)
        assert len(announce(session, DUE - 18 * HOUR)) == 1, "once"
        assert (message.key, message.locale, message.params) == ("call_expected", who.language, {"caller": OURS})
        said = rendered(lambda: words)(message.key, message.locale, message.params)
        assert OURS in said
        assert words.site.hospital in said
        number = session.scalars(select(PhoneNumber).where(PhoneNumber.patient_id == patient_id)).first()
        assert number is not None
        assert contacts(session, patient_id, number.token, DUE) == [], "the call is the contact"
        codes = [(row.code, decision(row.code, row.facts, NOON, ZONE)) for row in log(session)]
        told = "A text message to the first number says that we will call"
        assert [text for code, text in codes if code == "call_announced"] == [told]


def log(session: Session) -> list[followups.DecisionRow]:
    tasks = session.scalars(select(FollowUpTask.id)).all()
    return [row for task_id in tasks for row in followups.decisions(session, task_id)]


@pytest.mark.covers("I4")
def test_not_at_night_and_not_after_the_call_was_due(database: Database) -> None:
    with database.transaction() as session:
        planned(session)
        assert announce(session, DUE - 2 * HOUR) == [], "seven in the morning"
        assert announce(session, DUE) == []
        assert len(announce(session, DUE - HOUR)) == 1


@pytest.mark.covers("I4")
@pytest.mark.parametrize(
    "change", [{"opted_out": ["follow_up"]}, {"deceased_at": NOON}, {"death_reported_at": NOON}], ids=str
)
def test_to_nobody_who_may_not_be_called(database: Database, change: dict[str, object]) -> None:
    with database.transaction() as session:
        planned(session)
        session.execute(update(Patient).values(**change))
        session.expire_all()
        assert announce(session, DUE - HOUR) == []


def test_not_to_a_number_that_is_not_safe(database: Database) -> None:
    with database.transaction() as session:
        planned(session)
        session.execute(update(PhoneNumber).values(safe_to_call=False))
        session.expire_all()
        assert announce(session, DUE - HOUR) == []


def test_what_was_not_taken_at_once_does_not_come_after_the_call(database: Database) -> None:
    with database.transaction() as session:
        planned(session)
        (message,) = announce(session, DUE - HOUR)
        announcing.give_up(session)
        assert outbox.claim(session, DUE - HOUR) is not None, "it was not refused yet"
        outbox.not_sent(session, message.id, "timeout", DUE - HOUR)
        session.flush()
        announcing.give_up(session)
        assert outbox.claim(session, DUE) is None


def test_a_plans_step_says_it_otherwise_than_the_site(database: Database) -> None:
    with database.transaction() as session:
        planned(session, announce_hours=2)
        assert announce(session, DUE - 19 * HOUR) == [], "the site's hours"
        assert announce(session, DUE - 2 * HOUR - HOUR / 60) == []
        assert announce(session, DUE - HOUR) != [], "the step's"


def test_a_plans_step_wants_it_where_the_site_does_not(database: Database) -> None:
    with database.transaction() as session:
        planned(session, announce_hours=20)
        assert len(announce(session, DUE - 20 * HOUR, timedelta(0))) == 1


@pytest.mark.parametrize("step", [{"announce_hours": 0}, {"channel": "letter", "announce_hours": 20}], ids=str)
def test_a_plans_step_wants_none_or_is_no_call(database: Database, step: dict[str, int | str]) -> None:
    with database.transaction() as session:
        planned(session, **step)
        assert announce(session, DUE - HOUR) == []


def test_without_a_word_of_site_or_step_there_is_none(database: Database) -> None:
    with database.transaction() as session:
        planned(session)
        assert announce(session, DUE - HOUR, timedelta(0)) == []
