"""What the telephone did to inbound calls, written down: the call's row, the screen-pop, the callback of who gave up.

Rules: rows and ids only; pages read them after a NOTIFY. A pop belongs to the agent who is ringing and to nobody
else (I9). Who left the queue unserved becomes one owned callback; a withheld number can't be called back. What was told
while the database was away is made good: what is not as Asterisk has it, twice in a row, is put right.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cti.events import (
    AgentAnswered,
    AgentMissed,
    AgentRinging,
    AsteriskReady,
    CallAbandoned,
    CallerQueued,
    LegEnded,
    TalkEnded,
)
from cti.queues import waiting
from cti.switchboard import Switchboard
from cti.telephone import Telephone
from hospital import accounts, callbacks, calls, cases, patients, screen_pops
from hospital.calls import Call
from hospital.database import Database
from hospital.screen_pops import ScreenPop

Astray = tuple[str, str, str]
"""What is to be done (gone | queued | answered | missed | ended), the call, and the leg or the queue."""


class InboundJournal:
    """Listens to a switchboard and writes. `country`: ISO 3166 code in which typed numbers are read."""

    def __init__(
        self,
        board: Switchboard,
        telephone: Telephone,
        database: Database,
        *,
        node: str,
        country: str,
        now: Callable[[], datetime],
    ) -> None:
        self._board, self._telephone, self._database = board, telephone, database
        self._node, self._country, self._now = node, country, now
        self._astray: set[Astray] = set()
        board.on(CallerQueued, self._queued)
        board.on(AgentRinging, self._ringing)
        board.on(AgentAnswered, self._answered)
        board.on(AgentMissed, self._missed)
        board.on(CallAbandoned, self._abandoned)
        board.on(TalkEnded, self._talk_ended)
        board.on(LegEnded, self._leg_ended)
        board.on(AsteriskReady, self._ready)

    async def _queued(self, e: CallerQueued) -> None:
        await self._waits(e.call_id, e.queue, e.at)

    async def _waits(self, call_id: str, queue: str, at: datetime) -> None:
        number = None
        if not await self._database.run(_is_known, call_id):  # the ivr never saw it: who gives up is called back
            shown = await self._telephone.caller_shown(call_id)
            number = patients.normalise_number(shown, self._country) if shown else None
        await self._database.run(_queued, call_id, self._node, number, queue, at)

    async def _ringing(self, e: AgentRinging) -> None:
        await self._database.run(_pop, e.call_id, self._node, e.sip_username, e.channel_id, e.at)

    async def _answered(self, e: AgentAnswered) -> None:
        await self._database.run(_answered, e.call_id, e.channel_id, e.at)

    async def _missed(self, e: AgentMissed) -> None:
        await self._database.run(_missed, e.call_id, e.sip_username, e.at)

    async def _talk_ended(self, e: TalkEnded) -> None:
        await self._database.run(_talked, e.call_id, e.at)

    async def _abandoned(self, e: CallAbandoned) -> None:
        await self._database.run(callbacks.gave_up, e.call_id, e.at)

    async def _leg_ended(self, e: LegEnded) -> None:
        if e.channel_id == e.call_id:  # the caller's own leg: the call is over, whatever it was doing
            await self._database.run(_gone, e.call_id, e.at)

    async def _ready(self, e: AsteriskReady) -> None:
        """At start and after each lost link: end what is no longer there, collect what callers left in Asterisk."""
        await self._database.run(_end_all_but, self._node, self._up(), self._now())
        await self.collect_callbacks()

    def _up(self) -> set[str]:
        """The calls that have a leg; a caller's own is named as the call, whatever it is joined to."""
        return {name for leg in self._board.live.legs() for name in (leg.call_id, leg.channel_id)}

    async def settle(self) -> None:
        """To be done every so often. Raises what `Ami.listing` raises where the link is down."""
        in_queues = {(one.channel_id, one.queue) for one in await waiting(self._board.ami)}
        answered = {leg.channel_id for leg in self._board.live.legs() if leg.answered}
        astray = await self._database.run(_astray, self._node, self._up(), answered, in_queues)
        again, self._astray = astray & self._astray, astray
        for what, call_id, where in again:
            if what == "queued":
                await self._waits(call_id, where, self._now())
            else:
                await self._database.run(_put_right, what, call_id, where, self._now())

    async def collect_callbacks(self) -> int:
        """Numbers typed while the ivr was down become items, once each; how many were new."""
        new = 0
        for origin, typed in await self._telephone.collect_callbacks():
            # A number that can't be read is kept as it was typed: a person may make sense of it, nobody is lost.
            number = patients.normalise_number(typed, self._country) or typed
            asked = await self._database.run(
                callbacks.ask, origin=origin, number=number, why="ivr_down", at=self._now()
            )
            new += asked.new
            await self._telephone.forget_callback(origin)
        return new


