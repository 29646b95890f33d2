"""Where the rooms meet: each class satisfies a Protocol that one room declares, with what other rooms offer."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cti.ami import AmiRefused
from cti.presence import Presence
from cti.statuses import IllegalMove, StatusChanged, Wish
from cti.telephone import Telephone
from dialer.machines import Machines
from dialer.predictive import Predictive
from dialer.progressive import Progressive
from dialer.runner import Dialer, NotStarted
from hospital import accounts, duty
from hospital.calling_rules import NotNow
from hospital.database import Database, announce
from recordings.capture import Capture
from recordings.replay import NotThere as NoSound
from recordings.replay import Replay, answer
from recordings.sealing import Tampered
from web import ports

Clock = Callable[[], datetime]


class CallRecorder:
    """`dialer.telephone.Recorder` on `recordings.capture`."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def full(self) -> str | None:
        decision = self._capture.may_record()
        return None if decision.allowed else decision.advice

    def begin(self, recording_id: UUID) -> str:
        return str(self._capture.begin(recording_id))

    async def finish(self, recording_id: UUID) -> None:
        await self._capture.finish(recording_id)


class DialerTelephone(Telephone):
    """`dialer.telephone.Telephone`: `cti`'s, its refusals in built-in words, and which legs are up."""

    async def _order(self, action: str, **headers: str | int | list[str]) -> None:
        try:
            await super()._order(action, **headers)
        except AmiRefused as refused:
            raise ConnectionError("Asterisk did not take the order; nothing happened") from refused

    def is_up(self) -> bool:
        return self._board.ami.up

    def live_channel_ids(self) -> dict[str, bool]:
        return {leg.channel_id: leg.answered for leg in self.live_channels()}


async def duty_wishes(database: Database) -> Mapping[str, Wish]:
    """What everybody on duty wants, for `cti.presence`."""
    return {name: Wish(queues, away) for name, queues, away in await database.run(duty.on_duty)}


class ConsolePresence:
    """`web.ports.Presence`: the wish goes into SQL first, then to Asterisk's queues. Whose phone rings, talks or rests
    is told to their page."""

    def __init__(self, database: Database, presence: Presence, now: Clock) -> None:
        self._database, self._presence, self._now = database, presence, now
        self._telling: set[asyncio.Task[None]] = set()
        presence.on_change(self._changed)

    async def of(self, account_id: UUID) -> ports.PresenceState:
        name = await self._database.run(_sip_username, account_id)
        status = self._presence.status(name).value if name else "signed_out"
        match status:
            case "available" | "ringing" | "talking" | "wrap_up":
                return status
        return "away"

    async def become_available(self, account_id: UUID) -> str | None:
        name = await self._database.run(_sip_username, account_id)
        if name is None:
            return "Your account has no telephone. Ask the administrator to give it one."
        await self._database.run(duty.wish, account_id, None, self._now())
        try:
            wished = (await duty_wishes(self._database))[name]
            if name in self._presence.everyone():
                await self._presence.come_back(name, wished.queues)
            else:
                await self._presence.sign_in(name, wished)
        except IllegalMove:
            return "That cannot be changed during a call. It takes effect when the call is over."
        return None

    async def become_away(self, account_id: UUID) -> str | None:
        name = await self._database.run(_sip_username, account_id)
        await self._database.run(duty.wish, account_id, "pause", self._now())
        if name is not None and name in self._presence.everyone():
            await self._presence.go_away(name, "pause")
        return None

    def _changed(self, change: StatusChanged) -> None:
        def tell(session: Session) -> None:
            account = accounts.by_sip_username(session, change.sip_username)
            if account is not None:
                announce(session, "presence", account.id)

        task = asyncio.ensure_future(self._database.run(tell))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


def _sip_username(session: Session, account_id: UUID) -> str | None:
    return session.get_one(accounts.Account, account_id).sip_username


