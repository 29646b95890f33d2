"""The prompt cache and the speaker: rendered once, whole or not at all, and what is a patient's kept apart."""

import asyncio
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scripts import wording
from scripts.placeholders import Doctor
from scripts.wording import STATIC_KEYS, Site, UnknownWording
from speech.cache import LONGEST, NOTHING_NEW, PromptCache, plain
from speech.publish import publish_static, render_ahead
from speech.sound import Sound, check, speakable
from speech.speaker import Speaker
from speech.store import Store, link, write
from speech.voices import VoiceFailed, Voices
from speech.voices.espeak import Espeak
from tests.test_voices import recording, tone

TEXT = "One moment, please."
SITE = Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES")


class Hummer:
    """A voice that hums for as long as the text would take, and counts how often it was asked."""

    def __init__(self, *, languages: tuple[str, ...] = ("en", "es"), speed: str = "1", name: str = "hummer") -> None:
        self.name = name
        self.seconds_a_letter = 0.0
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.failing: Exception | None = None
        self.sound: Sound | None = None
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.begun = asyncio.Event()
        self._languages = languages
        self._speed = speed

    def speaks(self, language: str) -> bool:
        return language in self._languages

    async def identity(self, language: str, pace: float = 1.0) -> Mapping[str, str]:
        return {"engine": self.name, "speed": f"{self._speed} {pace:g}"}

    async def close(self) -> None:
        pass

    async def say(self, text: str, language: str, pace: float = 1.0) -> Sound:
        self.asked.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.set()
        try:
            await self.may_end.wait()
            await asyncio.sleep(0)
            if self.failing:
                raise self.failing
            return self.sound or tone(0.1 * len(text) / pace)
        finally:
            self.at_once -= 1


@pytest.fixture
def voice() -> Hummer:
    return Hummer()


@pytest.fixture
def cache(tmp_path: Path, voice: Hummer) -> PromptCache:
    return PromptCache(tmp_path, Voices([voice]))


def files(folder: Path) -> set[str]:
    """All files below, but for the locks."""
    every = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return {name for name in every if "locks/" not in name}


# ── One rendering, whole ────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_sentence_becomes_two_files_and_a_sidecar(cache: PromptCache) -> None:
    path = await cache.render(TEXT, "en")
    assert path.parent.parent == cache.sounds / "cache"
    assert path.parent.name == path.name[:2] and len(path.name) == 64 and path.suffix == ""
    seconds = tone(0.1 * len(TEXT)).seconds
    for suffix, rate in ((".sln16", 16_000), (".sln", 8_000)):
        assert abs(size(path.with_suffix(suffix)) / 2 / rate - seconds) < 0.2
    sidecar = json.loads(read_bytes(path.with_suffix(".json")))
    assert (sidecar["text"], sidecar["language"], sidecar["engine"]) == (TEXT, "en", "hummer")


async def test_the_second_time_nothing_is_rendered(cache: PromptCache, voice: Hummer) -> None:
    assert await cache.render(TEXT, "en") == await cache.render(TEXT, "en")
    assert await PromptCache(cache.sounds, Voices([voice])).render(TEXT, "en") == await cache.render(TEXT, "en")
    assert voice.asked == [TEXT]


async def test_what_changes_the_sound_changes_the_key(cache: PromptCache, tmp_path: Path) -> None:
    paths = {
        await cache.render(TEXT, "en"),
        await cache.render(TEXT, "es"),
        await cache.render(TEXT + " Or two.", "en"),
        await PromptCache(tmp_path, Voices([Hummer(speed="2")])).render(TEXT, "en"),
        await PromptCache(tmp_path, Voices([Hummer()]), verbaliser="2").render(TEXT, "en"),
    }
    assert len(paths) == 5
    # The same letters written in another normal form, and the same line broken elsewhere, are the same sentence.
    one, two = await cache.render("Lucía  llama.", "es"), await cache.render("Luci\u0301a\nllama.", "es")
    assert one == two


async def test_eight_ask_at_once_and_one_rendering_answers(cache: PromptCache, voice: Hummer) -> None:
    paths = await asyncio.gather(*(cache.render(TEXT, "en") for _ in range(8)))
    assert len(set(paths)) == 1
    assert voice.asked == [TEXT]


