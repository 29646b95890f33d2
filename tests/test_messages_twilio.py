"""Against a small server that follows Twilio's published contract for Messages.json."""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from messages.gateway import FateUnknown, NotSent, Outgoing, Receipt, Refused, TryLater
from messages.gateways.twilio import BadReport, TwilioAccount, TwilioGateway, read_report, signature

ADDRESS = "127.0.7.81"
SID = "AC" + "0123456789abcdef" * 2
TOKEN = "a-secret: with a colon"
LUCIA = Outgoing(UUID(int=7), "+34600111222", "Su cita: lunes 23, 9:20 & más")
REPORTS = "https://hospital.example/hooks/twilio"


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    form: dict[str, str]


class Twilio:
    """Answers as the contract says: 401 for wrong credentials, 400 for what the form lacks, else 201 with the message
    resource; `rule` may answer first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.rule: Callable[[Asked], tuple[int, bytes] | None] = lambda asked: None
        twilio = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {name: values[0] for name, values in parse_qs(raw, strict_parsing=True).items()}
                asked = Asked(self.path, dict(self.headers), form)
                twilio.asked.append(asked)
                status, body = twilio.rule(asked) or twilio.answer(asked)
                if status:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: the server's own lines are no part of the test."""

        self.server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.url = f"http://{ADDRESS}:{self.server.server_address[1]}"

    def answer(self, asked: Asked) -> tuple[int, bytes]:
        if asked.headers.get("Authorization") != "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode():
            return error(401, 20003, "Authenticate")
        if asked.path != f"/2010-04-01/Accounts/{SID}/Messages.json":
            return error(404, 20404, f"The requested resource {asked.path} was not found")
        if not {"To", "Body"} <= asked.form.keys() or not {"From", "MessagingServiceSid"} & asked.form.keys():
            return error(400, 21604, "A required parameter is missing")
        resource = {
            "sid": "SM" + "f" * 32,
            "status": "queued",
            "to": asked.form["To"],
            "body": asked.form["Body"],
            "error_code": None,
        }
        return 201, json.dumps(resource).encode()


