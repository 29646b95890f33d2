"""Messages: the outbox on its table, the gateway that the settings name, and its delivery reports."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from hospital import outbox
from hospital.database import Database
from hotline.places import Places
from hotline.settings import Settings
from messages.gateway import Gateway
from messages.gateways.file import FileGateway
from messages.gateways.twilio import BadReport, TwilioAccount, TwilioGateway, read_report
from web.ports import DeliveryReports

Clock = Callable[[], datetime]


def gateway(settings: Settings, here: Places, now: Clock) -> Gateway:
    twilio = settings.messages.twilio
    if twilio is None:
        return FileGateway(here.outbox / "sent.jsonl", now)
    secret = twilio.secret.get_secret_value()
    return TwilioGateway(TwilioAccount(twilio.account_sid, twilio.user, secret, twilio.sender, twilio.reports_url))


def delivery_reports(settings: Settings, database: Database, now: Clock) -> DeliveryReports | None:
    twilio = settings.messages.twilio
    if twilio is None or twilio.reports_url is None or twilio.auth_token is None:
        return None
    return TwilioReports(database, twilio.reports_url, twilio.auth_token.get_secret_value(), now)


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
