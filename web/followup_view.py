"""What the follow-up pages show, read in one transaction as plain facts; and the two small verbs of the form.

A nurse sees her own tasks and nobody's; who has `followups.all` sees everybody's. Every patient that is shown is a
look, and audited."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import answer_flags, attempts, followups, joint_calls, recordings, video_steps
from hospital.accounts import Account
from hospital.answer_flags import AnswerFlag
from hospital.attempt_records import WRITE_UP, about
from hospital.attempts import Attempt
from hospital.booking import Department
from hospital.calling_rules import language_of, where_reached
from hospital.database import announce
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask, Listed
from hospital.patients import Patient, PhoneNumber, Stay, Visit
from hospital.recordings import Recording
from hospital.task_orders import mark, ward_of
from hospital.text_records import VideoMeeting
from scripts.answers import in_figures
from scripts.filling import Filling, Place
from scripts.questionnaire import AnswerRule, Item, Questionnaire, RedFlag
from scripts.questionnaire_files import kept
from web import words
from web.looks import SAME_LOOK, looked

IDENTIFIERS = ("name", "birth_date")  # what a nurse asks before anything clinical
AHEAD = timedelta(days=1)
CLOSED_LATELY = timedelta(days=7)


@dataclass(frozen=True)
class Viewer:
    """Who looks, and when."""

    account_id: UUID
    sees_all: bool
    at: datetime
    zone: ZoneInfo


@dataclass(frozen=True)
class Row:
    """A line of the list. `mark`: how it looks, for who orders something of it."""

    task: FollowUpTask
    standing: str
    patient: Patient
    stay: Stay | None
    ward: str
    study: str
    mark: str
    visits: int
    stays: int
    owner: Account | None
    mine: bool
    next_try: str


def worklist(session: Session, viewer: Viewer) -> list[Row]:
    """Everything that is not closed and due by tomorrow, the most urgent first."""
    return _rows(session, followups.worklist(session, viewer.at, owner_id=_only(viewer), ahead=AHEAD), viewer)


def closed(session: Session, viewer: Viewer) -> list[Row]:
    """What was done or stopped lately, the newest first: to see why somebody was not called."""
    return _rows(session, followups.closed(session, viewer.at - CLOSED_LATELY, owner_id=_only(viewer)), viewer)


def _only(viewer: Viewer) -> UUID | None:
    return None if viewer.sees_all else viewer.account_id


def _rows(session: Session, listed: list[Listed], viewer: Viewer) -> list[Row]:
    ids = {line.task.patient_id for line in listed}
    people = {p.id: p for p in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    owners = {a.id: a for a in session.scalars(select(Account))}
    visits, stays = _counts(session, Visit, ids), _counts(session, Stay, ids)
    studies = _studies(session, {line.task.enrolment_id for line in listed if line.task.enrolment_id})
    if ids:
        shown = sorted(str(one) for one in ids)
        looked(session, viewer.account_id, "list.read", "followups", viewer.at, same=SAME_LOOK, patients=shown)
    return [
        Row(
            line.task,
            line.standing,
            people[line.task.patient_id],
            session.get(Stay, line.task.stay_id) if line.task.stay_id else None,
            ward_of(session, line.task),
            studies.get(line.task.enrolment_id, "") if line.task.enrolment_id else "",
            mark(line.task),
            visits.get(line.task.patient_id, 0),
            stays.get(line.task.patient_id, 0),
            owners.get(line.task.owner_id) if line.task.owner_id else None,
            line.task.owner_id == viewer.account_id,
            _next_try(line.task, viewer),
        )
        for line in listed
    ]


def _studies(session: Session, enrolments: set[UUID]) -> dict[UUID, str]:
    rows = select(Enrolment.id, CareEvent.study).join(CareEvent, CareEvent.id == Enrolment.event_id)
    found = session.execute(rows.where(Enrolment.id.in_(enrolments))).all()
    return {enrolment_id: study for enrolment_id, study in found}  # noqa: C416 - dict() loses the types


def _counts(session: Session, kind: type[Visit] | type[Stay], ids: set[UUID]) -> dict[UUID, int]:
    rows = select(kind.patient_id, func.count()).where(kind.patient_id.in_(ids)).group_by(kind.patient_id)
    return {patient: count for patient, count in session.execute(rows)}  # noqa: C416 - dict() loses the types


def _next_try(task: FollowUpTask, viewer: Viewer) -> str:
    if task.state == "stopped":
        return words.say(words.STOP_REASONS, task.stop_reason)
    if task.state == "done":
        return "done"
    if task.held_since is not None:
        return "nobody is called: the guardian wants none"
    if task.channel == "letter" and task.next_try_at is None and task.due_at <= viewer.at:
        return "a letter is to be posted"
    return words.next_try(task.next_try_at, task.next_number_rank, task.tries, task.max_tries, viewer.at, viewer.zone)


@dataclass(frozen=True)
class Tried:
    """One attempt, with what came of it. `contact_result`: for this task, of those it was for."""

    attempt: Attempt
    number: PhoneNumber
    recording: Recording | None
    contact_result: str | None


@dataclass(frozen=True)
class TaskView:
    """The call's part of the form."""

    task: FollowUpTask
    patient: Patient
    mine: bool  # nobody else is calling or writing it up
    now: Tried | None  # the newest attempt
    next_try: str
    identified: bool
    identifiers: list[tuple[str, str]]
    together: list[FollowUpTask]  # what else the same call is for
    meeting: VideoMeeting | None = None  # a video call that can begin, or goes on
    stands_in: bool = False  # a colleague's call is over, she has not said whom she reached, and the viewer may

    @property
    def live(self) -> bool:
        return self.now is not None and self.now.attempt.state in attempts.LIVE

    @property
    def reached(self) -> bool:
        """Whether a person was reached, so that the nurse says whom."""
        if self.now is None or not (self.mine or self.stands_in):
            return False
        attempt = self.now.attempt
        talks = attempt.state == "talking" and attempt.handed_at is None
        return talks or (attempt.state == "ended" and attempt.line_result == "answered")

    @property
    def with_a_machine(self) -> bool:
        """Asterisk leaves who called, without her."""
        return self.now is not None and self.now.attempt.state == "talking" and self.now.attempt.handed_at is not None

    @property
    def read_next(self) -> str | None:
        """Which text she reads aloud next: "opening" until the patient is identified, "notice" until the call is
        recorded or may not be, then "closing"; None where there is nobody to read it to."""
        if self.task.state == "open" and self.task.held_since is None:
            return "opening"  # to be read before it rings
        if self.now is None or not self.mine or not self.live or self.with_a_machine:
            return None
        if not self.identified:
            return "opening"
        return "closing" if self.now.attempt.video or self.now.recording is not None else "notice"

    def writes_up(self, at: datetime) -> bool:
        """Whether answers are taken: also a while after the line has ended and the task is decided, because she may
        still be typing."""
        if self.now is None or not (self.mine and self.identified):
            return False
        ended = self.now.attempt.ended_at
        return ended is None or at - ended < WRITE_UP

    @property
    def closed(self) -> bool:
        return self.task.state in ("done", "stopped")

    @property
    def unsaid(self) -> bool:
        """Whether it was closed while it rang: she talks, or has yet to say whom she reached."""
        said = self.now is not None and self.now.contact_result is not None
        return self.closed and self.mine and (self.live or (self.reached and not said))


