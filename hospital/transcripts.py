"""Transcripts: what a machine took the voice of a message for, sealed beside the recording.

Rules: it may be wrong and is marked so; a person's correction stands beside it and never replaces it. A recording is
tried TRIES times: one that kills the recogniser must not do so for ever. What is due lives here, so that a restart goes
on where it was. Who may read the case may read its transcript, nobody else.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.cases import Case
from hospital.database import Base, announce, storable
from hospital.recordings import Recording
from hospital.vault import Sealed

TRIES = 3


class Transcript(Base):
    __tablename__ = "transcript"
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    language: Mapped[str]
    engine: Mapped[str] = mapped_column(default="")
    said: Mapped[str | None] = mapped_column("said_sealed", Sealed("transcript.said"))
    made_at: Mapped[datetime | None]
    corrected: Mapped[str | None] = mapped_column("corrected_sealed", Sealed("transcript.corrected"))
    corrected_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    corrected_at: Mapped[datetime | None]

    @property
    def sentences(self) -> list["Sentence"]:
        return [Sentence(*row) for row in json.loads(self.said or "[]")]

    @property
    def text(self) -> str:
        """The correction where there is one, else what the machine heard."""
        return self.corrected or "\n".join(one.words for one in self.sentences)


@dataclass(frozen=True)
class Sentence:
    """`begins` and `ends`: seconds in the recording."""

    begins: float
    ends: float
    words: str


@dataclass(frozen=True)
class Due:
    recording_id: UUID
    case_id: UUID
    language: str


def due(session: Session, languages: frozenset[str]) -> Due | None:
    """The oldest message that is not transcribed yet, in one of the languages that are heard."""
    row = session.execute(
        select(Case.recording_id, Case.id, Case.language)
        .join(Recording, Recording.id == Case.recording_id)
        .outerjoin(Transcript, Transcript.recording_id == Recording.id)
        .where(
            Recording.state == "sealed",
            Case.state.not_in(("draft", "void")),
            Case.language.in_(languages),
            or_(Transcript.recording_id.is_(None), (Transcript.state == "waiting") & (Transcript.tries < TRIES)),
        )
        .order_by(func.coalesce(Transcript.tries, 0), Recording.started_at)
        .limit(1)
    ).first()
    if row is None or row[0] is None or row[2] is None:
        return None
    return Due(row[0], row[1], row[2])


def begin(session: Session, due: Due) -> None:
    """A try is counted before it is made: it may be the end of the process."""
    made = insert(Transcript).values(recording_id=due.recording_id, language=due.language, tries=1)
    session.execute(
        made.on_conflict_do_update(index_elements=[Transcript.recording_id], set_={"tries": Transcript.tries + 1})
    )


def heard(session: Session, due: Due, sentences: list[Sentence], engine: str, at: datetime) -> bool:
    """What was heard; nothing, where nobody was understood. False where it had been written down already."""
    said = json.dumps([[one.begins, one.ends, storable(one.words)] for one in sentences], ensure_ascii=False)
    done = session.scalar(
        update(Transcript)
        .where(Transcript.recording_id == due.recording_id, Transcript.state == "waiting")
        .values(state="done", said=said, engine=engine, made_at=at)
        .returning(Transcript.recording_id)
    )
    announce(session, "case", due.case_id)
    return done is not None


def failed(session: Session, due: Due) -> None:
    """This try came to nothing; the last one ends it."""
    session.execute(
        update(Transcript)
        .where(Transcript.recording_id == due.recording_id, Transcript.state == "waiting", Transcript.tries >= TRIES)
        .values(state="failed")
    )
    announce(session, "case", due.case_id)


def given_up(session: Session) -> None:
    """Those whose last try ended without a word, with its process, perhaps: they have failed."""
    ended = session.scalars(
        update(Transcript)
        .where(Transcript.state == "waiting", Transcript.tries >= TRIES)
        .values(state="failed")
        .returning(Transcript.recording_id)
    ).all()
    for case_id in session.scalars(select(Case.id).where(Case.recording_id.in_(ended))):
        announce(session, "case", case_id)


def correct(session: Session, recording_id: UUID, text: str, account_id: UUID, at: datetime) -> bool:
    """A person writes what was really said; False where there is no transcript."""
    done = session.scalar(
        update(Transcript)
        .where(Transcript.recording_id == recording_id, Transcript.state == "done")
        .values(corrected=storable(text), corrected_by=account_id, corrected_at=at)
        .returning(Transcript.recording_id)
    )
    return done is not None
