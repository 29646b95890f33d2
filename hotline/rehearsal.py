"""`hotline call`: the terminal phone. Any dialogue on the demo's database, without Asterisk and without the hotline
running: a private PostgreSQL is started for the call where none runs."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import PurePosixPath

from hotline import databases, demo, numbering, postgres, wiring
from hotline.caller_joints import SqlJournal
from hotline.in_force import Shipped
from hotline.places import places
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.supervisor import running
from ivr.call import Call, HouseKeys
from ivr.phrasebook import Phrasebook
from ivr.terminal import Presses, Transcript, rehearse, scripted, typed
from recordings.files import Spool
from scripts.wording import Heard


async def rehearse_call(settings: Settings, dialogue: str, caller: str, press: str | None, as_test: bool) -> int:
    """Plays it and prints each line as it comes; 2 for a caller or a key that doesn't exist."""
    callers = {person.username: person.number for person in (*numbering.DEMO_PATIENTS, numbering.SOFTPHONE)}
    if caller not in callers:
        print(f"{caller!r} is no demo patient: {', '.join(callers)}")
        return 2
    try:
        presses = typed() if press is None else scripted(press.split(","))
    except ValueError as problem:
        print(problem)
        return 2
    show: Callable[[str], object] | None = None if as_test else print
    transcript = await play(settings, dialogue, callers[caller], presses, show)
    if as_test:
        print(transcript.as_test(dialogue))
    return 0


async def play(
    settings: Settings, dialogue: str, number: str, presses: Presses, show: Callable[[str], object] | None
) -> Transcript:
    here = places(settings)
    with ExitStack() as stack:
        if running(here) is None and settings.database.url is None:
            stack.enter_context(postgres.running(here.cluster))
            databases.ensure_database(here.cluster)
        database = wiring.open_database(settings, here)
        stack.callback(database.close)
        await database.run(demo.load_scripts, wiring.now())
        if settings.demo:
            await database.run(demo.people, wiring.sip_secrets(here), wiring.zone(settings), wiring.now())
        words = (await Sheets(Shipped(settings), database).now()).words
        # Asterisk's spool, but by the name that it has outside: the terminal phone writes there itself
        here.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        front = wiring.front_desk(settings, database, words, Spool(here.spool, PurePosixPath(here.spool)))
        call_id = f"terminal-{wiring.now():%Y%m%d%H%M%S%f}"
        journal = SqlJournal(database, call_id, "terminal", number, wiring.now)
        await journal.begin()

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
