"""Settings of a plan's other channels: questions by text message, letters and video calls."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from hotline.caller_settings import Frozen

ROOM = "{room}"


def _rooms(value: str) -> str:
    """An address that a browser opens and that leaks to nobody: https, our placeholder once, no password in it."""
    wrong = ValueError(
        'allowed: an https address with {room} once in its path, such as "https://video.example.org/{room}"'
    )
    if value.count(ROOM) != 1 or re.search(r"[{}\s\"'<>\\^`|\x00-\x20\x7f-\uffff]", value.replace(ROOM, "")):
        raise wrong
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or ROOM in parts.netloc:
        raise wrong
    return value


RoomAddress = Annotated[str, Field(max_length=200), AfterValidator(_rooms)]
Line = Annotated[str, Field(min_length=1, max_length=80)]


class Texting(Frozen):
    """Questions that are answered by replying to a text message, where a number of ours receives."""

    answer_hours: Annotated[int, Field(ge=1, le=168)] = 24
    """How long a question waits for its reply; then the plan's next channel."""
    also: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")], ...] = ()
    """Questionnaires that are asked so although they do not say `byText`; clinical ones begin with the birth date."""


class Letters(Frozen):
    """Steps of a plan that are letters. Without a sender none is written."""

    sender: Annotated[tuple[Line, ...], Field(max_length=4)] = ()
    """The hospital's address, in lines: what cannot be delivered comes back to it."""
    answer_days: Annotated[int, Field(ge=3, le=60)] = 14
    """How long a letter that was posted waits for an answer; then its next channel."""
    paper: Literal["A4", "letter"] | None = None
    """None: as in the site's country."""


class Video(Frozen):
    """Steps of a plan that are video calls, in a service of the site's own. Without its address there are none."""

    url: RoomAddress | None = None
    notice_minutes: Annotated[int, Field(ge=15, le=1440)] = 60
    """So long before the video call the patient is told of it."""
    wait_minutes: Annotated[int, Field(ge=10, le=240)] = 30
    """So long after its time it may still begin; then its next channel."""
