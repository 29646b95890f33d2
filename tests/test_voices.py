"""espeak-ng as a child: what it says, what hostile text does to it, and what is told when it fails."""

import asyncio
import os
import stat
import wave
from pathlib import Path

import numpy as np
import pytest

from speech.recordings import RecordingRefused, Recordings, read
from speech.sound import LOUDNESS, PEAK, Sound, SoundRefused, check, levelled, loudness, possible_seconds, speakable
from speech.voices import VoiceFailed, Voices
from speech.voices.espeak import Espeak

SENTENCES = {
    "es": "Marque dos para el lunes veintitrés de noviembre a las nueve y veinte de la mañana.",
    "en": "Press two for Monday the twenty-third of November at twenty past nine in the morning.",
    "pt-BR": "Se você fala português, pressione a tecla três do seu telefone.",
    "zh-CN": "十一月二十三日星期一上午九点二十分。",
}


def tone(seconds: float, rate: int = 16_000, peak: float = 0.5) -> Sound:
    at = np.arange(int(seconds * rate)) / rate
    return Sound((peak * np.sin(2 * np.pi * 440 * at)).astype(np.float32), rate)


def script(folder: Path, body: str) -> str:
    """A program that stands in for espeak-ng."""
    path = folder / "espeak-ng"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


# ── espeak-ng ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H11")
@pytest.mark.parametrize("language", SENTENCES)
async def test_it_speaks_each_of_its_languages(language: str) -> None:
    sound = await Espeak().say(SENTENCES[language], language)
    check(sound, SENTENCES[language])
    assert sound.rate == 22_050


async def test_the_same_sentence_is_the_same_sound() -> None:
    one, two = [await Espeak().say(SENTENCES["es"], "es") for _ in range(2)]
    assert np.array_equal(one.samples, two.samples)


async def test_languages_differ() -> None:
    spanish, english = [await Espeak().say("Hotel", language) for language in ("es", "en")]
    assert len(spanish.samples) != len(english.samples) or not np.array_equal(spanish.samples, english.samples)


@pytest.mark.covers("H11")
async def test_it_never_speaks_maori() -> None:
    voices = Voices([Espeak()])
    assert not voices.speak("mi")
    with pytest.raises(VoiceFailed, match="sounds/recorded/mi"):
        voices.of("mi")
    with pytest.raises(VoiceFailed, match="not used for 'mi'"):
        await Espeak().say("Kia ora", "mi")


async def test_its_identity_names_all_that_the_sound_depends_on() -> None:
    slow, fast = await Espeak(speed=120).identity("es"), await Espeak(speed=175).identity("es")
    assert slow.keys() == {"engine", "version", "voice", "model", "speed"}
    assert slow != fast
    assert (await Espeak().identity("en"))["model"] != (await Espeak().identity("es"))["model"]
    assert len(slow["model"]) == 64


@pytest.mark.parametrize(
    "text",
    [
        "-w planted.wav hello",
        "--help",
        '<speak><audio src="file:///etc/passwd"/>hello</speak>',
        "[[h@'loU]] [[[[ hello",
        "nothing\0 after hello",
        "half a pair \ud83d hello",
        "\x1b[2J\u202e hello",
        "hello\n" * 3,
    ],
    ids=["option", "help", "markup", "phonemes", "nul", "surrogate", "escape", "lines"],
)
async def test_hostile_text_is_only_spoken(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sound = await Espeak().say(text, "en")
    assert sound.seconds > 0.3
    assert os.listdir(tmp_path) == []


async def test_markup_is_not_obeyed() -> None:
    """A break of ten seconds would take ten seconds; its letters take three."""
    sound = await Espeak().say("One <break time='10s'/> two.", "en")
    assert sound.seconds < 8


async def test_phonemes_are_not_obeyed() -> None:
    spelled, meant = await Espeak().say("[[h@'loU]]", "en"), await Espeak().say("hello", "en")
    assert abs(spelled.seconds - meant.seconds) > 0.2


async def test_ten_thousand_letters_are_spoken_or_refused_in_time() -> None:
    text = "A long sentence for a patient. " * 330
    sound = await Espeak().say(text, "en")
    check(sound, text)


# ── What is told when it fails ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_missing_program_says_what_to_install() -> None:
    for asked in (Espeak("no-such-espeak").say("Hello", "en"), Espeak("no-such-espeak").identity("en")):
        with pytest.raises(VoiceFailed, match="apt-get install espeak-ng"):
            await asked


async def test_a_hung_program_is_ended(tmp_path: Path) -> None:
    command = script(tmp_path, f"echo $$ > {tmp_path}/pid\nexec sleep 600")
    with pytest.raises(VoiceFailed, match=r"did not finish within 0\.5 s"):
        await Espeak(command, seconds=0.5).say("Hello", "en")
    assert not alive(tmp_path / "pid")


async def test_a_caller_who_hangs_up_leaves_no_child(tmp_path: Path) -> None:
    command = script(tmp_path, f"echo $$ > {tmp_path}/pid.new\nmv {tmp_path}/pid.new {tmp_path}/pid\nexec sleep 600")
    asked = asyncio.create_task(Espeak(command).say("Hello", "en"))
    while not (tmp_path / "pid").exists():  # noqa: ASYNC110  a file of another process has no event
        await asyncio.sleep(0.01)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not alive(tmp_path / "pid")


@pytest.mark.covers("I7")
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("echo no such voice >&2; exit 1", "ended with 1 and said 'no such voice'"),
        ("cat >/dev/null; exit 0", "ended with 0 and said 'nothing'"),
        ("cat", "gave no WAV"),
        ("kill -SEGV $$", "ended with -11"),
    ],
)
async def test_a_failing_program_is_told_without_the_sentence(tmp_path: Path, body: str, told: str) -> None:
    with pytest.raises(VoiceFailed, match=told) as caught:
        await Espeak(script(tmp_path, body)).say("Thank you, Lucía.", "en")
    assert "Lucía" not in str(caught.value)


