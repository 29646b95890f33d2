"""Pages from templates: one Jinja environment, everything escaped, times in the site's zone."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web import words
from web.ports import SiteFacts

HERE = Path(__file__).parent


@lru_cache(maxsize=256)
def _digest(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


class Pages:
    """`show` makes a whole page, `part` a part of one."""

    def __init__(self, facts: SiteFacts, position: Callable[[], str], vendor: Path) -> None:
        """position: where the live stream is now. vendor: the folder of the bundled scripts."""
        self._vendor = vendor
        self._position = position
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(facts=facts, asset=self.asset, words=words)
        self._environment.filters.update(
            capital=words.capital,
            clock=lambda at: words.clock(at, facts.zone),
            day=lambda at: words.day(at, facts.zone),
            moment=lambda at: words.moment(at, facts.zone),
            iso=_iso,
            duration=words.duration,
        )

    def asset(self, name: str) -> str:
        """A static file's address with its content's hash, so that browsers may keep it for ever."""
        path = self._vendor / name.removeprefix("vendor/") if name.startswith("vendor/") else HERE / "static" / name
        if not path.is_file():
            return f"/static/{name}"
        return f"/static/{name}?v={_digest(path, path.stat().st_mtime_ns)}"

    def show(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._render(request, template, {"status": status} | values), status)

    def part(self, request: Request, template: str, *, status: int = 200, key: str = "", **values: Any) -> HTMLResponse:
        """A fragment. `key`: while it stays the same, a page that shows it is not replaced (X-Fragment-Key)."""
        headers = {"X-Fragment-Key": key} if key else None
        return HTMLResponse(self._render(request, template, values), status, headers)

    def _render(self, request: Request, template: str, values: Mapping[str, Any]) -> str:
        common = {
            "visitor": getattr(request.state, "visitor", None),
            "path": request.url.path,
            "position": getattr(request.state, "position", None) or self._position(),
        }
        return self._environment.get_template(template).render(common | dict(values))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
