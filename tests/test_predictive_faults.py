"""A predictive campaign on a real Asterisk whose trunk answers everything at once, or nothing at all; and one under
which everything dies. SIPp plays the nurses' phones and the patients', and is the witness.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from benchmarks.bench_dial_real import they_say_whom_they_reached
from dialer.pacing import STOP
from dialer.predictive import wanted
from hospital import accounts, campaigns, followups, patients, pooled, questionnaires, recordings
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient, PhoneNumber
from hospital.stints import Stint
from hotline import databases, postgres, wiring
from hotline.places import read_secrets
from tests import outside
from tests.asterisk_instance import network
from tests.console import Console, console
from tests.house import House
from tests.light_phone import register
from tests.outside import Witness
from tests.test_faults import OPTED_OUT, Faults, each_answer_is_accounted_for

pytestmark = pytest.mark.asterisk

NURSES, PATIENTS = 3, 150
PASSWORD, WARD = "a long password of a nurse", "survey"
SECOND = timedelta(seconds=1)
SEED = 20_261_127


def nurse(n: int) -> str:
    return f"nurse{n}"


def employ(site: House) -> None:
    """Before the first start, so that their telephones work from it on."""
    with postgres.running(site.here.cluster):
        databases.ensure_database(site.here.cluster)
        with closing(Database(site.here.cluster.url())) as database, database.transaction() as session:
            for name, role in [*((nurse(n), "nurse") for n in range(NURSES)), ("grace", "supervisor")]:
                accounts.create(
                    session, username=name, display_name=name, role=role, password=PASSWORD, sip_username=name
                )


@dataclass
class Survey:
    """A campaign that runs, nobody of whose patients is due yet; `numbers`: of those who may be called."""

    site: House
    witness: Witness
    campaign: UUID
    numbers: list[str]
    pages: list[Console]

    def floor(self) -> pooled.Floor:
        with self.site.database.transaction() as session:
            (found,) = pooled.floors(session, wiring.now())
            return found

    async def all_join(self) -> None:
        """Whoever is in no stint (any more), as a nurse who presses the button again."""
        for page in self.pages:
            with contextlib.suppress(AssertionError, httpx.HTTPError):  # she is in one, or the console is just away
                await page.post("/stint/join", status=204, campaign=str(self.campaign))

    async def joins_again(self) -> None:
        for _ in range(60):
            if self.are_up():
                return
            await self.all_join()
            await asyncio.sleep(1)
        raise AssertionError("not all nurses are back")

    def are_made_since(self, at: datetime) -> bool:
        """Ordered since then, and their phones have rung."""
        return any(one.rang and one.dialled_at is not None and one.dialled_at > at for one in self.calls())

    def are_over(self, stints: set[UUID]) -> bool:
        return {one.state for one in self.site.rows(Stint) if one.id in stints} == {"over"}

    def ceiling(self) -> float:
        with self.site.database.transaction() as session:
            return session.get_one(campaigns.Campaign, self.campaign).ceiling

    def are_up(self) -> bool:
        with self.site.database.transaction() as session:
            rows = select(Stint.id).where(Stint.state == "up", Stint.campaign_id == self.campaign)
            return len(session.scalars(rows).all()) == NURSES

    def are_due(self) -> None:
        with self.site.database.transaction() as session:
            now = update(FollowUpTask).where(FollowUpTask.ward == WARD).values(due_at=wiring.now() - SECOND)
            session.execute(now)

    def calls(self) -> list[Attempt]:
        """Of today, without those that were made up."""
        with self.site.database.transaction() as session:
            rows = select(Attempt).where(Attempt.campaign_id == self.campaign, ~Attempt.channel_id.contains("before"))
            return list(session.scalars(rows.order_by(Attempt.claimed_at)))

    def stops(self) -> None:
        with self.site.database.transaction() as session:
            by = session.get_one(campaigns.Campaign, self.campaign).created_by
            campaigns.order(session, self.campaign, "stop", by, wiring.now())

    async def is_settled(self) -> None:
        self.stops()
        over = ("ended", "review")
        await self.site.until("all calls are over", lambda: {one.state for one in self.calls()} <= {*over}, within=60)

    def nothing_was_dialled_wrongly_or_lost(self) -> None:
        rang = self.witness.rang()
        assert {number: calls for number, calls in rang.items() if len(calls) > 1} == {}, "nobody twice"
        assert set(rang) <= set(self.numbers), "nobody who opted out, and nobody else"
        with self.site.database.transaction() as session:
            rows = select(PhoneNumber.token).join(Attempt, Attempt.number_id == PhoneNumber.id)
            made = set(session.scalars(rows.where(Attempt.dialled_at.is_not(None))))
            assert {patients.number_token(number) for number in rang} <= made, "nothing rang without a record"
            states = session.scalars(select(FollowUpTask.state).where(FollowUpTask.ward == WARD)).all()
            assert len(states) == PATIENTS and "calling" not in states, "each is due, done or somebody's"
        each_answer_is_accounted_for(self.site)


def plan(site: House, answered: int, lines_an_answer: int) -> tuple[UUID, list[str]]:
    """The campaign and its numbers. It has run for an hour: so many have answered, of so many lines each."""
    at = wiring.now()
    numbers = [outside.number(n) for n in range(PATIENTS)]
    with site.database.transaction() as session:
        asked = questionnaires.newest(session, "satisfaction")
        grace, hers = (accounts.by_sip_username(session, name) for name in ("grace", nurse(0)))
        assert asked is not None and grace is not None and hers is not None
        wanted = Wanted("How it was", "predictive", purpose="survey", ward=WARD, wrap_up_s=0)
        made = campaigns.create(session, wanted, grace.id, at)
        campaigns.order(session, made.id, "start", grace.id, at)
        for n, number in enumerate(numbers):
            who = patients.register(session, name=f"Patient {n}", birth=None, language="es", numbers=[number])
            who.opted_out = ["survey"] if n in OPTED_OUT else []
            later = at + timedelta(hours=1)
            task = followups.plan(session, patient_id=who.id, questionnaire_id=asked.id, reason="survey", due_at=later)
            task.ward = WARD
        before = patients.register(
            session, name="Patient before", birth=None, language="es", numbers=[outside.number(900)]
        )
        done = followups.plan(session, patient_id=before.id, questionnaire_id=asked.id, reason="survey", due_at=at)
        done.state, done.closed_at = "done", at
        session.flush()
        _have_answered(session, before, done, made.id, hers.id, answered, lines_an_answer)
        return made.id, numbers[len(OPTED_OUT) :]


def _have_answered(
    session: Session, who: Patient, task: FollowUpTask, campaign: UUID, hers: UUID, answered: int, lines: int
) -> None:
    at, number = wiring.now(), who.numbers[0]
    for n in range(answered * lines):
        heard, began = n % lines == 0, at - (3600 - n) * SECOND
        session.add(
            Attempt(
                task_id=task.id, patient_id=who.id, number_id=number.id, number_token=number.token,
                campaign_id=campaign, pooled=True, rang=True, channel_id=f"n1-before-{n}",
                account_id=hers if heard else None, nurse_channel_id=f"n1-hers-{n}" if heard else None,
                state="ended", line_result="answered" if heard else "no_answer",
                contact_result="completed" if heard else None, claimed_at=began, dial_until=at,
                dialled_at=began, answered_at=began + 5 * SECOND if heard else None,
                ended_at=began + (30 if heard else 15) * SECOND,
            )
        )  # fmt: skip
    session.flush()
    for call in session.scalars(select(Attempt).where(Attempt.line_result == "answered")):
        recordings.account_for(session, call, at)


@asynccontextmanager
async def survey(folder: Path, scenario: str, *, answered: int, lines_an_answer: int) -> AsyncIterator[Survey]:
    """All nurses have joined and picked up; `scenario`: what patients' phones do."""
    async with AsyncExitStack() as stack:
        (folder / "quiet.ulaw").write_bytes(b"\xff" * 8000)
        phones = f"{network()}.91"
        site, witness = stack.enter_context(outside.site(folder, scenario, lines=1, prepare=employ))
        secrets = read_secrets(site.here).sip
        for n in range(NURSES):
            register(phones, outside.PORT, site.address, nurse(n), secrets[nurse(n)])
        stack.enter_context(outside.everybody(phones, folder, "picks_up"))
        await site.until_trunk_is_up()
        campaign, numbers = await asyncio.to_thread(plan, site, answered, lines_an_answer)
        pages = [await stack.enter_async_context(console(site, nurse(n), PASSWORD)) for n in range(NURSES)]
        made = Survey(site, witness, campaign, numbers, pages)
        await made.all_join()
        await site.until("all nurses have picked up", made.are_up, within=30)
        saying = asyncio.create_task(they_say_whom_they_reached(site))
        stack.callback(saying.cancel)
        yield made
        assert not saying.done(), saying
        made.nothing_was_dialled_wrongly_or_lost()


