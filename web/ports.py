"""What the console needs from the rest of the house: facts of the site, and Protocols that telephone rooms satisfy.

The telephone rooms never import `web`; `hotline/run_core.py` joins them, with what stands in
`hotline/joints.py`. A verb that can be refused returns the sentence that the nurse or agent reads, or None when it is
done."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from hospital.booking import BookingDesk
from hospital.calendars import Calendar
from hospital.calling_hours import PRESETS
from hospital.calling_rules import CallingPolicy
from hospital.clocks import Clocks
from hospital.database import Database
from hospital.editions import Body, Sheet
from hospital.letters import Pile
from hospital.opening import Hours
from hospital.outcome_rules import SHIPPED, OutcomeRules
from scripts.findings import Finding
from scripts.questionnaire import Questionnaire
from scripts.triage import Triage
from scripts.wording import Wording
from web.live import Hub

STRICTEST = CallingPolicy(PRESETS["co"], ZoneInfo("UTC"))

PresenceState = Literal["away", "available", "ringing", "talking", "wrap_up"]


class Presence(Protocol):
    """Who takes calls. Each change is notified as `presence:<account id>`."""

    async def of(self, account_id: UUID) -> PresenceState: ...

    async def become_available(self, account_id: UUID) -> str | None:
        """Joins the account's queues, or ends its wrap-up."""

    async def become_away(self, account_id: UUID) -> str | None:
        """Takes no further call; a call that is going on goes on."""


class Dialling(Protocol):
    """Outgoing follow-up calls. Each change is notified as `task:<task id>`."""

    async def start(self, task_id: UUID, account_id: UUID) -> str | None:
        """Preview mode: claims the task, rings the nurse's phone, then the patient's numbers by rank."""

    async def hang_up(self, attempt_id: UUID, account_id: UUID) -> str | None: ...

    async def machine(self, attempt_id: UUID, account_id: UUID) -> str | None:
        """A machine has picked up: who called is left on it where that number allows it, and the nurse is free."""

    async def start_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        """The notice has been spoken: record from here on, not a byte before."""

    async def refuse_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        """The patient does not want to be recorded, or not any more: what is being recorded ends here."""


class Stints(Protocol):
    """A nurse takes one call after the other. Each change is notified as `stint:<stint id>`."""

    async def join(self, account_id: UUID, campaign_id: UUID | None) -> str | None:
        """Rings her phone; without a campaign she works on every progressive one."""

    async def leave(self, account_id: UUID) -> str | None: ...

    async def call_next(self) -> None:
        """Somebody may have become free."""


class Interpreting(Protocol):
    """Interpreters by telephone. Each change is notified as the talk's `call:<call id>` or `task:<task id>`."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Tags or names of languages, for each of which there is somebody to ring."""

    async def ring(self, account_id: UUID, talk: str, language: str) -> str | None:
        """Into one's own talk; `talk`: the patient's leg."""

    async def let_go(self, account_id: UUID, talk: str) -> str | None: ...


class NotThere(Exception):
    """There is no sound to play: still being recorded, lost, or never begun."""


class Damaged(Exception):
    """A recording is not as it was sealed, or its file is gone."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer with (a part of) a recording as WAV. A part that does not verify breaks `body` off."""

    status: int  # 200, 206 or 416
    headers: Mapping[str, str]
    body: Iterator[bytes]


class Replay(Protocol):
    """Sealed recordings, opened. Who may listen has been asked before, and audited."""

    async def reply(self, recording_id: UUID, range_header: str | None) -> Reply:
        """Raises NotThere and Damaged."""

    async def peaks(self, recording_id: UUID) -> list[float]:
        """Its waveform: loudness from 0 to 1. Raises NotThere and Damaged."""

    async def verify(self, recording_id: UUID) -> None:
        """Reads every byte. Raises NotThere and Damaged."""


