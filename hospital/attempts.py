"""Attempts: one try to reach a patient for a follow-up task, at most one call each (I3).

Rules: an attempt is claimed, with its channel ids, and committed before anything is dialled. The window, opt-out,
cap and the number's safety are asked in the claiming transaction, at the moment of dialling (I4). What is unknown
after a fault is marked for review, never redialled blindly.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ForeignKey, String, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import outcomes
from hospital.calling_hours import Window, may_call
from hospital.database import Base, Id, announce
from hospital.followups import FollowUpTask, decide
from hospital.patients import PhoneNumber

LIVE = ("claimed", "dialling", "talking")


class Attempt(Base):
    __tablename__ = "attempt"
    id: Mapped[Id]
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    number_id: Mapped[UUID] = mapped_column(ForeignKey("phone_number.id"))
    number_token: Mapped[bytes]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel_id: Mapped[str]
    nurse_channel_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="claimed")
    line_result: Mapped[str | None]
    contact_result: Mapped[str | None]
    rang: Mapped[bool] = mapped_column(default=False)
    cause: Mapped[int | None]
    sip_status: Mapped[int | None]
    identified_by: Mapped[list[str]] = mapped_column(ARRAY(String), default=list)
    claimed_at: Mapped[datetime]
    dialled_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


@dataclass(frozen=True)
class CallingPolicy:
    """A site's rules for calling patients. `cap_*` None: no cap (the demo's)."""

    window: Window
    zone: ZoneInfo
    cap_a_day: int | None = 1
    cap_a_week: int | None = 3


class NotNow(Exception):
    """This task may not be dialled now; `code` says why and `not_before` when it may."""

    def __init__(self, code: str, not_before: datetime | None = None) -> None:
        super().__init__(code)
        self.code, self.not_before = code, not_before


@dataclass(frozen=True)
class Claimed:
    """An attempt that is committed and may be dialled, once."""

    attempt_id: UUID
    number: str
    channel_id: str
    nurse_channel_id: str


def claim(
    session: Session, task_id: UUID, account_id: UUID, node: str, at: datetime, policy: CallingPolicy
) -> Claimed | NotNow:
    """Claim an open task for a nurse. A refusal is returned, not raised, so that its decision is committed."""
    taken = session.scalar(
        update(FollowUpTask)
        .where(FollowUpTask.id == task_id, FollowUpTask.state == "open")
        .values(state="calling", owner_id=account_id)
        .returning(FollowUpTask)
    )
    if taken is None:
        return NotNow("not_open")
    number = _number_to_dial(taken)
    refusal = _refusal(session, taken, number, at, policy)
    if refusal is not None or number is None:
        taken.state = "open"
        refusal = refusal or NotNow("no_usable_number")
        decide(session, task_id, refusal.code, at, not_before=_iso(refusal.not_before))
        return refusal
    attempt_id = uuid4()
    attempt = Attempt(
        id=attempt_id,
        task_id=task_id,
        patient_id=taken.patient_id,
        number_id=number.id,
        number_token=number.token,
        account_id=account_id,
        channel_id=f"{node}-{attempt_id.hex}",
        nurse_channel_id=f"{node}-{uuid4().hex}",
        claimed_at=at,
    )
    try:
        with session.begin_nested():
            session.add(attempt)
            session.flush()
    except IntegrityError:
        # The partial unique indexes: this patient, this number or this nurse is in a live attempt.
        taken.state = "open"
        decide(session, task_id, "already_in_a_call", at)
        return NotNow("already_in_a_call")
    decide(session, task_id, "called", at, rank=number.rank, attempt=str(attempt_id))
    announce(session, "task", task_id)
    return Claimed(attempt_id, number.number, attempt.channel_id, attempt.nurse_channel_id)


def _number_to_dial(task: FollowUpTask) -> PhoneNumber | None:
    usable = [number for number in task.patient.numbers if number.safe_to_call and number.invalid_since is None]
    wanted = [number for number in usable if number.rank == task.next_number_rank]
    return next(iter(wanted or usable), None)


def _refusal(
    session: Session, task: FollowUpTask, number: PhoneNumber | None, at: datetime, policy: CallingPolicy
) -> NotNow | None:
    if task.patient.deceased_at is not None:
        return NotNow("deceased")
    if "follow_up" in task.patient.opted_out:
        return NotNow("opted_out")
    if number is None:
        return NotNow("no_usable_number")
    window = may_call(at, policy.window, policy.zone)
    if not window.allowed:
        return NotNow(window.code, window.not_before)
    for cap, span in ((policy.cap_a_day, timedelta(days=1)), (policy.cap_a_week, timedelta(days=7))):
        if cap is None:
            continue
        rung = _contacts_since(session, task.patient_id, number.token, at - span)
        if len(rung) >= cap:
            return NotNow("cap_reached", rung[-cap] + span)
    return None


def _contacts_since(session: Session, patient_id: UUID, token: bytes, since: datetime) -> list[datetime]:
    """When the patient or the number rang for us; an attempt whose fate is unknown counts as rung."""
    rows = select(Attempt.claimed_at).where(
        or_(Attempt.patient_id == patient_id, Attempt.number_token == token),
        Attempt.claimed_at > since,
        or_(Attempt.rang, Attempt.state.in_(("review", *LIVE)), Attempt.line_result == "answered"),
    )
    return list(session.scalars(rows.order_by(Attempt.claimed_at)))


def dialling(session: Session, attempt_id: UUID, at: datetime) -> bool:
    """Committed just before Originate is sent; False where the attempt was cancelled meanwhile."""
    return _move(session, attempt_id, ("claimed",), state="dialling", dialled_at=at)


def number_of(session: Session, attempt_id: UUID) -> str:
    """The number (E.164) that an attempt dials."""
    return session.get_one(PhoneNumber, session.get_one(Attempt, attempt_id).number_id).number


def rang(session: Session, channel_id: str) -> None:
    session.execute(update(Attempt).where(Attempt.channel_id == channel_id).values(rang=True))
    _announce(session, channel_id)


def answered(session: Session, channel_id: str, at: datetime) -> bool:
    attempt = session.scalar(select(Attempt).where(Attempt.channel_id == channel_id))
    return attempt is not None and _move(session, attempt.id, ("dialling",), state="talking", rang=True, answered_at=at)


def _move(session: Session, attempt_id: UUID, expected: tuple[str, ...], **values: object) -> bool:
    moved = session.execute(
        update(Attempt)
        .where(Attempt.id == attempt_id, Attempt.state.in_(expected))
        .values(**values)
        .returning(Attempt.task_id)
    ).scalar()
    if moved is not None:
        announce(session, "task", moved)
    return moved is not None


def line_ended(
    session: Session,
    attempt_id: UUID,
    line_result: str,
    at: datetime,
    policy: CallingPolicy,
    *,
    cause: int | None = None,
    sip_status: int | None = None,
) -> bool:
    """Settle an attempt once with its line result. Answered: the task waits for the nurse's wrap-up; otherwise the
    next try is planned. False where it was settled before."""
    settled = _move(
        session,
        attempt_id,
        (*LIVE, "review"),
        state="ended",
        line_result=line_result,
        ended_at=at,
        cause=cause,
        sip_status=sip_status,
    )
    if not settled:
        return False
    attempt = session.get_one(Attempt, attempt_id, populate_existing=True)
    task = session.get_one(FollowUpTask, attempt.task_id)
    if outcomes.counts(line_result, attempt.rang):
        task.tries += 1
    if line_result == "answered" and attempt.contact_result is None:
        if task.state in ("calling", "review"):
            task.state = "wrap_up"
        return True
    if line_result == "answered":
        return True
    if line_result == "invalid_number":
        _note_invalid(session, attempt, at)
    standing = _standing(session, task, attempt)
    _apply(
        session,
        task,
        outcomes.after_line(line_result, standing, at, policy.window, policy.zone),
        at,
        line_result,
    )
    return True


def contact_result(
    session: Session,
    attempt_id: UUID,
    result: str,
    at: datetime,
    policy: CallingPolicy,
    *,
    call_at: datetime | None = None,
) -> bool:
    """What the nurse says of whom she reached; decides the task. A second press corrects the first while the task
    is not done."""
    if result not in outcomes.CONTACT_RESULTS:
        raise ValueError(f"{result!r} is no contact result: {', '.join(sorted(outcomes.CONTACT_RESULTS))}")
    attempt = session.scalar(select(Attempt).where(Attempt.id == attempt_id).with_for_update())
    if attempt is None or (attempt.state == "ended" and attempt.line_result != "answered"):
        return False
    if attempt.state not in ("talking", "ended"):
        return False
    task = session.scalars(select(FollowUpTask).where(FollowUpTask.id == attempt.task_id).with_for_update()).one()
    if task.state in ("done", "stopped") and attempt.contact_result != result:
        return False
    attempt.contact_result = result
    if result == "wrong_person":
        number = session.get_one(PhoneNumber, attempt.number_id)
        number.invalid_since = number.invalid_since or at
    session.flush()
    if result == "deceased":
        # Reversible: the task stops and a clinician confirms before the record says so.
        decide(session, task.id, "deceased_to_be_confirmed", at)
    standing = _standing(session, task, attempt)
    step = outcomes.after_contact(result, standing, at, policy.window, policy.zone, call_at)
    _apply(session, task, step, at, result)
    return True


def _standing(session: Session, task: FollowUpTask, attempt: Attempt) -> outcomes.Standing:
    session.expire(task.patient, ["numbers"])
    usable = tuple(n.rank for n in task.patient.numbers if n.safe_to_call and n.invalid_since is None)
    rank = session.get_one(PhoneNumber, attempt.number_id).rank
    return outcomes.Standing(task.tries, task.max_tries, rank, usable)


def _apply(session: Session, task: FollowUpTask, step: outcomes.Next, at: datetime, because: str) -> None:
    match step:
        case outcomes.TryAgain():
            task.state, task.closed_at, task.stop_reason = "open", None, None
            task.next_try_at, task.next_number_rank = step.at, step.number_rank
            decide(
                session,
                task.id,
                "try_again",
                at,
                because=because,
                when=_iso(step.at),
                rank=step.number_rank,
                tries=task.tries,
                of=task.max_tries,
            )
        case outcomes.Stop():
            task.state, task.stop_reason, task.closed_at = "stopped", step.reason, at
            decide(session, task.id, "stopped", at, because=because, reason=step.reason)
        case outcomes.Done():
            task.state, task.closed_at = "done", at
            decide(session, task.id, "done", at)
    announce(session, "task", task.id)


def _note_invalid(session: Session, attempt: Attempt, at: datetime) -> None:
    """A number becomes invalid only after two attempts a day apart say so: carriers err."""
    first = session.scalar(
        select(func.min(Attempt.ended_at)).where(
            Attempt.number_id == attempt.number_id, Attempt.line_result == "invalid_number"
        )
    )
    if first is not None and at - first >= timedelta(days=1):
        session.get_one(PhoneNumber, attempt.number_id).invalid_since = at


def to_review(session: Session, attempt_id: UUID, at: datetime, why: str) -> bool:
    """The fate of the call is unknown: it counts as rung and a person decides."""
    if not _move(session, attempt_id, LIVE, state="review", rang=True):
        return False
    task = session.get_one(FollowUpTask, session.get_one(Attempt, attempt_id).task_id)
    task.state = "review"
    task.tries += 1
    decide(session, task.id, "to_review", at, why=why)
    announce(session, "task", task.id)
    return True


def reviewed(session: Session, task_id: UUID, call_again: bool, at: datetime, account_id: UUID) -> bool:
    """A person settles a task in review: it is open again, or stopped."""
    task = session.scalar(
        select(FollowUpTask).where(FollowUpTask.id == task_id, FollowUpTask.state == "review").with_for_update()
    )
    if task is None:
        return False
    unsettled = update(Attempt).where(Attempt.task_id == task_id, Attempt.state == "review")
    session.execute(unsettled.values(state="ended", line_result="cancelled", ended_at=at))
    task.state = "open" if call_again else "stopped"
    task.stop_reason, task.closed_at = (None, None) if call_again else ("not_needed", at)
    decide(session, task_id, "reviewed", at, again=call_again, by=str(account_id))
    announce(session, "task", task_id)
    return True


def live(session: Session) -> list[Attempt]:
    """What is under way as far as SQL knows; compared with Asterisk after a reconnect."""
    return list(session.scalars(select(Attempt).where(Attempt.state.in_(LIVE))))


def by_channel(session: Session, channel_id: str) -> Attempt | None:
    return session.scalar(
        select(Attempt).where(or_(Attempt.channel_id == channel_id, Attempt.nurse_channel_id == channel_id))
    )


def of_task(session: Session, task_id: UUID) -> list[Attempt]:
    return list(session.scalars(select(Attempt).where(Attempt.task_id == task_id).order_by(Attempt.claimed_at)))


def _announce(session: Session, channel_id: str) -> None:
    task_id = session.scalar(select(Attempt.task_id).where(Attempt.channel_id == channel_id))
    if task_id is not None:
        announce(session, "task", task_id)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