@pytest.mark.covers("I3", "I4", "I5", "I10")
async def test_a_trunk_that_answers_everything_at_once(tmp_path: Path) -> None:
    """One line in six was answered until now, so that more ring than nurses wait: and all are answered in the same
    moment. From two calls over the ceiling on it is one line for each nurse."""
    async with survey(tmp_path, "answers_at_once", answered=50, lines_an_answer=6) as made:
        assert wanted(made.floor()).dial > NURSES
        made.are_due()
        await made.site.until("many have answered", lambda: len(made.calls()) >= 25, within=120)
        await made.is_settled()
        calls = made.calls()
        lost_on_a_full_machine = {"network_failure"}
        assert {one.line_result for one in calls} <= {"answered", "cancelled"} | lost_on_a_full_machine
        known, over = 50, 0
        for one in sorted((one for one in calls if one.answered_at), key=lambda one: str(one.answered_at)):
            known, over = known + 1, over + (one.contact_result == "abandoned")
            assert over <= made.ceiling() * known + STOP + NURSES, "what is dialled in one look, and no more"
        nobody = [one for one in calls if one.contact_result == "abandoned"]
        assert len(nobody) < len(calls) / 3, "most are given to a nurse"


@pytest.mark.covers("I3", "I4", "I5", "I10")
async def test_a_trunk_that_takes_no_call_and_says_nothing(tmp_path: Path) -> None:
    """Everybody had answered until now. So many in silence are no chance: it is not dialled harder for it."""
    async with survey(tmp_path, "silent", answered=80, lines_an_answer=1) as made:
        made.are_due()
        await made.site.until("it is known", lambda: wanted(made.floor()).why == "silent_trunk", within=120)
        before = len(made.calls())
        await asyncio.sleep(20)
        live = [one for one in made.calls() if one.state in ("claimed", "dialling")]
        assert len(live) <= NURSES and len(made.calls()) <= before + 2 * NURSES, "one for each nurse"
        await made.is_settled()
        assert "answered" not in {one.line_result for one in made.calls()}


@pytest.mark.covers("I3", "I4", "I5", "I10")
async def test_a_predictive_campaign_in_which_everything_dies(tmp_path: Path) -> None:
    """With Asterisk's death the nurses' legs are gone: they join anew, as they would."""
    chance = random.Random(SEED)
    async with survey(tmp_path, "hangs_up", answered=50, lines_an_answer=3) as made:
        site, faults = made.site, Faults(made.site)
        made.are_due()
        for fault in faults.all:
            await site.until("calls are made", partial(made.are_made_since, wiring.now()), within=40)
            await asyncio.sleep(chance.uniform(0.1, 0.9))
            stints = {one.id for one in site.rows(Stint) if one.state == "up"}
            await fault()
            if fault == faults.asterisk_dies:
                await site.until("their legs are gone", partial(made.are_over, stints), within=40)
            await made.joins_again()
        await site.until("they are at work again", partial(made.are_made_since, wiring.now()), within=40)
        await made.is_settled()
        assert len(made.witness.rang()) > len(faults.all)
