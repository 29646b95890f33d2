"""The audit chain: who did or saw what, when; each row carries the hash of the one before it.

Rules: opaque ids only, so that erasing a patient does not break it. The chain only grows (a trigger refuses the
rest) and one writer at a time appends to it (an advisory lock).
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, announce, storable

GENESIS = bytes(32)
CHAIN_LOCK = 0x486F746C  # "Hotl": the advisory lock under which rows are appended


class AuditRow(Base):
    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    account_id: Mapped[UUID | None]
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    prev_hash: Mapped[bytes]
    hash: Mapped[bytes]


def _hash(row: AuditRow) -> bytes:
    content = [
        row.seq,
        row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(row.account_id) if row.account_id else None,
        row.action,
        row.subject,
        row.detail,
    ]
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(row.prev_hash + canonical.encode()).digest()


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(name): _storable(part) for name, part in value.items()}
        case list() | tuple():
            return [_storable(part) for part in value]
    return value


_LOCKED = text("SELECT pg_advisory_xact_lock(:key), CAST(:detail AS jsonb)")


def record(
    session: Session, account_id: UUID | None, action: str, subject: str, at: datetime, /, **detail: Any
) -> AuditRow:
    """Append one row. `detail`: codes and ids, nothing personal. The chain is locked until the transaction ends, so
    write here last."""
    # `detail` is hashed as PostgreSQL gives it back: jsonb writes some numbers in another way.
    _, stored = session.execute(_LOCKED, {"key": CHAIN_LOCK, "detail": json.dumps(_storable(detail))}).one()
    last = session.scalar(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1))
    row = AuditRow(
        seq=last.seq + 1 if last else 1,
        at=at.astimezone(UTC),
        account_id=account_id,
        action=storable(action),
        subject=storable(subject),
        detail=stored,
        prev_hash=last.hash if last else GENESIS,
    )
    row.hash = _hash(row)
    session.add(row)
    session.flush()
    announce(session, "audit", row.seq)
    return row


@dataclass(frozen=True)
class Verdict:
    """Whether the chain verifies; `broken_at` is the first row that does not fit (I8)."""

    rows: int
    broken_at: int | None

    @property
    def sound(self) -> bool:
        return self.broken_at is None


def verify(session: Session) -> Verdict:
    """Walk the whole chain."""
    expected_seq, previous = 1, GENESIS
    for row in _all(session):
        if row.seq != expected_seq or row.prev_hash != previous or row.hash != _hash(row):
            return Verdict(rows=expected_seq - 1, broken_at=expected_seq)
        expected_seq, previous = row.seq + 1, row.hash
    return Verdict(rows=expected_seq - 1, broken_at=None)


def _all(session: Session) -> Iterator[AuditRow]:
    yield from session.scalars(
        select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000, populate_existing=True)
    )


def of_subject(session: Session, subject: str, actions: tuple[str, ...] = ()) -> list[AuditRow]:
    """What happened to `subject`, newest first (who heard a recording, who read a record)."""
    rows = select(AuditRow).where(AuditRow.subject == subject)
    if actions:
        rows = rows.where(AuditRow.action.in_(actions))
    return list(session.scalars(rows.order_by(AuditRow.seq.desc()).limit(200)))


def newest(session: Session, *, action: str = "", before: int | None = None, limit: int = 100) -> list[AuditRow]:
    rows = select(AuditRow)
    if action:
        rows = rows.where(AuditRow.action == action)
    if before is not None:
        rows = rows.where(AuditRow.seq < before)
    return list(session.scalars(rows.order_by(AuditRow.seq.desc()).limit(limit)))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditRow)) or 0
