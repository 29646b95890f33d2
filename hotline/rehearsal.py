"""`hotline call`: the terminal phone. Any dialogue on the demo's database, without Asterisk and without the hotline
running: a private PostgreSQL is started for the call where none runs. A call of ours is rehearsed in a database that is
dropped (hotline/rehearsed_calls.py)."""

import sys
from collections.abc import Callable

from hotline import numbering, wiring
from hotline.caller_joints import SqlJournal, UnwrittenJournal
from hotline.rehearsed_calls import BEFORE, NODE
from hotline.settings import Settings
from hotline.terminal_house import terminal_house
from ivr.call import Call, HouseKeys, Journal
from ivr.phrasebook import Phrasebook
from ivr.terminal import Presses, Transcript, rehearse, scripted, typed
from scripts.wording import Heard

UNWRITTEN = frozenset({"throttled", "message", "oncall"})
"""Dialogues of which no row is kept, as in the ivr (hotline/run_ivr.py)."""


async def rehearse_call(settings: Settings, dialogue: str, caller: str, press: str | None, as_test: bool) -> int:
    """Plays it and prints each line as it comes; 2 for a caller or a key that doesn't exist."""
    callers = {person.username: person.number for person in (*numbering.DEMO_PATIENTS, numbering.SOFTPHONE)}
    if caller not in callers:
        print(f"{caller!r} is no demo patient: {', '.join(callers)}", file=sys.stderr)
        return 2
    try:
        presses = typed() if press is None else scripted(press.split(","))
    except ValueError as problem:
        print(problem, file=sys.stderr)
        return 2
    show: Callable[[str], object] | None = None if as_test else print
    transcript = await play(settings, dialogue, callers[caller], presses, show)
    if as_test:
        print(transcript.as_test(dialogue))
    return 0


async def play(
    settings: Settings, dialogue: str, number: str, presses: Presses, show: Callable[[str], object] | None
) -> Transcript:
    ours = BEFORE.get(dialogue)
    async with terminal_house(settings, apart=ours is not None) as house:
        front, words, database = house.front, house.words, house.database
        call_id = f"terminal-{wiring.now():%Y%m%d%H%M%S%f}"
        if ours is not None:
            call_id = await database.run(ours, settings, number, wiring.now())
        written = SqlJournal(database, call_id, NODE, number, wiring.now, "out" if dialogue == "outgoing" else "in")
        journal: Journal = written
        if dialogue in UNWRITTEN:
            journal = UnwrittenJournal(written)
        else:
            await written.begin()

        async def hold(call: Call) -> None:
            await wiring.DIALOGUES[dialogue](call, front)

        return await rehearse(
            hold,
            Heard(words),
            presses,
            language=settings.site.default_language,
            caller_number=number,
            journal=journal,
            house=wiring.house_keys(front),
            call_id=call_id,
            show=show,
            phrases=Phrasebook(words, HouseKeys().urgent) if settings.speech.ears != "off" else None,
        )
