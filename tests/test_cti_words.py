"""From Asterisk's words to ours, without an Asterisk: the tables, one row at a time."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti.ami import AmiEvent
from cti.events import (
    AgentMissed,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    OriginateFailed,
)
from cti.line_results import LineResult, line_result, never_began
from cti.live import LiveCalls
from cti.telephone import asterisk_pattern
from cti.translation import TABLE, moment, sip_username

# Cause and TechCause of the Hangup of each failed dial, as measured on Asterisk 22; result without and with ringing.
MEASURED = [
    (17, 486, "busy", "busy"),
    (17, 600, "busy", "busy"),
    (1, 404, "invalid_number", "invalid_number"),
    (1, 604, "invalid_number", "invalid_number"),
    (22, 410, "invalid_number", "invalid_number"),
    (28, 484, "invalid_number", "invalid_number"),
    (19, 480, "unreachable", "no_answer"),
    (18, 408, "unreachable", "no_answer"),
    (21, 603, "rejected", "rejected"),
    (21, 403, "network_failure", "rejected"),
    (34, 503, "network_failure", "network_failure"),
    (38, 500, "network_failure", "network_failure"),
    (58, 488, "network_failure", "network_failure"),
    (58, 606, "network_failure", "network_failure"),
    (127, 487, "network_failure", "no_answer"),
    (0, None, "network_failure", "no_answer"),  # Dial()'s own time-out
    (3, None, "unreachable", "unreachable"),  # not registered
    (26, None, "cancelled", "cancelled"),  # taken by another phone
    (99, None, "network_failure", "network_failure"),
]


@pytest.mark.covers("H18")
@pytest.mark.parametrize(("cause", "sip", "silent", "rang"), MEASURED)
def test_the_line_result_of_each_cause(cause: int, sip: int | None, silent: str, rang: str) -> None:
    assert line_result(cause, sip, rang=False) == silent
    assert line_result(cause, sip, rang=True) == rang
    assert line_result(cause, sip, rang=True, answered=True) == "answered"
    assert line_result(cause, sip, rang=True, cancelled=True) == "cancelled"
    assert line_result(cause, sip, rang=True, timed_out=True) == "no_answer"
    assert line_result(cause, sip, rang=False, timed_out=True) == "network_failure"
    assert line_result(cause, sip, rang=True, answered=True, heard=LineResult.MACHINE) == "machine"
    assert line_result(cause, sip, rang=True, answered=True, heard=LineResult.FAX) == "fax"


def test_the_schemas_line_results_are_ours() -> None:
    schema = (Path(__file__).parent.parent / "schema.sql").read_text()
    listed = re.search(r"CHECK \(line_result IN \(([^)]*)\)", schema)
    assert listed is not None
    assert set(re.findall(r"'(\w+)'", listed[1])) >= {result.value for result in LineResult}


def test_no_leg_is_our_fault_over_a_trunk_and_the_phones_without() -> None:
    assert (never_began(over_trunk=True), never_began(over_trunk=False)) == ("network_failure", "unreachable")


def leg(name: str, state: str = "Down", **more: str) -> AmiEvent:
    fields = {"Uniqueid": "leg", "Linkedid": "call", "Channel": "PJSIP/joao-00000001", "ChannelStateDesc": state}
    return AmiEvent(name, {**fields, "Timestamp": "1795600000.25", **more})


def test_a_legs_life_in_our_words() -> None:
    live = LiveCalls()
    at = datetime.fromtimestamp(1795600000.25, UTC)
    assert live.hear(leg("Newchannel")) == []
    assert live.hear(leg("Newstate", "Ringing")) == [LegRinging(at, "call", "leg", "PJSIP/joao-00000001")]
    assert live.hear(leg("Newstate", "Up", Linkedid="ana")) == [LegAnswered(at, "ana", "leg", "PJSIP/joao-00000001")]
    assert live.hear(leg("Rename", Channel="PJSIP/joao-00000001", Newname="PJSIP/joao-00000001<MASQ>")) == []
    assert live.channel("leg") == "PJSIP/joao-00000001<MASQ>"
    (ended,) = live.hear(leg("Hangup", "Up", Cause="16", Linkedid="ana"))
    assert isinstance(ended, LegEnded)
    assert (ended.call_id, ended.line_result, ended.rang, ended.answered) == ("ana", "answered", True, True)
    assert live.channel("leg") is None
    assert live.seen("leg")


def test_a_leg_that_rang_while_nobody_listened_is_told_before_its_end() -> None:
    live = LiveCalls()
    told = live.hear(leg("Hangup", "Ringing", Cause="17", TechCause="486"))
    assert [type(event) for event in told] == [LegRinging, LegEnded]


def test_an_originate_without_a_leg_is_told_once_and_one_with_a_leg_is_not() -> None:
    live = LiveCalls()
    failure = AmiEvent("OriginateResponse", {"Response": "Failure", "Uniqueid": "leg", "Reason": "0"})
    assert live.hear(failure) == []
    live.expect("leg", over_trunk=True, timeout=5)
    failed = live.failed(failure)
    assert isinstance(failed, OriginateFailed)
    assert failed.line_result == "network_failure"
    live.hear(leg("Newchannel"))
    assert live.failed(failure) is None
    live.hear(leg("Hangup", Cause="17", TechCause="486"))
    assert live.failed(failure) is None


def test_what_is_remembered_of_ended_legs_has_a_limit() -> None:
    live = LiveCalls()
    for n in range(6000):
        live.expect(f"d{n}", over_trunk=False, timeout=1)
        live.hear(leg("Newchannel", Uniqueid=f"n{n}"))
        live.hear(leg("Hangup", Uniqueid=f"n{n}", Cause="16"))
    assert live.legs() == []
    assert (len(live._ended), len(live._dialled)) == (5000, 5000)


@pytest.mark.parametrize(
    ("name", "fields", "kind"),
    [
        ("Newstate", {"ChannelStateDesc": "Up"}, LegAnswered),
        ("Newstate", {"ChannelStateDesc": "Ring"}, None),
        ("Newstate", {"ChannelStateDesc": "Up", "Channel": "Local/600@hotline-00000001;2"}, None),
    ],
)
def test_events_that_depend_on_a_field(name: str, fields: dict[str, str], kind: type[Event] | None) -> None:
    event = TABLE[name](leg(name, **fields) if "ChannelStateDesc" not in fields else leg(name, "", **fields))
    assert (type(event) if event else None) == kind


def test_no_field_of_an_event_holds_the_callers_name_or_number() -> None:
    canary = dict.fromkeys(("CallerIDNum", "CallerIDName", "ConnectedLineNum", "DestCallerIDName", "Exten"), "CANARY")
    for name in TABLE:
        event = TABLE[name](leg(name, "Ringing", Interface="PJSIP/ana", DestChannel="PJSIP/ana-00000002", **canary))
        assert "CANARY" not in repr(event)


def test_times_and_missing_fields() -> None:
    assert moment(AmiEvent("X", {"Timestamp": "1795600000.5"})) == datetime.fromtimestamp(1795600000.5, UTC)
    assert (datetime.now(UTC) - moment(AmiEvent("X", {"Timestamp": "soon"}))).total_seconds() < 5
    missed = TABLE["AgentRingNoAnswer"](AmiEvent("AgentRingNoAnswer", {"Interface": "PJSIP/ana"}))
    assert isinstance(missed, AgentMissed)
    assert (missed.sip_username, missed.call_id) == ("ana", "")


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("PJSIP/ana-0000001f", "ana"),
        ("PJSIP/ana", "ana"),
        ("PJSIP/night-nurse-0000001f", "night-nurse"),
        ("PJSIP/night-nurse", "night-nurse"),
        ("Local/600@hotline-00000001;2", ""),
        ("PJSIP/+573010000000@trunk", ""),
        ("", ""),
    ],
)
def test_whose_phone_a_channel_is(channel: str, name: str) -> None:
    assert sip_username(channel) == name


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("_+57XXXXXXXXXX", "+573015550101", "+57301555010"),
        ("_0X.", "0123", "0"),
        ("_[2-4]ZN!", "212", "512"),
        ("112", "112", "1123"),
        ("_+1NXX5550[0-1]XX", "+12025550105", "+12025550205"),
    ],
)
def test_asterisks_patterns(pattern: str, yes: str, no: str) -> None:
    assert asterisk_pattern(pattern).fullmatch(yes)
    assert not asterisk_pattern(pattern).fullmatch(no)


@pytest.mark.covers("H10", "I9")
def test_a_whole_queue_call_as_asterisk_told_it_in_our_words() -> None:
    """tests/captures/queue_call.ami: Lucía is put into the queue `nurses`, Ana answers, Lucía hangs up."""
    live, told = LiveCalls(), []
    for message in (Path(__file__).parent / "captures" / "queue_call.ami").read_text().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in message.splitlines() if ": " in line)
        if fields:
            told += live.hear(AmiEvent(fields["Event"], fields))
    assert [type(event).__name__ for event in told] == [
        "LegRinging",
        "LegAnswered",
        "CallerQueued",
        "AgentRinging",
        "LegRinging",
        "LegAnswered",
        "CallerLeftQueue",
        "AgentAnswered",
        "TalkEnded",
        "LegEnded",
        "LegEnded",
    ]
    calls = {event.call_id for event in told if hasattr(event, "call_id")}
    assert len(calls) == 1
    assert {event.sip_username for event in told if hasattr(event, "sip_username")} == {"ana"}
    assert live.legs() == []
