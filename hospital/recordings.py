"""The catalogue of recordings: what there is of each call, or why there is nothing.

Rules: every answered call has one recording or one coded reason for none (I5). A recording is opened before the
first byte is written, so that a sweep knows what a crash left behind. What a caller leaves (kind `message`) becomes
a case when it is sealed, whoever seals it.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Select, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import cases
from hospital.attempt_records import LIVE, Attempt
from hospital.calls import Call
from hospital.database import Base, Id, announce

REASONS = {"refused", "spool_full", "not_started", "no_audio", "not_answered", "asterisk_lost", "automatic", "video"}


class Recording(Base):
    __tablename__ = "recording"
    id: Mapped[Id]
    call_id: Mapped[str]
    kind: Mapped[str] = mapped_column(default="call")
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempt.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str]
    reason: Mapped[str | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seconds: Mapped[float | None]
    path: Mapped[str | None]
    sha256: Mapped[str | None]
    wrapped_key: Mapped[bytes | None]


def open_for(
    session: Session,
    *,
    call_id: str,
    at: datetime,
    attempt_id: UUID | None = None,
    patient_id: UUID | None = None,
    account_id: UUID | None = None,
    kind: str = "call",
) -> UUID | None:
    """Open a recording before its first byte is written; None where the attempt has one already."""
    made = session.scalar(
        insert(Recording)
        .values(
            id=uuid4(),
            call_id=call_id,
            kind=kind,
            attempt_id=attempt_id,
            patient_id=patient_id,
            account_id=account_id,
            state="open",
            started_at=at,
        )
        .on_conflict_do_nothing()
        .returning(Recording.id)
    )
    if made is not None:
        announce(session, "recording", made)
    return made


def none_because(
    session: Session,
    *,
    call_id: str,
    reason: str,
    at: datetime,
    attempt_id: UUID | None = None,
    patient_id: UUID | None = None,
    account_id: UUID | None = None,
) -> None:
    """The coded reason instead of a recording; nothing where there is one already."""
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason for a missing recording: {', '.join(sorted(REASONS))}")
    session.execute(
        insert(Recording)
        .values(
            id=uuid4(),
            call_id=call_id,
            attempt_id=attempt_id,
            patient_id=patient_id,
            account_id=account_id,
            state="none",
            reason=reason,
            started_at=at,
        )
        .on_conflict_do_nothing()
    )


def account_for(session: Session, attempt: Attempt, at: datetime) -> None:
    """An attempt that ended: where it was answered and nothing was recorded, that gets its coded reason (I5)."""
    if attempt.line_result in ("answered", "machine", "fax"):
        none_because(
            session,
            call_id=attempt.channel_id,
            attempt_id=attempt.id,
            patient_id=attempt.patient_id,
            account_id=attempt.account_id,
            reason="video" if attempt.video else "automatic" if attempt.account_id is None else "not_started",
            at=at,
        )


def sealed(
    session: Session,
    recording_id: UUID,
    *,
    path: str,
    seconds: float,
    sha256: str,
    wrapped_key: bytes,
    at: datetime,
) -> bool:
    """What the sealing made of it; a lost one may have turned up. False where it was sealed before."""
    moved = session.scalar(
        update(Recording)
        .where(Recording.id == recording_id, Recording.state.in_(("open", "lost")))
        .values(
            state="sealed",
            reason=None,
            path=path,
            seconds=seconds,
            sha256=sha256,
            wrapped_key=wrapped_key,
            ended_at=at,
        )
        .returning(Recording.id)
    )
    if moved is not None:
        cases.message_kept(session, recording_id, at)
    announce(session, "recording", recording_id)
    return moved is not None


def lost(session: Session, recording_id: UUID, reason: str, at: datetime) -> None:
    """Nothing usable was written."""
    if reason not in REASONS:
        raise ValueError(f"{reason!r} is no reason for a missing recording: {', '.join(sorted(REASONS))}")
    session.execute(
        update(Recording)
        .where(Recording.id == recording_id, Recording.state == "open")
        .values(state="lost", reason=reason, ended_at=at)
    )
    cases.message_lost(session, recording_id)
    announce(session, "recording", recording_id)


def still_open(session: Session, before: datetime) -> list[UUID]:
    """Opened before this instant and not settled: what a crash left behind, or a call that goes on."""
    return list(session.scalars(select(Recording.id).where(Recording.state == "open", Recording.started_at < before)))


def of_attempt(session: Session, attempt_id: UUID) -> Recording | None:
    return session.scalar(select(Recording).where(Recording.attempt_id == attempt_id))


def newest(session: Session, *, account_id: UUID | None = None, limit: int = 100) -> list[Recording]:
    """Newest first; of one account, or everybody's. The hotline's own calls have nothing to hear and are left out."""
    rows = _newest(account_id, limit).where(Recording.reason.is_distinct_from("automatic"))
    return list(session.scalars(rows))


def of_people(
    session: Session,
    patients: Collection[UUID],
    staff: Collection[UUID],
    *,
    account_id: UUID | None = None,
    limit: int = 100,
) -> list[Recording]:
    """Of these patients, or by these accounts; newest first, of one account or everybody's."""
    theirs = or_(Recording.patient_id.in_(patients), Recording.account_id.in_(staff))
    return list(session.scalars(_newest(account_id, limit).where(theirs)))


def _newest(account_id: UUID | None, limit: int) -> Select[Recording]:
    rows = select(Recording).order_by(Recording.started_at.desc()).limit(limit)
    return rows.where(Recording.account_id == account_id) if account_id else rows


def being_written(session: Session) -> set[UUID]:
    """The recordings that Asterisk is writing now: of live attempts, and what callers leave whose call goes on."""
    opened = select(Recording.id).where(Recording.state == "open")
    attempts = opened.join(Attempt, Attempt.id == Recording.attempt_id).where(Attempt.state.in_(LIVE))
    messages = opened.join(Call, Call.id == Recording.call_id).where(Recording.kind == "message", Call.state != "ended")
    return {*session.scalars(attempts), *session.scalars(messages)}