def error(status: int, code: int, message: str) -> tuple[int, bytes]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return status, json.dumps({"code": code, "message": message, "more_info": more, "status": status}).encode()


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    fake = Twilio()
    thread = threading.Thread(target=fake.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    fake.server.shutdown()
    fake.server.server_close()
    thread.join()


def account(twilio: Twilio) -> TwilioAccount:
    return TwilioAccount(SID, SID, TOKEN, "+34910000000", REPORTS, twilio.url)


def gateway(twilio: Twilio) -> TwilioGateway:
    return TwilioGateway(account(twilio), seconds=0.5)


async def test_lucias_message_is_taken(twilio: Twilio) -> None:
    assert await gateway(twilio).send(LUCIA) == Receipt("SM" + "f" * 32)
    (asked,) = twilio.asked
    assert asked.form == {
        "To": "+34600111222",
        "From": "+34910000000",
        "Body": "Su cita: lunes 23, 9:20 & más",
        "StatusCallback": f"{REPORTS}/{LUCIA.message_id}",
    }
    assert "600111222" not in asked.path


async def test_a_messaging_service_instead_of_a_number(twilio: Twilio) -> None:
    service = replace(account(twilio), sender="MG" + "0" * 32, reports_url=None)
    await TwilioGateway(service).send(LUCIA)
    assert twilio.asked[0].form.keys() == {"To", "MessagingServiceSid", "Body"}


async def test_hostile_text_stays_in_its_field(twilio: Twilio) -> None:
    text = "&To=%2B1900&Body=x\r\nX-Injected: 1\r\n\r\n${x} 😀 预约"
    await gateway(twilio).send(replace(LUCIA, text=text))
    assert (twilio.asked[0].form["Body"], twilio.asked[0].form["To"]) == (text, LUCIA.to)
    assert "X-Injected" not in twilio.asked[0].headers


@pytest.mark.parametrize(
    ("status", "code", "kind", "ours"),
    [
        (400, 21211, Refused, "bad_number"),
        (400, 21610, Refused, "opted_out"),
        (400, 21614, Refused, "no_mobile"),
        (400, 21408, Refused, "country_off"),
        (400, 99999, Refused, "refused"),
        (400, 21611, TryLater, "too_many"),
        *[(400, code, TryLater, "account") for code in (21212, 21603, 21606, 21659, 21660, 21661)],
        (401, 20003, TryLater, "account"),
        (404, 20404, TryLater, "account"),
        (429, 20429, TryLater, "too_many"),
        (500, 20500, FateUnknown, "fate_unknown"),
        (500, 21606, FateUnknown, "fate_unknown"),
        (503, 20503, FateUnknown, "fate_unknown"),
        (302, 0, FateUnknown, "fate_unknown"),
    ],
)
async def test_what_twilio_answers_in_our_words(
    twilio: Twilio, status: int, code: int, kind: type[NotSent], ours: str
) -> None:
    twilio.rule = lambda asked: error(status, code, f"The number {asked.form['To']} is wrong")
    with pytest.raises(kind) as problem:
        await gateway(twilio).send(LUCIA)
    assert problem.value.code == ours
    assert "600111222" not in str(problem.value), "Twilio's sentence repeats the number"
    assert len(twilio.asked) == 1


async def test_a_wrong_secret_waits_for_the_right_one(twilio: Twilio) -> None:
    with pytest.raises(TryLater, match=r"hotline\.toml") as problem:
        await TwilioGateway(replace(account(twilio), secret="wrong")).send(LUCIA)
    assert "wrong" not in str(problem.value)
    assert TOKEN not in repr(account(twilio))


async def test_nobody_listens(twilio: Twilio) -> None:
    with socket.socket() as unused:
        unused.bind((ADDRESS, 0))  # bound and not listening: refused
        nobody = replace(account(twilio), api=f"http://{ADDRESS}:{unused.getsockname()[1]}")
        with pytest.raises(TryLater) as problem:
            await TwilioGateway(nobody).send(LUCIA)
    assert problem.value.code == "gateway_down"


@pytest.mark.parametrize("answer", [(201, b"<html>"), (201, b"[]"), (200, b'{"sid": 7}'), (0, b"")])
async def test_an_answer_that_is_none_is_never_sent_again(twilio: Twilio, answer: tuple[int, bytes]) -> None:
    twilio.rule = lambda asked: answer
    with pytest.raises(FateUnknown):
        await gateway(twilio).send(LUCIA)
    assert len(twilio.asked) == 1


async def test_silence_after_the_message_went_out_is_never_sent_again(twilio: Twilio) -> None:
    let_go = threading.Event()

    def silent(asked: Asked) -> tuple[int, bytes] | None:
        let_go.wait(10)
        return None

    twilio.rule = silent
    with pytest.raises(FateUnknown) as problem:
        await gateway(twilio).send(LUCIA)
    let_go.set()
    assert problem.value.code == "fate_unknown"


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"account_sid": "AC123"}, "hexadecimal"),
        ({"account_sid": SID + "/../x"}, "hexadecimal"),
        ({"api": "http://api.twilio.com"}, "https"),
    ],
)
def test_settings_that_cannot_be_right(changed: dict[str, str], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        TwilioGateway(replace(TwilioAccount(SID, SID, TOKEN, "+34910000000"), **changed))


def test_the_signature_is_the_one_that_twilio_publishes() -> None:
    """The example of Twilio's page on security."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    made = signature("https://mycompany.com/myapp.php?foo=1&bar=2", form, "12345")
    assert made == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="


URL = f"{REPORTS}/{LUCIA.message_id}"


@pytest.mark.parametrize(
    ("status", "error_code", "state", "code"),
    [
        ("sent", "", "sent", None),
        ("delivered", "", "delivered", None),
        ("undelivered", "30003", "failed", "twilio_30003"),
        ("failed", "21610", "failed", "opted_out"),
        ("failed", "", "failed", "undelivered"),
    ],
)
def test_a_delivery_report(status: str, error_code: str, state: str, code: str | None) -> None:
    form = {"MessageSid": "SM7", "MessageStatus": status, "To": LUCIA.to}
    if error_code:
        form["ErrorCode"] = error_code
    report = read_report(URL, form, signature(URL, form, TOKEN), TOKEN)
    assert (report.message_id, report.reference, report.state, report.code) == (LUCIA.message_id, "SM7", state, code)


def test_a_report_that_is_not_twilios_changes_nothing() -> None:
    form = {"MessageSid": "SM7", "MessageStatus": "delivered"}
    good = signature(URL, form, TOKEN)
    for url, posted, signed in [
        (URL, form, None),
        (URL, form, "ü"),
        (URL, form | {"MessageStatus": "failed"}, good),
        (f"{REPORTS}/{UUID(int=8)}", form, good),
    ]:
        with pytest.raises(BadReport, match="signature"):
            read_report(url, posted, signed, TOKEN)
    for url, posted in [
        (URL, {"MessageSid": "SM7"}),
        (f"{REPORTS}/x", form),
        (URL, form | {"MessageStatus": "received"}),
    ]:
        with pytest.raises(BadReport, match="no delivery report"):
            read_report(url, posted, signature(url, posted, TOKEN), TOKEN)
