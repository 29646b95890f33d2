"""Steps of a plan by text message: once, under the rules of calls, and what follows when nobody answers."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from hospital import attempts, coverage, outbox, surveys, text_steps
from hospital.attempt_records import contacts
from hospital.attempts import Claimed
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.patients import Patient
from hotline.caller_joints import rendered
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import POLICY, UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE
from tests.step_scene import DAY, HOUR, due_by, messages, not_to_be_called, the_patient, the_task, told, worked_off
from tests.test_care_dialogues import words

__all__ = ["words"]

pytestmark = pytest.mark.covers("H25")


def due(session: Session, who: Character = LUCIA, fallback: tuple[str, ...] = ("nurse_call",)) -> UUID:
    return due_by(session, "sms", who, fallback)


def work(session: Session, at: datetime = NOON, policy: CallingPolicy = POLICY) -> int:
    return worked_off(lambda: text_steps.work_next(session, at, policy))


@pytest.mark.parametrize("who", [LUCIA, MEI, JOAO, RUTH, WIREMU], ids=lambda who: who.language)
def test_one_message_in_the_language_of_the_patient(database: Database, who: Character) -> None:
    with database.transaction() as session:
        due(session, who)
        assert work(session, NOON - 2 * HOUR) == 0, "not due yet"
        assert work(session) == 1
        assert work(session, NOON + HOUR) == 0, "once"
        (message,) = messages(session)
        assert (message.key, message.locale, message.number) == ("questions_wait", who.language, who.numbers[0])
        assert message.params == {}
        assert the_task(session).state == "open"


@pytest.mark.parametrize("language", ["en", "es", "pt-BR", "zh-CN", "mi"])
def test_it_names_the_hospital_and_the_number_to_call(words: Wording, language: str) -> None:
    said = rendered(lambda: words)(text_steps.KEY, language, {})
    assert words.site.hospital in said
    assert words.site.number in said
    assert len(said) < 160


@pytest.mark.covers("I3")
def test_many_workers_send_it_once(database: Database) -> None:
    with database.transaction() as session:
        due(session)
    came = at_once(database, *[partial(text_steps.work_next, at=NOON, policy=POLICY)] * 4)
    assert sorted(map(str, came)) == ["False"] * 3 + ["True"]
    with database.transaction() as session:
        assert len(messages(session)) == 1


@pytest.mark.covers("I4")
def test_not_outside_the_hours_and_not_over_the_cap(database: Database) -> None:
    night = NOON.astimezone(ZONE).replace(hour=22) - DAY
    with database.transaction() as session:
        due(session)
        session.execute(text("UPDATE followup_task SET due_at = :at"), {"at": night})
        session.expire_all()
        assert work(session, night) == 1
        assert (messages(session), the_task(session).next_try_at) == ([], night.replace(hour=8) + DAY)
        assert "outside the patient's hours" in told(session)[-1]
        assert work(session, NOON) == 1
        assert len(messages(session)) == 1


@pytest.mark.covers("I4")
def test_the_message_is_a_contact_and_a_contact_holds_the_message_back(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        ana = employ(session, "ana", "nurse").id
        called = day_three(session, the_patient(session))
        claimed = attempts.claim(session, called.id, ana, "n1", NOON, POLICY)
        assert isinstance(claimed, Claimed)
        assert work(session) == 1
        assert messages(session) == [], "she is being called for something else"
        session.execute(text("DELETE FROM attempt"))
        session.execute(text("UPDATE followup_task SET state = 'open', next_try_at = NULL"))
        session.expire_all()
        assert work(session) == 1
        lucia = the_patient(session)
        token = lucia.numbers[0].token
        assert contacts(session, lucia.id, token, NOON + HOUR) == [NOON]
        refused = attempts.claim(session, called.id, ana, "n1", NOON + HOUR, POLICY)
        assert isinstance(refused, NotNow)
        assert refused.code == "cap_reached"


@pytest.mark.covers("I4")
@not_to_be_called
def test_nobody_is_written_to_who_may_not_be_called(
    database: Database, change: dict[str, object], stops: str | None
) -> None:
    with database.transaction() as session:
        due(session)
        session.execute(update(Patient).values(**change))
        session.expire_all()
        assert work(session) == 1
        assert messages(session) == []
        assert the_task(session).stop_reason == stops
        assert work(session) == 0


def test_a_number_that_is_not_safe_is_not_written_to(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        session.execute(text("UPDATE phone_number SET safe_to_call = false"))
        session.expire_all()
        assert work(session) == 1
        assert (messages(session), the_task(session).channel) == ([], "nurse_call")
        assert told(session)[-1] == "No number that may be written to: next by a nurse's call"


def test_the_guardian_is_written_to_for_a_child_in_her_language(database: Database) -> None:
    with database.transaction() as session:
        due(session, replace(LUCIA, birth=NOON.date() - 400 * DAY))
        lucia, mei = the_patient(session), admit(session, MEI)
        lucia.guardian_id = mei.id
        session.flush()
        assert work(session) == 1
        (message,) = messages(session)
        assert (message.number, message.locale, message.patient_id) == (MEI.numbers[0], "zh-CN", mei.id)
        assert "of the guardian" in told(session)[-1]


def test_without_an_answer_a_nurse_calls(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        assert work(session, NOON + 2 * DAY - HOUR) == 0
        assert work(session, NOON + 2 * DAY) == 1
        task = the_task(session)
        assert (task.channel, task.fallback, task.state, task.next_try_at) == ("nurse_call", [], "open", None)
        assert told(session)[-1] == "No answer to the text message: next by a nurse's call"


def test_a_plan_without_a_fallback_goes_to_a_nurse_but_not_again(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session, fallback=())
        work(session)
        work(session, NOON + 2 * DAY)
        assert the_task(session).channel == "nurse_call"
        ana = employ(session, "ana", "nurse").id
        claimed = attempts.claim(session, task_id, ana, "n1", NOON + 3 * DAY, UNCAPPED)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, NOON + 3 * DAY)
        attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON + 3 * DAY, UNCAPPED)
        task = the_task(session)
        task.channel, task.next_try_at = "sms", None
        session.flush()
        assert work(session, NOON + 5 * DAY) == 1
        task = the_task(session)
        assert (task.state, task.stop_reason) == ("stopped", "not_reached")
        assert "a nurse has called before" in told(session)[-1]


def test_what_is_due_sooner_waits_no_longer_than_it_has(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        the_task(session).due_until = NOON + 5 * HOUR
        session.flush()
        work(session)
        assert work(session, NOON + 5 * HOUR) == 1
        assert the_task(session).channel == "nurse_call"


def test_what_was_not_delivered_goes_on_at_once_and_was_no_contact(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        (message,) = messages(session)
        outbox.claim(session, NOON)
        outbox.sent(session, message.id, "gateway-1", NOON)
        assert work(session, NOON + HOUR) == 0
        assert outbox.reported(session, message.id, "failed", "gateway-1", NOON + HOUR, "unreachable")
        assert work(session, NOON + HOUR) == 1
        assert the_task(session).channel == "nurse_call"
        assert told(session)[-1] == "The text message was not delivered: next by a nurse's call"
        lucia = the_patient(session)
        assert contacts(session, lucia.id, lucia.numbers[0].token, NOON + HOUR) == []


def test_an_unknown_fate_waits_for_its_report(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        (message,) = messages(session)
        outbox.claim(session, NOON)
        outbox.not_sent(session, message.id, "fate_unknown", NOON, final=True)
        assert work(session, NOON + HOUR / 10) == 0 and the_task(session).channel == "sms"
        assert work(session, NOON + HOUR / 5) == 1, "no report: it did not arrive"
        assert the_task(session).channel == "nurse_call"


def test_a_message_whose_fate_is_unknown_counts(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        (message,) = messages(session)
        outbox.claim(session, NOON)
        outbox.not_sent(session, message.id, "fate_unknown", NOON, final=True)
        lucia = the_patient(session)
        assert contacts(session, lucia.id, lucia.numbers[0].token, NOON + HOUR) == [NOON]


def test_she_calls_and_answers_and_nothing_follows(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        assert surveys.waiting_for(session, the_patient(session).id, NOON + HOUR) == [task_id]
        assert surveys.finish(session, task_id, NOON + HOUR)
        assert work(session, NOON + 3 * DAY) == 0
        assert the_task(session).state == "done"


def test_what_has_not_left_is_taken_back(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        assert text_steps.take_back(session, NOON, POLICY) == 0
        the_patient(session).opted_out = ["follow_up"]
        session.flush()
        assert text_steps.take_back(session, NOON, POLICY) == 1
        assert outbox.claim(session, NOON) is None
        assert [(one.state, one.error) for one in messages(session)] == [("failed", "withdrawn")]
        assert work(session) == 1
        assert (the_task(session).state, the_task(session).stop_reason) == ("stopped", "opted_out")


def test_what_the_gateway_refused_all_evening_waits_for_the_morning(database: Database) -> None:
    evening = NOON.astimezone(ZONE).replace(hour=20, minute=59)
    with database.transaction() as session:
        due(session)
        work(session, evening)
        (message,) = messages(session)
        outbox.claim(session, evening)
        outbox.not_sent(session, message.id, "timeout", evening)
        assert text_steps.take_back(session, evening + timedelta(minutes=1), POLICY) == 1
        assert outbox.claim(session, evening + HOUR) is None
        assert messages(session)[0].due_at == evening.replace(hour=8, minute=0) + DAY


def test_what_waits_over_a_day_without_hours_leaves_after_it(database: Database) -> None:
    """On Saturday until three in the afternoon, and not on Sunday, in Colombia."""
    policy = replace(POLICY, window=PRESETS["co"])
    saturday = datetime(2026, 12, 5, 14, 55, tzinfo=ZONE)
    with database.transaction() as session:
        due(session)
        work(session, saturday, policy)
        (message,) = messages(session)
        outbox.claim(session, saturday)
        outbox.not_sent(session, message.id, "timeout", saturday)
        assert text_steps.take_back(session, saturday + HOUR, policy) == 1
        for at in (saturday + DAY, saturday + DAY + HOUR):
            assert text_steps.take_back(session, at, policy) == 0 and outbox.claim(session, at) is None
        monday = datetime(2026, 12, 7, 7, tzinfo=ZONE)
        assert text_steps.take_back(session, monday, policy) == 0
        assert outbox.claim(session, monday) is not None


def test_a_message_that_left_is_an_attempt_in_the_coverage(database: Database) -> None:
    def attempted(session: Session) -> int:
        session.flush()
        (group,) = coverage.coverage(session, NOON - DAY, NOON + DAY, "ward", NOON)
        return group.attempted

    with database.transaction() as session:
        due(session)
        work(session)
        assert attempted(session) == 0
        (message,) = messages(session)
        outbox.claim(session, NOON)
        outbox.sent(session, message.id, "gateway-1", NOON)
        assert attempted(session) == 1
