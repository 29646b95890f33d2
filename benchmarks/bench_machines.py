"""Who picks up a call of ours: our verdict beside that of Asterisk's own AMD(), on the same clips.

    python -m benchmarks.bench_machines [--json]

Every kind of tests/pickups.py by a natural voice of each language that no prompt uses (in English and Chinese one with
which no rule was made), and faxes, each on two lines: noise 25 and 15 dB below the speech. AMD() has its stock settings
and hears each clip in a call over RTP on loopback, in silence, as it wants to. Ours hears it as it would in a call:
while our greeting is spoken, with that coming back in it. AMD's NOTSURE counts as a person, as our `unsure` does. With
whisper-base our line hears words, too (not in Chinese). The clips are made here, by those who made the rules: they show
a change, not the field.
"""

import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import soxr  # type: ignore[import-untyped]

from benchmarks import table
from benchmarks.table import Row
from dialplans import Trunk
from hotline import asterisk_root, models
from hotline.model_catalogue import WHISPER
from ivr.attending import Attending
from ivr.attending import Pickup as PickedUp
from ivr.leaving import NotAPerson
from ivr.listening import Answer, Recognise
from speech.ears import Understood, whisper
from speech.ears.activity import VoiceActivity
from speech.ears.pickup import WhoAnswered
from speech.ears.voiced import FRAME_BYTES
from speech.ears.voicemail import announced
from tests import callers, phone_audio, pickups
from tests.asterisk_instance import AsteriskInstance, demo_plan, free_address, speak_static
from tests.pickups import Pickup, Samples

NETWORK = "127.0.60"
WIDE = 16_000
FIRST = 9001  # the extension of the first clip
AT_ONCE = 25  # calls
LONGEST_S = 12.0  # AMD() decides within five seconds of sound
PERSON_S = 2.0  # the most silence that a person may hear before us
NOISES = (25.0, 15.0)  # dB below the speech
OURS = "¿Es usted Lucía Fernández? Marque 1. Si no es un buen momento, marque 2. Para hablar con una persona, marque 0."
Hear = Callable[[bytes, str], Understood]
"""(8 kHz sound, language) → words."""
DIALPLAN = """
[trunk](+)
exten => _9XXX,1,Answer()
 same => n,Playback(/hotline/sounds/clips/${EXTEN})
 same => n,Wait(10)

[amd]
exten => _9XXX,1,Set(BEGAN=${STRFTIME(,,%s%3q)})
 same => n,AMD()
 same => n,Set(DB(amd/${EXTEN})=${AMDSTATUS} ${AMDCAUSE} ${MATH(${STRFTIME(,,%s%3q)}-${BEGAN},int)})
 same => n,Hangup()
"""


@dataclass(frozen=True)
class Found:
    """`who`: person, machine, fax or unsure. `after`: seconds of sound until it was known."""

    who: str
    after: float

    @property
    def taken_for(self) -> str:
        return "person" if self.who == "unsure" else self.who


def clips() -> list[Pickup]:
    return [pickup for language in pickups.LANGUAGES for pickup in pickups.of(language)] + pickups.faxes()


async def voices(of: Sequence[Pickup]) -> pickups.Speak:
    wanted = {(clip.language, part) for clip in of for part in clip.parts if isinstance(part, str)}
    wanted |= {(clip.language, clip.room[0]) for clip in of if clip.room is not None}
    files = await callers.say([(language, callers.VOICES[language][-1], words) for language, words in sorted(wanted)])

    def speak(language: str, words: str) -> Samples:
        wide = callers.samples(files[language, callers.VOICES[language][-1], words])
        return np.asarray(soxr.resample(wide, callers.RATE, phone_audio.RATE), np.float32)

    return speak


