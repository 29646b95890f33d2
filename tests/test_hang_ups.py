"""Whoever hangs up, at whatever step of whatever dialogue, leaves no hold and no half-truth.

Every scene of tests/test_dialogues.py and tests/test_care_dialogues.py (and in tests/test_hang_ups_of_ours.py of calls
that we begin or are returned) is played in Spanish once for each thing that
the line does in it, and the line drops just before that. Scenes that begin alike are dropped there once. Each play is
undone in one transaction of a real PostgreSQL after it was looked at; what was there before the call is made once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Concatenate, ParamSpec, TypeVar

import psycopg
import pytest
from psycopg.pq import DiagnosticField, ExecStatus
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hospital import caller_languages, calls, vault
from hospital.booking import Appointment, OwnDesk
from hospital.callbacks import Callback
from hospital.calls import Call as CallRow
from hospital.calls import CallStep
from hospital.cases import Case
from hospital.database import Database
from hospital.opening import Hours
from hospital.outbox import OutboxRow
from hospital.recordings import Recording
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal, appointment_messages
from hotline.settings_file import DEMO, build
from hotline.tapes import SpoolTapes, SqlCatalogue
from ivr.call import Call, CallerLeft
from ivr.conversation import converse
from ivr.front_desk import FrontDesk
from ivr.terminal import Presses, TerminalJournal, TerminalLine, Transcript, scripted
from ivr.turn import Expect, Heard, Prompt, Recorded
from recordings.capture import Capture
from recordings.files import Shelf, Spool
from scripts import wording
from tests import test_care_dialogues, test_dialogues
from tests.conftest import cloned
from tests.moments import NOON, ZONE
from tests.test_dialogues import words
from tests.transcripts import KEYS

__all__ = ["words"]

P = ParamSpec("P")
T = TypeVar("T")
CALL = "terminal-1"
LAST = ("ended", "caller_left", "transfer")
OF_WHO_WAITS = ("callback", "place")  # keys in a queue
SERVED = ("callback", "message")  # outcomes of a call whose caller waits no more
NO_ANSWER = ("caller: (hangs up)", "caller: (machine)", "caller: (fax)")


class OneTransaction(Database):
    """A database in which everything can be undone: each transaction is a savepoint of one.

    SQLAlchemy is told nothing of that: twenty savepoints a call would be half of its statements, and psycopg would
    forget with each of them what it has prepared."""

    def __init__(self, url: str) -> None:
        super().__init__(url, connections=1)
        self._connection = self.engine.connect()
        self._outer = self._connection.begin()
        self._within = 0
        self._connection.exec_driver_sql("SELECT 1")  # now it has begun

    def close(self) -> None:
        self._outer.rollback()
        self._connection.close()
        super().close()

    @contextmanager
    def undone(self) -> Iterator[None]:
        self._does(b"SAVEPOINT undone; SAVEPOINT one")
        self._within += 1
        try:
            yield
        finally:
            self._within -= 1
            self._does(b"ROLLBACK TO undone; RELEASE undone" if self._within else b"ROLLBACK; BEGIN")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with Session(self._connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
            try:
                yield session
                session.commit()  # which leaves the connection's own transaction as it is
                # What a commit would ask, and where the next transaction begins.
                self._does(b"SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RELEASE one; SAVEPOINT one")
            except BaseException:
                self._does(b"ROLLBACK TO one")
                raise
            finally:
                assert self._outer.is_active, "SQLAlchemy has rolled back more than one transaction"

    def _does(self, statements: bytes) -> None:
        driver = self._connection.connection.driver_connection
        assert driver is not None
        done = driver.pgconn.exec_(statements)
        if done.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.lookup(done.error_field(DiagnosticField.SQLSTATE).decode())(done.error_message)

    async def run(self, verb: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._transact(verb, *args, **kwargs)


class DroppedLine(TerminalLine):
    """Drops before its `after`th deed; `deeds` is how many presses there had been at each."""

    def __init__(self, words: wording.Heard, presses: Presses, transcript: Transcript, after: int | None) -> None:
        super().__init__(words, presses, transcript)
        self._after, self._told = after, transcript
        self.deeds: list[int] = []

    def _does(self) -> None:
        if len(self.deeds) == self._after:
            raise CallerLeft
        self.deeds.append(len(self._told.presses))

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        self._does()
        return await super().play(prompts, language, expect)

    async def record(self, path: str, ending: str, most_s: float, silence_s: int) -> Recorded:
        self._does()
        return await super().record(path, ending, most_s, silence_s)

    async def set_language(self, language: str) -> None:
        self._does()
        await super().set_language(language)

    async def hand_over(self, queue: str | None, place: int | None = None) -> None:
        self._does()
        await super().hand_over(queue, place)


@dataclass(frozen=True)
class Scene:
    """What of the two kinds of scenes is needed here. `state`: scenes with the same one begin in the same house."""

    presses: tuple[str, ...]
    number: str | None
    dialogue: str
    state: str
    before: Callable[[Session], None]
    at_press: tuple[int, Callable[[Database], None]] | None = None
    desk: Mapping[str, object] = field(default_factory=dict)
    hours: Hours | None = None
    triage: bool = True


def _booking_scenes() -> Iterator[tuple[str, Scene]]:
    for name, scene in test_dialogues.SCENES.items():

        def before(session: Session, scene: test_dialogues.Scene = scene) -> None:
            if scene.before is not None:
                scene.before(_Inside(session))  # type: ignore[arg-type]
            if scene.remembers is not None:
                caller_languages.remember(session, scene.number, scene.remembers or "es", NOON)

        state = f"{scene.before} {scene.remembers} {scene.at_press} {sorted(scene.settings.items())}"
        presses = tuple(scene.presses.replace("X", KEYS["en"]).split(","))
        yield (
            name,
            Scene(presses, scene.number, scene.dialogue, state, before, scene.at_press, scene.settings),
        )


def _care_scenes() -> Iterator[tuple[str, Scene]]:
    for name, scene in test_care_dialogues.SCENES.items():
        state = f"{scene.before} {scene.hours} {scene.no_triage}"
        before = scene.before or (lambda _: None)
        presses = tuple(scene.presses.split(","))
        yield (
            name,
            Scene(presses, scene.number, scene.dialogue, state, before, hours=scene.hours, triage=not scene.no_triage),
        )


@dataclass
class _Inside:
    """What a scene prepares, in the session that there is."""

    session: Session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        yield self.session
        self.session.flush()


SCENES = {**dict(_booking_scenes()), **dict(_care_scenes())}


@pytest.fixture(scope="module")
def database(cluster: postgres.Cluster, demo_template: str) -> Iterator[OneTransaction]:
    with cloned(cluster, demo_template) as url, closing(OneTransaction(url)) as opened:
        yield opened


@pytest.fixture(scope="module")
def front(database: OneTransaction, words: wording.Wording, tmp_path_factory: pytest.TempPathFactory) -> FrontDesk:
    folder = tmp_path_factory.mktemp("hang-ups")
    made = wiring.front_desk(build({**DEMO, "data": folder}), database, words)
    spool = folder / "spool"
    spool.mkdir()
    catalogue = SqlCatalogue(database, lambda: NOON)
    quiet = 0.1  # nobody writes here
    capture = Capture(
        Spool(spool, PurePosixPath(spool)), Shelf(folder / "sealed"), catalogue, vault.wrap_key, closing_seconds=quiet
    )
    tapes = SpoolTapes(database, capture, made.care.clocks, lambda: NOON)
    desk = OwnDesk(database, zone=ZONE, **appointment_messages(lambda: NOON, lambda: made.site_says))
    return replace(made, now=lambda: NOON, desk=desk, care=replace(made.care, tapes=tapes))


@pytest.fixture(scope="module")
def dropped() -> set[tuple[object, ...]]:
    """Where lines were dropped already."""
    return set()


@pytest.mark.covers("H1", "I1", "I2", "I10", "I11")
@pytest.mark.parametrize("name", SCENES)
async def test_a_hang_up_leaves_no_hold_and_no_half_truth(
    name: str,
    front: FrontDesk,
    database: OneTransaction,
    words: wording.Wording,
    dropped: set[tuple[object, ...]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    scene = SCENES[name]
    with database.undone():
        await _journal(scene, database).begin()
        with database.transaction() as session:
            scene.before(session)
            if scene.dialogue in OF_WHO_WAITS:
                calls.queued(session, CALL, "reception")
        whole = await _played(scene, None, front, database, words)
        for after, presses in enumerate(whole):
            place = (scene.state, scene.dialogue, scene.number, scene.presses[:presses], after)
            if place not in dropped:
                dropped.add(place)
                assert len(await _played(scene, after, front, database, words)) == after


def _journal(scene: Scene, database: Database) -> SqlJournal:
    return SqlJournal(database, CALL, "terminal", scene.number, lambda: NOON)


async def _played(
    scene: Scene, after: int | None, front: FrontDesk, database: OneTransaction, words: wording.Wording
) -> list[int]:
    """Plays the scene until the line drops, looks at what is left, and undoes it. Returns the line's deeds."""
    with database.undone():
        told = Transcript()
        here = _Counts(database)
        line = DroppedLine(wording.Heard(words), here.pressing(scene), told, after)
        here.look()
        care = replace(front.care, hours=scene.hours or front.care.hours)
        if not scene.triage:
            care = replace(care, triage=None)
        there = replace(front, care=care, **scene.desk)  # type: ignore[arg-type]

        async def dialogue(call: Call) -> None:
            await wiring.DIALOGUES[scene.dialogue](call, there)

        house = wiring.house_keys(front)
        call = Call(CALL, "terminal", scene.number, line, TerminalJournal(told, _journal(scene, database)), "es", house)
        with suppress(CallerLeft):
            await converse(call, dialogue)
        with database.transaction() as session:
            is_whole(session, told, here.others, scene.dialogue in OF_WHO_WAITS)
        return line.deeds


