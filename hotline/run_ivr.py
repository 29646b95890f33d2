"""The process `ivr`: FastAGI and the dialogues."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from hospital import agentless
from hospital import hearing as hearing_state
from hospital.database import Database
from hotline import loaded, numbering
from hotline.caller_joints import SqlJournal, UnwrittenJournal
from hotline.foretelling import foretell
from hotline.hearing import Hearing, hearing
from hotline.in_force import InForce, Shipped
from hotline.places import places, read_secrets
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.speaking import speak_ahead
from hotline.spoken import Spoken
from hotline.throttle import admit
from hotline.wiring import DIALOGUES, front_desk, house_keys, now, open_database, speaker, until_told
from ivr.agi_call import agi_call, caller_number
from ivr.call import Call, HouseKeys, Journal
from ivr.conversation import converse
from ivr.front_desk import FrontDesk
from ivr.server import AgiServer
from ivr.session import AgiSession
from speech.speaker import Speaker

log = logging.getLogger(__name__)

OURS = "outgoing"  # the path of a call that the hotline began
MACHINE = "message"  # of one of a nurse's that a machine has answered
STAFF = "oncall"  # and of one to a member of staff: nobody's call
DATABASE_S = 2.0  # a database that does not take the call's first row by then is down: a person takes the caller


@dataclass(frozen=True)
class Served:
    """What the calls that begin under one publication are served with."""

    front: FrontDesk
    said: Speaker
    ears: Hearing | None
    keys: HouseKeys
    sayable: Callable[[str, str], bool]


class Counter:
    """Serves each call with what was in force when it began."""

    def __init__(
        self, settings: Settings, sheets: Sheets, database: Database, said: Speaker, ears: Hearing | None
    ) -> None:
        self._settings, self._sheets, self._database, self._said, self._ears = settings, sheets, database, said, ears
        self._served: WeakKeyDictionary[InForce, Served] = WeakKeyDictionary()

    async def serve(self, call_id: str) -> Served:
        live = await self._sheets.of_call(call_id)
        found = self._served.get(live)
        if found is None:
            said = self._said.saying(live.words)
            spoken = Spoken(live.words, said.recordings)
            front = front_desk(self._settings, self._database, live.words, live=live, spoken=spoken)
            ears = self._ears.saying(said, live.words) if self._ears else None
            found = self._served[live] = Served(front, said, ears, house_keys(front), live.words.sayable)
        return found


async def run_ivr(settings: Settings) -> None:
    """Serves calls until SIGTERM; those under way get ten seconds to end."""
    here = places(settings)
    database = open_database(settings, here, patient=True)
    sheets = Sheets(Shipped(settings), database)
    said = speaker(settings, here, sheets.held.words)
    desk = front_desk(settings, database, sheets.held.words)
    behind = [
        asyncio.create_task(speak_ahead(settings, sheets, said, database.url), name="speak ahead"),
        asyncio.create_task(foretell(settings, sheets, said, desk), name="foretell"),
    ]

    async def tell(engine: str, languages: Sequence[str], trouble: str) -> None:
        await database.run(hearing_state.tell, settings.node, engine, languages, trouble, now())

    async with hearing(settings, here, said, sheets.held.words, tell) as ears:
        counter = Counter(settings, sheets, database, said, ears)
        server = AgiServer(
            partial(_hold_conversation, settings, counter, database),
            read_secrets(here).agi,
            settings.address,
            numbering.AGI_PORT,
        )
        async with server:
            loaded.set_aside()
            log.info("the ivr takes calls")
            await until_told()
            await server.stop(grace_s=10)
    for task in behind:
        task.cancel()
    await asyncio.wait(behind)
    await said.close()
    database.close()


async def _hold_conversation(
    settings: Settings, counter: Counter, database: Database, session: AgiSession, path: str
) -> None:
    country = settings.site.country_code
    async with asyncio.timeout(DATABASE_S):
        contact = await database.run(agentless.find, session.id) if path == OURS else None
        # In a call of ours the line shows our own number: the other's is the one that was dialled.
        number = contact.number if contact is not None else caller_number(session.environment, country)
        written = SqlJournal(database, session.id, settings.node, number, now, "out" if path == OURS else "in")
        journal: Journal = written
        if path in (STAFF, MACHINE):  # no row is kept
            journal = UnwrittenJournal(written)
        elif path == OURS or await admit(database, settings.throttle, path, number, now()):
            await written.begin()
        else:
            path, journal = "throttled", UnwrittenJournal(written)
        served = await counter.serve(session.id)
    dialogue = DIALOGUES[path]
    line = served.ears.line(session, ours=path in (OURS, MACHINE)) if served.ears else None
    phrases = served.ears.phrases if line is not None and served.ears else None
    async with agi_call(
        session,
        served.said,
        journal,
        node=settings.node,
        country=country,
        house=served.keys,
        line=line,
        phrases=phrases,
        sayable=served.sayable,
    ) as call:
        call.caller_number = number

        async def hold(call: Call) -> None:
            await dialogue(call, served.front)

        await converse(call, hold)
