"""Somebody at the console, as the pages' own requests: signed in, with the anti-forgery token of the page."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from hotline import demo
from tests.house import House


class Console:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._csrf = ""

    async def sign_in(self, username: str, password: str | None = None) -> None:
        """`password`: of an account that is not the demo's."""
        known = {"username": username, "password": password or demo.PASSWORDS[username]}
        answer = await self._client.post("/sign-in", data=known, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        found = re.search(r'csrf[^>]*?content="([^"]+)"|"X-CSRF-Token":\s*"([^"]+)"|data-csrf="([^"]+)"', answer.text)
        assert found is not None, "the page has no anti-forgery token"
        self._csrf = next(group for group in found.groups() if group)

    async def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        answer = await self._client.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer

    async def post(self, path: str, status: int = 200, **form: str | list[str]) -> httpx.Response:
        """`status`: what must come back."""
        answer = await self._client.post(path, data=form, headers={"X-CSRF-Token": self._csrf})
        assert answer.status_code == status, (answer.status_code, answer.text)
        return answer


@asynccontextmanager
async def console(house: House, username: str, password: str | None = None) -> AsyncIterator[Console]:
    async with httpx.AsyncClient(base_url=f"http://{house.address}:8000", timeout=20) as client:
        signed_in = Console(client)
        await signed_in.sign_in(username, password)
        yield signed_in
