"""The process `answers`: the pages on which patients answer by a link, for a TLS proxy.

Apart from the console and the calls: it knows neither AMI nor the SIP secrets, and what a crowd does to it costs no
caller anything.
"""

import time
from contextlib import suppress
from urllib.parse import urlsplit

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from hospital.database import Database
from hotline import loaded
from hotline.care_wiring import clocks
from hotline.in_force import Shipped
from hotline.page_settings import netloc
from hotline.places import places
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.wiring import now, open_database
from scripts.wording import Wording
from web.answer_pages import House, create_answer_app

LATELY = 5.0  # seconds
AT_ONCE = 200  # connections; more are told to come later


async def run_answers(settings: Settings) -> None:
    """Runs until SIGTERM."""
    database = open_database(settings, places(settings), patient=True)
    app = create_answer_app(answer_house(settings, database))
    proxy = settings.answers.proxy
    config = uvicorn.Config(
        app,
        host=settings.answers_bind,
        port=settings.answers.port,
        log_config=None,
        access_log=False,  # the address of a page is the key to it
        timeout_graceful_shutdown=3,
        timeout_keep_alive=15,
        limit_concurrency=AT_ONCE,
        server_header=False,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy or "",
        ws="none",
    )
    loaded.set_aside()
    await uvicorn.Server(config).serve()
    database.close()


def answer_house(settings: Settings, database: Database) -> House:
    sheets, asked_at = Sheets(Shipped(settings), database), 0.0

    async def words() -> Wording:
        """In force, a few seconds ago at most, so that a crowd costs the database little; without it, the last."""
        nonlocal asked_at
        if time.monotonic() - asked_at > LATELY:
            asked_at = time.monotonic()
            with suppress(SQLAlchemyError, TimeoutError):
                await sheets.now()
        return sheets.held.words

    here = netloc(settings.answers_bind, settings.answers.port)
    public = urlsplit(settings.answers_url or "")
    return House(
        database=database,
        clock=now,
        words=words,
        hosts=frozenset({here, public.netloc}) - {""},
        languages=settings.site.languages,
        default_language=settings.site.default_language,
        clocks=clocks(settings),
        tls=public.scheme == "https",
        country=settings.site.country if settings.answers.tell or settings.demo else None,
    )
