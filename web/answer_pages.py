"""The pages on which a patient answers by a link: an application of its own, with nothing of the console in it.

Rules: a page names the hospital and asks; it never says who is asked, or why. Looking changes nothing: programs look
at links, too. Only a form that is sent does, and it saves one answer with all that follows from it in one transaction.
Each link that opens nothing shows the same page. No cookie, no script, nothing of another site; the language is chosen
in the address (`l`)."""

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from hospital import answer_links
from hospital.answer_links import Asked, Raised
from hospital.calendars import Calendar
from hospital.clocks import Clocks, due
from hospital.database import Database
from scripts import words_between
from scripts.filling import Filling
from scripts.questionnaire_files import kept
from scripts.wording import Wording
from web import answer_view
from web.answer_fields import OTHER
from web.answer_guard import Guard, Rates
from web.answer_view import NotUnderstood, Shown
from web.refusals import LastResort
from web.tell_page import TellPage

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
STYLE = HERE / "static" / "answers.css"
TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 200
REFUSED = {408: "page_trouble", 413: "page_too_long", 415: "page_trouble", 421: "page_closed", 429: "page_too_often"}
WRITTEN = "text_alarm"  # an alarm in a patient's own words


@dataclass(frozen=True)
class House:
    """What the pages need. `words`: in force now. `languages`: that patients can choose.
    `country` (ISO 3166 alpha-2): whose numbers are typed on the page that anybody may write on; None: there is none."""

    database: Database
    clock: Callable[[], datetime]
    words: Callable[[], Awaitable[Wording]]
    hosts: frozenset[str]
    languages: tuple[str, ...]
    default_language: str
    clocks: Clocks
    tls: bool = True
    country: str | None = None


@dataclass(frozen=True)
class Sent:
    """A form: which question it answers, and its fields."""

    key: str
    values: list[str]
    free: str


@dataclass(frozen=True)
class Saved:
    """What follows after an answer: the page of that number, or the end, in the link's language unless another was
    chosen. `leads`: words behind the last question."""

    number: int = 0
    language: str = ""
    urgent: bool = False
    leads: tuple[words_between.Words, ...] = ()


def create_answer_app(house: House, rates: Rates | None = None) -> Starlette:
    """Run it behind a TLS proxy; what is not a page of a link is not there."""
    pages = AnswerPages(house)
    routes = [
        Route("/s/{token}", pages.welcome, methods=["GET"]),
        Route("/s/{token}", pages.begin, methods=["POST"]),
        Route("/s/{token}/{number:int}", pages.question, methods=["GET"]),
        Route("/s/{token}/{number:int}", pages.answer, methods=["POST"]),
        Route("/thanks", pages.thanks, methods=["GET"]),
        Route("/urgent", pages.urgent, methods=["GET"]),
        Route("/answers.css", style, methods=["GET"]),
        Route("/robots.txt", robots, methods=["GET"]),
    ]
    if house.country is not None:
        tell = TellPage(house.database, house.clock, house.clocks, house.country, pages.show, pages.language)
        routes += [Route("/tell", tell.form, methods=["GET"]), Route("/tell", tell.send, methods=["POST"])]
    guard: dict[str, Any] = {"hosts": house.hosts, "tls": house.tls, "clock": house.clock}
    guard |= {"rates": rates or Rates(), "refuse": pages.refuse}
    return Starlette(
        routes=routes,
        middleware=[Middleware(LastResort), Middleware(Guard, **guard)],
        exception_handlers={
            HTTPException: pages.nothing_there,
            SQLAlchemyError: pages.trouble,
            TimeoutError: pages.trouble,
        },
    )


async def style(request: Request) -> Response:
    return FileResponse(STYLE, headers={"Cache-Control": "public, max-age=86400"})


