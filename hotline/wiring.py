"""The wiring: which object satisfies which Protocol, in the two processes of ours, `ivr` and `core`.

Read it from top to bottom and the whole hotline has been seen once.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import PurePosixPath
from zoneinfo import ZoneInfo

import uvicorn
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from cti.events import AsteriskReady, LegAnswered, LegEnded, LegRinging, OriginateFailed
from cti.journal import InboundJournal
from cti.presence import Presence
from cti.statuses import StatusChanged
from cti.switchboard import Switchboard
from dialer.runner import Dialer
from hospital import recordings, vault
from hospital.attempts import CallingPolicy
from hospital.booking import OwnDesk
from hospital.calling_hours import ALWAYS, PRESETS, Window
from hospital.database import Database
from hotline import asterisk, demo, joints, numbering
from hotline.places import Places, database_url, make_secrets, places, read_secrets, site_key
from hotline.settings import Settings
from ivr.agi_call import agi_call, caller_number
from ivr.call import Call
from ivr.conversation import converse
from ivr.dialogues.callback import ask_callback
from ivr.dialogues.welcome import inbound
from ivr.front_desk import FrontDesk
from ivr.server import AgiServer
from ivr.session import AgiSession
from recordings.capture import Capture
from recordings.files import Shelf, Spool
from recordings.replay import Replay
from scripts import verbalise, wording
from speech.cache import PromptCache
from speech.publish import Progress, publish_static, render_ahead, silent
from speech.speaker import Speaker
from speech.voices import Voices
from speech.voices.espeak import Espeak
from web import ports
from web.app import create_app
from web.audiences import audience
from web.live import Hub
from web.notices import PostgresNotices

log = logging.getLogger(__name__)

DIALOGUES: dict[str, Callable[[Call, FrontDesk], Awaitable[None]]] = {"inbound": inbound, "callback": ask_callback}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def now() -> datetime:
    return datetime.now(UTC)


# ── What both processes are made of ─────────────────────────────────────────────────────────────────────────────────


def open_database(settings: Settings, here: Places) -> Database:
    vault.unlock(site_key(here))
    return Database(database_url(settings, here))


def words(settings: Settings) -> wording.Wording:
    site = settings.site
    loaded = wording.load(
        wording.Site(
            hospital=site.name,
            emergency=site.emergency_number,
            number=site.callback_number or numbering.HOTLINE_EXTENSION,
            zone=ZoneInfo(site.time_zone),
            country=site.country.upper(),
        )
    )
    for problem in loaded.refused:
        log.error("a script file was not loaded: %s", problem)
    return loaded


def speaker(settings: Settings, here: Places) -> Speaker:
    return Speaker(words(settings), PromptCache(here.sounds, Voices([Espeak()]), verbaliser=verbalise.VERSION))


def front_desk(settings: Settings, database: Database, said: wording.Wording) -> FrontDesk:
    desk = OwnDesk(
        database,
        lease=timedelta(seconds=settings.booking.hold_seconds),
        confirmed=joints.confirmation_message(now),
    )
    return FrontDesk(
        desk=desk,
        database=database,
        now=now,
        country=settings.site.country.upper(),
        language_keys=said.menu_keys,
        spoken=frozenset(said.spoken),
        doctor=verbalise.doctor,
    )


def zone(settings: Settings) -> ZoneInfo:
    return ZoneInfo(settings.site.time_zone)


def sip_secrets(here: Places) -> dict[str, str]:
    """One for each demo account; made when there are none yet."""
    names = [account.username for account in numbering.DEMO_ACCOUNTS]
    return (read_secrets(here) if here.secrets.exists() else make_secrets(here, names)).sip


def calling_policy(settings: Settings) -> CallingPolicy:
    calling = settings.calling
    if calling.hours is not None:
        hours = {str(day): intervals for day, intervals in calling.hours.items()}
        window = Window(tuple(tuple(map(_interval, hours.get(day, ()))) for day in WEEKDAYS))
    elif calling.window == "open":
        window = ALWAYS
    else:
        window = PRESETS[calling.window or settings.site.country]
    return CallingPolicy(window, ZoneInfo(settings.site.time_zone), calling.per_day, calling.per_week)


def _interval(text: str) -> tuple[time, time]:
    start, _, end = text.partition("-")
    return time.fromisoformat(start), time.fromisoformat(end)


async def prepare(settings: Settings, progress: Progress) -> None:
    """Before Asterisk starts: the prompts that the dialplan plays alone, and the demo's people. Idempotent."""
    here = places(settings)
    asterisk.share_personal(here.sounds)
    said_words = words(settings)
    said = speaker(settings, here)
    await publish_static(said, wording.STATIC_KEYS, settings.site.languages, silent)
    # All that is the same for every caller, so that nobody waits for a voice. The cache makes it once.
    await render_ahead(said, said_words.every_key(), list(said_words.prompts), progress)
    database = open_database(settings, here)
    try:
        await database.run(demo.load_scripts, now())
        if settings.demo:
            await database.run(demo.people, read_secrets(here).sip, ZoneInfo(settings.site.time_zone), now())
    finally:
        database.close()


