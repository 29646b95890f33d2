"""The whole hotline for a benchmark, on a loopback network of its own, taken away afterwards."""

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from hospital import vault
from hotline.places import read_secrets
from tests.asterisk_instance import free_address
from tests.house import House
from tests.phone import Phone
from tests.site_key import SITE_KEY

NETWORK = "127.0.60"
PATIENCE_S = 45.0
"""A benchmark that takes longer has failed."""


@contextmanager
def running(**environment: str) -> Iterator[House]:
    """Started as `hotline up` starts it; phones and Asterisk on NETWORK. It ends with the benchmark, told or not.
    `environment`: more settings, as HOTLINE_… variables."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    vault.unlock(SITE_KEY)
    folder = Path(tempfile.mkdtemp(prefix="bench-house-"))
    house = House(folder, free_address(), pace=1, **environment)
    try:
        house.start()
        yield house
    finally:
        house.stop()
        for left in (folder, house.here.cluster.socket_folder):
            shutil.rmtree(left, ignore_errors=True)


class TimedPhone(Phone):
    """A phone that remembers when its process told something (time.time(), to within a pipe's delay)."""

    told_at: dict[str, float]

    def _take(self, event: dict[str, Any]) -> None:
        if not hasattr(self, "told_at"):
            self.told_at = {}
        self.told_at[event["is"]] = time.time()
        super()._take(event)


@asynccontextmanager
async def timed_phone(house: House, username: str, last: int) -> AsyncIterator[TimedPhone]:
    """The registered phone of a demo account at address NETWORK.`last`."""
    network = house.address.rpartition(".")[0]
    async with await TimedPhone.start(
        address=f"{network}.{last}",
        server=house.address,
        username=username,
        secret=read_secrets(house.here).sip[username],
    ) as phone:
        yield phone
