"""`web.ports.DemoTexts`: in the demo the gateway is a file, and a patient's telephone is a page."""

import asyncio
import json
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy.orm import Session

from hospital import text_replies
from hospital.database import Database
from hotline.message_joints import Take
from messages.gateway import Incoming
from web.ports import DemoText

MOST = 30  # shown
TAIL = 1 << 18  # bytes of the file that are looked at


class FileTexts:
    """What the file gateway wrote to a number, and what came from it."""

    def __init__(self, database: Database, sent: Path, take: Take) -> None:
        self._database, self._sent, self._take = database, sent, take

    async def of(self, number: str) -> list[DemoText]:
        """The newest, as they came."""
        sent = await asyncio.to_thread(_sent_to, self._sent, number)
        came = await self._database.run(_came_from, number)
        return sorted([*sent, *came], key=lambda one: one.at)[-MOST:]

    async def write(self, number: str, text: str) -> str:
        """The patient writes; the fate of the text."""
        return await self._take(Incoming("demo", str(uuid4()), number, text))


def _sent_to(path: Path, number: str) -> list[DemoText]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            row = json.loads(line)
            if row["to"] == number:
                found.append(DemoText(datetime.fromisoformat(row["at"]), True, row["text"]))
        except (ValueError, KeyError, TypeError):
            continue  # the beginning or the end of a line
    return found


def _came_from(session: Session, number: str) -> list[DemoText]:
    return [DemoText(one.came_at, False, one.text) for one in text_replies.of_number(session, number, MOST)]
