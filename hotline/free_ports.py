"""What the house listens on must be free: found before anything starts, and said with what to do."""

import errno
import socket

from hotline import numbering
from hotline.cannot_start import CannotStart
from hotline.settings import Settings


def check(settings: Settings) -> None:
    """Raises CannotStart, which names what can't be used."""
    pages = {
        "console": (settings.web.bind, settings.web.port),
        "answers": (settings.answers_bind, settings.answers.port),
    }
    for name, (port, kind, _) in numbering.PORTS.items():
        if name == "AudioSocket" and not settings.listens:
            continue
        if name == "answers" and settings.answers_url is None:
            continue
        address, port = pages.get(name, (settings.address, port))
        address = settings.audio_address if name == "AudioSocket" else address
        try:
            _take_and_leave(address, port, kind)
        except OSError as error:
            raise CannotStart(f"{address} port {port}/{kind} ({name}) can't be used: {_why(error)}") from error


def _take_and_leave(address: str, port: int, kind: str) -> None:
    """`kind`: udp or tcp. Raises OSError where it cannot be listened on."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as probe:
        if kind == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # as asyncio's servers have it: `::` is not 0.0.0.0, too
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        probe.bind((address, port))


def _why(error: OSError) -> str:
    settings = "HOTLINE_ADDRESS, HOTLINE_WEB__BIND, HOTLINE_WEB__PORT, HOTLINE_ANSWERS__BIND, HOTLINE_ANSWERS__PORT"
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return (
            f"{error.strerror}. This machine hasn't got this address (`ip address`): set one of its own ({settings})."
        )
    return (
        f"{error.strerror}. Is a hotline running already (`hotline status`)? Otherwise end the program that has it "
        f"(`ss -lnp`), or set another address ({settings})."
    )