def ours(clip: Pickup, sound: bytes, greeting: bytes, hear: Hear | None = None) -> Found:
    """What the line makes of it where no message may be left; `hear`: with a recogniser that understands it."""
    activity = VoiceActivity()
    known = partial(announced, language=clip.language) if hear is not None else None
    pickup = PickedUp(WhoAnswered(), until_beep=False, announced=known)
    rules, heard = Attending(pickup, activity, 7.0), pickups.over_our_prompt(sound, greeting)
    for at in range(0, len(heard) - FRAME_BYTES + 1, FRAME_BYTES):
        try:
            orders = rules.sound(heard[at : at + FRAME_BYTES], greeting[at : at + FRAME_BYTES], 0.0)
        except NotAPerson as answered:
            return Found(answered.who, pickup.verdict.after)
        for order in orders:
            match order:
                case Recognise(pcm) if hear is not None:
                    rules.understood(hear(pcm, clip.language))
                case Answer():
                    rules = Attending(pickup, activity, 7.0)  # asked again
    return Found("person" if pickup.verdict.who == "person" else "unsure", pickup.verdict.after)


def whisper_ears() -> Hear:
    os.environ["OMP_NUM_THREADS"] = "1"
    recogniser = whisper.Recogniser(models.install(WHISPER))

    def hear(pcm: bytes, language: str) -> Understood:
        narrow = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        return recogniser.open(soxr.resample(narrow, phone_audio.RATE, WIDE), language)

    return hear


async def amd(asterisk: AsteriskInstance, sounds: Sequence[bytes]) -> list[Found]:
    folder = asterisk.sounds / "clips"
    folder.mkdir(mode=0o755)
    for at, sound in enumerate(sounds, FIRST):
        (folder / f"{at}.sln").write_bytes(sound)
    etc = asterisk.folder / "etc"
    stock = (asterisk_root.ensure_root() / "etc/asterisk/amd.conf").read_text()
    (etc / "amd.conf").write_text(stock)
    with (etc / "extensions.conf").open("a") as dialplan:
        dialplan.write(DIALPLAN)
    for module in ("app_amd", "res_clioriginate", "func_math"):
        await asterisk.cli(f"module load {module}.so")
    await asterisk.cli("dialplan reload")
    for first in range(FIRST, FIRST + len(sounds), AT_ONCE):
        some = range(first, min(first + AT_ONCE, FIRST + len(sounds)))
        for at in some:
            await asterisk.cli(f"channel originate PJSIP/{at}@trunk extension {at}@amd")
        await asterisk.shows(f"/amd/{some[-1]} ", "database show amd", LONGEST_S)
        await asterisk.no_channels(LONGEST_S)
    shown = await asterisk.cli("database show amd")
    told = {int(at): (status, int(ms)) for at, status, ms in re.findall(r"/amd/(\d+)\s*: (\w+) \S* (\d+)", shown)}
    known = {"HUMAN": "person", "MACHINE": "machine", "NOTSURE": "unsure"}
    return [Found(known.get(told[at][0], "unsure"), told[at][1] / 1000) for at in range(FIRST, FIRST + len(sounds))]


def matrix(name: str, of: Sequence[Pickup], found: Sequence[Found]) -> str:
    seen = Counter((clip.who, one.who) for clip, one in zip(of, found, strict=True))
    columns = ("person", "unsure", "machine", "fax")
    lines = [f"{name:24}" + "".join(f"{column:>9}" for column in columns)]
    for row in ("person", "machine", "fax"):
        lines.append(f"{row:24}" + "".join(f"{seen[row, column]:9}" for column in columns))
    return "\n".join(lines)


def wrong(of: Sequence[Pickup], found: Sequence[Found], who: str) -> float:
    """The share of them that was taken for something else."""
    theirs = [one for clip, one in zip(of, found, strict=True) if clip.who == who]
    return 100 * sum(one.taken_for != who for one in theirs) / len(theirs)


