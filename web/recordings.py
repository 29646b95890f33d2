"""Recordings: found, replayed, checked; and who heard them before.

A nurse finds her own, who has `recordings.all` everybody's. Each replay is audited when its sound is first asked for
(a player asks for many parts), and each check too."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from sqlalchemy.orm import Session

from hospital import accounts, audit, patient_search, recordings
from hospital.accounts import Account
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.recordings import Recording
from web.doors import Door, Visitor, denied, pages_of, services
from web.looks import looked
from web.ports import Damaged, NotThere, Services
from web.refusals import Refusal

Hears = Annotated[Visitor, Depends(Door("recordings.own"))]
SAME_REPLAY = timedelta(minutes=10)
LATELY, SHOWN = 300, 100

routes = APIRouter()


@dataclass(frozen=True)
class Heard:
    """Somebody played or checked it."""

    at: datetime
    who: str
    action: str


@dataclass(frozen=True)
class Line:
    """A recording, and what it belongs to."""

    recording: Recording
    patient: Patient | None
    speaker: Account | None
    task: FollowUpTask | None


def _line(session: Session, row: Recording) -> Line:
    attempt = session.get(Attempt, row.attempt_id) if row.attempt_id else None
    return Line(
        row,
        session.get(Patient, row.patient_id) if row.patient_id else None,
        session.get(Account, row.account_id) if row.account_id else None,
        session.get(FollowUpTask, attempt.task_id) if attempt else None,
    )


def _found(session: Session, visitor: Visitor, wanted: str, house: Services) -> list[Line]:
    """Newest first. `wanted`: what a patient is looked for by (`patient_search`), a part of the nurse's name, or among
    the newest a part of the patient's, which is looked for here, not in SQL, because names are sealed."""
    whose = None if visitor.may("recordings.all") else visitor.account_id
    lately = [_line(session, row) for row in recordings.newest(session, account_id=whose, limit=LATELY)]
    word = wanted.casefold().strip()
    found = lately
    if word:
        people = [one.id for one in patient_search.find(session, wanted, None, house.facts.country or "ZZ")]
        staff = [one.id for one in accounts.staff(session) if word in one.display_name.casefold()]
        rows = recordings.of_people(session, people, staff, account_id=whose, limit=SHOWN)
        lines = [_line(session, row) for row in rows] + [one for one in lately if word in _names(one).casefold()]
        found = list({line.recording.id: line for line in lines}.values())
        found.sort(key=lambda line: line.recording.started_at, reverse=True)
    found = found[:SHOWN]
    shown = sorted({str(line.patient.id) for line in found if line.patient})
    if shown:
        looked(session, visitor.account_id, "recordings.find", "recordings", house.clock(), patients=shown)
    return found


def _names(line: Line) -> str:
    return " ".join(
        name for name in (line.patient and line.patient.name, line.speaker and line.speaker.display_name) if name
    )


def _heard(session: Session, recording_id: UUID) -> list[Heard]:
    rows = audit.of_subject(session, f"recording:{recording_id}", ("recording.play", "recording.verify"))
    names = {account.id: account.display_name for account in session.query(Account)}
    return [Heard(row.at, names.get(row.account_id, "?") if row.account_id else "?", row.action) for row in rows]


def _one(session: Session, recording_id: UUID, visitor: Visitor) -> tuple[Line, list[Heard]] | None:
    """One recording; None where there is none or the visitor may not hear it."""
    row = session.get(Recording, recording_id)
    if row is None or (row.account_id != visitor.account_id and not visitor.may("recordings.all")):
        return None
    return _line(session, row), _heard(session, recording_id)


async def _allowed(request: Request, visitor: Visitor, recording_id: UUID) -> tuple[Line, list[Heard]]:
    found = await services(request).database.run(_one, recording_id, visitor)
    if found is None:
        await denied(request, visitor, "recordings.all", f"recording:{recording_id}")
        raise Refusal(403, "This recording is not yours, or it does not exist.")
    return found


