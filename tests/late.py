"""How a wait that was too short fails: what fails so, and a phone (tests/phone.py), the Makefile looks at once more."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

LATE = "it did not happen"


@asynccontextmanager
async def in_time(within: float, what: str) -> AsyncIterator[None]:
    """The block may take `within` seconds; after them it fails, late, with `what` it waited for."""
    try:
        async with asyncio.timeout(within) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise AssertionError(f"{LATE}: {what} within {within} s") from None


async def until(what: str, happened: Callable[[], object], within: float = 10) -> None:
    """Looks every so often; fails, late, with `what` did not come about."""
    async with in_time(within, what):
        while not happened():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)
