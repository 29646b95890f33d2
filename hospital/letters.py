"""Steps of a plan that are letters: one neutral letter on a nurse's list, posted by her, an answer by telephone, or the
next channel.

Rules: a letter is a contact like a call. Opt-out, death and cap are asked when it is made, and all but the cap again
when it is printed and posted; it rings nowhere, so hours and numbers do not matter. A task has one at most, posted once
(the key of `step_letter`, and its states). It goes to the guardian of a child, to an address that is not known to be
wrong and may be written to. Nothing of it is kept but what it is made of: who prints it twice has the same letter with
that day's date. Who has answered nothing in time, or whose letter came back, is contacted by the plan's next channel.
A letter is on its way for days, so that it waits its whole time even where the step's own is over sooner.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true, update
from sqlalchemy.orm import Session

from hospital import attempts, audit, next_steps, step_messages, subjects
from hospital.attempt_records import contacts
from hospital.calling_rules import CallingPolicy, never, no_letter, on_the_clock_of, where_reached
from hospital.database import announce
from hospital.followups import FollowUpTask, decide
from hospital.letter_records import StepLetter
from hospital.patients import Patient, address_token

CHANNEL = "letter"
KEY = "questions"
MOST = 50  # on one pile: of a list, and of one PDF


@dataclass(frozen=True)
class Post:
    """How this site writes letters. `why_not`: a code, where none can be printed for this name and address in this
    language."""

    answer_within: timedelta
    why_not: Callable[[str, str, str], str | None]


def work_next(session: Session, at: datetime, policy: CallingPolicy, post: Post | None) -> bool:
    """The next task whose letter is due, was not answered in time or came back; False where there is none. What is held
    for a nurse waits for her. Without a `post` the site sends no letters."""
    when = func.coalesce(FollowUpTask.next_try_at, FollowUpTask.due_at)
    rows = (
        select(FollowUpTask)
        .outerjoin(StepLetter, StepLetter.task_id == FollowUpTask.id)
        .where(
            FollowUpTask.channel == CHANNEL,
            FollowUpTask.kind == "follow_up",
            FollowUpTask.state == "open",
            FollowUpTask.held_since.is_(None),
            FollowUpTask.due_at <= at,
            or_(
                and_(StepLetter.task_id.is_(None), when <= at),
                StepLetter.state.in_(("withdrawn", "returned")),
                and_(StepLetter.state == "posted", StepLetter.answer_by <= at),
            ),
        )
        .order_by(FollowUpTask.priority, when, FollowUpTask.id)
        .limit(1)
        .with_for_update(of=FollowUpTask, skip_locked=True)
    )
    task = session.scalar(rows, execution_options={"populate_existing": True})
    if task is None:
        return False
    letter = session.get(StepLetter, task.id, populate_existing=True)
    if letter is None:
        _make(session, task, at, policy, post)
    else:
        because = {"posted": "letter_unanswered", "returned": "letter_returned"}.get(letter.state, "letter_withdrawn")
        person = session.get_one(Patient, letter.person_id)
        step_messages.came_to_nothing(session, task, at, policy, because, None, person)
    return True


def _make(session: Session, task: FollowUpTask, at: datetime, policy: CallingPolicy, post: Post | None) -> None:
    attempts.follow_survivor(session, task, at)
    person = where_reached(session, task.patient, at).person
    policy = on_the_clock_of(policy, person, None)
    written = contacts(session, task.patient_id, b"", at)
    refused = no_letter(task.patient, person, written, at, policy, task.purpose)
    if refused is not None:
        attempts.refuse(session, task, refused, at, True, policy)
        return
    impossible = _impossible(person, post)
    if impossible is not None:
        next_steps.without_a_call(session, task, at, impossible)
        return
    session.add(
        StepLetter(
            task_id=task.id,
            patient_id=task.patient_id,
            person_id=person.id,
            key=KEY,
            locale=person.language,
            made_at=at,
        )
    )
    task.next_try_at = None
    decide(session, task.id, "letter_made", at, **({"reached": "guardian"} if person.id != task.patient_id else {}))
    session.flush()
    announce(session, "letter", task.id)
    subjects.changed(session, task)


def _impossible(person: Patient, post: Post | None) -> str | None:
    """Why there is nothing to be posted, as a code."""
    if post is None:
        return "letter_not_set_up"
    if person.address is None:
        return "letter_no_address"
    if not person.may_write:
        return "letter_not_safe"
    if person.address_wrong_since is not None:
        return "letter_wrong_address"
    return post.why_not(person.name, person.address, person.language)


def take_back(session: Session) -> int:
    """Letters that wait to be posted and are not wanted any more; how many."""
    rows = (
        select(FollowUpTask, StepLetter)
        .join(StepLetter, StepLetter.task_id == FollowUpTask.id)
        .where(StepLetter.state == "waiting")
        .with_for_update(of=StepLetter, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    held = 0
    for task, letter in session.execute(rows).all():
        if unwanted(session, task, letter) is not None:
            letter.state = "withdrawn"
            announce(session, "letter", task.id)
            held += 1
    return held


def unwanted(session: Session, task: FollowUpTask, letter: StepLetter) -> str | None:
    """Why a letter is not to be posted any more, as a code; None where it is."""
    person = session.get_one(Patient, letter.person_id)
    why = never(task.patient, None, task.purpose, person)
    if why not in (None, "no_usable_number"):
        return why
    if task.state in ("done", "stopped") or task.channel != CHANNEL:
        return "not_needed"
    if person.address is None or not person.may_write:
        return "letter_not_safe"
    return "letter_wrong_address" if person.address_wrong_since is not None else None


_PILE = (
    select(FollowUpTask, StepLetter, Patient)
    .join(StepLetter, StepLetter.task_id == FollowUpTask.id)
    .join(Patient, Patient.id == StepLetter.person_id)
)
_TO_POST = and_(StepLetter.state == "waiting", FollowUpTask.state == "open", FollowUpTask.channel == CHANNEL)


@dataclass(frozen=True)
class Pile:
    """One letter on a list: what it is for, what is known of it, and to whom it goes."""

    task: FollowUpTask
    letter: StepLetter
    person: Patient


def waiting(session: Session, *, owner_id: UUID | None = None, only: Collection[UUID] | None = None) -> list[Pile]:
    """What is to be posted, the oldest first, at most MOST. `only`: of these tasks. With `owner_id`: that nurse's own
    and nobody's."""
    rows = _PILE.where(_of(owner_id), _TO_POST).order_by(StepLetter.made_at, StepLetter.task_id).limit(MOST)
    if only is not None:
        rows = rows.where(StepLetter.task_id.in_(only))
    found = [Pile(*row) for row in session.execute(rows).all()]
    return [one for one in found if unwanted(session, one.task, one.letter) is None]


