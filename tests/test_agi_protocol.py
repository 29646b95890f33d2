"""What Asterisk says on an AGI connection, and each way in which it surprises."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import agi
from ivr.agi import Environment, Event, Hangup, ProtocolError, Reply, Wire

GREETING = (
    b"agi_network: yes\nagi_network_script: 3f2a/inbound\nagi_request: agi://127.0.30.1:4573/3f2a/inbound\n"
    b"agi_channel: PJSIP/lucia-00000001\nagi_language: es\nagi_uniqueid: n1-1795647600.7\n"
    b"agi_callerid: +573015550101\nagi_calleridname: unknown\nagi_callingpres: 0\n\n"
)


def greeted() -> Wire:
    wire = Wire()
    (event,) = wire.feed(GREETING)
    assert isinstance(event, Environment)
    return wire


def hear(said: bytes, wire: Wire | None = None) -> list[Event]:
    """The events of what Asterisk says after one command."""
    wire = wire or greeted()
    wire.sending(agi.noop())
    return wire.feed(said)


# ── The environment ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_environment_ends_with_an_empty_line() -> None:
    wire = Wire()
    assert wire.feed(GREETING[:-1]) == []
    (environment,) = wire.feed(b"\n")
    assert isinstance(environment, Environment)
    assert environment.variables["agi_uniqueid"] == "n1-1795647600.7"
    assert environment.variables["agi_request"] == "agi://127.0.30.1:4573/3f2a/inbound"  # with its colons


def test_of_a_variable_that_comes_twice_the_first_counts() -> None:
    """A caller's name with a line end in it must not name another script."""
    (environment,) = Wire().feed(b"agi_network_script: 3f2a/inbound\nagi_network_script: other\n\n")
    assert isinstance(environment, Environment)
    assert environment.variables["agi_network_script"] == "3f2a/inbound"


def test_a_name_in_another_encoding_is_harmless() -> None:
    (environment,) = Wire().feed(b"agi_calleridname: Jos\xe9 \xff\xfe\n\n")
    assert isinstance(environment, Environment)
    assert environment.variables["agi_calleridname"] == "Jos\ufffd \ufffd\ufffd"


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\n",
        b"agi_network yes\n",
        b"agi_x: " + b"x" * agi.MOST_LINE + b"\n",
        b"x" * (agi.MOST_LINE + 1),  # no line end at all
        b"agi_x: " + b"x" * 1000 + b"\n" + b"agi_y: y\n" * 2000,
    ],
)
def test_a_client_that_is_not_asterisk_is_an_error(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        Wire().feed(said)


def test_an_error_repeats_nothing_of_what_came() -> None:
    with pytest.raises(ProtocolError) as refused:
        Wire().feed(b"Lucia 1980-02-29\n")
    assert "Lucia" not in str(refused.value)


# ── Replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (b"200 result=0\n", Reply(200, "0")),
        (b"200 result=1\r\n", Reply(200, "1")),
        (b"200 result=-1\n", Reply(200, "-1")),
        (b"200 result=50 endpos=16640\n", Reply(200, "50", endpos=16640)),
        (b"200 result=1 (queue)\n", Reply(200, "1", "queue")),
        (b"200 result=1 ()\n", Reply(200, "1", "")),
        (b"200 result=1 (a (b) c)\n", Reply(200, "1", "a (b) c")),
        (b"200 result=1 (x) endpos=5)\n", Reply(200, "1", "x) endpos=5")),  # a value that looks like more
        (b"200 result=0 (timeout) endpos=8000\n", Reply(200, "0", "timeout", 8000)),
        (b"200 result= (timeout)\n", Reply(200, "", "timeout")),
        (b"200 result=12 (timeout)\n", Reply(200, "12", "timeout")),
        (b"200 result=1 (Jos\xe9)\n", Reply(200, "1", "Jos\ufffd")),
        (b"510 Invalid or unknown command\n", Reply(510)),
        (b"511 Command Not Permitted on a dead channel or intercept routine\n", Reply(511)),
        (b"520 Invalid command syntax.  Proper usage not available.\n", Reply(520)),
    ],
)
def test_a_reply(said: bytes, reply: Reply) -> None:
    assert hear(said) == [reply]


def test_a_timeout_and_a_dead_channel_are_named() -> None:
    (timeout,) = hear(b"200 result= (timeout)\n")
    (dead,) = hear(b"511 Command Not Permitted on a dead channel or intercept routine\n")
    assert isinstance(timeout, Reply) and (timeout.result, timeout.data) == ("", "timeout") and not timeout.dead
    assert isinstance(dead, Reply) and dead.dead


def test_520_has_several_lines_and_none_of_them_is_an_event() -> None:
    usage = (
        b"520-Invalid command syntax.  Proper usage follows:\nUsage: HANGUP [<channelname>]\n"
        b"HANGUP\n200 result=1\n\n520 End of proper usage.\n"
    )
    assert hear(usage) == [Reply(520)]


def test_100_is_wait() -> None:
    assert hear(b"100 result=0 Trying...\n200 result=0\n") == [Reply(200, "0")]


def test_a_value_with_a_line_end_in_it_is_one_reply() -> None:
    wire = greeted()
    assert hear(b"200 result=1 (first\nHANGUP\nsecond)\n", wire) == [Reply(200, "1", "first\nHANGUP\nsecond")]
    assert hear(b"200 result=0\n", wire) == [Reply(200, "0")]


