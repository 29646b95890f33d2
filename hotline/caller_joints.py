"""Where the caller's side meets the domain: the journal of a call, and what a booking sends."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import calls, outbox, patients
from hospital.booking import Booked
from hospital.database import Database
from scripts.wording import Wording

Clock = Callable[[], datetime]


class SqlJournal:
    """`ivr.call.Journal`: a call's row is made with its first step; its last one ends it."""

    def __init__(self, database: Database, call_id: str, node: str, number: str | None, now: Clock) -> None:
        self._database, self._call_id, self._node, self._number, self._now = database, call_id, node, number, now

    async def begin(self) -> None:
        await self._database.run(calls.begin, self._call_id, self._node, self._number, self._now())

    async def step(self, kind: str, **facts: object) -> None:
        await self._database.run(self._write, kind, facts)

    def _write(self, session: Session, kind: str, facts: Mapping[str, Any]) -> None:
        at = self._now()
        calls.step(session, self._call_id, kind, at, **facts)
        if kind == "ended":
            calls.end(session, self._call_id, at, "done")
        elif kind == "caller_left":
            calls.end(session, self._call_id, at, "left")
        elif kind == "transfer":
            calls.queued(session, self._call_id, str(facts.get("queue", "")))


def appointment_message(key: str, now: Clock) -> Callable[[Session, Booked, UUID], None]:
    """The SMS of a booking or a cancellation, queued in the deciding transaction: they stand or fall together (H4)."""

    def queue_it(session: Session, booked: Booked, patient_id: UUID) -> None:
        patient = session.get_one(patients.Patient, patient_id)
        number = next((n for n in patient.numbers if n.safe_to_call and n.invalid_since is None), None)
        if number is None:
            return
        outbox.put(
            session,
            once=f"{key}/{booked.appointment_id}",
            key=key,
            locale=patient.language,
            number=number.number,
            patient_id=patient_id,
            at=now(),
            starts_at=booked.starts_at.isoformat(),
        )

    return queue_it


def rendered(wording: Wording) -> Callable[[str, str, Mapping[str, Any]], str]:
    """An outbox row's text, at sending: hospital, date, time and the number to call, nothing else."""

    def render(key: str, locale: str, params: Mapping[str, Any]) -> str:
        values = {}
        if "starts_at" in params:
            starts_at = datetime.fromisoformat(params["starts_at"])
            values = {"date": starts_at, "time": starts_at}
        return wording.message(key, locale, **values)

    return render
