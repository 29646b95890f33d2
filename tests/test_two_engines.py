"""Vosk for what is closed, whisper for what is free: who is asked for what, and that an alarm in any words is heard
though the grammar has none of them. The engines are stand-ins at their border; real ones are in
tests/test_ears_workers.py."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hotline import hearing, models, wiring
from hotline.ears_installed import told
from hotline.places import Places, places
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.house import HouseKeys
from ivr.phrasebook import Phrasebook
from scripts import wording
from speech.ears import EarsFailed, Grammar, Understood, red_flags
from speech.ears.engine import Several
from tests.asterisk_instance import network
from tests.test_voice_turn import BEGAN, ENDED, PAUSED, SOUND, Talk, pcm, talking

ALARMS = {
    "es": "ay, me duele muchísimo el pecho",
    "pt-BR": "estou com muita dor no peito",
    "zh-CN": "我胸口疼得厉害",
    "en": "I have such a pain in my chest",
}


@dataclass
class Stand:
    """An engine as the line sees it, of some languages. `text`: what it writes of free speech, None where it must not
    be asked."""

    languages: tuple[str, ...]
    answer: Understood | None = None
    text: str | None = None
    enough_: float = 4.0
    writes_: bool = False
    asked: list[str] = field(default_factory=list)

    def hears(self, language: str) -> bool:
        return language in self.languages

    def enough(self, language: str) -> float:
        return self.enough_

    def writes(self, language: str) -> bool:
        return self.writes_

    async def closed(self, pcm: bytes, rate: int, grammar: Grammar) -> Understood:
        assert self.answer is not None, "it was not to be asked a closed question"
        self.asked.append("closed")
        return self.answer

    async def open(self, pcm: bytes, rate: int, language: str) -> Understood:
        assert self.text is not None, "it was not to be asked for free words"
        self.asked.append("open")
        return Understood(None, 0.0, self.text)


GRAMMAR = {language: Grammar(language, {"1": ("a",)}) for language in ALARMS}


async def test_a_closed_question_goes_to_vosk_and_free_speech_to_whisper() -> None:
    vosk = Stand(("es", "zh-CN"), Understood("1", 9.0, "a"), "by vosk", enough_=6.0)
    whisper = Stand(("es", "en"), Understood("2", 5.0, "b"), "by whisper", writes_=True)
    ears = Several([vosk, whisper])
    assert [(await ears.closed(b"", 8000, GRAMMAR[tag])).label for tag in ("es", "zh-CN", "en")] == ["1", "1", "2"]
    assert [(await ears.open(b"", 8000, tag)).text for tag in ("es", "zh-CN", "en")] == [
        "by whisper",
        "by vosk",
        "by whisper",
    ]
    assert [ears.enough(tag) for tag in ("es", "zh-CN", "en")] == [6.0, 6.0, 4.0]
    assert [ears.writes(tag) for tag in ("es", "zh-CN", "en", "pt-BR")] == [False, False, True, False]
    assert ears.enough("pt-BR") == float("inf") and not ears.hears("pt-BR")
    with pytest.raises(EarsFailed, match="no engine hears 'pt-BR'"):
        await ears.open(b"", 8000, "pt-BR")


@pytest.fixture(scope="module")
def words() -> wording.Wording:
    return wiring.words(build(DEMO))


@pytest.mark.covers("H1", "H9")
@pytest.mark.parametrize("language", ALARMS)
@pytest.mark.parametrize("closed", [Understood(None, 0.0, "[unk]"), Understood("1", 1.0, "a")], ids=["none", "unsure"])
async def test_an_alarm_in_words_that_no_grammar_has_is_heard_at_a_menu(
    language: str, closed: Understood, words: wording.Wording, tmp_path: Path
) -> None:
    """The main menu asks for no free words; an engine that knows its grammar alone would lose them."""
    assert red_flags.heard(ALARMS[language], language)
    vosk, whisper = Stand((language,), closed, enough_=6.0), Stand((language,), text=ALARMS[language])
    talk = Talk()

    async def main_menu(call: Call) -> None:
        await call.menu("main_menu", keys="12345")

    book = Phrasebook(words, HouseKeys().urgent)
    async with talking(tmp_path, Several([vosk, whisper]), main_menu, talk, language=language, phrases=book):
        await talk.channel.speaks(SOUND, BEGAN, PAUSED, ENDED)
        await talk.channel.until_heard(pcm("did_you_say"))
        talk.channel.presses("1")
    assert talk.channel.variables["HL_QUEUE"] == "urgent"
    assert (vosk.asked, whisper.asked) == (["closed"], ["open"])


async def test_who_is_understood_costs_no_second_engine(words: wording.Wording, tmp_path: Path) -> None:
    vosk, whisper = Stand(("es",), Understood("5", 9.0, "otra cosa"), enough_=6.0), Stand(("es",))
    talk = Talk()

    async def main_menu(call: Call) -> None:
        talk.heard.append(await call.menu("main_menu", keys="12345"))

    book = Phrasebook(words, HouseKeys().urgent)
    async with talking(tmp_path, Several([vosk, whisper]), main_menu, talk, phrases=book):
        await talk.channel.speaks(SOUND, BEGAN, PAUSED, ENDED)
    assert talk.heard == ["5"] and whisper.asked == []


# ── Which engines a house has ───────────────────────────────────────────────────────────────────────────────────────


def house(tmp_path: Path, **speech: object) -> tuple[Settings, Places]:
    chosen = build({**DEMO, "data": tmp_path / "data", "address": f"{network()}.9", "speech": speech})
    return chosen, places(chosen)


def engines(chosen: Settings, here: Places) -> list[tuple[str, set[str]]]:
    return [(one.kind, set(one.languages)) for one in hearing._engines(chosen, here, lambda: None)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CACHE", str(tmp_path / "cache"))


def installed(name: str, *files: str) -> Path:
    for file in ("model.json", *files):
        path = models.folder(name) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    return models.folder(name)


WHISPERS = {"es", "pt-BR", "en"}


def test_vosk_is_asked_where_it_is_installed_and_whisper_beside_it(tmp_path: Path) -> None:
    chosen, here = house(tmp_path, ears="vosk")
    assert engines(chosen, here) == []
    assert told(chosen, here) == f"vosk is not installed in {here.ears}/vosk: callers answer by key"
    installed("whisper-base", "model.bin")
    assert told(chosen, here).endswith("ears/vosk: whisper answers alone")
    installed("vosk-zh-CN", "am/final.mdl")
    installed("vosk-es", "am/final.mdl")
    assert engines(chosen, here) == [("vosk", {"es"}), ("vosk", {"zh-CN"}), ("whisper", WHISPERS)]
    assert told(chosen, here) == "vosk es, vosk zh-CN, whisper"
    assert [one.kind for one in hearing.behind(chosen, here)] == ["whisper", "vosk", "vosk"], "messages are free speech"
    alone, here = house(tmp_path, ears="whisper")
    assert engines(alone, here) == [("whisper", WHISPERS)]


def test_a_model_of_the_sites_own_goes_before_the_machines(tmp_path: Path) -> None:
    installed("vosk-es", "am/final.mdl")
    own = tmp_path / "own/vosk/es"
    own.mkdir(parents=True)
    chosen, here = house(tmp_path, ears="vosk", models=tmp_path / "own")
    (engine,) = hearing._engines(chosen, here, lambda: None)
    assert engine.model == own
