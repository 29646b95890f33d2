"""SMS through Twilio's Programmable Messaging: one POST a message, the delivery report that comes back, and replies.

Sources: https://www.twilio.com/docs/messaging/api/message-resource (create; statuses),
https://www.twilio.com/docs/usage/twilios-response (errors: JSON with code, message, more_info, status),
https://www.twilio.com/docs/api/errors/20429 (a 429 "is never processed and is always safe to retry"),
https://www.twilio.com/docs/api/errors/21611 (the sender's queue is full) and the pages of 21212, 21603, 21606, 21659,
21660 and 21661 (the sender, or the account that it does not belong to),
https://www.twilio.com/docs/usage/security (signature of what Twilio sends us),
https://www.twilio.com/docs/messaging/guides/webhook-request (what comes in; "Your application should use MessageSid"),
https://www.twilio.com/docs/messaging/twiml ("<Response/>": no message in answer),
https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out (OptOutType: Twilio has answered by itself).

The API has no key that would make a repeated POST harmless, hence `knows_ids = False`. A delivery report names our
message id in its URL, so that it settles even a message whose answer was lost.
"""

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from messages.gateway import FateUnknown, Incoming, NotSent, Outgoing, Receipt, Refused, TryLater
from scripts.reply_words import Word

API = "https://api.twilio.com"
SECONDS = 15.0
MOST_ANSWER_BYTES = 65536
LOOPBACK = re.compile(r"127(\.[0-9]{1,3}){3}|localhost|::1")  # a provider played by a test
ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
MESSAGE = re.compile(r"(SM|MM)[0-9a-zA-Z]{1,40}")

REFUSALS = {
    21211: ("bad_number", "the number is not valid; check it in the record"),
    21408: ("country_off", "this country is not enabled; enable it in the account's messaging permissions"),
    21610: ("opted_out", "the recipient has opted out of messages; call instead"),
    21614: ("no_mobile", "the number cannot receive text messages; call instead"),
    21617: ("length", "the text is longer than Twilio takes"),
}
"""Twilio's error code → ours and what to do. Twilio splits codes up now and then: any other 400 is `refused`."""

QUEUE_FULL = 21611
SENDER_REFUSED = frozenset({21212, 21603, 21606, 21659, 21660, 21661})
"""Error codes that are not the message's fault."""

