"""A number that calls too often: one sentence instead of the menu. The ways to urgent help and to a person are open.

Whoever says nothing is hung up on, so that a thousand such calls stay short; a wrong key is asked again, once. What
happens here is written down only when somebody asks for a person.
"""

from hospital import caller_languages
from ivr.call import Call, Key, Keys, Prompt
from ivr.front_desk import FrontDesk

ASKED = 2


async def turn_away(call: Call, front: FrontDesk) -> None:
    known = await front.database.run(caller_languages.remembered, call.caller_number, front.now())
    spoken = [tag for tag in (known, front.default_language) if tag is not None and tag in front.spoken]
    languages = list(dict.fromkeys(spoken[:1] if known in front.spoken else [*spoken, "en"]))
    await call.use_language(languages[0])
    sentence = Prompt("too_many_calls" if call.caller_number else "too_many_withheld")
    ways = {call.house.operator: call.house.operator_queue}
    if call.house.urgent is not None:
        ways[call.house.urgent] = call.house.urgent_queue
    for _ in range(ASKED):
        match await call.play([sentence.in_language(tag) for tag in languages], Keys("".join(ways))):
            case Key(pressed) if pressed in ways:
                await call.journal.step("throttled", key=pressed)
                await call.transfer(ways[pressed], "urgent_key" if pressed == call.house.urgent else "operator_key")
            case Key():
                call.line.forget_keys()
            case _:
                return
