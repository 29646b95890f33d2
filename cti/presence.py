"""Who of the staff is there and what their phone is doing, and the queues that follow.

Rules:
- What a person wants (signed in, for which queues, away and why) is in SQL and wins; Asterisk's queues are made to
  follow. What their phone does (ringing, talking) Asterisk says, and that wins over us.
- After each reconnect both are read anew, and the queues' members put right.
- A person who talks is in no queue's way: after a queue's call comes wrap-up, until the person ends it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from cti.ami import AmiError, AmiRefused
from cti.events import (
    AgentAnswered,
    AgentMissed,
    AgentRinging,
    AsteriskReady,
    LegAnswered,
    LegEnded,
    TalkEnded,
)
from cti.statuses import NEXT, IllegalMove, Person, Status, StatusChanged, Wish
from cti.switchboard import Switchboard
from cti.translation import sip_username

log = logging.getLogger(__name__)


class Presence:
    """`wanted()` gives the wishes of all who are signed in, by SIP user name, from SQL."""

    def __init__(
        self, board: Switchboard, wanted: Callable[[], Awaitable[Mapping[str, Wish]]], queues: tuple[str, ...]
    ) -> None:
        self._board, self._wanted, self._queues = board, wanted, queues
        self._people: dict[str, Person] = {}
        self._listeners: list[Callable[[StatusChanged], None]] = []
        board.on(AgentRinging, self._ringing)
        board.on(AgentAnswered, self._answered)
        board.on(AgentMissed, self._missed)
        board.on(TalkEnded, self._talk_ended)
        board.on(LegAnswered, self._leg_answered)
        board.on(LegEnded, self._leg_ended)
        board.on(AsteriskReady, self._ready)

    def on_change(self, listener: Callable[[StatusChanged], None]) -> None:
        self._listeners.append(listener)

    def status(self, sip_username: str) -> Status:
        person = self._people.get(sip_username)
        return person.status if person else Status.SIGNED_OUT

    def everyone(self) -> dict[str, Status]:
        """All who are signed in."""
        return {name: person.status for name, person in self._people.items()}

    async def sign_in(self, sip_username: str, wish: Wish) -> None:
        """Raises IllegalMove if signed in already. Without a link the queues follow at the next AsteriskReady."""
        if sip_username in self._people:
            raise IllegalMove(f"{sip_username} is signed in already")
        person = Person(sip_username, wish, Status.SIGNED_OUT)
        self._people[sip_username] = person
        self._move(person, Status.AWAY if wish.away else Status.AVAILABLE)
        for queue in wish.queues:
            await self._join(person, queue)

    async def sign_out(self, sip_username: str) -> None:
        """Raises IllegalMove while the phone rings or a call is on."""
        person = self._known(sip_username)
        self._move(person, Status.SIGNED_OUT)
        del self._people[sip_username]
        for queue in person.wish.queues:
            await self._order("QueueRemove", Queue=queue, Interface=f"PJSIP/{sip_username}")

    async def go_away(self, sip_username: str, reason: str) -> None:
        """From now on no queue rings this phone; during a call it takes effect when the call is over."""
        person = self._known(sip_username)
        person.wish = Wish(person.wish.queues, reason)
        if person.status not in (Status.RINGING, Status.TALKING, Status.AWAY):
            self._move(person, Status.AWAY)
        await self._pause(person, reason)

    async def come_back(self, sip_username: str, queues: tuple[str, ...] | None = None) -> None:
        """Be available again: after being away, or to end the wrap-up. `queues`: those of the role, if it is known."""
        person = self._known(sip_username)
        person.wish = Wish(person.wish.queues)
        if person.status in (Status.RINGING, Status.TALKING):
            person.writes_up = ""
            return  # it takes effect when the call is over
        self._move(person, Status.AVAILABLE)
        if queues is not None:
            await self._change(person, queues)
        await self._pause(person, None)

    async def let_go(self) -> None:
        """Who is on duty no more, because the account was closed or has another role, leaves the queues: at once, or
        after the call that rings or goes on. So does who is on duty for other queues, and joins those."""
        here = list(self._people)  # before the wishes are read: who signs in meanwhile has told a wish first
        wishes = await self._wanted()
        for name in here:
            status = self.status(name)
            if status is Status.SIGNED_OUT:
                continue
            busy = status in (Status.RINGING, Status.TALKING)
            if name in wishes and not busy:
                await self._change(self._people[name], wishes[name].queues)
            elif name not in wishes and busy:
                await self.go_away(name, "off duty")
            elif name not in wishes:
                await self.sign_out(name)

    def _known(self, sip_username: str) -> Person:
        person = self._people.get(sip_username)
        if person is None:
            raise IllegalMove(f"{sip_username} is not signed in")
        return person

    def _move(self, person: Person, to: Status, at: datetime | None = None) -> None:
        if to not in NEXT[person.status]:
            raise IllegalMove(f"{person.sip_username} cannot become {to} while {person.status}")
        self._set(person, to, at)

    def _set(self, person: Person, to: Status, at: datetime | None) -> None:
        person.status = to
        if to in (Status.AVAILABLE, Status.AWAY, Status.SIGNED_OUT):
            person.call_id = ""
        for listener in self._listeners:
            listener(StatusChanged(at, person.sip_username, to, person.call_id))

    # ── what the phone does ─────────────────────────────────────────────────────────────────────────────────────

    def _ringing(self, e: AgentRinging) -> None:
        person = self._people.get(e.sip_username)
        if person is not None and person.status != Status.TALKING:
            if person.status != Status.RINGING:
                person.writes_up = person.call_id if person.status == Status.WRAP_UP else ""
            person.call_id = e.call_id
            if person.status != Status.RINGING:
                self._move(person, Status.RINGING, e.at)

    def _answered(self, e: AgentAnswered) -> None:
        person = self._people.get(e.sip_username)
        if person is not None:
            person.call_id = e.call_id
            if person.status != Status.TALKING:
                self._move(person, Status.TALKING, e.at)

    async def _missed(self, e: AgentMissed) -> None:
        person = self._people.get(e.sip_username)
        if person is not None and person.status == Status.RINGING and person.call_id == e.call_id:
            await self._rest(person, e.at)

    async def _talk_ended(self, e: TalkEnded) -> None:
        person = self._people.get(e.sip_username)
        if person is not None and person.status == Status.TALKING and person.call_id == e.call_id:
            await self._wrap_up(person, e.at)

    def _leg_answered(self, e: LegAnswered) -> None:
        person = self._people.get(sip_username(e.channel))
        if person is not None and person.status != Status.TALKING:
            self._move(person, Status.TALKING, e.at)

    async def _leg_ended(self, e: LegEnded) -> None:
        name = sip_username(e.channel)
        person = self._people.get(name)
        if person is None or any(leg.sip_username == name for leg in self._board.live.legs()):
            return
        if person.status == Status.TALKING and person.call_id:
            await self._wrap_up(person, e.at)
        elif person.status in (Status.TALKING, Status.RINGING):
            await self._rest(person, e.at)

    async def _wrap_up(self, person: Person, at: datetime) -> None:
        if person.wish.away:
            self._move(person, Status.AWAY, at)
            return
        self._move(person, Status.WRAP_UP, at)
        await self._pause(person, "wrap-up")

    async def _rest(self, person: Person, at: datetime) -> None:
        """No call is left for them: back to the wrap-up in which it rang, else as they wish, and the queues follow."""
        if person.wish.away:
            self._move(person, Status.AWAY, at)
        elif person.status == Status.RINGING and person.writes_up:
            person.call_id = person.writes_up
            self._move(person, Status.WRAP_UP, at)
        else:
            self._move(person, Status.AVAILABLE, at)
        await self._pause(person, self._pause_reason(person))

    # ── the queues ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _ready(self, e: AsteriskReady) -> None:
        """Read wishes, phones and queues, and put the queues right."""
        wishes = await self._wanted()
        for name in self._people.keys() - wishes.keys():
            self._set(self._people.pop(name), Status.SIGNED_OUT, e.at)
        for name, wish in wishes.items():
            person = self._people.setdefault(name, Person(name, wish, Status.SIGNED_OUT))
            person.wish = wish
            status = self._read_phone(person)
            if status != person.status:
                self._set(person, status, e.at)
        members = await self._board.ami.listing("QueueStatus")
        await self._put_right([m for m in members if m.get("Event") == "QueueMember"])

    def _read_phone(self, person: Person) -> Status:
        legs = [leg for leg in self._board.live.legs() if leg.sip_username == person.sip_username]
        queued = next((leg.call_id for leg in legs if leg.application == "AppQueue"), "")
        if any(leg.answered for leg in legs):
            person.call_id = queued
            return Status.TALKING
        if queued:
            person.call_id = queued
            return Status.RINGING
        if person.wish.away:
            return Status.AWAY
        wraps_up = person.status == Status.WRAP_UP or (person.status == Status.RINGING and person.writes_up)
        had_a_call = wraps_up or (person.status == Status.TALKING and person.call_id)
        return Status.WRAP_UP if had_a_call else Status.AVAILABLE

    async def _put_right(self, members: list[dict[str, str]]) -> None:
        there: dict[tuple[str, str], bool] = {}
        for m in members:
            name, queue = sip_username(m.get("Location", "")), m.get("Queue", "")
            if not name or m.get("Membership") != "dynamic" or queue not in self._queues:
                continue
            person = self._people.get(name)
            if person is None or queue not in person.wish.queues:
                await self._order("QueueRemove", Queue=queue, Interface=f"PJSIP/{name}")
            else:
                there[name, queue] = m.get("Paused") == "1"
        for person in self._people.values():
            reason = self._pause_reason(person)
            for queue in person.wish.queues:
                paused = there.get((person.sip_username, queue))
                if paused is None:
                    await self._join(person, queue)
                elif paused != (reason is not None):
                    await self._pause(person, reason)

    def _pause_reason(self, person: Person) -> str | None:
        return person.wish.away or ("wrap-up" if person.status == Status.WRAP_UP else None)

    async def _change(self, person: Person, queues: tuple[str, ...]) -> None:
        before, person.wish = person.wish.queues, replace(person.wish, queues=queues)
        for queue in before:
            if queue not in queues:
                await self._order("QueueRemove", Queue=queue, Interface=f"PJSIP/{person.sip_username}")
        for queue in queues:
            if queue not in before:
                await self._join(person, queue)

    async def _join(self, person: Person, queue: str) -> None:
        reason = self._pause_reason(person)
        await self._order(
            "QueueAdd",
            Queue=queue,
            Interface=f"PJSIP/{person.sip_username}",
            MemberName=person.sip_username,
            StateInterface=f"PJSIP/{person.sip_username}",
            Penalty=0,
            Paused="true" if reason else "false",
        )

    async def _pause(self, person: Person, reason: str | None) -> None:
        await self._order(
            "QueuePause",
            Interface=f"PJSIP/{person.sip_username}",
            Paused="false" if reason is None else "true",
            Reason=reason or "",
        )

    async def _order(self, name: str, **headers: str | int) -> None:
        """An order to the queues; if it is refused (already there, gone) or lost, `_ready` puts it right."""
        try:
            await self._board.ami.action(name, **headers)
        except AmiRefused as refused:
            log.info("%s", refused)
        except AmiError as problem:
            log.warning("the queues follow at the next link: %s", type(problem).__name__)
