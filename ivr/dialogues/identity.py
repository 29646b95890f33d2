"""Who are you? Two identifiers before anything that is somebody's: the calling number and what the site asks first, or
two that are typed.

Who is not found by the number and the first is asked the second as well, whether the number is known, unknown or
withheld: so nobody learns from the questions whose number it is. Three times nobody found: nothing is disclosed, a
person takes over, and the machine asks this number nothing for an hour. The calling number is locked, never the
patient. A guardian says for whom the call is; who calls is written down.

Where we have called, it is known who should have answered (`prove`): only their answers open anything.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NoReturn

from sqlalchemy.orm import Session

from hospital import calls, identifiers, number_locks, patients
from hospital.identifier_kinds import Identifier
from hospital.patients import Patient
from ivr.call import PACES, Call
from ivr.choosing import choose
from ivr.dialogues.naming import told_apart
from ivr.dialogues.newcomer import note_newcomer
from ivr.front_desk import FrontDesk
from ivr.readings import BirthDate

OLDEST = 1880


async def identify(call: Call, front: FrontDesk) -> Patient | None:
    """The patient of this matter; None for somebody new, who is noted; or a transfer to a person. Who calls is asked
    once a call; a guardian says for each matter for whom it is."""
    known = await front.database.run(_known, call.id, front.now())
    if known is not None:
        return await _of_this_matter(call, front, known)
    if await front.database.run(number_locks.is_locked, call.caller_number, front.now()):
        await _give_up(call, "number_locked")
    if call.caller_number is None and len(front.identifiers) < identifiers.NEEDED:
        await _give_up(call, "number_withheld")
    for attempt in range(front.tries):
        asked = await _ask(call, front, front.identifiers[: identifiers.NEEDED], again=attempt > 0)
        if asked.found:
            caller = await _one_of(call, "who_are_you_several", asked.found)
            call.new_matter = False
            return await _confirmed(call, front, caller, asked.by)
        if asked.locked or attempt + 1 == front.tries:
            break
        if await call.menu("not_found", keys="12") == "2":
            await note_newcomer(call, front, asked.told.get("birth_date") or await _birth_date(call, front, again=True))
            return None
    await _give_up(call, "not_identified")


async def prove(call: Call, front: FrontDesk, person: Patient, patient: Patient) -> None:
    """Whoever answered our call is `person`: the dialled number, and what the site asks. `patient` is whom it is about,
    `person` or their ward. Else a transfer to a person; also where the record has nothing to ask for, as of a guardian
    of whom a list told the name alone: that is no failure of theirs."""
    wanted = [kind for kind in front.identifiers[: identifiers.NEEDED] if identifiers.on_record(person, kind)]
    if not wanted:
        await call.transfer("reception", "nothing_on_record")
    if await front.database.run(number_locks.is_locked, call.caller_number, front.now()):
        await _give_up(call, "number_locked")
    for attempt in range(front.tries):
        asked = await _ask(call, front, wanted, again=attempt > 0, only=person)
        if asked.found:
            _slow_down(call, front, person)
            await _greet(call, person)
            await _write_down(call, front, person, patient, asked.by)
            return
        if asked.locked:
            break
    await _give_up(call, "not_identified")


@dataclass(frozen=True)
class _Known:
    """Of whom the call was last, who calls, and for whom else they may speak."""

    patient: Patient
    caller: Patient
    wards: list[Patient]
    by: list[str]


@dataclass
class _Asked:
    """What was told in one go, who was found by it, and whether the number is locked now."""

    told: dict[Identifier, str] = field(default_factory=dict, repr=False)  # may be a birth date
    found: list[Patient] = field(default_factory=list)
    by: list[str] = field(default_factory=list)
    locked: bool = False


async def _ask(
    call: Call, front: FrontDesk, wanted: Sequence[Identifier], again: bool, only: Patient | None = None
) -> _Asked:
    """A wrong answer is counted as soon as it tells something, once a go: whoever goes back or hangs up before the
    second question has guessed all the same. `only`: nobody else is found."""
    asked, number, counted = _Asked(), call.caller_number, False
    for kind in wanted:
        asked.told[kind] = await ASKED[kind](call, front, again)
        asked.found = await front.database.run(identifiers.matching, number, asked.told)
        asked.by = [*(["number"] if number else []), *asked.told]
        if not asked.found:
            asked.found, asked.by = await front.database.run(identifiers.matching, None, asked.told), list(asked.told)
        asked.found = [one for one in asked.found if only is None or one.id == only.id]
        if asked.found:
            break
        if not counted and (number is not None or kind == wanted[-1]):
            asked.locked, counted = await _count_failure(call, front, asked), True
        if asked.locked:
            break
    return asked


async def _count_failure(call: Call, front: FrontDesk, asked: _Asked) -> bool:
    locked = await front.database.run(
        number_locks.identity_failed, call.caller_number, front.now(), tries=front.tries, lock=front.lock
    )
    await call.journal.step("not_identified", by=list(asked.told), locked=locked)
    return locked


async def _confirmed(call: Call, front: FrontDesk, caller: Patient, by: list[str]) -> Patient:
    _slow_down(call, front, caller)
    await _greet(call, caller)
    wards = await front.database.run(patients.wards, caller.id, front.now())
    patient = await _one_of(call, "for_whom", [caller, *wards])
    await _is_about(call, front, caller, patient, by)
    return patient


async def _of_this_matter(call: Call, front: FrontDesk, known: _Known) -> Patient:
    if not call.new_matter or not known.wards:
        return known.patient
    call.new_matter = False
    patient = await _one_of(call, "for_whom", [known.caller, *known.wards])
    if patient.id != known.patient.id:
        await _is_about(call, front, known.caller, patient, known.by)
    return patient


async def _is_about(call: Call, front: FrontDesk, caller: Patient, patient: Patient, by: list[str]) -> None:
    await _write_down(call, front, caller, patient, by)
    if front.tell_first is not None:
        await front.tell_first(call, front, patient)


async def _greet(call: Call, person: Patient) -> None:
    """By name, which nobody can have recorded: where it can't be said, who it is goes on, and is written down."""
    if call.sayable("recognised", call.language):
        await call.say("recognised", given_name=person.name.split()[0])


