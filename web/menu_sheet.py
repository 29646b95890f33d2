"""The main menu: which conversations callers are offered, in which order, by which key."""

from typing import Any

from fastapi import APIRouter, Request, Response

from scripts.menu_sheet import KEYS, MOST, REACHES
from web.doors import pages_of, services
from web.editions import Changes, body_of, checked, save, standing, workshop_of

NAMES = {
    "appointments": "Appointments and examinations",
    "results": "Results",
    "information": "Opening hours and the way",
    "care": "A nurse, or a complaint",
    "other": "Anything else",
    "book": "Book with a doctor",
    "my_appointments": "Hear, change or cancel appointments",
    "examination": "Book an examination",
    "survey": "Our questions",
}

routes = APIRouter()


async def _values(request: Request) -> dict[str, Any]:
    now = await standing(request, "menu")
    entries = (await body_of(request, now)).get("entries", [])
    return {
        "standing": now,
        "findings": await checked(request, now),
        "rows": [*entries, *({} for _ in range(MOST - len(entries)))],
        "keys": KEYS,
        "names": {name: NAMES.get(name, name) for name in REACHES},
        "languages": services(request).facts.languages,
    }


@routes.get("/menu")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "menu/page.html", **await _values(request))


@routes.post("/menu")
async def change(request: Request, visitor: Changes) -> Response:
    """Rows in their order; one that leads nowhere is taken out. As shipped, the shipped sentence is said."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    rows = ((form.get(f"{n}.key", ""), form.get(f"{n}.leads_to", "")) for n in range(MOST))
    body: Any = {"entries": [{"key": key, "leads_to": leads_to} for key, leads_to in rows if leads_to]}
    if body == workshop_of(request).file_of("menu"):
        body = None
    await save(request, visitor, "menu", body, form.get("seen", ""))
    return pages_of(request).part(request, "menu/editor.html", **await _values(request))
