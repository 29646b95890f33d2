"""Cases: what callers told us, with clocks; heard, owned, noted, closed.

Who has `cases.work` sees messages and red flags; complaints, thanks and low ratings are about colleagues, so they need
`cases.complaints`. Whatever shows a part of a case is a look at it, and playing its voice is audited, too."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session

from hospital import (
    answer_flags,
    audit,
    cases,
    climbing,
    late_cases,
    screen_pops,
    text_replies,
    transcripts,
    voice_alarms,
)
from hospital.accounts import Account
from hospital.audit import AuditRow
from hospital.cases import Case, Note
from hospital.late_cases import Pressing
from hospital.patients import Patient
from hospital.recordings import Recording
from hospital.rota_records import TAKES
from hospital.text_replies import TextReply
from hospital.transcripts import Transcript
from web import words
from web.agent_card import Step, steps_of
from web.case_answers import Told, answers_of
from web.climbs import Climbs, climbs_of
from web.doors import Door, Visitor, denied, pages_of, services
from web.looks import looked
from web.ports import Damaged, NotThere
from web.recordings import replayed
from web.refusals import Refusal

Works = Annotated[Visitor, Depends(Door("cases.work"))]
NOTE_LENGTH = 4000
TRANSCRIPT_LENGTH = 8000
LARGEST = 2**31 - 1  # number of a case
HISTORY = ("case.taken", "case.taken_over", "case.given_back", "case.overdue", "case.closed")
Words = Annotated[str, Form(max_length=NOTE_LENGTH)]

routes = APIRouter()


@dataclass(frozen=True)
class Line:
    """A case in the list: how its clock stands, whose it is; of a red flag its history."""

    case: Case
    standing: str
    owner: Account | None
    mine: bool
    climbs: Climbs | None = None


@dataclass(frozen=True)
class File:
    """A case on its own page."""

    line: Line
    patient: Patient | None
    recording: Recording | None
    notes: list[tuple[Note, Account]]
    outcomes: tuple[str, ...]
    steps: list[Step]  # what the caller did in the automatic service
    texts: list[TextReply]  # messages that came in and belong to it
    details: list[str]  # as codes: what it is about; of a red flag from a form all that were raised
    answers: list[Told]  # that have opened it
    told_in: Case | None  # whose voice has raised this red flag
    may_hear: bool  # that voice: it may be a complaint

    may_take: bool
    history: list[tuple[datetime, str]]  # who took it, gave it back, closed it; of a red flag on its line

    def wants_words(self, account_id: UUID) -> bool:
        """Whether this owner has yet to say in words what was done."""
        return self.line.case.kind in cases.WORDED and account_id not in {writer.id for _, writer in self.notes}


def kinds_of(visitor: Visitor) -> frozenset[str]:
    """The kinds of cases that the visitor may see."""
    return cases.kinds_for(visitor.may)


def _may_take(session: Session, visitor: Visitor, one: Case) -> bool:
    """A red flag stops climbing when it is taken: who is on call takes it, or who has its caller."""
    if one.kind != "red_flag" or visitor.may(TAKES):
        return True
    return one.call_id is not None and screen_pops.has_answered(session, one.call_id, visitor.account_id)


def _line(session: Session, one: Case, account_id: UUID, at: datetime) -> Line:
    owner = session.get(Account, one.owner_id) if one.owner_id else None
    climbs = climbs_of(session, one.id, account_id) if one.kind == "red_flag" else None
    return Line(one, one.standing(at), owner, one.owner_id == account_id, climbs)


def _lists(session: Session, visitor: Visitor, at: datetime) -> dict[str, Any]:
    """`open_count`: of all that are open, which may be more than `still`."""
    kinds = kinds_of(visitor)
    rows = cases.standing_open(session, kinds, visitor.account_id), cases.lately_closed(session, kinds)
    still, closed = ([_line(session, one, visitor.account_id, at) for one in found] for found in rows)
    return {"still": still, "closed": closed, "open_count": cases.how_many_open(session, kinds), "now": at}


def _file(session: Session, case_id: UUID, visitor: Visitor, at: datetime) -> File | None:
    """None where there is no such case, or it is of a kind that the visitor may not see."""
    one = session.get(Case, case_id)
    if one is None or one.kind not in kinds_of(visitor) or one.state in ("draft", "void"):
        return None
    patient = session.get(Patient, one.patient_id) if one.patient_id else None
    recording = session.get(Recording, one.recording_id) if one.recording_id else None
    written = [(note, session.get_one(Account, note.account_id)) for note in cases.notes(session, case_id)]
    line = _line(session, one, visitor.account_id, at)
    steps = steps_of(session, one.call_id) if one.call_id else []
    details = answer_flags.of_case(session, case_id) or [one.detail]
    texts, answers = text_replies.of_case(session, case_id), answers_of(session, case_id)
    told_in = voice_alarms.told_in(session, one)
    return File(
        line,
        patient,
        recording,
        written,
        cases.OUTCOMES[one.kind],
        steps,
        texts,
        details,
        answers,
        told_in,
        may_hear=told_in is not None and told_in.kind in kinds_of(visitor),
        may_take=_may_take(session, visitor, one),
        history=[] if one.kind == "red_flag" else _history(session, case_id),
    )


def _history(session: Session, case_id: UUID) -> list[tuple[datetime, str]]:
    """(When, sentence), the oldest first."""

    def name(account_id: UUID | None) -> str:
        account = session.get(Account, account_id) if account_id else None
        return account.display_name if account else "the command line"

    def said(row: AuditRow) -> str:
        owner, action = row.detail.get("owner"), row.action
        left = action == "case.given_back" and owner is not None
        return words.CASE_STEPS["left" if left else action].format(
            who=name(row.account_id), owner=name(UUID(owner)) if owner else ""
        )

    rows = audit.of_subject(session, f"case:{case_id}", HISTORY)
    return [(row.at, said(row)) for row in reversed(rows)]


async def _allowed(request: Request, visitor: Visitor, case_id: UUID) -> File:
    house = services(request)

    def look(session: Session) -> File | None:
        at = house.clock()
        file = _file(session, case_id, visitor, at)
        if file is not None:
            about: dict[str, Any] = {"patient": str(file.patient.id)} if file.patient else {}
            looked(session, visitor.account_id, "case.read", f"case:{case_id}", at, **about)
        return file

    found = await house.database.run(look)
    if found is None:
        await denied(request, visitor, "cases.complaints", f"case:{case_id}")
        raise Refusal(403, "This case is not for your account, or it does not exist.")
    return found


async def _voice(request: Request, visitor: Visitor, case_id: UUID) -> UUID:
    recording = (await _allowed(request, visitor, case_id)).recording
    if recording is None:
        raise Refusal(404, "There is no sound to this case.")
    return recording.id


@dataclass(frozen=True)
class Heard:
    """What a machine took the voice for, and who corrected it."""

    transcript: Transcript | None
    corrector: Account | None
    expected: bool  # a machine will write it down


def _heard(session: Session, file: File, languages: frozenset[str]) -> Heard | None:
    """None for a case without a voice."""
    if file.recording is None or file.recording.state != "sealed":
        return None
    found = session.get(Transcript, file.recording.id)
    corrector = session.get(Account, found.corrected_by) if found and found.corrected_by else None
    return Heard(found, corrector, file.line.case.language in languages)


async def _transcript(request: Request, visitor: Visitor, case_id: UUID) -> Response:
    file = await _allowed(request, visitor, case_id)
    house = services(request)
    heard = await house.database.run(_heard, file, house.transcribed)
    return pages_of(request).part(request, "cases/transcript.html", heard=heard, one=file.line.case, now=house.clock())


async def _part(request: Request, visitor: Visitor, case_id: UUID) -> Response:
    file = await _allowed(request, visitor, case_id)
    return pages_of(request).part(request, "cases/file.html", file=file, now=services(request).clock())


@routes.get("/cases")
async def page(request: Request, visitor: Works) -> Response:
    house = services(request)
    lists = await house.database.run(_lists, visitor, house.clock())
    return pages_of(request).show(request, "cases/page.html", **lists)


@routes.get("/cases/list")
async def part(request: Request, visitor: Works) -> Response:
    house = services(request)
    lists = await house.database.run(_lists, visitor, house.clock())
    return pages_of(request).part(request, "cases/list.html", **lists)


@routes.get("/cases/alarm")
async def alarm(request: Request, visitor: Works) -> Response:
    """On every page: red flags that nobody has taken, and first the one that the visitor was told of; then their own
    until it has an outcome, and those without one that they were told of; and how many other cases are pressing."""
    house = services(request)

    def look(session: Session) -> tuple[list[tuple[Case, Climbs]], list[Case], list[Case], Pressing]:
        at = house.clock()
        flags = [(one, climbs_of(session, one.id, visitor.account_id)) for one in cases.red_flags(session)]
        owned = cases.owned_red_flags(session)
        late = [one for one in owned if one.decide_by is not None and one.decide_by <= at]
        late = [one for one in late if climbs_of(session, one.id, visitor.account_id).late]
        pressing = late_cases.pressing(session, kinds_of(visitor), at)
        return flags, [one for one in owned if one.owner_id == visitor.account_id], late, pressing

    flags, own, late, pressing = await house.database.run(look)
    told: dict[str, Any] = {"flags": flags, "own": own, "late": late, "pressing": pressing}
    mine = next(((flag, climbs) for flag, climbs in flags if climbs.mine), None)
    return pages_of(request).part(request, "cases/alarm.html", mine=mine, now=house.clock(), **told)


@routes.post("/cases/find")
async def find(request: Request, visitor: Works, number: Annotated[str, Form(max_length=40)] = "") -> Response:
    """A caller asks what has become of it, and says the number."""
    house, wanted = services(request), "".join(number.split())

    def look(session: Session) -> UUID | None:
        known = wanted.isascii() and wanted.isdigit() and int(wanted) <= LARGEST
        one = cases.numbered(session, int(wanted)) if known else None
        found = one if one is not None and one.kind in kinds_of(visitor) else None
        subject = f"case:{one.id}" if one is not None else "cases"
        audit.record(session, visitor.account_id, "cases.find", subject, house.clock(), found=found is not None)
        return found.id if found is not None else None

    case_id = await house.database.run(look)
    if case_id is None:
        raise Refusal(404, "No case of this number is for your account. Complaints are with the supervisors.")
    return RedirectResponse(f"/cases/{case_id}", 303)


@routes.get("/cases/{case_id}")
async def one(request: Request, visitor: Works, case_id: UUID) -> Response:
    file = await _allowed(request, visitor, case_id)
    house = services(request)
    heard = await house.database.run(_heard, file, house.transcribed)
    case = file.line.case
    return pages_of(request).show(request, "cases/one.html", file=file, heard=heard, one=case, now=house.clock())


@routes.get("/cases/{case_id}/file")
async def file_part(request: Request, visitor: Works, case_id: UUID) -> Response:
    return await _part(request, visitor, case_id)


@routes.get("/cases/{case_id}/transcript")
async def transcript(request: Request, visitor: Works, case_id: UUID) -> Response:
    return await _transcript(request, visitor, case_id)


@routes.post("/cases/{case_id}/transcript")
async def correct(request: Request, visitor: Works, case_id: UUID, text: Annotated[str, Form()]) -> Response:
    """What was really said, beside what the machine heard."""
    recording_id = await _voice(request, visitor, case_id)
    written = text.strip()
    if not 0 < len(written) <= TRANSCRIPT_LENGTH:
        raise Refusal(422, f"A transcript has 1 to {TRANSCRIPT_LENGTH} letters.")
    house = services(request)

    def write(session: Session) -> bool:
        done = transcripts.correct(session, recording_id, written, visitor.account_id, house.clock())
        if done:
            audit.record(session, visitor.account_id, "transcript.corrected", f"case:{case_id}", house.clock())
        return done

    if not await house.database.run(write):
        raise Refusal(409, "There is no transcript to correct.")
    return await _transcript(request, visitor, case_id)


@routes.get("/cases/{case_id}/sound")
async def sound(request: Request, visitor: Works, case_id: UUID) -> Response:
    return await replayed(request, visitor, await _voice(request, visitor, case_id))


@routes.get("/cases/{case_id}/peaks")
async def peaks(request: Request, visitor: Works, case_id: UUID) -> Response:
    """The waveform: loudness from 0 to 1."""
    recording_id = await _voice(request, visitor, case_id)
    try:
        return JSONResponse(await services(request).replay.peaks(recording_id))
    except (NotThere, Damaged):
        return JSONResponse([])  # the player shows a plain bar; playing says what is wrong


@routes.post("/cases/{case_id}/own")
async def own(request: Request, visitor: Works, case_id: UUID) -> Response:
    if not (await _allowed(request, visitor, case_id)).may_take:
        await denied(request, visitor, TAKES, f"case:{case_id}")
        raise Refusal(403, "A red flag is taken by a nurse or a doctor, or by who has its caller.")
    house = services(request)
    if not await house.database.run(cases.own, case_id, visitor.account_id, house.clock(), house.facts.case_clocks):
        raise Refusal(409, "Somebody else has taken it, or it is closed.")
    return await _part(request, visitor, case_id)


@routes.post("/cases/{case_id}/take-over")
async def take_over(request: Request, visitor: Works, case_id: UUID, owner: Annotated[UUID, Form()]) -> Response:
    """Who supervises takes it from this owner."""
    await _allowed(request, visitor, case_id)
    if not visitor.may(cases.SUPERVISES):
        await denied(request, visitor, cases.SUPERVISES, f"case:{case_id}")
        raise Refusal(403, "A supervisor takes it over.")
    house = services(request)
    if not await house.database.run(cases.take_over, case_id, visitor.account_id, owner, house.clock()):
        raise Refusal(409, "It is not theirs any more.")
    return await _part(request, visitor, case_id)


@routes.post("/cases/{case_id}/decline")
async def decline(request: Request, visitor: Works, case_id: UUID) -> Response:
    """Who was told of a red flag cannot take it: the next is told at once."""
    await _allowed(request, visitor, case_id)
    house = services(request)
    if not await house.database.run(climbing.decline, case_id, visitor.account_id, house.clock()):
        raise Refusal(409, "It has climbed or was taken already.")
    return await _part(request, visitor, case_id)


@routes.post("/cases/{case_id}/give-back")
async def give_back(request: Request, visitor: Works, case_id: UUID, text: Words = "") -> Response:
    await _allowed(request, visitor, case_id)
    house = services(request)
    if not await house.database.run(cases.give_back, case_id, visitor.account_id, house.clock(), text.strip()):
        raise Refusal(409, "It is not yours any more.")
    return await _part(request, visitor, case_id)


@routes.post("/cases/{case_id}/note")
async def note(request: Request, visitor: Works, case_id: UUID, text: Annotated[str, Form()]) -> Response:
    await _allowed(request, visitor, case_id)
    written = text.strip()
    if not 0 < len(written) <= NOTE_LENGTH:
        raise Refusal(422, f"A note has 1 to {NOTE_LENGTH} letters.")
    house, supervises = services(request), visitor.may(cases.SUPERVISES)

    def write(session: Session) -> bool:
        return cases.note(session, case_id, visitor.account_id, written, house.clock(), supervises=supervises)

    if not await house.database.run(write):
        raise Refusal(409, "Take the case first: only its owner writes notes.")
    return await _part(request, visitor, case_id)


@routes.post("/cases/{case_id}/close")
async def close(
    request: Request, visitor: Works, case_id: UUID, outcome: Annotated[str, Form()] = "", text: Words = ""
) -> Response:
    file = await _allowed(request, visitor, case_id)
    if outcome not in file.outcomes or outcome not in words.CASE_OUTCOMES:
        raise Refusal(422, "Say how the case ended.")
    house = services(request)
    try:
        closed = await house.database.run(
            cases.close, case_id, visitor.account_id, outcome, house.clock(), text.strip()
        )
    except ValueError:
        raise Refusal(422, "Say in words what was done.") from None
    if not closed:
        raise Refusal(409, "Take the case first: only its owner closes it.")
    return await _part(request, visitor, case_id)
