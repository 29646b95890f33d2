"""What the core does for messages to patients: reminders are planned, plans' texts and messages before calls queued,
and the outbox sent. What is due lives in SQL: the jobs only look, and one that fails looks again at its next turn."""

from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hospital import announcing, reminders, text_steps
from hospital.database import Database
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.wiring import calling_policy
from messages.sender import Sender

MOST_TEXTS = 50  # of plans in one go


def begin(
    scheduler: AsyncIOScheduler,
    settings: Settings,
    database: Database,
    sender: Sender,
    sheets: Sheets,
    caller_id: str,
    now: Callable[[], datetime],
) -> None:
    """Adds its jobs. `caller_id`: the number that patients see when we call."""
    policy = calling_policy(settings)

    async def remind() -> None:
        of = settings.reminders
        await database.run(reminders.plan_recurring, now(), policy)
        if of.appointments:
            days, hour = of.days_before, of.from_hour
            await database.run(reminders.plan_appointments, now(), policy, days_before=days, from_hour=hour)

    async def text() -> None:
        for _ in range(MOST_TEXTS):
            if not await database.run(text_steps.work_next, now(), policy):
                break

    async def announce() -> None:
        """Also where the site wants none: a plan's step may."""
        before, after = timedelta(hours=settings.calling.announce_hours or 0), None
        while True:
            after = await database.run(announcing.announce_some, now(), policy, before, caller_id, after)
            if after is None:
                break

    async def send() -> None:
        await sheets.now()  # a text is worded as it is in force when it is sent
        await database.run(text_steps.take_back, now(), policy)
        await database.run(announcing.give_up)
        await sender.send_due()

    often: dict[str, object] = {"max_instances": 1, "coalesce": True}
    scheduler.add_job(remind, "interval", seconds=60, next_run_time=now(), **often)
    scheduler.add_job(text, "interval", seconds=10, next_run_time=now(), **often)
    scheduler.add_job(announce, "interval", minutes=5, next_run_time=now(), **often)
    scheduler.add_job(send, "interval", seconds=2, **often)
