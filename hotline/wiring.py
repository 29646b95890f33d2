"""What the house's processes are made of, joined from the settings. `run_ivr.py` and `run_core.py` are the processes
themselves: read those two from top to bottom and the whole hotline has been seen once.

The ivr imports nothing of the console or of AMI: what breaks there must not cost a caller the menu.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Collection, Container
from dataclasses import replace
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from hospital import accounts
from hospital.answer_links import Links
from hospital.booking import OwnDesk
from hospital.calling_hours import ALWAYS, PRESETS, Window
from hospital.calling_rules import CallingPolicy
from hospital.database import Database
from hospital.video_steps import Rooms
from hotline import asterisk, demo, demo_front_desk, models, numbering, script_files
from hotline.caller_joints import appointment_messages
from hotline.care_wiring import care_desk, opening_hours, triage_table, week
from hotline.in_force import InForce, Shipped
from hotline.opened import now as now
from hotline.opened import open_database as open_database
from hotline.opened import zone as zone
from hotline.places import Places, make_secrets, places, read_secrets
from hotline.settings import Settings
from hotline.sheets import Sheets
from ivr.call import Call, HouseKeys
from ivr.dialogues.attended import attended
from ivr.dialogues.care import care
from ivr.dialogues.goodbye import with_goodbye
from ivr.dialogues.language import change_language
from ivr.dialogues.machine import leave_message
from ivr.dialogues.on_call import on_call
from ivr.dialogues.outgoing import SUBJECTS, outgoing
from ivr.dialogues.place import send_place
from ivr.dialogues.rating import rate
from ivr.dialogues.survey import answer_questions
from ivr.dialogues.suspended import tell_first
from ivr.dialogues.throttled import turn_away
from ivr.dialogues.unattended import while_waiting
from ivr.dialogues.welcome import inbound
from ivr.front_desk import FrontDesk
from recordings.files import Spool
from scripts import verbalise, wording
from speech.cache import NOTHING_NEW, PromptCache
from speech.publish import Progress, publish_static, render_ahead, silent
from speech.speaker import Speaker
from speech.tones import publish_beep
from speech.voices import Voices
from speech.voices.espeak import Espeak
from speech.voices.kokoro import Kokoro

log = logging.getLogger(__name__)

DIALOGUES: dict[str, Callable[[Call, FrontDesk], Awaitable[None]]] = {
    "inbound": with_goodbye(attended(inbound)),
    "crowded": with_goodbye(attended(inbound)),  # of a number that may have many calls at once
    "throttled": attended(turn_away),
    "callback": with_goodbye(attended(while_waiting)),
    "place": send_place,
    "care": with_goodbye(attended(care)),
    "rating": attended(rate),
    "outgoing": attended(outgoing),
    "survey": with_goodbye(attended(answer_questions)),
    "message": leave_message,
    "oncall": on_call,
}
SPOKEN_KINDS = frozenset(SUBJECTS)
"""Kinds of contacts that the ivr can speak about: only these are dialled without a nurse."""


def words(settings: Settings) -> wording.Wording:
    """What comes with the hotline, and the site's files: without what the console has published."""
    loaded = Shipped(settings).words()
    for problem in loaded.refused:
        log.error("a script file was not loaded: %s", problem)
    return loaded


def speaker(settings: Settings, here: Places, said: wording.Wording | None = None) -> Speaker:
    cache = PromptCache(here.sounds, voices(settings), verbaliser=verbalise.VERSION)
    asked = settings.voices
    return Speaker(said or words(settings), cache, within=asked.wait_ms / 1000, pace=asked.pace)


def voices(settings: Settings) -> Voices:
    """Best first; the last one is always in time."""
    if not settings.voices.natural:
        return Voices([espeak()])
    names = {str(language): name for language, name in settings.voices.names.items()}
    return Voices([Kokoro(models.folder("kokoro"), names, threads=settings.voices.threads), espeak()])


def espeak() -> Espeak:
    """With the voices that languages name in their folders."""
    named = {tag: getattr(words, "ESPEAK", None) for tag, words in verbalise.SPEECH.items()}
    return Espeak(more={tag: voice for tag, voice in named.items() if voice})


