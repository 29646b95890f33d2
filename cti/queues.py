"""Who waits in Asterisk's queues now, in order: read when it is asked for, for Asterisk owns the queues."""

from dataclasses import dataclass
from typing import Protocol


class Listing(Protocol):
    """What of `cti.ami.Ami` is needed."""

    async def listing(self, action: str, /) -> list[dict[str, str]]: ...


@dataclass(frozen=True)
class Waiting:
    """One caller. `place` counts from 1; `language` is the channel's, with what the dialplan has put behind it."""

    channel_id: str
    queue: str
    place: int
    language: str


async def waiting(ami: Listing) -> list[Waiting]:
    """Raises what `Ami.listing` raises where the link is down."""
    entries = [row for row in await ami.listing("QueueStatus") if row.get("Event") == "QueueEntry"]
    if not entries:
        return []
    languages = {row["Uniqueid"]: row.get("Language", "") for row in await ami.listing("CoreShowChannels")}
    return [
        Waiting(row["Uniqueid"], row["Queue"], int(row["Position"]), languages.get(row["Uniqueid"], ""))
        for row in entries
    ]
