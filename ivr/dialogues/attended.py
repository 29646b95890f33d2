"""Between a dialogue and a person: what must be written down, asked or said before a caller is queued.

Rules: an urgent caller waits for nothing but one row: the red flag is written first, so that it survives whatever
happens to the call. Who hangs up while an alarm is said back is taken at their word. Nothing here may cost anybody the
person: where it fails, the caller is queued as asked.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hospital import calls, cases, opening, waiting
from hospital.clocks import due
from ivr.call import Call, CallerLeft, NoAnswer, Transferred
from ivr.desk_on_the_line import DeskOnTheLine
from ivr.dialogues.message import teller_of
from ivr.dialogues.opening import instead_of_a_person
from ivr.front_desk import FrontDesk

log = logging.getLogger(__name__)

Dialogue = Callable[[Call, FrontDesk], Awaitable[None]]
DATABASE_S = 2.0  # a database that does not answer by then must not keep anybody from a person
CLINICAL = {"book", "my_appointments", "triage"}  # what callers were about for whom 0 may mean a nurse


def attended(dialogue: Dialogue) -> Dialogue:
    """`dialogue`, and its way to a person; also from a booking desk that can't be asked."""

    async def held(call: Call, front: FrontDesk) -> None:
        try:
            await dialogue(call, replace(front, desk=DeskOnTheLine(front.desk, call)))
        except Transferred as asked:
            transfer = asked if asked.queue == call.house.urgent_queue else await _before(call, front, asked)
            if transfer is None:
                return
            if transfer.queue == call.house.urgent_queue:
                await _write_red_flag(call, front, transfer.reason)
            raise transfer from None
        except CallerLeft:
            if call.alarm_in_doubt:
                await _write_red_flag(call, front, "alarm_in_doubt")
            raise

    return held


async def _before(call: Call, front: FrontDesk, asked: Transferred) -> Transferred | None:
    """The transfer that follows; None where it is closed and the caller has left a number or a message."""
    try:
        async with asyncio.timeout(DATABASE_S):
            now = await front.database.run(opening.now_open, front.now(), front.care.hours)
        if now.open:
            transfer = await _nurse_instead(call, front, asked)
            return await _told_place(call, front, transfer)
        await call.journal.step("closed", why=now.why)
        await instead_of_a_person(call, front, now)
    except CallerLeft:
        raise
    except Transferred as further:  # a key of the house, pressed meanwhile
        return further
    except Exception as error:
        log.error("call %s: on the way to %s (%s)", call.id, asked.queue, type(error).__name__)
        return asked
    return None


async def _nurse_instead(call: Call, front: FrontDesk, asked: Transferred) -> Transferred:
    """0 in the middle of a booking: a nurse may be meant, if one is there. Her screen shows what was said so far."""
    if asked.reason != "operator_key":
        return asked
    row = await front.database.run(calls.known, call.id)
    if row is None or row.reason not in CLINICAL:
        return asked
    if not await front.database.run(waiting.anybody_on_duty, "nurses"):
        return asked
    call.line.forget_keys()
    try:
        nurse = await call.menu("nurse_or_reception", keys="12") == "1"
    except NoAnswer:
        return asked
    return Transferred("nurses", "wants_a_nurse") if nurse else asked


async def _told_place(call: Call, front: FrontDesk, transfer: Transferred) -> Transferred:
    """Who comes back to the queue that they were in keeps their place, and has heard it there."""
    row = await front.database.run(calls.known, call.id)
    forecast = await front.database.run(waiting.forecast, transfer.queue, front.now(), call.id)
    if row is not None and row.state == "queued" and row.queue == transfer.queue:
        return Transferred(transfer.queue, transfer.reason, forecast.place)
    with call.without_a_person():
        if forecast.place > 1:
            await call.say("queue_place", n=forecast.place)
        if forecast.minutes is not None and forecast.minutes > 1:
            await call.say("queue_expected", minutes=forecast.minutes)
    return transfer


async def _write_red_flag(call: Call, front: FrontDesk, detail: str) -> None:
    at = front.now()
    try:
        clock = due("red_flag", at, front.care.clocks)
        async with asyncio.timeout(DATABASE_S):
            teller = await teller_of(call, front)
            await front.database.run(cases.open_case, "red_flag", f"red_flag/{call.id}", teller, at, clock, detail)
    except Exception as error:
        log.error("call %s: the red flag could not be written (%s)", call.id, type(error).__name__)
