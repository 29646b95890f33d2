"""Steps of a plan that are video calls: a message with a link and a time, a nurse who begins it, or the next channel.

Rules: the site has a video service of its own; the hotline holds no video. The message is a contact like a call,
judged by the same functions when it is put into the outbox, and until it leaves it may be taken back. The video call
is at the first quarter of an hour, a while after the message, that lies in the patient's hours. A task has one at
most. Its room is named by chance, so that nobody guesses it and nobody learns from it; the link is sealed wherever it
is kept. Begun by a nurse it is an attempt of hers, with the form and the outcomes of a call. Whom the message did not
reach, who does not come, and what nobody began in time goes on by the plan's next channel; without one by a nurse's
call.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, audit, next_steps, outbox, settling, step_messages, subjects
from hospital.attempt_records import Attempt
from hospital.calling_hours import Window, first_allowed
from hospital.calling_rules import CallingPolicy, NotNow, language_of, never, on_the_clock_of, wall_clock, where_reached
from hospital.followups import FollowUpTask, decide, not_given_to_another
from hospital.patients import PhoneNumber
from hospital.stint_records import current_stint
from hospital.text_records import VideoMeeting
from hospital.verdicts import Verdict

CHANNEL = "video_link"
KEY = "video_call"
QUARTER = timedelta(minutes=15)
EARLY = timedelta(minutes=15)  # before its time a nurse may begin
LAST_WORD = timedelta(minutes=10)  # a message that has not left by then would be of no use
FORGOTTEN = timedelta(hours=2)  # a video call that nobody has ended
ROOM_BYTES = 16


@dataclass(frozen=True)
class Rooms:
    """The site's video service: its address with {room} in it, how long before its time the patient is told, and how
    long after it the video call may begin."""

    address: str
    notice: timedelta
    wait: timedelta

    def new(self) -> str:
        """The link to a room that nobody has been in."""
        return self.address.replace("{room}", secrets.token_urlsafe(ROOM_BYTES))


def meeting_at(at: datetime, notice: timedelta, window: Window, zone: ZoneInfo) -> datetime:
    """The first quarter of an hour, `notice` after `at`, at which the patient may be called."""
    return _quarter(first_allowed(_quarter(at + notice), window, zone))


def _quarter(at: datetime) -> datetime:
    """Not before `at`. Every zone's hours begin on one of its quarters."""
    over = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at - over + QUARTER if over else at


def work_next(session: Session, at: datetime, policy: CallingPolicy, rooms: Rooms | None) -> bool:
    """The next task whose message is due or came to nothing, or that nobody began in time; False where there is none.
    Without `rooms` the site has no video calls."""
    task = step_messages.next_task(session, at, CHANNEL, VideoMeeting, VideoMeeting.begin_by)
    if task is None:
        return False
    meeting = session.get(VideoMeeting, task.id)
    if meeting is not None:
        because = "video_missed" if step_messages.arrived(session, meeting) else "video_undelivered"
        number = step_messages.first_number(session, task, at)
        step_messages.came_to_nothing(session, task, at, policy, because, number)
    elif rooms is None:
        next_steps.without_a_call(session, task, at, "video_not_set_up")
    elif (sent := step_messages.may_send(session, task, at, policy, "video_impossible")) is not None:
        _write(session, task, at, *sent, rooms)
    return True


def _write(
    session: Session, task: FollowUpTask, at: datetime, verdict: Verdict, number: PhoneNumber, rooms: Rooms
) -> None:
    window, zone = verdict.policy.window, verdict.policy.zone
    starts_at, link = meeting_at(at, rooms.notice, window, zone), rooms.new()
    message_id = outbox.put(
        session,
        once=f"video/{task.id}",
        key=KEY,
        locale=language_of(verdict.person, number),
        number=number.number,
        at=at,
        patient_id=verdict.person.id,
        local=starts_at.astimezone(zone).replace(tzinfo=None).isoformat(),
        **outbox.sealed_link(link),
    )
    session.add(
        VideoMeeting(
            task_id=task.id,
            outbox_id=message_id,
            patient_id=task.patient_id,
            number_token=number.token,
            link=link,
            texted_at=at,
            starts_at=starts_at,
            begin_by=starts_at + rooms.wait,
        )
    )
    task.next_try_at = starts_at
    facts = {"reached": "guardian"} if verdict.person.id != task.patient_id else {}
    when = starts_at.isoformat()
    decide(session, task.id, "video_asked", at, rank=number.rank, when=when, **facts, **wall_clock(at, zone))
    session.flush()
    subjects.changed(session, task)


