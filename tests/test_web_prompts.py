"""A hospital's own recordings at the console: recorded, approved under a name, heard; and what is refused."""

import json
import wave
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from playwright.async_api import Playwright, expect

from hospital import accounts, audit
from hospital.database import Database
from hotline.own_prompts import OwnPrompts
from hotline.spoken import Spoken
from scripts import wording
from scripts.wording import STATIC_KEYS
from speech.cache import PromptCache
from speech.sound import Sound
from speech.speaker import Speaker
from speech.takes import Takes
from speech.voices import Voices
from speech.voices.espeak import Espeak
from tests import listening
from tests.browser import PASSWORD, Site, does_not_scroll, looked_at, served, site
from tests.chromium import CHROMIUM, FLAGS
from tests.moments import NOON
from web.app import create_app

__all__ = ["served"]

SITE = wording.Site("Hospital San Rafael", "112", "600", ZoneInfo("Pacific/Auckland"), "NZ")
WELCOME = "/prompts/mi/welcome"


def speech(seconds: float, *, peak: float = 0.5, rate: int = 48_000) -> Sound:
    """What a microphone may hear of somebody speaking: syllables of a warbling tone, with a breath before and after."""
    at = np.arange(int(seconds * rate)) / rate
    syllables = np.abs(np.sin(np.pi * 2.5 * at)) * np.sin(2 * np.pi * (180 + 40 * np.sin(at)) * at)
    quiet = np.zeros(rate // 2)
    return Sound(np.concatenate([quiet, peak * syllables, quiet]).astype(np.float32), rate)


def wav(sound: Sound, *, channels: int = 1, width: int = 2) -> bytes:
    sink = BytesIO()
    with wave.open(sink, "wb") as file:
        file.setparams((channels, width, sound.rate, 0, "NONE", ""))
        file.writeframes(sound.pcm16(sound.rate) if width == 2 else b"\x80" * len(sound.samples))
    return sink.getvalue()


@pytest.fixture
def speaker(tmp_path: Path) -> Speaker:
    return Speaker(wording.load(SITE), PromptCache(tmp_path / "sounds", Voices([Espeak()])))


@pytest.fixture
def own(speaker: Speaker) -> OwnPrompts:
    words = speaker.sentences
    assert isinstance(words, wording.Wording)

    async def in_force() -> wording.Wording:
        return words

    return OwnPrompts(in_force, speaker, ("en", "es", "mi"))


@pytest.fixture  # type: ignore[no-redef]
def site(database: Database, own: OwnPrompts) -> Site:  # noqa: F811 - this house has voices of its own
    made = Site(database)
    made.app = create_app(replace(made.services, own_prompts=own))
    with database.transaction() as session:
        hana = accounts.create(session, username="hana", display_name="Hana Rangi", role="speaker", password=PASSWORD)
        made.accounts["hana"] = hana.id
    return made


def taken(own: OwnPrompts, key: str, language: str = "mi") -> str:
    """The hash of the newest take."""
    found = own._takes.of(language, key).new
    assert found is not None
    return found.digest


@pytest.mark.covers("H11", "H12", "H51")
async def test_hana_records_approves_and_withdraws(site: Site, own: OwnPrompts, speaker: Speaker) -> None:
    english = await speaker.file("choose_language", "mi", {})
    async with site.signed_in("hana") as hana:
        at = "/prompts/mi/choose_language"
        page = await hana.get(at)
        assert "Mō te reo Māori, pēhia te 5." in page.text and "Not recorded" in page.text
        assert (await hana.post(f"{at}/take", content=wav(speech(2.5)))).status_code == 204
        assert await speaker.file("choose_language", "mi", {}) == english, "nobody has approved it yet"
        digest = taken(own, "choose_language")
        heard = await hana.get(f"{at}/sound/{digest}")
        assert heard.headers["content-type"] == "audio/wav" and heard.content[:4] == b"RIFF"

        form = {"digest": digest, "speaker": "  Hana   Rangi ", "consent": "yes"}
        for missing in ("speaker", "consent"):
            assert (await hana.post(f"{at}/approve", data=form | {missing: ""})).status_code == 422
        assert (await hana.post(f"{at}/approve", data=form | {"digest": "0" * 64})).status_code == 409
        approved = await hana.post(f"{at}/approve", data=form)
        assert "Hana Rangi, approved" in approved.text
        own_sound = await speaker.file("choose_language", "mi", {})
        assert own_sound != english
        assert abs(own_sound.with_suffix(".sln16").stat().st_size / 32_000 - 2.5) < 0.3, "the silence is trimmed"

        # a second take is only heard when it is approved, too
        assert (await hana.post(f"{at}/take", content=wav(speech(3.0)))).status_code == 204
        assert await speaker.file("choose_language", "mi", {}) == own_sound
        withdrawn = await hana.post(f"{at}/withdraw")
        assert "To be approved" in withdrawn.text
        assert await speaker.file("choose_language", "mi", {}) == english
        assert (await hana.post(f"{at}/withdraw")).status_code == 409
        assert (await hana.get(f"{at}/sound/{digest}")).status_code == 404
    with site.database.transaction() as session:
        rows = audit.of_subject(session, "prompt:mi/choose_language")
        written = [row.action for row in rows]
        assert sorted(written) == ["prompt.approved", "prompt.recorded", "prompt.recorded", "prompt.withdrawn"]
        assert "Rangi" not in json.dumps([row.detail for row in rows]), (
            "the chain outlives whoever asks to be forgotten"
        )


@pytest.mark.covers("H12")
@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (b"", "no WAV file"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\3\0", "no WAV file"),
        (b"OggS" + b"\0" * 400, "no WAV file"),
        (wav(speech(2.5), width=1), "save it as 16 bit"),
        (wav(speech(2.5, peak=0.0)), "silent"),
        (wav(speech(2.5, peak=0.015)), "silent"),
        (wav(speech(2.5, peak=0.022)), "too quiet"),
        (wav(speech(2.5, peak=3.0)), "clipped"),
        (wav(speech(0.2)), "lasts"),
        (wav(speech(60.0)), "lasts"),
    ],
    ids=["empty", "cut", "ogg", "8_bit", "silence", "noise", "quiet", "clipped", "short", "long"],
)
async def test_a_sound_that_cannot_be_used_is_refused_in_a_sentence(
    site: Site, own: OwnPrompts, sound: bytes, said: str
) -> None:
    async with site.signed_in("hana") as hana:
        answer = await hana.post(
            "/prompts/mi/choose_language/take", content=sound, headers={"X-Fragment": "1", "Content-Type": "audio/wav"}
        )
        assert answer.status_code == 422 and said in answer.text, answer.text
    assert own._takes.of("mi", "choose_language").new is None


