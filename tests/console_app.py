"""The console in this process, on a real database: a sign-in is a row, what the dialer is asked is written down."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy.orm import Session

from hospital import accounts, attempts, followups, questionnaires, recordings, vault
from hospital.accounts import Account, SignInSession
from hospital.attempts import Attempt, Claimed
from hospital.booking import OwnDesk
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.notices import Notice, PostgresNotices
from hospital.patients import Patient, Stay
from hotline import joints, tapes
from hotline.caller_joints import appointment_messages
from recordings.files import Shelf
from recordings.replay import Replay
from recordings.sealing import seal
from scripts.questionnaire_files import load_questionnaires
from tests.characters import JOAO
from tests.hospital_scene import UNCAPPED, admit, employ
from tests.moments import NOON, ZONE
from tests.test_recordings_sealing import wav_of
from web import ports
from web.app import create_app
from web.live import Audience, Hub

HOST = "console.test"
ROLES = {"ana": "nurse", "grace": "supervisor", "oscar": "none", "ruby": "nurse", "ida": "administrator"}
ROLES |= {"dora": "doctor"}


class Presence:
    async def of(self, account_id: UUID) -> ports.PresenceState:
        return "away"

    async def become_available(self, account_id: UUID) -> str | None:
        return None

    async def become_away(self, account_id: UUID) -> str | None:
        return None


class Dialling:
    """Writes down what it is asked; `refusal` is what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, UUID]] = []
        self.refusal: str | None = None

    async def start(self, task_id: UUID, account_id: UUID) -> str | None:
        return self._ask("start", task_id)

    async def hang_up(self, attempt_id: UUID, account_id: UUID) -> str | None:
        return self._ask("hang_up", attempt_id)

    async def machine(self, attempt_id: UUID, account_id: UUID) -> str | None:
        return self._ask("machine", attempt_id)

    async def start_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        return self._ask("start_recording", attempt_id)

    async def refuse_recording(self, attempt_id: UUID, account_id: UUID) -> str | None:
        return self._ask("refuse_recording", attempt_id)

    def _ask(self, what: str, which: UUID) -> str | None:
        self.asked.append((what, which))
        return self.refusal


class Stints:
    """Writes down what it is asked; `refusal` is what it answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, UUID | None]] = []
        self.refusal: str | None = None

    async def join(self, account_id: UUID, campaign_id: UUID | None) -> str | None:
        self.asked.append(("join", campaign_id))
        return self.refusal

    async def leave(self, account_id: UUID) -> str | None:
        self.asked.append(("leave", None))
        return self.refusal

    async def call_next(self) -> None:
        self.asked.append(("call_next", None))


class Site:
    """João is due; Ana, Ruby, Grace and Oscar have accounts. `now` is moved by the test."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.shelf, self.dialling, self.now = database, Shelf(folder / "shelf"), Dialling(), NOON
        self.stints = Stints()
        with database.transaction() as session:
            self.staff = {name: employ(session, name, role) for name, role in ROLES.items()}
            self.joao = admit(session, JOAO)
            self.task = self._due(session, self.joao)
        catalogue = tapes.SqlCatalogue(database, lambda: self.now)
        self.app = create_app(
            ports.Services(
                facts=ports.SiteFacts("San Rafael", ZONE, frozenset({HOST}), "ws://unused", country="CO"),
                database=database,
                clock=lambda: self.now,
                live=Hub(PostgresNotices(database.url), self._nobody),
                desk=OwnDesk(database, **appointment_messages(lambda: self.now, lambda: ())),
                presence=Presence(),
                dialling=self.dialling,
                stints=self.stints,
                replay=joints.ConsoleReplay(Replay(self.shelf, catalogue, vault.unwrap_key)),
                policy=UNCAPPED,
            )
        )

    async def _nobody(self, notice: Notice) -> Audience:
        raise AssertionError("no live stream in these tests")

    def _due(self, session: Session, patient: Patient) -> FollowUpTask:
        found = load_questionnaires()[0]["discharge-day3"]
        form = questionnaires.publish(session, found.id, json.loads(found.body), found.sha256, NOON)
        stay = Stay(
            patient_id=patient.id,
            ward="surgery 2",
            admitted_at=NOON - timedelta(days=7),
            discharged_at=NOON - timedelta(days=3),
        )
        session.add(stay)
        session.flush()
        return followups.plan(
            session,
            patient_id=patient.id,
            questionnaire_id=form.id,
            reason="discharge_day_3",
            due_at=NOON,
            stay_id=stay.id,
            owner_id=self.staff["ana"].id,
        )

    def talking(self, nurse: str = "ana") -> UUID:
        """The nurse has called João, and he has answered."""
        with self.database.transaction() as session:
            claimed = attempts.claim(session, self.task.id, self.staff[nurse].id, "n1", self.now, UNCAPPED)
            assert isinstance(claimed, Claimed), claimed
            assert attempts.dialling(session, claimed.attempt_id, self.now)
            attempts.answered(session, claimed.channel_id, self.now)
            return claimed.attempt_id

    def over(self, attempt_id: UUID, line_result: str = "answered") -> None:
        with self.database.transaction() as session:
            assert attempts.line_ended(session, attempt_id, line_result, self.now, UNCAPPED)

    def recorded(self, attempt_id: UUID, sound: bytes) -> tuple[UUID, bytes]:
        """A recording of the call, really sealed; its id and the plain WAV."""
        with self.database.transaction() as session:
            attempt = session.get_one(Attempt, attempt_id)
            recording_id = recordings.open_for(
                session,
                call_id=attempt.channel_id,
                attempt_id=attempt_id,
                patient_id=attempt.patient_id,
                account_id=attempt.account_id,
                at=self.now,
            )
            assert recording_id is not None
        plain = wav_of(sound)
        self.shelf.make_room(recording_id)
        source = self.shelf.root / "plain.wav"
        source.write_bytes(plain)
        with source.open("rb") as file:
            sealed = seal(
                file, self.shelf.sealed(recording_id), self.shelf.part(recording_id), recording_id, vault.wrap_key
            )
        with self.database.transaction() as session:
            assert recordings.sealed(
                session,
                recording_id,
                path=self.shelf.place(recording_id),
                seconds=sealed.seconds,
                sha256=sealed.sha256,
                wrapped_key=sealed.wrapped_key,
                at=self.now,
            )
        return recording_id, plain

    def answers(self) -> dict[str, object]:
        with self.database.transaction() as session:
            return followups.answers(session, self.task.id)

    def task_now(self) -> FollowUpTask:
        with self.database.transaction() as session:
            return session.get_one(FollowUpTask, self.task.id)

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator["Page"]:
        token = f"{name}-is-signed-in-".ljust(43, "x")
        with self.database.transaction() as session:
            session.merge(_session(self.staff[name], token, self.now))
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}", cookies={"hotline": token}) as c:
            yield Page(c)


def _session(account: Account, token: str, at: datetime) -> SignInSession:
    return SignInSession(
        token_hash=accounts.digest(token),
        account_id=account.id,
        csrf="csrf-of-this-page",
        created_at=at,
        seen_at=at,
        expires_at=at + accounts.LONGEST,
    )


class Page:
    """A browser's requests, with the page's anti-forgery token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        answer = await self._client.get(path, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer

    async def post(self, path: str, status: int = 200, /, **form: str | list[str]) -> httpx.Response:
        headers = {"X-CSRF-Token": "csrf-of-this-page", "HX-Request": "true"}
        answer = await self._client.post(path, data=form, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer


def words(html: str) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
