"""What the domain's tests begin with: the standing characters as rows, a clinic with free times, a due task, and
several people doing something at the same moment, each on a connection of their own."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from hospital import followups, patients, questionnaires
from hospital.accounts import Account
from hospital.booking import Department, Doctor, Slot
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy
from hospital.database import CHANNEL, Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from scripts.questionnaire_files import load_questionnaires
from tests.characters import Character
from tests.moments import NOON, ZONE

T = TypeVar("T")

POLICY = CallingPolicy(PRESETS["us"], ZONE)
UNCAPPED = CallingPolicy(PRESETS["us"], ZONE, cap_a_day=None, cap_a_week=None)


def admit(session: Session, character: Character, zone: str | None = ZONE.key) -> Patient:
    """They live near the hospital, whatever country their number is of, unless another `zone` is told; None: nobody
    has told where."""
    return patients.register(
        session,
        name=character.name,
        birth=character.birth,
        language=character.language,
        numbers=list(character.numbers),
        sex=character.sex,
        zone=zone,
    )


def employ(session: Session, username: str, role: str) -> Account:
    """Somebody who never signs in with a password (making a real one takes a while; tests of accounts do)."""
    account = Account(
        username=username, display_name=username.title(), role=role, password_hash="-", sip_username=username
    )
    session.add(account)
    session.flush()
    return account


def library(session: Session) -> None:
    """The questionnaires that are shipped."""
    for one in load_questionnaires()[0].values():
        questionnaires.publish(session, one.id, json.loads(one.body), one.sha256, NOON)


def clinic(session: Session, count: int = 1, *, first: datetime = NOON + timedelta(days=1)) -> list[UUID]:
    """Dr Vega's free times in cardiology, twenty minutes apart."""
    department = Department(code="cardiology", names={"es": "cardiología", "en": "cardiology"})
    session.add(department)
    session.flush()
    doctor = Doctor(department_id=department.id, name="Vega", feminine=True)
    session.add(doctor)
    session.flush()
    slots = [Slot(doctor_id=doctor.id, starts_at=first + n * timedelta(minutes=20)) for n in range(count)]
    session.add_all(slots)
    session.flush()
    return [slot.id for slot in slots]


def day_three(session: Session, patient: Patient, *, due_at: datetime = NOON, **more: int) -> FollowUpTask:
    """The day-3 call after a stay, due."""
    form = questionnaires.publish(session, "discharge_day3", {"items": ["pain"]}, "sha-1", NOON)
    task = followups.plan(
        session, patient_id=patient.id, questionnaire_id=form.id, reason="discharge_day_3", due_at=due_at
    )
    for column, value in more.items():
        setattr(task, column, value)
    session.flush()
    return task


def at_once(database: Database, *verbs: Callable[[Session], T]) -> list[T | Exception]:
    """Each verb in a thread, a connection and a transaction of its own, all let go at the same moment; what each
    returned or raised, in order."""
    start = Barrier(len(verbs))

    def play(verb: Callable[[Session], T]) -> T | Exception:
        try:
            with database.transaction() as session:
                session.connection()
                start.wait(10)
                return verb(session)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(verbs)) as crowd:
        return list(crowd.map(play, verbs))


@contextmanager
def listening(database: Database) -> Iterator[Callable[[], list[str]]]:
    """LISTEN as a page's process does; the function gives what has been notified so far."""
    url = database.url.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")

        def heard() -> list[str]:
            connection.execute("SELECT 1")  # what was committed before this has been delivered with its answer
            return [notice.payload for notice in connection.notifies(timeout=0)]

        yield heard
