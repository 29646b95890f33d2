"""Settings: one file `hotline.toml`, each key overridable by the environment (HOTLINE_SITE__NAME, HOTLINE_ADDRESS …).

Objects are frozen and a `Settings` that exists can be used. Reading the file, and what a wrong one is told, is in
settings_file.py; hotline.toml.example explains every key."""

import hashlib
import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hotline import numbering
from hotline.caller_settings import Booking, Frozen, Identity, Lock, Results, Speech, Throttle
from hotline.care_settings import Cases, Interval, Opening, Rating, Triage, Urgent, Weekday
from hotline.channel_settings import Letters, Texting, Video
from hotline.message_settings import Messages
from hotline.model_catalogue import natural_voices
from hotline.page_settings import Address4, Answers, Web, url
from scripts.languages import TAGS

Country = Literal["au", "br", "cn", "co", "mx", "nz", "us"]


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # none of that name; a path; a folder
        raise ValueError("allowed: a time zone of the IANA database, such as America/Bogota") from None


def _digits(value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{2,15}", value):
        raise ValueError("allowed: 2 to 15 digits, with or without a leading +")
    return value


def _number_pattern(value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{2,15}|_\+?([0-9XZN]|\[[0-9]+(-[0-9])?\])+[.!]?", value):
        raise ValueError("allowed: digits, or an Asterisk pattern such as _+57XXXXXXXXXX")
    return value


def _database(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"postgresql\+psycopg://\S+", value.get_secret_value()):
        raise ValueError("allowed: postgresql+psycopg://user:password@host/database")
    return value


def _language(value: str) -> str:
    if value not in TAGS:
        raise ValueError(f"allowed: {', '.join(TAGS)}")
    return value


Language = Annotated[str, AfterValidator(_language)]
Number = Annotated[str, AfterValidator(_digits)]
LanguageName = Annotated[str, Field(pattern=r"^[^\x00-\x1f]{1,40}$")]
NumberPattern = Annotated[str, AfterValidator(_number_pattern)]


class Site(Frozen):
    """The hospital as patients meet it."""

    name: str = Field(min_length=1, max_length=100)
    emergency_number: Number
    time_zone: Annotated[str, AfterValidator(_zone)]
    country: Country
    languages: tuple[Language, ...] = Field(("en",), min_length=1)
    default_language: Language = "en"
    clock: Literal[12, 24] = 12
    """How hours are said: "las dos de la tarde", or "las catorce horas"."""
    slower_from_age: Annotated[int, Field(ge=50, le=120)] | None = None
    """Patients of this age are spoken to more slowly, unasked; None: only who asks for it."""
    callback_number: Number | None = None
    """The number that messages and voicemails name."""
    information: Path | None = None
    """The site's own sentences: opening hours, the way, what to bring, how to prepare (scripts/site_file.py)."""
    wording: Path | None = None
    """Sentences of ours that the site says otherwise (scripts/wording_changes.py)."""

    @model_validator(mode="after")
    def _default_is_offered(self) -> Self:
        if self.default_language not in self.languages:
            raise ValueError(f"default_language {self.default_language} must be one of languages {self.languages}")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError(f"languages {self.languages} names one language twice")
        return self

    @property
    def country_code(self) -> str:
        """As ISO 3166 writes it."""
        return self.country.upper()


class DatabaseServer(Frozen):
    """A PostgreSQL of the hospital's. Without a URL the hotline runs a private one in its data folder."""

    url: Annotated[SecretStr, AfterValidator(_database)] | None = None


class Trunk(Frozen):
    """The line to the telephone network."""

    host: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
    port: Annotated[int, Field(ge=1, le=65535)] = 5060
    username: str = ""
    password: SecretStr = SecretStr("")
    sources: tuple[str, ...] = ()
    """Addresses that calls are taken from; nothing wider than 16 addresses."""
    numbers: tuple[Number, ...] = ()
    """Our own numbers, which lead to the hotline."""
    caller_id: Number
    """What called parties see, unless a campaign shows another number."""
    from_user: str = Field(default="", pattern=r"^(\+?[A-Za-z0-9][A-Za-z0-9_.-]{0,39})?$")
    """For a carrier that wants its account in From: the number that is shown is in P-Asserted-Identity then."""
    allow: tuple[NumberPattern, ...] = ()
    """The only outside numbers that may be dialled."""
    trusted: bool = False
    """Its P-Asserted-Identity is believed: the caller's own number where From is another's."""
    per_second: Annotated[float, Field(gt=0, le=50)] | None = None
    """Orders to dial over all campaigns and modes; None: no limit of the line's own."""
    lines: Annotated[int, Field(ge=1, le=2000)] | None = None
    """Calls to patients at once, over all campaigns and modes; None: no limit of the line's own."""


class Interpreters(Frozen):
    """Who interprets by telephone."""

    numbers: dict[LanguageName, Number] = Field(default_factory=dict, max_length=50)
    """A language (its tag, or its name) and the number that is rung."""


class Calling(Frozen):
    """When and how often patients are called. Presets are not legal advice."""

    window: Country | Literal["open"] | None = None
    """A country's preset; without one that of the site's country. `open` is the demo's."""
    hours: dict[Weekday, tuple[Interval, ...]] | None = None
    """The site's own intervals, instead of a preset; a weekday that is missing has no calls."""
    public_holidays: bool | None = None
    """Whether calls are made on them; None: as the country's preset has it, also beside intervals of the site's own."""
    ring_seconds: Annotated[int, Field(ge=15, le=120)] = 45
    """How long a patient's phone rings: at least 15 s or four rings."""
    predictive: bool = False
    """Campaigns of surveys may dial more lines than nurses are free: some who answer find nobody, 3 % at most."""
    per_day: Annotated[int, Field(ge=1)] | None = 1
    per_week: Annotated[int, Field(ge=1)] | None = 3
    distrust_seconds: Annotated[int, Field(ge=0, le=3600)] = 600
    """So long nobody is called by machine, nor written to, after the clock of the computer has jumped."""
    announce_hours: Annotated[int, Field(ge=1, le=48)] | None = None
    """A text message so long before a plan's call says from which number it comes; None: none is sent."""
    text_answer_days: Annotated[int, Field(ge=1, le=30)] = 2
    """How long a plan's text message waits for an answer; then its next channel."""


class Automatic(Frozen):
    """Calls that the hotline makes by itself, without a nurse."""

    lines: Annotated[int, Field(ge=0, le=500)] = 4
    """At most so many at once; 0: none are made."""
    per_second: Annotated[float, Field(gt=0, le=50)] = 1.0
    """Orders to dial; carriers take one a second."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    """Of each contact; then a person sees to it."""
    urgent_again_minutes: Annotated[int, Field(ge=5, le=600)] = 30
    """What is urgent (a suspended clinic) and reached nobody is tried again so soon."""


class Reminders(Frozen):
    """Of appointments, and of those that were missed. Who does not want reminders has none."""

    appointments: bool = True
    days_before: Annotated[int, Field(ge=1, le=14)] = 1
    from_hour: Annotated[int, Field(ge=0, le=23)] = 10
    """By the site's clock; the calling hours hold as well."""
    missed: bool = True
    """Who did not come is offered other times."""


class Voices(Frozen):
    """How callers are spoken to. What a hospital recorded itself comes before any voice."""

    natural: bool = True
    """The natural voice: its model is installed behind a running hotline, its prompts replace the fast voice's."""
    names: dict[Language, str] = Field(default_factory=dict)
    """Another of its voices, by language."""
    wait_ms: Annotated[int, Field(ge=0, le=3000)] = 350
    """How long a caller waits for the natural voice before the fast one speaks instead."""
    pace: Annotated[float, Field(ge=0.5, le=2)] = 1
    """How fast each speaks: 1 is its own pace, 0.9 a little slower. A caller's key makes it slower still."""
    threads: Annotated[int, Field(ge=1, le=16)] = 1
    """Of the processor, for the natural voice."""

    @model_validator(mode="after")
    def _are_there(self) -> Self:
        for language, name in self.names.items():
            there = natural_voices(language)
            if name not in there:
                known = ", ".join(there) or "none, for no voice speaks it well enough"
                raise ValueError(f"voices.names.{language} {name!r}; allowed: {known}")
        return self


class Settings(BaseSettings):
    """Everything that a site can set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="HOTLINE_", env_nested_delimiter="__", hide_input_in_errors=False
    )

    demo: bool = False
    address: Address4 = "127.0.0.1"
    """The one address that Asterisk and the ivr listen on."""
    browser_phones: bool = True
    """Staff (and the demo's patients) have their telephone in the page. False: any SIP phone, over UDP."""
    data: Path = Path("var")
    node: str = Field(numbering.NODE, pattern=r"^[a-z][a-z0-9]{0,11}$")
    site: Site
    web: Web = Web()
    answers: Answers = Answers()
    database: DatabaseServer = DatabaseServer()
    trunk: Trunk | None = None
    calling: Calling = Calling()
    interpreters: Interpreters = Interpreters()
    automatic: Automatic = Automatic()
    reminders: Reminders = Reminders()
    texting: Texting = Texting()
    letters: Letters = Letters()
    video: Video = Video()
    voices: Voices = Voices()
    booking: Booking = Booking()
    lock: Lock = Lock()
    throttle: Throttle = Throttle()
    identity: Identity = Identity()
    results: Results = Results()
    messages: Messages = Messages()
    speech: Speech = Speech()
    opening: Opening = Opening()
    cases: Cases = Cases()
    urgent: Urgent = Urgent()
    triage: Triage = Triage()
    rating: Rating = Rating()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (env_settings, init_settings)  # the environment wins over the file

    @model_validator(mode="after")
    def _demo_is_harmless(self) -> Self:
        if not self.demo:
            if self.calling.window == "open":
                raise ValueError('calling.window "open" is for the demo only; allowed: a country, or calling.hours')
            if self.calling.per_day is None or self.calling.per_week is None:
                raise ValueError("calling.per_day and calling.per_week may be unlimited in the demo only")
            return self
        for key, value in (("address", self.address), ("web.bind", self.web.bind), ("answers.bind", self.answers_bind)):
            if not ipaddress.ip_address(value).is_loopback:
                raise ValueError(f"the demo has phones without sign-in: {key} {value} must be a loopback address")
        if self.web.url is not None or self.web.proxy is not None:
            raise ValueError(
                "the demo has phones without sign-in, for this machine alone: remove web.url and web.proxy"
            )
        if self.messages.gateway != "file":
            raise ValueError('the demo sends no messages: messages.gateway must be "file"')
        if self.trunk is not None:
            raise ValueError("the demo never reaches the telephone network: remove [trunk] or set demo = false")
        return self

    @property
    def listens(self) -> bool:
        """Whether Asterisk brings sound: to ears, or in calls of ours, to hear whether a machine picks up."""
        return self.speech.ears != "off" or self.automatic.lines > 0

    @property
    def audio_address(self) -> str:
        """Where the sound of voice turns is taken: never where another machine could bring any, and beside another
        house of this machine on a loopback address of its own, by the data folder."""
        if ipaddress.ip_address(self.address).is_loopback:
            return self.address
        first, second, third = hashlib.sha256(str(self.data.absolute()).encode()).digest()[:3]
        return f"127.{128 + first % 127}.{second}.{1 + third % 254}"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    @property
    def console_url(self) -> str:
        return self.web.url or url(self.web.bind, self.web.port, tls=self.web.tls)

    @property
    def answers_bind(self) -> str:
        """Where the pages of links listen; the demo's beside its console."""
        return self.answers.bind or (self.web.bind if self.demo else "127.0.0.1")

    @property
    def answers_url(self) -> str | None:
        """As patients reach the pages of links; None where there are none."""
        if self.answers.url is not None or not self.demo:
            return self.answers.url
        return url(self.answers_bind, self.answers.port)
