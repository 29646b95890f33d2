"""Messages to patients, before they are rendered and sent.

Rules: a row holds a wording's key, a locale and parameters, never text. `once` names what the message is about, so
that the same thing is told once. A row is claimed in one conditional statement; one that was claimed and never
settled (its sender died) is due again after CLAIM, and the gateway knows a message by its id. A gateway that takes
nothing is asked again for as long as the message is of use, not a number of times: an outage loses no message. A link
is sealed while its message waits, and is not kept afterwards. Who wants no more texts gets none (`text_stops.py`): that
is asked when a message is claimed. What answers somebody goes before what the hospital begins by itself, and whom to
call in an emergency before all.
"""

from base64 import b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, Text, and_, case, cast, exists, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import vault
from hospital.database import Base, Id, announce, storable
from hospital.text_stops import CONFIRMS, stopped
from hospital.vault import Sealed

CLAIM = timedelta(minutes=2)
TRIES = 5  # of a message whose sender dies of it
USEFUL = timedelta(days=1)  # unless it says itself until when
AT_ONCE = timedelta(minutes=15)  # what is true of this moment alone
LONGEST_WAIT = timedelta(minutes=8)  # for a gateway that takes nothing
LINK = "outbox.link"  # what a sealed link is bound to
LINK_SEALED = "link_sealed"  # the parameter that holds it, until the message has left or is given up
BEGUN_BY_US = ("step/", "video/", "before/", "reminder/", "appointment_suspended/")
"""How `once` begins of what answers nobody: there may be thousands of them at a time."""
WAITING = ("queued", "sending")
FATE_UNKNOWN = ("fate_unknown", "sender_died")
"""Errors of messages that may have arrived all the same."""


class OutboxRow(Base):
    __tablename__ = "outbox"
    id: Mapped[Id]
    once: Mapped[str]
    key: Mapped[str]
    locale: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    number: Mapped[str] = mapped_column("number_sealed", Sealed("outbox.number"))
    state: Mapped[str] = mapped_column(default="queued")
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    useful_until: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    gateway_ref: Mapped[str | None]
    error: Mapped[str | None]


_TURN = case((OutboxRow.key.in_(CONFIRMS), 0), (or_(*map(OutboxRow.once.startswith, BEGUN_BY_US)), 2), else_=1)
_WITHOUT_LINK = OutboxRow.params.op("-")(cast(LINK_SEALED, Text))


def _without_link(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != LINK_SEALED}


@dataclass(frozen=True)
class Due:
    """A claimed message, ready to be rendered and handed to the gateway."""

    id: UUID
    key: str
    locale: str
    params: dict[str, Any]
    number: str
    again: bool  # claimed before by a sender that never said what became of it


def put(
    session: Session,
    *,
    once: str,
    key: str,
    locale: str,
    number: str,
    at: datetime,
    patient_id: UUID | None = None,
    useful_until: datetime | None = None,
    **params: Any,
) -> UUID | None:
    """Queue a message that is due at `at`; its id, None where this was told (or is about to be) already.
    `useful_until`: after this nobody needs it any more (USEFUL after it was due, where nothing is said)."""
    made = session.scalar(
        insert(OutboxRow)
        .values(
            once=once,
            key=key,
            locale=locale,
            number=number,
            due_at=at,
            useful_until=useful_until or at + USEFUL,
            patient_id=patient_id,
            params=params,
        )
        .on_conflict_do_nothing(index_elements=[OutboxRow.once])
        .returning(OutboxRow.id)
    )
    if made is not None:
        announce(session, "outbox", made)
    return made


def anything_waits(session: Session) -> bool:
    """Whether there is a message to send or to take back, now or later: a cheap look."""
    return session.scalar(select(exists().where(OutboxRow.state.in_(WAITING)))) is True


