"""Where the caller's side meets the domain: the journal of a call, and what a booking sends."""

from base64 import b64decode
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import callbacks, calls, outbox, patients, vault
from hospital.booking import Booked, Told
from hospital.calling_rules import where_reached
from hospital.database import Database
from hospital.outbox import LINK, LINK_SEALED
from messages.talking import unsealed
from scripts.placeholders import Value
from scripts.wording import Wording

Clock = Callable[[], datetime]


class SqlJournal:
    """`ivr.call.Journal`: a call's row is made with its first step; its last one ends it."""

    def __init__(
        self, database: Database, call_id: str, node: str, number: str | None, now: Clock, direction: str = "in"
    ) -> None:
        self._database, self._call_id, self._node, self._number, self._now = database, call_id, node, number, now
        self._direction = direction

    async def begin(self) -> None:
        await self._database.run(calls.begin, self._call_id, self._node, self._number, self._now(), self._direction)

    async def step(self, kind: str, **facts: object) -> None:
        await self._database.run(self._write, kind, facts)

    def _write(self, session: Session, kind: str, facts: Mapping[str, Any]) -> None:
        at = self._now()
        if kind == "caller_left":
            callbacks.caller_gone(session, self._call_id, at)
        calls.step(session, self._call_id, kind, at, **facts)
        if kind == "ended":
            calls.end(session, self._call_id, at, "done")
        elif kind == "transfer":
            calls.queued(session, self._call_id, str(facts.get("queue", "")))


class UnwrittenJournal:
    """`ivr.call.Journal` of a call that is turned away: a flood of such calls leaves no rows. When the caller asks
    for a person (the step `throttled`) the call is written down from there on, as any other."""

    def __init__(self, journal: SqlJournal) -> None:
        self._journal, self._begun = journal, False

    async def step(self, kind: str, **facts: object) -> None:
        if kind == "throttled" and not self._begun:
            await self._journal.begin()
            self._begun = True
        if self._begun:
            await self._journal.step(kind, **facts)


class AppointmentMessages(TypedDict):
    """What `OwnDesk` is given to tell."""

    confirmed: Told
    cancelled: Told
    moved: Told


def appointment_messages(now: Clock, site_says: Callable[[], Collection[str]]) -> AppointmentMessages:
    """The text messages of a booking, a move and a cancellation, queued in the deciding transaction: they stand or
    fall together (H4). How to prepare comes as a message of its own, in the site's words, without saying for what."""

    def tell(key: str, prepare: bool) -> Told:
        def queue_them(session: Session, booked: Booked, patient_id: UUID) -> None:
            codes = [f"prepare_{code}" for code in booked.preparation] if prepare else []
            for one in (key, *(code for code in codes if code in site_says())):
                _queue(session, one, booked, patient_id, now())

        return queue_them

    return AppointmentMessages(
        confirmed=tell("appointment_confirmed", prepare=True),
        cancelled=tell("appointment_cancelled", prepare=False),
        moved=tell("appointment_moved", prepare=True),
    )


def _queue(session: Session, key: str, booked: Booked, patient_id: UUID, at: datetime) -> None:
    """To where they are reached: a child's guardian first. Nothing of who is said to have died."""
    patient = session.get_one(patients.Patient, patient_id)
    if patient.deceased_at is not None or patient.death_reported_at is not None:
        return
    reached = where_reached(session, patient, at)
    if not reached.numbers:
        return
    outbox.put(
        session,
        once=f"{key}/{booked.appointment_id}",
        key=key,
        locale=reached.language,
        number=reached.numbers[0].number,
        patient_id=patient_id,
        at=at,
        useful_until=booked.starts_at,
        starts_at=booked.starts_at.isoformat(),
    )


def rendered(wording: Callable[[], Wording]) -> Callable[[str, str, Mapping[str, Any]], str]:
    """An outbox row's text, at sending: hospital, date, time, a link and the number to call, nothing else."""

    def render(key: str, locale: str, params: Mapping[str, Any]) -> str:
        values: dict[str, Value] = {}
        if "starts_at" in params:
            starts_at = datetime.fromisoformat(params["starts_at"])
            values = {"date": starts_at, "time": starts_at}
        if "local" in params:  # on the clock of whoever reads it
            local = datetime.fromisoformat(params["local"])
            values |= {"date": local.date(), "time": local.time()}
        if LINK_SEALED in params:
            values["link"] = vault.unseal(b64decode(params[LINK_SEALED]), LINK)
        if "text_sealed" in params:
            values["asked"] = {locale: unsealed(params)}
        values |= {name: params[name] for name in ("case", "caller", "n", "ticket", "minutes") if name in params}
        return wording().message(key, locale, **values)

    return render