class NotPrinted(Exception):
    """A letter can't be printed; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LetterPress(Protocol):
    """Letters on paper. They are never written to a disk."""

    @property
    def answer_within(self) -> timedelta:
        """How long a letter that was posted waits for an answer."""

    async def printed(self, piles: Sequence[Pile]) -> bytes:
        """A PDF with a page for each, in their order. Raises NotPrinted."""


@dataclass(frozen=True)
class Live:
    """What the next call hears. `troubles`: why an edition that was published is not in it."""

    words: Wording
    hours: Hours
    troubles: tuple[str, ...]
    outcomes: OutcomeRules = SHIPPED


class Workshop(Protocol):
    """What the site changes without code: what is in force, and what a draft would do. A body is an edition's."""

    async def live(self) -> Live: ...

    def before(self) -> Wording:
        """What editions of the sheet `wording` change: what comes with the hotline, and the site's own file of it."""

    def words(self, body: Body) -> Wording:
        """With an edition of the sheet `wording` in it. Raises `FileRefused`."""

    def hours(self, body: Body) -> Hours:
        """Of the sheet `hours`. Raises `FileRefused`."""

    def triage(self, body: Body) -> Triage | None:
        """Of the sheet `triage`. Raises `FileRefused`."""

    def outcomes(self, body: Body) -> OutcomeRules:
        """Of the sheet `outcomes`. Raises `FileRefused`."""

    def file_of(self, sheet: Sheet) -> Body:
        """What an editor begins with where nothing was published: the file's data."""

    async def departments(self) -> Mapping[str, bool]:
        """Code → whether anything can be booked there."""

    async def check(self, sheet: Sheet, body: Body) -> list[Finding]:
        """All that is found at once; none of it where the body is the file's."""

    async def tried(self, sheet: Sheet, body: Body, language: str, presses: Sequence[str]) -> list[str]:
        """The lines of a call with this draft in force, which leaves nothing behind. Raises `FileRefused`, `ValueError`
        for a press that no telephone can send, and `TimeoutError`."""

    async def asked(self, draft: Questionnaire, language: str, presses: Sequence[str]) -> list[str]:
        """The lines of a call in which the machine asks this of an example patient; nothing of it is left. Raises
        `ValueError` for a press that no telephone can send, and `TimeoutError`."""

    async def sound(self, key: str, language: str, body: Body) -> bytes:
        """A prompt (a form too: "main_menu.short") with example values, spoken by the site's voice: a WAV file. Raises
        `NotThere` where no voice speaks it."""


@dataclass(frozen=True)
class PromptTake:
    """A recorded sound of a prompt. `speaker` and `text` (as it was read) of an approved one."""

    digest: str
    seconds: float
    at: datetime
    speaker: str = ""
    text: str = ""


@dataclass(frozen=True)
class PromptLine:
    """A sentence that can be recorded. `state`: missing, recorded, approved, outdated, by_hand; `needed` for a call."""

    key: str
    dialogue: str
    text: str
    needed: bool
    state: str
    new: PromptTake | None
    approved: PromptTake | None


@dataclass(frozen=True)
class Progress:
    """`spoken`: calls are held in the language; `voiced`: also without recordings, by a synthetic voice."""

    approved: int
    needed: int
    spoken: bool
    voiced: bool


class OwnPrompts(Protocol):
    """The hospital's own recordings of what callers hear."""

    @property
    def languages(self) -> tuple[str, ...]: ...

    async def has(self, language: str, key: str) -> bool: ...

    async def lines(self, language: str) -> tuple[list[PromptLine], Progress]: ...

    async def keep(self, language: str, key: str, content: bytes, by: UUID, at: datetime) -> str | None:
        """Takes a WAV; a sentence where it can't be used."""

    async def approve(self, language: str, key: str, digest: str, speaker: str, by: UUID, at: datetime) -> bool:
        """Callers hear this take from now on; False where there is a newer one."""

    async def withdraw(self, language: str, key: str) -> bool: ...

    async def sound(self, language: str, key: str, digest: str) -> bytes | None: ...


@dataclass(frozen=True)
class Line:
    """A SIP account for the browser phone. The secret is shown to its owner's page only."""

    username: str
    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class DemoPatient:
    """A patient whose phone can be borrowed in the demo."""

    line: Line
    number: str
    language: str
    story: str


