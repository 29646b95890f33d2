"""From a dialogue's first word to what the dialplan does after it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from ivr.call import Call, CallerLeft, Transferred
from ivr.turn import Nothing, Prompt

log = logging.getLogger(__name__)

Dialogue = Callable[[Call], Awaitable[object]]


async def converse(call: Call, dialogue: Dialogue) -> None:
    """Plays `dialogue` and leaves the line as it decided: to a queue, or hung up after its return.

    Raises `CallerLeft` and whatever the dialogue raised, both after writing them down; then nothing is handed
    over, and the dialplan, which never heard that we finished, apologises and queues.
    """
    try:
        try:
            await dialogue(call)
        except Transferred as transfer:
            await _hand_over(call, transfer)
        else:
            await call.line.hand_over(None)
            await _write_down(call, "ended")
    except CallerLeft:
        await _write_down(call, "caller_left")
        raise
    except Exception as error:
        await _write_down(call, "failed", error=type(error).__name__)
        raise


async def _hand_over(call: Call, transfer: Transferred) -> None:
    """Neither the journal nor a voice that fails may cost the transfer. The queue begins when all of this is over:
    the screen-pop of whom it rings finds the reason written."""
    await call.line.hand_over(transfer.queue, transfer.place)
    await _write_down(call, "transfer", queue=transfer.queue, reason=transfer.reason)
    call.line.forget_keys()
    told = "to_urgent" if transfer.queue == call.house.urgent_queue else "to_person"
    try:
        await call.line.play([Prompt(told).at_pace(call.pace)], call.language, Nothing())
    except CallerLeft:
        raise
    except Exception as error:
        log.error("call %s: %r could not be said (%s)", call.id, told, type(error).__name__)


async def _write_down(call: Call, kind: str, **facts: object) -> None:
    """A journal that cannot be written must not cost the caller their transfer."""
    try:
        await call.journal.step(kind, **facts)
    except Exception as error:
        log.error("call %s: the journal did not take %r (%s)", call.id, kind, type(error).__name__)
