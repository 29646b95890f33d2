"""What became of a message: Twilio's report, from its signature to the outbox, over the console's own door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from hospital import outbox
from hospital.database import Database
from hospital.outbox import OutboxRow
from hotline import message_joints
from hotline.places import Places
from hotline.settings_file import build
from messages.gateways.file import FileGateway
from messages.gateways.twilio import TwilioGateway, signature
from tests.characters import LUCIA
from tests.console_app import HOST, Site
from tests.moments import NOON
from tests.test_settings import TWILIO
from tests.test_settings import site as a_site
from web.app import create_app

URL = f"https://{HOST}/messages/reports"
TOKEN = "the account's own"
SETTINGS = build(
    {**a_site(), "messages": {"gateway": "twilio", "twilio": {**TWILIO, "reports_url": URL, "auth_token": TOKEN}}}
)


def a_message(database: Database) -> UUID:
    """Lucía's confirmation, handed to Twilio; no answer came."""
    with database.transaction() as session:
        outbox.put(session, once="booked:1", key="callback_registered", locale="es", number=LUCIA.numbers[0], at=NOON)
        due = outbox.claim(session, NOON)
        assert due is not None
        return due.id


def row(database: Database, message: UUID) -> tuple[str, str | None, str | None]:
    with database.transaction() as session:
        found = session.get_one(OutboxRow, message)
        return found.state, found.gateway_ref, found.error


def form(status: str, **more: str) -> dict[str, str]:
    return {"MessageSid": "SM1", "MessageStatus": status, "To": LUCIA.numbers[0], **more}


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    take = message_joints.delivery_reports(SETTINGS, database, lambda: NOON)
    app = create_app(replace(Site(database, tmp_path).app.state.services, delivery_reports=take))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"https://{HOST}") as client:
        yield client


async def post(door: httpx.AsyncClient, message: UUID, told: dict[str, str], token: str = TOKEN) -> int:
    signed = signature(f"{URL}/{message}", told, token)
    answer = await door.post(f"/messages/reports/{message}", data=told, headers={"X-Twilio-Signature": signed})
    return answer.status_code


@pytest.mark.covers("H4")
async def test_a_delivery_is_written_down_also_when_the_answer_to_the_order_was_lost(
    door: httpx.AsyncClient, database: Database
) -> None:
    message = a_message(database)
    assert await post(door, message, form("sent")) == 204
    assert row(database, message) == ("sent", "SM1", None)
    assert await post(door, message, form("delivered")) == 204
    assert row(database, message) == ("delivered", "SM1", None)
    for late in ("sent", "undelivered"):  # reports overtake one another
        assert await post(door, message, form(late)) == 204
    assert row(database, message) == ("delivered", "SM1", None)


@pytest.mark.covers("H4")
async def test_a_message_that_did_not_arrive_says_why(door: httpx.AsyncClient, database: Database) -> None:
    message = a_message(database)
    assert await post(door, message, form("undelivered", ErrorCode="21610")) == 204
    assert row(database, message) == ("failed", "SM1", "opted_out")


@pytest.mark.covers("H51")
async def test_a_report_that_is_not_the_gateways_changes_nothing(door: httpx.AsyncClient, database: Database) -> None:
    message = a_message(database)
    assert await post(door, message, form("delivered"), token="another account's") == 403
    unsigned = await door.post(f"/messages/reports/{message}", data=form("delivered"))
    assert unsigned.status_code == 403
    assert await post(door, UUID(int=9), form("delivered")) == 403, "no message of ours"
    assert row(database, message)[0] == "sending"


async def test_a_house_without_a_gateway_that_reports_has_no_such_page(database: Database, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(Site(database, tmp_path).app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        assert (await client.post(f"/messages/reports/{UUID(int=1)}", data=form("delivered"))).status_code == 404


def test_the_settings_name_the_gateway(tmp_path: Path) -> None:
    here = Places(tmp_path)
    assert isinstance(message_joints.gateway(SETTINGS, here, lambda: NOON), TwilioGateway)
    assert isinstance(message_joints.gateway(build(a_site()), here, lambda: NOON), FileGateway)
