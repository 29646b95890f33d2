"""Our reading of AGI beside pyst2's: where both agree, and where hers is the reason for ours."""

import socket

import pytest

from ivr import agi
from tests.pyst2_peer import Pyst2Script, pyst2_on
from tests.simulated_asterisk import environment

GREETING = environment("127.0.30.1", "3f2a/inbound")


def pyst2_hears(said: bytes, greeting: bytes = GREETING) -> tuple[str, str] | str:
    """What pyst2 makes of a reply; the name of an exception if it makes that."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(greeting + said)
        ours.shutdown(socket.SHUT_WR)
        return pyst2_on(theirs).reply("NOOP")


def we_hear(said: bytes) -> tuple[str, str] | None:
    wire = agi.Wire()
    wire.feed(GREETING)
    wire.sending(agi.noop())
    for event in wire.feed(said):
        if isinstance(event, agi.Reply):
            return event.result, event.data or ""
    return None


@pytest.mark.parametrize(
    "said",
    [
        b"200 result=0\n",
        b"200 result=1\n",
        b"200 result=1 (queue)\n",
        b"200 result=1 (two words)\n",
        b"200 result=50 endpos=16640\n",
        b"200 result=0 (timeout) endpos=8000\n",
        "200 result=1 (Lucía 李)\n".encode(),
        b"200 result=1 (a=b c)\n",
        b"200 result=1 (x) (y) endpos=5)\n",
        b"HANGUP\n200 result=1\n",  # kept from pyst2 by our subclass
    ],
)
def test_both_read_the_same(said: bytes) -> None:
    assert we_hear(said) == pyst2_hears(said)


def test_both_know_the_same_call() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(GREETING)
        script = pyst2_on(theirs)
    (known,) = agi.Wire().feed(GREETING)
    assert isinstance(known, agi.Environment)
    assert known.variables == script.env


@pytest.mark.parametrize(
    ("said", "ours", "hers"),
    [
        # HL_NEXT is `hangup` at each proper end: for pyst2 the caller has left.
        (b"200 result=1 (hangup)\n", ("1", "hangup"), "AGIResultHangup"),
        (b"200 result= (timeout)\n", ("", "timeout"), ("", "")),
        (b"100 result=0 Trying...\n200 result=1\n", ("1", ""), "AGIUnknownError"),
        (b"200 result=1 (first\nsecond)\n", ("1", "first\nsecond"), ("1", "")),
        (b"200 result=1 (Jos\xe9)\n", ("1", "Jos\ufffd"), "UnicodeDecodeError"),
        (b"200 result=-1\n", ("-1", ""), "AGIAppError"),
    ],
)
def test_where_they_differ(said: bytes, ours: tuple[str, str], hers: tuple[str, str] | str) -> None:
    assert we_hear(said) == ours
    assert pyst2_hears(said) == hers != ours


def test_pyst2_quotes_nothing() -> None:
    """What a caller's data would do in its commands, and why they are not ours."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(GREETING + b"200 result=1\n")
        script: Pyst2Script = pyst2_on(theirs)
        script.set_variable("HL_NOTE", 'x"\nHANGUP')
        assert ours.recv(1000).splitlines()[1] == b'HANGUP"'
    with pytest.raises(ValueError):
        agi.set_variable("HL_NOTE", 'x"\nHANGUP')
