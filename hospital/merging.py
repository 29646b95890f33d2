"""Two records of one patient become one: the survivor gets all that is the duplicate's, and is called for it.

Rules: it is foretold before it is done, and done in one transaction, for good. Every row that names the duplicate names
the survivor afterwards. Of the record itself the survivor gets what it lacks (address, time zone, what the patient
likes), and the note beside its own; with the duplicate stay name, birth date, `merged_into`, what the survivor has of
its own, and the PIN, which is keyed by the record. Of a plan that both follow because of one event, or because a
clinician enrolled both, the duplicate's tasks stop; after two events both go on. Letters and numbers are as careful as
either says. What either has opted out of, the survivor has. It is refused with a code while somebody is called, where
one has died and the other not, where both hold a seat at the same time, and of a guardian and a ward. A task is locked
before its patient.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, aliased

from hospital import audit, plan_changes
from hospital.appointments import Appointment
from hospital.attempt_records import LIVE, Attempt
from hospital.database import announce
from hospital.enrolment_records import CareEvent, Enrolment, goes_on
from hospital.followups import FollowUpTask, decide
from hospital.patients import Patient, PhoneNumber, address_token

MOVED = (
    ("patient_identifier", "patient_id"),
    ("visit", "patient_id"),
    ("stay", "patient_id"),
    ("appointment", "patient_id"),
    ("result_status", "patient_id"),
    ("call", "patient_id"),
    ("call", "proxy_id"),
    ("screen_pop", "patient_id"),
    ("callback", "patient_id"),
    ("care_event", "patient_id"),  # and the enrolments with it
    ("followup_task", "patient_id"),
    ("campaign_patient", "patient_id"),
    ("attempt", "patient_id"),
    ("outbox", "patient_id"),
    ("step_text", "patient_id"),
    ("reminder_text", "patient_id"),
    ("text_booking", "patient_id"),
    ("step_letter", "patient_id"),
    ("step_letter", "person_id"),
    ("video_meeting", "patient_id"),
    ("question", "patient_id"),
    ("recurring_reminder", "patient_id"),
    ("recording", "patient_id"),
    ("care_case", "patient_id"),
    ("suspension", "patient_id"),
    ("patient", "guardian_id"),
    ("patient", "merged_into"),
)
"""Column by column where a patient is named; numbers are apart, for both may have the same."""
ONE_EVENT = timedelta(hours=12)  # a day without a time is told as its noon


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a merge would do. `moved`: open follow-ups that become the survivor's, by reason; `stopped`: those of plans
    that the survivor follows already. `numbers` become the survivor's; `careful` are both's, and less may be done with
    them from then on. `facts`: the survivor's columns that change, and `pin_hash` where the duplicate's PIN ends.
    `why_not`: a code, where it can't be done."""

    moved: list[str]
    stopped: list[str]
    numbers: int
    careful: int
    facts: list[str]
    appointments: int
    opted_out: list[str]
    why_not: str | None


def foretell(session: Session, duplicate: Patient, survivor: Patient, at: datetime) -> Foretold:
    both = _followed_by_both(session, duplicate.id, survivor.id, at)
    rows = select(FollowUpTask).where(FollowUpTask.patient_id == duplicate.id, FollowUpTask.state == "open")
    tasks = session.scalars(rows.order_by(FollowUpTask.due_at, FollowUpTask.id)).all()
    theirs = {one.token: one for one in survivor.numbers}
    pin = ["pin_hash"] if duplicate.pin_hash is not None and survivor.pin_hash is None else []
    booked = select(func.count()).where(Appointment.patient_id == duplicate.id, Appointment.state == "booked")
    return Foretold(
        [one.reason for one in tasks if one.enrolment_id not in both],
        [one.reason for one in tasks if one.enrolment_id in both],
        sum(one.token not in theirs for one in duplicate.numbers),
        sum(bool(_careful(theirs[one.token], one)) for one in duplicate.numbers if one.token in theirs),
        [*_facts(duplicate, survivor), *pin],
        session.scalar(booked) or 0,
        sorted(set(duplicate.opted_out) - set(survivor.opted_out)),
        why_not(session, duplicate, survivor),
    )


