"""The last word of a call that somebody has made to us, where the machine ends it: said once, after all is done.

A call of ours says its own, and so does what has its goodbye in its last sentence (a rating). Who goes to a person or
hangs up hears none. What was promised stands before it is said, so it may cost nobody anything: where it fails, or the
caller's language has no recording of it, the call just ends.
"""

import logging
from collections.abc import Awaitable, Callable

from ivr.call import Call, CallerLeft
from ivr.front_desk import FrontDesk

log = logging.getLogger(__name__)

Dialogue = Callable[[Call, FrontDesk], Awaitable[None]]


def with_goodbye(dialogue: Dialogue) -> Dialogue:
    """`dialogue`, and goodbye where it returns."""

    async def held(call: Call, front: FrontDesk) -> None:
        await dialogue(call, front)
        if not call.sayable("goodbye", call.language):
            return
        try:
            await call.say("goodbye")
        except CallerLeft:
            raise
        except Exception as error:
            log.error("call %s: goodbye could not be said (%s)", call.id, type(error).__name__)

    return held
