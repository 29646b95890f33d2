"""`hotline questionnaire`: FHIR in and out, and any questionnaire asked at the terminal, by key, by text or as a form.

A response is a follow-up of its patient: its id is what `ask` prints, `ask --resume` goes on with, `export` takes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import audit, followups, questionnaires, surveys
from hospital.accounts import Account
from hospital.followups import Answer, FollowUpTask
from hospital.patients import Patient
from hospital.questionnaires import Questionnaire as Kept
from hotline import demo, wiring
from hotline.caller_joints import SqlJournal
from hotline.settings import Settings
from hotline.terminal_house import TerminalHouse, terminal_house
from ivr.call import Call
from ivr.dialogues.attended import attended
from ivr.dialogues.survey import survey
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted, typed
from scripts import texting, words_between
from scripts.answers import AnswerRefused
from scripts.fhir_parts import canonical
from scripts.fhir_questionnaire import LARGEST, ImportRefused, read_fhir
from scripts.fhir_response import response
from scripts.filling import Filling
from scripts.questionnaire import Questionnaire
from scripts.questionnaire_files import kept, load_questionnaires, read_data
from scripts.wording import Heard

STATUS = {"done": "completed", "stopped": "stopped"}
ALL_NORMAL = "!"
UNREADABLE = "\ufffd"  # a byte of the input that is no UTF-8


class Wrong(Exception):
    """What the command cannot do, as a sentence."""


async def questionnaire(settings: Settings, asked: argparse.Namespace) -> int:
    """0, or 1 with what is wrong on standard error (or in the JSON)."""
    try:
        if asked.task == "import":
            return await _import(settings, asked)
        async with terminal_house(settings) as house:
            if asked.task == "export":
                told = await house.database.run(_response, _id(asked.response), house.front, asked.by)
                print(json.dumps(told, indent=2))
                return 0
            return await _ask(house, asked)
    except Wrong as wrong:
        print(json.dumps({"refused": [str(wrong)]}) if asked.json else wrong, file=None if asked.json else sys.stderr)
        return 1


# ── Import ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _import(settings: Settings, asked: argparse.Namespace) -> int:
    try:
        found = read_fhir(_bytes(asked.file))
    except ImportRefused as refusal:
        if asked.json:
            print(json.dumps({"refused": list(refusal.problems)}))
        else:
            print(f"{asked.file} was not imported:", *refusal.problems, sep="\n  ", file=sys.stderr)
        return 1
    made = found.questionnaire
    async with terminal_house(settings) as house:
        row = await house.database.run(_publish, made)
    if asked.json:
        told = {"id": row.code, "version": row.version, "left_out": list(found.left_out)}
        print(json.dumps(told))
        return 0
    print(f"{row.code}, version {row.version}: {sum(1 for _ in made.questions())} questions")
    for line in found.left_out:
        print(f"  {line}")
    return 0


def _publish(session: Session, made: Questionnaire) -> Kept:
    code = questionnaires.own_code(session, made.id, made.url, load_questionnaires()[0])
    own = made if code == made.id else read_data({**json.loads(made.body), "id": code})
    return questionnaires.publish(session, code, json.loads(own.body), own.sha256, wiring.now())


def _bytes(path: Path) -> bytes:
    """No more than is allowed and one, so that a huge file costs nothing."""
    try:
        with path.open("rb") as source:
            return source.read(LARGEST + 1)
    except OSError as error:
        raise Wrong(f"{path} cannot be read: {error.strerror}") from None


# ── Ask ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _ask(house: TerminalHouse, asked: argparse.Namespace) -> int:
    task_id, number, language = await house.database.run(_task, asked)
    language = asked.language or language
    if asked.sms or asked.form:
        await _by_text(house, task_id, language, as_form=asked.form, quiet=asked.json)
    else:
        await _by_voice(house, task_id, number, language, asked.press, quiet=asked.json)
    standing = await house.database.run(_standing, task_id)
    if asked.json:
        print(json.dumps(standing))
    else:
        print(f"response {standing['response']}: {standing['status']}, {standing['answered']} of {standing['of']}")
        for name in ("scores", "flags", "rules", "missing"):
            for one in standing[name]:
                print(f"  {name[:-1] if name != 'missing' else 'missing'}: {one}")
    return 0


def _task(session: Session, asked: argparse.Namespace) -> tuple[UUID, str | None, str]:
    """The response that is to be filled in: a new one, or one that was cut off."""
    if asked.resume:
        task = session.get(FollowUpTask, _id(asked.resume))
        if task is None or task.questionnaire_id is None:
            raise Wrong(f"there is no response {asked.resume}")
        patient = task.patient
    else:
        row = questionnaires.newest(session, asked.id)
        if row is None:
            known = sorted(session.scalars(select(Kept.code).distinct()))
            raise Wrong(f"there is no questionnaire {asked.id!r}; there are: {', '.join(known)}")
        patient = _patient(session, asked)
        task = followups.plan(
            session, patient_id=patient.id, questionnaire_id=row.id, reason="terminal", due_at=wiring.now()
        )
    return task.id, next((one.number for one in patient.numbers), None), patient.language


def _patient(session: Session, asked: argparse.Namespace) -> Patient:
    if asked.patient:
        found = session.get(Patient, _id(asked.patient))
    else:
        found = next(
            (one for one in session.scalars(select(Patient)) if one.name == demo.NAMES.get(asked.caller)), None
        )
    if found is None:
        raise Wrong("there is no such patient: give --patient and the id of a record, or --as and a demo patient")
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        told = "`hotline questionnaire ask` prints that of a response"
        raise Wrong(f"{text[:80]!r} is no id; it has the form of {UUID(int=0)}, and {told}") from None


async def _by_voice(
    house: TerminalHouse, task_id: UUID, number: str | None, language: str, press: str | None, *, quiet: bool
) -> None:
    try:
        presses = typed() if press is None else scripted(press.split(","))
    except ValueError as problem:
        raise Wrong(str(problem)) from None
    call_id = f"terminal-{wiring.now():%Y%m%d%H%M%S%f}"
    journal = SqlJournal(house.database, call_id, "terminal", number, wiring.now)
    await journal.begin()

    async def ask(call: Call, front: FrontDesk) -> None:
        if await survey(call, front, task_id):
            await front.database.run(surveys.finish, task_id, front.now())

    async def hold(call: Call) -> None:
        await attended(ask)(call, house.front)

    await rehearse(
        hold,
        Heard(house.words),
        presses,
        language=language,
        caller_number=number,
        journal=journal,
        house=wiring.house_keys(house.front),
        call_id=call_id,
        show=None if quiet else print,
    )


async def _by_text(house: TerminalHouse, task_id: UUID, language: str, *, as_form: bool, quiet: bool) -> None:
    """As texts and replies, or as a nurse fills in the form: in English, with `!` for "all normal", and a red flag is
    shown and does not end it. The end of the input cuts it off."""
    show: Callable[[str], object] = (lambda _: None) if quiet else print
    read = await house.database.run(surveys.begin, task_id)
    asked, answers = kept(read.body), dict(read.answers)
    words, told = house.words, "en" if as_form else language
    said: set[str] = set()

    def unsaid(leads: list[words_between.Lead]) -> list[words_between.Words]:
        new = [one for key, one in leads if key not in said]
        said.update(key for key, _ in leads)
        return new

    while (place := Filling(asked, answers).next()) is not None:
        leads = words_between.before(Filling(asked, answers), place)
        shown = texting.question(place, words, told, unsaid(leads))
        show(f"[{place.key}] {shown}" if as_form else f"hotline: {shown}")
        line = sys.stdin.readline()
        if not line:
            return
        show(f"  {line.strip()}" if as_form else f"patient: {line.strip()}")
        if as_form and line.strip() == ALL_NORMAL:
            given = Filling(asked, answers).normal()
        else:
            try:
                if UNREADABLE in line:
                    raise AnswerRefused("text in UTF-8 is allowed")
                given = {place.key: texting.value(Filling(asked, answers), place, line)}
            except AnswerRefused as refused:
                show(
                    f"  not saved: {refused.allowed}" if as_form else f"hotline: {words.message('survey_again', told)}"
                )
                continue
        for key, value in given.items():
            answers[key] = value
            met = surveys.Met([rule.change for rule in Filling(asked, answers).rules()], house.front.calendar)
            await house.database.run(surveys.answer, task_id, key, value, wiring.now(), met=met)
        flags = Filling(asked, answers).flags()
        if flags and not as_form:
            show(f"hotline: {words.message('survey_urgent', told)}")
            return
        if flags:
            show(f"  RED FLAG: {', '.join(flag.text.of(told).text for flag in flags)}")
    last = texting.told(unsaid(words_between.after_all(Filling(asked, answers))), words, told)
    if last:
        show(last if as_form else f"hotline: {last}")
    if Filling(asked, answers).complete:
        await house.database.run(surveys.finish, task_id, wiring.now())
    show("" if as_form else f"hotline: {words.message('survey_ended', told)}")


def _standing(session: Session, task_id: UUID) -> dict[str, Any]:
    task = session.get_one(FollowUpTask, task_id)
    filling = Filling(kept(task.questionnaire.body), followups.answers(session, task_id))
    answered, of = filling.progress()
    following = filling.next()
    return {
        "response": str(task_id),
        "status": STATUS.get(task.state, "in-progress"),
        "answered": answered,
        "of": of,
        "next": following.key if following else None,
        "answers": dict(filling.answers),
        "flags": [flag.id for flag in filling.flags()],
        "rules": [rule.change.rule for rule in filling.rules()],
        "scores": [f"{one.score.id} {one.value:g}" for one in filling.scores()],
        "missing": [place.key for place in filling.missing()],
    }


# ── Export ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _response(session: Session, task_id: UUID, front: FrontDesk, by: str) -> dict[str, Any]:
    """In the name of `by`, and written down. Raises Wrong."""
    account = session.scalar(select(Account).where(Account.username == by))
    if account is None or not account.may("responses.read") or not account.may("followups.all"):
        raise Wrong(f"there is no account {by!r} that may read everybody's responses")
    task = session.get(FollowUpTask, task_id)
    if task is None or task.questionnaire_id is None:
        raise Wrong(f"there is no response {task_id}")
    row, asked = task.questionnaire, kept(task.questionnaire.body)
    last: datetime | None = session.scalar(select(func.max(Answer.at)).where(Answer.task_id == task_id))
    named = canonical(asked.url, row.code, row.version, questionnaires.changed_here(session, row))
    subject, patient = f"task:{task_id}", str(task.patient_id)
    audit.record(session, account.id, "responses.exported", subject, wiring.now(), patient=patient)
    return response(
        Filling(asked, followups.answers(session, task_id)),
        id=str(task_id),
        status=STATUS.get(task.state, "in-progress"),
        canonical="|".join(filter(None, named)),
        subject=f"Patient/{task.patient_id}",
        authored=last or task.due_at,
        zone=front.zone,
        language=task.patient.language,
    )
