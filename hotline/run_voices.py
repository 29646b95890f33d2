"""The job `voices`: installs the natural voice where it is missing, and speaks by it all that every caller hears.

It runs behind a hotline that speaks already by the fast voice, and ends. Nothing waits for it: without a network, or
killed, it leaves the hotline as it is.
"""

import asyncio
import logging

from hotline import loaded, models
from hotline.in_force import Shipped
from hotline.model_catalogue import KOKORO
from hotline.model_sources import ModelFailed
from hotline.places import places
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.wiring import open_database, speaker
from scripts import wording
from speech.publish import publish_static, render_ahead
from speech.voices import VoiceFailed

log = logging.getLogger(__name__)


async def run_voices(settings: Settings) -> int:
    """0, or 1 with a line in the log that says what to do."""
    loaded.set_aside()
    try:
        await asyncio.to_thread(models.install, KOKORO, None, log.info)
    except ModelFailed as problem:
        log.error("the natural voice is not installed, the fast one speaks. %s", problem)
        return 1
    here = places(settings)
    database = open_database(settings, here)
    try:
        sentences = (await Sheets(Shipped(settings), database).now()).words
    finally:
        database.close()
    said = speaker(settings, here, sentences)
    try:
        count = await publish_static(said, wording.STATIC_KEYS, settings.site.languages)
        for language in settings.site.languages:
            count += await render_ahead(said, sentences.every_key(), [language])
            log.info("%d prompts have their best voice (%s is done)", count, language)
    except VoiceFailed as failure:
        log.error("a prompt has no voice: %s", failure)
        return 1
    finally:
        await said.close()
    return 0
