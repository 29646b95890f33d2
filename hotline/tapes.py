"""Where recordings meet the domain: the catalogue, and the tapes that callers speak on.

Apart from `joints.py`, so that the ivr imports nothing of AMI or the console."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import cases, recordings
from hospital.cases import Teller
from hospital.clocks import Clocks, due
from hospital.database import Database
from ivr.care_desk import Tape
from recordings.capture import Capture
from recordings.catalogue import Entry, Missing
from recordings.sealing import Sealed

Clock = Callable[[], datetime]
LEAST_VOICE_S = 0.3


class SqlCatalogue:
    """`recordings.catalogue.Catalogue` on the table `recording`."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database, self._now = database, now

    async def sealed(self, recording_id: UUID, path: str, sealed: Sealed) -> bool:
        return await self._database.run(
            recordings.sealed,
            recording_id,
            path=path,
            seconds=sealed.seconds,
            sha256=sealed.sha256,
            wrapped_key=sealed.wrapped_key,
            at=self._now(),
        )

    async def failed(self, recording_id: UUID, reason: Missing) -> None:
        await self._database.run(recordings.lost, recording_id, reason.value, self._now())

    async def known(self, recording_id: UUID) -> Entry | None:
        def read(session: Session) -> Entry | None:
            row = session.get(recordings.Recording, recording_id)
            return Entry(row.id, row.state, row.sha256, row.wrapped_key, row.reason) if row else None

        return await self._database.run(read)

    async def unfinished(self) -> Collection[UUID]:
        return await self._database.run(recordings.still_open, self._now() - timedelta(minutes=1))


class SpoolTapes:
    """`ivr.care_desk.Tapes`: Asterisk writes to the spool, `capture` seals, the catalogue opens the case."""

    def __init__(self, database: Database, capture: Capture, clocks: Clocks, now: Callable[[], datetime]) -> None:
        self._database, self._capture, self._clocks, self._now = database, capture, clocks, now

    async def begin(self, kind: str, teller: Teller) -> Tape | None:
        if not self._capture.may_record().allowed:
            return None
        recording_id = await self._database.run(self._draft, kind, teller)
        return Tape(recording_id, str(self._capture.begin(recording_id)))

    def _draft(self, session: Session, kind: str, teller: Teller) -> UUID:
        at = self._now()
        recording_id = recordings.open_for(
            session, call_id=teller.call_id, at=at, patient_id=teller.patient_id, kind="message"
        )
        if recording_id is None:
            raise RuntimeError("a recording without an attempt can't be there already")
        cases.draft(session, kind, recording_id, teller, at, due(kind, at, self._clocks))
        return recording_id

    async def finish(self, tape: Tape) -> int | None:
        await self._capture.finish(tape.id, LEAST_VOICE_S)
        kept = await self._database.run(cases.of_recording, tape.id)
        return kept.number if kept is not None else None
