"""Reminders: of an appointment the day before (the last one on which we call), of one that was missed, and again and
again of a medicine, a check-up, a revisit.

Rules: each is a contact like any other: once, inside the window, under the cap, and never for who does not want
reminders. Who would rather read is sent a text message instead (`reminder_texts.py`); so is who could not be reached by
a call. A text to the number that has just rung in vain is one contact with that call: the cap neither holds it back for
it nor counts it again. A message names hospital, date, time and number, and of a medicine or a check-up not even that
it is one. What repeats has an end, and its hour of the day by the site's clock. It repeats no oftener than the cap can
keep, and what is not given before the next time is not given twice.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, and_, any_, literal, select, update
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from hospital import audit
from hospital.appointments import Appointment, Booked, booked
from hospital.calling_hours import Window, hours_on
from hospital.calling_rules import CallingPolicy, where_reached
from hospital.database import Base, Id, announce
from hospital.followups import FollowUpTask, plan_call
from hospital.patients import Patient
from hospital.slots import Department, Doctor, Slot
from hospital.text_stops import stopped

KIND = PURPOSE = "reminder"
BY_TEXT = "sms"
PRIORITY = 6
ABOUT = ("medication", "checkup", "revisit")
MOST_DAYS_WITHOUT_CALLS = 22  # a window has hours within that
WITHIN = timedelta(days=3)  # a recurring reminder that was not given by then is the next one's
UNWANTED = frozenset({"opted_out", "guardian_opted_out", "refused", "deceased", "reported_deceased", "died", "moved"})
"""Why a task stops after which no message follows either."""


class RecurringReminder(Base):
    __tablename__ = "recurring_reminder"
    id: Mapped[Id]
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    about: Mapped[str]
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    every_days: Mapped[int]
    next_at: Mapped[datetime]
    until: Mapped[datetime]
    begun_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    begun_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]


class Reminder(Base):
    __tablename__ = "reminder"
    task_id: Mapped[UUID] = mapped_column(ForeignKey("followup_task.id"), primary_key=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"))
    recurring_id: Mapped[UUID | None] = mapped_column(ForeignKey("recurring_reminder.id"))
    missed_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"))
    heard_at: Mapped[datetime | None]
    comes: Mapped[bool] = mapped_column(default=False)
    text_from: Mapped[datetime | None]


@dataclass(frozen=True)
class Due:
    """What a reminder's call says. `department`: where a check-up, a revisit or another time for what was `missed` is
    booked, None for a person."""

    about: str
    appointment: Booked | None
    recurring_id: UUID | None
    department: Department | None
    missed: Booked | None = None


# ── What is due ─────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_appointments(
    session: Session, at: datetime, policy: CallingPolicy, *, days_before: int, from_hour: int
) -> int:
    """Plans the reminders of the appointments that are `days_before` days away, and of those for which that would be a
    day without hours for calls, as a Sunday, that follows today; from `from_hour` on (the site's clock). How many were
    new. What was booked since yesterday needs none."""
    local = at.astimezone(policy.zone)
    today = local.date()
    if local.hour < from_hour or not _calls(today, policy.window, from_hour):
        return 0
    following = (today + timedelta(days=days) for days in range(1, MOST_DAYS_WITHOUT_CALLS))
    after = next((day for day in following if _calls(day, policy.window, from_hour)), today + timedelta(days=1))
    first, end = (
        datetime.combine(day + timedelta(days=days_before), time.min, tzinfo=policy.zone) for day in (today, after)
    )
    rows = (
        select(Appointment, Slot.starts_at)
        .join(Slot, Slot.id == Appointment.slot_id)
        .join(Patient, Patient.id == Appointment.patient_id)
        .where(
            Appointment.state == "booked",
            Appointment.booked_at <= at - timedelta(days=1),
            Slot.starts_at >= first,
            Slot.starts_at < end,
            Slot.starts_at > at,
            ~(literal(PURPOSE) == any_(Patient.opted_out)),
            Appointment.id.not_in(select(Reminder.appointment_id).where(Reminder.appointment_id.is_not(None))),
        )
        .with_for_update(of=Appointment, skip_locked=True)
    )
    found = session.execute(rows).all()
    for appointment, starts_at in found:
        remind(session, appointment.patient_id, at, starts_at, policy, appointment_id=appointment.id)
    return len(found)


def _calls(day: date, window: Window, from_hour: int) -> bool:
    """Whether there are hours for calls on this day from `from_hour` on."""
    return any(end > time(from_hour) for _, end in hours_on(day, window))


def plan_recurring(session: Session, at: datetime, policy: CallingPolicy) -> int:
    """Plans the recurring reminders that are due; how many. Each is due again after its days; one that was missed for
    longer, or not wanted meanwhile, is given once."""
    rows = select(RecurringReminder).where(
        RecurringReminder.next_at <= at, RecurringReminder.until > at, RecurringReminder.stopped_at.is_(None)
    )
    opted_out = select(Patient.id).where(literal(PURPOSE) == any_(Patient.opted_out))
    rows = rows.where(RecurringReminder.patient_id.not_in(opted_out))
    found = session.scalars(rows.with_for_update(skip_locked=True)).all()
    for one in found:
        while one.next_at <= at:
            one.next_at = one.next_at.astimezone(policy.zone) + timedelta(days=one.every_days)  # by that clock
        due_until = min(at + WITHIN, one.next_at, one.until)
        remind(session, one.patient_id, at, due_until, policy, recurring_id=one.id)
    return len(found)


def remind(
    session: Session,
    patient_id: UUID,
    at: datetime,
    due_until: datetime,
    policy: CallingPolicy,
    *,
    appointment_id: UUID | None = None,
    recurring_id: UUID | None = None,
    missed_id: UUID | None = None,
) -> None:
    """The one contact in which it is done."""
    task = plan_call(
        session,
        patient_id=patient_id,
        kind=KIND,
        at=at,
        due_at=at,
        due_until=due_until,
        priority=PRIORITY,
        max_tries=policy.automatic_tries,
    )
    about = {"appointment_id": appointment_id, "recurring_id": recurring_id, "missed_id": missed_id}
    session.add(Reminder(task_id=task.id, **about))
    session.flush()
    patient = session.get_one(Patient, patient_id)
    reached = where_reached(session, patient, at)
    unwanted = any(stopped(session, number.number) for number in reached.numbers[:1])
    if patient.reminded_by == "sms" and not unwanted:  # whose number wants no texts any more is called
        task.channel = BY_TEXT


# ── What its call says, and what comes of it ────────────────────────────────────────────────────────────────────────


def still_wanted(session: Session, task_id: UUID, at: datetime) -> bool:
    """Whether there is still something to be reminded of."""
    reminder = session.get_one(Reminder, task_id)
    if reminder.heard_at is not None:
        return False
    if reminder.recurring_id is not None:
        return session.get_one(RecurringReminder, reminder.recurring_id).stopped_at is None
    if reminder.missed_id is not None:
        return bool(session.scalar(select(is_missed()).where(Appointment.id == reminder.missed_id)))
    row = session.execute(
        select(Appointment.state, Slot.starts_at)
        .join(Slot, Slot.id == Appointment.slot_id)
        .where(Appointment.id == reminder.appointment_id)
    ).one()
    return row[0] == "booked" and row[1] > at


def is_missed() -> ColumnElement[bool]:
    """Of an appointment: whether its patient did not come, and has no other one in that department yet."""
    other, where, here = aliased(Appointment), aliased(Slot), aliased(Slot)
    theirs, there = aliased(Doctor), aliased(Doctor)
    booked_since = (
        select(other.id)
        .join(where, where.id == other.slot_id)
        .join(theirs, theirs.id == where.doctor_id)
        .join(there, there.department_id == theirs.department_id)
        .join(here, here.doctor_id == there.id)
        .where(
            here.id == Appointment.slot_id,
            other.patient_id == Appointment.patient_id,
            other.state.in_(("booked", "arrived", "suspended")),
            where.starts_at > here.starts_at,
        )
    )
    return and_(Appointment.state == "no_show", ~booked_since.exists())


def due(session: Session, task_id: UUID) -> Due:
    reminder = session.get_one(Reminder, task_id)
    if reminder.missed_id is not None:
        missed = booked(session, reminder.missed_id)
        rows = select(Department).where(Department.code == missed.department_code)
        return Due("missed", None, None, session.scalars(rows).one(), missed)
    if reminder.appointment_id is not None:
        return Due("appointment", booked(session, reminder.appointment_id), None, None)
    recurring = session.get_one(RecurringReminder, reminder.recurring_id)
    department = session.get_one(Department, recurring.department_id) if recurring.department_id else None
    return Due(recurring.about, None, recurring.id, department)


def heard(session: Session, task_id: UUID, at: datetime, *, comes: bool = False) -> None:
    """The patient has heard it and answered: no call is needed any more. `comes`: said so."""
    session.execute(update(Reminder).where(Reminder.task_id == task_id).values(heard_at=at, comes=comes))


def not_reached(session: Session, task: FollowUpTask, at: datetime) -> None:
    """Its calls are over: a text message, while it still matters (`reminder_texts.py`)."""
    if task.stop_reason not in UNWANTED and task.channel != BY_TEXT:
        session.get_one(Reminder, task.id).text_from = at


# ── What repeats ────────────────────────────────────────────────────────────────────────────────────────────────────


def fewest_days(policy: CallingPolicy) -> int:
    """The days after which a reminder may come again at the earliest, so that no seven days have more than the cap."""
    return 1 if policy.cap_a_week is None else ceil(7 / max(policy.cap_a_week, 1))


def begin(
    session: Session,
    *,
    patient_id: UUID,
    about: str,
    department_id: UUID | None,
    every_days: int,
    first_at: datetime,
    until: datetime,
    account_id: UUID,
    at: datetime,
) -> UUID:
    """A reminder that repeats every so many days until it ends. Raises ValueError for what cannot be."""
    if about not in ABOUT:
        raise ValueError(f"{about!r} is nothing to be reminded of: {', '.join(ABOUT)}")
    if not 1 <= every_days <= 366 or until <= first_at:
        raise ValueError("a reminder repeats every 1 to 366 days and ends after its first time")
    made = RecurringReminder(
        patient_id=patient_id,
        about=about,
        department_id=department_id,
        every_days=every_days,
        next_at=first_at,
        until=until,
        begun_by=account_id,
        begun_at=at,
    )
    session.add(made)
    session.flush()
    audit.record(session, account_id, "reminder.begun", f"patient:{patient_id}", at, about=about, every=every_days)
    announce(session, "reminder", made.id)
    return made.id


def stop(session: Session, recurring_id: UUID, at: datetime, *, by: UUID | None = None, call_id: str = "") -> bool:
    """No more of it: the patient said so in a call, or somebody on the staff. False where it had stopped."""
    patient_id = session.scalar(
        update(RecurringReminder)
        .where(RecurringReminder.id == recurring_id, RecurringReminder.stopped_at.is_(None))
        .values(stopped_at=at)
        .returning(RecurringReminder.patient_id)
    )
    if patient_id is None:
        return False
    audit.record(session, by, "reminder.stopped", f"patient:{patient_id}", at, **({"call": call_id} if call_id else {}))
    announce(session, "reminder", recurring_id)
    return True


def running(session: Session, at: datetime, limit: int = 200) -> list[RecurringReminder]:
    """Those that go on, the next one first."""
    rows = select(RecurringReminder).where(RecurringReminder.stopped_at.is_(None), RecurringReminder.until > at)
    return list(session.scalars(rows.order_by(RecurringReminder.next_at, RecurringReminder.id).limit(limit)))


def newest_contact(session: Session, recurring_id: UUID) -> UUID | None:
    """The task of its last time; None before the first."""
    rows = select(FollowUpTask.id).join(Reminder, Reminder.task_id == FollowUpTask.id)
    rows = rows.where(Reminder.recurring_id == recurring_id)
    return session.scalar(rows.order_by(FollowUpTask.due_at.desc()).limit(1))
