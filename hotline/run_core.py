"""The process `core`: AMI, the dialer, the rounds, the console."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from cti.journal import InboundJournal
from cti.presence import Presence
from cti.switchboard import Switchboard
from dialer.agentless import Agentless
from dialer.interpreters import Interpreters
from dialer.machines import Machines
from dialer.paces import paces
from dialer.predictive import Predictive
from dialer.progressive import Progressive
from dialer.rates import Rate
from dialer.runner import Dialer
from dialer.steady import SteadyClock
from hospital import arrivals, caller_languages, recordings, throttling, vault
from hospital.database import Database
from hospital.editions import SHEETS
from hospital.notices import PostgresNotices
from hospital.outcome_rules import OutcomeRules
from hotline import (
    certificate_watch,
    console_facts,
    demo,
    dialer_work,
    hearing,
    interpreter_work,
    joints,
    letter_joints,
    link_watch,
    loaded,
    message_joints,
    message_work,
    numbering,
    on_call_work,
    script_files,
    tapes,
)
from hotline.caller_joints import rendered
from hotline.care_wiring import asterisk_spool, clocks, opening_hours
from hotline.demo_texts import FileTexts
from hotline.in_force import Shipped
from hotline.own_prompts import OwnPrompts
from hotline.page_settings import Web
from hotline.places import places, read_secrets
from hotline.queue_news import QueueNews
from hotline.rounds import Rounds
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.transcribing import Transcriber
from hotline.wiring import SPOKEN_KINDS, calling_policy, now, open_database, own_desk, speaker, zone
from hotline.workshop import SiteWorkshop
from messages.sender import Sender
from recordings.capture import Capture
from recordings.files import Shelf
from recordings.replay import Replay
from scripts.wording import Wording
from speech.speaker import Speaker
from web import plans, ports
from web.app import create_app
from web.audiences import audience
from web.live import Hub

log = logging.getLogger(__name__)

OFF_DUTY_S = 5  # within which the queues forget an account that was closed
SHORTEST_NUMBER = 5  # digits; the demo shows its extension instead of a number


async def run_core(settings: Settings) -> None:
    """Runs until SIGTERM."""
    here = places(settings)
    database = open_database(settings, here, patient=True)
    secrets = read_secrets(here)
    board = Switchboard(settings.address, numbering.AMI_PORT, numbering.AMI_USER, secrets.ami)
    telephone = joints.DialerTelephone(board, _routes(settings), _allowed(settings), here.call_records)
    catalogue = tapes.SqlCatalogue(database, now)
    shelf = Shelf(here.recordings)
    capture = Capture(asterisk_spool(here), shelf, catalogue, vault.wrap_key)
    presence = Presence(board, partial(joints.duty_wishes, database), tuple(numbering.QUEUES))
    sheets = Sheets(Shipped(settings), database)

    async def outcomes() -> OutcomeRules:
        return (await sheets.now()).outcomes

    clock = SteadyClock(now, hold=timedelta(seconds=settings.calling.distrust_seconds))
    dialer = _dialer(settings, database, telephone, capture, outcomes, clock)
    of = settings.automatic
    automatic = Agentless(dialer, kinds=SPOKEN_KINDS, most=of.lines, per_second=of.per_second)
    progressive, predictive = Progressive(dialer), Predictive(dialer)
    interpreters = _interpreters(settings, database, telephone)
    journal = InboundJournal(
        board, telephone, database, node=settings.node, country=settings.site.country_code, now=now
    )
    dialer_work.dialer_listens(board, dialer)
    dialer_work.stints_follow(board, progressive, predictive)
    said = speaker(settings, here, sheets.held.words)
    workshop = SiteWorkshop(sheets, said, database, now)

    async def in_force() -> Wording:
        return (await sheets.now()).words

    async def speaking() -> Speaker:
        return said.saying(await in_force())

    news = QueueNews(board, database, speaking, here.sounds, now)
    news.forget()
    transcribed = frozenset(tag for one in hearing.behind(settings, here) for tag in one.languages)
    replay, recogniser = Replay(shelf, catalogue, vault.unwrap_key), partial(hearing.behind, settings, here)
    transcriber = Transcriber(database, replay, recogniser, transcribed, now, clocks(settings))
    slots = own_desk(settings, database, lambda: sheets.held.words.site_says)
    by_text = (settings, database, lambda: sheets.held.words, now, slots)
    take_text, go_on = message_joints.taking(*by_text), message_joints.booking_on(*by_text)
    press = letter_joints.press(settings, lambda: sheets.held.words, lambda: now().astimezone(zone(settings)).date())
    services = ports.Services(
        facts=console_facts.site_facts(settings),
        database=database,
        clock=now,
        live=Hub(PostgresNotices(database.url), partial(audience, database)),
        desk=slots,
        presence=joints.ConsolePresence(database, presence, now),
        dialling=joints.ConsoleDialling(dialer, Machines(database, telephone, now=now), partial(_local, settings)),
        stints=joints.ConsoleStints(progressive, predictive),
        interpreting=interpreters,
        paces=lambda: database.run(paces, now(), of.lines, dialer.policy.trunk_lines),
        replay=joints.ConsoleReplay(replay),
        hours=opening_hours(settings),
        policy=calling_policy(settings),
        demo_patients=console_facts.demo_patients(settings, secrets.sip),
        demo_texts=FileTexts(database, message_joints.sent_file(here), take_text) if settings.demo else None,
        delivery_reports=message_joints.delivery_reports(settings, database, now),
        text_replies=message_joints.text_replies(settings, take_text),
        workshop=workshop,
        transcribed=transcribed,
        own_prompts=OwnPrompts(in_force, said, settings.site.languages),
        letters=press,
    )
    gateway = message_joints.gateway(settings, here, now)
    sender = Sender(message_joints.SqlOutbox(database), gateway, rendered(lambda: sheets.held.words), now)
    async with AsyncExitStack() as stack:
        await board.start()
        stack.push_async_callback(board.stop)
        stack.push_async_callback(said.close)
        await _check_files(workshop)
        telling = asyncio.create_task(news.run(), name="queue news")
        stack.callback(telling.cancel)
        rounds = Rounds()
        rounds.every(OFF_DUTY_S, presence.let_go)
        rounds.every(link_watch.EVERY_S, link_watch.LinkWatch(board.ami, here).look, at_once=True)
        _keep_house(rounds, database, capture, journal, zone(settings), clock)
        dialer_work.begin(rounds, settings, dialer, automatic, progressive, predictive)
        message_work.begin(
            rounds, settings, database, sender, sheets, _caller_id(settings), now, press, clock.held, go_on
        )
        interpreter_work.begin(rounds, board, interpreters)
        on_call_work.begin(rounds, settings, database, board, telephone, _caller_id(settings), now)
        if transcribed:
            rounds.every(5, transcriber.work)
        console = console_server(settings.web, create_app(services))
        if isinstance(console.ssl, ssl.SSLContext) and settings.web.certificate and settings.web.key:
            files = settings.web.certificate, settings.web.key
            watch = certificate_watch.CertificateWatch(console.ssl, *files, here, now)
            rounds.every(certificate_watch.EVERY_S, watch.look, at_once=True)
        rounds.start()
        stack.callback(rounds.stop)
        loaded.set_aside()
        await uvicorn.Server(console).serve()
    database.close()


def _dialer(
    settings: Settings,
    database: Database,
    telephone: joints.DialerTelephone,
    capture: Capture,
    outcomes: Callable[[], Awaitable[OutcomeRules]],
    clock: SteadyClock,
) -> Dialer:
    return Dialer(
        database,
        telephone,
        joints.CallRecorder(capture),
        calling_policy(settings),
        node=settings.node,
        caller_id=_caller_id(settings),
        now=now,
        ring_s=settings.calling.ring_seconds,
        outcomes=outcomes,
        rate=_trunk_rate(settings),
        held=clock.held,
    )


def _interpreters(settings: Settings, database: Database, telephone: joints.DialerTelephone) -> Interpreters:
    return Interpreters(
        database,
        telephone,
        settings.interpreters.numbers,
        node=settings.node,
        caller_id=_caller_id(settings),
        spoken=settings.site.default_language,
        now=now,
    )


async def _check_files(workshop: SiteWorkshop) -> None:
    """The site's files meet the same checks as a draft; what they find is for the log, and nobody waits for it."""
    for problem in plans.left_out():
        log.error("%s %s", script_files.LEFT_OUT, problem)
    try:
        for sheet in SHEETS:
            for finding in await workshop.check(sheet, workshop.file_of(sheet)):
                log.log(logging.ERROR if finding.stops else logging.WARNING, "the file of %s: %s", sheet, finding)
    except (SQLAlchemyError, TimeoutError) as failure:
        log.warning("the site's files were not checked (%s)", type(failure).__name__)