@dataclass
class _Counts:
    """`others`: the appointments that are not of the call's making."""

    database: OneTransaction
    others: int = 0

    def look(self) -> None:
        with self.database.transaction() as session:
            self.others = appointments_booked(session)

    def pressing(self, scene: Scene) -> Presses:
        press, pressed = scripted(scene.presses), 0

        async def next_press() -> str | None:
            nonlocal pressed
            if scene.at_press is not None and pressed == scene.at_press[0]:
                with self.database.transaction() as session:
                    before = appointments_booked(session)
                scene.at_press[1](self.database)
                with self.database.transaction() as session:
                    self.others += appointments_booked(session) - before
            pressed += 1
            return await press()

        return next_press


def appointments_booked(session: Session) -> int:
    """Those that somebody has, also where the clinic is suspended."""
    has = Appointment.state.in_(("booked", "suspended"))
    return session.scalar(select(func.count()).select_from(Appointment).where(has)) or 0


def is_whole(session: Session, told: Transcript, others: int, waits: bool = False) -> None:
    """What must be true of a call that is over, however it ended. `others`: the appointments that are not of its
    making; `waits`: its caller was in a queue."""
    steps = list(session.scalars(select(CallStep).where(CallStep.call_id == CALL).order_by(CallStep.seq)))
    kinds = [step.kind for step in steps]
    held = text("SELECT count(*) FROM hold WHERE holder = :call AND expires_at < 'infinity'")
    assert session.scalar(held, {"call": CALL}) == 0, "a slot is held for somebody who has left"

    assert [step.seq for step in steps] == list(range(1, len(steps) + 1))
    ends = [kind for kind in kinds if kind in LAST]
    assert ends in (["ended"], ["caller_left"], ["transfer"], ["transfer", "caller_left"])
    assert kinds[-1] == ends[-1], "the journal goes on after the call's end"
    heard = [line for line in told.lines if line.startswith("caller: ") and line not in NO_ANSWER]
    answered = [line for line in heard if not line.endswith("(meanwhile)")]  # an answer when it is taken
    spoken = [line for line in answered if line.startswith(("caller: (speaks)", "caller: (says nothing)"))]
    facts = [step.facts for step in steps if step.kind == "turn"]
    given = [fact for fact in facts if fact.keys() & {"key", "digits", "silence"}]
    assert (len(given), kinds.count("recorded")) == (len(answered) - len(spoken), len(spoken)), "an answer is missing"

    call = session.get_one(CallRow, CALL)
    waited = ends == ["transfer", "caller_left"] or (ends == ["caller_left"] and waits)
    assert ("abandoned" in kinds) == (call.outcome == "abandoned") == (waited and call.outcome not in SERVED), ends
    assert (call.state, call.ended_at is None) == (("queued", True) if ends == ["transfer"] else ("ended", False))

    assert appointments_booked(session) == others + kinds.count("booked") - kinds.count("cancelled")
    keys = [row.key for row in session.scalars(select(OutboxRow))]
    for kind, key in (("booked", "confirmed"), ("cancelled", "cancelled"), ("moved", "moved")):
        assert keys.count(f"appointment_{key}") == kinds.count(kind), f"{kind}, and not told, or told and not {kind}"

    assert {row.state for row in session.scalars(select(Recording))} <= {"sealed", "lost", "none"}
    cases = list(session.scalars(select(Case)))
    assert "draft" not in {case.state for case in cases}
    urgent = [step for step in steps if step.kind == "transfer" and step.facts["queue"] == "urgent"]
    assert len([case for case in cases if case.kind == "red_flag"]) >= len(urgent), "urgent, and nobody knows"
    items = [one.why for one in session.scalars(select(Callback))]
    wanted = [why for why in items if why not in ("red_flag", "suspended")]
    noted = kinds.count("callback_asked") + kinds.count("new_patient")
    gave_up = "abandoned" in kinds and call.number is not None and not noted and "red_flag" not in items
    assert len(wanted) == noted + gave_up, "whoever waits for a person and leaves is called back, once"
