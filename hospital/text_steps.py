"""Steps of a plan that are text messages: a link to a page to answer on (`answer_links.py`), or questions that are
answered by reply (`text_talks.py`), or one neutral message and an answer by telephone; or the next channel.

Rules: a message is a contact like a call, judged by the same functions when it is sent: window, cap, opt-out, death,
guardian, numbers that are safe. A task has one at most (the key of `step_text`, and of the outbox), and it is a contact
that the cap counts. Until it leaves it may be taken back: for an opt-out, a death, a plan that has changed, hours that
are over. Who has answered nothing in time, or whom it did not reach, is contacted by the plan's next channel; without
one by a nurse, unless she has called for it already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from hospital import (
    answer_links,
    next_steps,
    outbox,
    step_messages,
    subjects,
    text_bookings,
    text_talks,
)
from hospital.answer_links import Links
from hospital.calling_rules import CallingPolicy, language_of, wall_clock
from hospital.followups import FollowUpTask, decide
from hospital.text_records import StepText
from hospital.text_stops import stopped
from hospital.text_talks import CHANNEL, Begin, TextTalk

KEY = "questions_wait"
KEY_WITH_LINK = "questions_by_link"


@dataclass(frozen=True)
class _Said:
    """What a message says, and how the decision log names it."""

    key: str
    params: Mapping[str, Any] = field(repr=False)
    code: str


def work_next(
    session: Session, at: datetime, policy: CallingPolicy, begin: Begin | None = None, links: Links | None = None
) -> bool:
    """The next task whose message is due, was not answered in time or did not arrive; False where there is none.
    `begin`: how a questionnaire is asked by text; None: no number of ours receives replies. `links`: None, the site has
    no pages to answer on."""
    task = step_messages.next_task(session, at, CHANNEL, StepText, StepText.answer_by)
    if task is None:
        return False
    sent = session.get(StepText, task.id)
    if sent is None:
        _send(session, task, at, policy, begin, links)
    else:
        because = "text_unanswered" if step_messages.arrived(session, sent) else "text_undelivered"
        talk = session.get(TextTalk, task.id, with_for_update=True)
        if talk is not None and talk.state != "ended":
            text_talks.end(talk, "expired", at)
        if talk is not None and talk.sent > 1 and because == "text_unanswered":
            because = "text_cut_off"
        number = step_messages.first_number(session, task, at)
        step_messages.came_to_nothing(session, task, at, policy, because, number)
    return True


def _send(
    session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy, begin: Begin | None, links: Links | None
) -> None:
    sent = step_messages.may_send(session, task, at, policy, "text_impossible")
    if sent is None:
        return
    verdict, number = sent
    if stopped(session, number.number):
        next_steps.without_a_call(session, task, at, "texts_unwanted")
        return
    busy = text_talks.busy_until(session, number.token, at) or text_bookings.busy_until(session, number.token, at)
    if busy is not None:
        task.next_try_at = busy
        decide(session, task.id, "number_is_asked", at, when=busy.isoformat())
        return
    locale = language_of(verdict.person, number)
    answer_by = _answer_by(task, at, policy)
    said, opening = _Said(KEY, {}, "texted"), None
    if links is not None and answer_links.by_web(task):
        link = answer_links.make(session, task, locale, at, links, answer_by)
        said = _Said(KEY_WITH_LINK, outbox.sealed_link(link), "texted_with_link")
    elif begin is not None and (opening := begin(session, task, number, locale, at)) is not None:
        said = _Said(opening.key, opening.params, "asked_by_text")
    message_id = outbox.put(
        session,
        once=f"step/{task.id}",
        key=said.key,
        locale=locale,
        number=number.number,
        at=at,
        patient_id=verdict.person.id,
        **said.params,
    )
    session.add(
        StepText(
            task_id=task.id,
            outbox_id=message_id,
            patient_id=task.patient_id,
            number_token=number.token,
            texted_at=at,
            answer_by=answer_by,
        )
    )
    if opening is not None:
        session.flush()
        text_talks.begin(session, task, number, locale, opening, at, answer_by)
    task.next_try_at = answer_by
    facts = {"reached": "guardian"} if verdict.person.id != task.patient_id else {}
    facts |= wall_clock(at, verdict.policy.zone)
    decide(session, task.id, said.code, at, rank=number.rank, when=answer_by.isoformat(), **facts)
    session.flush()
    subjects.changed(session, task)


def _answer_by(task: FollowUpTask, at: datetime, policy: CallingPolicy) -> datetime:
    """Not longer than the task has; what is late already waits its whole time."""
    end = at + policy.text_answer_within
    return min(end, task.due_until) if at < task.due_until else end


def take_back(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Messages that are queued still, and are not wanted any more or not at this hour; how many. To be asked before
    the outbox sends."""
    return step_messages.take_back(session, at, policy, CHANNEL, StepText)