async def test_nothing_but_known_sentences_becomes_a_file(site: Site, own: OwnPrompts) -> None:
    async with site.signed_in("ida") as ida:
        for address in (
            "/prompts/mi/take_time",  # a caller's own values are in it
            "/prompts/mi/..escape",
            "/prompts/zh-CN/welcome",  # callers of this site cannot choose it
            "/prompts/xx/welcome",
        ):
            assert (await ida.post(f"{address}/take", content=wav(speech(2.5)))).status_code == 404, address
        assert (await ida.get("/prompts/xx")).status_code == 404
        assert (await ida.get("/prompts")).headers["location"] == "/prompts/mi", "no voice speaks it: it comes first"
        far = await ida.post("/prompts/mi/..%2f..%2fescape/take", content=b"")
        assert far.status_code == 404
        huge = await ida.post(f"{WELCOME}/take", content=b"\0" * (17 * 1024 * 1024))
        assert huge.status_code == 413
        assert (await ida.post("/prompts/mi/welcome/approve", content=b"\0" * 300_000)).status_code == 413
    for who in ("ana", "grace", "tom", "oscar"):
        async with site.signed_in(who) as other:
            assert (await other.get(WELCOME)).status_code == 403
    assert not (own._takes.folder / "mi").exists()


async def test_a_sentence_that_has_changed_is_not_heard_in_its_old_words(own: OwnPrompts, speaker: Speaker) -> None:
    """A menu with new keys would lead callers astray. The hospital's name is in the welcome."""
    takes = own._takes
    keep(takes, "es", "welcome", "Bienvenidos. Oprima el 4.")
    lines, _ = await own.lines("es")
    assert {line.key: line.state for line in lines}["welcome"] == "outdated"
    voiced = await speaker.file("welcome", "es", {})
    keep(takes, "es", "welcome", wording.load(SITE).text("welcome", "es"))
    assert await speaker.file("welcome", "es", {}) != voiced
    # another sound under the approved one's name is nobody's
    approval = takes.of("es", "welcome").approved
    assert approval is not None
    (takes.folder / "es" / approval.take.file).write_bytes(wav(speech(9.0)))
    assert await speaker.file("welcome", "es", {}) == voiced
    (takes.folder / "es/welcome.json").write_text("{", encoding="utf-8")
    assert await speaker.file("welcome", "es", {}) == voiced


def keep(takes: Takes, language: str, key: str, text: str, seconds: float = 8.0) -> None:
    take = takes.keep(language, key, speech(seconds), text, "hana", NOON)
    assert takes.approve(language, key, take.digest, "Hana Rangi", "hana", NOON)