# ── ivr: FastAGI and the dialogues ──────────────────────────────────────────────────────────────────────────────────


async def run_ivr(settings: Settings) -> None:
    """Serves calls until SIGTERM; those under way get ten seconds to end."""
    here = places(settings)
    database = open_database(settings, here)
    said = speaker(settings, here)
    sentences = words(settings)
    front = front_desk(settings, database, sentences)
    server = AgiServer(
        partial(_hold_conversation, settings, front, said, database),
        read_secrets(here).agi,
        settings.address,
        numbering.AGI_PORT,
    )
    async with server:
        log.info("the ivr takes calls")
        await _until_told()
        await server.stop(grace_s=10)
    database.close()


async def _hold_conversation(
    settings: Settings, front: FrontDesk, said: Speaker, database: Database, session: AgiSession, path: str
) -> None:
    dialogue = DIALOGUES[path]
    country = settings.site.country.upper()
    number = caller_number(session.environment, country)
    journal = joints.SqlJournal(database, session.id, settings.node, number, now)
    await journal.begin()
    async with agi_call(session, said, journal, node=settings.node, country=country) as call:

        async def hold(call: Call) -> None:
            await dialogue(call, front)

        await converse(call, hold)


# ── core: AMI, dialer, scheduler, console ───────────────────────────────────────────────────────────────────────────


async def run_core(settings: Settings) -> None:
    """Runs until SIGTERM."""
    here = places(settings)
    database = open_database(settings, here)
    secrets = read_secrets(here)
    board = Switchboard(settings.address, numbering.AMI_PORT, numbering.AMI_USER, secrets.ami)
    telephone = joints.DialerTelephone(board, _routes(settings), _allowed(settings), here.call_records)
    catalogue = joints.SqlCatalogue(database, now)
    shelf = Shelf(here.recordings)
    capture = Capture(Spool(here.spool, PurePosixPath("/hotline/spool")), shelf, catalogue, vault.wrap_key)
    presence = Presence(board, partial(joints.duty_wishes, database), tuple(numbering.QUEUES))
    dialer = Dialer(
        database,
        telephone,
        joints.CallRecorder(capture),
        calling_policy(settings),
        node=settings.node,
        caller_id=_caller_id(settings),
        now=now,
    )
    journal = InboundJournal(
        board, telephone, database, node=settings.node, country=settings.site.country.upper(), now=now
    )
    _dialer_listens(board, dialer)
    console_presence = joints.ConsolePresence(database, presence, now)
    tasks: set[asyncio.Task[None]] = set()

    def presence_changed(change: StatusChanged) -> None:
        task = asyncio.ensure_future(console_presence.changed(change.sip_username))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    presence.on_change(presence_changed)
    services = ports.Services(
        facts=_site_facts(settings),
        database=database,
        clock=now,
        live=Hub(PostgresNotices(database.url), partial(audience, database)),
        desk=front_desk(settings, database, words(settings)).desk,
        presence=console_presence,
        dialling=joints.ConsoleDialling(dialer, partial(_local, settings)),
        replay=joints.ConsoleReplay(Replay(shelf, catalogue, vault.unwrap_key)),
        demo_patients=_demo_patients(settings, secrets.sip),
    )
    async with AsyncExitStack() as stack:
        await board.start()
        stack.push_async_callback(board.stop)
        scheduler = _scheduler(database, capture, journal)
        scheduler.start()
        stack.callback(scheduler.shutdown, wait=False)
        await _serve_console(settings, services)
    database.close()