def view(session: Session, task_id: UUID, viewer: Viewer) -> TaskView | None:
    """One task; None where there is none or it is somebody else's."""
    task = session.get(FollowUpTask, task_id)
    if task is None or not may_open(task, viewer):
        return None
    patient = session.get_one(Patient, task.patient_id)
    looked(session, viewer.account_id, "record.read", f"patient:{patient.id}", viewer.at)
    calls = tried(session, task_id)
    now = calls[-1] if calls else None
    together = joint_calls.together(session, now.attempt, task_id) if now is not None else []
    also_shown(session, viewer, patient, [other.patient for other in together])
    birth = patient.birth_date
    told = {"name": patient.name, "birth_date": f"{birth.day} {birth:%B %Y}" if birth else "not in the record"}
    return TaskView(
        task,
        patient,
        now is None or now.attempt.account_id == viewer.account_id,
        now,
        _next_try(task, viewer),
        now is not None and set(IDENTIFIERS) <= set(now.attempt.identified_by),
        [(code, told[code]) for code in IDENTIFIERS],
        together,
        session.get(VideoMeeting, task_id) if task.channel == video_steps.CHANNEL else None,
        now is not None and _stands_in(task, now.attempt, viewer),
    )


def _stands_in(task: FollowUpTask, call: Attempt, viewer: Viewer) -> bool:
    colleagues = call.account_id not in (None, viewer.account_id)
    return viewer.sees_all and colleagues and call.state == "ended" and task.state in ("wrap_up", "review")


def also_shown(session: Session, viewer: Viewer, patient: Patient, people: Iterable[Patient]) -> None:
    """Whoever of `people` is not the patient is a look of its own."""
    for one in sorted({person.id for person in people} - {patient.id}):
        looked(session, viewer.account_id, "record.read", f"patient:{one}", viewer.at)


def may_open(task: FollowUpTask, viewer: Viewer) -> bool:
    return task.kind == "follow_up" and (viewer.sees_all or task.owner_id in (None, viewer.account_id))


def tried(session: Session, task_id: UUID) -> list[Tried]:
    return [
        Tried(
            one,
            session.get_one(PhoneNumber, one.number_id),
            recordings.of_attempt(session, one.id),
            joint_calls.result(session, one, task_id),
        )
        for one in attempts.of_task(session, task_id)
    ]


def department_names(session: Session) -> dict[str, str]:
    """Code → what it is called in the console."""
    return {one.code: one.name("en") for one in session.scalars(select(Department))}