def why_not(session: Session, duplicate: Patient, survivor: Patient) -> str | None:
    if duplicate.id == survivor.id:
        return "same"
    if duplicate.merged_into is not None or survivor.merged_into is not None:
        return "merged"
    if duplicate.id == survivor.guardian_id or survivor.id == duplicate.guardian_id:
        return "guardian"
    gone = [(one.deceased_at is not None, one.death_reported_at is not None) for one in (duplicate, survivor)]
    if gone[0] != gone[1]:
        return "one_died"
    ids = (duplicate.id, survivor.id)
    live = select(Attempt.id).where(Attempt.patient_id.in_(ids), Attempt.state.in_((*LIVE, "review")))
    busy = select(FollowUpTask.id).where(
        FollowUpTask.patient_id.in_(ids), FollowUpTask.state.in_(("calling", "wrap_up", "review"))
    )
    if session.scalar(live.limit(1)) or session.scalar(busy.limit(1)):
        return "in_a_call"
    other = aliased(Appointment)
    seats = (
        select(Appointment.id)
        .join(other, other.slot_id == Appointment.slot_id)
        .where(Appointment.patient_id == duplicate.id, other.patient_id == survivor.id)
        .where(Appointment.state != "cancelled", other.state != "cancelled")
    )
    return "same_time" if session.scalar(seats.limit(1)) else None


def merge(session: Session, duplicate_id: UUID, survivor_id: UUID, by: UUID, at: datetime) -> str | None:
    """Done, or the code of why not."""
    ids = (duplicate_id, survivor_id)
    tasks = select(FollowUpTask).where(FollowUpTask.patient_id.in_(ids)).order_by(FollowUpTask.id)
    locked = session.scalars(tasks.with_for_update(), execution_options={"populate_existing": True}).all()
    people = select(Patient).where(Patient.id.in_(ids)).order_by(Patient.id).with_for_update()
    found = {one.id: one for one in session.scalars(people, execution_options={"populate_existing": True})}
    if len(found) < len(set(ids)):
        return "unknown"
    duplicate, survivor = found[duplicate_id], found[survivor_id]
    why = why_not(session, duplicate, survivor)
    if why is not None:
        return why
    twice = _followed_by_both(session, duplicate_id, survivor_id, at)
    plan_changes.merged(session, sorted(twice), at, by)
    for task in locked:
        if task.patient_id == duplicate_id and task.state == "open":
            task.next_number_rank = None
            decide(session, task.id, "record_merged", at)
            announce(session, "task", task.id)
    survivor.opted_out = sorted(set(survivor.opted_out) | set(duplicate.opted_out))
    if survivor.guardian_id in (None, duplicate.guardian_id):
        survivor.guardian_declined = sorted(set(survivor.guardian_declined) | set(duplicate.guardian_declined))
    if survivor.guardian_id is None:
        survivor.guardian_relation, survivor.guardian_until = duplicate.guardian_relation, duplicate.guardian_until
    survivor.guardian_id = survivor.guardian_id or duplicate.guardian_id
    duplicate.guardian_id = None
    for column, value in _facts(duplicate, survivor).items():
        setattr(survivor, column, value)
    _numbers(session, duplicate, survivor)
    session.flush()
    _move(session, duplicate_id, survivor_id)
    session.execute(update(Patient).where(Patient.id == duplicate_id).values(merged_into=survivor_id))
    session.expire_all()
    audit.record(session, by, "patient.merged", f"patient:{survivor_id}", at, duplicate=str(duplicate_id))
    audit.record(session, by, "patient.merged", f"patient:{duplicate_id}", at, into=str(survivor_id))
    return None