DELIVERIES = {
    "accepted": "sent",
    "scheduled": "sent",
    "queued": "sent",
    "sending": "sent",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
"""Twilio's MessageStatus → the outbox's state."""

OPT_OUTS: dict[str, Word] = {"STOP": "stop", "START": "start", "HELP": "help"}
"""Twilio's OptOutType → our word."""

NO_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""What Twilio is told when a reply was taken: our answer goes through the outbox."""


@dataclass(frozen=True)
class TwilioAccount:
    """`user` and `secret` sign the requests: the account's SID and auth token, or an API key's SID and secret.
    `sender` is a number in E.164, a sender name, or a messaging service (MG…). `reports_url`: where Twilio may post
    delivery reports (https, reachable for it); None for no reports."""

    account_sid: str
    user: str
    secret: str = field(repr=False)
    sender: str
    reports_url: str | None = None
    api: str = API


class TwilioGateway:
    """Raises ValueError for an account whose settings cannot be right."""

    name = "twilio"
    knows_ids = False

    def __init__(self, account: TwilioAccount, seconds: float = SECONDS) -> None:
        if not ACCOUNT.fullmatch(account.account_sid):
            raise ValueError("the Twilio account SID is AC and 32 hexadecimal digits; see the Twilio console")
        api = urlsplit(account.api)
        if api.scheme != "https" and not LOOPBACK.fullmatch(api.hostname or ""):
            raise ValueError("Twilio is reached over https only")
        self._account, self._seconds, self._api = account, seconds, api
        signed = base64.b64encode(f"{account.user}:{account.secret}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {signed}",
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "Accept": "application/json",
        }

    async def send(self, message: Outgoing) -> Receipt:
        return await asyncio.to_thread(self._send, message)

    def _send(self, message: Outgoing) -> Receipt:
        connection = self._connection()
        try:
            try:
                connection.connect()
            except OSError as failed:
                kind = type(failed).__name__
                raise TryLater("gateway_down", f"Twilio cannot be reached ({kind}); check the network") from None
            try:
                connection.request("POST", self._path(), self._form(message), self._headers)
                answer = connection.getresponse()
                return _receipt(answer.status, answer.read(MOST_ANSWER_BYTES))
            except (OSError, http.client.HTTPException) as failed:
                kind = type(failed).__name__
                raise FateUnknown("fate_unknown", f"Twilio gave no answer ({kind}); look in its log") from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._api.hostname or "", self._api.port
        if self._api.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._seconds, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self._seconds)

    def _path(self) -> str:
        return f"/2010-04-01/Accounts/{self._account.account_sid}/Messages.json"

    def _form(self, message: Outgoing) -> bytes:
        sender = "MessagingServiceSid" if self._account.sender.startswith("MG") else "From"
        form = {"To": message.to, sender: self._account.sender, "Body": message.text}
        if self._account.reports_url:
            form["StatusCallback"] = f"{self._account.reports_url.rstrip('/')}/{message.message_id}"
        return urlencode(form).encode()


def _receipt(status: int, body: bytes) -> Receipt:
    """Raises what the answer means."""
    answer = _json(body)
    if status in (200, 201):
        if isinstance(answer.get("sid"), str):
            return Receipt(answer["sid"])
        raise FateUnknown("fate_unknown", "Twilio took something and did not say what; look in its log")
    raise _problem(status, answer.get("code"))


def _problem(status: int, code: object) -> NotSent:
    known = code if isinstance(code, int) and 400 <= status < 500 else 0
    seen = f"HTTP {status}, code {code}" if isinstance(code, int) else f"HTTP {status}"
    if status == 429 or known == QUEUE_FULL:
        return TryLater("too_many", f"Twilio takes no more just now ({seen}); nothing to do")
    if status in (401, 403, 404):
        # Ours to mend, not the message's fault: it waits.
        return TryLater("account", f"Twilio refuses the account ({seen}); check its SID and secret in hotline.toml")
    if known in SENDER_REFUSED:
        return TryLater("account", f"Twilio lets this sender send nothing ({seen}); check sender and account")
    if 400 <= status < 500:
        ours, advice = REFUSALS.get(known, ("refused", "see Twilio's list of errors"))
        return Refused(ours, f"{advice} ({seen})")
    return FateUnknown("fate_unknown", f"Twilio failed on its side ({seen}); look in its log")


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@dataclass(frozen=True)
class DeliveryReport:
    """What became of a message. `state` is the outbox's: sent, delivered or failed; `code` why it failed."""

    message_id: UUID
    reference: str
    state: str
    code: str | None = None


class BadReport(Exception):
    """Not from Twilio, or neither a delivery report nor a message. Answer 403 and change nothing."""


def signature(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """What Twilio puts into X-Twilio-Signature: HMAC-SHA1 under the account's auth token over the URL and the form's
    fields in order of their names, in base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(errors="replace"), hashlib.sha1)).decode()


def read_report(url: str, form: Mapping[str, str], signed: str | None, auth_token: str) -> DeliveryReport:
    """A delivery report as Twilio posts it: `url` exactly as Twilio was told it, `signed` the X-Twilio-Signature.
    Raises `BadReport`."""
    _check(url, form, signed, auth_token)
    try:
        message_id = UUID(urlsplit(url).path.rpartition("/")[2])
        state, reference = DELIVERIES[form["MessageStatus"]], form["MessageSid"]
    except (ValueError, KeyError):
        raise BadReport("it is no delivery report for an outgoing message") from None
    code = form.get("ErrorCode", "")
    why = REFUSALS.get(int(code), (f"twilio_{code}", ""))[0] if code.isascii() and code.isdigit() else "undelivered"
    return DeliveryReport(message_id, reference, state, why[:40] if state == "failed" else None)


def read_text(url: str, form: Mapping[str, str], signed: str | None, auth_token: str, account_sid: str) -> Incoming:
    """A text message that came in, as Twilio posts it: `url` exactly as Twilio was told it. Raises `BadReport`."""
    _check(url, form, signed, auth_token)
    try:
        reference, number, text = form["MessageSid"], form["From"], form["Body"]
    except KeyError:
        raise BadReport("it is no message that came in") from None
    if form.get("AccountSid") != account_sid or not MESSAGE.fullmatch(reference):
        raise BadReport("it is no message to the account in hotline.toml")
    media = form.get("NumMedia", "0")
    return Incoming(
        "twilio",
        reference,
        number[:40],
        text,
        media=int(media) if re.fullmatch(r"[0-9]{1,3}", media) else 0,
        word=OPT_OUTS.get(form.get("OptOutType", "")),
    )


def _check(url: str, form: Mapping[str, str], signed: str | None, auth_token: str) -> None:
    if not hmac.compare_digest(signature(url, form, auth_token).encode(), (signed or "").encode()):
        raise BadReport("the signature is not Twilio's; is the auth token in hotline.toml the account's?")
