"""What is said and written: whole sentences by key and language.

    words = wording.load(Site(hospital="Hospital Santa Clara", emergency="112", number="+34 910 …", zone=…))
    words.text("time_with_doctor", "es", when=slot.starts_at, doctor="la doctora Vega")
    words.text("main_menu.short", "es")  # a form: short, other, choice; without one it is the text
    words.text("choose_department", "es", choices=[{"department": "cardiología", "key": 1}, …])
    words.message("appointment_confirmed", "es", date=slot.starts_at, time=slot.starts_at)

Values are given plain (names, numbers, aware times) and worded here, in the language that is really
spoken. A key that a language lacks is said in the reference language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from scripts import verbalise
from scripts.placeholders import PASSING, PERSONAL, SAID, WRITTEN, Doctor, Local, Value, fill, harmless, used
from scripts.site_file import NOTHING, read_site, with_site
from scripts.spoken_words import Words
from scripts.wording_files import FORMS, REFERENCE, SITE, Forms, Language, load_languages
from scripts.yaml_lines import FileRefused, Problem

HERE = Path(__file__).parent / "languages"

# What the dialplan plays by itself, when no process of ours is there to be asked.
STATIC_KEYS = (
    "apology",
    "ivr_down_menu",
    "callback_number",
    "callback_thanks",
    "queue_callback_offer",
    "emergency",
    "outgoing_down",
)


VOICE_TURNS = frozenset({"voice_hint", "not_understood", "by_key"})  # said only where a menu may be answered by voice
SITE_FILE = "site"  # in place of a dialogue's name: the hospital's own file has the sentence


@dataclass(frozen=True, slots=True)
class Site:
    """The hospital as it is named to patients.

    `emergency` and `number` (to call us) are as one dials them; `country` (two letters) is whose
    numbers are said without a country code, and whose greeting is used; `clock` is 12 or 24.
    """

    hospital: str
    emergency: str
    number: str
    zone: ZoneInfo
    country: str | None = None
    clock: int = 12


class UnknownWording(KeyError):
    """A dialogue asked for a key that the reference language does not have."""

    def __init__(self, key: str, file: str) -> None:
        super().__init__(
            f"{key!r} is not in scripts/languages/{REFERENCE}/{file}: add it there and to every spoken language"
        )


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, in which language it is at last said, and whether it holds something of one patient, or a day that
    passes."""

    text: str
    language: str
    personal: bool
    passing: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """What a language lacks: nothing that stops it from being loaded."""

    language: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.language}: {self.key}: {self.what}"


