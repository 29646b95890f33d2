"""At most once, whatever dies: patients are dialled by machine while the dialer, a second one, Asterisk and the
database's connections are killed, stopped and reset under it, by chance and at each step. The witness is SIPp, at the
far end of the trunk: its log of INVITEs is counted by number and by task.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from hospital import consents, followups, patients, plan_changes, questionnaires, surveys
from hospital.attempts import Attempt
from hospital.followups import DecisionRow, FollowUpTask
from hospital.patients import Patient, PhoneNumber
from hospital.recordings import Recording
from hotline import wiring
from hotline.numbering import AMI_USER
from tests import outside
from tests.console import console
from tests.forked_house import stock
from tests.house import House
from tests.late import LATE
from tests.outside import Witness
from tests.test_shift import employ

pytestmark = pytest.mark.asterisk

PATIENTS, FEWER = 40, 24
OPTED_OUT = range(5)
SEED = 20_261_126
DESCRIPTOR = 4  # the column of "manager show connected" by which a session is named
SIDES = ("before", "after")
STEPS = ("after claim_next", "before dialling_alone", "after dialling_alone", "after rang", "before settle")
STEPS = (*STEPS, "after settle", "before answered", "after answered")
EACH = [f"{side} {verb}" for verb in ("claim_next", "dialling_alone", "rang", "settle", "answered") for side in SIDES]
STEPS_OF = {"kill": STEPS, "cut": STEPS, "asterisk": STEPS, "database": EACH, "unanswered": EACH[1::2]}
LONGER_THAN_A_CALL = timedelta(seconds=60)
FAULTS_S = (0.1, 0.9)  # between one fault and the next, seconds


def everybody_is_due(site: House, count: int = PATIENTS) -> list[str]:
    """Patients with a survey by machine that is due now; the first five of them want no calls. Their numbers."""
    numbers = [outside.number(n) for n in range(count)]
    due_at = wiring.now() - timedelta(minutes=1)
    with site.database.transaction() as session:
        asked = questionnaires.newest(session, "discharge-day3")
        assert asked is not None
        for n, number in enumerate(numbers):
            one = patients.register(session, name=f"Patient {n}", birth=None, language="es", numbers=[number])
            if n in OPTED_OUT:
                one.opted_out = [str(asked.body["purpose"]).replace("-", "_")]
            made = followups.plan(session, patient_id=one.id, questionnaire_id=asked.id, reason="survey", due_at=due_at)
            made.channel = surveys.CHANNEL
    return numbers


class Faults:
    """What can happen to the house; each is over when the method returns, its consequences are not."""

    def __init__(self, site: House) -> None:
        self.site = site

    async def the_dialer_dies(self) -> None:
        self.site.kill("core")

    async def asterisk_dies(self) -> None:
        self.site.kill("asterisk")

    async def every_database_connection_is_cut(self) -> None:
        with self.site.database.transaction() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = user AND pid <> pg_backend_pid()"
                )
            )

    async def the_dialer_stands_still(self) -> None:
        pid = self.site.children["core"]
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(1.5)  # longer than a call rings: its end is news that nobody read
        os.kill(pid, signal.SIGCONT)

    async def asterisk_sends_the_dialer_away(self) -> None:
        """Its AMI session is reset, with whatever it was about to order."""
        rows = [line.split() for line in (await self.site.cli("manager show connected")).splitlines()]
        for row in rows:
            if len(row) > DESCRIPTOR and row[0] == AMI_USER:
                told = await self.site.cli(f"manager kick session {row[DESCRIPTOR]}")
                assert "No manager session" not in told, told

    @property
    def all(self) -> list[Callable[[], Awaitable[None]]]:
        return [
            self.the_dialer_dies,
            self.every_database_connection_is_cut,
            self.asterisk_sends_the_dialer_away,
            self.asterisk_dies,
            self.the_dialer_stands_still,
        ]


async def runs_again(site: House, witness: Witness) -> None:
    """Until more patients' phones have rung than before, or for some seconds: then there may be nobody left."""
    before = len(witness.rang())
    with contextlib.suppress(AssertionError):
        await site.until("another one rings", lambda: len(witness.rang()) > before, within=6)


def under_way(site: House) -> bool:
    with site.database.transaction() as session:
        live = session.scalars(select(Attempt.id).where(Attempt.state.in_(("claimed", "dialling", "talking")))).all()
        due = session.scalars(
            select(FollowUpTask.id).where(
                FollowUpTask.state == "open", FollowUpTask.tries == 0, FollowUpTask.next_try_at.is_(None)
            )
        ).all()
        return bool(live or due)


