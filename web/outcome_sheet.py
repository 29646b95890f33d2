"""What follows from a call's results: line results and contact results in two tables, each row with its sentence."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request, Response

from hospital.outcome_rules import CONTACT_WAYS, LINE_WAYS, PUTS_AWAY, SHIPPED, WAYS, Rule
from scripts.outcome_sheet import ANOTHER_TIME, CALLS, only_changes, rule_as_data
from scripts.yaml_lines import FileRefused
from web import outcome_words, words
from web.doors import pages_of, services
from web.editions import Changes, body_of, checked, save, standing, workshop_of
from web.ports import Workshop

Kind = Literal["line", "contact"]
TITLES: dict[Kind, str] = {"line": "What the line did", "contact": "Whom we reached"}
ALLOWED = {"line": LINE_WAYS, "contact": CONTACT_WAYS}
BEFORE = {"line": SHIPPED.line, "contact": SHIPPED.contact}
AS_SAID = "next day"  # at the other time of day
WAITS = (AS_SAID, "5 min", "10 min", "30 min", "1 h", "2 h", "4 h", "1 d", "2 d")
UNREADABLE = "As it stands it is not possible; above is why."

routes = APIRouter()


@dataclass(frozen=True)
class Row:
    """A result with what follows. `ways`: what may be chosen, none where it is fixed."""

    result: str
    name: str
    ways: list[tuple[str, str]]
    next: str
    after: str
    last: bool
    may_last: bool
    puts_away: bool
    may_put_away: bool
    changed: bool
    sentence: str


async def _values(request: Request) -> dict[str, Any]:
    now, workshop = await standing(request, "outcomes"), workshop_of(request)
    body = await body_of(request, now)
    return {
        "standing": now,
        "findings": await checked(request, now),
        "most_dials": body.get("most_dials", SHIPPED.most_dials),
        "tables": [(title, kind, _table(workshop, kind, body.get(kind, {}))) for kind, title in TITLES.items()],
        "waits": WAITS,
        "languages": services(request).facts.languages,
    }


def _table(workshop: Workshop, kind: Kind, told: dict[str, Any]) -> list[Row]:
    known = words.LINE_RESULTS if kind == "line" else {code: word for code, (word, _) in words.CONTACT_RESULTS.items()}
    return [_row(workshop, kind, result, name, told.get(result)) for result, name in known.items()]


def _row(workshop: Workshop, kind: Kind, result: str, name: str, told: dict[str, str] | None) -> Row:
    allowed = ALLOWED[kind].get(result, frozenset())
    if len(allowed) < 2:  # fixed
        return Row(result, name, [], "", "", False, False, False, False, False, outcome_words.sentence(result, None))
    shipped = rule_as_data(BEFORE[kind][result])
    shown = told or shipped
    after = shown.get("after", ANOTHER_TIME)
    return Row(
        result,
        name,
        [(way, outcome_words.WAYS[way]) for way in WAYS if way in allowed],
        shown.get("next", ""),
        (AS_SAID if after == ANOTHER_TIME else after) if shown.get("next") in CALLS else "",
        shown.get("last_try") == ANOTHER_TIME,
        "last_try" in shipped,
        shown.get("number") == "invalid",
        result in PUTS_AWAY and result != "wrong_person",
        shown != shipped,
        _sentence(workshop, kind, result, shown),
    )


def _sentence(workshop: Workshop, kind: Kind, result: str, row: dict[str, str]) -> str:
    try:
        rules = workshop.outcomes({kind: {result: row}})
    except FileRefused:
        return UNREADABLE
    rule: Rule = (rules.line if kind == "line" else rules.contact)[result]
    return outcome_words.sentence(result, rule)


@routes.get("/outcomes")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "outcomes/page.html", **await _values(request))


@routes.post("/outcomes")
async def change(request: Request, visitor: Changes) -> Response:
    """Only what differs from what is shipped is kept; nothing of it, and the draft is what is shipped."""
    form = {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}
    told: dict[str, Any] = {
        kind: {result: row for result in ways if (row := _told(form, kind, result))} for kind, ways in ALLOWED.items()
    }
    most = form.get("most_dials", "")
    told["most_dials"] = int(most) if most.isdecimal() else most
    await save(request, visitor, "outcomes", only_changes(told) or None, form.get("seen", ""))
    return pages_of(request).part(request, "outcomes/editor.html", **await _values(request))


def _told(form: dict[str, str], kind: str, result: str) -> dict[str, str] | None:
    """A row as the form has it; the time of a step that is no call is of no matter, and none is kept."""
    way = form.get(f"{kind}.{result}.next")
    if way is None:
        return None
    row = {"next": way}
    if way in CALLS:
        after = form.get(f"{kind}.{result}.after", "")
        row["after"] = ANOTHER_TIME if after in ("", AS_SAID, ANOTHER_TIME) else after
    if f"{kind}.{result}.last" in form:
        row["last_try"] = ANOTHER_TIME
    if f"{kind}.{result}.invalid" in form or result == "wrong_person":
        row["number"] = "invalid"
    return row