def claim(session: Session, at: datetime) -> Due | None:
    """The next due message, claimed for CLAIM; None where nothing is due. Of one turn, what is due longest."""
    died = and_(OutboxRow.state == "sending", OutboxRow.due_at <= at)
    deadly = OutboxRow.tries >= TRIES  # again and again: of this very one?
    _give_up(session, and_(died, or_(deadly, OutboxRow.useful_until <= at)), "sender_died")
    _give_up(session, and_(OutboxRow.state == "queued", OutboxRow.useful_until <= at), "too_late")
    rows = (
        select(OutboxRow)
        .where(OutboxRow.state.in_(WAITING), OutboxRow.due_at <= at)
        .order_by(_TURN, OutboxRow.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    while (row := session.scalar(rows)) is not None and row.key not in CONFIRMS and stopped(session, row.number):
        row.state, row.error, row.params = "failed", "opted_out", _without_link(row.params)
        announce(session, "outbox", row.id)
        session.flush()
    if row is None:
        return None
    again = row.state == "sending"
    row.state, row.tries, row.due_at = "sending", row.tries + 1, at + CLAIM
    return Due(row.id, row.key, row.locale, row.params, row.number, again)


def _give_up(session: Session, which: ColumnElement[bool], error: str) -> None:
    given_up = session.scalars(
        update(OutboxRow)
        .where(which)
        .values(state="failed", error=error, params=_WITHOUT_LINK)
        .returning(OutboxRow.id)
        .execution_options(synchronize_session=False)
    ).all()
    for message_id in given_up:
        announce(session, "outbox", message_id)


def lost(session: Session, since: datetime, limit: int = 200) -> list[OutboxRow]:
    """Those that were due from `since` on and failed, newest first; not what we took back, nor what is not wanted."""
    rows = select(OutboxRow).where(
        OutboxRow.state == "failed", OutboxRow.error.not_in(("withdrawn", "opted_out")), OutboxRow.due_at > since
    )
    return list(session.scalars(rows.order_by(OutboxRow.due_at.desc(), OutboxRow.id).limit(limit)))


def sealed_link(link: str) -> dict[str, Any]:
    """The parameter of a message with a link: whoever has it can enter."""
    return {LINK_SEALED: b64encode(vault.seal(link, LINK)).decode()}


def put_off(message: OutboxRow, until: datetime) -> None:
    """A queued message, locked by the caller, that must not leave before; what waits for us is of use the longer."""
    message.due_at, message.useful_until = until, max(message.useful_until, until + USEFUL)


def withdraw(session: Session, message: OutboxRow, error: str = "withdrawn") -> None:
    """A queued message, locked by the caller, that is not to be sent any more; `error`: why, as a code."""
    message.state, message.error, message.params = "failed", error, _without_link(message.params)
    announce(session, "outbox", message.id)


def withdraw_of(session: Session, patient_id: UUID, purpose: str | None = None) -> None:
    """What is queued about a patient who has died, or is said to have, does not leave; nor what announces a call. With
    a `purpose`: what they want no more of, which names it (`reminder/…`). A plan's messages are asked for as they leave
    (`step_messages.take_back`)."""
    about = or_(OutboxRow.patient_id == patient_id, OutboxRow.once.startswith(f"before/{patient_id}/"))
    if purpose is not None:
        about = and_(OutboxRow.patient_id == patient_id, OutboxRow.once.startswith(f"{purpose}/"))
    rows = select(OutboxRow).where(about, OutboxRow.state == "queued").order_by(OutboxRow.id).with_for_update()
    for message in session.scalars(rows, execution_options={"populate_existing": True}):
        withdraw(session, message)


def withdraw_to(session: Session, patient_id: UUID, numbers: Collection[str]) -> None:
    """What is queued about a patient to these numbers (E.164) does not leave: they are nobody's who speaks for them."""
    rows = select(OutboxRow).where(OutboxRow.patient_id == patient_id, OutboxRow.state == "queued")
    for message in session.scalars(rows.order_by(OutboxRow.id).with_for_update()):
        if message.number in numbers:
            withdraw(session, message)


def sent(session: Session, message_id: UUID, gateway_ref: str, at: datetime) -> None:
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.id == message_id, OutboxRow.state == "sending")
        .values(state="sent", sent_at=at, gateway_ref=gateway_ref, error=None, params=_WITHOUT_LINK)
    )
    announce(session, "outbox", message_id)


def not_sent(session: Session, message_id: UUID, error: str, at: datetime, *, final: bool = False) -> None:
    """Try later (1, 2, 4, 8, 8 … minutes), or give up where the gateway said `final`. `error`: a code."""
    row = session.get_one(OutboxRow, message_id, with_for_update=True)
    if row.state != "sending":
        return
    row.state = "failed" if final else "queued"
    row.due_at = at + min(timedelta(minutes=2 ** (row.tries - 1)), LONGEST_WAIT)
    row.tries = min(row.tries, TRIES - 2)  # an outage is not this message's doing: TRIES counts what it may have done
    row.error = storable(error)[:200]
    if final:
        row.params = _without_link(row.params)
    announce(session, "outbox", message_id)


def reported(
    session: Session, message_id: UUID, state: str, gateway_ref: str, at: datetime, error: str | None = None
) -> bool:
    """What the gateway heard of a message's delivery: `sent`, `delivered` or `failed`. Reports come late, twice and in
    any order: the first that is final stands, and says what became of one whose fate was unknown. False where there is
    no such message."""
    row = session.get(OutboxRow, message_id, with_for_update=True)
    if row is None:
        return False
    final = row.state == "delivered" or (row.state == "failed" and row.error not in FATE_UNKNOWN)
    if not final and (state, row.state) != ("sent", "sent"):
        row.state, row.gateway_ref, row.sent_at = state, gateway_ref, row.sent_at or at
        row.error = storable(error)[:200] if error else None
        row.params = _without_link(row.params)
        announce(session, "outbox", message_id)
    return True
