"""A hospital that asks by text message, without a gateway: what the outbox renders is what the patient reads, what the
patient writes is taken as the core takes it. All of it is a transcript."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import followups, outbox, questionnaires, text_steps, text_talks
from hospital.calendars import Calendar
from hospital.cases import Case
from hospital.clocks import Clocks
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.text_replies import TextReply
from hospital.text_talks import TextTalk
from hotline.caller_joints import rendered
from messages import replies
from messages.gateway import Incoming
from messages.sender import plain
from messages.talking import Desk
from scripts.questionnaire import Questionnaire
from scripts.questionnaire_files import load_questionnaires
from scripts.wording import Wording
from tests.characters import Character
from tests.hospital_scene import UNCAPPED, admit
from tests.moments import NOON, ZONE

MINUTE = timedelta(minutes=1)


class TextHouse:
    """`now` moves by a minute with each text."""

    def __init__(self, database: Database, words: Wording, *, also: Iterable[str] = ()) -> None:
        self.database, self.words, self.now, self.policy = database, words, NOON, UNCAPPED
        self.desk = Desk(words, Clocks(ZONE, "CO"), Calendar(ZONE, "CO"), "es", also=frozenset(also))
        self.told: list[str] = []
        self._names: dict[str, str] = {}
        self._reference = count(1)

    def admits(self, who: Character) -> UUID:
        for number in who.numbers:
            self._names.setdefault(number, who.name.split()[0])
        with self.database.transaction() as session:
            return admit(session, who).id

    def due(self, patient_id: UUID, code: str = "satisfaction", fallback: tuple[str, ...] = ("nurse_call",)) -> UUID:
        return self.asks(patient_id, load_questionnaires()[0][code], fallback)

    def asks(self, patient_id: UUID, found: Questionnaire, fallback: tuple[str, ...] = ("nurse_call",)) -> UUID:
        with self.database.transaction() as session:
            form = questionnaires.publish(session, found.id, json.loads(found.body), found.sha256, NOON)
            task = followups.plan(
                session, patient_id=patient_id, questionnaire_id=form.id, reason=found.id, due_at=self.now
            )
            task.channel, task.fallback = "sms", list(fallback)
            return task.id

    def works(self) -> list[str]:
        """What the core does in a minute; the texts that left, as they were read."""
        self.now += MINUTE
        with self.database.transaction() as session:
            text_talks.end_forgotten(session, self.now)
        for _ in range(10):
            with self.database.transaction() as session:
                if not text_steps.work_next(session, self.now, self.policy, self._begin):
                    break
        with self.database.transaction() as session:
            text_steps.take_back(session, self.now, self.policy)
            text_talks.hold_back(session, self.now, self.policy)
        return self._sends()

    def writes(self, who: Character, text: str, *, media: int = 0, number: str = "", reference: str = "") -> str:
        """Somebody writes from their first number, and the answer leaves at once; the text's fate."""
        number = number or who.numbers[0]
        self.told.append(f"{self._names.get(number, number)}: {text}")
        came = Incoming("test", reference or f"t{next(self._reference)}", number, text, media)
        self.now += MINUTE
        with self.database.transaction() as session:
            fate = replies.receive(session, came, self.now, self.desk)
        self._sends()
        return fate

    def _begin(
        self, session: Session, task: FollowUpTask, number: object, locale: str, at: datetime
    ) -> text_talks.Opening | None:
        return replies.opening(session, task, number, locale, at, self.desk)  # type: ignore[arg-type]

    def _sends(self) -> list[str]:
        left = []
        while True:
            with self.database.transaction() as session:
                due = outbox.claim(session, self.now)
                if due is None:
                    return left
                text = plain(rendered(lambda: self.words)(due.key, due.locale, due.params))
                outbox.sent(session, due.id, "test", self.now)
            left.append(text)
            self.told.append(f"hospital to {self._names.get(due.number, due.number)}: {text}")

    # ── What was written down ───────────────────────────────────────────────────────────────────────────────────

    def task(self, task_id: UUID) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, task_id)

    def answers(self, task_id: UUID) -> dict[str, object]:
        with self.database.transaction() as session:
            return followups.answers(session, task_id)

    def fates(self) -> list[str]:
        with self.database.transaction() as session:
            return list(session.scalars(select(TextReply.fate).order_by(TextReply.came_at)))

    def cases(self) -> list[tuple[str, str]]:
        with self.database.transaction() as session:
            return [(one.kind, one.detail) for one in session.scalars(select(Case).order_by(Case.number))]

    def talk(self, task_id: UUID) -> TextTalk | None:
        with self.database.transaction() as session:
            return session.get(TextTalk, task_id)

    def patient(self, patient_id: UUID) -> Patient:
        with self.database.transaction() as session:
            return session.get_one(Patient, patient_id)

    def decisions(self, task_id: UUID) -> list[str]:
        with self.database.transaction() as session:
            return [row.code for row in followups.decisions(session, task_id)]

    def transcript(self, task_id: UUID) -> str:
        """With what was written down at the end."""
        task, talk = self.task(task_id), self.talk(task_id)
        lines = [*self.told, f"answers: {json.dumps(self.answers(task_id), ensure_ascii=False, sort_keys=True)}"]
        lines += [f"fates: {' '.join(self.fates())}", *(f"case: {kind} {detail}" for kind, detail in self.cases())]
        lines += [f"talk: {talk.state} {talk.ended_by}" if talk else "talk: none"]
        lines += [f"task: {task.state} {task.channel} {task.priority}", f"log: {' '.join(self.decisions(task_id))}"]
        return "\n".join(lines) + "\n"
