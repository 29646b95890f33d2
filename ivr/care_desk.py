"""What the dialogues about care need beside the booking: tapes for a caller's voice, clocks, opening hours, triage."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hospital.cases import Teller
from hospital.clocks import Clocks
from hospital.opening import Hours
from scripts.triage import Triage


@dataclass(frozen=True)
class Tape:
    """A recording that may begin. `path` is Asterisk's name of the file."""

    id: UUID
    path: str


class Tapes(Protocol):
    """Voices of callers: a spool, sealed recordings, and the cases they become."""

    async def begin(self, kind: str, teller: Teller) -> Tape | None:
        """Drafts a case of `kind` and its recording; None where there is no room to record."""

    async def finish(self, tape: Tape) -> int | None:
        """Seals what was said and returns its case's number; None where nobody spoke. To be called however the
        recording ended; where it isn't, a sweep does the same later."""


@dataclass(frozen=True)
class CareDesk:
    """`triage` is None where the hospital's table was refused; `ask_rating`: whether callers rate a talk."""

    hours: Hours
    clocks: Clocks
    tapes: Tapes
    triage: Triage | None
    ask_rating: bool = True
