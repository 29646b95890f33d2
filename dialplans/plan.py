"""What a site's telephone configuration is made of, checked as it is built: a `Plan` that exists can be rendered.

Everything here ends up between the `=` and the end of a line of an Asterisk configuration file, so each value is
held to its own narrow alphabet. An error names the field and never repeats the value: it may be a secret."""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_NODE = re.compile(r"[a-z][a-z0-9]{0,11}")
_SECRET = re.compile(r"[A-Za-z0-9_.~-]{12,128}")
_NUMBER = re.compile(r"\+?[0-9]{2,15}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_USER = re.compile(r"\+?[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_PATTERN = re.compile(r"\+?[0-9]{2,15}|_\+?([0-9XZN]|\[[0-9]+(-[0-9])?\])+[.!]?")

_ALLOWED = {
    _WORD: "a letter, then letters, digits, - and _ (40 at most)",
    _NODE: "a small letter, then small letters and digits (12 at most)",
    _SECRET: "12 to 128 letters, digits and - _ . ~",
    _NUMBER: "2 to 15 digits, with or without a leading +",
    _HOST: "a host name or an IP address",
    _LANGUAGE: "a language such as en or pt-BR",
    _USER: "an account or a number: letters, digits and - _ . (40 at most)",
    _PATTERN: "digits, or an Asterisk pattern such as _+57XXXXXXXXXX or _0X.",
}


class PlanRefused(ValueError):
    """A value cannot go into Asterisk's configuration; the text says which one and what is allowed."""


def _must(field: str, value: str, shape: re.Pattern[str]) -> None:
    if not shape.fullmatch(value):
        raise PlanRefused(f"{field}: not usable in Asterisk's configuration. Allowed: {_ALLOWED[shape]}.")


def _must_be_port(field: str, value: int) -> None:
    if not 1 <= value <= 65535:
        raise PlanRefused(f"{field}: {value} is not a port. Allowed: 1 to 65535.")


def _must_be_address(field: str, value: str) -> None:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise PlanRefused(f"{field}: not an IP address.") from None


def _must_be_unique(field: str, values: Iterable[str]) -> None:
    seen = list(values)
    twice = sorted({value for value in seen if seen.count(value) > 1})
    if twice:
        raise PlanRefused(f"{field}: {', '.join(twice)} is there twice. Each must be unique.")


@dataclass(frozen=True, slots=True)
class Account:
    """A telephone that registers. `context` is `patients` or `agents`; `extension` is what colleagues dial;
    `number` (E.164 or empty) is its caller id when it has one; `browser` means SIP over WebSocket with DTLS-SRTP
    instead of SIP over UDP: Asterisk cannot offer both to one endpoint."""

    username: str
    secret: str
    context: str
    extension: str
    number: str = ""
    language: str = "en"
    browser: bool = False

    def __post_init__(self) -> None:
        _must("account username", self.username, _WORD)
        field = f'account "{self.username}"'
        _must(f"{field} secret", self.secret, _SECRET)
        _must(f"{field} extension", self.extension, _NUMBER)
        _must(f"{field} language", self.language, _LANGUAGE)
        if self.number:
            _must(f"{field} number", self.number, _NUMBER)
        if self.context not in ("patients", "agents"):
            raise PlanRefused(f"{field} context: allowed are patients and agents.")

    @property
    def caller_id(self) -> str:
        return self.number or self.extension


@dataclass(frozen=True, slots=True)
class Trunk:
    """The line to the telephone network. Calls are taken only from `sources` (addresses, never ranges wider than
    a /28, because a match replaces the password); `trusted` means that its P-Asserted-Identity is believed;
    `numbers` are ours and lead to the hotline; `caller_id` is what called parties see, unless a campaign shows another.
    With a `from_user` From names it on every call, and the number that is shown is in P-Asserted-Identity."""

    host: str
    sources: tuple[str, ...]
    numbers: tuple[str, ...]
    caller_id: str
    port: int = 5060
    trusted: bool = False
    username: str = ""
    secret: str = ""
    from_user: str = ""

    def __post_init__(self) -> None:
        _must("trunk host", self.host, _HOST)
        _must_be_port("trunk port", self.port)
        _must("trunk caller_id", self.caller_id, _NUMBER)
        for number in self.numbers:
            _must("trunk numbers", number, _NUMBER)
        for source in self.sources:
            self._must_be_narrow(source)
        if bool(self.username) != bool(self.secret):
            raise PlanRefused("trunk username, trunk secret: give both or none.")
        if self.username:
            _must("trunk username", self.username, _WORD)
            _must("trunk secret", self.secret, _SECRET)
        if self.from_user:
            _must("trunk from_user", self.from_user, _USER)

    @staticmethod
    def _must_be_narrow(source: str) -> None:
        try:
            network = ipaddress.ip_network(source)
        except ValueError:
            raise PlanRefused(f"trunk sources: {source!r} is not an address or network.") from None
        if network.num_addresses > 16:
            raise PlanRefused(
                f"trunk sources: {source} is wider than 16 addresses; whoever is in it needs no password."
            )


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the templates need. `allowed_outside` are the only outside numbers that can be dialled (Asterisk
    patterns); `languages` are those that have static prompts, the first one being the default; who has more than
    `calls_at_once` calls at the same moment is told so by the ivr."""

    address: str
    agi_secret: str
    ami_secret: str
    accounts: tuple[Account, ...]
    queues: tuple[str, ...] = ("reception", "nurses", "urgent")
    desk: str = "desk"
    desk_penalty: int = 9
    callback_offer_seconds: int = 20
    emergency_numbers: tuple[str, ...] = ("112",)
    allowed_outside: tuple[str, ...] = ()
    trunk: Trunk | None = None
    languages: tuple[str, ...] = ("en", "es")
    hotline_extension: str = "600"
    node: str = "n1"
    ami_user: str = "core"
    calls_at_once: int = 10
    sip_port: int = 5060
    ami_port: int = 5038
    agi_port: int = 4573
    http_port: int = 8088
    rtp_ports: tuple[int, int] = (20000, 20499)

    def __post_init__(self) -> None:
        _must_be_address("address", self.address)
        _must("node", self.node, _NODE)
        _must("ami_user", self.ami_user, _WORD)
        _must("agi_secret", self.agi_secret, _SECRET)
        _must("ami_secret", self.ami_secret, _SECRET)
        _must("hotline_extension", self.hotline_extension, _NUMBER)
        for port in (self.sip_port, self.ami_port, self.agi_port, self.http_port, *self.rtp_ports):
            _must_be_port("ports", port)
        if self.rtp_ports[0] >= self.rtp_ports[1]:
            raise PlanRefused("rtp_ports: the first must be below the last.")
        if self.calls_at_once < 1:
            raise PlanRefused("calls_at_once: a number must be allowed one call at least.")
        for queue in self.queues:
            _must("queues", queue, _WORD)
        for language in self.languages:
            _must("languages", language, _LANGUAGE)
        for number in self.emergency_numbers:
            _must("emergency_numbers", number, _NUMBER)
        for pattern in self.allowed_outside:
            _must("allowed_outside", pattern, _PATTERN)
        if "reception" not in self.queues:
            raise PlanRefused("queues: reception is where every caller without a better queue goes; it must exist.")
        if not self.languages:
            raise PlanRefused("languages: at least one is needed.")
        self._check_names()

    def _check_names(self) -> None:
        _must_be_unique("account username", (a.username for a in self.accounts))
        _must_be_unique("account extension", [self.hotline_extension, *(a.extension for a in self.accounts)])
        _must_be_unique("account number", (a.number for a in self.accounts if a.number))
        if self.desk not in {a.username for a in self.accounts}:
            raise PlanRefused("desk: there is no account of this name; the queues' last member must exist.")
        if "trunk" in {a.username for a in self.accounts}:
            raise PlanRefused('account username: "trunk" is the trunk\'s own name.')
        if self.allowed_outside and self.trunk is None:
            raise PlanRefused("allowed_outside: there is no trunk to dial them on.")

    def language_of(self, account: Account) -> str:
        """The account's language if it has static prompts, else the default."""
        return account.language if account.language in self.languages else self.languages[0]
