"""What an entry of the audit log is about, as its reader may know it: the kind of thing, which one, and its page.

A patient's name is told to who reads patients; it is a look, and the page writes it down (`Reader.named`). A link goes
to who may open it. What is gone from the database keeps its kind, and the page shows its id."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital.accounts import Account
from hospital.booking import Doctor
from hospital.callbacks import Callback
from hospital.campaigns import Campaign
from hospital.cases import Case
from hospital.editions import Edition
from hospital.followups import FollowUpTask
from hospital.opening import Closure
from hospital.patients import Patient
from hospital.questionnaires import Questionnaire
from hospital.questions import Question
from hospital.reach_watch import ReachAlarm
from hospital.recordings import Recording
from hospital.rota_records import OnCallChange, OnCallLine, OnCallShift
from hospital.screen_pops import ScreenPop
from web import words
from web.cases import kinds_of
from web.doors import Visitor


@dataclass(frozen=True)
class About:
    """`kind`: "Recording". `name`: which one, "" where that may not be told. `path`: its page, "" for who may not open
    it."""

    kind: str
    name: str = ""
    path: str = ""


class Reader:
    """Who reads the log. `named`: the patients whose names were told."""

    def __init__(self, session: Session, visitor: Visitor, zone: ZoneInfo) -> None:
        self.session, self.visitor, self.zone = session, visitor, zone
        self.named: set[UUID] = set()

    def opens(self, path: str, *rights: str) -> str:
        return path if all(self.visitor.may(right) for right in rights) else ""

    def patient(self, patient_id: UUID | None) -> str:
        found = self.session.get(Patient, patient_id) if patient_id and self.visitor.may("patients.read") else None
        if found is None:
            return ""
        self.named.add(found.id)
        return found.name

    def account(self, account_id: UUID | None) -> str:
        found = self.session.get(Account, account_id) if account_id else None
        return found.display_name if found else ""


Told = tuple[str, str]
"""Which one, and its page."""


def _task(reader: Reader, one: FollowUpTask) -> Told:
    form = reader.opens(f"/followups/{one.id}", "followups.work", "followups.all") if one.kind == "follow_up" else ""
    return _listed(words.task_reason(one.reason), reader.patient(one.patient_id)), form


def _case(reader: Reader, one: Case) -> Told:
    known = one.kind in kinds_of(reader.visitor) and one.state not in ("draft", "void")
    return str(one.number), reader.opens(f"/cases/{one.id}", "cases.work") if known else ""


def _recording(reader: Reader, one: Recording) -> Told:
    name = _listed(words.moment(one.started_at, reader.zone), reader.patient(one.patient_id))
    return name, reader.opens(f"/recordings/{one.id}", "recordings.all")


def _questionnaire(reader: Reader, one: Questionnaire) -> Told:
    return f"{one.code}, version {one.version}", reader.opens(f"/responses/{one.id}", "responses.read")


def _line(reader: Reader, one: OnCallLine) -> Told:
    return words.line(one.role, one.ward), reader.opens("/shifts", "rota.change")


def _shift(reader: Reader, one: OnCallShift) -> Told:
    line, page = _line(reader, reader.session.get_one(OnCallLine, one.line_id))
    return _listed(reader.account(one.account_id), line), page


def _swap(reader: Reader, one: OnCallChange) -> Told:
    who, page = _shift(reader, reader.session.get_one(OnCallShift, one.shift_id))
    return _listed(words.day(one.day, reader.zone), who), page


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


ROWS: Mapping[str, tuple[type[Any], Callable[[Reader, Any], Told]]] = {
    "patient": (Patient, lambda reader, one: (reader.patient(one.id), "")),
    "task": (FollowUpTask, _task),
    "case": (Case, _case),
    "callback": (Callback, lambda reader, one: (reader.patient(one.patient_id), reader.opens("/agent", "calls.take"))),
    "recording": (Recording, _recording),
    "campaign": (Campaign, lambda reader, one: (one.name, reader.opens(f"/campaigns/{one.id}", "campaigns.run"))),
    "questionnaire": (Questionnaire, _questionnaire),
    "question": (Question, lambda it, one: (it.patient(one.patient_id), it.opens("/questions", "questions.answer"))),
    "closure": (Closure, lambda it, one: (words.moment(one.begun_at, it.zone), it.opens("/opening", "opening.switch"))),
    "reach_alarm": (ReachAlarm, lambda reader, one: (one.caller_id, reader.opens("/campaigns", "campaigns.run"))),
    "doctor": (Doctor, lambda reader, one: (one.name, reader.opens("/clinics", "clinics.suspend"))),
    "edition": (Edition, lambda it, one: (words.say({}, one.sheet), it.opens(f"/{one.sheet}", "site.change"))),
    "screen_pop": (ScreenPop, lambda reader, one: (reader.account(one.account_id), "")),
    "line": (OnCallLine, _line),
    "shift": (OnCallShift, _shift),
    "swap": (OnCallChange, _swap),
    "account": (Account, lambda reader, one: (one.display_name, reader.opens("/accounts", "accounts.manage"))),
}
"""A kind of subject whose id is a row's."""

PAGES: Mapping[str, tuple[str, str]] = {  # → (its page, the right to it)
    "followups": ("/followups", "followups.work"),
    "recordings": ("/recordings", "recordings.own"),
    "cases": ("/cases", "cases.work"),
    "deaths": ("/deaths", "deaths.settle"),
    "desk": ("/desk", "desk.work"),
    "suspensions": ("/clinics", "clinics.suspend"),
    "letters": ("/letters", "followups.work"),
    "lost_texts": ("/lost-texts", "followups.work"),
    "list": ("/discharges", "discharges.import"),
}


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def about(reader: Reader, subjects: Iterable[str]) -> dict[str, About]:
    """By subject."""
    wanted = set(subjects)
    ids: defaultdict[str, set[UUID]] = defaultdict(set)
    for kind, _, which in (subject.partition(":") for subject in wanted):
        if kind in ROWS and (found := uuid_of(which)) is not None:
            ids[kind].add(found)
    # kept until all is told: a session forgets what nobody holds, and would ask for each row by itself
    held = [row for kind, these in ids.items() for row in _rows(reader.session, ROWS[kind][0], these)]
    held += _rows(reader.session, Patient, {one.patient_id for one in held if getattr(one, "patient_id", None)})
    return {subject: _about(reader, subject) for subject in wanted}


def _rows(session: Session, table: type[Any], ids: set[UUID]) -> list[Any]:
    return list(session.scalars(select(table).where(table.id.in_(ids)))) if ids else []


def _about(reader: Reader, subject: str) -> About:
    kind, _, which = subject.partition(":")
    if kind not in words.AUDIT_KINDS:  # where somebody was refused: "GET /followups/{task_id}"
        method, _, path = subject.partition(" ")
        return About("Page" if method == "GET" else "Order", path) if path else About(subject)
    word, found = words.AUDIT_KINDS[kind], uuid_of(which)
    if kind in ROWS and found is not None:
        table, tell = ROWS[kind]
        row = reader.session.get(table, found)
        return About(word, *tell(reader, row)) if row is not None else About(word)
    if kind == "questionnaire":
        return About(word, which, reader.opens(f"/questionnaires/{quote(which)}", "site.change"))
    if kind == "prompt":
        return About(word, which, reader.opens(f"/prompts/{quote(which)}", "prompts.record"))
    return About(
        word, which if kind in ("letters", "desk") else "", reader.opens(*PAGES[kind]) if kind in PAGES else ""
    )