def _followed_by_both(session: Session, duplicate_id: UUID, survivor_id: UUID, at: datetime) -> set[UUID]:
    """The duplicate's enrolments in plans that the survivor follows, too. Two systems may tell of one event with other
    ids and hours, never of two discharges as of one."""
    rows = select(Enrolment.id, Enrolment.plan, CareEvent.kind, CareEvent.at)
    rows = rows.join(CareEvent, CareEvent.id == Enrolment.event_id).where(goes_on(at))
    theirs = session.execute(rows.where(Enrolment.patient_id == survivor_id)).all()
    return {
        one.id
        for one in session.execute(rows.where(Enrolment.patient_id == duplicate_id))
        for other in theirs
        if one.plan == other.plan and ("enrolment" in (one.kind, other.kind) or abs(one.at - other.at) < ONE_EVENT)
    }


def _facts(duplicate: Patient, survivor: Patient) -> dict[str, object]:
    """The survivor's columns that change, with what they become."""
    become: dict[str, object] = {
        "note": "\n".join(dict.fromkeys(one.note for one in (survivor, duplicate) if one.note)),
        "may_write": survivor.may_write and duplicate.may_write,
        "zone": survivor.zone or duplicate.zone,
        "suits": survivor.suits or duplicate.suits,
        "reminded_by": "sms" if "sms" in (survivor.reminded_by, duplicate.reminded_by) else survivor.reminded_by,
    }
    if not survivor.address:
        become |= {"address": duplicate.address, "address_wrong_since": duplicate.address_wrong_since}
    elif duplicate.address and address_token(duplicate.address) == address_token(survivor.address):
        become["address_wrong_since"] = _earlier(survivor.address_wrong_since, duplicate.address_wrong_since)
    return {column: value for column, value in become.items() if value != getattr(survivor, column)}


def _careful(same: PhoneNumber, number: PhoneNumber) -> dict[str, object]:
    """What changes of `same`, the survivor's, by what the duplicate's record says of this number."""
    become = {
        "safe_to_call": same.safe_to_call and number.safe_to_call,
        "may_leave_message": same.may_leave_message and number.may_leave_message,
        "invalid_since": _earlier(same.invalid_since, number.invalid_since),
    }
    return {column: value for column, value in become.items() if value != getattr(same, column)}


def _earlier(*instants: datetime | None) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)


def _numbers(session: Session, duplicate: Patient, survivor: Patient) -> None:
    """Those that only the duplicate has are dialled after the survivor's; of one that both have, the survivor's stays,
    and is as careful as either says."""
    kept = {one.token: one for one in survivor.numbers}
    rank = max((one.rank for one in survivor.numbers), default=0)
    for number in list(duplicate.numbers):
        same = kept.get(number.token)
        if same is None:
            rank += 1
            values = {"patient_id": survivor.id, "rank": rank}
            session.execute(update(PhoneNumber).where(PhoneNumber.id == number.id).values(**values))
            continue
        for column, value in _careful(same, number).items():
            setattr(same, column, value)
        session.execute(update(Attempt).where(Attempt.number_id == number.id).values(number_id=same.id))
        session.execute(text("DELETE FROM phone_number WHERE id = :id"), {"id": number.id})
    session.expire(duplicate, ["numbers"])
    session.expire(survivor, ["numbers"])


def _move(session: Session, duplicate_id: UUID, survivor_id: UUID) -> None:
    ids = {"old": duplicate_id, "new": survivor_id}
    for unlike in (
        "DELETE FROM campaign_patient o USING campaign_patient n WHERE o.patient_id = :old AND n.patient_id = :new "
        "AND n.campaign_id = o.campaign_id",
        "DELETE FROM result_status o USING result_status n WHERE o.patient_id = :old AND n.patient_id = :new "
        "AND n.department_id = o.department_id AND n.taken_at = o.taken_at",
        "UPDATE call SET proxy_id = NULL WHERE patient_id IN (:old, :new) AND proxy_id IN (:old, :new)",
    ):
        session.execute(text(unlike), ids)
    for table, column in MOVED:
        session.execute(text(f"UPDATE {table} SET {column} = :new WHERE {column} = :old"), ids)  # noqa: S608 - ours
