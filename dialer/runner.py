"""From a due task to one call: claimed and committed, then the nurse's leg, then the patient's.

Rules: an attempt is in the database, with its channel ids, before Asterisk hears of it (I3). Preview mode: a nurse
starts each call; in a stint (`progressive.py`) her leg is up already: nobody is ever answered by nobody. Without a
nurse (`agentless.py`) the ivr answers. What the line did arrives as events; each settles the attempt at most once.
After a lost link nothing is dialled again: what can't be told from Asterisk's own records is put before a person.
A recording is sealed behind all this: neither the next call nor a new link waits for a file.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from dialer import orders
from dialer.rates import Brake, Rate, Unlimited
from dialer.telephone import Recorder, Telephone
from hospital import attempts, plan_changes, return_calls
from hospital.attempts import Attempt
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.outcome_rules import OutcomeRules

log = logging.getLogger(__name__)

DOUBT = timedelta(seconds=8)  # an order to dial that has no leg by then was lost, or Asterisk's records know of it
SEALING = 4  # recordings that are sealed at the same time; a crash may leave as many as there are lines
RING_PATIENT_S = 45.0  # at least 15 s or four rings (47 CFR 64.1200(a)(6)); a patient may need to find the phone


class NotStarted(Exception):
    """Nothing was dialled; the text tells the nurse why and what to do."""


class Dialer:
    """One node's dialer, with what `agentless`, `progressive` and `predictive` call by, too. `caller_id` is the number
    patients see, unless a campaign shows another. `rate`: the trunk's; a nurse who has picked up does not wait for it,
    but uses it."""

    def __init__(
        self,
        database: Database,
        telephone: Telephone,
        recorder: Recorder,
        policy: CallingPolicy,
        *,
        node: str,
        caller_id: str,
        now: Callable[[], datetime],
        ring_s: float = RING_PATIENT_S,
        outcomes: Callable[[], Awaitable[OutcomeRules]] | None = None,
        rate: Rate | None = None,
        held: Callable[[], bool] = lambda: False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`outcomes`: what follows from results, as the site has it now; the policy's own without it. `held`: whether
        the clock has just jumped (`steady.py`). `seconds`: one that nobody sets."""
        self.database, self.telephone, self._recorder, self.policy = database, telephone, recorder, policy
        self._outcomes = outcomes
        self.node, self._caller_id, self.now, self._ring_s = node, caller_id, now, ring_s
        self.rate = rate or Unlimited()
        self.held, self._seconds = held, seconds
        self._brake = Brake(seconds)
        self._ordered_at: dict[UUID, float] = {}
        self._without_leg: set[tuple[UUID, str, bool | None]] = set()
        self._finishing: set[asyncio.Task[None]] = set()
        self._sealing = asyncio.Semaphore(SEALING)

    # ── What a nurse asks for ───────────────────────────────────────────────────────────────────────────────────

    async def start(self, task_id: UUID, account_id: UUID) -> UUID | NotNow:
        """Claim the task and ring the nurse's own phone; the patient is dialled when she has picked up.

        Returns the attempt, or the decision why not now. Raises NotStarted where it is our fault."""
        full = self._recorder.full()
        if full is not None:
            raise NotStarted(full)
        if self.held():
            raise NotStarted("The computer's clock has just been changed. Nobody is called by it for some minutes.")
        sip_username = await self.database.run(orders.sip_username, account_id)
        if sip_username is None:
            raise NotStarted("Your account has no telephone. Ask the administrator to give it one.")
        claimed = await self.database.run(attempts.claim, task_id, account_id, self.node, self.now(), self.policy)
        if isinstance(claimed, NotNow):
            return claimed
        assert claimed.nurse_channel_id is not None  # noqa: S101 - for the type checker: a nurse claimed it
        try:
            await self.telephone.ring_staff(sip_username, claimed.nurse_channel_id)
        except (ConnectionError, ValueError) as error:
            await self._not_dialled(claimed.attempt_id)
            raise NotStarted("The telephone is not connected just now. Nothing was dialled; try again.") from error
        except TimeoutError:
            log.warning("attempt %s: no answer whether the nurse's phone rings", claimed.attempt_id)
        return claimed.attempt_id

    async def hang_up(self, attempt_id: UUID, account_id: UUID) -> bool:
        """The nurse ends her call; what then happens arrives as events. False where it is not hers or over."""
        attempt = await self.database.run(orders.live_of, attempt_id, account_id)
        if attempt is None or attempt.nurse_channel_id is None:
            return False
        await self._hang_up_both(attempt)
        return True

    async def call_off(self) -> None:
        """Hang up what is on its way to a patient although its task has stopped; to be called every few seconds."""
        for attempt in await self.database.run(plan_changes.called_off, self.now()):
            log.info("attempt %s: called off", attempt.id)
            await self._hang_up_both(attempt)

    async def _hang_up_both(self, attempt: Attempt) -> None:
        """Of a stint's call the patient's leg alone: the nurse's stays up for the next."""
        patient_up = await self.telephone.hang_up(attempt.channel_id)
        nurse = attempt.nurse_channel_id if attempt.stint_id is None else None
        nurse_up = nurse is not None and await self.telephone.hang_up(nurse)
        if not patient_up and not nurse_up:
            await self._not_dialled(attempt.id)

    async def start_recording(self, attempt_id: UUID, account_id: UUID) -> bool:
        """The notice has been spoken: from here on it is recorded, not a byte before. False where it was begun
        already or nobody is on the line. Raises NotStarted with what to tell the nurse."""
        attempt = await self.database.run(orders.live_of, attempt_id, account_id)
        if attempt is None or attempt.state != "talking":
            return False
        full = self._recorder.full()
        if full is not None:
            await self.database.run(orders.no_recording, attempt_id, "spool_full", self.now())
            raise NotStarted(full)
        recording_id = await self.database.run(orders.open_recording, attempt_id, self.now())
        if recording_id is None:
            return False
        try:
            await self.telephone.start_recording(attempt.channel_id, self._recorder.begin(recording_id))
        except (ConnectionError, TimeoutError, LookupError) as error:
            raise NotStarted("The recording could not be started. Go on with the call; it will be noted.") from error
        return True

    async def refuse_recording(self, attempt_id: UUID, account_id: UUID) -> bool:
        """The patient does not want to be recorded and is served all the same: a coded reason instead. What is being
        recorded ends here; what was said until now, by the patient's leave, is kept. False where the call is over.
        Raises NotStarted with what to tell the nurse."""
        attempt = await self.database.run(orders.live_of, attempt_id, account_id)
        if attempt is None:
            return False
        await self.database.run(orders.no_recording, attempt_id, "refused", self.now())
        recording_id = await self.database.run(orders.being_recorded, attempt_id)
        if recording_id is not None:
            try:
                with contextlib.suppress(LookupError):  # the call has ended, and its recording with it
                    await self.telephone.stop_recording(attempt.channel_id)
            except (ConnectionError, TimeoutError) as error:
                raise NotStarted("The recording could not be stopped. Try again, or end the call.") from error
            self._seal(recording_id)
        return True

    async def dial_alone(self, attempt_id: UUID) -> bool:
        """Dial a patient without a nurse; the ivr speaks to who answers. False where nothing was dialled: the attempt
        has ended then, or its fate will be settled."""
        called = await self.database.run(orders.dialling_alone, attempt_id, self.now(), self._caller_id)
        if called is None:  # the window closed, or the call became unwanted since the claim
            await self._not_dialled(attempt_id)
            return False
        attempt, number, language, shown = called
        order = self.telephone.dial_alone(number, attempt.channel_id, self._ring_s, shown, language)
        return await self._ordered(attempt, order)

    async def dial_next(self, attempt_id: UUID) -> None:
        """Dial a patient for a nurse whose leg is up: her stint goes on. What comes of it arrives as events."""
        attempt = await self.database.run(orders.attempt, attempt_id)
        await self._dial_patient(attempt)

    async def dial_pooled(self, attempt_id: UUID) -> bool:
        """Dial a patient for whichever nurse will be free (`predictive.py`). False where nothing was dialled."""
        called = await self.database.run(orders.dialling, attempt_id, self.now(), self._caller_id)
        attempt = await self.database.run(orders.attempt, attempt_id)
        if called is None:
            await self._not_dialled(attempt_id)
            return False
        number, shown, language = called
        order = self.telephone.dial_pooled(number, attempt.channel_id, self._ring_s, shown, language)
        return await self._ordered(attempt, order)

    def takes_orders(self) -> bool:
        """Whether the telephone does, as far as is known: who is claimed while it does not is put off for nothing."""
        return self.telephone.is_up() and not self._brake.holds()

    def no_room(self) -> str | None:
        """A sentence where nothing is dialled because there is no room to record."""
        return self._recorder.full()

    # ── What the line did ───────────────────────────────────────────────────────────────────────────────────────

    async def leg_rang(self, channel_id: str) -> None:
        await self.database.run(attempts.rang, channel_id)

    async def leg_answered(self, channel_id: str, at: datetime) -> None:
        """The nurse picked up: dial the patient. The patient picked up: they talk."""
        attempt = await self.database.run(attempts.by_channel, channel_id)
        if attempt is None:
            return
        if channel_id == attempt.channel_id:
            await self.database.run(attempts.answered, channel_id, at)
        elif attempt.state == "claimed":
            await self._dial_patient(attempt)
        elif attempt.state == "ended":  # cancelled while her phone rang: there is nobody to wait for
            await self._end_nurses_leg(attempt)

    async def _dial_patient(self, attempt: Attempt) -> None:
        called = await self.database.run(orders.dialling, attempt.id, self.now(), self._caller_id)
        if called is None:  # the window closed or the patient opted out since the claim
            if await self._not_dialled(attempt.id):
                await self._end_nurses_leg(attempt)
            return
        assert attempt.nurse_channel_id is not None  # noqa: S101 - for the type checker: she has picked up
        number, shown, language = called
        leg, nurse = attempt.channel_id, attempt.nurse_channel_id
        await self._ordered(attempt, self.telephone.dial(number, leg, nurse, self._ring_s, shown, language))

    async def _ordered(self, attempt: Attempt, order: Awaitable[None]) -> bool:
        """Gives the order to dial, once; whether Asterisk has taken it, as far as is known."""
        self.rate.used()
        self._ordered_at[attempt.id] = self._seconds()
        try:
            await order
        except TimeoutError:
            log.warning("attempt %s: the order to dial was not confirmed; its fate will be settled", attempt.id)
        except ValueError:
            log.error("attempt %s: its number may not be dialled (no route, not on the allow-list)", attempt.id)
            await self._over(attempt, "not_allowed")
            return False
        except (ConnectionError, LookupError) as error:
            if isinstance(error, ConnectionError):
                self._brake.not_taken()
            await self._over(attempt, "cancelled")
            return False
        else:
            self._brake.taken()
        return True

    async def leg_ended(
        self, channel_id: str, line_result: str, *, cause: int | None = None, sip_status: int | None = None
    ) -> None:
        """A leg is gone. The patient's: its line result settles the attempt. The nurse's: she left, so the
        patient's leg ends too."""
        attempt = await self.database.run(attempts.by_channel, channel_id)
        if attempt is None:
            return
        if channel_id == attempt.channel_id:
            await self._over(attempt, line_result, cause=cause, sip_status=sip_status)
        elif not await self._not_dialled(attempt.id) and not self.telephone.live_channel_ids().get(attempt.channel_id):
            # it rings. A leg that was answered Asterisk ends by itself: with the talk, or with who called and a number
            await self.telephone.hang_up(attempt.channel_id)

    async def talk_ended(self, call_id: str) -> None:
        """A queue's talk is over. The leg of who called back stays up: they are asked how it was, and may speak with
        somebody else. None of that is hers, nor in her recording."""
        attempt = await self.database.run(attempts.by_channel, call_id)
        if attempt is not None and attempt.returned and attempt.state == "talking":
            await self._talk_over(attempt)

    async def _talk_over(self, attempt: Attempt) -> None:
        """Of a returned call. Raises ConnectionError, TimeoutError where it may still be recorded: settled later."""
        with contextlib.suppress(LookupError):  # the caller has hung up, and Asterisk ended it
            await self.telephone.stop_recording(attempt.channel_id)
        await self._over(attempt, "answered")

    async def nobody_there(self, channel_id: str, at: datetime) -> None:
        """The patient answered and the nurse's leg had ended."""
        await self.database.run(attempts.abandoned, channel_id, at, self.policy)

    async def _over(
        self, attempt: Attempt, line_result: str, *, cause: int | None = None, sip_status: int | None = None
    ) -> None:
        policy = self.policy if self._outcomes is None else replace(self.policy, outcomes=await self._outcomes())
        recording_id = await self.database.run(
            orders.settle, attempt.id, line_result, self.now(), policy, cause, sip_status
        )
        self._ordered_at.pop(attempt.id, None)
        await self._end_nurses_leg(attempt)  # preview mode: one call, one leg
        if recording_id is not None:
            self._seal(recording_id)

    def _seal(self, recording_id: UUID) -> None:
        task = asyncio.create_task(self._finish(recording_id))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finish(self, recording_id: UUID) -> None:
        """What is not finished here, the recorder's own sweep finds."""
        try:
            async with self._sealing:
                await self._recorder.finish(recording_id)
        except Exception:
            log.exception("recording %s could not be finished", recording_id)

    async def recordings_finished(self) -> None:
        """Waits for those of calls that have ended."""
        while self._finishing:
            await asyncio.wait(self._finishing)

    async def _end_nurses_leg(self, attempt: Attempt) -> None:
        # of a stint her leg stays for the next, and of a call that a patient returns it is the queue's
        if attempt.nurse_channel_id is None or attempt.stint_id is not None or attempt.returned:
            return
        try:
            await self.telephone.hang_up(attempt.nurse_channel_id)
        except (ConnectionError, TimeoutError):
            log.warning("attempt %s: the nurse's leg could not be ended", attempt.id)

    async def _not_dialled(self, attempt_id: UUID) -> bool:
        """Cancel it, unless the order to dial was given meanwhile."""
        return await self.database.run(attempts.not_dialled, attempt_id, self.now(), self.policy)

    # ── After a lost link, and at start ─────────────────────────────────────────────────────────────────────────

    async def reconcile(self) -> None:
        """Compare what SQL believes to be under way with Asterisk; the link is not up before this is done. Nothing is
        dialled here."""
        under_way = await self.database.run(attempts.live)
        up = self.telephone.live_channel_ids()  # read after SQL: what was committed before had its time to appear
        for attempt in under_way:
            if attempt.returned and await self._has_left(attempt, up):
                await self._talk_over(attempt)
            elif attempt.channel_id in up:
                if up[attempt.channel_id]:
                    await self.database.run(attempts.answered, attempt.channel_id, self.now())
                elif attempt.nurse_channel_id not in (None, *up):  # she has left unheard: nobody would be there
                    await self.telephone.hang_up(attempt.channel_id)
            elif attempt.state == "dialling":
                await self._settle_if_doubtful(attempt)
            else:
                await self._settle_without_leg(attempt, up)

    async def settle_doubtful(self) -> None:
        """Find out what became of orders to dial that no leg followed, and settle what a failed transaction has left:
        a claim that nobody went on with, a talk whose end was heard and not written down. To be called every few
        seconds. Nothing is dialled here. Raises ConnectionError while the link is down: what is in doubt stays so."""
        under_way = await self.database.run(attempts.live)
        linked, up = self.telephone.is_up(), self.telephone.live_channel_ids()
        before, self._without_leg = self._without_leg, set()
        for attempt in under_way:
            if self.telephone.is_ending(attempt.channel_id):
                continue
            if attempt.channel_id in up and not (attempt.returned and await self._has_left(attempt, up)):
                continue
            seen = (attempt.id, attempt.state, up.get(attempt.nurse_channel_id or ""))
            if attempt.state == "dialling":
                await self._settle_if_doubtful(attempt)
            elif linked and seen in before:
                await self._settle_without_leg(attempt, up)
            elif linked:  # its next event may be on its way
                self._without_leg.add(seen)

    async def _has_left(self, attempt: Attempt, up: Mapping[str, bool]) -> bool:
        """Whether the nurse to whom a patient returned our call is in it no more."""
        return await self.database.run(return_calls.nurses_leg, attempt.id) not in up

    async def _settle_without_leg(self, attempt: Attempt, up: Mapping[str, bool]) -> None:
        if attempt.returned:
            await self._talk_over(attempt)
        elif attempt.state == "talking":
            await self._over(attempt, "answered")
        elif up.get(attempt.nurse_channel_id or "", True) and await self._not_dialled(attempt.id):
            await self._end_nurses_leg(attempt)  # she picked up unheard, or there is none: let it start again

    async def _settle_if_doubtful(self, attempt: Attempt) -> None:
        """The order to dial may or may not have reached Asterisk. Asked too soon, Asterisk could not tell either."""
        if attempt.dialled_at is None or self._since_order(attempt.id, attempt.dialled_at) < DOUBT:
            return
        try:
            dialled = await self.telephone.was_dialled(attempt.channel_id, attempt.dialled_at)
        except TimeoutError:
            dialled = None
        if attempt.channel_id in self.telephone.live_channel_ids() or self.telephone.is_ending(attempt.channel_id):
            return  # it has come meanwhile: its events tell the rest
        if dialled is False:
            await self._over(attempt, "cancelled")
            return
        await self.database.run(attempts.to_review, attempt.id, self.now(), "link_lost")
        self._ordered_at.pop(attempt.id, None)
        await self._end_nurses_leg(attempt)

    def _since_order(self, attempt_id: UUID, dialled_at: datetime) -> timedelta:
        """How long ago it was given, also where the clock has jumped since: of an order of another process, that died
        or whose time is not to be believed, since it was first seen."""
        by_clock = self.now() - dialled_at
        known = self._ordered_at.get(attempt_id)
        if known is None and by_clock >= timedelta():
            return by_clock
        return timedelta(seconds=self._seconds() - self._ordered_at.setdefault(attempt_id, self._seconds()))
