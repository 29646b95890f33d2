"""Eight callers reach for one slot at the same moment, slot after slot: our verbs, and raw SQL on psycopg.

    python -m benchmarks.bench_booking [--json]

Each caller holds the slot in one transaction and confirms it in another, as a call does; one of them gets it. The
peer sends the same conditional statements over a bare connection, without sessions and mapped classes. Both work on
the same private PostgreSQL with its production durability, in alternating rounds; the median counts. What is counted
is slots a second; after each round every slot must have exactly one appointment.
"""

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import psycopg
from sqlalchemy import func, select

from benchmarks import table
from benchmarks.table import Row
from hospital import booking, vault
from hospital.booking import Appointment, Department, Doctor, Slot, SlotTaken
from hospital.database import CHANNEL, Database
from hotline import databases, postgres
from tests.characters import LUCIA
from tests.hospital_scene import admit
from tests.site_key import SITE_KEY

CALLERS, SLOTS, ROUNDS = 8, 40, 5
AT = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
OF_RAW = 0.2  # what the mapped classes and their checks may cost
SLOTS_A_SECOND = 20.0  # a hospital of a million visits a year confirms less than one

Reach = Callable[[int, UUID], bool]
"""(which caller, slot) → whether that caller has it."""

HOLD = """
    INSERT INTO hold (slot_id, holder, expires_at)
    SELECT s.id, %(holder)s, %(until)s FROM slot s
     WHERE s.id = %(slot)s AND s.state = 'open' AND s.starts_at > %(at)s
       AND NOT EXISTS (SELECT FROM appointment a WHERE a.slot_id = s.id AND a.state <> 'cancelled')
    ON CONFLICT (slot_id, seat) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE hold.expires_at <= %(at)s OR (hold.holder = excluded.holder AND hold.expires_at < 'infinity')"""
STILL_OPEN = "SELECT 1 FROM slot WHERE id = %(slot)s AND state = 'open' AND starts_at > %(at)s FOR SHARE"
KEEP = """
    UPDATE hold SET expires_at = 'infinity'
     WHERE slot_id = %(slot)s AND holder = %(holder)s AND expires_at > %(at)s AND expires_at < 'infinity'"""
BOOK = """
    INSERT INTO appointment (id, slot_id, patient_id, state, booked_via, confirmation, booked_at)
    VALUES (%(id)s, %(slot)s, %(patient)s, 'booked', 'ivr', %(confirmation)s, %(at)s)"""


def main() -> int:
    logging.disable(logging.WARNING)
    vault.unlock(SITE_KEY)
    with (
        tempfile.TemporaryDirectory(prefix="bench-booking-") as folder,
        postgres.running(postgres.Cluster(Path(folder) / "data")) as cluster,
    ):
        databases.ensure_database(cluster)
        database = Database(cluster.url(), connections=CALLERS)
        try:
            rows = measure(database)
        finally:
            database.close()
    return table.show(rows)


def measure(database: Database) -> list[Row]:
    with database.transaction() as session:
        patient = admit(session, LUCIA).id
        department = Department(code="cardiology", names={"en": "cardiology"})
        session.add(department)
        session.flush()
        doctor = Doctor(department_id=department.id, name="Vega")
        session.add(doctor)
        session.flush()
        doctor_id = doctor.id
    url = database.url.replace("postgresql+psycopg", "postgresql")
    connections = [psycopg.connect(url, autocommit=True) for _ in range(CALLERS)]
    sides = {"ours": through_verbs(database, patient), "raw": through_sql(connections, patient)}
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    try:
        for n in range(ROUNDS + 1):
            for name, reach in sides.items():
                speeds[name].append(one_round(database, doctor_id, reach, n))
    finally:
        for connection in connections:
            connection.close()
    ours, raw = (statistics.median(each[1:]) for each in speeds.values())  # the first round opens connections
    name = f"{CALLERS} callers book one hot slot"
    return [Row(name, "raw SQL (psycopg)", ours, raw, "/s", at_least=OF_RAW, limit=SLOTS_A_SECOND)]


def one_round(database: Database, doctor_id: UUID, reach: Reach, day: int) -> float:
    """Slots a second."""
    slots = _free_slots(database, doctor_id)
    together = Barrier(CALLERS)

    def call(caller: int) -> int:
        won = 0
        for slot in slots:
            together.wait(30)
            won += reach(caller, slot)
        return won

    with ThreadPoolExecutor(CALLERS) as crowd:
        begun = time.perf_counter()
        won = sum(crowd.map(call, range(CALLERS)))
        took = time.perf_counter() - begun
    with database.transaction() as session:
        booked = session.scalar(select(func.count()).where(Appointment.slot_id.in_(slots)))
    assert won == booked == len(slots), f"round {day}: {won} callers think that they have one of {len(slots)}: {booked}"
    return len(slots) / took


def _free_slots(database: Database, doctor_id: UUID) -> list[UUID]:
    with database.transaction() as session:
        taken = session.scalar(select(func.count()).select_from(Slot)) or 0
        starts = (AT + timedelta(days=1, minutes=20 * n) for n in range(taken, taken + SLOTS))
        slots = [Slot(doctor_id=doctor_id, starts_at=at) for at in starts]
        session.add_all(slots)
        session.flush()
        return [slot.id for slot in slots]


def through_verbs(database: Database, patient: UUID) -> Reach:
    def reach(caller: int, slot: UUID) -> bool:
        holder = f"n1-{caller}"
        try:
            with database.transaction() as session:
                booking.hold(session, slot, holder, AT)
            with database.transaction() as session:
                booking.confirm(session, slot, holder, patient, AT, "ivr")
        except SlotTaken:
            return False
        return True

    return reach


def through_sql(connections: list[psycopg.Connection], patient: UUID) -> Reach:
    def reach(caller: int, slot: UUID) -> bool:
        connection = connections[caller]
        asked = {"slot": slot, "holder": f"n1-{caller}", "at": AT, "until": AT + booking.HOLD}
        if connection.execute(HOLD, asked).rowcount != 1:
            return False
        with connection.transaction():
            if not connection.execute(STILL_OPEN, asked).fetchone() or connection.execute(KEEP, asked).rowcount != 1:
                return False
            made = {"id": uuid4(), "patient": patient, "confirmation": f"{asked['holder']}/{slot}/{uuid4().hex[:8]}"}
            connection.execute(BOOK, {**asked, **made})
            connection.execute("SELECT pg_notify(%s, %s)", [CHANNEL, f"slot:{slot}"])
        return True

    return reach


if __name__ == "__main__":
    sys.exit(main())