def _slow_down(call: Call, front: FrontDesk, caller: Patient) -> None:
    if front.slowly(caller.birth_year):
        call.pace = min(call.pace, PACES[1])


async def _write_down(call: Call, front: FrontDesk, caller: Patient, patient: Patient, by: list[str]) -> None:
    proxy = caller.id if patient.id != caller.id else None

    def write_down(session: Session) -> None:
        number_locks.identity_confirmed(session, call.caller_number)
        calls.update_call(session, call.id, patient_id=patient.id, identified_by=by, proxy_id=proxy)

    await front.database.run(write_down)
    await call.journal.step("identified", by=by)
    if proxy is not None:
        await call.journal.step("proxy", caller=str(proxy))


async def _one_of(call: Call, question: str, several: list[Patient]) -> Patient:
    """Twins on their mother's number; or a guardian, and for whom they may speak."""
    if len(several) == 1:
        return several[0]
    called = dict(zip(several, told_apart([(one.name, one.birth_date) for one in several]), strict=True))
    return await choose(call, question, several, lambda one: {"given_name": called[one]}, n=len(several))


async def _birth_date(call: Call, front: FrontDesk, again: bool) -> str:
    """Eight keys, or said, as an ISO date. A date that doesn't exist is asked again; it is no wrong answer."""
    reading = BirthDate(front.now().astimezone(front.zone).date())
    for _ in range(front.tries):
        typed = await call.digits("ask_birth_date.short" if again else "ask_birth_date", length=8, reading=reading)
        born = _date(typed, front.now())
        if born is not None:
            return born.isoformat()
        await call.say("birth_date_not_a_date")
        again = False
    await _give_up(call, "no_birth_date")


def _date(typed: str, now: datetime) -> date | None:
    """Day first, or year first as in Chinese. Nobody is asked which: no year since 1880 begins as a month ends."""
    for day, month, year in ((typed[:2], typed[2:4], typed[4:]), (typed[6:], typed[4:6], typed[:4])):
        try:
            born = date(int(year), int(month), int(day))
        except ValueError:
            continue
        if born.year >= OLDEST and born <= now.date():
            return born
    return None


async def _document_last4(call: Call, front: FrontDesk, again: bool) -> str:
    return await call.digits("ask_document_last4", length=4, star_is_x=True)


async def _card_number(call: Call, front: FrontDesk, again: bool) -> str:
    return await call.digits("ask_card_number", minimum=3, maximum=12)


async def _nhi(call: Call, front: FrontDesk, again: bool) -> str:
    return await call.digits("ask_nhi", length=7, aloud=False)  # letters are too much alike to be understood


async def _pin(call: Call, front: FrontDesk, again: bool) -> str:
    return await call.digits("ask_pin", minimum=4, maximum=8, aloud=False)


ASKED: dict[Identifier, Callable[[Call, FrontDesk, bool], Awaitable[str]]] = {
    "birth_date": _birth_date,
    "document_last4": _document_last4,
    "card_number": _card_number,
    "nhi": _nhi,
    "pin": _pin,
}


async def _give_up(call: Call, reason: str) -> NoReturn:
    await call.say("identity_failed")
    await call.transfer("reception", reason)


def _known(session: Session, call_id: str, at: datetime) -> _Known | None:
    row = session.get(calls.Call, call_id)
    if row is None or row.patient_id is None or len(row.identified_by) < identifiers.NEEDED:
        return None
    patient = session.get_one(Patient, row.patient_id)
    caller = session.get_one(Patient, row.proxy_id) if row.proxy_id else patient
    return _Known(patient, caller, patients.wards(session, caller.id, at), list(row.identified_by))
