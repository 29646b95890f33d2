"""A plan's steps by video call: a link and a time under the rules of calls, then a nurse, or the next channel."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, audit, coverage, outbox, recordings, settling, video_steps
from hospital.attempt_records import Attempt, contacts
from hospital.attempts import Claimed
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.task_orders import Giver, Order, carry_out
from hospital.text_records import VideoMeeting
from hospital.video_steps import Rooms, meeting_at
from hotline.caller_joints import rendered
from scripts.wording import Wording
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import POLICY, UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE
from tests.step_scene import (
    DAY,
    HOUR,
    MINUTE,
    due_by,
    messages,
    not_to_be_called,
    the_patient,
    the_task,
    told,
    worked_off,
)
from tests.test_care_dialogues import words

__all__ = ["words"]

ROOMS = Rooms("https://video.example.org/{room}", HOUR, 30 * MINUTE)
pytestmark = pytest.mark.covers("H25")


def due(session: Session, who: Character = LUCIA, fallback: tuple[str, ...] = ("sms",)) -> UUID:
    return due_by(session, "video_link", who, fallback)


def work(session: Session, at: datetime = NOON, policy: CallingPolicy = POLICY, rooms: Rooms | None = ROOMS) -> int:
    return worked_off(lambda: video_steps.work_next(session, at, policy, rooms))


def begun(session: Session, task_id: UUID, at: datetime = NOON + HOUR) -> tuple[UUID, UUID]:
    """Ana has begun it; her id and the attempt's."""
    ana = employ(session, "ana", "nurse").id
    assert video_steps.begin(session, task_id, ana, at, UNCAPPED) is None
    return ana, session.scalars(select(Attempt.id)).one()


def asked(session: Session) -> UUID:
    """A step that was due; its message is written."""
    task_id = due(session)
    work(session)
    return task_id


def in_the_call(session: Session) -> UUID:
    """Ana has begun such a step; the attempt's id."""
    return begun(session, asked(session))[1]


@pytest.mark.parametrize("who", [LUCIA, MEI, JOAO, RUTH, WIREMU], ids=lambda who: who.language)
def test_one_message_with_link_and_time(database: Database, words: Wording, who: Character) -> None:
    with database.transaction() as session:
        due(session, who)
        assert work(session, NOON - 2 * HOUR) == 0, "not due yet"
        assert work(session) == 1
        assert work(session, NOON + MINUTE) == 0, "once"
        (message,) = messages(session)
        assert (message.key, message.locale, message.number) == ("video_call", who.language, who.numbers[0])
        meeting = session.scalars(select(VideoMeeting)).one()
        assert (meeting.starts_at, meeting.begin_by) == (NOON + HOUR, NOON + HOUR + 30 * MINUTE)
        assert the_task(session).next_try_at == meeting.starts_at
        said = rendered(lambda: words)(message.key, message.locale, message.params)
        assert meeting.link in said and words.site.hospital in said and words.site.number in said
        assert re.search(r"\b0?2:00|14:00", said), "on the patient's clock: Bogotá's"
        assert "a text message" in told(session)[-1].lower()


def test_the_time_is_on_the_clock_of_who_reads_it(database: Database, words: Wording) -> None:
    with database.transaction() as session:
        patient = admit(session, RUTH, zone="America/Los_Angeles")
        task = day_three(session, patient)
        task.channel, task.fallback = "video_link", ["sms"]
        session.flush()
        work(session)
        (message,) = messages(session)
        assert re.search(r"\b11:00.am", rendered(lambda: words)(message.key, message.locale, message.params))


def test_a_room_is_chance_and_its_link_is_sealed(database: Database) -> None:
    with database.transaction() as session:
        task_id = asked(session)
        link = session.scalars(select(VideoMeeting.link)).one()
        assert re.fullmatch(r"https://video\.example\.org/[\w-]{22}", link)
        assert link != ROOMS.new() != ROOMS.new()
        lucia = the_patient(session)
        assert not any(part in link for part in (str(task_id), str(lucia.id), "Luc", lucia.numbers[0].number[1:]))
        raw = session.execute(text("SELECT params::text || encode(link_sealed, 'escape') FROM outbox, video_meeting"))
        assert link.rpartition("/")[2] not in raw.scalar_one()


@pytest.mark.covers("I3")
def test_many_workers_ask_once(database: Database) -> None:
    with database.transaction() as session:
        due(session)
    came = at_once(database, *[partial(video_steps.work_next, at=NOON, policy=POLICY, rooms=ROOMS)] * 4)
    assert sorted(map(str, came)) == ["False"] * 3 + ["True"]
    with database.transaction() as session:
        assert len(messages(session)) == 1


