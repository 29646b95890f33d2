"""Text messages that come in: each is kept once, sealed, and has one fate for good.

Rules: what the gateway tells a second time is known by its own name for it. A text that answers nothing becomes an
item that a person owns, one open item for each number; one with alarm words becomes a red flag with its clock, whoever
wrote it, and a new one where somebody has taken the one before, or it is about another patient. A number that wants no
more texts gets none, whatever they are about, until it says otherwise: what is due is not handed over
(`outbox.claim`), but the word that confirms it and the emergency number. Replies of one number are taken one after the
other.
"""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Select, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit, patients
from hospital.cases import Case
from hospital.clocks import Due
from hospital.database import Base, Id, announce, storable
from hospital.text_stops import TextStop
from hospital.vault import Sealed

IN_ORDER = 0x5265  # "Re": the advisory locks under which a number's replies are taken
LONGEST = 1600  # letters of a text that are kept
DETAIL = "by_text"


class TextReply(Base):
    __tablename__ = "text_reply"
    id: Mapped[Id]
    gateway: Mapped[str]
    gateway_ref: Mapped[str]
    number: Mapped[str] = mapped_column("number_sealed", Sealed("text_reply.number"))
    number_token: Mapped[bytes]
    text: Mapped[str] = mapped_column("text_sealed", Sealed("text_reply.text"))
    media: Mapped[int] = mapped_column(default=0)
    came_at: Mapped[datetime]
    fate: Mapped[str]
    task_id: Mapped[UUID | None] = mapped_column(ForeignKey("text_talk.task_id"))
    booking_id: Mapped[UUID | None] = mapped_column(ForeignKey("text_booking.id"))
    answer_id: Mapped[int | None] = mapped_column(ForeignKey("answer.id"))
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("care_case.id"))


def in_order(session: Session, token: bytes) -> None:
    """Holds back other replies of this number until the transaction ends."""
    lock = {"space": IN_ORDER, "number": token.hex()}
    session.execute(text("SELECT pg_advisory_xact_lock(:space, hashtext(:number))"), lock)


def begin(session: Session, gateway: str, reference: str, token: bytes) -> TextReply | None:
    """The reply, where it was taken before; else it is this number's turn."""
    in_order(session, token)
    same = select(TextReply).where(TextReply.gateway == gateway, TextReply.gateway_ref == reference)
    return session.scalar(same)


def keep(
    session: Session,
    *,
    gateway: str,
    reference: str,
    number: str,
    said: str,
    media: int,
    at: datetime,
    fate: str,
    task_id: UUID | None = None,
    booking_id: UUID | None = None,
    answer_id: int | None = None,
    case_id: UUID | None = None,
) -> TextReply:
    row = TextReply(
        id=uuid4(), gateway=gateway, gateway_ref=reference, number=number, number_token=patients.number_token(number),
        text=storable(said)[:LONGEST], media=min(media, 100), came_at=at, fate=fate, task_id=task_id,
        booking_id=booking_id, answer_id=answer_id, case_id=case_id,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def open_case(session: Session, number: str, patient_id: UUID | None, language: str, at: datetime, due: Due) -> UUID:
    """What a text of this number becomes that a person reads: the item that stands for texts of it, or a new one."""
    rows = _of_texts(number, "message").where(Case.state.in_(("open", "owned")))
    found = session.scalar(rows) or _new(session, "message", number, patient_id, language, at, due, DETAIL)
    announce(session, "case", found)
    return found


def raise_flag(
    session: Session,
    number: str,
    patient_id: UUID | None,
    language: str,
    at: datetime,
    due: Due,
    code: str,
    task_id: UUID | None = None,
) -> UUID:
    """A red flag. It joins one that a text of this number has raised about the same patient while nobody has taken it:
    who has would not be told. `task_id`: whose questions it answers."""
    rows = _of_texts(number, "red_flag").where(Case.state == "open", Case.patient_id.is_not_distinct_from(patient_id))
    found = session.scalar(rows)
    if found is None:
        found = _new(session, "red_flag", number, patient_id, language, at, due, code)
        about = {"task": str(task_id)} if task_id is not None else {}
        audit.record(session, None, "urgent.raised", f"case:{found}", at, flags=[code], **about)
    announce(session, "case", found)
    return found


def _of_texts(number: str, kind: str) -> Select[UUID]:
    """The newest case of this kind that texts of this number belong to."""
    rows = select(Case.id).join(TextReply, TextReply.case_id == Case.id)
    mine = rows.where(TextReply.number_token == patients.number_token(number), Case.kind == kind)
    return mine.order_by(Case.opened_at.desc()).limit(1)


def _new(
    session: Session,
    kind: str,
    number: str,
    patient_id: UUID | None,
    language: str,
    at: datetime,
    due: Due,
    detail: str,
) -> UUID:
    made, caller = uuid4(), number if number.startswith("+") else None  # what is no number, nobody can call
    session.add(
        Case(
            id=made, kind=kind, origin=f"{kind}/text/{made}", patient_id=patient_id, caller=caller,
            language=language, detail=detail, opened_at=at, acknowledge_by=due.acknowledge_by,
        )
    )  # fmt: skip
    session.flush()
    return made


def of_booking_to(session: Session, booking_id: UUID, case_id: UUID) -> None:
    """A person finishes a booking: what was written in it stands with the case."""
    theirs = update(TextReply).where(TextReply.booking_id == booking_id, TextReply.fate == "booking")
    session.execute(theirs.where(TextReply.case_id.is_(None)).values(case_id=case_id))


def of_case(session: Session, case_id: UUID) -> list[TextReply]:
    """As they came."""
    rows = select(TextReply).where(TextReply.case_id == case_id)
    return list(session.scalars(rows.order_by(TextReply.came_at, TextReply.id)))


def of_number(session: Session, number: str, limit: int = 50) -> list[TextReply]:
    """The newest, as they came."""
    rows = select(TextReply).where(TextReply.number_token == patients.number_token(number))
    return list(session.scalars(rows.order_by(TextReply.came_at.desc(), TextReply.id).limit(limit)))[::-1]


# ── No more texts ───────────────────────────────────────────────────────────────────────────────────────────────────


def stop(session: Session, number: str, at: datetime) -> bool:
    """The number wants no more texts, from now on; False where that was known."""
    token = patients.number_token(number)
    made = insert(TextStop).values(number_token=token, since=at).on_conflict_do_nothing()
    if session.scalar(made.returning(TextStop.number_token)) is None:
        return False
    _note(session, number, "consent.withdrawn", at)
    return True


def start(session: Session, number: str, at: datetime) -> bool:
    """It takes texts again; False where nobody had said otherwise."""
    gone = delete(TextStop).where(TextStop.number_token == patients.number_token(number))
    if session.scalar(gone.returning(TextStop.number_token)) is None:
        return False
    _note(session, number, "consent.given", at)
    return True


def _note(session: Session, number: str, action: str, at: datetime) -> None:
    """In the audit chain of each patient whose number it is."""
    for one in patients.candidates(session, number):
        announce(session, "patient", one.patient.id)
        audit.record(session, None, action, f"patient:{one.patient.id}", at, purpose="texts", by="text")
