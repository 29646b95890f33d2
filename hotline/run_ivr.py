"""The process `ivr`: FastAGI and the dialogues."""

import asyncio
import logging
from functools import partial

from hospital.database import Database
from hotline import numbering
from hotline.caller_joints import SqlJournal, UnwrittenJournal
from hotline.hearing import Hearing, hearing
from hotline.places import places, read_secrets
from hotline.settings import Settings
from hotline.throttle import admit
from hotline.wiring import DIALOGUES, front_desk, house_keys, now, open_database, speaker, until_told, words
from ivr.agi_call import agi_call, caller_number
from ivr.call import Call, Journal
from ivr.conversation import converse
from ivr.front_desk import FrontDesk
from ivr.server import AgiServer
from ivr.session import AgiSession
from speech.speaker import Speaker

log = logging.getLogger(__name__)

DATABASE_S = 2.0  # a database that does not take the call's first row by then is down: a person takes the caller


async def run_ivr(settings: Settings) -> None:
    """Serves calls until SIGTERM; those under way get ten seconds to end."""
    here = places(settings)
    database = open_database(settings, here)
    said = speaker(settings, here)
    sentences = words(settings)
    front = front_desk(settings, database, sentences)
    async with hearing(settings, here, said, sentences) as ears:
        server = AgiServer(
            partial(_hold_conversation, settings, front, said, database, ears),
            read_secrets(here).agi,
            settings.address,
            numbering.AGI_PORT,
        )
        async with server:
            log.info("the ivr takes calls")
            await until_told()
            await server.stop(grace_s=10)
    await said.close()
    database.close()


async def _hold_conversation(
    settings: Settings,
    front: FrontDesk,
    said: Speaker,
    database: Database,
    ears: Hearing | None,
    session: AgiSession,
    path: str,
) -> None:
    country = settings.site.country.upper()
    number = caller_number(session.environment, country)
    written = SqlJournal(database, session.id, settings.node, number, now)
    journal: Journal = written
    async with asyncio.timeout(DATABASE_S):
        if await admit(database, settings.throttle, path, number, now()):
            await written.begin()
        else:
            path, journal = "throttled", UnwrittenJournal(written)
    dialogue = DIALOGUES[path]
    line = ears.line(session) if ears else None
    phrases = ears.phrases if ears else None
    keys = house_keys(front)
    async with agi_call(
        session, said, journal, node=settings.node, country=country, house=keys, line=line, phrases=phrases
    ) as call:

        async def hold(call: Call) -> None:
            await dialogue(call, front)

        await converse(call, hold)