def rows(
    of: Sequence[Pickup], mine: Sequence[Found], hearing: Sequence[Found], theirs: Sequence[Found], cpu: float
) -> list[Row]:
    """Of the first line, then two of the noisier one, without a limit."""
    each = len(of) // len(NOISES)
    later = of[each:], mine[each:], theirs[each:]
    noisy = [
        Row(f"{what}, {NOISES[1]:g} dB", "AMD()", wrong(later[0], later[1], who), wrong(later[0], later[2], who), "%")
        for what, who in (("people taken for machines", "person"), ("machines taken for people", "machine"))
    ]
    of, mine, hearing, theirs = of[:each], mine[:each], hearing[:each], theirs[:each]

    def known(found: Sequence[Found]) -> float:
        pairs = zip(of, found, strict=True)
        return statistics.median(one.after for clip, one in pairs if clip.who == one.who == "machine")

    waited = [one.after for clip, one in zip(of, theirs, strict=True) if clip.who == "person"]
    peer, people = "AMD()", wrong(of, theirs, "person")
    return [
        Row("people taken for machines", peer, wrong(of, mine, "person"), people, "%", limit=0.0),
        Row("machines taken for people", peer, wrong(of, mine, "machine"), wrong(of, theirs, "machine"), "%", limit=5),
        Row("faxes not known for one", None, wrong(of, mine, "fax"), None, "%", limit=0.0),
        Row("silence before we speak, p50", peer, 0.0, statistics.median(waited), "s", limit=PERSON_S),
        Row("until a machine is sure, p50", peer, known(mine), known(theirs), "s"),
        Row("the same with whisper-base", peer, known(hearing), known(theirs), "s"),
        Row("people taken for machines with it", peer, wrong(of, hearing, "person"), people, "%", limit=0.0),
        *noisy,
        Row("processor for a second of sound", None, cpu, None, "s", limit=0.2),
    ]


async def measure(asterisk: AsteriskInstance) -> int:
    of = clips()
    speak = await voices(of)
    sounds = [clip.sound(speak, noise_db) for noise_db in NOISES for clip in of]
    of = of * len(NOISES)
    theirs = await amd(asterisk, sounds)
    greeting = phone_audio.line(phone_audio.spoken(OURS, "es"), 60)
    began = time.process_time()
    mine = [ours(clip, sound, greeting) for clip, sound in zip(of, sounds, strict=True)]
    heard = sum(
        min(len(sound) / 16000, one.after if one.who in ("machine", "fax") else 1e9)
        for sound, one in zip(sounds, mine, strict=True)
    )
    cpu = (time.process_time() - began) / heard
    ears = whisper_ears()
    hearing = [
        ours(clip, sound, greeting, ears if clip.language in whisper.ENOUGH else None)
        for clip, sound in zip(of, sounds, strict=True)
    ]
    if "--json" not in sys.argv:
        each = len(of) // len(NOISES)
        for at, noise_db in enumerate(NOISES):
            these = slice(at * each, (at + 1) * each)
            for name, found in (("ours", mine), ("ours with whisper", hearing), ("AMD()", theirs)):
                print(matrix(f"{name}, {noise_db:g} dB", of[these], found[these]), end="\n\n")
        for name, found in (("ours", mine), ("ours with whisper", hearing), ("AMD()", theirs)):
            mistaken = Counter(clip.name for clip, one in zip(of, found, strict=True) if clip.who != one.taken_for)
            print(f"{name} mistakes: " + (", ".join(f"{what} ×{times}" for what, times in mistaken.items()) or "–"))
        print()
    return table.show(rows(of, mine, hearing, theirs, cpu))


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    folder = Path(tempfile.mkdtemp(prefix="bench-machines-"))
    folder.chmod(0o755)
    speak_static(folder / "sounds")
    plan = demo_plan(free_address())
    itself = Trunk(
        host=plan.address, sources=(plan.address,), numbers=("6015550199",), caller_id="6015550199", port=plan.sip_port
    )
    asterisk = AsteriskInstance(replace(plan, trunk=itself), folder)
    try:
        asterisk.start()
        return asyncio.run(measure(asterisk))
    finally:
        asterisk.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
