"""The rules of tests/manners.py hold nobody to anything unless they can be broken."""

import pytest

from ivr.call import Call
from ivr.terminal import Transcript, rehearse, scripted
from ivr.turn import Keys, Prompt
from tests.manners import five_choices_at_most
from tests.test_call import Words


async def heard(offered: str, *said: Prompt) -> Transcript:
    async def dialogue(call: Call) -> None:
        await call.play(said, Keys(offered))

    return await rehearse(dialogue, Words(), scripted(["1"]))


@pytest.mark.covers("H39")
async def test_six_choices_are_too_many_however_they_are_offered() -> None:
    five_choices_at_most((await heard("12345", Prompt("colour"))).turns)
    five_choices_at_most((await heard("123456", Prompt("choose_language.short"))).turns)
    five_choices_at_most((await heard("0123456789*#")).turns)
    with pytest.raises(AssertionError, match=r"colour.*offers 123456"):
        five_choices_at_most((await heard("123456", Prompt("colour"))).turns)
