"""The demo's waiting room: a clinic that is going on while the demo starts, so that the front desk and its screen have
somebody to show. All of it is made up.

Who comes to it has no telephone; a patient with one may walk in on a free time behind them, and call from the waiting
room."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import arrivals, booking, patient_search, patients, waiting_rooms
from hospital.accounts import Account
from hospital.booking import Department, Doctor, Slot

DEPARTMENT = "paediatrics"
EACH = timedelta(minutes=15)
FREE = 3
COME = (  # name, born; how they stand
    ("Aroha Ngata", date(2019, 3, 2), "seen"),
    ("Bruno Lima", date(2021, 7, 19), "seen"),
    ("Carmen Díaz", date(2016, 1, 30), "seen"),
    ("Emma Clark", date(2020, 10, 11), "called"),
    ("李安", date(2018, 5, 23), "arrived"),
    ("Hemi Parata", date(2022, 2, 8), "arrived"),
    ("Inés Rojas", date(2017, 12, 5), "booked"),
)


def open_waiting_room(session: Session, zone: ZoneInfo, at: datetime) -> None:
    """Once a day; late in the evening only as much of it as still fits into the day."""
    since, until = arrivals.day_of(at, zone)
    doctor = session.scalars(select(Doctor).join(Department).where(Department.code == DEPARTMENT)).first()
    if doctor is None or waiting_rooms.tickets(session, DEPARTMENT, at, zone):
        return
    taken = set(session.scalars(select(Slot.starts_at).where(Slot.doctor_id == doctor.id)))
    by = session.scalars(select(Account.id).where(Account.username == "tom")).one()
    first = at.replace(second=0, microsecond=0) - 4 * EACH
    times = [first + n * EACH for n in range(len(COME) + FREE)]
    free = [one for one in times if since <= one < until and one not in taken]
    slots = [Slot(doctor_id=doctor.id, starts_at=one, minutes=15) for one in free]
    session.add_all(slots)
    session.flush()
    for slot, (name, born, standing) in zip(slots, COME, strict=False):
        known = patient_search.find(session, name, born, "ZZ")
        child = known[0] if known else patients.register(session, name=name, birth=born, language="en", numbers=[])
        before = slot.starts_at - timedelta(minutes=10)
        booking.hold(session, slot.id, "demo", before)
        visit = booking.confirm(session, slot.id, "demo", child.id, before, "desk").id
        if standing != "booked":
            arrivals.arrive(session, visit, by, min(before, at), zone)
        if standing in ("seen", "called"):
            arrivals.call_in(session, visit, by, slot.starts_at)
        if standing == "seen":
            arrivals.seen(session, visit, by, slot.starts_at + timedelta(minutes=12))
