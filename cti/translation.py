"""Asterisk's events in our words: the only place that knows both. A table, and the readers that it needs.

Hangup and OriginateResponse need the leg's past, so `live.py` translates them with the same readers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from cti.ami import AmiEvent
from cti.events import (
    AgentAnswered,
    AgentMissed,
    AgentRinging,
    CallAbandoned,
    CallerLeftQueue,
    CallerQueued,
    Event,
    LegAnswered,
    LegRinging,
    NobodyThere,
    TalkEnded,
)


def sip_username(channel: str) -> str:
    """The account of a channel or queue member: PJSIP/ana-0000001f → ana, PJSIP/ana → ana, else ""."""
    technology, _, rest = channel.partition("/")
    if technology != "PJSIP" or "/" in rest or "@" in rest:
        return ""
    name, dash, serial = rest.rpartition("-")
    return name if dash and len(serial) == 8 and all(c in "0123456789abcdef" for c in serial) else rest


def moment(e: AmiEvent) -> datetime:
    """When Asterisk raised the event (manager.conf `timestampevents`), else now."""
    try:
        return datetime.fromtimestamp(float(e.fields["Timestamp"]), UTC)
    except (KeyError, ValueError):
        return datetime.now(UTC)


def whole(e: AmiEvent, name: str) -> int:
    """A number of a field, 0 where it is missing."""
    text = e.fields.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else 0


def _leg_state(e: AmiEvent) -> Event | None:
    f = e.fields
    kind = {"Ringing": LegRinging, "Up": LegAnswered}.get(f.get("ChannelStateDesc", ""))
    if kind is None or f.get("Channel", "").startswith("Local/"):
        return None
    return kind(moment(e), f.get("Linkedid", ""), f.get("Uniqueid", ""), f["Channel"])


def _named(kind: Callable[..., Event], *names: str) -> Callable[[AmiEvent], Event]:
    return lambda e: kind(moment(e), *(e.fields.get(name, "") for name in names))


# Asterisk's event → ours. Hangup and OriginateResponse need the leg's past and are translated in live.py.
TABLE: dict[str, Callable[[AmiEvent], Event | None]] = {
    "Newstate": _leg_state,
    "QueueCallerJoin": lambda e: CallerQueued(
        moment(e), e.fields.get("Linkedid", ""), e.fields.get("Queue", ""), whole(e, "Position")
    ),
    "QueueCallerLeave": _named(CallerLeftQueue, "Linkedid", "Queue"),
    "QueueCallerAbandon": _named(CallAbandoned, "Linkedid", "Queue"),
    "AgentCalled": lambda e: AgentRinging(
        moment(e),
        e.fields.get("Linkedid", ""),
        sip_username(e.fields.get("Interface", "")),
        e.fields.get("DestChannel", ""),
        e.fields.get("DestUniqueid", ""),
        e.fields.get("Queue", ""),
    ),
    "AgentConnect": lambda e: AgentAnswered(
        moment(e),
        e.fields.get("Linkedid", ""),
        sip_username(e.fields.get("Interface", "")),
        e.fields.get("DestChannel", ""),
        e.fields.get("DestUniqueid", ""),
        e.fields.get("Queue", ""),
    ),
    "AgentRingNoAnswer": lambda e: AgentMissed(
        moment(e),
        e.fields.get("Linkedid", ""),
        sip_username(e.fields.get("Interface", "")),
        e.fields.get("Queue", ""),
    ),
    "AgentComplete": lambda e: TalkEnded(
        moment(e),
        e.fields.get("Linkedid", ""),
        sip_username(e.fields.get("Interface", "")),
        e.fields.get("Queue", ""),
        whole(e, "TalkTime"),
        e.fields.get("Reason", ""),
    ),
    "UserEvent": lambda e: (
        NobodyThere(moment(e), e.fields.get("Linkedid", ""), e.fields.get("Uniqueid", ""))
        if e.fields.get("UserEvent") == "HotlineNobodyThere"
        else None
    ),
}
