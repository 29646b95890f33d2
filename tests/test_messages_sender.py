"""Lucía's confirmation goes out once, whatever breaks off, and neither its text nor her number is in a log."""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.gateway import FateUnknown, Gateway, Outgoing, Receipt, Refused, TryLater, masked
from messages.gateways.file import FileGateway
from messages.sender import Sender, plain

LUCIA = "+34600111222"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CLAIM = timedelta(minutes=2)


@dataclass(frozen=True)
class Row:
    id: UUID
    key: str = "appointment_confirmed"
    locale: str = "es"
    params: Mapping[str, Any] = field(default_factory=lambda: {"when": "lunes 23 a las 9:20"})
    number: str = LUCIA
    again: bool = False
    state: str = "queued"
    due_at: datetime = NOON
    code: str | None = None
    reference: str | None = None


class House:
    """An outbox in memory with the rules of the table, a clock, a file to send to. `dies_before_marking` is what a
    killed process leaves: the message is out, the row isn't settled."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "outbox" / "sent.jsonl"
        self.at = NOON
        self.rows: dict[UUID, Row] = {}
        self.dies_before_marking = False

    def queue(self, **given: Any) -> UUID:
        row = Row(uuid4(), **given)
        self.rows[row.id] = row
        return row.id

    async def claim(self, at: datetime) -> Row | None:
        for row in self.rows.values():
            if row.state in ("queued", "sending") and row.due_at <= at:
                claimed = replace(row, state="sending", again=row.state == "sending", due_at=at + CLAIM)
                self.rows[row.id] = claimed
                return claimed
        return None

    async def sent(self, message_id: UUID, reference: str, at: datetime) -> None:
        if self.dies_before_marking:
            raise Killed
        self.rows[message_id] = replace(self.rows[message_id], state="sent", reference=reference)

    async def not_sent(self, message_id: UUID, code: str, at: datetime, *, final: bool) -> None:
        state = "failed" if final else "queued"
        self.rows[message_id] = replace(self.rows[message_id], state=state, code=code, due_at=at + CLAIM)

    def sender(self, gateway: Gateway | None = None, text: str = "Hospital: su cita es {when}.") -> Sender:
        """As a process that has just started has it."""
        gateway = gateway or FileGateway(self.path, lambda: self.at)
        return Sender(self, gateway, lambda key, locale, params: text.format(**params), lambda: self.at)

    def sent_lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.path.read_text().splitlines() if line.endswith("}")]

    def state(self, message_id: UUID) -> tuple[str, str | None]:
        return self.rows[message_id].state, self.rows[message_id].code


class Killed(BaseException):
    """kill -9."""


class Scripted:
    """A gateway that does what it is told, in order; `took` counts what it was handed."""

    name = "scripted"

    def __init__(self, *does: Exception | Receipt, knows_ids: bool = False) -> None:
        self.does, self.took, self.knows_ids = list(does), 0, knows_ids

    async def send(self, message: Outgoing) -> Receipt:
        self.took += 1
        does = self.does.pop(0)
        if isinstance(does, Exception):
            raise does
        return does


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_lucias_confirmation_is_rendered_and_written(house: House) -> None:
    message_id = house.queue()
    assert await house.sender().send_due() == 1
    assert house.state(message_id) == ("sent", None)
    assert house.sent_lines() == [
        {
            "id": str(message_id),
            "at": NOON.isoformat(),
            "to": LUCIA,
            "text": "Hospital: su cita es lunes 23 a las 9:20.",
        }
    ]
    assert house.path.stat().st_mode & 0o777 == 0o600
    assert house.path.parent.stat().st_mode & 0o777 == 0o700
    assert await house.sender().send_due() == 0, "nothing is due any more"


async def test_a_crash_between_sending_and_marking_never_doubles(house: House) -> None:
    message_id = house.queue()
    house.dies_before_marking = True
    with pytest.raises(Killed):
        await house.sender().send_due()
    assert house.state(message_id) == ("sending", None)
    assert await house.sender().send_due() == 0, "it is claimed by somebody who may still be alive"
    house.dies_before_marking, house.at = False, NOON + CLAIM
    assert await house.sender().send_due() == 1
    assert house.state(message_id) == ("sent", None)
    assert len(house.sent_lines()) == 1


async def test_a_gateway_that_knows_no_ids_is_not_asked_twice(house: House) -> None:
    message_id = house.queue()
    house.dies_before_marking = True
    gateway = Scripted(Receipt("SM1"), Receipt("SM2"))
    with pytest.raises(Killed):
        await house.sender(gateway).send_due()
    house.dies_before_marking, house.at = False, NOON + CLAIM
    await house.sender(gateway).send_due()
    assert (gateway.took, house.state(message_id)) == (1, ("failed", "fate_unknown"))


async def test_what_a_gateway_says_becomes_of_a_message(house: House) -> None:
    later, never, unknown, well = (house.queue() for _ in range(4))
    gateway = Scripted(
        TryLater("too_many", "wait"), Refused("opted_out", "call"), FateUnknown("fate_unknown", "look"), Receipt("SM7")
    )
    assert await house.sender(gateway).send_due() == 4
    assert house.state(later) == ("queued", "too_many")
    assert house.state(never) == ("failed", "opted_out")
    assert house.state(unknown) == ("failed", "fate_unknown")
    assert house.rows[well].reference == "SM7"
    gateway.does, house.at = [Receipt("SM8")], NOON + CLAIM
    assert await house.sender(gateway).send_due() == 1
    assert house.state(later)[0] == "sent"


@pytest.mark.parametrize(
    ("given_number", "text", "code"),
    [
        ("600111222", "x", "bad_number"),
        ("+34600111222\nBcc: all", "x", "bad_number"),
        ("+٣٤٦٠٠١١١٢٢٢", "x", "bad_number"),
        ("", "x", "bad_number"),
        (LUCIA, "{missing}", "wording"),
        (LUCIA, "{when.secret}", "wording"),
        (LUCIA, "", "length"),
        (LUCIA, "\0\x1b\u202e", "length"),
        (LUCIA, "a" * 1601, "length"),
    ],
)
async def test_one_bad_row_is_given_up_and_stops_no_other(
    house: House, given_number: str, text: str, code: str
) -> None:
    bad = house.queue(number=given_number)
    await house.sender(text=text).send_due()
    good = house.queue()
    await house.sender().send_due()
    assert house.state(bad) == ("failed", code)
    assert house.state(good)[0] == "sent"


@pytest.mark.covers("I7")
async def test_neither_text_nor_number_is_in_a_log(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for does in (Receipt("r"), TryLater("later", "wait"), Refused("no", "call"), FateUnknown("unknown", "look")):
        house.queue(params={"when": "CANARY"})
        await house.sender(Scripted(does)).send_due(most=1)
    house.queue(params={"when": "CANARY"}, number="CANARY 600111222")
    await house.sender().send_due(most=1)
    house.queue(params={"CANARY": "CANARY"})
    await house.sender(text="{when} {CANARY.x}").send_due(most=1)
    assert len(caplog.records) == 6
    assert "CANARY" not in caplog.text
    assert "600111" not in caplog.text


def test_a_message_shown_in_a_debugger_is_masked() -> None:
    shown = repr(Outgoing(UUID(int=7), LUCIA, "CANARY"))
    assert shown == f"Outgoing({UUID(int=7)}, to +34…22, 6 characters)"
    assert masked("+34") == "…"


def test_hostile_text_is_made_plain() -> None:
    assert plain("Su cita\r\n a las 9:20\x00\x07\x1b[31m") == "Su cita\n a las 9:20[31m"
    assert plain("Mei \u202e02:9 sal a\u202c") == "Mei 02:9 sal a"
    assert plain("Luci\u0301a \ud800") == "Lucía"
    assert plain("👩‍⚕️ 预约 Māori") == "👩‍⚕️ 预约 Māori", "joined emoji and other scripts stay as they are"


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_encoded_once_it_is_plain(text: str) -> None:
    assert plain(text).encode().decode() == plain(plain(text))


async def test_the_file_keeps_hostile_text_on_one_line(house: House) -> None:
    gateway = FileGateway(house.path, lambda: NOON)
    text = '"},\n{"id": "forged"} \u2028 ${x} <script> \ud800 "'
    await gateway.send(Outgoing(UUID(int=1), LUCIA, text))
    (line,) = house.path.read_bytes().decode().removesuffix("\n").split("\n")
    assert json.loads(line)["text"] == text.replace("\ud800", "?")


async def test_a_line_that_a_crash_cut_short_is_written_again(house: House) -> None:
    gateway = FileGateway(house.path, lambda: NOON)
    await gateway.send(Outgoing(UUID(int=1), LUCIA, "one"))
    await gateway.send(Outgoing(UUID(int=2), LUCIA, "two"))
    os.truncate(house.path, house.path.stat().st_size - 10)
    for number in (1, 2, 3):
        await FileGateway(house.path, lambda: NOON).send(Outgoing(UUID(int=number), LUCIA, "again"))
    assert [line["id"] for line in house.sent_lines()] == [str(UUID(int=number)) for number in (1, 2, 3)]


async def test_a_line_that_lacks_only_its_end_counts(house: House) -> None:
    await FileGateway(house.path, lambda: NOON).send(Outgoing(UUID(int=1), LUCIA, "one"))
    os.truncate(house.path, house.path.stat().st_size - 1)
    for number in (1, 2):
        await FileGateway(house.path, lambda: NOON).send(Outgoing(UUID(int=number), LUCIA, "again"))
    assert [line["text"] for line in house.sent_lines()] == ["one", "again"]


async def test_two_processes_write_a_message_once(house: House) -> None:
    first, second = FileGateway(house.path, lambda: NOON), FileGateway(house.path, lambda: NOON)
    for gateway in (first, second, first, second):
        await gateway.send(Outgoing(UUID(int=1), LUCIA, "one"))
    await second.send(Outgoing(UUID(int=2), LUCIA, "two"))
    await first.send(Outgoing(UUID(int=2), LUCIA, "two"))
    assert [line["text"] for line in house.sent_lines()] == ["one", "two"]


async def test_a_file_that_was_moved_away_is_begun_anew(house: House) -> None:
    gateway = FileGateway(house.path, lambda: NOON)
    await gateway.send(Outgoing(UUID(int=1), LUCIA, "one"))
    house.path.rename(house.path.with_suffix(".old"))
    await gateway.send(Outgoing(UUID(int=2), LUCIA, "two"))
    assert [line["text"] for line in house.sent_lines()] == ["two"]


async def test_a_disc_that_cannot_be_written_to_is_for_later(house: House) -> None:
    house.path.parent.write_text("a file where the folder should be")
    message_id = house.queue()
    await house.sender().send_due()
    assert house.state(message_id) == ("queued", "gateway_down")