async def test_two_processes_render_the_same_once(tmp_path: Path) -> None:
    """Real processes with the real voice: the entry of the first is not written again by the second."""
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from speech.cache import PromptCache; from speech.voices import Voices\n"
        "from speech.voices.espeak import Espeak\n"
        "class Counted(Espeak):\n"
        "    async def say(self, text, language, pace):\n"
        "        print('said', flush=True); await asyncio.sleep(0.3); return await super().say(text, language, pace)\n"
        "cache = PromptCache(Path(sys.argv[1]), Voices([Counted()]))\n"
        "print(asyncio.run(cache.render('One moment, please.', 'en')))\n"
    )
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    said = [(await child.communicate())[0].decode().split() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert sum(words.count("said") for words in said) == 1
    assert len({words[-1] for words in said}) == 1


async def test_at_most_so_many_voices_at_once(tmp_path: Path, voice: Hummer) -> None:
    cache = PromptCache(tmp_path, Voices([voice]), jobs=2)
    await asyncio.gather(*(cache.render(f"Sentence number {n}.", "en") for n in range(20)))
    assert len(voice.asked) == 20
    assert voice.most_at_once == 2


async def test_a_caller_who_hangs_up_takes_nothing_from_the_others(cache: PromptCache, voice: Hummer) -> None:
    voice.may_end.clear()
    first = asyncio.create_task(cache.render(TEXT, "en"))
    await voice.begun.wait()
    second = asyncio.create_task(cache.render(TEXT, "en"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    voice.may_end.set()
    assert (await second).with_suffix(".sln16").stat().st_size > 0
    assert voice.asked == [TEXT]


def test_killed_in_the_middle_of_writing_leaves_no_half_prompt(tmp_path: Path) -> None:
    """The first sync is the writer's last act: its bytes are written, its names are not."""
    program = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from speech.cache import PromptCache; from speech.voices import Voices\n"
        "from speech.voices.espeak import Espeak\n"
        "asyncio.run(PromptCache(Path(sys.argv[1]), Voices([Espeak()])).render('One moment, please.', 'en'))\n"
    )
    child = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, timeout=30)
    assert child.returncode == -signal.SIGKILL
    left = files(tmp_path)
    assert [name.endswith(".tmp") for name in left] == [True], left

    # Nothing stands in the way of the next one, and what was left goes with time.
    cache = PromptCache(tmp_path, Voices([Espeak()]))
    path = asyncio.run(cache.render(TEXT, "en"))
    assert path.with_suffix(".sln16").stat().st_size > 16_000
    assert cache.shared.sweep(older_than=3600) == 0
    assert cache.shared.sweep(older_than=-1) == 1
    assert not any(name.endswith(".tmp") for name in files(tmp_path))


async def test_an_entry_without_its_sidecar_is_made_again(cache: PromptCache, voice: Hummer) -> None:
    """Killed between two renames: one format is there, the sidecar is not."""
    path = await cache.render(TEXT, "en")
    os.unlink(path.with_suffix(".json"))
    os.unlink(path.with_suffix(".sln"))
    assert await cache.render(TEXT, "en") == path
    assert size(path.with_suffix(".sln")) > 0 and len(voice.asked) == 2


# ── What is not published ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sound", "told"),
    [
        (tone(0.05), "lasts 0.05 s"),
        (tone(1.5, peak=0.0), "is silent"),
        (Sound(np.clip(tone(1.5, peak=3.0).samples, -1, 1), 16_000), "is clipped"),
    ],
)
async def test_a_bad_rendering_is_not_published(cache: PromptCache, voice: Hummer, sound: Sound, told: str) -> None:
    voice.sound = sound
    with pytest.raises(VoiceFailed, match=f"what hummer said in en {told}"):
        await cache.render(TEXT, "en")
    assert files(cache.sounds) == set()
    voice.sound = None
    assert await cache.render(TEXT, "en")  # a failure is not remembered


async def test_the_next_voice_speaks_when_the_first_fails(tmp_path: Path, voice: Hummer) -> None:
    voice.failing = VoiceFailed("the model is not there: download it")
    fallback = Hummer(speed="2")
    assert await PromptCache(tmp_path, Voices([voice, fallback])).render(TEXT, "en")
    assert (voice.asked, fallback.asked) == ([TEXT], [TEXT])
    fallback.failing = VoiceFailed("nor this one")
    with pytest.raises(VoiceFailed, match="download it; nor this one"):
        await PromptCache(tmp_path, Voices([voice, fallback])).render("Another sentence.", "en")


