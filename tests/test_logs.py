"""What is masked in every line of a log, and that the look for people in the logs finds them."""

import json
import logging
import sys
from pathlib import Path

import pytest

from hotline.logs import Masking, mask
from tests.canary import SOMEBODY, Canary
from tests.characters import LUCIA, PATIENTS, WIREMU, Character

pytestmark = pytest.mark.covers("I7")
NUMBER = LUCIA.numbers[0]


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        (f"no patient has {NUMBER}", "no patient has •••"),
        (f"no patient has {NUMBER}.", "no patient has •••."),
        (f"({NUMBER})", "(•••)"),
        (f"number={NUMBER},{WIREMU.numbers[0]}", "number=•••,•••"),
        (f"{NUMBER[1:]}-{NUMBER[3:]}", "•••-•••"),
        (f"Local/{NUMBER[1:]}@outside-00000001;2", "Local/•••@outside-00000001;2"),
        (f"PJSIP/{NUMBER[1:]}-00000001", "PJSIP/•••-00000001"),
        (f"sip:{NUMBER}@127.0.20.1:5060", "sip:•••@127.0.20.1:5060"),
        (f"caller_{NUMBER[1:]}_es", "caller_•••_es"),
        (f"of {LUCIA.birth_keys} and 5550101", "of ••• and •••"),
    ],
)
def test_a_number_is_masked_wherever_it_stands(line: str, masked: str) -> None:
    assert mask(line, ()) == masked
    assert not SOMEBODY.search(masked)


@pytest.mark.parametrize(
    "line",
    [
        "call n1-0123456789abcdef0123456789012345: booking begins",
        "attempt 12345678-1234-4234-8234-123456789012: called off",
        "channel n1-1732689000.1234567 left, and 1732689000.12",
        "2026-11-27 06:15:19,123 INFO ivr.server 127.0.20.1 port 5060",
        "12.3456789 s, 0x7f3a12345678, -00000001;2",
        "core/12345678abcd and abcd12345678",
    ],
)
def test_ids_and_times_stay(line: str) -> None:
    assert mask(line, ()) == line


def test_each_secret_is_masked_and_an_empty_one_masks_nothing() -> None:
    assert mask("agi://127.0.0.1/hush/booking, hush hush", ("hush", "")) == "agi://127.0.0.1/•••/booking, ••• •••"


def test_what_an_exception_quotes_is_masked() -> None:
    try:
        raise ValueError(f"{NUMBER} is no line of hush")
    except ValueError:
        record = logging.LogRecord("cti", logging.ERROR, __file__, 1, "a handler failed", None, sys.exc_info())
    told = Masking(("hush",)).format(record)
    assert told.endswith("ValueError: ••• is no line of •••")


@pytest.mark.parametrize("person", PATIENTS, ids=lambda person: person.sip)
def test_the_canary_knows_everybody_by_name_number_and_birth(person: Character, tmp_path: Path) -> None:
    log, canary = tmp_path / "core.log", Canary()
    first, _, last = person.name.partition(" ")
    number = person.numbers[-1]
    harmless = f"PJSIP/{person.sip}-00000001 rings\n"
    told = [
        *(f"{person.name!r} is called", f"{last}, whom", f"as {first.encode()!r}", json.dumps({"name": first})),
        *(f"to {number}.", f"Local/{number[1:]}@outside-1", f"0{number[3:]},", f"…{number[-7:-4]} {number[-4:]}"),
        *(f"typed {person.birth_keys}", f"born={person.birth}", f"{person.birth!r}"),
    ]
    log.write_text(harmless + "".join(f"{line}\n" for line in told))
    assert canary.finds([log]) == [f"core.log: {line}" for line in told]
    with log.open("a") as file:
        file.write(harmless + f"only what is new, as {first}")
    assert canary.finds([log]) == [], "a line counts when it has ended"
    with log.open("a") as file:
        file.write("\n")
    assert canary.finds([log]) == [f"core.log: only what is new, as {first}"]
