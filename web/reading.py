"""How far a list is that somebody has sent, for the page on which they wait: counts, and nothing of what stands in it.

The list is read by the process that it was sent to, and so is the page's question answered there; where it is not, the
page says that it is being read, and no count."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from hospital.database import Database, announce
from web.doors import Door, Visitor, pages_of

TOLD_EVERY = 1000  # rows

routes = APIRouter()


@dataclass
class Reading:
    """`lines`: how many the file has, its heading among them; rows that hold line breaks are fewer. `done`: patients of
    it who were enrolled, or found not to be, or put into a campaign, part by part."""

    account_id: UUID
    lines: int
    database: Database = field(repr=False)
    rows: int = 0
    refused: int = 0
    done: int = 0

    def read(self, refused: bool) -> None:
        """One row more."""
        self.reached(self.rows + 1, self.refused + refused)

    def reached(self, rows: int, refused: int) -> None:
        """So many in all."""
        tell, self.rows, self.refused = rows // TOLD_EVERY > self.rows // TOLD_EVERY, rows, refused
        if tell:
            self.tell()

    def put_in(self, done: int) -> None:
        """So many patients in all."""
        self.done = done
        self.tell()

    def tell(self) -> None:
        with self.database.transaction() as session:
            announce(session, "list", self.account_id)


class Readings:
    """Of one process: an account's newest."""

    def __init__(self) -> None:
        self._by: dict[UUID, Reading] = {}

    @contextmanager
    def begun(self, account_id: UUID, content: bytes, database: Database) -> Iterator[Reading]:
        reading = self._by[account_id] = Reading(account_id, content.count(b"\n"), database)
        try:
            yield reading
        finally:
            if self._by.get(account_id) is reading:
                del self._by[account_id]

    def of(self, account_id: UUID) -> Reading | None:
        return self._by.get(account_id)


def readings(request: Request) -> Readings:
    found: Readings = request.app.state.readings
    return found


@routes.get("/lists/progress")
async def progress(request: Request, visitor: Annotated[Visitor, Depends(Door(None))]) -> Response:
    """How far the list is that this account has sent."""
    return pages_of(request).part(request, "lists/progress.html", reading=readings(request).of(visitor.account_id))