NOT_NOW = {
    "not_open": "This task is already being called, or closed.",
    "already_in_a_call": "You, this patient or this number is in a call just now. Try again when it is over.",
    "given_to_another": "This call was given to another nurse. Who shares out the list may give it to you.",
    "in_a_stint": "You take calls one after the other. Leave that first, then start one yourself.",
    "lines_busy": "All lines of this campaign are in use. Try again in a moment.",
    "outside_window": "It is outside this patient's calling hours. It may be called from {when}.",
    "cap_reached": "This patient has been called often enough. It may be called again from {when}.",
    "opted_out": "This patient does not want follow-up calls.",
    "guardian_opted_out": "Who is called for this patient wants no such calls. It is held for a nurse: see the form.",
    "deceased": "The record says that this patient has died. Nobody is called.",
    "death_reported": "This patient was reported deceased. A clinician confirms it first; nobody is called.",
    "no_usable_number": "There is no number left that is known to be right and safe to call.",
}


class ConsoleDialling:
    """`web.ports.Dialling`: the dialer's decisions as sentences."""

    def __init__(self, dialer: Dialer, machines: Machines, local: Callable[[datetime], str]) -> None:
        self._dialer, self._machines, self._local = dialer, machines, local

    async def start(self, task_id: UUID, account_id: UUID) -> str | None:
        try:
            started = await self._dialer.start(task_id, account_id)
        except NotStarted as problem:
            return str(problem)
        if isinstance(started, NotNow):
            when = self._local(started.not_before) if started.not_before else "later"
            return NOT_NOW.get(started.code, "This cannot be called now.").format(when=when)
        return None

    async def hang_up(self, attempt_id: UUID, account_id: UUID) -> str | None:
        try:
            ended = await self._dialer.hang_up(attempt_id, account_id)
        except (ConnectionError, TimeoutError):
            return "The telephone is not connected just now. Hang up on your phone."
        return None if ended else "This call is over already."

    async def machine(self, attempt_id: UUID, account_id: UUID) -> str | None:
        try:
            done = await self._machines.picked_up(attempt_id, account_id)
        except NotStarted as problem:
            return str(problem)
        return None if done else "Nobody is on the line, or you have said whom you reached."

    async def start_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        try:
            begun = await self._dialer.start_recording(attempt_id, account_id)
        except NotStarted as problem:
            return str(problem)
        return None if begun else "There is nothing to record: nobody is on the line, or it is recorded already."

    async def refuse_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        try:
            noted = await self._dialer.refuse_recording(attempt_id, account_id)
        except NotStarted as problem:
            return str(problem)
        return None if noted else "This call is over already."


class ConsoleStints:
    """`web.ports.Stints`."""

    def __init__(self, progressive: Progressive, predictive: Predictive) -> None:
        self._progressive, self._predictive = progressive, predictive

    async def join(self, account_id: UUID, campaign_id: UUID | None) -> str | None:
        try:
            await self._progressive.join(account_id, campaign_id)
        except NotStarted as problem:
            return str(problem)
        return None

    async def leave(self, account_id: UUID) -> str | None:
        try:
            await self._progressive.leave(account_id)
        except NotStarted as problem:
            return str(problem)
        return None

    async def call_next(self) -> None:
        await self._predictive.join_waiting()
        await self._progressive.call_next()


class ConsoleReplay:
    """`web.ports.Replay` on the shelf of sealed files."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    async def reply(self, recording_id: UUID, range_header: str | None) -> ports.Reply:
        try:
            sealed = await self._replay.open(recording_id)
            ready = await asyncio.to_thread(answer, sealed, range_header)
        except NoSound as error:
            raise ports.NotThere(error.reason) from error
        except Tampered as error:
            raise ports.Damaged(error.what) from error
        return ports.Reply(ready.part.status, ready.part.headers(), ready.body)

    async def verify(self, recording_id: UUID) -> None:
        try:
            await self._replay.verify(recording_id)
        except NoSound as error:
            raise ports.NotThere(error.reason) from error
        except Tampered as error:
            raise ports.Damaged(error.what) from error

    async def peaks(self, recording_id: UUID) -> list[float]:
        try:
            with await self._replay.open(recording_id) as sealed:
                pairs = await asyncio.to_thread(sealed.peaks)
        except NoSound as error:
            raise ports.NotThere(error.reason) from error
        except Tampered as error:
            raise ports.Damaged(error.what) from error
        return [round(max(-int(low), int(high), 0) / 32768, 3) for low, high in pairs]
