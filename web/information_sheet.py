"""The site's own sentences: what the information menu says, where the hospital is, how to prepare."""

from typing import Any

from fastapi import APIRouter, Request, Response

from scripts.site_file import TOPICS
from web.doors import pages_of, services
from web.editions import Changes, body_of, checked, save, standing

HEARD = {
    "opening_hours": "Opening hours: key 1 of the information menu",
    "directions": "The way here: key 2",
    "documents": "What to bring: key 3",
    "address": "The address, as a text message",
}
NEW = "new"

routes = APIRouter()


async def _values(request: Request) -> dict[str, Any]:
    now = await standing(request, "information")
    body = await body_of(request, now)
    return {
        "standing": now,
        "findings": await checked(request, now),
        "topics": {topic: (HEARD[topic], body.get("says", {}).get(topic, {})) for topic in TOPICS},
        "prepare": body.get("prepare", {}),
        "languages": services(request).facts.languages,
    }


@routes.get("/information")
async def page(request: Request, visitor: Changes) -> Response:
    return pages_of(request).show(request, "information/page.html", **await _values(request))


@routes.post("/information")
async def change(request: Request, visitor: Changes) -> Response:
    """A topic or a code whose fields are all empty is taken out."""
    form = {name: value.strip() for name, value in (await request.form()).items() if isinstance(value, str)}
    said: dict[str, dict[str, dict[str, str]]] = {"says": {}, "prepare": {}}
    for name, text in form.items():
        kind, _, rest = name.partition(".")
        key, _, language = rest.rpartition(".")
        if kind not in said or not text:
            continue
        if kind == "prepare" and key == NEW:
            key = form.get("new_code", "")
        said[kind].setdefault(key, {})[language] = " ".join(text.split())
    await save(
        request, visitor, "information", {kind: part for kind, part in said.items() if part}, form.get("seen", "")
    )
    return pages_of(request).part(request, "information/editor.html", **await _values(request))
