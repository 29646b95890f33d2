"""What a request's body may weigh: forms and notes are small; a recording of a prompt (two minutes of studio quality)
and a list of discharges are all else that is sent to the console."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 256 * 1024  # bytes
LARGEST_TAKE = 16 * 1024 * 1024
LARGEST_LIST = 16 * 1024 * 1024
LARGEST_PEOPLE = 1024 * 1024
LISTS = ("/discharges/preview", "/discharges/import")
PEOPLE = re.compile(r"/enrol/(preview|list)|/campaigns/[0-9a-f-]{36}/patients/(preview|import)")
FHIR = "/questionnaires/import"
TAKE = re.compile(r"/prompts/[A-Za-z-]{2,8}/[a-z0-9_.]{1,80}/take")


class Limits:
    """ASGI middleware: a body that is too large is answered with 413, whether its length is told or not."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = scope["path"]
        more = LARGEST_TAKE if TAKE.fullmatch(path) else LARGEST_LIST if path in (*LISTS, FHIR) else 0
        more = LARGEST_PEOPLE if PEOPLE.fullmatch(path) else more
        largest = max(self._largest, more)
        told = next((v for k, v in scope["headers"] if k == b"content-length"), b"0")
        if not told.isdigit() or len(told) > 9 or int(told) > largest:
            return await _too_large(send, path)
        got, begun, over = 0, False, False

        async def measured() -> Message:
            nonlocal got, over
            message = await receive()
            got += len(message.get("body", b""))
            if got > largest:
                over = True
                return {"type": "http.disconnect"}
            return message

        async def watch(message: Message) -> None:
            nonlocal begun
            if over and not begun:
                return
            begun = True
            await send(message)

        try:
            await self._app(scope, measured, watch)
        finally:
            if over and not begun:
                await _too_large(send, path)


async def _too_large(send: Send, path: str) -> None:
    body = b"That is more than this page takes.\n"
    if path in LISTS:
        body = (
            b"A list of more than 16 MB is read on the server: hotline discharges import FILE, or hotline patients for "
            b"one of record numbers. Or give it in parts.\n"
        )
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
