"""One call in two ways on one Asterisk: the house, and the same menu in pure dialplan, from the same sound files.

The caller is greeted in the language of the last call, asks for results, types a birth date and hears the results.
The house identifies the patient and reads the database for it; the dialplan compares eight digits. Many callers are one
process (tests/light_phone.py), which presses a key while its question is heard.
"""

import time

from hospital import caller_languages
from hotline import wiring
from hotline.places import read_secrets
from tests.characters import LUCIA
from tests.house import House
from tests.light_phone import LightCall, LightPhone, Refused

OURS, DIALPLAN = "600", "698"
UNLIMITED = {"HOTLINE_THROTTLE__CALLS_PER_HOUR": "100000", "HOTLINE_THROTTLE__AT_ONCE": "1000"}
"""One account makes all the calls."""
ANSWERED_S = 5.0
TURN_S = 4.0  # from a key to the next sound: a caller who hears nothing for longer hangs up


class CallFailed(Exception):
    """Not answered, cut off, or silent for too long. The text says after what."""


async def add_dialplan(house: House) -> None:
    """The menu as extension DIALPLAN."""

    async def inside(*prompts: tuple[str, str]) -> str:
        return "&".join([await _short_name(house, key, language) for key, language in prompts])

    menu = await inside(("welcome", "es"), ("main_menu", "es"), ("repeat_hint", "es"))
    date = await inside(("ask_birth_date", "es"))
    told = await inside(("results_are_explained", "es"))
    steps = [
        "Answer()",
        "Wait(0.3)",
        f"Read(KEY,{menu},1,,3,7)",
        f"Read(KEY,{date},8,,3,7)",
        f"ExecIf($[${{KEY}}={LUCIA.birth_keys}]?Playback({told}))",
        f"Read(KEY,{menu},1,,3,7)",
        "Hangup()",
    ]
    for priority, step in enumerate(steps, 1):
        await house.cli(f"dialplan add extension {DIALPLAN},{priority},{step} into patients")
    shown = await house.cli(f"dialplan show {DIALPLAN}@patients")
    assert f"{len(steps)}. Hangup" in shown, shown


async def _short_name(house: House, key: str, language: str) -> str:
    """A second name of a prompt's file: Asterisk's console takes no line as long as eight hashes."""
    for suffix in (".sln16", ".sln"):
        short = house.here.sounds / "m" / f"{key}-{language}{suffix}"
        short.parent.mkdir(exist_ok=True)
        short.unlink(missing_ok=True)
        short.hardlink_to((await house.sound(key, language)).with_suffix(suffix))
    return f"/hotline/sounds/m/{key}-{language}"


def phone(house: House, last: int, *, fades: float = 0.3) -> LightPhone:
    """Lucía's account at address .`last` of the house's network."""
    address = f"{house.address.rpartition('.')[0]}.{last}"
    secret = read_secrets(house.here).sip[LUCIA.sip]
    return LightPhone(address, server=house.address, username=LUCIA.sip, secret=secret, listens=True, fades=fades)


async def is_known(house: House) -> None:
    """From now on Lucía's number is greeted in Spanish, and the connections to the database are open."""
    with house.database.transaction() as session:
        caller_languages.remember(session, LUCIA.numbers[0], "es", wiring.now())
    async with phone(house, 30) as line:
        for extension in (OURS, DIALPLAN):
            await whole_call(line, extension, [])
    await house.no_channels(within=20)


async def whole_call(line: LightPhone, extension: str, began: list[float]) -> None:
    """From the INVITE to the last question. `began` gets when it was answered. Raises CallFailed."""
    try:
        call = await line.dials(extension, within=ANSWERED_S)
    except Refused as error:
        raise CallFailed("to be answered") from error
    began.append(time.perf_counter())
    try:
        for asked, keys in (("welcome", "2"), ("date", LUCIA.birth_keys), ("results", "")):
            await _turn(call, keys, asked)
    finally:
        await call.hangs_up()


async def _turn(call: LightCall, keys: str, asked: str) -> None:
    try:
        await call.answers(keys, within=TURN_S)
    except AssertionError:
        raise CallFailed(f"to hear {asked}") from None
    if call.over.is_set():
        raise CallFailed(f"cut off at {asked}")
