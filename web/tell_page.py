"""The page on which anybody tells the hospital something without a call: a complaint or thanks becomes a case.

Rules: whoever writes is nobody whom we know, so nothing is shown to them but the number of their case, and the number
that they give is sent nothing until a person answers it. The same words sent twice are one case. Words that name an
emergency show whom to call; with a number to call back they are a red flag as well. There is such a page where the
site wants one, and it takes few an hour: a person reads each of them.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hospital import audit, cases
from hospital.cases import Case, Teller
from hospital.clocks import Clocks, due
from hospital.database import Database, storable
from hospital.patients import normalise_number
from hospital.throttling import Allowance
from web import answer_view
from web.answer_guard import Rates

KINDS = ("complaint", "thanks")
LONGEST = 4000  # letters
ALARM = "text_alarm"
OF_ONE = Allowance(6, timedelta(hours=1))
OF_ALL = Allowance(200, timedelta(hours=1))

Show = Callable[..., Awaitable[HTMLResponse]]
"""(request, page, language, status, /, **values) → the page in the reader's language."""


@dataclass(frozen=True)
class Told:
    """What was written. `number`: E.164, '' where none is given."""

    kind: str
    words: str
    number: str
    language: str


@dataclass(frozen=True)
class Typed:
    """The form as it came, to be shown again."""

    kind: str = ""
    words: str = ""
    number: str = ""


class TellPage:
    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        clocks: Clocks,
        country: str,
        show: Show,
        language: Callable[[Request], Awaitable[str]],
        rates: Rates | None = None,
    ) -> None:
        self._database, self._clock, self._clocks, self._country = database, clock, clocks, country
        self._show, self._language = show, language
        self._rates = rates or Rates(OF_ONE, OF_ALL)

    async def form(self, request: Request) -> HTMLResponse:
        return await self._form(request, Typed())

    async def send(self, request: Request) -> HTMLResponse:
        typed = _read(await request.body())
        told, problem = self._meant(typed, await self._language(request))
        if told is None:
            return await self._form(request, typed, 422, problem)
        if not self._rates.admits(request.client.host if request.client else "", self._clock()):
            return await self._form(request, typed, 429, "tell_too_often")
        number, urgent = await self._database.run(self._keep, told)
        page = "urgent" if urgent else "kept"
        return await self._show(request, page, "", 200, number=str(number), path="/tell", called=bool(told.number))

    async def _form(self, request: Request, typed: Typed, status: int = 200, problem: str = "") -> HTMLResponse:
        return await self._show(request, "tell", "", status, typed=typed, problem=problem, kinds=KINDS, most=LONGEST)

    def _meant(self, typed: Typed, language: str) -> tuple[Told | None, str]:
        """What is told, or the key of what is wrong with it."""
        words = storable(typed.words).strip()
        if typed.kind not in KINDS:
            return None, "page_choose"
        if not words:
            return None, "page_words"
        if len(words) > LONGEST:
            return None, "page_too_long"
        number = normalise_number(typed.number, self._country) if typed.number.strip() else ""
        if number is None:
            return None, "tell_number_wrong"
        return Told(typed.kind, words, number, language), ""

    def _keep(self, session: Session, told: Told) -> tuple[int, bool]:
        """The case's number, and whether it is about an emergency."""
        at = self._clock()
        day = at.date().isoformat()  # whoever writes the same next week means it anew
        same = hashlib.sha256("\0".join((told.kind, told.words, told.number, day)).encode()).hexdigest()
        teller = Teller("", told.number or None, None, told.language)
        origin = f"{told.kind}/page/{same}"
        made = cases.open_case(
            session, told.kind, origin, teller, at, due(told.kind, at, self._clocks), "by_page", told.words
        )
        urgent = answer_view.alarms(told.words)
        if urgent and told.number:
            flag = cases.open_case(
                session, "red_flag", f"red_flag/page/{same}", teller, at, due("red_flag", at, self._clocks), ALARM,
                told.words,
            )  # fmt: skip
            audit.record(session, None, "urgent.raised", f"case:{flag}", at, flags=[ALARM])
        return session.get_one(Case, made).number, urgent


def _read(body: bytes) -> Typed:
    """Nothing where it is no form of ours: it is shown anew, and says what is missing."""
    try:
        fields: dict[str, Any] = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        return Typed()
    one = {name: values[0] for name, values in fields.items()}
    return Typed(one.get("kind", ""), one.get("words", ""), one.get("number", "")[:40])
