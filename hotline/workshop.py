"""`web.ports.Workshop`: drafts are assembled, checked, spoken and played as they would go live."""

import asyncio
import io
import wave
from pathlib import Path

from hospital.editions import Body, Sheet
from hotline.in_force import Shipped
from hotline.sheets import Sheets
from scripts import findings
from scripts.examples import examples
from scripts.findings import Finding
from scripts.wording import Wording
from scripts.yaml_lines import FileRefused
from speech.speaker import Speaker
from speech.voices import VoiceFailed
from web import ports

WITHIN_S = 8.0  # somebody sits before the page and waits for the best voice
RATE = 16000


class SiteWorkshop:
    """One for the console."""

    def __init__(self, sheets: Sheets, speaker: Speaker) -> None:
        self._sheets, self._speaker = sheets, speaker
        self._before = Wording(self.shipped.site, self.shipped.with_files)

    @property
    def shipped(self) -> Shipped:
        return self._sheets.shipped

    async def live(self) -> ports.Live:
        now = await self._sheets.now()
        return ports.Live(now.words, tuple(map(str, now.troubles)))

    def before(self) -> Wording:
        return self._before

    def words(self, body: Body) -> Wording:
        return self.shipped.words(self.shipped.changes(body))

    async def check(self, sheet: Sheet, body: Body) -> list[Finding]:
        return [] if body is None else await asyncio.to_thread(self._check, body)

    def _check(self, body: Body) -> list[Finding]:
        try:
            changes = self.shipped.changes(body)
        except FileRefused as refusal:
            return findings.of_problems(refusal.problems)
        words = self.shipped.words(changes)
        return findings.of_wording(changes, words, self.shipped.settings.site.languages)

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
