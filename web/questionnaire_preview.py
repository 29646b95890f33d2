"""A questionnaire that is being written, as the nurse's form and as a telephone call. Nothing of it is kept.

What was filled in stays in the page, and comes back with each answer; it is judged anew each time, since the text that
stands beside it may have changed."""

import json
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Filling
from scripts.questionnaire import Answer, Questionnaire
from scripts.questionnaire_files import read_source
from scripts.yaml_lines import FileRefused
from web.answer_fields import OTHER, answered, repeated
from web.doors import pages_of, services
from web.editions import Changes, Field, tried_part, workshop_of
from web.followup_view import Form
from web.refusals import Refusal

MOST = 500  # answers

routes = APIRouter()


def _kept(asked: Questionnaire, sent: str) -> dict[str, Any]:
    """What the page holds, as far as the text still asks it."""
    try:
        told = json.loads(sent or "{}")
    except (ValueError, RecursionError):
        return {}
    answers: dict[str, Answer | None] = {}
    for key, value in list(told.items())[:MOST] if isinstance(told, dict) else ():
        try:
            answers[key] = validate_answer(Filling(asked, answers).place(key).item, value)
        except (AnswerRefused, KeyError):
            continue
    return answers


def _form(code: str, source: str, answers: str, language: str) -> Form:
    """Raises `FileRefused`."""
    asked = read_source(source.replace("\r\n", "\n"), code)
    return Form(f"/questionnaires/{code}/form", asked, _kept(asked, answers), language)


def _readable(code: str, source: Field = "", answers: Field = "", language: Field = "en") -> Form:
    try:
        return _form(code, source, answers, language)
    except FileRefused as refusal:
        first = refusal.problems[0]
        raise Refusal(422, f"It can't be asked as it stands: line {first.line}, {first.what}.") from None


Readable = Annotated[Form, Depends(_readable)]


def _part(request: Request, template: str, form: Form, **values: Any) -> Response:
    return pages_of(request).part(request, f"questionnaires/{template}.html", form=form, other=OTHER, **values)


@routes.post("/questionnaires/{code}/form")
async def form(
    request: Request, visitor: Changes, code: str, source: Field = "", answers: Field = "", language: Field = "en"
) -> Response:
    """The whole form, as the text stands now."""
    try:
        return _part(request, "form", _form(code, source, answers, language), problem=None)
    except FileRefused as refusal:
        return pages_of(request).part(request, "questionnaires/form.html", form=None, problem=refusal.problems[0])


@routes.post("/questionnaires/{code}/form/answers/{key:path}")
async def answer(request: Request, visitor: Changes, form: Readable, key: str) -> Response:
    """The red flags, the scores and what is shown now, as on the nurse's form."""
    value = answered(form.filling, key, await request.form())
    return _part(request, "flags", form.with_answers({key: value}))


@routes.post("/questionnaires/{code}/form/repetitions/{key:path}")
async def repetitions(request: Request, visitor: Changes, form: Readable, key: str, more: Field = "") -> Response:
    """A group once more, or once less."""
    times, value = repeated(form.filling, key, more=more == "1")
    now = form.with_answers({key: value})
    if more != "1":
        return _part(request, "flags", now)
    return _part(request, "repetition", now, group=now.filling.place(key), number=times)


@routes.post("/questionnaires/{code}/form/all-normal")
async def all_normal(request: Request, visitor: Changes, form: Readable) -> Response:
    return _part(request, "form", form.with_answers(form.filling.normal()), problem=None)


@routes.post("/questionnaires/{code}/call")
async def call(request: Request, visitor: Changes, form: Readable, keys: Field = "", spoken: Field = "en") -> Response:
    """As the machine asks it, on the terminal phone: `keys` is a press for each question."""
    if spoken not in services(request).facts.languages:
        raise Refusal(422, "Choose a language that callers can choose.")
    return await tried_part(request, partial(workshop_of(request).asked, form.questionnaire, spoken), keys)