@pytest.fixture
def natural() -> Hummer:
    """A better voice, ready to speak at a millisecond a letter."""
    voice = Hummer(name="natural")
    voice.seconds_a_letter = 0.001
    return voice


@pytest.fixture
def two_voices(tmp_path: Path, natural: Hummer, voice: Hummer) -> PromptCache:
    return PromptCache(tmp_path, Voices([natural, voice]))


async def test_a_better_voice_speaks_where_it_is_in_time(
    two_voices: PromptCache, natural: Hummer, voice: Hummer
) -> None:
    await two_voices.render(TEXT, "en", within=30)
    assert (natural.asked, voice.asked) == ([TEXT], [])


async def test_a_better_voice_that_would_be_late_speaks_the_next_time(
    two_voices: PromptCache, natural: Hummer, voice: Hummer
) -> None:
    natural.seconds_a_letter = 0.1
    natural.may_end.clear()
    now = await two_voices.render(TEXT, "en", within=0.4)
    assert voice.asked == [TEXT]
    await natural.begun.wait()
    natural.may_end.set()
    better = await two_voices.render(TEXT, "en")  # at leisure: the one that was begun behind
    assert better != now
    assert await two_voices.render(TEXT, "en", within=0.4) == better
    assert (natural.asked, voice.asked) == ([TEXT], [TEXT])


async def test_a_better_voice_that_turns_out_to_be_late(
    two_voices: PromptCache, natural: Hummer, voice: Hummer
) -> None:
    """It hangs against all expectation: the caller waits for no longer than was said."""
    natural.may_end.clear()
    async with asyncio.timeout(5):
        await two_voices.render(TEXT, "en", within=0.05)
    assert (natural.asked, voice.asked) == ([TEXT], [TEXT])


async def test_a_prepared_prompt_is_awaited_though_it_is_long(
    two_voices: PromptCache, natural: Hummer, voice: Hummer
) -> None:
    natural.seconds_a_letter = 0.1
    prepared = asyncio.create_task(two_voices.render(TEXT, "en", within=10))
    await natural.begun.wait()
    assert await two_voices.render(TEXT, "en", within=5) == await prepared
    assert voice.asked == []


async def test_what_waits_for_a_voice_counts(two_voices: PromptCache, natural: Hummer, voice: Hummer) -> None:
    natural.may_end.clear()
    behind = [asyncio.create_task(two_voices.render(f"{TEXT} {n}" + "x" * 300, "en", within=10)) for n in range(3)]
    await natural.begun.wait()
    await two_voices.render(TEXT, "en", within=0.4)  # its own fifteen letters are no matter, the 950 before it are
    assert voice.asked == [TEXT]
    natural.may_end.set()
    await asyncio.gather(*behind)


async def test_under_load_nothing_more_is_begun_behind(two_voices: PromptCache, natural: Hummer, voice: Hummer) -> None:
    natural.may_end.clear()
    behind = [asyncio.create_task(two_voices.render(f"{n}" + "x" * 2000, "en", within=10)) for n in range(2)]
    await natural.begun.wait()
    assert await two_voices.render(TEXT, "en", within=0.4)
    natural.may_end.set()
    await asyncio.gather(*behind)
    assert TEXT not in natural.asked and TEXT in voice.asked


async def test_before_the_first_call_no_better_voice_is_waited_for(
    two_voices: PromptCache, natural: Hummer, voice: Hummer
) -> None:
    fast = await two_voices.render(TEXT, "en", within=NOTHING_NEW)
    assert (natural.asked, voice.asked) == ([], [TEXT])
    better = await two_voices.render(TEXT, "en")
    assert await two_voices.render(TEXT, "en", within=NOTHING_NEW) == better != fast


async def test_a_slow_voice_keeps_no_fast_one_waiting(tmp_path: Path, natural: Hummer, voice: Hummer) -> None:
    """All that the slow one may do at once is under way, and every lock of its own is taken."""
    cache = PromptCache(tmp_path, Voices([natural, voice]), jobs=1)
    natural.may_end.clear()
    slow = asyncio.create_task(cache.render("Something else.", "en"))
    await natural.begun.wait()
    locks = [cache.shared.lock(f"{n:02x}", "natural") for n in range(256)]
    async with asyncio.timeout(5):
        said = await cache.render(TEXT, "en", within=0)
    assert said.with_suffix(".sln16").exists() and voice.asked == [TEXT]
    assert not slow.done(), "it was the fast one that spoke"
    for lock in filter(None, locks):
        cache.shared.unlock(lock)
    natural.may_end.set()
    await slow


