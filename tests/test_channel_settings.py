"""Settings of letters and video calls: what would leak, or lead nowhere, is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from hotline.channel_settings import Letters, Video

pytestmark = pytest.mark.covers("H25")


@pytest.mark.parametrize(
    "url",
    [
        "https://video.example.org/{room}",
        "https://video.example.org:8443/hospital-{room}#config.prejoin=true",
        "https://video.example.org/join?room={room}&lang=es",
    ],
)
def test_an_address_with_a_room_is_taken(url: str) -> None:
    assert Video(url=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://video.example.org/{room}",
        "https://video.example.org/",
        "https://video.example.org/{room}/{room}",
        "https://video.example.org/{room}/{patient}",
        "https://{room}.example.org/",
        "https://user:{room}@example.org/",
        "https://user@example.org/{room}",
        "https:///{room}",
        "https://video.example.org:99999/{room}",
        "https://video.example.org/a b/{room}",
        "https://video.example.org/\n{room}",
        "https://video.example.org/`id`/{room}",
        "javascript:alert('{room}')",
        "https://video.example.org/" + "a" * 200 + "{room}",
        "{room}",
        "",
    ],
)
def test_any_other_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Video(url=url)


@pytest.mark.parametrize(
    "values", [{"sender": ("",)}, {"sender": ("a",) * 5}, {"sender": ("x" * 81,)}, {"answer_days": 0}, {"paper": "A3"}]
)
def test_letters_are_checked(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Letters(**values)
