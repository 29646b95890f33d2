"""The natural voice, with the real model: what it says, how fast, and who speaks when it dies."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import wording
from scripts.wording import Site
from speech.cache import PromptCache
from speech.sound import LOUDNESS, check, levelled, loudness, speakable
from speech.voices import VoiceFailed, Voices
from speech.voices.espeak import Espeak
from speech.voices.kokoro import ACCENTS, VOICES, Kokoro
from speech.voices.kokoro_worker import MOST
from speech.voices.mandarin import sounds
from speech.voices.phonemes import LONG, pieces, symbols, utterances

SENTENCES = {
    "es": "Lunes a las nueve y veinte.",
    "en": "Monday at twenty past nine.",
    "pt-BR": "Segunda-feira, às nove e vinte.",
    "zh-CN": "星期一上午九点二十分。",
}


@pytest.fixture
async def kokoro(kokoro_model: Path) -> AsyncIterator[Kokoro]:
    voice = Kokoro(kokoro_model)
    yield voice
    await voice.close()


# ── What it says ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H11")
async def test_it_speaks_each_of_its_languages(kokoro: Kokoro) -> None:
    for language, sentence in SENTENCES.items():
        sound = await kokoro.say(sentence, language)
        check(sound, sentence)
        assert sound.rate == 24_000
        assert loudness(levelled(sound)) == pytest.approx(LOUDNESS, rel=0.05)  # as loud as the fast voice
    assert 0 < kokoro.seconds_a_letter < float("inf")


@pytest.mark.covers("H12")
async def test_slower_is_slower_and_the_same_is_the_same(kokoro: Kokoro) -> None:
    usual, again, slower = [await kokoro.say("Gracias, Lucía.", "es", pace) for pace in (1.0, 1.0, 0.7)]
    assert np.array_equal(usual.samples, again.samples)
    assert slower.seconds > 1.15 * usual.seconds
    check(slower, "Gracias, Lucía.", 0.7)


@pytest.mark.covers("H11")
async def test_it_never_speaks_maori(kokoro: Kokoro) -> None:
    assert not kokoro.speaks("mi")


async def test_its_identity_names_all_that_the_sound_depends_on(kokoro: Kokoro, kokoro_model: Path) -> None:
    spanish = await kokoro.identity("es")
    assert spanish.keys() == {"engine", "version", "voice", "model", "phonemes", "speed"}
    others = [
        await kokoro.identity("es", 0.85),
        await Kokoro(kokoro_model, {"es": "em_alex"}).identity("es"),
        await kokoro.identity("zh-CN"),
    ]
    assert all(other != spanish for other in others)
    assert "pypinyin" in (await kokoro.identity("zh-CN"))["phonemes"]


async def test_without_a_model_it_does_not_speak_until_there_is_one(kokoro_model: Path, tmp_path: Path) -> None:
    """The model may be installed behind a running hotline."""
    fast = Espeak()
    voices = Voices([Kokoro(tmp_path / "kokoro"), fast])
    assert voices.of("es") == (fast,)
    shutil.copytree(kokoro_model, tmp_path / "kokoro", copy_function=os.symlink)
    assert [voice.name for voice in voices.of("es")] == ["kokoro", "espeak-ng"]


async def test_hostile_text_is_only_spoken(kokoro: Kokoro, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("[[h@'loU]]", "<speak>", "-w x.wav", "a\0 b", "half \ud83d"):
        assert (await kokoro.say(text, "en")).seconds > 0.1
    assert os.listdir(tmp_path) == []
    for text in ("… —", "鿟"):
        with pytest.raises(VoiceFailed, match="nothing to say"):
            await kokoro.say(text, "zh-CN")


# ── When it dies ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H1", "I10")
async def test_the_next_voice_speaks_when_it_dies(kokoro: Kokoro, tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, Voices([kokoro, Espeak()]))
    await kokoro.say("Hola.", "es")
    assert kokoro.worker.process is not None
    os.kill(kokoro.worker.process, signal.SIGSTOP)
    rendering = asyncio.create_task(cache.render(SENTENCES["es"], "es"))
    while not kokoro.worker.busy:  # noqa: ASYNC110  another process's pipe has no event
        await asyncio.sleep(0)
    os.kill(kokoro.worker.process, signal.SIGKILL)
    assert by(await rendering) == "espeak-ng"
    assert by(await cache.render(SENTENCES["es"], "es")) == "kokoro"


async def test_a_damaged_model_leaves_the_next_voice(kokoro_model: Path, tmp_path: Path) -> None:
    shutil.copytree(kokoro_model, tmp_path / "kokoro", copy_function=os.symlink)
    (tmp_path / "kokoro/kokoro.onnx").unlink()
    (tmp_path / "kokoro/kokoro.onnx").write_bytes(b"no model")
    broken = Kokoro(tmp_path / "kokoro", rests=(600.0,))
    with pytest.raises(VoiceFailed, match="kokoro does not start: "):
        await broken.say("Hola.", "es")
    cache = PromptCache(tmp_path, Voices([broken, Espeak()]))
    assert by(await cache.render("Hola.", "es")) == "espeak-ng"


def by(path: Path) -> str:
    return str(json.loads(path.with_suffix(".json").read_text())["engine"])


# ── From text to its symbols ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H11")
@pytest.mark.parametrize("language", VOICES)
def test_every_prompt_is_in_the_model_s_alphabet(kokoro_model: Path, language: str) -> None:
    """A symbol that the model does not know would be left out of what is said."""
    alphabet = json.loads((kokoro_model / "vocab.json").read_text())["vocab"]
    words = wording.load(Site("Hospital Santa Clara", "112", "910 000 000", ZoneInfo("Europe/Madrid"), "ES"))
    accent = ACCENTS[VOICES[language][0]]
    prompts = [words.sentence(key, language, {}) for key in words.every_key() if words.is_static(key)]
    texts = [sentence.text for sentence in prompts if sentence.language == language]
    clauses = symbols(" ".join(texts), accent)  # one that ends without a mark runs into the next, with the same signs
    for clause in clauses:
        assert set(clause) <= set(alphabet), clause
    assert len(clauses) > len(texts) > 10


@pytest.mark.parametrize(
    ("text", "accent", "said"),
    [
        ("¿Sí? Marque dos, por favor.", "es-419", ["sˈi?", "mˈaɾke ðˈos,", "poɾ faβˈoɾ."]),
        ("Son las 9:20.", "es-419", ["sˈon las nwˈeβe βˈAnte."]),
        ("Press two.", "en-us", ["pɹˈɛs tˈuː."]),
        ("Uno, (dos), -v en, tres.", "es-419", ["ˈuno,", "dˈos,", "ˈuβe ˈen,", "tɾˈes."]),
        ("Written.", "en-us", ["ɹˈɪtᵊn."]),
        ("中文请按4。", "cmn", ["ꭧʊ→ŋwə↗n ʨʰi↓ŋ a↘n sɨ↘."]),
        ("欢迎致电Santa Clara，请稍等。", "cmn", ["xwa→ni↗ŋ ꭧɨ↘tjɛ↘n sˈæntə klˈɑːɹɹə,", "ʨʰi↓ŋʂau→tə↓ŋ."]),
        ("… —", "en-us", []),
    ],
)
def test_clauses_keep_their_marks(text: str, accent: str, said: list[str]) -> None:
    assert symbols(text, accent) == said


def test_a_clause_that_espeak_breaks_up_keeps_its_place() -> None:
    first, second = symbols(f"{'una cosa y otra ' * 90}. Sí.", "es-419")
    assert first.startswith("ˈuna kˈosa") and first.endswith("ˈotɾa.") and second == "sˈi."


def test_a_character_has_the_sound_of_its_word() -> None:
    assert sounds("银行") == "i↗nxa↗ŋ" and sounds("行走") == "ɕi↗ŋʦou↓"


def test_a_long_text_is_spoken_in_pieces() -> None:
    assert pieces("Uno. Dos. Tres.") == ["Uno. Dos. Tres."]
    assert pieces("中文。英文。") == ["中文。 英文。"]
    sentence = "Le damos la bienvenida a nuestro hospital."
    assert pieces(f"{sentence} {sentence}") == [sentence, sentence]
    long = ", ".join(["una cosa y otra"] * 30) + "."
    assert len(pieces(long)) > 1 and all(len(piece) <= LONG for piece in pieces(long))


@given(st.text(max_size=600))
def test_pieces_leave_nothing_out(text: str) -> None:
    assert "".join("".join(pieces(text)).split()) == "".join(text.split())
    assert sum(map(speakable, pieces(text))) == speakable(text)


@given(st.lists(st.text("abcdé ,", max_size=900), max_size=8), st.integers(1, MOST))
def test_no_utterance_is_longer_than_the_model_takes(clauses: list[str], most: int) -> None:
    said = utterances(clauses, "abcd ,", most)
    assert all(0 < len(part) <= most for part in said)
    whole = "".join(sign for clause in clauses for sign in clause if sign in "abcd,")
    assert "".join(said).replace(" ", "") == whole
