"""What an agent sees of the call that rings or is talked: read in one transaction, as plain facts for a template.

Nothing clinical is in the card itself; `record` gives that, after two identifiers are ticked, and each look is
audited. Somebody else's pop is None here (I9), and so is one's own after WRITE_UP: what an agent may read ends with
the work that it was for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import calls, patients, plan_changes, return_calls, screen_pops
from hospital.calls import Call
from hospital.followups import FollowUpTask
from hospital.patients import Candidate, History, Patient
from hospital.screen_pops import IDENTIFIERS_TO_OPEN, Noted, ScreenPop
from web import words
from web.looks import looked

WRITE_UP = timedelta(hours=1)  # how long the card of an ended call stays open for the note

Sure = Literal["identified", "ticked", "only_one", "one_of_several", "chosen", "unknown"]


@dataclass(frozen=True)
class Step:
    """A line of what the caller did in the IVR."""

    at: datetime
    words: str


@dataclass(frozen=True)
class Card:
    pop: ScreenPop
    call: Call
    patient: Patient | None
    sure: Sure
    candidates: list[Candidate]
    identifiers: list[tuple[str, str]]  # code, the value in the record that the caller's word is compared with
    opened: bool
    returns: FollowUpTask | None  # they call back about it
    lost_at: datetime | None = None  # when the family lost a child, if it did
    others: Sequence[Noted] = ()  # notes of colleagues on this call

    @property
    def sentence(self) -> str:
        """Who it is and how sure that is."""
        guardian = " Who calls is not the patient but speaks for them." if self.call.proxy_id else ""
        return {
            "identified": f"Identified by the automatic service: {words.said_by(self.call.identified_by)}.{guardian}",
            "ticked": f"Identified by you: {words.said_by(self.pop.ticked)}.{guardian}",
            "only_one": "Probably: the only patient with this number.",
            "one_of_several": f"One of {len(self.candidates)} patients with this number. Ask who is calling.",
            "chosen": f"Chosen by you from {len(self.candidates)} patients with this number.",
            "unknown": "No patient has this number." if self.call.number else "The number is withheld.",
        }[self.sure]


@dataclass(frozen=True)
class Record:
    """What opens with two ticks: past visits and stays, and the last notes on the patient's calls."""

    history: History
    notes: list[Noted]


def newest(session: Session, account_id: UUID, at: datetime) -> UUID | None:
    """The pop that is on this agent's page now."""
    return next((pop.id for pop in screen_pops.pops_of(session, account_id) if _readable(pop, at)), None)


def card(session: Session, pop_id: UUID, account_id: UUID, at: datetime) -> Card | None:
    """The agent's own card; None for another's and for one that was missed or is closed."""
    pop = _own(session, pop_id, account_id, at)
    if pop is None:
        return None
    call = session.get_one(Call, pop.call_id)
    patient = session.get(Patient, pop.patient_id) if pop.patient_id else None
    known = patients.candidates(session, call.number)
    for seen in {c.patient.id for c in known} | ({patient.id} if patient else set()):
        looked(session, account_id, "card.read", f"patient:{seen}", at)
    if patient is not None:
        _ = patient.identifiers  # read now: the session is gone when the template asks
    opened = patient is not None and len(pop.ticked) >= IDENTIFIERS_TO_OPEN
    return Card(
        pop,
        call,
        patient,
        _sure(call, patient, known, opened),
        known,
        _identifiers(patient, call, known),
        opened,
        return_calls.of_call(session, call.id),
        plan_changes.loss(session, patient.id) if patient is not None else None,
        screen_pops.notes_of_others(session, pop),
    )


def _own(session: Session, pop_id: UUID, account_id: UUID, at: datetime) -> ScreenPop | None:
    pop = session.get(ScreenPop, pop_id)
    return pop if pop is not None and pop.account_id == account_id and _readable(pop, at) else None


def _readable(pop: ScreenPop, at: datetime) -> bool:
    return pop.state != "missed" and (pop.ended_at is None or at < pop.ended_at + WRITE_UP)


def was_theirs(session: Session, pop_id: UUID, account_id: UUID) -> bool:
    """Whether a card that cannot be read (any more) had been this agent's: then asking for it is no offence."""
    pop = session.get(ScreenPop, pop_id)
    return pop is not None and pop.account_id == account_id


def _sure(call: Call, patient: Patient | None, known: list[Candidate], opened: bool) -> Sure:
    if patient is None:
        return "one_of_several" if known else "unknown"
    if call.patient_id == patient.id and len(call.identified_by) >= IDENTIFIERS_TO_OPEN:
        return "identified"
    if opened:
        return "ticked"
    return "only_one" if len(known) <= 1 else "chosen"


def _identifiers(patient: Patient | None, call: Call, known: list[Candidate]) -> list[tuple[str, str]]:
    """What may be ticked. The number only where the patient has the very one that calls; caller ids can be forged,
    so it is ticked by a person too, and never by itself."""
    if patient is None:
        return []
    told = [("name", patient.name)]
    if patient.birth_date:
        told.append(("birth_date", f"{patient.birth_date.day} {patient.birth_date:%B %Y}"))
    told += [("record", one.value) for one in patient.identifiers[:1]]
    if call.number and any(one.patient.id == patient.id for one in known):
        told.append(("number", call.number))
    if patient.address:
        told.append(("address", patient.address))
    return [(code, value) for code, value in told if code in screen_pops.IDENTIFIERS]


def record(session: Session, pop_id: UUID, account_id: UUID, at: datetime) -> Record | None:
    """It, once two identifiers are ticked; None before. Each look is audited."""
    pop = _own(session, pop_id, account_id, at)
    if pop is None or pop.patient_id is None or len(pop.ticked) < IDENTIFIERS_TO_OPEN:
        return None
    looked(session, account_id, "record.read", f"patient:{pop.patient_id}", at)
    return Record(patients.history(session, pop.patient_id), screen_pops.notes_of(session, pop.patient_id, pop.call_id))


def journey(session: Session, pop_id: UUID, account_id: UUID, at: datetime) -> list[Step] | None:
    """What the caller did so far, in words; None for another's pop."""
    pop = _own(session, pop_id, account_id, at)
    if pop is None:
        return None
    return steps_of(session, pop.call_id)


def steps_of(session: Session, call_id: str) -> list[Step]:
    """A call's journal in words. Who may read it has been asked before."""
    steps = ((step.at, words.step(step.kind, step.facts)) for step in calls.journal(session, call_id))
    return [Step(at, words) for at, words in steps if words]


def save_note(session: Session, pop_id: UUID, account_id: UUID, note: str, at: datetime) -> bool:
    """The agent's note on the call, as typed; False for another's pop."""
    pop = _own(session, pop_id, account_id, at)
    if pop is None:
        return False
    return screen_pops.save_note(session, pop.id, account_id, note)