def _dialer_listens(board: Switchboard, dialer: Dialer) -> None:
    async def rang(e: LegRinging) -> None:
        await dialer.leg_rang(e.channel_id)

    async def answered(e: LegAnswered) -> None:
        await dialer.leg_answered(e.channel_id, e.at)

    async def ended(e: LegEnded) -> None:
        await dialer.leg_ended(e.channel_id, e.line_result.value, cause=e.cause, sip_status=e.tech_cause)

    async def failed(e: OriginateFailed) -> None:
        await dialer.leg_ended(e.channel_id, e.line_result.value)

    async def ready(e: AsteriskReady) -> None:
        await dialer.reconcile()

    board.on(LegRinging, rang)
    board.on(LegAnswered, answered)
    board.on(LegEnded, ended)
    board.on(OriginateFailed, failed)
    board.on(AsteriskReady, ready)


def _scheduler(database: Database, capture: Capture, journal: InboundJournal) -> AsyncIOScheduler:
    """Only triggers that look; what is due lives in SQL."""
    scheduler = AsyncIOScheduler(timezone="UTC")

    async def sweep() -> None:
        await capture.sweep(await database.run(recordings.of_live_attempts))

    async def collect() -> None:
        """Numbers that callers typed while the ivr was down lie in Asterisk."""
        try:
            await journal.collect_callbacks()
        except (ConnectionError, TimeoutError):
            log.info("callbacks are collected when the link is back")

    scheduler.add_job(collect, "interval", seconds=10, max_instances=1, coalesce=True)
    scheduler.add_job(sweep, "interval", seconds=30, max_instances=1, coalesce=True, next_run_time=now())
    return scheduler


async def _serve_console(settings: Settings, services: ports.Services) -> None:
    config = uvicorn.Config(
        create_app(services),
        host=settings.web.bind,
        port=settings.web.port,
        log_config=None,
        access_log=False,  # addresses of pages hold record ids
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="websockets-sansio",
    )
    await uvicorn.Server(config).serve()


def _routes(settings: Settings) -> dict[str, str]:
    """In the demo the patients' numbers ring the demo's own phones."""
    if not settings.demo:
        return {}
    routes = {a.number: f"PJSIP/{a.username}" for a in numbering.DEMO_PATIENTS}
    return routes | {number: f"PJSIP/{name}" for name, numbers in demo.SECOND_NUMBERS.items() for number in numbers}


def _allowed(settings: Settings) -> tuple[str, ...]:
    return settings.trunk.allow if settings.trunk else ()


def _caller_id(settings: Settings) -> str:
    if settings.trunk is not None:
        return settings.trunk.caller_id
    return settings.site.callback_number or "0000600"


def _local(settings: Settings, at: datetime) -> str:
    return at.astimezone(ZoneInfo(settings.site.time_zone)).strftime("%A %H:%M")


def _site_facts(settings: Settings) -> ports.SiteFacts:
    host = f"{settings.web.bind}:{settings.web.port}"
    return ports.SiteFacts(
        name=settings.site.name,
        zone=ZoneInfo(settings.site.time_zone),
        hosts=frozenset({host, f"localhost:{settings.web.port}"}),
        sip_socket=f"ws://{settings.address}:{numbering.ASTERISK_HTTP_PORT}/ws",
        hotline_number=numbering.HOTLINE_EXTENSION,
        emergency_number=settings.site.emergency_number,
        demo=settings.demo,
        demo_passwords=demo.PASSWORDS if settings.demo else {},
    )


def _demo_patients(settings: Settings, sip: dict[str, str]) -> dict[str, ports.DemoPatient]:
    if not settings.demo:
        return {}
    return {
        a.username: ports.DemoPatient(
            line=ports.Line(a.username, a.person, sip[a.username]),
            number=a.number,
            language=a.language,
            story=demo.STORIES[a.username],
        )
        for a in numbering.DEMO_PATIENTS
    }


async def _until_told() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    await told.wait()