@pytest.mark.parametrize("said", [b"520-Usage\n" + b"\n" * agi.MOST_LINE, b"200 result=1 (" + b"x\n" * agi.MOST_LINE])
def test_a_reply_of_several_lines_is_bounded(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        hear(said)


@pytest.mark.parametrize("said", [b"what?\n", b"200\n", b"200 \n", b"20 result=1\n"])
def test_what_is_no_reply_is_an_error(said: bytes) -> None:
    with pytest.raises(ProtocolError):
        hear(said)


def test_a_reply_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(ProtocolError):
        greeted().feed(b"200 result=1\n")


# ── The hang-up ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hang_up_during_a_prompt() -> None:
    """The pending command returns -1, then a bare HANGUP comes before the next reply."""
    wire = greeted()
    assert hear(b"200 result=-1 endpos=4000\n", wire) == [Reply(200, "-1", endpos=4000)]
    assert hear(b"HANGUP\n200 result=1\n", wire) == [Hangup(), Reply(200, "1")]


def test_a_hang_up_between_two_commands() -> None:
    assert greeted().feed(b"HANGUP\n") == [Hangup()]


# ── Any split ───────────────────────────────────────────────────────────────────────────────────────────────────────

CONVERSATION = [
    GREETING.replace(b"unknown", "Lucía 李".encode()),
    b"200 result=1\n",
    b"100 result=0 Trying...\n200 result=1 (a\nb)\n",
    b"520-Invalid command syntax.\nHANGUP\n520 End of proper usage.\n",
    b"HANGUP\n200 result=50 endpos=16640\n",
    b"511 Command Not Permitted on a dead channel or intercept routine\n",
]


def events_of(conversation: Iterable[Iterable[bytes]]) -> list[Event]:
    wire = Wire()
    heard: list[Event] = []
    for number, pieces in enumerate(conversation):
        if number:
            wire.sending(agi.noop())
        for piece in pieces:
            heard += wire.feed(piece)
    return heard


@given(st.lists(st.lists(st.integers(0, 400), max_size=6), min_size=len(CONVERSATION), max_size=len(CONVERSATION)))
def test_any_split_of_the_bytes_gives_the_same_events(cuts: list[list[int]]) -> None:
    pieces = []
    for said, places in zip(CONVERSATION, cuts, strict=True):
        ends = sorted({min(place, len(said)) for place in places} | {0, len(said)})
        pieces.append([said[a:b] for a, b in pairwise(ends)])
    assert events_of(pieces) == events_of([said] for said in CONVERSATION)


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_raise_our_error(noise: bytes) -> None:
    for wire in (Wire(), greeted()):
        try:
            wire.feed(noise)
        except ProtocolError as refused:
            assert str(refused)


# ── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def unquoted(line: str) -> list[str]:
    """How res_agi.c's parse_args reads a line: quotes, backslash, blanks."""
    arguments, current, quoted, escaped, begun = [], "", False, False, False
    for character in line:
        if escaped:
            current, escaped = current + character, False
        elif character == "\\":
            escaped = begun = True
        elif character == '"':
            quoted, begun = not quoted, True
        elif character in " \t" and not quoted:
            if begun:
                arguments.append(current)
            current, begun = "", False
        else:
            current, begun = current + character, True
    return [*arguments, current] if begun else arguments


@given(st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=("Cs",)), max_size=400))
def test_asterisk_reads_an_argument_as_it_was_given(value: str) -> None:
    sent = agi.set_variable("HL_QUEUE", value).line.decode()
    assert sent.endswith("\n") and sent.count("\n") == 1
    assert unquoted(sent[:-1]) == ["SET", "VARIABLE", "HL_QUEUE", value]


def test_what_the_commands_look_like() -> None:
    assert agi.stream_file("/hotline/sounds/cache/aa/b", "0123456789*#").line == (
        b'STREAM FILE "/hotline/sounds/cache/aa/b" "0123456789*#" "0"\n'
    )
    assert agi.wait_for_digit(7.0).line == b'WAIT FOR DIGIT "7000"\n'
    assert agi.set_variable("CHANNEL(language)", 'a "b" \\').line == (
        b'SET VARIABLE "CHANNEL(language)" "a \\"b\\" \\\\"\n'
    )
    assert agi.wait_for_digit(7.0).may_take_s == 12.0  # it knows how long it may take


@pytest.mark.parametrize("evil", ["a\nHANGUP", "a\rHANGUP", "a\0b"])
@pytest.mark.covers("I7")
def test_a_second_command_in_an_argument_is_refused(evil: str) -> None:
    with pytest.raises(ValueError) as refused:
        agi.set_variable("HL_QUEUE", evil)
    assert evil not in str(refused.value)


def test_a_command_longer_than_asterisk_reads_is_refused() -> None:
    room = agi.MOST_COMMAND - len(agi.set_variable("HL_QUEUE", "").line)
    assert len(agi.set_variable("HL_QUEUE", "é" * (room // 2)).line) <= agi.MOST_COMMAND
    with pytest.raises(ValueError):
        agi.set_variable("HL_QUEUE", "x" * (room + 1))


def test_a_verb_is_not_data() -> None:
    with pytest.raises(ValueError):
        agi.command("NOOP\nHANGUP")


def test_a_second_command_while_one_is_under_way_is_refused() -> None:
    """Asterisk would abort the first one and never answer it."""
    wire = greeted()
    wire.sending(agi.noop())
    with pytest.raises(RuntimeError):
        wire.sending(agi.noop())
    wire.feed(b"200 result=0\n")
    wire.sending(agi.noop())


@pytest.mark.parametrize(
    ("result", "key"),
    [("50", "2"), ("42", "*"), ("35", "#"), ("0", None), ("-1", None), ("65", None), ("1", None), ("", None)],
)
def test_a_key_is_its_ascii_code(result: str, key: str | None) -> None:
    assert agi.key_pressed(Reply(200, result)) == key
