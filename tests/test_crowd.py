"""Fifty callers for one last slot: fifty SIP calls side by side, each with keys of its own, on the real Asterisk."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import func, or_, select

from hospital.calls import CallStep
from hotline.places import read_secrets
from tests.asterisk_instance import network
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.house import House
from tests.light_phone import LightCall, LightPhone
from tests.scenes import LANGUAGE_KEYS, openings

pytestmark = [pytest.mark.asterisk, pytest.mark.alone]
SPOKEN = {LUCIA: "es", WIREMU: "en", MEI: "zh-CN", JOAO: "pt-BR", RUTH: "en"}
PAEDIATRICS = "2"
BETWEEN_S = 0.3  # from one key to the next: nobody types a birth date faster
EACH = 10  # as many as one number may have at once


@pytest.mark.covers("H1", "H2", "I1", "I2", "I10")
async def test_fifty_callers_reach_for_one_last_slot(house: House) -> None:
    secrets = read_secrets(house.here).sip
    with house.only_slot("paediatrics") as last:
        async with AsyncExitStack() as stack:
            phones = {
                who: await stack.enter_async_context(
                    LightPhone(
                        f"{network()}.{91 + n}",
                        server=house.address,
                        username=who.sip,
                        secret=secrets[who.sip],
                        listens=True,
                    )
                )
                for n, who in enumerate(SPOKEN)
            }
            callers = [who for who in SPOKEN for _ in range(EACH)]
            calls = []
            for n in range(0, len(callers), EACH):  # they come within two seconds or so, as no fifty come at one moment
                calls += await asyncio.gather(*(phones[who].dials("600") for who in callers[n : n + EACH]))
            await _are_offered_it(house, calls, callers)
            await house.until(
                "all are offered it",
                lambda: house.journal().count("department") == len(calls),
                within=60,
                instead=lambda: _courses(house),
            )
            for call in calls:
                call.waits_for_the_next()
            await asyncio.gather(*(call.answers("1") for call in calls))
            await house.until(
                "all but one hear no", lambda: house.journal().count("no_openings") == len(calls) - 1, within=60
            )
            assert house.journal().count("slot_taken") == len(calls) - 1
            assert await openings(house, "paediatrics") == []
            assert "booked" not in house.journal(), "it is held, and read back to one of them"
            for call in calls:
                call.waits_for_the_next()
            await asyncio.gather(*(call.answers("1") for call in calls))
            await house.until("one has it", lambda: "booked" in house.journal(), within=60)
            await house.until("the others are at the menu", lambda: _at_the_menu(house) == len(calls) - 1, within=60)
            assert not any(call.over.is_set() for call in calls)
        booked = [one for who in SPOKEN for one in house.appointments(of=who.sip)]
        assert booked == [house.local(last)]
    await house.no_channels(within=30)
    await house.until("all calls are over", lambda: {call.state for call in house.calls()} == {"ended"}, within=60)
    await house.until("all have hung up", lambda: house.journal().count("caller_left") == len(callers), within=60)


async def _are_offered_it(house: House, calls: list[LightCall], callers: list[Character]) -> None:
    """Each presses while their question is heard; the next is heard by all when the answers of all are taken."""
    for taken, keys in enumerate((LANGUAGE_KEYS, "1", "1", None, PAEDIATRICS), 1):
        answers = []
        for call, who in zip(calls, callers, strict=True):
            call.waits_for_the_next()
            pressed = keys[SPOKEN[who]] if isinstance(keys, dict) else keys or who.birth_keys
            answers.append(call.answers(pressed, gap=BETWEEN_S))
        await asyncio.gather(*answers)
        await house.until(
            f"the answers of all to question {taken} are taken",
            lambda taken=taken: _answers(house) == taken * len(calls),  # type: ignore[misc]
            within=60,
            instead=lambda: _courses(house),
        )


def _answers(house: House) -> int:
    """Questions that were answered, in all calls."""
    answered = or_(CallStep.facts.has_key("key"), CallStep.facts.has_key("digits"))
    with house.database.transaction() as session:
        return session.scalar(select(func.count()).where(CallStep.kind == "turn", answered)) or 0


def _courses(house: House) -> str:
    """How many calls took which course."""
    courses = Counter(" ".join(house.journal(call.id)) for call in house.calls())
    return "\n".join(f"{count} × {course}" for course, count in courses.most_common())


def _at_the_menu(house: House) -> int:
    """How many have answered that there is nothing for them, and are asked what else they want."""
    pressed = [step.facts["said"] for step in house.rows(CallStep) if step.facts.get("key") == "1"]
    return len([said for said in pressed if "no_slots" in {key.partition(".")[0] for key in said}])
