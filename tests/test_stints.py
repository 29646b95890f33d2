"""One call after the other: what a nurse does follows from her newest call. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from hospital.stint_records import Stint
from hospital.stints import standing
from tests.moments import NOON

MINUTE = timedelta(minutes=1)


@dataclass
class Call:
    """What `standing` reads of an attempt."""

    state: str = "ended"
    line_result: str | None = "answered"
    contact_result: str | None = None
    ended_at: datetime | None = NOON
    handed_at: datetime | None = None


RINGS, TALKS = Call("dialling", None, None, None), Call("talking", None, None, None)
BUSY, DONE = Call(line_result="busy"), Call(contact_result="completed")


@pytest.mark.parametrize(
    ("stint", "call", "seconds", "code"),
    [
        ({"state": "ringing"}, None, 0, "ringing"),
        ({}, None, 0, "free"),
        ({"paused": True}, None, 0, "paused"),
        ({}, Call("claimed", None, None, None), 0, "dialling"),
        ({}, RINGS, 0, "dialling"),
        ({"paused": True}, RINGS, 0, "dialling"),
        ({}, TALKS, 0, "talking"),
        ({"paused": True}, TALKS, 0, "talking"),
        ({}, BUSY, 0, "free"),
        ({"paused": True}, BUSY, 0, "paused"),
        ({}, Call("review", None, None, None), 0, "free"),
        ({}, Call(contact_result="abandoned"), 0, "free"),
        ({}, Call(), 0, "outcome"),
        ({}, Call(), 3600, "outcome"),
        ({"ready": True}, Call(), 3600, "outcome"),
        ({}, DONE, 59, "wrap_up"),
        ({}, DONE, 60, "free"),
        ({"more_s": 60}, DONE, 119, "wrap_up"),
        ({"more_s": 60}, DONE, 120, "free"),
        ({"ready": True}, DONE, 1, "free"),
        ({"paused": True}, DONE, 59, "wrap_up"),
        ({"paused": True}, DONE, 60, "paused"),
        ({"state": "over"}, DONE, 0, "over"),
    ],
)
def test_what_she_does(stint: dict[str, Any], call: Call | None, seconds: int, code: str) -> None:
    hers = Stint(**{"state": "up", "paused": False, "ready": False, "more_s": 0, **stint})
    found = standing(hers, cast("Any", call), MINUTE, NOON + timedelta(seconds=seconds))
    assert found.code == code
    assert (found.until is not None) == (code == "wrap_up")
