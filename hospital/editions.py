"""What the site changes without code, by edition: who, when, why. A sheet is one thing that can be changed.

Rules: a draft is nobody's but the sheet's, one at a time; who saves says which state of it they saw. Publishing counts
over all sheets, in the order of commits, so that a process knows by one number whether what it holds is in force. An
edition that was replaced stays; it is restored as a new one. A body of None is what comes with the hotline, or the
site's file. Nothing of a patient is ever in a body.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.database import Base, Id, announce

Sheet = Literal["wording", "information", "hours", "triage", "menu", "outcomes"]
SHEETS: tuple[Sheet, ...] = get_args(Sheet)
Body = Mapping[str, Any] | None

LARGEST = 1_000_000  # letters of a body as JSON
REASON = 500  # letters of why
ORDER_LOCK = 0x45646974  # "Edit": under it editions are published one after the other


class Edition(Base):
    __tablename__ = "edition"
    id: Mapped[Id]
    sheet: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    number: Mapped[int | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    why: Mapped[str] = mapped_column(default="")


class Overtaken(Exception):
    """Somebody else has changed the draft meanwhile: it must be seen again before it is saved."""


@dataclass(frozen=True)
class Publications:
    """`number`: of the newest, 0 for none. `bodies`: by sheet, newest first, each with its number."""

    number: int
    bodies: Mapping[Sheet, Sequence[tuple[int, Body]]]


def draft(session: Session, sheet: Sheet) -> Edition | None:
    return session.scalar(select(Edition).where(Edition.sheet == sheet, Edition.state == "draft"))


def history(session: Session, sheet: Sheet, limit: int = 20) -> list[Edition]:
    """What was published, newest first."""
    published = select(Edition).where(Edition.sheet == sheet, Edition.number.is_not(None))
    return list(session.scalars(published.order_by(Edition.number.desc()).limit(limit)))


def newest(session: Session) -> int:
    """The number by which a process knows whether it is behind."""
    return session.scalar(select(func.max(Edition.number))) or 0


def publications(session: Session, each: int = 5) -> Publications:
    """What is in force, and of each sheet a few before it, in case that one can't be loaded."""
    number = newest(session)  # first: what is published meanwhile is then loaded once more, never missed
    bodies: dict[Sheet, list[tuple[int, Body]]] = {
        sheet: [(edition.number or 0, edition.body) for edition in history(session, sheet, each)] for sheet in SHEETS
    }
    return Publications(number, bodies)


def save(session: Session, sheet: Sheet, body: Body, account_id: UUID, at: datetime, seen: datetime | None) -> Edition:
    """The draft becomes `body`. `seen`: when the draft that its writer saw was changed, None where there was none.

    Raises `Overtaken`; ValueError for a body that is too large."""
    if body is not None and len(json.dumps(body)) > LARGEST:
        raise ValueError(f"a sheet of more than {LARGEST} letters is not kept")
    values = {"body": body, "changed_at": at, "changed_by": account_id}
    if seen is None:
        made: Edition | None = session.scalar(
            insert(Edition).values(id=uuid4(), sheet=sheet, **values).on_conflict_do_nothing().returning(Edition)
        )
    else:
        made = session.scalar(
            update(Edition)
            .where(Edition.sheet == sheet, Edition.state == "draft", Edition.changed_at == seen)
            .values(**values)
            .returning(Edition)
        )
    if made is None:
        raise Overtaken
    announce(session, "edition", made.id)
    audit.record(session, account_id, "edition.saved", f"edition:{made.id}", at, sheet=sheet)
    return made


def discard(session: Session, sheet: Sheet, account_id: UUID, at: datetime) -> bool:
    """Throw the draft away; False where there is none."""
    found = draft(session, sheet)
    if found is None:
        return False
    session.delete(found)
    announce(session, "edition", found.id)
    audit.record(session, account_id, "edition.discarded", f"edition:{found.id}", at, sheet=sheet)
    return True


def publish(session: Session, sheet: Sheet, account_id: UUID, at: datetime, why: str, seen: datetime) -> Edition:
    """The draft goes live with the next call. It has been checked: `seen` is when the draft that was checked was
    changed. Raises `Overtaken`."""
    _in_order(session)
    session.execute(
        update(Edition).where(Edition.sheet == sheet, Edition.state == "published").values(state="replaced")
    )
    live: Edition | None = session.scalar(
        update(Edition)
        .where(Edition.sheet == sheet, Edition.state == "draft", Edition.changed_at == seen)
        .values(
            state="published",
            number=newest(session) + 1,
            published_at=at,
            published_by=account_id,
            why=" ".join(why.split())[:REASON],
        )
        .returning(Edition)
    )
    if live is None:
        raise Overtaken
    _went_live(session, live, account_id, at, "edition.published")
    return live


def restore(session: Session, sheet: Sheet, body: Body, account_id: UUID, at: datetime, why: str) -> Edition:
    """What was in force before is in force again, as a new edition; a draft that stands is left as it is."""
    _in_order(session)
    session.execute(
        update(Edition).where(Edition.sheet == sheet, Edition.state == "published").values(state="replaced")
    )
    live = Edition(
        sheet=sheet,
        state="published",
        body=None if body is None else dict(body),
        changed_at=at,
        changed_by=account_id,
        number=newest(session) + 1,
        published_at=at,
        published_by=account_id,
        why=" ".join(why.split())[:REASON],
    )
    session.add(live)
    session.flush()
    _went_live(session, live, account_id, at, "edition.restored")
    return live


def _in_order(session: Session) -> None:
    """Numbers are committed in their order: who has seen n has seen all below it."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ORDER_LOCK})


def _went_live(session: Session, live: Edition, account_id: UUID, at: datetime, action: str) -> None:
    announce(session, "edition", live.id)
    audit.record(session, account_id, action, f"edition:{live.id}", at, sheet=live.sheet, number=live.number)