def at_most_once(site: House, witness: Witness, numbers: list[str]) -> None:
    """The oracle. What the house has written down is compared with what SIPp was sent, number by number and, as each
    task has a patient of its own here, task by task."""
    rang = witness.rang()
    with site.database.transaction() as session:
        rows = select(PhoneNumber, Attempt).join(Attempt, Attempt.number_id == PhoneNumber.id)
        attempts_of: dict[str, list[Attempt]] = {}
        for number, attempt in session.execute(rows):
            attempts_of.setdefault(number.number, []).append(attempt)
    assert {number: calls for number, calls in rang.items() if len(calls) > 1} == {}, "nobody twice"
    assert set(rang) <= set(numbers[len(OPTED_OUT) :]), "nobody who opted out, and nobody else"
    assert set(rang) <= attempts_of.keys(), "nothing rang of which there is no record"
    for number, made in attempts_of.items():
        ordered = [one for one in made if one.dialled_at is not None and one.line_result != "cancelled"]
        assert len(ordered) <= 1, "never a second order for a task whose first was made, or may have been"
        assert bool(ordered) >= (number in rang), "and what rang was ordered"
        live = [one for one in made if one.state in ("claimed", "dialling", "talking")]  # another try may just begin
        assert [one for one in live if one.claimed_at < wiring.now() - LONGER_THAN_A_CALL] == [], "nothing hangs"
    each_answer_is_accounted_for(site)


def each_answer_is_accounted_for(site: House) -> None:
    """I5. Of a nurse's talk the result may still be hers to say: then it is on her list to be written up."""
    with site.database.transaction() as session:
        answered = session.scalars(select(Attempt).where(Attempt.line_result.in_(("answered", "machine", "fax")))).all()
        for one in answered:
            hers = session.get_one(FollowUpTask, one.task_id).state == "wrap_up" and one.account_id is not None
            assert one.line_result != "answered" or one.contact_result is not None or hers, "one result"
            kept = session.scalars(select(Recording).where(Recording.attempt_id == one.id)).all()
            assert [(row.state in ("none", "lost"), row.reason is not None) for row in kept] in (
                [(True, True)],
                [(False, False)],
            ), "one recording, or one reason why there is none"
        others = select(Attempt.id).where(Attempt.line_result.not_in(("answered", "machine", "fax")))
        without = select(Recording.id).where(Recording.attempt_id.in_(others))
        assert session.scalars(without).all() == [], "and nothing of whom nobody answered for"


def reached(site: House, witness: Witness, most: float) -> None:
    """Most patients' phones rang all the same; on a full machine more orders are lost than elsewhere."""
    with site.database.transaction() as session:
        lines = Counter(session.scalars(select(Attempt.line_result)))
        decided = Counter(session.scalars(select(DecisionRow.code)))
    assert len(witness.rang()) >= PATIENTS * most, f"{LATE}: most are reached: {lines}, {decided}"