def _keep_house(
    rounds: Rounds, database: Database, capture: Capture, journal: InboundJournal, there: ZoneInfo, clock: SteadyClock
) -> None:
    """Adds the jobs that put away what calls and clinics left behind."""

    async def sweep() -> None:
        await capture.sweep(await database.run(recordings.being_written))

    async def collect() -> None:
        """Numbers that callers typed while the ivr was down lie in Asterisk."""
        try:
            await journal.collect_callbacks()
        except (ConnectionError, TimeoutError):
            log.info("callbacks are collected when the link is back")

    async def settle() -> None:
        """What Asterisk told of calls while the database was away."""
        try:
            await journal.settle()
        except (ConnectionError, TimeoutError):
            log.info("calls are settled when the link is back")

    async def end_clinics() -> None:
        if not clock.held():
            await database.run(arrivals.end_clinics, now(), there)

    async def forget() -> None:
        await database.run(caller_languages.forget_expired, now())
        await database.run(throttling.forget_idle, now())

    rounds.every(10, collect)
    rounds.every(15, settle)
    rounds.every(300, end_clinics, at_once=True)
    rounds.every(3600, forget, at_once=True)
    rounds.every(30, sweep, at_once=True)


def console_server(web: Web, app: FastAPI) -> uvicorn.Config:
    """Loaded, so that its certificate can be watched."""
    config = uvicorn.Config(
        app,
        host=web.bind,
        port=web.port,
        log_config=None,
        access_log=False,  # addresses of pages hold record ids
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=web.proxy is not None,  # otherwise whoever comes from 127.0.0.1 is believed
        forwarded_allow_ips=web.proxy or "",
        ssl_certfile=web.certificate,
        ssl_keyfile=web.key,
        ws="websockets-sansio",
    )
    config.load()
    return config


def _routes(settings: Settings) -> dict[str, str]:
    """In the demo the patients' numbers ring the demo's own phones."""
    if not settings.demo:
        return {}
    routes = {a.number: f"PJSIP/{a.username}" for a in (*numbering.DEMO_PATIENTS, numbering.SOFTPHONE)}
    return routes | {number: f"PJSIP/{name}" for name, numbers in demo.SECOND_NUMBERS.items() for number in numbers}


def _trunk_rate(settings: Settings) -> Rate | None:
    per_second = settings.trunk.per_second if settings.trunk else None
    return Rate(per_second, time.monotonic) if per_second else None


def _allowed(settings: Settings) -> tuple[str, ...]:
    return settings.trunk.allow if settings.trunk else ()


def _caller_id(settings: Settings) -> str:
    if settings.trunk is not None:
        return settings.trunk.caller_id
    number = settings.site.callback_number or numbering.HOTLINE_EXTENSION
    return number if len(number) >= SHORTEST_NUMBER else number.zfill(7)


def _local(settings: Settings, at: datetime) -> str:
    return at.astimezone(zone(settings)).strftime("%A %H:%M")
