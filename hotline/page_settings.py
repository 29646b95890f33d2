"""Settings of what browsers reach: the console, and the pages on which patients answer by a link."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hotline import numbering
from hotline.caller_settings import Frozen


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("allowed: an IP address, such as 127.0.0.1 or 192.0.2.10") from None


def _address4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise ValueError(
            "allowed: an IPv4 address, such as 127.0.0.1 or 192.0.2.10 (telephones are reached by IPv4 only; web.bind "
            "and answers.bind may be IPv6)"
        ) from None


def _origin(value: str) -> str:
    """Short, so that a text message has room for it, and https: a link must lead nowhere else on the way."""
    plain = value.removesuffix("/").lower()
    if not re.fullmatch(r"https://[a-z0-9]([a-z0-9.-]{0,80}[a-z0-9])?(:[0-9]{1,5})?", plain):
        raise ValueError('allowed: an https address without a path, such as "https://answers.example.org"')
    return plain


Address = Annotated[str, AfterValidator(_address)]
Address4 = Annotated[str, AfterValidator(_address4)]
Origin = Annotated[str, AfterValidator(_origin)]
Port = Annotated[int, Field(ge=1024, le=65535)]


class Web(Frozen):
    """Where the console listens."""

    bind: Address = "127.0.0.1"
    port: Port = numbering.CONSOLE_PORT
    url: Origin | None = None
    """As browsers reach it, where that is a name: the certificate's, or the TLS proxy's. None: by `bind` and `port`."""
    proxy: Address | None = None
    """The TLS proxy, whose word (X-Forwarded-For) on who signs in is believed; None: nobody's."""
    certificate: Path | None = None
    key: Path | None = None
    """PEM files. Browsers lend a page the microphone over https only (or on loopback)."""

    @property
    def tls(self) -> bool:
        """Whether browsers speak https to it, or to the proxy before it."""
        return self.certificate is not None or self.url is not None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("web.certificate and web.key: give both or none")
        return self


class Answers(Frozen):
    """Pages on which patients answer by the link of a text message. Without their address there are none."""

    url: Origin | None = None
    """As patients reach them: the TLS proxy's. The demo's is its own, on loopback."""
    bind: Address | None = None
    """Where they listen, without TLS, for the proxy; None: on loopback."""
    port: Port = numbering.ANSWERS_PORT
    proxy: Address | None = None
    """The TLS proxy, whose word (X-Forwarded-For) on who asks is believed."""
    tell: bool = False
    """Whether anybody may write a complaint or thanks on a page of its own, /tell."""
    days: Annotated[int, Field(ge=1, le=60)] = 14
    """How long a link may be used, if its follow-up waits so long."""


def netloc(address: str, port: int) -> str:
    """As an address bar and a Host header have it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def url(address: str, port: int, tls: bool = False) -> str:
    return f"{'https' if tls else 'http'}://{netloc(address, port)}"