@dataclass(frozen=True)
class BookedVisit:
    """A visit that was booked in a call about a task."""

    department: str
    at: datetime


def booked(session: Session, task_id: UUID) -> list[BookedVisit]:
    names = department_names(session)
    return [
        BookedVisit(
            names.get(row.facts["department"], row.facts["department"]), datetime.fromisoformat(row.facts["when"])
        )
        for row in followups.decisions(session, task_id)
        if row.code == "visit_booked"
    ]


@dataclass(frozen=True)
class Form:
    """The questions and what was answered so far. `at`: the address under which answers are taken."""

    at: str
    questionnaire: Questionnaire
    answers: dict[str, Any]
    language: str
    dealt: Mapping[str, AnswerFlag] = field(default_factory=dict)  # with red flags, by their codes
    departments: Mapping[str, str] = field(default_factory=dict)  # code → name
    ways: Mapping[str, str] = field(default_factory=dict)  # by key: "text", "web"; of the telephone none
    guardian: bool = False  # who is called is not the patient

    def with_answers(self, more: Mapping[str, Any]) -> "Form":
        return replace(self, answers={**self.answers, **more})

    @cached_property
    def filling(self) -> Filling:
        return Filling(self.questionnaire, self.answers)

    @property
    def rules(self) -> list[AnswerRule]:
        return self.filling.rules()

    @property
    def flags(self) -> list[RedFlag]:
        return self.filling.flags()

    @property
    def standing(self) -> list[RedFlag]:
        """The red flags that nobody has dealt with."""
        return [flag for flag in self.flags if flag.id in self.dealt and self.dealt[flag.id].state == "standing"]

    @cached_property
    def shown(self) -> dict[str, None]:
        """The keys of what is enabled now, in their order; `key#2` is the second time that a group is repeated, or what
        is asked for the second answer of a choice."""
        filling = self.filling
        found: dict[str, None] = {}
        for place in filling.places:
            if filling.enabled(place):
                if not place.item.hidden:
                    found[place.key] = None
                if place.counts:
                    found |= {f"{place.key}#{number}": None for number in range(1, filling.times(place) + 1)}
                elif place.item.for_each:
                    found |= {f"{place.key}#{number}": None for number in sorted(filling.slots(place))}
        return found

    def value(self, place: Place) -> Any:
        """What a field shows; of what was cut off, what was given so far; None where nothing is."""
        value = place.item.initial if place.item.read_only else self.answers.get(place.key)
        if isinstance(value, dict) and "so_far" in value:
            value = value["so_far"] or None
        if isinstance(value, list):
            return [one for one in value if not _spoken(one)] or None
        return None if _spoken(value) else value

    def limits(self, item: Item) -> str:
        """Of a number that has both."""
        low, high = item.minimum, item.maximum
        return f"{in_figures(low)} to {in_figures(high)}" if low is not None and high is not None else ""

    def spoken(self, place: Place) -> list[int]:
        """The cases that hold what was spoken to the machine."""
        return [value["voice"] for value in self.filling.values(place) if isinstance(value, dict) and _spoken(value)]


def _spoken(value: Any) -> bool:
    return isinstance(value, dict) and "voice" in value


def form(session: Session, task_id: UUID, at: datetime) -> Form:
    """In the language of who is called, or will be."""
    task = session.get_one(FollowUpTask, task_id)
    person, number = _called(session, task, at)
    read = kept(task.questionnaire.body)
    dealt, names = answer_flags.of_task(session, task_id), department_names(session)
    given, ways = followups.answers(session, task_id), followups.ways(session, task_id)
    language, guardian = language_of(person, number), person.id != task.patient_id
    return Form(f"/followups/{task_id}", read, given, language, dealt, names, ways, guardian)


def _called(session: Session, task: FollowUpTask, at: datetime) -> tuple[Patient, PhoneNumber | None]:
    """Who is called about it, and on which number: in the newest call while it goes on or is written up, else next."""
    calls = attempts.of_task(session, task.id)
    if calls and task.state in ("calling", "wrap_up"):
        number = session.get_one(PhoneNumber, calls[-1].number_id)
        return number.patient, number
    reached = where_reached(session, task.patient, at)
    again = [one for one in reached.numbers if one.rank == task.next_number_rank]
    return reached.person, next(iter([*again, *reached.numbers]), None)


def tick(session: Session, task_id: UUID, account_id: UUID, identifier: str, on: bool) -> bool:
    """Tick what the patient has said right, on the nurse's own newest attempt; False where there is none."""
    rows = select(Attempt).where(about(task_id)).order_by(Attempt.claimed_at.desc()).limit(1)
    attempt = session.scalar(rows.with_for_update())
    if attempt is None or attempt.account_id != account_id:
        return False
    told = set(attempt.identified_by)
    attempt.identified_by = sorted(told | {identifier} if on else told - {identifier})
    announce(session, "task", task_id)
    return True
