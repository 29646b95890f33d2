"""What happens on the telephone, in our own words. translation.py turns Asterisk's into them.

Rules:
- A `call_id` is the call (Asterisk's Linkedid), a `channel_id` one leg of it (Uniqueid; ours when we dial).
- `sip_username` is the account whose phone it is; who the person is, SQL knows.
- `at` is Asterisk's own time stamp, UTC; spans are seconds.
- No name and no number of a caller is in any event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cti.line_results import LineResult


@dataclass(frozen=True, slots=True)
class Event:
    at: datetime


@dataclass(frozen=True, slots=True)
class CallerQueued(Event):
    call_id: str
    queue: str
    position: int


@dataclass(frozen=True, slots=True)
class CallerLeftQueue(Event):
    """Answered, given up, or gone by a key: the caller waits no more."""

    call_id: str
    queue: str


@dataclass(frozen=True, slots=True)
class CallAbandoned(Event):
    call_id: str
    queue: str


@dataclass(frozen=True, slots=True)
class AgentRinging(Event):
    """A queue rings this phone, and only this phone's owner may see who is calling."""

    call_id: str
    sip_username: str
    channel: str
    channel_id: str
    queue: str


@dataclass(frozen=True, slots=True)
class AgentAnswered(Event):
    call_id: str
    sip_username: str
    channel: str
    channel_id: str
    queue: str


@dataclass(frozen=True, slots=True)
class AgentMissed(Event):
    """The phone rang and was not taken. It does not come when the caller gives up: the
    phone's LegEnded does."""

    call_id: str
    sip_username: str
    queue: str


@dataclass(frozen=True, slots=True)
class TalkEnded(Event):
    """A queue's call with an agent is over. `ended_by` is agent, caller or transfer."""

    call_id: str
    sip_username: str
    queue: str
    talked: int
    ended_by: str


@dataclass(frozen=True, slots=True)
class LegRinging(Event):
    call_id: str
    channel_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class LegAnswered(Event):
    call_id: str
    channel_id: str
    channel: str


@dataclass(frozen=True, slots=True)
class NobodyThere(Event):
    """A patient answered and the nurse's leg had ended: who calls and a number are being said."""

    call_id: str
    channel_id: str


@dataclass(frozen=True, slots=True)
class LegEnded(Event):
    """`cause` is Q.850, `tech_cause` the SIP status if any: for the record; decisions use line_result."""

    call_id: str
    channel_id: str
    channel: str
    line_result: LineResult
    rang: bool
    answered: bool
    cause: int
    tech_cause: int | None


@dataclass(frozen=True, slots=True)
class OriginateFailed(Event):
    """We asked for a leg and Asterisk made none; there is no LegEnded for this channel id."""

    channel_id: str
    line_result: LineResult


@dataclass(frozen=True, slots=True)
class AsteriskLost(Event):
    """The link is down, whatever the reason: nothing can be asked or dialled until AsteriskReady."""

    reason: str


@dataclass(frozen=True, slots=True)
class AsteriskReady(Event):
    """The link is up, the live calls are read. `again`: it had been up before, so settle what was open."""

    again: bool
