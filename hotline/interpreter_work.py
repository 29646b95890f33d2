"""What the core does for interpreters: it is told what their lines did, and lets them go when the talk is over."""

import logging

from cti.events import LegAnswered, LegEnded, OriginateFailed
from cti.switchboard import Switchboard
from dialer.interpreters import Interpreters
from hotline.rounds import Rounds

log = logging.getLogger(__name__)


def begin(rounds: Rounds, board: Switchboard, interpreters: Interpreters) -> None:
    async def answered(event: LegAnswered) -> None:
        await interpreters.leg_answered(event.channel_id)

    async def ended(event: LegEnded | OriginateFailed) -> None:
        await interpreters.leg_ended(event.channel_id, event.line_result.value)

    async def settle() -> None:
        try:
            await interpreters.settle()
        except (ConnectionError, TimeoutError):
            log.info("calls to interpreters are settled when the link is back")

    board.on(LegAnswered, answered)
    board.on(LegEnded, ended)
    board.on(OriginateFailed, ended)
    rounds.every(1, settle)