class Wording:
    """All languages' sentences, with the site's own values in them."""

    def __init__(
        self,
        site: Site,
        languages: Mapping[str, Language],
        refused: tuple[Problem, ...] = (),
        site_says: frozenset[str] = frozenset(),
    ) -> None:
        self.site = site
        self.site_says = site_says  # keys of the prompts that the site's own file has
        self.languages = languages
        self.refused = refused  # of languages that were not loaded: to be logged at start
        self._local = Local(site.zone, site.country, site.clock)
        self._said: dict[str, Value] = {
            "hospital": site.hospital,
            "emergency": site.emergency,
            "our_number": site.number,
        }
        self._written: dict[str, Value] = {
            "hospital": site.hospital,
            "number": site.number,
            "emergency": site.emergency,
        }

    @property
    def spoken(self) -> tuple[str, ...]:
        """Languages in which a whole call can be spoken."""
        return tuple(tag for tag, language in self.languages.items() if language.spoken)

    @property
    def menu_keys(self) -> dict[str, str]:
        """Key on the telephone → language, in the order in which they are offered."""
        return {language.menu_key: tag for tag, language in self.languages.items()}

    def greeting(self, language: str) -> str:
        """How a caller is greeted in this language in the site's country."""
        greetings = self.languages[language].greetings
        return greetings.get((self.site.country or "").lower(), greetings["text"])

    def pace(self, language: str) -> float:
        """How fast the language is spoken, beside the voice's own pace."""
        return self.languages[language].pace if language in self.languages else 1.0

    def text(self, key: str, language: str, /, **params: Value) -> str:
        """A whole sentence. Raises `UnknownWording`, or `WrongValue` for a value that is missing
        or of a wrong type.
        """
        return self.sentence(key, language, params).text

    def sentence(self, key: str, language: str, params: Mapping[str, Value], can_speak: bool = True) -> Sentence:
        """The sentence, and the language it is in: the reference language if `language` lacks it
        or has no voice.
        """
        name, _, form = key.partition(".")
        reference = self.languages[REFERENCE].prompts.get(name)
        if reference is None or (form and form not in FORMS):
            raise UnknownWording(key, "prompts/")
        forms = self.languages[language].prompts.get(name) if language in self.languages else None
        if forms is None or not can_speak:
            form = language if language in reference else form  # in any form: what is meant is not English itself
            forms, language = reference, REFERENCE
        placeholders = used(forms.get(form, forms["text"]))
        if "choices" in placeholders:
            placeholders |= used(forms.get("choice", ""))
        said = self._fill(forms, form, language, params)
        return Sentence(said, language, bool(placeholders & PERSONAL), bool(placeholders & PASSING))

    def message(self, key: str, language: str, /, **params: Value) -> str:
        """A text message. {hospital} and {number} are the site's; `date` and `time` may be the
        same aware time.
        """
        language = language if language in self.languages else REFERENCE
        if key not in self.languages[language].messages:
            raise UnknownWording(key, "messages.yaml")
        sentence = self.languages[language].messages[key]
        return fill(sentence, {**self._written, **params}, WRITTEN, language, self._local)

    def every_key(self) -> list[str]:
        """Every prompt of the reference language with each of its forms: "main_menu", "main_menu.short" …"""
        named = self.languages[REFERENCE].prompts.items()
        # A form that is a language's code is chosen by itself, when that language has no voice.
        return [key if form == "text" else f"{key}.{form}" for key, forms in named for form in forms if form in FORMS]

    def words(self, key: str, language: str) -> Words:
        """What may be said at a prompt, whatever its form, by key of the telephone. None where none are written."""
        spoken = self.languages.get(language)
        return spoken.words.get(key.partition(".")[0], {}) if spoken else {}

    def worded(self, value: Value, name: str, language: str) -> str:
        """One value as a sentence would say it; `name` is its placeholder. Raises `WrongValue`."""
        return SAID[name](value, language, self._local)

    def ways(self, value: Value, name: str, language: str) -> tuple[str, ...]:
        """How callers say one value that was read out to them: as the sentence does, first, or shorter."""
        shorter: tuple[str, ...] = ()
        if isinstance(value, datetime):
            shorter = verbalise.shorter_moments(value.astimezone(self._local.zone), language, self._local.clock)
        elif isinstance(value, Doctor):
            shorter = (verbalise.untitled(harmless(value.name)),)
        return tuple(dict.fromkeys((self.worded(value, name, language), *shorter)))

    def is_static(self, key: str) -> bool:
        """Whether a prompt is the same for every caller, so that it can be rendered beforehand."""
        forms = self.languages[REFERENCE].prompts.get(key.partition(".")[0], {})
        form = forms.get(key.partition(".")[2] or "text", forms.get("text", "{n}"))
        return used(form) <= SITE

    def sayable(self, key: str, language: str) -> bool:
        """Whether it can be said in the language at all: one that no voice speaks has no sentences with values in
        them, which nobody can have recorded.
        """
        return language in self.spoken or (_name(key) in self.languages[language].prompts and self.is_static(key))

    def recordable(self, language: str) -> dict[str, str]:
        """The sentences that a person can record, by key: "main_menu", "main_menu.short" …"""
        return {
            key: self.text(key, language) for key in self._static() if _name(key) in self.languages[language].prompts
        }

    def whole_call(self, language: str) -> dict[str, str] | None:
        """Those of them that must be there before a call is held in a language that no voice speaks; None where one
        has not even been written. Forms of a sentence with values are not: who needs that one is with a person then.
        """
        written = self.recordable(language)
        needed = [key for key in self._static() if _name(key) not in VOICE_TURNS and self.is_static(_name(key))]
        lacking = [key for key in needed if key not in written and self.dialogue(key) != SITE_FILE]
        return None if lacking else {key: written[key] for key in needed if key in written}

    def _static(self) -> list[str]:
        return [key for key in self.every_key() if self.is_static(key)]

    def dialogue(self, key: str) -> str:
        """The file in which a prompt stands, SITE_FILE for the site's own."""
        return self.languages[REFERENCE].files.get(_name(key), SITE_FILE)

    def check(self) -> list[Gap]:
        """What is missing for a language to be complete: sentences and their forms."""
        gaps: list[Gap] = []
        for tag, language in self.languages.items():
            for key, forms in self.languages[REFERENCE].prompts.items():
                if key not in language.prompts:
                    gaps.append(Gap(tag, key, "prompt is missing"))
                    continue
                if key in self.languages[REFERENCE].words and language.spoken and key not in language.words:
                    gaps.append(Gap(tag, key, "words are missing: it can be answered by key only"))
                for form in sorted((forms.keys() - language.prompts[key].keys()) & {"short", "other"}):
                    gaps.append(Gap(tag, f"{key}.{form}", "form is missing, the text is said again"))
        return gaps

    def _fill(self, forms: Forms, form: str, language: str, params: Mapping[str, Value]) -> str:
        values: dict[str, Value] = {**self._said, "greeting": self.greeting(language), **params}
        rows = values.get("choices")
        if "choice" in forms and isinstance(rows, list | tuple):
            values["choices"] = verbalise.speech(language).SPACE.join(
                self._fill(forms, "choice", language, row) for row in rows
            )
        return fill(forms.get(form, forms["text"]), values, SAID, language, self._local)


def _name(key: str) -> str:
    """A prompt without its form."""
    return key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Heard:
    """The sentences as a caller hears them where nothing is recorded: what no voice speaks is in English."""

    words: Wording

    def text(self, key: str, language: str, /, **params: Value) -> str:
        return self.words.sentence(key, language, params, can_speak=language in self.words.spoken).text


def load(site: Site, folder: Path = HERE, information: Path | None = None) -> Wording:
    """Read the languages' folders, and the site's own sentences. What is in a bad file is left out and told in
    `Wording.refused`.

    Raises `FileRefused` if the reference language itself is bad.
    """
    languages, problems = load_languages(folder)
    says = NOTHING
    if information is not None:
        try:
            says = read_site(information, languages)
        except FileRefused as refusal:
            problems.extend(refusal.problems)
    return Wording(site, with_site(languages, says), tuple(problems), frozenset(says.spoken))
