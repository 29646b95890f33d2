"""`web.ports.Workshop`: drafts are assembled, checked, spoken and played as they would go live."""

import asyncio
import io
import wave
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from hospital import editions
from hospital.booking import Department, Doctor, Slot
from hospital.database import Database
from hospital.editions import Body, Publications, Sheet
from hospital.opening import Hours
from hospital.outcome_rules import OutcomeRules
from hotline.in_force import InForce, Shipped, assemble
from hotline.sheets import Sheets
from hotline.trying import asked, tried
from scripts import findings
from scripts.examples import examples
from scripts.findings import Finding
from scripts.questionnaire import Questionnaire
from scripts.triage import Triage
from scripts.wording import Wording
from scripts.yaml_lines import FileRefused
from speech.speaker import Speaker
from speech.voices import VoiceFailed
from web import ports

WITHIN_S = 8.0  # somebody sits before the page and waits for the best voice
RATE = 16000


@dataclass(frozen=True)
class Known:
    """What of the database a check needs. `prepared`: code of a preparation → departments that name it."""

    departments: Mapping[str, bool]
    prepared: Mapping[str, Collection[str]]
    at: datetime


class SiteWorkshop:
    """One for the console."""

    def __init__(self, sheets: Sheets, speaker: Speaker, database: Database, now: Callable[[], datetime]) -> None:
        self._sheets, self._speaker, self._database, self._now = sheets, speaker, database, now
        self._before = Wording(self.shipped.site, self.shipped.with_files)

    @property
    def shipped(self) -> Shipped:
        return self._sheets.shipped

    async def live(self) -> ports.Live:
        now = await self._sheets.now()
        return ports.Live(now.words, now.hours, tuple(map(str, now.troubles)), now.outcomes)

    def before(self) -> Wording:
        return self._before

    def words(self, body: Body) -> Wording:
        return self.shipped.words(self.shipped.changes(body))

    def hours(self, body: Body) -> Hours:
        return self.shipped.hours(body)

    def triage(self, body: Body) -> Triage | None:
        return self.shipped.triage(body)

    def outcomes(self, body: Body) -> OutcomeRules:
        return self.shipped.outcomes(body)

    def file_of(self, sheet: Sheet) -> Body:
        return self.shipped.file_of(sheet)

    async def departments(self) -> Mapping[str, bool]:
        return (await self._database.run(_known, self._now())).departments

    async def check(self, sheet: Sheet, body: Body) -> list[Finding]:
        if body is None:
            return []
        known, live = await self._database.run(_known, self._now()), await self._sheets.now()
        try:
            return await asyncio.to_thread(self._check, sheet, body, known, live)
        except FileRefused as refusal:
            return findings.of_problems(refusal.problems)

    def _check(self, sheet: Sheet, body: Body, known: Known, live: InForce) -> list[Finding]:
        shipped = self.shipped
        match sheet:
            case "information":
                says = shipped.site_says(body)
                return findings.of_site(says, shipped.words(says=says), known.prepared)
            case "hours":
                hours = shipped.hours(body)
                today = known.at.astimezone(hours.zone).date()
                days = [today + timedelta(days=n) for n in range(14)]
                return findings.of_hours(sum(bool(hours.of_day(day)) for day in days), today.isoformat())
            case "menu":
                return findings.of_menu(shipped.menu(body) or (), live.words)
            case "outcomes":
                return findings.of_outcomes(shipped.outcomes(body))
            case "triage":
                table = shipped.triage(body)
                return findings.of_triage(table, live.triage, known.departments, live.words) if table else []
        changes = shipped.changes(body)
        return findings.of_wording(changes, shipped.words(changes), shipped.settings.site.languages)

    async def tried(self, sheet: Sheet, body: Body, language: str, presses: Sequence[str]) -> list[str]:
        published = await self._database.run(editions.publications)
        bodies = {**published.bodies, sheet: [(0, body)]}
        draft = await asyncio.to_thread(assemble, self.shipped, Publications(0, bodies))
        refused = [problem for trouble in draft.troubles if trouble.sheet == sheet for problem in trouble.problems]
        if refused:
            raise FileRefused(refused)
        dialogue = "care" if sheet == "triage" else "inbound"
        return await tried(self.shipped.settings, draft, self._database.url, dialogue, language, presses)

    async def asked(self, draft: Questionnaire, language: str, presses: Sequence[str]) -> list[str]:
        live = await self._sheets.now()
        return await asked(self.shipped.settings, live, self._database.url, draft, language, presses)

    async def sound(self, key: str, language: str, body: Body) -> bytes:
        said = self._speaker.saying(self.words(body))
        values = examples(self.shipped.site.zone)
        try:
            path = await said.file(key, language, values, within=WITHIN_S)
        except (VoiceFailed, FileRefused, KeyError) as failure:
            raise ports.NotThere(type(failure).__name__) from failure
        return await asyncio.to_thread(_wav, path.with_suffix(".sln16"))


def _wav(samples: Path) -> bytes:
    """Asterisk's plain samples with a head that browsers know."""
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.read_bytes())
    return made.getvalue()


def _known(session: Session, at: datetime) -> Known:
    open_slot = exists().where(
        Slot.doctor_id == Doctor.id,
        Doctor.department_id == Department.id,
        Slot.state == "open",
        Slot.starts_at > at,
    )
    rows = session.execute(select(Department.code, open_slot, Department.preparation)).all()
    prepared: dict[str, list[str]] = {}
    for code, _, preparation in rows:
        for one in preparation:
            prepared.setdefault(one, []).append(code)
    return Known({code: has for code, has, _ in rows}, prepared, at)
