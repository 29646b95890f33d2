"""The triage table: edited as a table, seen as a tree; its departments are checked against those that exist."""

from typing import Any

from fastapi import APIRouter, Request, Response

from scripts.yaml_lines import FileRefused
from web.doors import pages_of, services
from web.editions import Changes, body_of, checked, save, standing, workshop_of
from web.triage_tree import Tree, tree_of

LEADS = {"red_flag": "A nurse at once", "department": "A department", "next": "Another step"}
URGENCIES = {"": "Routine", "soon": "Soon", "urgent": "Urgent"}
ROWS = 5

routes = APIRouter()


async def _values(request: Request) -> dict[str, Any]:
    now, workshop = await standing(request, "triage"), workshop_of(request)
    body = await body_of(request, now)
    languages = services(request).facts.languages
    return {
        "standing": now,
        "findings": await checked(request, now),
        "reviewed_by": body.get("reviewed_by") or "",
        "start": body.get("start", ""),
        "steps": [(name, step, _padded(step)) for name, step in (*_in_order(body), ("", {}))],
        "leads": LEADS,
        "urgencies": URGENCIES,
        "departments": await workshop.departments(),
        "languages": languages,
        "tree": _tree(request, now.body, languages[0]),
    }


def _in_order(body: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """As a caller meets the steps, for the database keeps no order of names; what nobody meets comes last."""
    steps: dict[str, Any] = body.get("steps", {})
    waiting, found = [body.get("start", "")], dict[str, dict[str, Any]]()
    while waiting:
        name = waiting.pop(0)
        if name in steps and name not in found:
            found[name] = steps[name]
            waiting += [row.get("next", "") for row in steps[name].get("rows") or []]
    return [*found.items(), *((name, steps[name]) for name in sorted(steps.keys() - found.keys()))]


def _padded(step: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a step, and empty ones to be filled."""
    rows = step.get("rows") or []
    return [*rows, *({} for _ in range(ROWS - len(rows)))]


def _tree(request: Request, body: Any, language: str) -> Tree | None:
    try:
        table = workshop_of(request).triage(body)
    except FileRefused:
        return None
    return tree_of(table, language) if table else None


@routes.get("/triage")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "triage/page.html", **await _values(request))


@routes.post("/triage")
async def change(request: Request, visitor: Changes) -> Response:
    """Steps and rows as the form has them; an empty one is taken out."""
    form = {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}
    languages = [*dict.fromkeys(name.rpartition(".")[2] for name in form if ".say." in name)]
    steps: dict[str, Any] = {}
    for n in range(len([name for name in form if name.endswith(".name")])):
        name = form.get(f"{n}.name", "")
        rows = [row for at in range(ROWS) if (row := _row(form, f"{n}.{at}", languages))]
        if name:
            steps[name] = {"question": _said(form, f"{n}.say", languages), "rows": rows}
    body = {"reviewed_by": form.get("reviewed_by") or None, "start": form.get("start", ""), "steps": steps}
    await save(request, visitor, "triage", body, form.get("seen", ""))
    return pages_of(request).part(request, "triage/editor.html", **await _values(request))


def _row(form: dict[str, str], name: str, languages: list[str]) -> dict[str, Any] | None:
    complaint = _said(form, f"{name}.say", languages)
    key, leads = form.get(f"{name}.key", ""), form.get(f"{name}.leads", "")
    if not complaint and not key:
        return None
    urgent = form.get(f"{name}.urgency", "") if leads == "department" else ""
    urgency = {"urgency": urgent} if urgent else {}
    return {"key": key, leads: form.get(f"{name}.code", ""), **urgency, "complaint": complaint}


def _said(form: dict[str, str], name: str, languages: list[str]) -> dict[str, str]:
    return {tag: " ".join(text.split()) for tag in languages if (text := form.get(f"{name}.{tag}", ""))}
