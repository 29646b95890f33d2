"""Replies through Twilio: its published webhook contract, signed by Twilio's own library, over the console's door."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from hospital.booking import Appointment, OwnDesk
from hospital.cases import Case
from hospital.database import Database
from hospital.outbox import OutboxRow
from hospital.text_replies import TextReply
from hotline import demo_clinics, message_joints
from hotline.settings_file import SettingsRefused, build
from scripts.wording import Wording
from tests.characters import LUCIA
from tests.console_app import HOST, Site
from tests.moments import NOON, ZONE
from tests.test_care_dialogues import words
from tests.test_settings import DEMO, TWILIO
from tests.test_settings import site as a_site
from tests.text_house import TextHouse
from web.app import create_app

__all__ = ["words"]

URL = f"https://{HOST}/messages/replies"
TOKEN = "the account's own"
OURS = {"gateway": "twilio", "twilio": {**TWILIO, "replies_url": URL, "auth_token": TOKEN}}
SETTINGS = build({**a_site(), "messages": OURS})
pytestmark = pytest.mark.covers("H32")


def form(body: str = "1", **more: str) -> dict[str, str]:
    """As https://www.twilio.com/docs/messaging/guides/webhook-request lists them."""
    return {
        "ToCountry": "CO", "SmsMessageSid": "SM1", "NumMedia": "0", "FromCity": "", "SmsSid": "SM1",
        "SmsStatus": "received", "Body": body, "FromCountry": "CO", "To": TWILIO["sender"], "NumSegments": "1",
        "MessageSid": "SM1",
        "AccountSid": TWILIO["account_sid"], "From": LUCIA.numbers[0], "ApiVersion": "2010-04-01", **more,
    }  # fmt: skip


