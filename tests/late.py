"""How a wait that was too short fails: what fails so, and a phone (tests/phone.py), the Makefile looks at once more."""

import asyncio
from collections.abc import AsyncIterator
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