async def test_another_program_of_that_name(tmp_path: Path) -> None:
    with pytest.raises(VoiceFailed, match="check what it is"):
        await Espeak(script(tmp_path, "echo I am something else")).identity("en")


def alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


# ── What is judged before anybody hears it ──────────────────────────────────────────────────────────────────────────

TEXT = "One moment, please."


@pytest.mark.parametrize(
    ("sound", "told"),
    [
        (tone(1.5), None),
        (tone(0.1), "lasts 0.10 s"),
        (tone(30), "lasts 30.00 s"),
        (tone(1.5, peak=0.001), "is silent"),
        (Sound(np.zeros(0, np.float32), 16_000), "is silent"),
        (Sound(np.clip(tone(1.5, peak=3.0).samples, -1, 1), 16_000), "is clipped"),
        (Sound(np.full(24_000, np.nan, np.float32), 16_000), "no numbers"),
    ],
)
def test_a_bad_rendering_is_refused(sound: Sound, told: str | None) -> None:
    if told is None:
        check(sound, TEXT)
        return
    with pytest.raises(SoundRefused, match=told):
        check(sound, TEXT)


def test_letters_are_counted_by_how_long_they_take() -> None:
    assert speakable("¡Hola!") == 4
    assert speakable("112") == 12
    assert speakable("上午") == 6
    assert speakable("… —!") == 0
    assert possible_seconds("")[0] == 0


@pytest.mark.parametrize("peak", [0.05, 0.7])
def test_speech_is_levelled_and_trimmed(peak: float) -> None:
    speech, silence = tone(1.0, peak=peak), np.zeros(16_000, np.float32)
    padded = Sound(np.concatenate([silence, speech.samples, silence, speech.samples, silence]), 16_000)
    ready = levelled(padded)
    assert abs(loudness(ready) - LOUDNESS) < 0.005  # the pause counts for nothing
    assert 3.1 < ready.seconds < 3.3


def test_what_has_high_peaks_is_not_clipped() -> None:
    clicks = np.zeros(16_000, np.float32)
    clicks[::800] = 0.5
    assert float(np.abs(levelled(Sound(clicks, 16_000)).samples).max()) == pytest.approx(PEAK)


@pytest.mark.parametrize("language", SENTENCES)
async def test_each_language_is_as_loud_as_the_others(language: str) -> None:
    assert loudness(levelled(await Espeak().say(SENTENCES[language], language))) == pytest.approx(LOUDNESS, rel=0.05)


def test_resampled_for_the_telephone() -> None:
    pcm = tone(1.0, rate=22_050).pcm16(8000)
    again = Sound.from_pcm16(pcm, 8000)
    assert len(again.samples) == 8000
    loudest = int(np.abs(np.fft.rfft(again.samples)).argmax())
    assert loudest == 440  # hertz: one second has one bin a hertz
    assert abs(float(np.abs(again.samples).max()) - 0.5) < 0.02


# ── A hospital's own recordings ─────────────────────────────────────────────────────────────────────────────────────


def recording(path: Path, sound: Sound, *, width: int = 2, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, width, sound.rate, 0, "NONE", ""))
        file.writeframes(sound.pcm16(sound.rate) * channels if width == 2 else b"\x80" * len(sound.samples))


def test_a_recording_is_found_by_language_and_key(tmp_path: Path) -> None:
    recording(tmp_path / "mi/welcome.wav", tone(1.0, rate=44_100))
    recordings = Recordings(tmp_path)
    found = recordings.of("welcome", "mi")
    assert found is not None and len(found.digest) == 64
    assert recordings.of("welcome", "es") is None
    recording(tmp_path / "mi/welcome.wav", tone(2.0))
    changed = recordings.of("welcome", "mi")
    assert changed is not None and changed.digest != found.digest


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\xff\xfbMP3", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\3\0"])
def test_a_file_that_is_no_wav(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "es").mkdir()
    (tmp_path / "es/welcome.wav").write_bytes(content)
    recordings = Recordings(tmp_path)
    assert recordings.of("welcome", "es") is None
    assert recordings.of("welcome", "es") is None
    assert [record.getMessage()[:36] for record in caplog.records] == ["recording es/welcome.wav is not used"]


def test_a_recording_that_is_8_bit_or_silent(tmp_path: Path) -> None:
    recording(tmp_path / "a.wav", tone(1.0), width=1)
    with pytest.raises(RecordingRefused, match="save it as 16 bit"):
        read(tmp_path / "a.wav")
    recording(tmp_path / "b.wav", tone(1.0, peak=0.0))
    with pytest.raises(RecordingRefused, match="empty or silent"):
        read(tmp_path / "b.wav")