@pytest.mark.covers("I4")
@pytest.mark.parametrize(
    ("at", "starts"),
    [
        ("2026-11-25 13:00:00", "2026-11-25 14:00"),
        ("2026-11-25 13:00:01", "2026-11-25 14:15"),
        ("2026-11-25 13:14:59", "2026-11-25 14:15"),
        ("2026-11-25 19:45:00", "2026-11-25 20:45"),
        ("2026-11-25 19:46:00", "2026-11-26 08:00"),
        ("2026-11-25 20:59:00", "2026-11-26 08:00"),
    ],
)
def test_the_first_quarter_of_an_hour_in_their_hours(at: str, starts: str) -> None:
    here = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    assert meeting_at(here, HOUR, PRESETS["us"], ZONE) == datetime.fromisoformat(starts).replace(tzinfo=ZONE)


def test_a_night_without_an_hour_moves_it_with_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    evening = datetime(2027, 3, 27, 20, 30, tzinfo=berlin)
    assert meeting_at(evening, HOUR, PRESETS["us"], berlin) == datetime(2027, 3, 28, 8, 0, tzinfo=berlin)


@pytest.mark.covers("I4")
def test_not_outside_the_hours_and_it_is_a_contact(database: Database) -> None:
    night = NOON.astimezone(ZONE).replace(hour=22) - DAY
    with database.transaction() as session:
        due(session)
        session.execute(text("UPDATE followup_task SET due_at = :at"), {"at": night})
        session.expire_all()
        assert work(session, night) == 1
        assert (messages(session), the_task(session).next_try_at) == ([], night.replace(hour=8) + DAY)
        assert work(session, NOON) == 1
        lucia = the_patient(session)
        assert contacts(session, lucia.id, lucia.numbers[0].token, NOON + MINUTE) == [NOON]


@pytest.mark.covers("I4")
@not_to_be_called
def test_nobody_is_asked_who_may_not_be_called(
    database: Database, change: dict[str, object], stops: str | None
) -> None:
    with database.transaction() as session:
        due(session)
        session.execute(update(Patient).values(**change))
        session.expire_all()
        assert work(session) == 1
        assert (messages(session), the_task(session).stop_reason) == ([], stops)


@pytest.mark.parametrize(
    ("prepare", "rooms", "sentence"),
    [
        ("SELECT 1", None, "This site has no video calls"),
        ("UPDATE phone_number SET safe_to_call = false", ROOMS, "No video call: no number that may be written to"),
    ],
)
def test_without_a_service_or_a_number_the_next_channel(
    database: Database, prepare: str, rooms: Rooms | None, sentence: str
) -> None:
    with database.transaction() as session:
        due(session)
        session.execute(text(prepare))
        session.expire_all()
        assert work(session, rooms=rooms) == 1
        assert (messages(session), the_task(session).channel) == ([], "sms")
        assert told(session)[-1] == f"{sentence}: next by text message"


def test_the_guardian_is_asked_for_a_child(database: Database) -> None:
    with database.transaction() as session:
        due(session, replace(LUCIA, birth=NOON.date() - 400 * DAY))
        lucia, mei = the_patient(session), admit(session, MEI)
        lucia.guardian_id = mei.id
        session.flush()
        assert work(session) == 1
        (message,) = messages(session)
        assert (message.number, message.locale) == (MEI.numbers[0], "zh-CN")


def test_it_begins_in_its_time_and_once(database: Database) -> None:
    with database.transaction() as session:
        task_id = asked(session)
        ana, ruby = employ(session, "ana", "nurse").id, employ(session, "ruby", "nurse").id
        for at, code in ((NOON + 44 * MINUTE, "video_too_early"), (NOON + 90 * MINUTE, "no_video_call")):
            refused = video_steps.begin(session, task_id, ana, at, POLICY)
            assert refused is not None and refused.code == code
        assert video_steps.link(session, task_id, ana, NOON) is None
    both = [
        partial(video_steps.begin, task_id=task_id, account_id=one, at=NOON + HOUR, policy=POLICY)
        for one in (ana, ruby)
    ]
    came = at_once(database, *both)
    assert sorted(one.code if isinstance(one, NotNow) else str(one) for one in came) == ["None", "not_open"]
    with database.transaction() as session:
        hers, other = (ana, ruby) if came[0] is None else (ruby, ana)
        link = video_steps.link(session, task_id, hers, NOON + HOUR)
        assert link == session.scalars(select(VideoMeeting.link)).one()
        assert video_steps.link(session, task_id, other, NOON + HOUR) is None
        actions = [row.action for row in audit.of_subject(session, f"patient:{the_patient(session).id}")]
        assert actions == ["video.opened"]