async def robots(request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


class AnswerPages:
    """The pages of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates" / "answers"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(other=OTHER, mark=hashlib.sha256(STYLE.read_bytes()).hexdigest()[:12])

    # ── Pages ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def welcome(self, request: Request) -> Response:
        asked = await self._find(request)
        if asked is None:
            return await self._closed(request)
        if asked.begun:
            return await self._next(request, asked)
        return await self.show(request, "welcome", asked.language, token=_token(request))

    async def begin(self, request: Request) -> Response:
        house, token = self._house, _token(request)
        if not token or not await house.database.run(answer_links.begin, token, house.clock()):
            return await self._closed(request)
        return await self.welcome(request)

    async def question(self, request: Request) -> Response:
        asked = await self._find(request)
        if asked is None:
            return await self._closed(request)
        shown = answer_view.show(_filling(asked), _number(request)) if asked.begun else None
        if shown is None:
            return _to(request, f"/s/{_token(request)}") if not asked.begun else await self._next(request, asked)
        return await self._question(request, asked, shown)

    async def answer(self, request: Request) -> Response:
        sent = _read(request, await request.body())
        if sent is None:
            return await self.refuse(request.scope, 415)
        house, token = self._house, _token(request)
        if not token:
            return await self._closed(request)
        saved = await house.database.run(self._save, token, sent)
        if saved is None:
            return await self._closed(request)
        if isinstance(saved, tuple):
            asked, shown = saved
            return await self._question(request, asked, shown, 422)
        if saved.number:
            return _to(request, f"/s/{token}/{saved.number}")
        if saved.leads:
            return await self.show(request, "thanks", saved.language, leads=saved.leads, path="/thanks")
        return _to(request, "/urgent" if saved.urgent else "/thanks", saved.language)

    async def thanks(self, request: Request) -> Response:
        return await self.show(request, "thanks", "", leads=())

    async def urgent(self, request: Request) -> Response:
        return await self.show(request, "urgent", "", called=True)

    async def nothing_there(self, request: Request, error: Exception) -> Response:
        return await self._closed(request, error.status_code if isinstance(error, HTTPException) else 404)

    async def trouble(self, request: Request, error: Exception) -> Response:
        log.warning("a page of a link could not reach the database (%s)", type(error).__name__)
        return await self._refused(request, 503, "page_trouble")

    async def refuse(self, scope: Scope, status: int) -> Response:
        return await self._refused(Request(scope), status, REFUSED[status])

    # ── How ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _save(self, session: Session, token: str, sent: Sent) -> Saved | tuple[Asked, Shown] | None:
        """One answer; with what was sent where it is none; None where the link opens nothing."""
        house, at = self._house, self._house.clock()
        held = answer_links.hold(session, token, at)
        if held is None:
            return None
        before = _filling(held)
        shown = next((page for page in _pages(before) if page.place.key == sent.key), None)
        if shown is None:  # it is not asked any more
            return _following(before) or Saved(1)
        try:
            value = answer_view.meant(before, shown.place, sent.values, sent.free)
        except NotUnderstood as problem:
            return held, replace(shown, problem=problem.key, typed=sent.values, free=sent.free)
        filling = Filling(before.questionnaire, {**before.answers, sent.key: value})
        raised = self._raised(filling, value, at)
        changes = [rule.change for rule in filling.rules()]
        clocks = house.clocks
        site = Calendar(clocks.zone, clocks.country)
        answer_links.save(session, held, sent.key, value, at, raised=raised, changes=changes, site=site, clocks=clocks)
        if raised is not None:
            return Saved(language=held.language, urgent=True)
        following = _following(filling)
        if following is None:
            answer_links.finish(session, held, at)
            leads = tuple(one for _, one in words_between.after_all(filling))
            return Saved(language=held.language, leads=leads)
        return following

    def _raised(self, filling: Filling, value: Any, at: datetime) -> Raised | None:
        clock = due("red_flag", at, self._house.clocks)
        flags = filling.flags()
        if flags:
            return Raised(flags[0].code, clock)
        return Raised(WRITTEN, clock) if answer_view.alarms(value) else None

    async def _find(self, request: Request) -> Asked | None:
        token = _token(request)
        return await self._house.database.run(answer_links.find, token, self._house.clock()) if token else None

    async def _next(self, request: Request, asked: Asked) -> Response:
        """On to what is open; where nothing is, because a call has answered the rest, the last one can be confirmed."""
        filling = _filling(asked)
        following = _following(filling)
        numbers = [following.number] if following else [page.number for page in _pages(filling)]
        return _to(request, f"/s/{_token(request)}/{numbers[-1]}") if numbers else await self._closed(request)

    async def _question(self, request: Request, asked: Asked, shown: Shown, status: int = 200) -> Response:
        return await self.show(request, "question", asked.language, status, token=_token(request), shown=shown)

    async def _closed(self, request: Request, status: int = 404) -> Response:
        return await self._refused(request, status, "page_closed")

    async def _refused(self, request: Request, status: int, key: str) -> Response:
        return await self.show(request, "refused", "", status, key=key)

    def _chosen(self, request: Request, words: Wording, language: str) -> str:
        """The language of a page: as was chosen, the link's (`language`), as the browser says, the site's."""
        wanted = (request.query_params.get("l", ""), language)
        known = next((tag for tag in wanted if tag in words.languages), None)
        return known or _of_browser(request, self._house.languages) or self._house.default_language

    async def language(self, request: Request) -> str:
        """That a page without a link is shown in."""
        return self._chosen(request, await self._house.words(), "")

    async def show(
        self, request: Request, page: str, language: str, status: int = 200, /, **values: Any
    ) -> HTMLResponse:
        """`language`: the link's; another may have been chosen."""
        words = await self._house.words()
        tag = self._chosen(request, words, language)

        def say(key: str, **params: Any) -> str:
            return words.message(key, tag, **params)

        names = {one: words.languages[one].name for one in self._offered(words, language)}
        common = {"say": say, "tag": tag, "names": names, "site": words.site, "path": request.url.path}
        text = self._environment.get_template(f"{page}.html").render(common | values)
        return HTMLResponse(text, status, {"Content-Language": tag})

    def _offered(self, words: Wording, language: str) -> list[str]:
        offered = {*self._house.languages, language}
        return [tag for tag in words.languages if tag in offered]


def _filling(asked: Asked) -> Filling:
    return Filling(kept(asked.body), asked.answers)


def _pages(filling: Filling) -> list[Shown]:
    """All questions that are asked now."""
    shown = (answer_view.show(filling, number) for number in range(1, 1 + len(answer_view.stops(filling))))
    return [page for page in shown if page is not None]


def _following(filling: Filling) -> Saved | None:
    """The first question that is open; None where all was answered."""
    place = filling.next()
    return Saved(answer_view.number_of(filling, place)) if place is not None else None


def _token(request: Request) -> str:
    """As the address has it; '' for what can be none."""
    token = request.path_params.get("token", "")
    return token if TOKEN.fullmatch(token) else ""


def _number(request: Request) -> int:
    return int(request.path_params["number"])


def _read(request: Request, body: bytes) -> Sent | None:
    """None for what no form of ours has sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return None
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # also of bytes that are no UTF-8
        return None
    return Sent(fields.get("key", [""])[0], fields.get("value", []), fields.get("text", [""])[0])


def _of_browser(request: Request, offered: tuple[str, ...]) -> str | None:
    """The first of its languages that is offered, in whatever country's form."""
    for told in request.headers.get("accept-language", "")[:200].split(","):
        first = told.partition(";")[0].strip().partition("-")[0].lower()
        found = next((tag for tag in offered if first and tag.partition("-")[0] == first), None)
        if found is not None:
            return found
    return None


def _to(request: Request, path: str, language: str = "") -> RedirectResponse:
    """On to another page, in the language that was chosen, else in this one."""
    wanted = request.query_params.get("l", language)
    return RedirectResponse(f"{path}?l={wanted}" if re.fullmatch(r"[A-Za-z-]{2,8}", wanted) else path, 303)
