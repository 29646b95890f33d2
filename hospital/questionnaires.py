"""Questionnaires by version: an answer always knows the version it was given to.

Rules: a version is never changed; publishing other content makes the next version. The files are in `scripts/`. A file
that comes with the hotline is the newest until somebody publishes another in the console; from then on only people do.
A draft is text, whatever is wrong in it, one of each code; who saves says which state of it they saw.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import audit
from hospital.database import Base, Id, storable
from hospital.editions import REASON, Overtaken

LONGEST_CODE = 64  # letters, as FHIR's ids have at most
PUBLISHING = 0x5175  # "Qu": the advisory locks under which a code's versions are made


class Questionnaire(Base):
    __tablename__ = "questionnaire"
    id: Mapped[Id]
    code: Mapped[str]
    version: Mapped[int]
    sha256: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    loaded_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(default="")
    published_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    why: Mapped[str] = mapped_column(default="")

    @property
    def purpose(self) -> str:
        """What its contact is for, in the words of `patient.opted_out`."""
        return str(self.body.get("purpose", "follow-up")).replace("-", "_")


class Draft(Base):
    __tablename__ = "questionnaire_draft"
    code: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))


def load(session: Session, code: str, body: dict[str, Any], sha256: str, at: datetime) -> None:
    """What comes with the hotline, published where nobody has published another since."""
    _in_order(session, code)
    current = newest(session, code)
    if current is None or current.published_by is None:
        publish(session, code, body, sha256, at)


def publish(session: Session, code: str, body: dict[str, Any], sha256: str, at: datetime) -> Questionnaire:
    """The version with this content; a new one where the content is new. Published last, it is the newest, also
    where an older content comes back."""
    _in_order(session, code)
    same = session.scalar(select(Questionnaire).where(Questionnaire.code == code, Questionnaire.sha256 == sha256))
    current = newest(session, code)
    if same is not None and current is same:
        return same
    after = at if current is None else max(at, current.loaded_at + timedelta(microseconds=1))
    if same is not None:
        same.loaded_at = after
        return same
    last = session.scalar(select(func.max(Questionnaire.version)).where(Questionnaire.code == code)) or 0
    made = Questionnaire(code=code, version=last + 1, sha256=sha256, body=body, loaded_at=after)
    session.add(made)
    session.flush()
    return made


def newest(session: Session, code: str) -> Questionnaire | None:
    """The version that was published last."""
    rows = select(Questionnaire).where(Questionnaire.code == code)
    return session.scalars(
        rows.order_by(Questionnaire.loaded_at.desc(), Questionnaire.version.desc()).limit(1)
    ).one_or_none()


def own_code(session: Session, code: str, url: str | None, taken: Collection[str]) -> str:
    """Under which code one that came from elsewhere is published: its own; with a number where that code is `taken`, or
    another questionnaire's (of another canonical address, its version apart), which plans go on to ask."""
    for number in count(1):
        ending = "" if number == 1 else f"-{number}"
        free = code[: LONGEST_CODE - len(ending)] + ending
        current = newest(session, free)
        if free not in taken and (current is None or _address(current.body.get("url")) == _address(url)):
            break
    return free


def changed_here(session: Session, row: Questionnaire) -> bool:
    """Whether it still has the canonical name of a version before it, and somebody changed it in the console."""
    earlier = select(Questionnaire).where(Questionnaire.code == row.code, Questionnaire.version < row.version)
    if row.published_by is None or not row.body.get("url"):
        return False
    same = earlier.where(Questionnaire.body["url"].astext == row.body["url"])
    return session.scalar(select(same.exists())) is True


def _address(canonical: str | None) -> str | None:
    return canonical.partition("|")[0] if canonical else None


def _in_order(session: Session, code: str) -> None:
    """Two processes load the same files when the hotline starts: one of them makes the version."""
    session.execute(text("SELECT pg_advisory_xact_lock(:space, hashtext(:code))"), {"space": PUBLISHING, "code": code})


# ── In the console ──────────────────────────────────────────────────────────────────────────────────────────────────


def codes(session: Session) -> list[str]:
    """Of all that was published, and of drafts."""
    return sorted({*session.scalars(select(Questionnaire.code).distinct()), *session.scalars(select(Draft.code))})


def history(session: Session, code: str) -> list[Questionnaire]:
    """All versions, the one that was published last first."""
    rows = select(Questionnaire).where(Questionnaire.code == code)
    return list(session.scalars(rows.order_by(Questionnaire.loaded_at.desc(), Questionnaire.version.desc())))


def draft(session: Session, code: str) -> Draft | None:
    return session.get(Draft, code)


def save(session: Session, code: str, source: str, account_id: UUID, at: datetime, seen: datetime | None) -> None:
    """The draft becomes `source`. `seen`: when the draft that its writer saw was changed, None where there was none.

    Raises `Overtaken`."""
    values = {"source": storable(source), "changed_at": at, "changed_by": account_id}
    if seen is None:
        saving = insert(Draft).values(code=code, **values).on_conflict_do_nothing().returning(Draft.code)
        made = session.scalar(saving)
    else:
        same = update(Draft).where(Draft.code == code, Draft.changed_at == seen)
        made = session.scalar(same.values(**values).returning(Draft.code))
    if made is None:
        raise Overtaken
    audit.record(session, account_id, "questionnaire.saved", f"questionnaire:{code}", at)


def discard(session: Session, code: str, account_id: UUID, at: datetime) -> bool:
    """Throw the draft away; False where there is none."""
    gone = session.scalar(delete(Draft).where(Draft.code == code).returning(Draft.code))
    if gone is not None:
        audit.record(session, account_id, "questionnaire.discarded", f"questionnaire:{code}", at)
    return gone is not None


def publish_draft(
    session: Session,
    code: str,
    content: tuple[dict[str, Any], str],
    account_id: UUID,
    at: datetime,
    why: str,
    seen: datetime,
) -> Questionnaire:
    """The draft that was read as `content` (body and sha256) is asked from now on; what was planned keeps its version.

    Raises `Overtaken`."""
    written = session.scalar(delete(Draft).where(Draft.code == code, Draft.changed_at == seen).returning(Draft.source))
    if written is None:
        raise Overtaken
    made = publish(session, code, *content, at)
    made.source = made.source or written
    _by(session, made, account_id, at, why)
    return made


def restore(session: Session, code: str, number: int, account_id: UUID, at: datetime) -> bool:
    """An older version is asked again; False where there is none. A draft that stands is left as it is."""
    rows = select(Questionnaire).where(Questionnaire.code == code, Questionnaire.version == number)
    found = session.scalar(rows)
    if found is None:
        return False
    _by(session, publish(session, code, found.body, found.sha256, at), account_id, at, f"Version {number} again")
    return True


def _by(session: Session, live: Questionnaire, account_id: UUID, at: datetime, why: str) -> None:
    live.published_by, live.why = account_id, " ".join(storable(why).split())[:REASON]
    facts = {"version": live.version}
    audit.record(session, account_id, "questionnaire.published", f"questionnaire:{live.code}", at, **facts)
