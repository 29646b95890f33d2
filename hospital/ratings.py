"""Ratings of a talk by its caller: one key, 1 (bad) to 5 (good); of a low one the reason, and a case.

Rules: asked only after a person has talked to the caller, at most once a day for each number and each patient, never
after an urgent call, and never where surveys are not wanted: by the patient, by who calls for them, or by that guardian
about this patient. Figures say of how many: asked, answered, and what is
too few to tell.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital import cases, consents
from hospital.calls import Call
from hospital.cases import Case
from hospital.clocks import Due
from hospital.database import Base, announce

PURPOSE = "survey"
URGENT = "urgent"  # the queue whose callers have other things to think of
LOW = 2
REASONS = {"1": "waited", "2": "not_understood", "3": "not_solved", "4": "unfriendly", "5": "other"}
FEWEST = 5  # answers below which no mean is told: it would be the opinion of one or two people


class Rating(Base):
    __tablename__ = "rating"
    call_id: Mapped[str] = mapped_column(ForeignKey("call.id"), primary_key=True)
    number_token: Mapped[bytes | None]
    queue: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    language: Mapped[str | None]
    asked_at: Mapped[datetime]
    score: Mapped[int | None]
    reason: Mapped[str | None]


@dataclass(frozen=True)
class Decision:
    """May this caller be asked; if not, the code of the reason."""

    allowed: bool
    code: str = "allowed"


def may_ask(
    *, answered: bool, urgent: bool, opted_out: bool, last_asked: datetime | None, at: datetime, zone: ZoneInfo
) -> Decision:
    """The rule. A day is the site's calendar day."""
    if not answered:
        return Decision(False, "nobody_answered")
    if urgent:
        return Decision(False, "urgent")
    if opted_out:
        return Decision(False, "opted_out")
    if last_asked is not None and last_asked.astimezone(zone).date() == at.astimezone(zone).date():
        return Decision(False, "asked_today")
    return Decision(True)


def ask(session: Session, call_id: str, at: datetime, zone: ZoneInfo) -> Decision:
    """Whether to ask the caller of `call_id` now; where allowed, that they were asked is written down."""
    call = session.get(Call, call_id)
    if call is None:
        return Decision(False, "nobody_answered")
    decision = may_ask(
        answered=call.answered_at is not None,
        urgent=call.queue == URGENT,
        opted_out=_unwanted(session, call),
        last_asked=_last_asked(session, call),
        at=at,
        zone=zone,
    )
    if decision.allowed:
        session.execute(
            insert(Rating)
            .values(
                call_id=call_id,
                number_token=call.number_token,
                queue=call.queue or "",
                account_id=call.answered_by,
                language=call.language,
                asked_at=at,
            )
            .on_conflict_do_nothing()
        )
    return decision


def _unwanted(session: Session, call: Call) -> bool:
    if call.patient_id is None:
        return False
    said = consents.opted_out(session, call.patient_id) | consents.refused(session, call.patient_id, call.proxy_id)
    return PURPOSE in (said | consents.opted_out(session, call.proxy_id) if call.proxy_id else said)


def _last_asked(session: Session, call: Call) -> datetime | None:
    same = [Rating.call_id == call.id]
    if call.number_token is not None:
        same.append(Rating.number_token == call.number_token)
    if call.patient_id is not None:
        same.append(Call.patient_id == call.patient_id)
    return session.scalar(select(func.max(Rating.asked_at)).join(Call, Call.id == Rating.call_id).where(or_(*same)))


def rate(session: Session, call_id: str, score: int, at: datetime, due: Due) -> bool:
    """Keep the score, once; a low one opens a case. False where nobody was asked, or the answer is there."""
    kept = session.scalar(
        update(Rating)
        .where(Rating.call_id == call_id, Rating.score.is_(None))
        .values(score=score)
        .returning(Rating.call_id)
    )
    if kept is None:
        return False
    if score <= LOW:
        call = session.get_one(Call, call_id)
        teller = cases.Teller(call_id, call.number, call.patient_id, call.language)
        cases.open_case(session, "rating", f"rating/{call_id}", teller, at, due, f"score_{score}")
    announce(session, "rating", call_id)
    return True


def explain(session: Session, call_id: str, reason: str) -> None:
    """Why it was low: one of REASONS. Its case shows it, so that whoever calls back knows."""
    rating = session.get_one(Rating, call_id)
    rating.reason = reason
    session.execute(update(Case).where(Case.origin == f"rating/{call_id}").values(detail=reason))
    announce(session, "rating", call_id)


@dataclass(frozen=True)
class Figures:
    """Of one queue. `talks` ended in the span; `asked` of them; `answered` of those; `mean` is None below FEWEST."""

    queue: str
    talks: int
    asked: int
    answered: int
    low: int
    mean: float | None

    @property
    def answer_rate(self) -> float | None:
        """Answered of asked; None where nobody was asked."""
        return self.answered / self.asked if self.asked else None


def figures(session: Session, since: datetime, until: datetime) -> list[Figures]:
    """For each queue with a talk that was answered in [since, until), by the queue's name."""
    rows = session.execute(
        select(
            Call.queue,
            func.count(),
            func.count(Rating.call_id),
            func.count(Rating.score),
            func.count().filter(Rating.score <= LOW),
            func.avg(Rating.score),
        )
        .outerjoin(Rating, Rating.call_id == Call.id)
        .where(Call.direction == "in", Call.answered_at >= since, Call.answered_at < until)
        .group_by(Call.queue)
        .order_by(Call.queue)
    )
    return [
        Figures(queue or "", talks, asked, answered, low, round(float(mean), 2) if answered >= FEWEST else None)
        for queue, talks, asked, answered, low, mean in rows
    ]


def last_days(at: datetime, days: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last `days` calendar days up to the end of today."""
    today = at.astimezone(zone).date()
    first, after = today - timedelta(days=days - 1), today + timedelta(days=1)
    return datetime.combine(first, time.min, tzinfo=zone), datetime.combine(after, time.min, tzinfo=zone)