@pytest.mark.covers("I3")
def test_who_is_in_a_video_call_is_not_called(database: Database) -> None:
    with database.transaction() as session:
        task_id = asked(session)
        other = day_three(session, the_patient(session))
        other_id = other.id
        ana, _ = begun(session, task_id)
        ruby = employ(session, "ruby", "nurse").id
        for nurse in (ana, ruby):
            refused = attempts.claim(session, other_id, nurse, "n1", NOON + HOUR, UNCAPPED)
            assert isinstance(refused, NotNow) and refused.code == "already_in_a_call"
        assert attempts.live(session) == [], "nothing of it is looked for in Asterisk"


@pytest.mark.covers("I5")
def test_what_the_nurse_says_decides_and_there_is_a_reason_for_no_recording(database: Database) -> None:
    with database.transaction() as session:
        attempt_id = in_the_call(session)
        assert settling.contact_result(session, attempt_id, "completed", NOON + 80 * MINUTE, UNCAPPED)
        assert video_steps.ended(session, attempt_id, NOON + 80 * MINUTE, UNCAPPED)
        assert not video_steps.ended(session, attempt_id, NOON + 81 * MINUTE, UNCAPPED)
        assert the_task(session).state == "done"
        kept = recordings.of_attempt(session, attempt_id)
        assert kept is not None and (kept.state, kept.reason) == ("none", "video")
        lucia = the_patient(session)
        assert contacts(session, lucia.id, lucia.numbers[0].token, NOON + 2 * HOUR) == [NOON], "one contact, not two"


@pytest.mark.parametrize(
    ("result", "channel", "state"),
    [
        ("partial", "nurse_call", "open"),
        ("call_later", "nurse_call", "open"),
        ("refused", "video_link", "stopped"),
        ("wrong_person", "sms", "open"),
    ],
)
def test_what_is_left_after_it_is_a_nurses_call(database: Database, result: str, channel: str, state: str) -> None:
    with database.transaction() as session:
        attempt_id = in_the_call(session)
        later = NOON + DAY if result == "call_later" else None
        settling.contact_result(session, attempt_id, result, NOON + 80 * MINUTE, UNCAPPED, call_at=later)
        video_steps.ended(session, attempt_id, NOON + 80 * MINUTE, UNCAPPED)
        assert (the_task(session).channel, the_task(session).state) == (channel, state)
        assert work(session, NOON + 3 * HOUR) == 0, "nobody is asked a second time"


def test_who_does_not_come_is_contacted_by_the_next_channel(database: Database) -> None:
    with database.transaction() as session:
        attempt_id = in_the_call(session)
        assert video_steps.nobody_came(session, attempt_id, NOON + 80 * MINUTE)
        assert not video_steps.nobody_came(session, attempt_id, NOON + 80 * MINUTE)
        task = the_task(session)
        assert (task.channel, task.fallback, task.state, task.next_try_at) == ("sms", [], "open", None)
        assert told(session)[-1] == "The patient did not come to the video call: next by text message"


@pytest.mark.parametrize(
    ("spoil", "at", "sentence"),
    [
        (lambda session, message: None, NOON + 90 * MINUTE, "Nobody began the video call in its time"),
        (
            lambda session, message: outbox.reported(session, message.id, "failed", "g-1", NOON, "unreachable"),
            NOON + MINUTE,
            "The text message with the link of the video call was not delivered",
        ),
    ],
    ids=["nobody began it", "not delivered"],
)
def test_what_came_to_nothing_goes_on(
    database: Database, spoil: Callable[[Session, OutboxRow], object], at: datetime, sentence: str
) -> None:
    with database.transaction() as session:
        due(session, fallback=())
        work(session)
        (message,) = messages(session)
        outbox.claim(session, NOON)
        outbox.sent(session, message.id, "g-1", NOON)
        spoil(session, message)
        session.flush()
        assert work(session, at) == 1
        assert the_task(session).channel == "nurse_call"
        assert told(session)[-1] == f"{sentence}: next by a nurse's call"


