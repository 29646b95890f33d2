"""A draft is tried: a dialogue is played on the terminal phone over the site's own departments, doctors and free times,
with an example patient, and leaves nothing behind.

Rules: it runs in one transaction that is rolled back. Every table that holds somebody or something of theirs is
shadowed in it by an empty one, so that whoever tries a draft can neither meet a patient nor keep a slot from one.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from hospital import followups, patients, questionnaires, surveys
from hospital.database import Base, Database
from hotline import wiring
from hotline.caller_joints import SqlJournal
from hotline.in_force import InForce
from hotline.settings import Settings
from ivr.call import Call
from ivr.dialogues.attended import Dialogue, attended
from ivr.dialogues.survey import survey
from ivr.front_desk import FrontDesk
from ivr.terminal import Presses, rehearse, scripted
from recordings.files import Spool
from scripts.questionnaire import Questionnaire
from scripts.wording import Heard

SEEN = frozenset({"account", "duty", "department", "doctor", "slot", "closure", "questionnaire", "edition", "audit"})
"""Tables that a try sees as they are; all others are empty for it."""
LONGEST_S = 15.0
MOST = 80  # presses

NAME, BIRTH, NUMBER = "Lucía Ejemplo", date(1980, 2, 29), "+573015550199"
"""The example patient, who calls from this number."""


class TryingDatabase(Database):
    """One connection, one transaction, rolled back at the end."""

    def __init__(self, url: str) -> None:
        super().__init__(url, connections=1)
        self._connection: Connection | None = None

    def begin(self) -> None:
        self._connection = self.engine.connect()
        self._connection.begin()
        for table in Base.metadata.sorted_tables:
            if table.name not in SEEN:
                name = self.engine.dialect.identifier_preparer.quote(table.name)
                self._connection.execute(
                    text(f"CREATE TEMP TABLE {name} (LIKE public.{name} INCLUDING ALL) ON COMMIT DROP")
                )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        if self._connection is None:
            raise RuntimeError("begin() first")
        mode = "create_savepoint"
        with (
            Session(self._connection, expire_on_commit=False, join_transaction_mode=mode) as session,  # type: ignore[arg-type]
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        if self._connection is not None:
            self._connection.rollback()
            self._connection.close()
        super().close()


async def tried(
    settings: Settings, live: InForce, url: str, dialogue: str, language: str, presses: Sequence[str]
) -> list[str]:
    """The lines of the call, to where its keys end. Raises `ValueError` for a press that no telephone can send, and
    `TimeoutError`."""

    def played(session: Session) -> Dialogue:
        _admit(session, language)
        return wiring.DIALOGUES[dialogue]

    return await _tried(settings, live, url, played, language, presses)


async def asked(
    settings: Settings, live: InForce, url: str, draft: Questionnaire, language: str, presses: Sequence[str]
) -> list[str]:
    """The same of a call in which the machine asks a questionnaire that was never published."""

    def played(session: Session) -> Dialogue:
        # A code of its own: nobody who publishes waits for it.
        row = questionnaires.publish(session, f"try-{uuid4()}", json.loads(draft.body), draft.sha256, wiring.now())
        patient = _admit(session, language)
        task = followups.plan(
            session, patient_id=patient.id, questionnaire_id=row.id, reason="terminal", due_at=wiring.now()
        )
        task_id = task.id

        async def ask(call: Call, front: FrontDesk) -> None:
            if await survey(call, front, task_id):
                await front.database.run(surveys.finish, task_id, front.now())

        return attended(ask)

    return await _tried(settings, live, url, played, language, presses)


async def _tried(
    settings: Settings,
    live: InForce,
    url: str,
    played: Callable[[Session], Dialogue],
    language: str,
    presses: Sequence[str],
) -> list[str]:
    """`played` puts what the call needs into the database that is thrown away, and says what is played."""
    keys = scripted(presses[:MOST])
    database = TryingDatabase(url)
    with tempfile.TemporaryDirectory(prefix="hotline-try-") as folder:
        try:
            async with asyncio.timeout(LONGEST_S):
                await asyncio.to_thread(database.begin)
                dialogue = await database.run(played)
                return await _play(settings, live, database, Path(folder), dialogue, language, keys)
        finally:
            await asyncio.to_thread(database.close)


def _admit(session: Session, language: str) -> patients.Patient:
    return patients.register(session, name=NAME, birth=BIRTH, language=language, numbers=[NUMBER])


async def _play(
    settings: Settings,
    live: InForce,
    database: Database,
    folder: Path,
    dialogue: Dialogue,
    language: str,
    keys: Presses,
) -> list[str]:
    spool = Spool(folder, PurePosixPath(folder))
    at_home = settings.model_copy(update={"data": folder})
    front = wiring.front_desk(at_home, database, live.words, spool, live)
    journal = SqlJournal(database, "try-1", "terminal", NUMBER, wiring.now)
    await journal.begin()

    async def hold(call: Call) -> None:
        await dialogue(call, front)

    transcript = await rehearse(
        hold,
        Heard(live.words),
        keys,
        language=language,
        caller_number=NUMBER,
        journal=journal,
        house=wiring.house_keys(front),
        call_id="try-1",
    )
    return transcript.lines
