"""What was published is spoken before anybody calls: the changed sentences, by the best voice, and the dialplan's."""

import logging
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from hospital.notices import PostgresNotices
from hotline.settings import Settings
from hotline.sheets import Sheets
from scripts import wording
from scripts.wording import Wording
from scripts.wording_files import FORMS, Forms
from speech.publish import publish_static, render_ahead
from speech.speaker import Speaker
from speech.voices import VoiceFailed

log = logging.getLogger(__name__)


async def speak_ahead(settings: Settings, sheets: Sheets, said: Speaker, database_url: str) -> None:
    """Runs until it is cancelled. Nobody waits for it: a sentence that a caller needs first is made then."""
    spoken = sheets.held.words
    async for notice in PostgresNotices(database_url).listen():
        if notice.kind not in ("edition", "look_again"):
            continue
        try:
            in_force = await sheets.now()
            live, live_menu = in_force.words, in_force.menu
            if live is spoken:
                continue
            speaker, languages = said.saying(live), settings.site.languages
            for language in languages:
                await render_ahead(speaker, changed(spoken, live, language), [language])
                for key, leads_to in live_menu or ():
                    await speaker.ahead(f"offer_{leads_to}", language, {"key": int(key)})
            await publish_static(speaker, wording.STATIC_KEYS, languages)
            spoken = live
            log.info("what was published is spoken")
        except (VoiceFailed, OSError, TimeoutError, SQLAlchemyError) as failure:
            log.error("what was published is spoken when it is needed (%s)", type(failure).__name__)


def changed(before: Wording, after: Wording, language: str) -> list[str]:
    """The prompts, forms too, that are said otherwise."""
    old, new = _prompts(before, language), _prompts(after, language)
    return [
        key if form == "text" else f"{key}.{form}"
        for key, forms in new.items()
        for form, sentence in forms.items()
        if form in FORMS and old.get(key, {}).get(form) != sentence
    ]


def _prompts(words: Wording, language: str) -> Mapping[str, Forms]:
    return words.languages[language].prompts if language in words.languages else {}
