"""The last word of a call that the machine ends. Where it is said is in the golden transcripts."""

import logging
from typing import Any, cast

import pytest

from ivr.call import Call
from ivr.dialogues.goodbye import with_goodbye
from ivr.front_desk import FrontDesk
from ivr.terminal import rehearse, scripted
from scripts.placeholders import Value
from speech.voices import VoiceFailed
from tests.test_call import Words

NO_DESK = cast(FrontDesk, None)


class Hoarse(Words):
    def text(self, key: str, language: str, /, **params: Value) -> str:
        if key == "goodbye":
            raise VoiceFailed("no voice")
        return super().text(key, language, **params)


async def promise(call: Call, front: FrontDesk) -> None:
    await call.inform("callback_registered")


async def ended(words: Words, **how: Any) -> list[str]:
    async def dialogue(call: Call) -> None:
        call.sayable = how.get("sayable", call.sayable)
        await with_goodbye(promise)(call, NO_DESK)

    return (await rehearse(dialogue, words, scripted([]))).lines


@pytest.mark.covers("H39")
async def test_nobody_is_queued_for_a_goodbye_that_cannot_be_said(caplog: pytest.LogCaptureFixture) -> None:
    end = ["then: hang up", "journal: ended"]
    assert await ended(Words()) == ["hotline: callback_registered", "hotline: goodbye", *end]
    with caplog.at_level(logging.ERROR):
        assert await ended(Hoarse()) == ["hotline: callback_registered", *end]
    assert "goodbye could not be said (VoiceFailed)" in caplog.text
    silent = await ended(Words(), sayable=lambda key, language: key != "goodbye")
    assert silent == ["hotline: callback_registered", *end], "no recording of it, and no other language in its place"
