"""A list of patients that is sent from the browser: in memory while it is read, on no disk, and sent again for what is
done with it, where it is known by its digest."""

import asyncio
from dataclasses import dataclass, field
from hashlib import sha256

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hospital import record_lists
from hospital.csv_files import ListRefused
from hospital.record_lists import People
from scripts.vocabulary import list_words
from web.doors import services
from web.limits import LARGEST_LIST
from web.reading import Reading
from web.refusals import Refusal


class InMemory(MultiPartParser):
    """No part of a list touches the disk."""

    spool_max_size = LARGEST_LIST


@dataclass(frozen=True)
class Sent:
    """`seen`: the digest of the list that was looked at. `fields`: what else the form says."""

    content: bytes = field(repr=False)
    seen: str
    fields: dict[str, str]

    @property
    def digest(self) -> str:
        return sha256(self.content).hexdigest()

    def is_what_was_checked(self) -> None:
        """Raises Refusal where it is another list."""
        if self.digest != self.seen:
            raise Refusal(409, "This is not the list that was checked. Check it first.")


async def sent(request: Request) -> Sent:
    """The field `list`, and the others. Raises Refusal."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise Refusal(422, "Choose a list first.")
    try:
        form = await InMemory(request.headers, request.stream()).parse()
    except MultiPartException:
        raise Refusal(422, "The list did not arrive whole. Send it again.") from None
    file = form.get("list")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refusal(422, "Choose a list first.")
    content = await file.read()
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    await form.close()
    if not content:
        raise Refusal(422, "The list is empty.")
    return Sent(content, fields.pop("seen", ""), fields)


async def read_people(request: Request, came: Sent, most: int, reading: Reading) -> People:
    """Who a list of record numbers names. Raises Refusal where it is no such list."""
    house, headings = services(request), list_words().columns["record"]

    def read() -> People:
        with house.database.transaction() as session:
            rows = record_lists.records(came.content, most, headings)
            return record_lists.people(session, rows, reading.reached)

    try:
        return await asyncio.to_thread(read)
    except ListRefused as problem:
        told = str(problem)
        raise Refusal(422, told[:1].upper() + told[1:]) from None
