"""When something is refused or fails, its reader gets one plain sentence: on a page of its own, or, where a part
of a page asked, in the header that the console's script shows (`X-Sentence`, percent-encoded)."""

import logging
import traceback
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.pages import Pages

log = logging.getLogger(__name__)


class Refusal(Exception):
    """An answer of `status` (4xx or 5xx) whose reader is told `sentence`. Nothing personal in it: it may be logged."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class SignInFirst(Exception):
    """Nobody is signed in, or not any more."""


_SENTENCES = {
    404: "There is no such page. It may have been closed or moved.",
    405: "This page cannot do that.",
    413: "That is more than this page takes.",
    503: "The database does not answer. Calls go on; try again in a moment.",
}


def is_part(request: Request) -> bool:
    """Whether a part of a page asked (our script, its live stream or htmx), not the browser for a whole page."""
    if "x-fragment" in request.headers or request.headers.get("accept") == "text/event-stream":
        return True
    return "hx-request" in request.headers and request.headers.get("hx-boosted") != "true"


def install(app: FastAPI, pages: Pages) -> None:
    def tell(request: Request, status: int, sentence: str) -> Response:
        if is_part(request):
            return PlainTextResponse(sentence, status, {"X-Sentence": quote(sentence)})
        return pages.show(request, "refused.html", status=status, sentence=sentence)

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return tell(request, error.status, error.sentence)

    @app.exception_handler(SignInFirst)
    async def sign_in_first(request: Request, error: SignInFirst) -> Response:
        if is_part(request) or request.method not in ("GET", "HEAD"):
            return tell(request, 401, "You are signed out. Sign in again.")
        if request.headers.get("hx-boosted") == "true":
            return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
        wanted = "" if request.url.path == "/" else f"?next={quote(request.url.path)}"
        return RedirectResponse(f"/sign-in{wanted}", 303)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return tell(request, error.status_code, _SENTENCES.get(error.status_code, "That did not work. Try again."))

    @app.exception_handler(RequestValidationError)
    async def not_understood(request: Request, error: RequestValidationError) -> Response:
        # an id in the address that is none, or a form without its field; the input itself is not echoed
        if request.method in ("GET", "HEAD"):
            return tell(request, 404, _SENTENCES[404])
        return tell(request, 422, "That was not understood. Reload the page and try again.")


class LastResort:
    """ASGI middleware around everything: what nobody caught is logged without its text, which may quote a patient."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http":
                log.error("%s in a %s\n%s", type(error).__name__, scope["type"], _where(error))
                if scope["type"] == "lifespan":
                    raise
                return
            route = getattr(scope.get("route"), "path", "?")
            log.error("%s in %s %s\n%s", type(error).__name__, scope["method"], route, _where(error))
            if begun:
                # the browser sees a broken answer, never a short one that looks whole
                raise ConnectionAbortedError("the answer was broken off") from None
            sentence = "Something went wrong here. What you saved is kept; try again."
            response = PlainTextResponse(sentence, 500, {"X-Sentence": quote(sentence)})
            await response(scope, receive, send)


def _where(error: BaseException) -> str:
    """The places of a traceback, cause first, without any message."""
    parts: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(parts) < 4:
        parts.append(f"{type(seen).__name__}\n{''.join(traceback.format_tb(seen.__traceback__))}")
        seen = seen.__cause__ or seen.__context__
    return "\n".join(reversed(parts))
