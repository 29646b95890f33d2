"""What was answered, by version of a questionnaire and question: figures with what they are of, bars, and as files.

Who has no right to patients' records sees no figure of fewer than five people and nobody's words; words and single
responses are for who may see everybody's follow-ups. Each look and each file is audited."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from hospital import audit, responses
from hospital.ratings import last_days
from hospital.responses import Responses, Version
from scripts.answer_figures import OTHER, SPOKEN, Figures, few, figures, for_who_has_no_right, hide_few
from scripts.filling import Filling, key_parts
from scripts.questionnaire import Item
from scripts.questionnaire_files import kept
from web.case_answers import for_which
from web.doors import Door, Visitor, denied, pages_of, services
from web.looks import SAME_LOOK, looked
from web.refusals import Refusal
from web.words import RESPONSE_WAYS, say

Reads = Annotated[Visitor, Depends(Door("responses.read"))]
SPANS = (7, 30, 90, 365)  # days
WORDS = 100  # of one question on the page; the file has all

routes = APIRouter()


@dataclass(frozen=True)
class Reader:
    """`knows` sees small figures, `reads` also words and single responses."""

    account_id: UUID
    knows: bool
    reads: bool
    at: datetime

    def count(self, count: int) -> str:
        return str(count) if self.knows else few(count)


@dataclass(frozen=True)
class Shown:
    found: Responses
    title: str
    figures: list[Figures]
    ways: Mapping[str, int | None]  # how responses have come; None: hidden

    @property
    def most(self) -> int:
        """The longest bar of the ways."""
        return max(count or 0 for count in self.ways.values())


def _reader(request: Request, visitor: Visitor) -> Reader:
    knows, reads = visitor.may("patients.read"), visitor.may("followups.all")
    return Reader(visitor.account_id, knows, reads, services(request).clock())


def _span(days: int) -> int:
    return days if days in SPANS else 30


def title_of(body: Any) -> str:
    return kept(body).title.of("en").text


def label(item: Item, code: str) -> str:
    """A bar's name: an option's words, a span of numbers as it is."""
    if code in (OTHER, SPOKEN, "yes", "no"):
        return {OTHER: "Something else", SPOKEN: "Spoken", "yes": "Yes", "no": "No"}[code]
    option = item.option(code)
    return option.text.of("en").text if option is not None else code


@routes.get("/responses")
async def page(request: Request, visitor: Reads, days: int = 30) -> Response:
    house, days = services(request), _span(days)

    def read(session: Session) -> list[tuple[Version, str]]:
        found = responses.versions(session, *last_days(house.clock(), days, house.facts.zone))
        bodies = {one.questionnaire_id: responses.body_of(session, one.questionnaire_id) for one in found}
        return [(one, title_of(bodies[one.questionnaire_id])) for one in found]

    rows = await house.database.run(read)
    reader = _reader(request, visitor)
    return pages_of(request).show(request, "responses/page.html", rows=rows, days=days, spans=SPANS, reader=reader)


def _shown(session: Session, questionnaire_id: UUID, days: int, reader: Reader, zone: Any) -> Shown | None:
    found = responses.of_version(session, questionnaire_id, *last_days(reader.at, days, zone))
    if found is None:
        return None
    version = kept(found.version.body)
    made = figures(version, [one.answers for one in found.answered])
    if not reader.knows:
        made = for_who_has_no_right(made)
    spoke = {found.answered[number].patient_id for one in made for number, _ in one.words} if reader.reads else set()
    patients = sorted(str(one) for one in spoke)
    subject = f"questionnaire:{questionnaire_id}"
    looked(session, reader.account_id, "responses.read", subject, reader.at, same=SAME_LOOK, patients=patients)
    return Shown(found, version.title.of("en").text, made, found.ways if reader.knows else hide_few(found.ways))


async def _read(request: Request, visitor: Visitor, questionnaire_id: UUID, days: int) -> tuple[Shown, Reader]:
    house, reader = services(request), _reader(request, visitor)
    shown = await house.database.run(_shown, questionnaire_id, days, reader, house.facts.zone)
    if shown is None:
        raise Refusal(404, "There is no such questionnaire.")
    return shown, reader


@routes.get("/responses/{questionnaire_id}")
async def of_version(request: Request, visitor: Reads, questionnaire_id: UUID, days: int = 30) -> Response:
    days = _span(days)
    shown, reader = await _read(request, visitor, questionnaire_id, days)
    return pages_of(request).show(
        request, "responses/version.html", shown=shown, reader=reader, days=days, spans=SPANS, label=label, most=WORDS
    )


@routes.get("/responses/{questionnaire_id}/figures.csv")
async def figures_file(request: Request, visitor: Reads, questionnaire_id: UUID, days: int = 30) -> Response:
    """The page's figures: the same is hidden in it."""
    shown, reader = await _read(request, visitor, questionnaire_id, _span(days))
    rows: list[list[Any]] = [["question", "text", "put", "answered", "left out", "not reached", "answer", "count"]]
    for one in shown.figures:
        counts = [reader.count(n) for n in (one.put, one.answered, one.left_out, one.not_reached)]
        start = [one.item.link_id, one.item.text.of("en").text, *counts]
        told = [("", "too few to be shown")] if one.hidden else [("", "")]
        if one.bars:
            told = [(label(one.item, bar.code), "hidden" if bar.count is None else str(bar.count)) for bar in one.bars]
        rows += [[*start, *pair] for pair in told]
    return _file(rows, f"figures-{shown.found.version.code}-{shown.found.version.version}.csv")