@pytest.fixture
async def door(database: Database, words: Wording, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    take = message_joints.taking(SETTINGS, database, lambda: words, lambda: NOON, OwnDesk(database))
    services = replace(
        Site(database, tmp_path).app.state.services, text_replies=message_joints.text_replies(SETTINGS, take)
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
        yield client


async def post(door: httpx.AsyncClient, told: dict[str, str], token: str = TOKEN) -> httpx.Response:
    signed = RequestValidator(token).compute_signature(URL, told)
    return await door.post("/messages/replies", data=told, headers={"X-Twilio-Signature": signed})


def kept(database: Database) -> list[tuple[str, str, int]]:
    with database.transaction() as session:
        return [(one.fate, one.text, one.media) for one in session.scalars(select(TextReply).order_by(TextReply.id))]


async def test_a_reply_is_an_answer_and_twilio_has_nothing_to_say(
    door: httpx.AsyncClient, database: Database, words: Wording
) -> None:
    house = TextHouse(database, words)
    task = house.due(house.admits(LUCIA))
    house.works()
    for _ in range(2):  # Twilio asks again where our answer was lost
        answer = await post(door, form("Muy bien"))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/xml")
        assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert (house.answers(task), kept(database)) == ({"staff": "5"}, [("answer", "Muy bien", 0)])


@pytest.mark.covers("H3")
async def test_an_examination_is_booked_by_replies(door: httpx.AsyncClient, database: Database, words: Wording) -> None:
    TextHouse(database, words).admits(LUCIA)
    with database.transaction() as session:
        demo_clinics.open_clinics(session, ZONE, NOON)
    for n, said in enumerate(("Análisis de sangre", "29/02/1980", "2", "2")):
        for _ in range(2):  # each comes twice
            assert (await post(door, form(said, MessageSid=f"SM{n}"))).status_code == 200
    assert sorted(kept(database)) == sorted(
        ("booking", said, 0) for said in ("Análisis de sangre", "29/02/1980", "2", "2")
    )
    with database.transaction() as session:
        booked = session.scalars(select(Appointment)).one()
        keys = session.scalars(select(OutboxRow.key).order_by(OutboxRow.once)).all()
    assert booked.booked_via == "sms"
    assert keys == ["booking_prove", "survey_told", "appointment_confirmed"]


@pytest.mark.covers("H51")
async def test_what_is_not_signed_by_the_account_changes_nothing(door: httpx.AsyncClient, database: Database) -> None:
    assert (await post(door, form(), token="another account's")).status_code == 403
    assert (await door.post("/messages/replies", data=form())).status_code == 403
    good = RequestValidator(TOKEN).compute_signature(URL, form())
    for told in (form("2"), form(From="+573015550199"), {**form(), "Extra": "x"}):
        answer = await door.post("/messages/replies", data=told, headers={"X-Twilio-Signature": good})
        assert answer.status_code == 403
    assert kept(database) == []


@pytest.mark.parametrize(
    "told",
    [
        {"MessageSid": "SM1", "From": "+573015550101"},  # no text: a delivery report, perhaps
        form(AccountSid="AC" + "1" * 32),
        form(MessageSid="x" * 40),
        form(MessageSid=""),
    ],
)
async def test_what_is_no_message_to_this_account_changes_nothing(
    door: httpx.AsyncClient, database: Database, told: dict[str, str]
) -> None:
    assert (await post(door, told)).status_code == 403
    assert kept(database) == []


async def test_megabytes_are_refused_and_control_bytes_are_not_kept(
    door: httpx.AsyncClient, database: Database
) -> None:
    assert (await post(door, form("x" * 2_000_000))).status_code == 413
    assert (await post(door, form("ho\x00la\x1b[31m\u202e 👍"))).status_code == 200
    assert (await post(door, form("a" * 100_000, MessageSid="SM2"))).status_code == 200
    found = {text for _, text, _ in kept(database)}
    assert found == {"hola[31m 👍", "a" * 1600}


async def test_a_picture_without_text_and_a_sender_without_a_number(
    door: httpx.AsyncClient, database: Database
) -> None:
    assert (await post(door, form("", NumMedia="3", MessageSid="MM1"))).status_code == 200
    assert (await post(door, form("hola", From="", MessageSid="SM2", NumMedia="many"))).status_code == 200
    assert sorted(kept(database)) == [("message", "", 3), ("message", "hola", 0)]
    with database.transaction() as session:
        assert sorted(session.scalars(select(Case.caller)), key=str) == [LUCIA.numbers[0], None]
        assert session.scalars(select(OutboxRow.number)).all() == [LUCIA.numbers[0]]


async def test_what_twilio_has_answered_itself_we_do_not_answer_again(
    door: httpx.AsyncClient, database: Database
) -> None:
    assert (await post(door, form("Stop texting me", OptOutType="STOP"))).status_code == 200
    assert [fate for fate, _, _ in kept(database)] == ["stop"]
    with database.transaction() as session:
        assert session.scalars(select(OutboxRow)).all() == []


async def test_a_house_without_a_number_that_receives_has_no_such_page(database: Database, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(Site(database, tmp_path).app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        assert (await client.post("/messages/replies", data=form())).status_code == 404


def test_only_who_receives_asks_by_text(words: Wording) -> None:
    silent = {"gateway": "twilio", "twilio": TWILIO}
    for settings, receives in [
        (SETTINGS, True),
        (build(DEMO), True),
        (build(a_site()), False),
        (build({**a_site(), "messages": silent}), False),
    ]:
        assert (message_joints.asking(settings, lambda: words) is not None) == receives
        if not settings.demo:
            assert (message_joints.text_replies(settings, take=None) is not None) == receives  # type: ignore[arg-type]


def test_replies_need_the_accounts_token() -> None:
    with pytest.raises(SettingsRefused, match=r"messages\.twilio\.replies_url and messages\.twilio\.auth_token"):
        build({**a_site(), "messages": {"gateway": "twilio", "twilio": {**TWILIO, "replies_url": URL}}})
