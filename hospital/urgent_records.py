"""A red flag's history: who was told, who took it, gave it back, closed it. It only grows.

Rules: who writes here has locked the case, so that no step is written twice, however many look for the next one.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Uuid, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from hospital.database import Base
from hospital.urgent import RUNGS, Step


class UrgentStep(Base):
    __tablename__ = "urgent_step"
    case_id: Mapped[UUID] = mapped_column(ForeignKey("care_case.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    whom: Mapped[str]
    told: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    at: Mapped[datetime]
    until: Mapped[datetime | None]


def history(session: Session, case_id: UUID) -> list[UrgentStep]:
    return list(session.scalars(select(UrgentStep).where(UrgentStep.case_id == case_id).order_by(UrgentStep.number)))


def ladder(entries: Sequence[UrgentStep]) -> list[Step]:
    """Its steps, since its owner's clock passed where one has. The last ends when everybody whom it told has declined,
    or when its owner gives it back; who took it or gave it back is no step."""
    steps: list[Step] = []
    declined: set[UUID] = set()
    for one in entries:
        if one.whom in RUNGS and one.until is not None:
            steps.append(Step(one.whom, tuple(one.told), one.at, one.until))
            declined = set()
        elif one.whom == "overdue":
            steps = []
        elif one.whom in ("declined", "given_back") and steps:
            declined |= set(one.told)
            over = one.whom == "given_back" or declined >= set(steps[-1].told)
            if over and one.at < steps[-1].until:
                steps[-1] = replace(steps[-1], until=one.at)
    return steps


def late(entries: Sequence[UrgentStep]) -> bool:
    """Whether it climbs because its owner has found no outcome in time."""
    turns = [one.whom for one in entries if one.whom in ("overdue", "taken", "given_back", "closed")]
    return turns[-1:] == ["overdue"]


def climbed(session: Session, case_id: UUID, step: Step) -> None:
    _write(session, case_id, step.whom, list(step.told), step.at, step.until)


def happened(session: Session, case_id: UUID, what: str, account_id: UUID | None, at: datetime) -> None:
    """`what`: 'taken', 'declined', 'given_back' or 'closed', by whom (None: on the fixed phone)."""
    _write(session, case_id, what, [account_id] if account_id else [], at, None)


def _write(session: Session, case_id: UUID, whom: str, told: list[UUID], at: datetime, until: datetime | None) -> None:
    last = session.scalar(select(func.max(UrgentStep.number)).where(UrgentStep.case_id == case_id)) or 0
    session.add(UrgentStep(case_id=case_id, number=last + 1, whom=whom, told=told, at=at, until=until))
    session.flush()
