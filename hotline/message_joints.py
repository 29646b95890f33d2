"""Messages: the outbox on its table, the gateway that the settings name, its delivery reports, and replies."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import outbox, text_bookings
from hospital.booking import BookingDesk, Department
from hospital.calendars import Calendar
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import PhoneNumber
from hospital.text_talks import Begin, Opening
from hotline.care_wiring import clocks
from hotline.places import Places
from hotline.rounds import Job
from hotline.settings import Settings
from messages import booking, replies
from messages.gateway import Gateway, Incoming
from messages.gateways.file import FileGateway
from messages.gateways.twilio import NO_ANSWER, BadReport, TwilioAccount, TwilioGateway, read_report, read_text
from messages.talking import Desk
from scripts.wording import Wording
from web.ports import DeliveryReports, TextReplies

log = logging.getLogger(__name__)

FORSAKEN = timedelta(seconds=30)  # what a booking by text has waited for so long, nobody is doing

Clock = Callable[[], datetime]
Words = Callable[[], Wording]
Take = Callable[[Incoming], Awaitable[str]]
"""A text that came in → its fate."""


def sent_file(here: Places) -> Path:
    """Where the file gateway writes."""
    return here.outbox / "sent.jsonl"


def gateway(settings: Settings, here: Places, now: Clock) -> Gateway:
    twilio = settings.messages.twilio
    if twilio is None:
        return FileGateway(sent_file(here), now)
    secret = twilio.secret.get_secret_value()
    return TwilioGateway(TwilioAccount(twilio.account_sid, twilio.user, secret, twilio.sender, twilio.reports_url))


def delivery_reports(settings: Settings, database: Database, now: Clock) -> DeliveryReports | None:
    twilio = settings.messages.twilio
    if twilio is None or twilio.reports_url is None or twilio.auth_token is None:
        return None
    return TwilioReports(database, twilio.reports_url, twilio.auth_token.get_secret_value(), now)


def receives(settings: Settings) -> bool:
    """Whether a number of ours takes replies: only then is anybody asked by text. In the demo the patients' phones are
    pages of ours."""
    twilio = settings.messages.twilio
    return twilio.replies_url is not None if twilio is not None else settings.demo


def desk(settings: Settings, words: Words) -> Callable[[], Desk]:
    """`words`: the wording in force."""
    of, calendar = settings.texting, Calendar(clocks(settings).zone, settings.site.country_code)

    def now_in_force() -> Desk:
        within, also = timedelta(hours=of.answer_hours), frozenset(of.also)
        return Desk(words(), clocks(settings), calendar, settings.site.default_language, within, also)

    return now_in_force


def asking(settings: Settings, words: Words) -> Begin | None:
    """How a plan's step is asked by text; None where nothing receives the replies."""
    here = desk(settings, words)

    def begin(session: Session, task: FollowUpTask, number: PhoneNumber, locale: str, at: datetime) -> Opening | None:
        return replies.opening(session, task, number, locale, at, here())

    return begin if receives(settings) else None


def taking(settings: Settings, database: Database, words: Words, now: Clock, slots: BookingDesk) -> Take:
    """`slots`: of whom examinations are booked."""
    here = desk(settings, words)

    async def take(came: Incoming) -> str:
        at_hand = replace(here(), examinations=await _examinations(slots))
        fate = await database.run(replies.receive, came, now(), at_hand)
        for one in await database.run(text_bookings.waiting, now(), came.number):
            await booking.work(one, database, slots, here, now)
        return fate

    return take


async def _examinations(slots: BookingDesk) -> tuple[Department, ...]:
    """None where their owner can't be asked: a text that wants one is a person's then."""
    try:
        return tuple(await slots.departments("examination"))
    except Exception as failure:
        log.warning("no examination is booked by text just now (%s)", type(failure).__name__)
        return ()


def booking_on(settings: Settings, database: Database, words: Words, now: Clock, slots: BookingDesk) -> Job:
    """What was ours to do in bookings by text, and nobody did: whoever had begun it has died."""
    here = desk(settings, words)

    async def go_on() -> None:
        for one in await database.run(text_bookings.waiting, now() - FORSAKEN):
            await booking.work(one, database, slots, here, now)

    return go_on


def text_replies(settings: Settings, take: Take) -> TextReplies | None:
    """`web.ports.TextReplies` of Twilio; None where it brings none."""
    twilio = settings.messages.twilio
    if twilio is None or twilio.replies_url is None or twilio.auth_token is None:
        return None
    return partial(_taken, take, twilio.replies_url, twilio.auth_token.get_secret_value(), twilio.account_sid)


async def _taken(
    take: Take, url: str, auth_token: str, account_sid: str, form: Mapping[str, str], signed: str | None
) -> str | None:
    try:
        came = read_text(url, form, signed, auth_token, account_sid)
    except BadReport:
        return None
    await take(came)
    return NO_ANSWER


class SqlOutbox:
    """`messages.sender.Outbox` on the table `outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, at: datetime) -> outbox.Due | None:
        return await self._database.run(outbox.claim, at)

    async def sent(self, message_id: UUID, reference: str, at: datetime) -> None:
        await self._database.run(outbox.sent, message_id, reference, at)

    async def not_sent(self, message_id: UUID, code: str, at: datetime, *, final: bool) -> None:
        await self._database.run(outbox.not_sent, message_id, code, at, final=final)


class TwilioReports:
    """`web.ports.DeliveryReports`: a report that Twilio signed settles its message."""

    def __init__(self, database: Database, url: str, auth_token: str, now: Clock) -> None:
        self._database, self._url, self._auth_token, self._now = database, url.rstrip("/"), auth_token, now

    async def __call__(self, message: str, form: Mapping[str, str], signed: str | None) -> bool:
        try:
            told = read_report(f"{self._url}/{message}", form, signed, self._auth_token)
        except BadReport:
            return False
        return await self._database.run(
            outbox.reported, told.message_id, told.state, told.reference, self._now(), told.code
        )
