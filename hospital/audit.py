"""The audit chain: who did or saw what, when; each row carries the hash of the one before it.

Rules: opaque ids only, so that erasing a patient does not break it. The chain only grows (a trigger refuses the
rest) and one writer at a time appends to it (an advisory lock). It grows for years: it is verified in slices, each
in a transaction of its own.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base, announce, storable

GENESIS = bytes(32)
SLICE = 1000  # rows that are verified in one transaction: some 50 ms
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


@dataclass(frozen=True)
class Walk:
    """How far the chain has been walked: `rows` that hold, the hash of the last of them, and whether that is all."""

    rows: int = 0
    last: bytes = GENESIS
    broken_at: int | None = None
    over: bool = False

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.rows, self.broken_at)


def walk_on(session: Session, walk: Walk, most: int = SLICE) -> Walk:
    """The next rows. The last one before them must still be there as it was: what is changed or cut away behind a walk
    would be seen by none."""
    rows = (
        select(AuditRow).order_by(AuditRow.seq).limit(most + bool(walk.rows)).execution_options(populate_existing=True)
    )
    if walk.rows:
        rows = rows.where(AuditRow.seq >= walk.rows)
    found = list(session.scalars(rows))
    if walk.rows:
        if not found or (found[0].seq, found[0].hash) != (walk.rows, walk.last):
            return replace(walk, rows=walk.rows - 1, broken_at=walk.rows, over=True)
        del found[0]
    for row in found:
        if row.seq != walk.rows + 1 or row.prev_hash != walk.last or row.hash != _hash(row):
            return replace(walk, broken_at=walk.rows + 1, over=True)
        walk = replace(walk, rows=row.seq, last=row.hash)
    return replace(walk, over=len(found) < most)


def verify(session: Session) -> Verdict:
    """Walk the whole chain in this transaction: for a chain that is known to be short."""
    walk = Walk()
    while not walk.over:
        walk = walk_on(session, walk)
    return walk.verdict


def length(session: Session) -> int:
    """The number of the newest row."""
    return session.scalar(select(func.max(AuditRow.seq))) or 0


def of_subject(session: Session, subject: str, actions: tuple[str, ...] = ()) -> list[AuditRow]:
    """What happened to `subject`, newest first (who heard a recording, who read a record)."""
    rows = select(AuditRow).where(AuditRow.subject == subject)
    if actions:
        rows = rows.where(AuditRow.action.in_(actions))
    return list(session.scalars(rows.order_by(AuditRow.seq.desc()).limit(200)))


def newest(
    session: Session,
    *,
    action: str = "",
    who: UUID | None = None,
    subjects: Collection[str] = (),
    before: int | None = None,
    limit: int = 100,
) -> list[AuditRow]:
    """Newest first; of all actions, accounts and subjects where none is named. `before`: a row's number."""
    rows = select(AuditRow)
    if action:
        rows = rows.where(AuditRow.action == action)
    if who is not None:
        rows = rows.where(AuditRow.account_id == who)
    if subjects:
        rows = rows.where(AuditRow.subject.in_(subjects))
    if before is not None:
        rows = rows.where(AuditRow.seq < before)
    return list(session.scalars(rows.order_by(AuditRow.seq.desc()).limit(limit)))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditRow)) or 0
