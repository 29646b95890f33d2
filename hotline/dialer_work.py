"""What the core does for the dialer: it is told what lines did, and looks every few seconds at what is due."""

import logging

from cti.events import AsteriskReady, LegAnswered, LegEnded, LegRinging, NobodyThere, OriginateFailed, TalkEnded
from cti.switchboard import Switchboard
from dialer.agentless import Agentless
from dialer.predictive import Predictive
from dialer.progressive import Progressive
from dialer.runner import Dialer
from hotline.rounds import Rounds
from hotline.settings import Settings

log = logging.getLogger(__name__)


def begin(
    rounds: Rounds,
    settings: Settings,
    dialer: Dialer,
    automatic: Agentless,
    progressive: Progressive,
    predictive: Predictive,
) -> None:
    """Adds its jobs. What is due lives in SQL: they only look."""

    async def settle() -> None:
        try:
            await dialer.call_off()
            await dialer.settle_doubtful()
        except (ConnectionError, TimeoutError):
            log.info("attempts in doubt are settled when the link is back")

    rounds.every(3, settle)
    rounds.every(1, automatic.call_due)
    if settings.calling.predictive:
        rounds.every(1, predictive.call_due)
    rounds.every(1, progressive.look_after)


def dialer_listens(board: Switchboard, dialer: Dialer) -> None:
    async def rang(e: LegRinging) -> None:
        await dialer.leg_rang(e.channel_id)

    async def answered(e: LegAnswered) -> None:
        await dialer.leg_answered(e.channel_id, e.at)

    async def ended(e: LegEnded) -> None:
        await dialer.leg_ended(e.channel_id, e.line_result.value, cause=e.cause, sip_status=e.tech_cause)

    async def failed(e: OriginateFailed) -> None:
        await dialer.leg_ended(e.channel_id, e.line_result.value)

    async def ready(e: AsteriskReady) -> None:
        await dialer.reconcile()

    async def nobody_there(e: NobodyThere) -> None:
        await dialer.nobody_there(e.channel_id, e.at)

    async def talk_ended(e: TalkEnded) -> None:
        await dialer.talk_ended(e.call_id)

    board.on(LegRinging, rang)
    board.on(NobodyThere, nobody_there)
    board.on(LegAnswered, answered)
    board.on(LegEnded, ended)
    board.on(OriginateFailed, failed)
    board.on(TalkEnded, talk_ended)
    board.on(AsteriskReady, ready)


def stints_follow(board: Switchboard, progressive: Progressive, predictive: Predictive) -> None:
    """After the dialer, which settles the attempt."""

    async def answered(e: LegAnswered) -> None:
        await predictive.join_waiting()
        await progressive.leg_answered(e.channel_id)

    async def ended(e: LegEnded) -> None:
        await progressive.leg_ended(e.channel_id)
        await predictive.join_waiting()

    async def failed(e: OriginateFailed) -> None:
        await progressive.leg_ended(e.channel_id)

    board.on(LegAnswered, answered)
    board.on(LegEnded, ended)
    board.on(OriginateFailed, failed)
