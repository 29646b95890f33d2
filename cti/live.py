"""Which legs are up now, under which channel name, and what each of them has been through.

Asterisk owns this; here is only a copy that follows its events and is read anew after each reconnect. A leg's
channel name changes (transfers), its id does not: others ask by id and get the name of the moment.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar

from cti.ami import Ami, AmiEvent
from cti.events import Event, LegEnded, LegRinging, OriginateFailed
from cti.line_results import line_result, never_began
from cti.translation import TABLE, moment, sip_username, whole

V = TypeVar("V")
_A_RING = 10.0  # seconds of sound before the answer that are ringing rather than an announcement
_REMEMBERED = 5000  # ended legs and dialled ids; an OriginateResponse may come after its leg's end


@dataclass(slots=True)
class Leg:
    """One live leg. `application` is what it runs (AppQueue for a phone that a queue rings)."""

    channel_id: str
    channel: str
    call_id: str
    rang: bool = False
    answered: bool = False
    application: str = ""
    rang_aloud: bool = False  # LegRinging was told
    heard_since: float | None = None  # monotonic; sound before the answer (SIP 183): ringing, or an announcement

    @property
    def sip_username(self) -> str:
        return sip_username(self.channel)


@dataclass(slots=True)
class _Dialled:
    """What we know of a leg that we ourselves asked for."""

    over_trunk: bool
    gives_up: float  # monotonic time at which Asterisk's Originate ends by itself
    cancelled: bool = False


class LiveCalls:
    def __init__(self) -> None:
        self._legs: dict[str, Leg] = {}
        self._dialled: OrderedDict[str, _Dialled] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def legs(self) -> list[Leg]:
        """Copies of all live legs."""
        return [replace(leg) for leg in self._legs.values()]

    def channel(self, channel_id: str) -> str | None:
        """The channel name of a live leg, None if there is no such leg."""
        leg = self._legs.get(channel_id)
        return leg.channel if leg else None

    def seen(self, channel_id: str) -> bool:
        """Whether the leg is live or has been."""
        return channel_id in self._legs or channel_id in self._ended

    def expect(self, channel_id: str, over_trunk: bool, timeout: float) -> None:
        """Call this before an Originate of `timeout` seconds is sent."""
        _remember(self._dialled, channel_id, _Dialled(over_trunk, time.monotonic() + timeout))

    def cancel(self, channel_id: str) -> None:
        """We are about to hang this leg up: its end is then ours and not the patient's."""
        if channel_id in self._dialled:
            self._dialled[channel_id].cancelled = True

    def is_cancelled(self, channel_id: str) -> bool:
        dialled = self._dialled.get(channel_id)
        return dialled is not None and dialled.cancelled

    async def read(self, ami: Ami) -> None:
        """Replace the copy by what Asterisk says; what was known of a leg that is still there is kept."""
        legs: dict[str, Leg] = {}
        for row in await ami.listing("CoreShowChannels"):
            leg = self._legs.get(row["Uniqueid"]) or Leg(row["Uniqueid"], row["Channel"], row["Linkedid"])
            leg.channel, leg.call_id = row["Channel"], row["Linkedid"]
            leg.application = row.get("Application", "")
            _take_state(leg, row.get("ChannelStateDesc", ""))
            legs[leg.channel_id] = leg
        for channel_id in self._legs.keys() - legs.keys():
            _remember(self._ended, channel_id, None)
        self._legs = legs

    def hear(self, e: AmiEvent) -> list[Event]:
        """Follow one event, and say it in our words (none if it means nothing to us)."""
        channel_id = e.fields.get("Uniqueid", "")
        if e.name == "Hangup":
            return self._end(e, channel_id)
        if e.name == "OriginateResponse":
            return []
        if e.name == "DialState":
            self._sounds(e)
            return []
        self._follow(e, channel_id)
        translate = TABLE.get(e.name)
        event = translate(e) if translate else None
        return [] if event is None else [event]

    def failed(self, e: AmiEvent) -> OriginateFailed | None:
        """What an OriginateResponse means, asked one second after it came: None if there is or was a leg."""
        channel_id = e.fields.get("Uniqueid", "")
        if e.fields.get("Response") != "Failure" or self.seen(channel_id):
            return None
        dialled = self._dialled.get(channel_id)
        return OriginateFailed(moment(e), channel_id, never_began(dialled is not None and dialled.over_trunk))

    def _follow(self, e: AmiEvent, channel_id: str) -> None:
        f = e.fields
        leg = self._legs.get(channel_id)
        if e.name == "Newchannel" and leg is None:
            leg = self._legs[channel_id] = Leg(channel_id, f["Channel"], f.get("Linkedid", channel_id))
        if leg is None:
            return
        leg.call_id = f.get("Linkedid", leg.call_id)
        if e.name == "Rename":
            leg.channel = f.get("Newname", leg.channel)
        elif e.name in ("Newchannel", "Newstate"):
            leg.channel = f.get("Channel", leg.channel)
            _take_state(leg, f.get("ChannelStateDesc", ""))
            leg.rang_aloud = leg.rang_aloud or (e.name == "Newstate" and leg.rang)

    def _sounds(self, e: AmiEvent) -> None:
        leg = self._legs.get(e.fields.get("DestUniqueid", ""))
        if leg is not None and leg.heard_since is None and e.fields.get("DialStatus") == "PROGRESS":
            leg.heard_since = time.monotonic()

    def _end(self, e: AmiEvent, channel_id: str) -> list[Event]:
        """LegEnded; before it LegRinging, if the phone rang and nobody was told (in-band, or the link was down)."""
        leg = self._legs.pop(channel_id, None) or Leg(channel_id, e.fields.get("Channel", ""), e.call)
        _take_state(leg, e.fields.get("ChannelStateDesc", ""))
        dialled = self._dialled.pop(channel_id, None)
        _remember(self._ended, channel_id, None)
        cause, tech_cause = whole(e, "Cause"), whole(e, "TechCause") or None
        timed_out = dialled is not None and time.monotonic() >= dialled.gives_up - 0.2
        if leg.heard_since is not None and (timed_out or time.monotonic() - leg.heard_since >= _A_RING):
            leg.rang = True
        result = line_result(
            cause,
            tech_cause,
            rang=leg.rang,
            answered=leg.answered,
            cancelled=dialled is not None and dialled.cancelled,
            timed_out=timed_out,
        )
        at, call_id = moment(e), e.fields.get("Linkedid", leg.call_id)
        ended = LegEnded(at, call_id, channel_id, leg.channel, result, leg.rang, leg.answered, cause, tech_cause)
        if leg.rang and not leg.rang_aloud:
            return [LegRinging(at, call_id, channel_id, leg.channel), ended]
        return [ended]


def _take_state(leg: Leg, state: str) -> None:
    leg.rang = leg.rang or state == "Ringing"
    leg.answered = leg.answered or state == "Up"


def _remember(memory: OrderedDict[str, V], key: str, value: V) -> None:
    memory[key] = value
    while len(memory) > _REMEMBERED:
        memory.popitem(last=False)