def take_back(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Messages that are queued still and are not wanted any more, would come too late, or not at this hour; how many.
    To be asked before the outbox sends."""
    too_late = VideoMeeting.starts_at < at + LAST_WORD
    return step_messages.take_back(session, at, policy, CHANNEL, VideoMeeting, too_late)


def begin(session: Session, task_id: UUID, account_id: UUID, at: datetime, policy: CallingPolicy) -> NotNow | None:
    """The nurse begins it: an attempt of hers. A refusal is returned, not raised, so that its decision is committed."""
    meeting = session.get(VideoMeeting, task_id)
    if meeting is None or at >= meeting.begin_by:
        return NotNow("no_video_call")
    if at < meeting.starts_at - EARLY:
        return NotNow("video_too_early", meeting.starts_at - EARLY)
    if current_stint(session, account_id) is not None:
        return NotNow("in_a_stint")
    if not session.scalar(select(not_given_to_another(account_id)).where(FollowUpTask.id == task_id)):
        return NotNow("given_to_another")
    task = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id, FollowUpTask.channel == CHANNEL, FollowUpTask.state == "open")
        .values(state="calling")
        .returning(FollowUpTask)
    )
    if task is None:
        return NotNow("not_open")
    reached = where_reached(session, task.patient, at)
    number = reached.number(meeting.number_token)
    why = never(task.patient, number, task.purpose)
    if why is not None or number is None:
        return attempts.refuse(session, task, NotNow(why or "no_usable_number"), at, False, policy)
    name = uuid4().hex
    attempt = Attempt(
        id=uuid4(),
        task_id=task.id,
        patient_id=task.patient_id,
        number_id=number.id,
        number_token=number.token,
        account_id=account_id,
        channel_id=f"video-{name}",
        nurse_channel_id=f"video-{name}-nurse",
        state="talking",
        video=True,
        claimed_at=at,
        dial_until=meeting.begin_by,
        answered_at=at,
        zone=on_the_clock_of(policy, reached.person, number).zone.key,
    )
    try:
        with session.begin_nested():
            session.add(attempt)
            session.flush()
    except IntegrityError:  # this patient, this number or this nurse is in a call at this moment
        return attempts.refuse(session, task, NotNow("already_in_a_call"), at, False, policy)
    task.owner_id = account_id
    decide(session, task_id, "video_begun", at, attempt=str(attempt.id))
    subjects.changed(session, task)
    return None


def link(session: Session, task_id: UUID, account_id: UUID, at: datetime) -> str | None:
    """The way into the room, for the nurse who has begun it; None for anybody else."""
    hers = select(Attempt.id).where(Attempt.task_id == task_id, Attempt.account_id == account_id)
    if session.scalar(hers.where(Attempt.video, Attempt.state == "talking")) is None:
        return None
    meeting = session.get_one(VideoMeeting, task_id)
    audit.record(session, account_id, "video.opened", f"patient:{meeting.patient_id}", at, task=str(task_id))
    return meeting.link


def ended(session: Session, attempt_id: UUID, at: datetime, policy: CallingPolicy) -> bool:
    """They have spoken. What the nurse has said decides the task, else it waits for her."""
    return settling.line_ended(session, attempt_id, "answered", at, policy)


def nobody_came(session: Session, attempt_id: UUID, at: datetime) -> bool:
    """The nurse was there alone: the plan's next channel. False where it has ended, or she has said whom she met."""
    task_id = session.scalar(select(Attempt.task_id).where(Attempt.id == attempt_id, Attempt.video))
    if task_id is None:
        return False
    task = session.get_one(FollowUpTask, task_id, with_for_update=True, populate_existing=True)
    attempt = session.get_one(Attempt, attempt_id, with_for_update=True, populate_existing=True)
    if attempt.state != "talking" or attempt.contact_result is not None:
        return False
    attempt.state, attempt.line_result, attempt.ended_at, attempt.answered_at = "ended", "no_answer", at, None
    if task.state == "calling":  # else its plan has changed meanwhile
        task.state = "open"
        next_steps.without_a_call(session, task, at, "video_nobody_came")
    subjects.changed(session, task)
    return True


def end_forgotten(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Video calls that were begun long ago: their nurse still says whom she met. How many."""
    rows = select(Attempt.id).where(Attempt.video, Attempt.state == "talking", Attempt.claimed_at < at - FORGOTTEN)
    return sum(ended(session, one, at, policy) for one in session.scalars(rows).all())
