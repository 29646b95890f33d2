"""What the core does for messages to patients: reminders are planned, plans' texts, letters, video calls and
messages before calls made, and the outbox sent. What is due lives in SQL: the jobs only look, and one that fails looks
again at its next turn."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import TypeVarTuple

from sqlalchemy.orm import Session

from hospital import (
    announcing,
    appointment_texts,
    letters,
    missed_visits,
    outbox,
    reach_watch,
    reminder_texts,
    reminders,
    suspensions,
    text_bookings,
    text_steps,
    text_talks,
    video_steps,
)
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hotline.letter_joints import Press, post
from hotline.message_joints import asking
from hotline.rounds import Job, Rounds
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.wiring import answer_links, calling_policy, video_rooms
from messages.sender import Sender

MOST_TEXTS = 50  # of plans in one go
More = TypeVarTuple("More")


def begin(
    rounds: Rounds,
    settings: Settings,
    database: Database,
    sender: Sender,
    sheets: Sheets,
    caller_id: str,
    now: Callable[[], datetime],
    press: Press | None,
    held: Callable[[], bool],
    go_on: Job,
) -> None:
    """Adds its jobs. `caller_id`: the number that patients see when we call. `press`: None, no letters. `held`: whether
    the clock has just jumped. `go_on`: what is left over in bookings by text."""
    policy, rooms, links = calling_policy(settings), video_rooms(settings), answer_links(settings)
    by_text = asking(settings, lambda: sheets.held.words)

    async def remind() -> None:
        of = settings.reminders
        await database.run(reminders.plan_recurring, now(), policy)
        if of.appointments:
            days, hour = of.days_before, of.from_hour
            await database.run(reminders.plan_appointments, now(), policy, days_before=days, from_hour=hour)
        if of.missed:
            await database.run(missed_visits.offer, now(), policy)

    async def until_nothing(work_next: Callable[[Session, datetime, CallingPolicy, *More], bool], *more: *More) -> None:
        """One after the other, each in a transaction of its own."""

        def next_one(session: Session) -> bool:
            return work_next(session, now(), policy, *more)

        for _ in range(MOST_TEXTS):
            if not await database.run(next_one):
                break

    async def remind_by_text() -> None:
        await until_nothing(reminder_texts.work_next)

    async def text() -> None:
        await database.run(text_talks.end_forgotten, now())
        await until_nothing(text_steps.work_next, by_text, links)

    async def write() -> None:
        await database.run(letters.take_back)
        await until_nothing(letters.work_next, post(press))

    async def meet() -> None:
        await database.run(video_steps.end_forgotten, now(), policy)
        await until_nothing(video_steps.work_next, rooms)

    async def announce() -> None:
        """Also where the site wants none: a plan's step may."""
        before, after = timedelta(hours=settings.calling.announce_hours or 0), None
        while True:
            after = await database.run(announcing.announce_some, now(), policy, before, caller_id, after)
            if after is None:
                break

    async def send() -> None:
        await sheets.now()  # a text is worded as it is in force when it is sent
        if not await database.run(outbox.anything_waits):
            return
        await database.run(text_steps.take_back, now(), policy)
        await database.run(text_talks.hold_back, now(), policy)
        await database.run(text_bookings.hold_back, now())
        await database.run(video_steps.take_back, now(), policy)
        await database.run(announcing.give_up)
        await database.run(suspensions.take_back)
        await database.run(appointment_texts.take_back)
        await database.run(reminder_texts.take_back, now(), policy)
        await sender.send_due()

    async def watch_reach() -> None:
        await database.run(reach_watch.watch, now())

    def unless_held(job: Job) -> Job:
        """What a clock decides waits while the clock is not to be believed."""

        @wraps(job)
        async def look() -> None:
            if not held():
                await job()

        return look

    rounds.every(60, unless_held(remind), at_once=True)
    for plans in (remind_by_text, text, write, meet):
        rounds.every(10, unless_held(plans), at_once=True)
    rounds.every(10, go_on, at_once=True)
    rounds.every(1800, watch_reach, at_once=True)
    rounds.every(300, unless_held(announce), at_once=True)
    rounds.every(2, unless_held(send))