@routes.get("/recordings")
async def page(request: Request, visitor: Hears) -> Response:
    house = services(request)
    lines = await house.database.run(_found, visitor, "", house)
    return pages_of(request).show(request, "recordings/page.html", lines=lines, now=house.clock())


@routes.post("/recordings/find")
async def find(request: Request, visitor: Hears) -> Response:
    """A POST, because a name must not stand in an address."""
    house = services(request)
    wanted = str((await request.form()).get("wanted", ""))[:100]
    lines = await house.database.run(_found, visitor, wanted, house)
    return pages_of(request).part(request, "recordings/list.html", lines=lines, now=house.clock(), wanted=wanted)


@routes.get("/recordings/{recording_id}")
async def one(request: Request, visitor: Hears, recording_id: UUID) -> Response:
    line, heard = await _allowed(request, visitor, recording_id)
    if line.patient is not None:
        house = services(request)
        await house.database.run(looked, visitor.account_id, "record.read", f"patient:{line.patient.id}", house.clock())
    return pages_of(request).show(request, "recordings/one.html", line=line, heard=heard)


@routes.get("/recordings/{recording_id}/heard")
async def heard_part(request: Request, visitor: Hears, recording_id: UUID) -> Response:
    _, heard = await _allowed(request, visitor, recording_id)
    return pages_of(request).part(request, "recordings/heard.html", heard=heard)


@routes.get("/recordings/{recording_id}/peaks")
async def peaks(request: Request, visitor: Hears, recording_id: UUID) -> Response:
    """The waveform: loudness from 0 to 1."""
    await _allowed(request, visitor, recording_id)
    try:
        return JSONResponse(await services(request).replay.peaks(recording_id))
    except (NotThere, Damaged):
        return JSONResponse([])  # the player shows a plain bar; playing says what is wrong


@routes.get("/recordings/{recording_id}/sound")
async def sound(request: Request, visitor: Hears, recording_id: UUID) -> Response:
    await _allowed(request, visitor, recording_id)
    return await replayed(request, visitor, recording_id)


async def replayed(request: Request, visitor: Visitor, recording_id: UUID) -> Response:
    """The WAV, or the part of it that a Range header asks for; audited. Who may hear it has been asked before."""
    house = services(request)
    wanted = request.headers.get("range")
    from_start = wanted is None or wanted.replace(" ", "").startswith("bytes=0-")
    # asked for from its first byte it is a replay of its own; a later part belongs to one within SAME_REPLAY
    same = timedelta(seconds=2) if from_start else SAME_REPLAY
    await house.database.run(
        looked, visitor.account_id, "recording.play", f"recording:{recording_id}", house.clock(), same=same
    )
    try:
        reply = await house.replay.reply(recording_id, wanted)
    except NotThere:
        raise Refusal(404, "There is no sound to this call.") from None
    except Damaged:
        raise Refusal(409, "This recording is damaged: it is not as it was sealed. Tell your supervisor.") from None
    return StreamingResponse(_sent(reply.body), reply.status, dict(reply.headers))


def _sent(body: Iterator[bytes]) -> Iterator[bytes]:
    """The parts; one that does not verify breaks the answer off, so that nothing damaged is heard as if whole."""
    try:
        yield from body
    except Exception as error:
        raise ConnectionAbortedError(f"a recording was broken off ({type(error).__name__})") from None


@routes.post("/recordings/{recording_id}/verify")
async def verify(request: Request, visitor: Hears, recording_id: UUID) -> Response:
    """Every byte is read and compared with what was sealed."""
    await _allowed(request, visitor, recording_id)
    house = services(request)
    verdict: Literal["whole", "damaged", "absent"]
    try:
        await house.replay.verify(recording_id)
        verdict = "whole"
    except Damaged:
        verdict = "damaged"
    except NotThere:
        verdict = "absent"

    def note(session: Session) -> None:
        subject = f"recording:{recording_id}"
        audit.record(session, visitor.account_id, "recording.verify", subject, house.clock(), verdict=verdict)

    await house.database.run(note)
    return pages_of(request).part(request, "recordings/verdict.html", verdict=verdict)
