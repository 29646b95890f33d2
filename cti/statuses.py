"""The statuses of a member of staff, and the moves that are allowed between them. An illegal one raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    SIGNED_OUT = "signed_out"
    AVAILABLE = "available"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    AWAY = "away"


_S = Status
NEXT: dict[Status, set[Status]] = {
    _S.SIGNED_OUT: {_S.AVAILABLE, _S.AWAY},
    _S.AVAILABLE: {_S.RINGING, _S.TALKING, _S.AWAY, _S.SIGNED_OUT},
    _S.RINGING: {_S.TALKING, _S.AVAILABLE, _S.AWAY, _S.WRAP_UP},  # wrap-up: it rang before the pause took hold
    _S.TALKING: {_S.WRAP_UP, _S.AVAILABLE, _S.AWAY},
    _S.WRAP_UP: {_S.AVAILABLE, _S.AWAY, _S.RINGING, _S.TALKING, _S.SIGNED_OUT},  # ringing: before the pause took hold
    _S.AWAY: {_S.AVAILABLE, _S.RINGING, _S.TALKING, _S.SIGNED_OUT},  # a colleague may call, they may dial
}


class IllegalMove(Exception):
    """This change of status is not in the table; the text says from what to what."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person who is signed in wants: which queues, and away (with the reason's code) or not (None)."""

    queues: tuple[str, ...]
    away: str | None = None


@dataclass(slots=True)
class Person:
    sip_username: str
    wish: Wish
    status: Status
    call_id: str = ""  # the queue's call that rings, is talked, or is being wrapped up
    writes_up: str = ""  # the call that was being wrapped up when another rang


@dataclass(frozen=True, slots=True)
class StatusChanged:
    at: datetime | None
    sip_username: str
    status: Status
    call_id: str
