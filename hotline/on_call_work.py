"""What the core does for who is on call: red flags climb and ring, questions that are late climb, gaps come near; and
it tells of cases that are overdue."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from cti.events import LegEnded, OriginateFailed
from cti.switchboard import Switchboard
from dialer.on_call import OnCallDialer, StaffTelephone
from hospital import answer_flags, climbing, late_cases, questions, urgent_calls
from hospital.calendars import Calendar
from hospital.database import Database
from hotline.care_wiring import ladder
from hotline.on_call import GapWatch
from hotline.rounds import Rounds
from hotline.settings import Settings
from hotline.wiring import zone

log = logging.getLogger(__name__)


def begin(
    rounds: Rounds,
    settings: Settings,
    database: Database,
    board: Switchboard,
    telephone: StaffTelephone,
    caller_id: str,
    now: Callable[[], datetime],
) -> None:
    """Adds its jobs. What is due lives in SQL: they only look."""
    calendar = Calendar(zone(settings), settings.site.country_code)
    dialer = OnCallDialer(
        database,
        telephone,
        node=settings.node,
        caller_id=caller_id,
        after=timedelta(seconds=settings.urgent.ring_after_seconds),
        now=now,
    )

    async def ended(event: LegEnded | OriginateFailed) -> None:
        await dialer.leg_ended(event.channel_id, event.line_result.value)

    board.on(LegEnded, ended)
    board.on(OriginateFailed, ended)

    clock = timedelta(minutes=settings.cases.red_flag_minutes)

    async def climb() -> None:
        if not await database.run(climbing.anything_stands):
            return
        await database.run(answer_flags.raise_forgotten, now(), clock)
        await database.run(climbing.climb, calendar, ladder(settings), now())
        await database.run(climbing.without_outcome, calendar, ladder(settings), now())
        if settings.urgent.telephone:
            await dialer.call_due()

    async def settle() -> None:
        if not await database.run(urgent_calls.live):
            return
        try:
            await dialer.call_off()
            await dialer.settle()
        except (ConnectionError, TimeoutError):
            log.info("calls to who is on call are settled when the link is back")

    async def late_questions() -> None:
        await database.run(questions.climb, now())

    async def overdue() -> None:
        await database.run(late_cases.tell, now())

    gaps = GapWatch(database, calendar, now)
    rounds.every(1, climb)
    rounds.every(2, settle)
    rounds.every(30, late_questions)
    rounds.every(60, overdue, at_once=True)
    rounds.every(60, gaps.look, at_once=True)
