"""One Chromium for a worker, and the driver that tells it what to do: to start both costs a second of processor.

    async def test_…(open_page):
        page = await open_page()

Each call opens a page of somebody else (a context: cookies, storage and cache of its own), which closes with the test.
Both live in the loop of the session, and so does every test that has to do with them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"  # without the window that nobody sees, a third of the work
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]

BRIEF = "--js-flags=--no-opt --no-maglev"
"""Scripts are compiled as they run, and not once more into what is faster: no page lives long enough to win by it."""

OpenPage = Callable[..., Awaitable["Page"]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator["Playwright"]:
    from playwright.async_api import async_playwright  # most tests need none of it

    async with async_playwright() as driver:
        yield driver


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(playwright: "Playwright") -> AsyncIterator[Callable[[], Awaitable["Browser"]]]:
    """The running one; another, should it have died under a test."""
    running: list[Browser] = []

    async def browser() -> "Browser":
        if not running or not running[-1].is_connected():
            running.append(await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, BRIEF]))
        return running[-1]

    yield browser
    for one in running:
        await one.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(chromium: Callable[[], Awaitable["Browser"]]) -> AsyncIterator[OpenPage]:
    """`await open_page()`: at 1366 × 768, unless a context's options say otherwise."""
    opened = []

    async def one(**options: Any) -> "Page":
        # nothing moves: what axe measures is what stays
        usual = {"viewport": {"width": 1366, "height": 768}, "reduced_motion": "reduce"}
        context = await (await chromium()).new_context(**usual | options)
        opened.append(context)
        return await context.new_page()

    yield one
    await asyncio.gather(*(context.close() for context in opened))


def pytest_itemcollected(item: pytest.Item) -> None:
    if {"playwright", "served"} & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