async def test_a_slower_pace_is_another_sound(cache: PromptCache) -> None:
    usual, slower = await cache.render(TEXT, "en"), await cache.render(TEXT, "en", pace=0.85)
    assert usual != slower
    assert size(slower.with_suffix(".sln")) > 1.1 * size(usual.with_suffix(".sln"))


async def test_a_disk_that_takes_no_more(cache: PromptCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VoiceFailed, match=r"cannot write below .*: No space left on device"):
        await cache.render(TEXT, "en")
    assert files(cache.sounds) == set()


@pytest.mark.parametrize("text", ["", "  \n", "… —", "\0", "x" * (LONGEST + 1)])
async def test_a_text_that_is_no_prompt(cache: PromptCache, text: str) -> None:
    with pytest.raises(VoiceFailed, match="mend it in scripts/languages"):
        await cache.render(text, "en")


@pytest.mark.parametrize(
    "text", ["-w /etc/x hello", "<speak><break time='9s'/>hello</speak>", "nul\0 hello", "[[h@'loU]] hello"]
)
async def test_hostile_text_by_the_real_voice(tmp_path: Path, text: str) -> None:
    path = await PromptCache(tmp_path, Voices([Espeak()])).render(text, "en")
    assert size(path.with_suffix(".sln16")) > 10_000


def test_plain_text() -> None:
    assert plain("Luci\u0301a\n\0 llama\u202e \ud83d ") == "Lucía llama"


# ── Patients' prompts ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H52", "I7")
async def test_a_patient_s_prompt_is_apart_and_is_purged(cache: PromptCache) -> None:
    shared = await cache.render(TEXT, "es")
    path = await cache.render("Gracias, Lucía.", "es", personal=True)
    assert path.parent.parent == cache.sounds / "personal"
    for name in files(cache.sounds / "personal"):
        assert "Luc" not in read_bytes(cache.sounds / "personal" / name).decode("utf-8", "replace")
    assert path.with_suffix(".sln16").stat().st_mode & 0o007 == 0

    assert await cache.purge(older_than=3600) == 0
    assert await cache.purge(older_than=-1) == 1
    assert files(cache.sounds / "personal") == {"salt"}
    assert size(shared.with_suffix(".sln16")) > 0
    assert await cache.render("Gracias, Lucía.", "es", personal=True) == path


@pytest.mark.covers("H52")
async def test_a_prompt_with_a_day_in_it_is_purged_when_it_is_not_asked_for_any_more(speaker: Speaker) -> None:
    cache, lasting = speaker.cache, await speaker.file("apology", "es", {})
    days = [dt.datetime(2026, 11, day, 9, 20, tzinfo=SITE.zone) for day in (27, 30)]
    doctor = Doctor("Vega", feminine=True)
    gone, asked_for = [await speaker.file("time_with_doctor", "es", {"when": at, "doctor": doctor}) for at in days]
    assert gone.parent.parent == asked_for.parent.parent == cache.sounds / "passing"
    assert await cache.purge() == 0
    for path in (lasting, gone, asked_for):
        os.utime(path.with_suffix(".json"), (0, 0))
    assert await speaker.file("time_with_doctor", "es", {"when": days[1], "doctor": doctor}) == asked_for
    assert await cache.purge() == 1
    assert [size(path.with_suffix(".sln")) > 0 for path in (lasting, asked_for)] == [True, True]
    assert files(gone.parent) <= {f"{asked_for.name}{end}" for end in (".json", ".sln", ".sln16")}


@pytest.mark.covers("I7")
async def test_a_patient_s_prompt_cannot_be_found_by_guessing_names(tmp_path: Path, voice: Hummer) -> None:
    """Sound names stand in Asterisk's log; two sites name the same sentence differently."""
    names = {
        (await PromptCache(tmp_path / site, Voices([voice])).render("Gracias, Lucía.", "es", personal=True)).name
        for site in ("one", "two")
    }
    assert len(names) == 2
    assert os.stat(tmp_path / "one/personal/salt").st_mode & 0o077 == 0