def count_waiting(session: Session, *, owner_id: UUID | None = None) -> int:
    rows = select(func.count()).join(StepLetter, StepLetter.task_id == FollowUpTask.id)
    return session.scalar(rows.select_from(FollowUpTask).where(_of(owner_id), _TO_POST)) or 0


def sent(session: Session, since: datetime, *, owner_id: UUID | None = None, only: UUID | None = None) -> list[Pile]:
    """What was posted since, the newest first, at most MOST; also what came back. `only`: of this task."""
    rows = _PILE.where(_of(owner_id), StepLetter.posted_at > since)
    if only is not None:
        rows = rows.where(StepLetter.task_id == only)
    return [Pile(*row) for row in session.execute(rows.order_by(StepLetter.posted_at.desc()).limit(MOST)).all()]


def _of(owner_id: UUID | None) -> ColumnElement[bool]:
    return true() if owner_id is None else or_(FollowUpTask.owner_id == owner_id, FollowUpTask.owner_id.is_(None))


def printed(session: Session, piles: Sequence[Pile], account_id: UUID, at: datetime) -> None:
    """These letters are shown to be printed: to which address is kept as a token."""
    for one in piles:
        marked = session.scalar(
            update(StepLetter)
            .where(StepLetter.task_id == one.task.id, StepLetter.state == "waiting")
            .values(printed_at=at, printed_by=account_id, address_token=address_token(one.person.address or ""))
            .returning(StepLetter.task_id)
        )
        if marked is not None:
            audit.record(session, account_id, "letter.printed", f"patient:{one.person.id}", at, task=str(marked))
            announce(session, "letter", marked)


def posted(session: Session, task_id: UUID, account_id: UUID, at: datetime, answer_within: timedelta) -> str | None:
    """The nurse has posted it. None, or why not, as a code: it is not on the list any more, was never printed, or has
    another address on it than the record has by now."""
    task = session.get(FollowUpTask, task_id, with_for_update=True, populate_existing=True)
    letter = session.get(StepLetter, task_id, with_for_update=True, populate_existing=True)
    if task is None or letter is None or letter.state != "waiting":
        return "gone"
    if task.state not in ("open", "done", "stopped"):
        return "in_a_call"
    why = unwanted(session, task, letter)
    if why is not None:
        return why
    if letter.printed_at is None:
        return "not_printed"
    if letter.address_token != address_token(session.get_one(Patient, letter.person_id).address or ""):
        return "other_address"
    letter.state, letter.posted_at, letter.posted_by, letter.answer_by = "posted", at, account_id, at + answer_within
    task.next_try_at = letter.answer_by
    decide(session, task_id, "letter_posted", at, when=letter.answer_by.isoformat(), by=str(account_id))
    audit.record(session, account_id, "letter.posted", f"patient:{letter.person_id}", at, task=str(task_id))
    announce(session, "letter", task_id)
    subjects.changed(session, task)
    return None


def came_back(session: Session, task_id: UUID, account_id: UUID, at: datetime) -> bool:
    """The letter was returned: the address is wrong, unless another was written down meanwhile. False where none was
    posted, or it is known already."""
    letter = session.scalar(
        update(StepLetter)
        .where(StepLetter.task_id == task_id, StepLetter.state == "posted")
        .values(state="returned", returned_at=at, returned_by=account_id)
        .returning(StepLetter)
    )
    if letter is None:
        return False
    person = session.get_one(Patient, letter.person_id, with_for_update=True, populate_existing=True)
    if person.address is not None and address_token(person.address) == letter.address_token:
        person.address_wrong_since = at
    decide(session, task_id, "letter_came_back", at, by=str(account_id))
    audit.record(session, account_id, "letter.returned", f"patient:{person.id}", at, task=str(task_id))
    announce(session, "letter", task_id)
    subjects.changed(session, session.get_one(FollowUpTask, task_id))
    return True
