"""A later stay ends what an earlier discharge began, where its plan says that a readmission does.

Rules: who goes home a second time was in hospital again, whether anybody has told of it or not. A discharge is earlier
where the later one's stay began after it; where nobody told when it began, where it lies more than half a day before.
In whatever order they are told: one that is told late ends nothing that is newer, and has itself been ended.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import any_, literal, select
from sqlalchemy.orm import Session

from hospital import plan_changes
from hospital.enrolment_records import CareEvent, Enrolment, goes_on
from hospital.followups import FollowUpTask
from hospital.patients import Stay

HALF_A_DAY = timedelta(hours=12)  # a day without a time is told as its noon
_ENDS = literal("readmitted") == any_(Enrolment.ends_with)


@dataclass(frozen=True, slots=True)
class _Home:
    """One discharge. `began`: its stay, where it was told."""

    event_id: UUID
    patient_id: UUID
    at: datetime
    began: datetime | None

    def before(self, other: "_Home") -> bool:
        if other.began is None:
            return other.at - self.at > HALF_A_DAY
        return other.at > self.at and other.began > self.at - HALF_A_DAY


def lock(session: Session, patient_ids: Collection[UUID]) -> None:
    """What a further discharge of theirs could end, before their records are written: an enrolment before its tasks."""
    rows = select(Enrolment.id).join(CareEvent, CareEvent.id == Enrolment.event_id)
    rows = rows.where(CareEvent.patient_id.in_(patient_ids), CareEvent.kind == "discharge")
    rows = rows.where(Enrolment.ended_at.is_(None), _ENDS)
    begun = session.scalars(rows.order_by(Enrolment.id).with_for_update(of=Enrolment)).all()
    if begun:
        tasks = select(FollowUpTask.id).where(FollowUpTask.enrolment_id.in_(begun), FollowUpTask.closed_at.is_(None))
        session.execute(tasks.order_by(FollowUpTask.id).with_for_update())


def end(session: Session, patient_ids: Collection[UUID], at: datetime, by: UUID | None) -> None:
    """Of these patients, what began with a discharge after which there was another stay."""
    earlier = _earlier(session, patient_ids)
    if not earlier:
        return
    rows = select(Enrolment.id).where(Enrolment.event_id.in_(earlier), _ENDS, goes_on(at))
    over = session.scalars(rows.order_by(Enrolment.id)).all()
    if over:
        plan_changes.in_hospital_again(session, over, at, by)


def _earlier(session: Session, patient_ids: Collection[UUID]) -> list[UUID]:
    """Discharges after which there was another stay."""
    rows = select(CareEvent.id, CareEvent.patient_id, CareEvent.at, Stay.admitted_at)
    rows = rows.outerjoin(Stay, Stay.source == CareEvent.source)
    rows = rows.where(CareEvent.patient_id.in_(patient_ids), CareEvent.kind == "discharge")
    theirs: dict[UUID, list[_Home]] = defaultdict(list)
    for row in session.execute(rows):
        theirs[row.patient_id].append(_Home(*row))
    return [one.event_id for homes in theirs.values() for one in homes if any(one.before(other) for other in homes)]
