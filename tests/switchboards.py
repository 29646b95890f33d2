"""A switchboard on a test's Asterisk that remembers what it was told, so that a test can wait for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

from cti.ami import Patience
from cti.events import Event
from cti.switchboard import Switchboard
from cti.telephone import Telephone
from tests.asterisk_instance import AsteriskInstance
from tests.characters import JOAO, RUTH
from tests.late import LATE

E = TypeVar("E", bound=Event)
QUICK = Patience(ping_every=0.5, dead_after=2.0, first_wait=0.1, longest_wait=0.5)


def new_leg() -> str:
    return f"n1-{uuid4().hex}"


class Listener:
    def __init__(self, board: Switchboard, telephone: Telephone) -> None:
        self.board, self.telephone = board, telephone
        self.told: list[Event] = []
        self._more = asyncio.Condition()
        board.on(Event, self._tell)

    async def _tell(self, event: Event) -> None:
        async with self._more:
            self.told.append(event)
            self._more.notify_all()

    async def hears(self, kind: type[E], within: float = 10, **fields: object) -> E:
        """The first event of this kind with these fields, already told or still to come."""
        found: list[E] = []

        def there() -> bool:
            found[:] = [
                e for e in self.told if isinstance(e, kind) and all(getattr(e, k) == v for k, v in fields.items())
            ]
            return bool(found)

        try:
            async with asyncio.timeout(within), self._more:
                await self._more.wait_for(there)
        except TimeoutError:
            raise AssertionError(f"{LATE}: no {kind.__name__} {fields} within {within} s; told: {self.told}") from None
        return found[0]

    def forget(self) -> None:
        self.told.clear()


@asynccontextmanager
async def listening(
    asterisk: AsteriskInstance,
    *,
    at: str | None = None,
    patience: Patience = QUICK,
    prepare: Callable[[Switchboard], object] | None = None,
) -> AsyncIterator[Listener]:
    """`at`: connect there (a relay) instead of to Asterisk itself. `prepare` runs before the start."""
    plan = asterisk.plan
    board = Switchboard(at or plan.address, plan.ami_port, plan.ami_user, plan.ami_secret, patience)
    routes = {JOAO.numbers[0]: "PJSIP/joao", RUTH.numbers[0]: "PJSIP/ruth"}
    telephone = Telephone(board, routes, ("_+57XXXXXXXXXX",), asterisk.folder / "log" / "calls.csv")
    if prepare is not None:
        prepare(board)  # before the listener: what the test hears of, the others have dealt with
    listener = Listener(board, telephone)
    await board.start()
    try:
        await board.ami.wait_up()
        yield listener
    finally:
        await board.stop()