@dataclass(frozen=True)
class DemoText:
    """A text message on such a phone; `ours`: the hospital wrote it."""

    at: datetime
    ours: bool
    text: str = field(repr=False)


class DemoTexts(Protocol):
    """The text messages of the demo's patients."""

    async def of(self, number: str) -> list[DemoText]:
        """The newest, as they came."""

    async def write(self, number: str, text: str) -> str:
        """The patient writes to the hospital; what became of it."""


@dataclass(frozen=True)
class SiteFacts:
    """Settings that pages show or obey."""

    name: str  # what patients hear
    zone: ZoneInfo
    hosts: frozenset[str]  # the Host headers that are answered, lower case, with port where it is not the default
    sip_socket: str  # Asterisk's WebSocket: ws://ADDRESS:8088/ws
    sip_domain: str = "hotline.invalid"
    languages: tuple[str, ...] = ("en",)  # that callers can choose
    hotline_number: str = "600"
    emergency_number: str = "112"
    tls: bool = False
    demo: bool = False
    predictive: bool = False  # campaigns of surveys may be so
    demo_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)  # shown on the demo's sign-in page
    country: str | None = None  # ISO 3166, of the public holidays on which other people are on call
    red_flag: timedelta = timedelta(minutes=5)  # until when one must be taken
    clocks: Clocks | None = None  # of cases; None: the shipped ones

    @property
    def case_clocks(self) -> Clocks:
        return self.clocks or Clocks(self.zone, self.country)

    @property
    def calendar(self) -> Calendar:
        """The days of the rota."""
        return Calendar(self.zone, self.country)


class PaceNow(Protocol):
    """How a campaign that runs is paced now, as the dialer tells it: `dial` lines may be dialled, `why` not more, a
    code. `answer_rate`: what it reckons with; None: with none."""

    @property
    def dial(self) -> int: ...
    @property
    def why(self) -> str: ...
    @property
    def nurses(self) -> int: ...
    @property
    def ready(self) -> int: ...
    @property
    def answer_rate(self) -> float | None: ...


Paces = Callable[[], Awaitable[Mapping[UUID, PaceNow]]]
"""By campaign."""

DeliveryReports = Callable[[str, Mapping[str, str], str | None], Awaitable[bool]]
"""(what follows /messages/reports/, the form, its signature) → whether it was a report of a message of ours."""

TextReplies = Callable[[Mapping[str, str], str | None], Awaitable[str | None]]
"""(the form, its signature) → what the gateway is answered; None where it was no message to us."""


@dataclass(frozen=True)
class Services:
    """Everything that `create_app` is given."""

    facts: SiteFacts
    database: Database
    clock: Callable[[], datetime]  # now, aware, UTC
    live: Hub
    desk: BookingDesk
    presence: Presence
    dialling: Dialling
    replay: Replay
    hours: Hours = Hours(ZoneInfo("UTC"))  # noqa: RUF009 (a constant)
    policy: CallingPolicy = STRICTEST  # the site's rules for calling, which decide when the next try is
    demo_patients: Mapping[str, DemoPatient] = field(default_factory=dict)
    demo_texts: DemoTexts | None = None
    delivery_reports: DeliveryReports | None = None
    text_replies: TextReplies | None = None
    workshop: Workshop | None = None
    own_prompts: OwnPrompts | None = None
    stints: Stints | None = None
    interpreting: Interpreting | None = None  # None: the site has none
    paces: Paces | None = None
    letters: LetterPress | None = None  # None: the site sends no letters
    transcribed: frozenset[str] = frozenset()  # languages in which messages are written down by a machine
    scripts: Path = Path(__file__).parent / "static" / "vendor"  # where the bundled scripts lie

    async def calling_rules(self) -> CallingPolicy:
        """The site's rules with what follows from results as it is in force now."""
        return replace(self.policy, outcomes=(await self.workshop.live()).outcomes) if self.workshop else self.policy