def test_the_salt_is_made_once(tmp_path: Path) -> None:
    assert Store(tmp_path).secret() == Store(tmp_path).secret()


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_link_replaces_and_leaves_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one", b"1")
    write(tmp_path / "two", b"2")
    link(tmp_path / "one", tmp_path / "static/key")
    link(tmp_path / "two", tmp_path / "static/key")
    link(tmp_path / "two", tmp_path / "static/key")
    assert (tmp_path / "static/key").read_bytes() == b"2"

    def none(*args: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", none)
    link(tmp_path / "one", tmp_path / "static/key")
    assert (tmp_path / "static/key").read_bytes() == b"1"
    assert files(tmp_path) == {"one", "two", "static/key"}


# ── The speaker ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def speaker(cache: PromptCache) -> Speaker:
    return Speaker(wording.load(SITE), cache)


@pytest.mark.covers("H11")
async def test_a_key_becomes_a_sound_that_asterisk_finds(speaker: Speaker, voice: Hummer) -> None:
    name = await speaker.sound("choose_department", "es", {"choices": [{"department": "cardiología", "key": 1}]})
    assert name.startswith("/hotline/sounds/cache/")
    on_disc = speaker.cache.sounds / name.removeprefix("/hotline/sounds/")
    assert on_disc.suffix == "" and size(on_disc.with_suffix(".sln16")) > 0
    assert voice.asked == ["¿Qué especialidad necesita? Para cardiología, marque uno. Si tiene dudas, marque 0."]
    assert (await speaker.sound("recognised", "es", {"given_name": "Lucía"})).startswith("/hotline/sounds/personal/")
    with pytest.raises(UnknownWording):
        await speaker.sound("no_such_key", "es")


@pytest.mark.covers("H12")
async def test_a_caller_may_ask_for_slower(speaker: Speaker) -> None:
    usual, slower = [await speaker.sound("main_menu", "es", pace=pace) for pace in (1.0, 0.85)]
    assert usual != slower


async def test_who_waits_hears_the_fast_voice_and_what_was_prepared_is_natural(
    two_voices: PromptCache, natural: Hummer
) -> None:
    """A quarter of a second is what a caller waits here; a prepared prompt has ten."""
    natural.seconds_a_letter = 0.01
    speaker = Speaker(wording.load(SITE), two_voices, within=0.25)
    fast = await speaker.sound("main_menu", "es")
    prepared = await speaker.ahead("main_menu.short", "es")
    assert await speaker.sound("main_menu.short", "es") == prepared
    assert await speaker.file("main_menu", "es", {}) == await speaker.file("main_menu", "es", {}, within=NOTHING_NEW)
    assert await speaker.sound("main_menu", "es") != fast


@pytest.mark.covers("H11")
async def test_who_chose_an_unspoken_language_hears_english(speaker: Speaker) -> None:
    english = await speaker.sound("main_menu", "en")
    assert await speaker.sound("main_menu", "zh-CN") == english
    assert await speaker.sound("main_menu", "mi") == english
    # No voice of this site speaks Portuguese, so its own sentence is not tried either.
    assert await speaker.sound("language_not_spoken", "pt-BR") == await speaker.sound("language_not_spoken", "en")


@pytest.mark.covers("H12", "H39")
async def test_slower_speech_is_another_sound(tmp_path: Path) -> None:
    """By the real voice: the language's own pace, and what the caller asked for."""
    folder = tmp_path / "languages"
    shutil.copytree(wording.HERE, folder)
    (folder / "es/language.yaml").write_text(
        (folder / "es/language.yaml").read_text().replace("pace: 1.0", "pace: 0.8")
    )
    words, cache = wording.load(SITE, folder), PromptCache(tmp_path, Voices([Espeak()]))
    speaker = Speaker(words, cache)
    own = await speaker.file("apology", "es", {})
    assert own == await cache.render(words.text("apology", "es"), "es", pace=0.8)
    slower = await speaker.file("apology", "es", {}, 0.7)
    assert size(slower.with_suffix(".sln16")) > 1.2 * size(own.with_suffix(".sln16"))


@pytest.mark.covers("H11")
async def test_a_recording_comes_before_the_voice(speaker: Speaker, voice: Hummer) -> None:
    folder = speaker.cache.sounds / "recorded"
    recording(folder / "mi/choose_language.wav", tone(2.0, rate=44_100))
    (folder / "mi/approved_by").write_text("Hana Rangi\n")
    recording(folder / "es/main_menu.short.wav", tone(1.0))
    recording(folder / "es/time_alone.wav", tone(1.0))
    maori = await speaker.file("choose_language", "mi", {})
    assert abs(size(maori.with_suffix(".sln16")) / 32_000 - 2.0) < 0.1
    await speaker.file("main_menu.short", "es", {})
    assert voice.asked == []
    await speaker.file("main_menu", "es", {})
    # A sentence with a caller's own values cannot have been recorded.
    await speaker.file("time_alone", "es", {"when": "mañana"})
    assert len(voice.asked) == 2


@pytest.mark.covers("H12")
async def test_recordings_that_no_speaker_has_approved_are_not_heard(
    speaker: Speaker, caplog: pytest.LogCaptureFixture
) -> None:
    """Māori has no voice to compare them with: until somebody stands for them, English names it."""
    folder = speaker.cache.sounds / "recorded/mi"
    recording(folder / "choose_language.wav", tone(2.0))
    english = await speaker.file("choose_language", "mi", {})
    assert english == await speaker.cache.render("For te reo Māori, press 5.", "en")
    (folder / "approved_by").write_text(" \n")
    assert await speaker.file("choose_language", "mi", {}) == english
    assert caplog.text.count("write the approving speaker's name") == 1
    (folder / "approved_by").write_text("Hana Rangi\n2026-11-23\n")
    assert await speaker.file("choose_language", "mi", {}) != english


async def test_a_bad_recording_leaves_the_voice(speaker: Speaker, voice: Hummer) -> None:
    os.makedirs(speaker.cache.sounds / "recorded/es")
    write(speaker.cache.sounds / "recorded/es/welcome.wav", b"no wav")
    await speaker.sound("welcome", "es")
    assert len(voice.asked) == 1


@pytest.mark.covers("H1")
async def test_the_dialplan_has_its_prompts_in_every_language(speaker: Speaker) -> None:
    told: list[tuple[int, int, str]] = []
    languages = list(speaker.sentences.languages)  # type: ignore[attr-defined]
    count = await publish_static(speaker, STATIC_KEYS, languages, lambda *row: told.append(row))
    assert count == len(languages) * len(STATIC_KEYS) == len(told)
    assert told[-1][:2] == (count, count)
    for language in languages:
        for key in STATIC_KEYS:
            for suffix in ("sln16", "sln"):
                assert size(speaker.cache.sounds / language / "static" / f"{key}.{suffix}") > 1000
    assert await publish_static(speaker, STATIC_KEYS, languages) == count


async def test_a_voice_that_fails_is_told_as_it_is(speaker: Speaker, voice: Hummer) -> None:
    voice.failing = VoiceFailed("espeak-ng is not installed: install it")
    with pytest.raises(VoiceFailed, match="install it"):
        await publish_static(speaker, STATIC_KEYS, ["en", "es"])
    assert files(speaker.cache.sounds) == set()


async def test_ahead_of_the_first_caller(speaker: Speaker, voice: Hummer) -> None:
    keys = [key for key in wording.load(SITE).every_key() if key.startswith(("main_menu", "choose"))]
    static = [key for key in keys if speaker.sentences.is_static(key)]
    count = await render_ahead(speaker, keys, ["en", "es"])
    assert count == 2 * len(static) and 3 < len(static) < len(keys)
    asked = len(voice.asked)
    await speaker.sound("main_menu.other", "es")
    assert len(voice.asked) == asked


@pytest.mark.covers("H11")
async def test_every_static_prompt_by_the_real_voice(tmp_path: Path) -> None:
    """Each sentence of each language passes the judgement of length, loudness and clipping."""
    words, voice, hands = wording.load(SITE), Espeak(), asyncio.Semaphore(2)

    async def passes(sentence: wording.Sentence) -> None:
        text, pace = plain(sentence.text), words.pace(sentence.language)
        assert speakable(text) and len(text) <= LONGEST
        async with hands:
            check(await voice.say(text, sentence.language, pace), text, pace)

    static = [key for key in words.every_key() if words.is_static(key)]
    sentences = {words.sentence(key, language, {}) for language in words.spoken for key in static}
    assert len(sentences) > 1000
    await asyncio.gather(*map(passes, sentences))


def size(path: Path) -> int:
    return path.stat().st_size


def read_bytes(path: Path) -> bytes:
    return path.read_bytes()