@routes.get("/responses/{questionnaire_id}/responses.csv")
async def responses_file(request: Request, visitor: Reads, questionnaire_id: UUID, days: int = 30) -> Response:
    """Every answer on a line of its own, by numbered response: nobody's name is in it. What is not asked any more after
    another answer, or was taken away with its repetition, is kept and no part of the response."""
    if not visitor.may("followups.all"):
        await denied(request, visitor, "followups.all", f"questionnaire:{questionnaire_id}")
        raise Refusal(403, "Single responses are for who sees everybody's follow-ups.")
    shown, reader = await _read(request, visitor, questionnaire_id, _span(days))
    version = kept(shown.found.version.body)
    rows: list[list[Any]] = [["response", "done", "way", "question", "repetition", "text", "answer", "answer text"]]
    for number, one in enumerate(shown.found.answered, 1):
        filling = Filling(version, one.answers)
        places = {place.key: place for place in filling.places}
        for key, value in one.answers.items():
            place = places.get(key)
            if place is None or not place.item.asks or not filling.enabled(place):
                continue
            (link_id, repetition), item = key_parts(key), place.item
            start = [
                number,
                "yes" if one.done else "no",
                say(RESPONSE_WAYS, one.way),
                link_id,
                ".".join(map(str, repetition)),
            ]
            asked = for_which(filling, place) + item.text.of("en").text
            rows += [[*start, asked, *_told(item, given)] for given in _each(value)]
    count, at = len(shown.found.answered), reader.at
    subject = f"questionnaire:{questionnaire_id}"

    def write_down(session: Session) -> None:
        patients = sorted({str(one.patient_id) for one in shown.found.answered})
        audit.record(session, visitor.account_id, "responses.exported", subject, at, count=count, patients=patients)

    await services(request).database.run(write_down)
    return _file(rows, f"responses-{shown.found.version.code}-{shown.found.version.version}.csv")


def _each(value: Any) -> list[Any]:
    if isinstance(value, dict) and "so_far" in value:
        value = value["so_far"]
    return list(value) if isinstance(value, list) else [value]


def _told(item: Item, value: Any) -> tuple[str, str]:
    """As it is kept, and in words."""
    if value is None:
        return "", "left out"
    if isinstance(value, bool):
        return str(value).lower(), "Yes" if value else "No"
    if isinstance(value, dict):
        return ("", str(value["text"])) if "text" in value else ("", f"spoken: case {value.get('voice')}")
    return str(value), label(item, str(value)) if item.options else ""


def _file(rows: list[list[Any]], name: str) -> Response:
    """With the mark by which spreadsheets know UTF-8. A cell that one would take for a formula is told as text."""
    sink = io.StringIO()
    csv.writer(sink).writerows([[_plain(cell) for cell in row] for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(("\ufeff" + sink.getvalue()).encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _plain(cell: Any) -> Any:
    begins = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if begins and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
