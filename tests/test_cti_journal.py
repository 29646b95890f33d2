"""What callers left in Asterisk while the ivr was down becomes owned items, once each, and nobody is lost."""

import pytest
from sqlalchemy import select

from cti.journal import InboundJournal
from cti.switchboard import Switchboard
from cti.telephone import Telephone
from hospital.callbacks import Callback
from hospital.database import Database
from tests.moments import NOON


class Left(Telephone):
    """Asterisk's own store, with two numbers in it."""

    def __init__(self) -> None:
        self.numbers = {"n1-1.1": "3015550177", "n1-1.2": "000000"}

    async def collect_callbacks(self) -> list[tuple[str, str]]:
        return list(self.numbers.items())

    async def forget_callback(self, origin: str) -> None:
        del self.numbers[origin]


@pytest.mark.covers("H1")
async def test_numbers_are_collected_once_and_an_odd_one_is_kept_as_typed(database: Database) -> None:
    board, left = Switchboard("127.0.0.1", 1, "core", "no link is made"), Left()
    journal = InboundJournal(board, left, database, node="n1", country="CO", now=lambda: NOON)
    assert await journal.collect_callbacks() == 2
    assert left.numbers == {}
    left.numbers = {"n1-1.1": "3015550177"}  # the link was cut before Asterisk forgot it
    assert await journal.collect_callbacks() == 0
    with database.transaction() as session:
        kept = {item.origin: item.number for item in session.scalars(select(Callback))}
    assert kept == {"n1-1.1": "+573015550177", "n1-1.2": "000000"}