def front_desk(
    settings: Settings,
    database: Database,
    said: wording.Wording,
    spool: Spool | None = None,
    live: InForce | None = None,
    spoken: Container[str] | None = None,
) -> FrontDesk:
    """`spool`: where callers' voices are written; Asterisk's unless another is given. `live`: what is in force; without
    it, what the settings and the files say. `spoken`: the languages in which a call can be held, those that have a
    voice unless others are given."""
    hours = live.hours if live else opening_hours(settings)
    table = live.triage if live else triage_table(settings, said.spoken)
    keys = {tag: key for key, tag in said.menu_keys.items()}
    return FrontDesk(
        desk=own_desk(settings, database, lambda: said.site_says),
        database=database,
        now=now,
        zone=zone(settings),
        country=settings.site.country_code,
        language_keys={keys[tag]: tag for tag in settings.site.languages if tag in keys},
        spoken=frozenset(said.spoken) if spoken is None else spoken,
        default_language=settings.site.default_language,
        slower_from_age=settings.site.slower_from_age,
        identifiers=settings.identity.by,
        site_says=said.site_says,
        say_doctor_calls=settings.results.say_doctor_calls,
        tries=settings.lock.tries,
        lock=timedelta(seconds=settings.lock.seconds),
        care=care_desk(settings, database, now, hours, table, spool),
        policy=replace(calling_policy(settings), outcomes=live.outcomes) if live else calling_policy(settings),
        tell_first=tell_first,
        menu=live.menu if live else None,
    )


def own_desk(settings: Settings, database: Database, site_says: Callable[[], Collection[str]]) -> OwnDesk:
    """`site_says`: the prompts of the site's own, whose instructions follow a booking as text messages."""
    return OwnDesk(
        database,
        lease=timedelta(seconds=settings.booking.hold_seconds),
        zone=zone(settings),
        **appointment_messages(now, site_says),
    )


def house_keys(front: FrontDesk) -> HouseKeys:
    """The language key is in force where there is more than one."""
    if len(front.language_keys) < 2:
        return HouseKeys()
    return HouseKeys(change_language=partial(change_language, front=front))


def sip_secrets(here: Places) -> dict[str, str]:
    """One for each demo account; made when there are none yet."""
    names = [account.username for account in numbering.DEMO_ACCOUNTS]
    return (read_secrets(here) if here.secrets.exists() else make_secrets(here, names)).sip


def calling_policy(settings: Settings) -> CallingPolicy:
    calling = settings.calling
    return CallingPolicy(
        _window(settings),
        ZoneInfo(settings.site.time_zone),
        calling.per_day,
        calling.per_week,
        automatic_tries=settings.automatic.tries,
        urgent_again=timedelta(minutes=settings.automatic.urgent_again_minutes),
        text_answer_within=timedelta(days=calling.text_answer_days),
        country=settings.site.country_code,
        trunk_lines=settings.trunk.lines if settings.trunk else None,
    )


def _window(settings: Settings) -> Window:
    """Hours and holidays of calls. The holidays are the site's country's, whichever country's hours it has chosen."""
    calling = settings.calling
    if calling.window == "open" and calling.hours is None:
        return ALWAYS
    chosen = settings.site.country if calling.window in (None, "open") else calling.window
    window = replace(PRESETS[chosen], country=settings.site.country_code)
    if calling.hours is not None:
        window = replace(window, week=week(calling.hours))
    return window if calling.public_holidays is None else replace(window, on_holidays=calling.public_holidays)


def video_rooms(settings: Settings) -> Rooms | None:
    """None where the site has no video service."""
    of = settings.video
    if of.url is None:
        return None
    return Rooms(of.url, timedelta(minutes=of.notice_minutes), timedelta(minutes=of.wait_minutes))


def answer_links(settings: Settings) -> Links | None:
    """None where the site has no pages to answer on."""
    address = settings.answers_url
    return None if address is None else Links(address, timedelta(days=settings.answers.days))


async def prepare(settings: Settings, progress: Progress) -> list[str]:
    """Before Asterisk starts: the prompts that the dialplan plays alone, and the demo's people. Idempotent. Returns
    what is wrong in files of `scripts/`, which are left out.

    No call waits for the natural voice: it speaks what it has spoken before, the fast voice the rest.
    """
    here = places(settings)
    asterisk.share_personal(here.sounds)
    database = open_database(settings, here)
    try:
        await database.run(demo.load_scripts, now())
        sip = read_secrets(here).sip
        if settings.demo:
            await asyncio.to_thread(_demo_people, database, sip, zone(settings))
        else:
            await database.run(accounts.give_secrets, sip)
        in_force = await Sheets(Shipped(settings), database).now()
    finally:
        database.close()
    said = speaker(settings, here, in_force.words)
    publish_beep(here.sounds)
    await publish_static(said, wording.STATIC_KEYS, settings.site.languages, silent, within=NOTHING_NEW)
    # All that is the same for every caller, so that nobody waits for a voice. The cache makes it once.
    every = in_force.words.every_key()
    await render_ahead(said, every, settings.site.languages, progress, within=NOTHING_NEW)
    return [str(problem) for problem in script_files.problems()]


def _demo_people(database: Database, sip: dict[str, str], at: ZoneInfo) -> None:
    """Without the patience that a caller has: on a busy machine the passwords alone take their time."""
    with database.transaction() as session:
        demo.people(session, sip, at, now())
        demo.ask_how_it_was(session, now())
        demo_front_desk.open_waiting_room(session, at, now())


async def until_told() -> None:
    """Waits for SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    await told.wait()