@pytest.mark.covers("H11", "H12")
async def test_maori_is_spoken_when_all_is_there_and_not_before(own: OwnPrompts, speaker: Speaker) -> None:
    words = wording.load(SITE)
    needed = words.whole_call("mi")
    assert needed is not None and len(needed) > 120
    assert set(STATIC_KEYS) <= needed.keys() and "welcome" in needed
    assert "take_time" not in needed and "by_key" not in needed
    # one voice for all: what is judged here is which are there
    spoken = Spoken(words, speaker.recordings)
    *others, last = needed.items()
    sound = speech(4.0, rate=8_000)
    for key, text in others:
        take = own._takes.keep("mi", key, sound, text, "hana", NOON)
        own._takes.approve("mi", key, take.digest, "Hana Rangi", "hana", NOON)
    assert "mi" not in spoken and "es" in spoken and None not in spoken  # type: ignore[comparison-overlap]
    _, progress = await own.lines("mi")
    assert (progress.approved, progress.needed, progress.spoken) == (len(others), len(needed), False)
    own._takes.keep("mi", last[0], sound, last[1], "hana", NOON)
    assert "mi" not in spoken
    own._takes.approve("mi", last[0], taken(own, last[0]), "Hana Rangi", "hana", NOON)
    assert "mi" in spoken
    assert (await own.lines("mi"))[1].spoken
    own._takes.withdraw("mi", "goodbye")
    assert "mi" not in spoken


async def test_what_the_dialplan_plays_alone_is_put_in_place(own: OwnPrompts, speaker: Speaker, site: Site) -> None:
    static = speaker.cache.sounds / "mi/static/apology.sln16"
    refused = await own.keep("mi", "apology", wav(speech(1.5)), site.accounts["hana"], datetime.now(UTC))
    assert refused is None
    assert not static.exists()
    await own.approve("mi", "apology", taken(own, "apology"), "Hana Rangi", site.accounts["hana"], datetime.now(UTC))
    assert static.stat().st_size / 32_000 == pytest.approx(1.7, abs=0.3)


@pytest.mark.browser
@pytest.mark.covers("H12", "H51")
async def test_hana_reads_the_welcome_aloud_in_her_browser(
    served: Site,
    own: OwnPrompts,
    speaker: Speaker,
    tmp_path: Path,
    playwright: Playwright,
) -> None:
    """Chromium's microphone is a file: what it says is what callers hear then."""
    voice = speech(3.0)
    quiet = np.zeros(3 * voice.rate, dtype=np.float32)  # the microphone is on before the page records
    (tmp_path / "microphone.wav").write_bytes(wav(Sound(np.concatenate([quiet, voice.samples]), voice.rate)))
    microphone = f"--use-file-for-fake-audio-capture={tmp_path / 'microphone.wav'}%noloop"
    async with await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, microphone]) as browser:
        page = await browser.new_page(viewport={"width": 1366, "height": 768})
        await page.goto(served.url("/sign-in"))
        await page.get_by_label("Name", exact=True).fill("hana")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Prompts")).to_be_visible()
        await looked_at(page, "prompts")
        await does_not_scroll(page)

        await page.keyboard.press("r")
        await expect(page.get_by_text("Recording.")).to_be_visible()
        await expect(page.get_by_label("Loudness")).to_be_visible()
        await page.wait_for_function("() => document.querySelector('meter').value > 0.1")
        await page.wait_for_function("() => document.querySelector('meter').value < 0.01")  # the file is over
        await page.keyboard.press("r")
        await expect(page.get_by_text("not heard by callers yet")).to_be_visible()
        await looked_at(page, "prompts-recorded")
        await does_not_scroll(page)
        await expect(page.get_by_label("Whose voice it is")).to_have_value("Hana Rangi")
        await page.get_by_label("The speaker has listened to it").check()
        await page.get_by_role("button", name="Approve it").click()
        await expect(page.get_by_text("Hana Rangi, approved")).to_be_visible()
        await expect(page.get_by_text("1 of")).to_be_visible()
        await looked_at(page, "prompts-approved")

        await page.keyboard.press("n")  # and a file for the next one
        await expect(page.get_by_text("welcome.short", exact=True)).to_be_visible()
        await page.locator("#file").set_input_files(
            {"name": "no.mp3", "mimeType": "audio/mpeg", "buffer": b"this is no sound"}
        )
        await expect(page.get_by_text("no sound that this browser can open")).to_be_visible()

    published = (await speaker.file("welcome", "mi", {})).with_suffix(".sln")
    heard, spoken = (
        np.frombuffer(raw, "<i2").astype(np.float32) for raw in (published.read_bytes(), voice.pcm16(8000))
    )
    assert listening.find(heard, spoken) is not None