def _is_known(session: Session, call_id: str) -> bool:
    return session.get(Call, call_id) is not None


def _known(session: Session, call_id: str, node: str, at: datetime, number: str | None = None) -> None:
    """The ivr makes the row; a call that it never saw gets one here."""
    if not _is_known(session, call_id):
        calls.begin(session, call_id, node, number, at)


def _queued(session: Session, call_id: str, node: str, number: str | None, queue: str, at: datetime) -> None:
    _known(session, call_id, node, at, number)
    calls.queued(session, call_id, queue)
    calls.step(session, call_id, "queued", at, queue=queue)


def _pop(session: Session, call_id: str, node: str, sip_username: str, channel_id: str, at: datetime) -> None:
    account = accounts.by_sip_username(session, sip_username)
    if account is None:
        return  # the fixed phone on the wall has no page
    _known(session, call_id, node, at)
    screen_pops.pop(session, call_id, account.id, channel_id, at)


def _answered(session: Session, call_id: str, channel_id: str, at: datetime) -> None:
    if not screen_pops.pop_moved(session, call_id, channel_id, "answered", at):
        calls.talks(session, call_id)


def _missed(session: Session, call_id: str, sip_username: str, at: datetime) -> None:
    account = accounts.by_sip_username(session, sip_username)
    if account is None:
        return
    ringing = select(ScreenPop.channel).where(
        ScreenPop.call_id == call_id, ScreenPop.account_id == account.id, ScreenPop.state == "ringing"
    )
    for channel_id in session.scalars(ringing).all():
        screen_pops.pop_moved(session, call_id, channel_id, "missed", at)


def _talked(session: Session, call_id: str, at: datetime) -> None:
    cases.answered(session, call_id, None, at)  # on the fixed phone; who has a page closed it when they answered
    calls.end(session, call_id, at, "answered")
    _end_pops(session, call_id, at)


def _end_pops(session: Session, call_id: str, at: datetime) -> None:
    live = select(ScreenPop.channel, ScreenPop.state).where(
        ScreenPop.call_id == call_id, ScreenPop.state.in_(("ringing", "answered"))
    )
    for channel_id, state in session.execute(live).all():
        screen_pops.pop_moved(session, call_id, channel_id, "ended" if state == "answered" else "missed", at)


def _gone(session: Session, call_id: str, at: datetime) -> None:
    """The caller's leg has ended. That a talk is over, Asterisk tells before it or, on a full machine, after."""
    callbacks.caller_gone(session, call_id, at)
    _end_pops(session, call_id, at)


def _end_all_but(session: Session, node: str, up: set[str], at: datetime) -> None:
    """Also where Asterisk died under a waiting caller: somebody calls back."""
    gone = select(Call.id).where(Call.node == node, Call.state != "ended", Call.id.not_in(up))
    for call_id in session.scalars(gone).all():
        _gone(session, call_id, at)


def _astray(
    session: Session, node: str, up: set[str], answered: set[str], in_queues: set[tuple[str, str]]
) -> set[Astray]:
    """Calls without a leg, pops whose phone does no more what they say, and callers whose wait nobody has seen."""
    gone = select(Call.id).where(Call.node == node, Call.state != "ended", Call.id.not_in(up))
    found: set[Astray] = {("gone", call_id, "") for call_id in session.scalars(gone)}
    pops = select(ScreenPop.call_id, ScreenPop.channel, ScreenPop.state).join(Call, Call.id == ScreenPop.call_id)
    for call_id, channel_id, state in session.execute(
        pops.where(Call.node == node, ScreenPop.state.in_(("ringing", "answered")))
    ):
        if channel_id not in up:
            found.add(("ended" if state == "answered" else "missed", call_id, channel_id))
        elif state == "ringing" and channel_id in answered:
            found.add(("answered", call_id, channel_id))
    seen = {
        call.id
        for call in session.scalars(select(Call).where(Call.id.in_([one for one, _ in in_queues])))
        if call.state == "queued" or (call.state == "ended" and call.outcome not in calls.STILL_THERE)
    }
    return found | {("queued", call_id, queue) for call_id, queue in in_queues if call_id not in seen}


def _put_right(session: Session, what: str, call_id: str, channel_id: str, at: datetime) -> None:
    if what == "gone":
        _gone(session, call_id, at)
    elif what == "answered":
        _answered(session, call_id, channel_id, at)
    else:
        screen_pops.pop_moved(session, call_id, channel_id, what, at)