@pytest.mark.covers("I3", "I4", "I5", "I10")
async def test_forty_patients_are_dialled_at_most_once_whatever_dies(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with outside.site(tmp_path, "hangs_up", lines=6) as (site, witness):
        numbers = everybody_is_due(site)
        for fault in Faults(site).all * 2:
            await asyncio.sleep(chance.uniform(*FAULTS_S))
            await fault()
            await runs_again(site, witness)
        await site.until("everything is settled", lambda: not under_way(site), within=60)
        await site.no_channels(within=30)
        at_most_once(site, witness, numbers)
        reached(site, witness, 0.6)


# ── A second dialer ─────────────────────────────────────────────────────────────────────────────────────────────────


class Second:
    """Another core on the same database and the same Asterisk; nobody starts it again but this."""

    def __init__(self, site: House) -> None:
        self._site = site
        self._starts()

    def _starts(self) -> None:
        with (self._site.folder / "second.log").open("ab") as sink:
            environment = {**os.environ, **self._site.environment, "HOTLINE_WEB__PORT": "8001"}
            self._process = stock().hotline(("run", "core"), environment, sink)

    async def dies(self) -> None:
        assert self._process.poll() is None, (self._site.folder / "second.log").read_text(errors="replace")[-2000:]
        self.ends()
        self._starts()

    def ends(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def second_dialer(site: House) -> Iterator[Second]:
    made = Second(site)
    try:
        yield made
    finally:
        made.ends()


@pytest.mark.covers("I3", "I4", "I5", "I10")
async def test_two_dialers_on_one_database_and_each_of_them_dies(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with outside.site(tmp_path, "hangs_up", lines=6) as (site, witness), second_dialer(site) as second:
        await site.answering(8001)  # it is there
        await site.until_trunk_is_up()
        numbers = everybody_is_due(site)
        await site.until("some have rung", lambda: len(witness.rang()) > 3, within=20)
        faults = Faults(site)
        for fault in (second.dies, faults.the_dialer_dies, faults.asterisk_sends_the_dialer_away, second.dies):
            await asyncio.sleep(chance.uniform(*FAULTS_S))
            await fault()
            await runs_again(site, witness)
        await site.until("everything is settled", lambda: not under_way(site), within=60)
        await site.no_channels(within=30)
        at_most_once(site, witness, numbers)
        reached(site, witness, 0.8)


# ── Each step ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I3", "I4", "I5", "I10")
@pytest.mark.parametrize("what", STEPS_OF)
async def test_killed_or_cut_off_at_each_step(tmp_path: Path, what: str) -> None:
    """Not by chance: between each transaction and what comes before and after it, and in the middle of each
    (tests/dying.py)."""
    named = tmp_path / "step"
    with outside.site(tmp_path, "hangs_up", lines=2, DIES_AT=str(named)) as (site, witness):
        await site.until_trunk_is_up()
        numbers = everybody_is_due(site, FEWER)
        for step in STEPS_OF[what]:
            named.write_text(f"{what} {step}")
            await site.until(f"{what} {step}", lambda: not named.exists(), within=40)
            await runs_again(site, witness)
        await site.until("everything is settled", lambda: not under_way(site), within=90)
        await site.no_channels(within=30)
        at_most_once(site, witness, numbers)
        assert len(witness.rang()) >= FEWER - len(OPTED_OUT) - len(STEPS), "each fault costs one call at most"


# ── What is told while it rings ─────────────────────────────────────────────────────────────────────────────────────


def _opts_out(session: Session, patient_id: UUID, number_id: UUID) -> None:
    consents.set_consent(session, patient_id, "follow_up", False, wiring.now())


def _has_died(session: Session, patient_id: UUID, number_id: UUID) -> None:
    plan_changes.died(session, patient_id, wiring.now())


def _is_somebody_elses(session: Session, patient_id: UUID, number_id: UUID) -> None:
    session.get_one(PhoneNumber, number_id).invalid_since = wiring.now()


TOLD = {"opted_out": _opts_out, "died": _has_died, "no_usable_number": _is_somebody_elses}
"""Why the task has stopped → what was committed while the phone rang."""


@pytest.mark.covers("I3", "I4", "H25")
async def test_what_is_told_while_it_rings_ends_the_call_and_the_task(tmp_path: Path) -> None:
    with outside.site(tmp_path, "rings", lines=len(TOLD) + 1) as (site, witness):
        await site.until_trunk_is_up()
        numbers = everybody_is_due(site, len(OPTED_OUT) + len(TOLD) + 1)[len(OPTED_OUT) :]
        await site.until("all ring", lambda: set(witness.rang()) == set(numbers), within=20)
        with site.database.transaction() as session:
            rows = select(PhoneNumber).where(PhoneNumber.token.in_([patients.number_token(one) for one in numbers]))
            by_number = {one.number: one for one in session.scalars(rows)}
            for number, told in zip(numbers, TOLD.values(), strict=False):
                told(session, by_number[number].patient_id, by_number[number].id)
        others = numbers[len(TOLD) :]

        def standing() -> dict[str, tuple[str, str | None]]:
            with site.database.transaction() as session:
                rows = select(PhoneNumber, FollowUpTask).join(
                    FollowUpTask, FollowUpTask.patient_id == PhoneNumber.patient_id
                )
                return {number.number: (task.state, task.stop_reason) for number, task in session.execute(rows)}

        wanted = {number: ("stopped", why) for number, why in zip(numbers, TOLD, strict=False)}
        await site.until("each is closed, with its reason", lambda: wanted.items() <= standing().items(), within=90)
        assert set(witness.gave_up()) == set(numbers[: len(TOLD)]), "their phones stopped ringing"
        assert standing()[others[0]][0] == "calling", "nobody else's did"
        await site.until("it rings out", lambda: others[0] in witness.gave_up(), within=30)
        await site.no_channels(within=20)
        assert {number: len(calls) for number, calls in witness.rang().items()} == dict.fromkeys(numbers, 1)


@pytest.mark.covers("I3", "I4", "H25")
async def test_a_death_that_is_recorded_while_anas_phone_rings(tmp_path: Path) -> None:
    """The contact is claimed, and nobody has been dialled for it."""
    with outside.site(tmp_path, "rings", lines=0, prepare=employ) as (site, witness):
        await site.until_trunk_is_up()
        everybody_is_due(site, len(OPTED_OUT) + 1)
        with site.database.transaction() as session:
            session.execute(update(FollowUpTask).values(channel="nurse_call"))
            wanted = select(FollowUpTask).join(Patient, Patient.id == FollowUpTask.patient_id)
            task = session.scalars(wanted.where(func.cardinality(Patient.opted_out) == 0)).one()
        async with site.phone("ana") as ana, console(site, "ana") as page:
            await page.post(f"/followups/{task.id}/start")
            await ana.rings()
            with site.database.transaction() as session:
                (call,) = session.scalars(select(Attempt)).all()
                assert call.state == "claimed"
                plan_changes.died(session, task.patient_id, wiring.now())
            await ana.hung_up(within=15)
            await site.until("it is settled", lambda: [one.state for one in site.rows(Attempt)] == ["ended"])
            await page.post(f"/followups/{task.id}/start", status=409)
        await site.no_channels(within=20)
        with site.database.transaction() as session:
            now = session.get_one(FollowUpTask, task.id)
            assert (now.state, now.stop_reason) == ("stopped", "died")
        assert witness.rang() == {}, "his telephone never rang"