def test_what_has_not_left_is_taken_back_and_late_it_is_of_no_use(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        assert video_steps.take_back(session, NOON, POLICY) == 0
        assert video_steps.take_back(session, NOON + 51 * MINUTE, POLICY) == 1
        assert [(one.state, one.error) for one in messages(session)] == [("failed", "withdrawn")]
        assert work(session, NOON + 51 * MINUTE) == 1
        assert the_task(session).channel == "sms"


def test_an_opt_out_takes_it_back_and_nobody_begins_it(database: Database) -> None:
    with database.transaction() as session:
        task_id = asked(session)
        the_patient(session).opted_out = ["follow_up"]
        session.flush()
        assert video_steps.take_back(session, NOON, POLICY) == 1
        ana = employ(session, "ana", "nurse").id
        refused = video_steps.begin(session, task_id, ana, NOON + HOUR, POLICY)
        assert refused is not None and refused.code == "opted_out"
        assert (the_task(session).state, the_task(session).stop_reason) == ("stopped", "opted_out")


def test_what_was_given_to_a_nurse_is_begun_by_nobody_else_and_asked_by_no_machine(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        ana, ruby = employ(session, "ana", "nurse").id, employ(session, "ruby", "nurse").id
        task = the_task(session)
        task.owner_id, task.given_at = ana, NOON
        session.flush()
        assert work(session) == 0
        the_task(session).given_at = None
        session.flush()
        assert work(session) == 1
        the_task(session).given_at = NOON
        session.flush()
        refused = video_steps.begin(session, task_id, ruby, NOON + HOUR, UNCAPPED)
        assert refused is not None and refused.code == "given_to_another"
        assert video_steps.begin(session, task_id, ana, NOON + HOUR, UNCAPPED) is None


@pytest.mark.parametrize("asked", [False, True])
def test_it_is_put_on_another_day_only_before_the_patient_was_asked(database: Database, asked: bool) -> None:
    with database.transaction() as session:
        task_id = due(session)
        if asked:
            work(session)
        giver = Giver(employ(session, "grace", "supervisor").id, True, NOON, ZONE)
        order = Order("move", day=NOON.date() + DAY)
        assert carry_out(session, task_id, order, giver) == ("waits_for_answer" if asked else None)


def test_one_that_nobody_ended_waits_for_its_nurse(database: Database) -> None:
    with database.transaction() as session:
        attempt_id = in_the_call(session)
        assert video_steps.end_forgotten(session, NOON + 2 * HOUR, UNCAPPED) == 0
        assert video_steps.end_forgotten(session, NOON + 4 * HOUR, UNCAPPED) == 1
        assert the_task(session).state == "wrap_up"
        assert settling.contact_result(session, attempt_id, "completed", NOON + 4 * HOUR, UNCAPPED)
        assert the_task(session).state == "done"


def test_a_plan_that_changes_while_they_talk_has_no_call_after_it(database: Database) -> None:
    with database.transaction() as session:
        attempt_id = in_the_call(session)
        session.execute(
            text("UPDATE followup_task SET state = 'stopped', stop_reason = 'withdrawn', closed_at = now()")
        )
        session.expire_all()
        assert video_steps.nobody_came(session, attempt_id, NOON + 80 * MINUTE)
        assert the_task(session).state == "stopped"


@pytest.mark.parametrize(
    "wrong", ["state = 'dialling'", "dialled_at = now()", "account_id = NULL, nurse_channel_id = NULL"]
)
def test_the_schema_lets_no_video_call_be_dialled(database: Database, wrong: str) -> None:
    with database.transaction() as session:
        in_the_call(session)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(f"UPDATE attempt SET {wrong}"))  # noqa: S608


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
        outbox.sent(session, message.id, "g-1", NOON)
        assert attempted(session) == 1


def test_a_nurse_may_still_telephone_and_the_video_call_stays(database: Database) -> None:
    with database.transaction() as session:
        task_id = asked(session)
        ana = employ(session, "ana", "nurse").id
        claimed = attempts.claim(session, task_id, ana, "n1", NOON + MINUTE, UNCAPPED)
        assert isinstance(claimed, Claimed)
        attempts.dialling(session, claimed.attempt_id, NOON + MINUTE)
        attempts.line_ended(session, claimed.attempt_id, "no_answer", NOON + 2 * MINUTE, UNCAPPED)
        assert (the_task(session).channel, the_task(session).next_try_at) == ("video_link", NOON + HOUR)
        assert video_steps.begin(session, task_id, ana, NOON + HOUR, UNCAPPED) is None
