"""A predictive campaign on real calls beside the simulator: nurses talk, and patients are abandoned, as it says.

    python -m benchmarks.bench_dial_real [--json] [--draws FILE]

Times are scaled 1:30: talks of 180 s last 6 s, and 75 minutes of a day take 150 s. SIPp is everybody: the nurses'
phones pick up, and the patients' ring, answer or don't, talk and hang up as they were drawn beforehand (`--draws` keeps
what was drawn). All else is a real site: pacing, orders, Asterisk, and who is given to whom.

The peer is the simulator (`dialer/simulator.py`) in runs of that length with those means, where the dialer looks every
second and who answers waits two, which are not scaled. The run is missed where it lies outside 95 % of the simulated.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path
from uuid import UUID

import numpy as np
from sqlalchemy import func, select, update

from benchmarks import table
from benchmarks.table import Row
from benchmarks.whole_house import NETWORK
from dialer.simulator import Scenario, simulated
from hospital import accounts, attempts, campaigns, followups, patients, questionnaires, vault
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.followups import FollowUpTask
from hospital.stints import Stint
from hotline import wiring
from hotline.places import read_secrets
from tests import outside
from tests.asterisk_instance import network
from tests.console import console
from tests.house import House, real_house
from tests.light_phone import register
from tests.site_key import SITE_KEY

SCALE = 30
NURSES, LINES = 5, 10
ANSWER, TALK_S, RING_S, HOURS = 0.5, 180.0, 15.0, 1.25
SEED, RUNS = 20_261_126, 400
PATIENTS = 600
LOOKS_S = 1.0
WARD, PASSWORD = "survey", "a long password of a nurse"
SCENARIO = Scenario(
    nurses=NURSES,
    answer=((0.0, ANSWER),),
    talk_s=TALK_S / SCALE,
    ring_s=RING_S / SCALE,
    hours=HOURS / SCALE,
    line_limit=LINES,
    looks_s=LOOKS_S,
)


@dataclass(frozen=True)
class Drawn:
    """What a patient's phone does: rings so long, then is answered or not, for a talk of that length."""

    number: str
    ring_s: float
    answers: bool
    talk_s: float

    def line(self) -> str:
        return f"{self.number};{1000 * self.ring_s:.0f};{'yes' if self.answers else 'no'};{1000 * self.talk_s:.0f}"


def drawn() -> list[Drawn]:
    rng = np.random.default_rng(SEED)
    return [
        Drawn(
            outside.number(n),
            float(rng.exponential(SCENARIO.ring_s)),
            bool(rng.random() < ANSWER),
            float(rng.exponential(SCENARIO.talk_s)),
        )
        for n in range(PATIENTS)
    ]


def write_down(file: Path, draws: list[Drawn]) -> None:
    file.write_text("\n".join(["SEQUENTIAL", *(one.line() for one in draws), ""]))


# ── The site ────────────────────────────────────────────────────────────────────────────────────────────────────────


def nurse(n: int) -> str:
    return f"nurse{n}"


def employ(site: House) -> None:
    """Nurses with telephones: the site knows them from its next start on."""
    with site.database.transaction() as session:
        for n in range(NURSES):
            accounts.create(
                session,
                username=nurse(n),
                display_name=nurse(n),
                role="nurse",
                password=PASSWORD,
                sip_username=nurse(n),
            )
        accounts.create(session, username="grace", display_name="Grace", role="supervisor", password=PASSWORD)


def everybody_will_be_due(site: House, draws: list[Drawn]) -> UUID:
    """A campaign that runs, and its patients, who are due later. The campaign."""
    at = wiring.now()
    later = at + timedelta(days=1)
    with site.database.transaction() as session:
        asked = questionnaires.newest(session, "satisfaction")
        grace = session.scalar(select(accounts.Account).where(accounts.Account.username == "grace"))
        assert asked is not None and grace is not None
        for n, one in enumerate(draws):
            who = patients.register(session, name=f"Patient {n}", birth=None, language="es", numbers=[one.number])
            due = later + timedelta(milliseconds=n)  # in the order in which they were drawn
            task = followups.plan(session, patient_id=who.id, questionnaire_id=asked.id, reason="survey", due_at=due)
            task.ward = WARD
        wanted = Wanted("Survey", "predictive", ward=WARD, purpose="survey", lines=LINES, wrap_up_s=0)
        made = campaigns.create(session, wanted, grace.id, at)
        campaigns.order(session, made.id, "start", grace.id, at)
        return made.id


def now_they_are(site: House) -> datetime:
    """When the day begins."""
    with site.database.transaction() as session:
        session.execute(update(FollowUpTask).values(due_at=FollowUpTask.due_at - timedelta(days=1, seconds=5)))
    return wiring.now()


def stop(site: House, campaign: UUID) -> datetime:
    with site.database.transaction() as session:
        by = session.get_one(campaigns.Campaign, campaign).created_by
        campaigns.order(session, campaign, "stop", by, wiring.now())
    return wiring.now()


def are_up(site: House) -> bool:
    with site.database.transaction() as session:
        return session.scalar(select(func.count()).where(Stint.state == "up")) == NURSES


async def they_say_whom_they_reached(site: House) -> None:
    """While they talk, so that each is free when the patient hangs up: writing up is a part of the talk."""
    policy = wiring.calling_policy(site.settings)

    def say() -> None:
        with site.database.transaction() as session:
            rows = select(Attempt.id).where(
                Attempt.account_id.is_not(None), Attempt.state.in_(("talking", "ended")),
                Attempt.line_result.is_distinct_from("cancelled"), Attempt.contact_result.is_(None)
            )  # fmt: skip
            for attempt_id in session.scalars(rows).all():
                attempts.contact_result(session, attempt_id, "completed", wiring.now(), policy)

    while True:
        await asyncio.to_thread(say)
        await asyncio.sleep(0.1)


# ── What came of it ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Came:
    """Of the real day. `talking`: the share of the nurses' time; `abandoned`: of those who answered."""

    talking: float
    dialled: int
    answered: int
    abandoned: int

    @property
    def share(self) -> float:
        return self.abandoned / max(1, self.answered)


def came_of(site: House, began: datetime, over: datetime) -> Came:
    with site.database.transaction() as session:
        calls = list(session.scalars(select(Attempt).where(Attempt.dialled_at >= began, Attempt.dialled_at < over)))
    answered = [one for one in calls if one.answered_at is not None and one.answered_at < over]
    talked = sum(
        (min(one.ended_at or over, over) - one.answered_at).total_seconds()
        for one in answered
        if one.answered_at is not None and one.account_id is not None
    )
    left = sum(one.contact_result == "abandoned" for one in answered)
    return Came(talked / (NURSES * (over - began).total_seconds()), len(calls), len(answered), left)


def rows(came: Came) -> list[Row]:
    """So few are abandoned that they are compared as calls, not as shares: one more or less is a percent."""
    days = simulated(SCENARIO, "hotline", RUNS, SEED)
    name, told = f"{NURSES} nurses, {came.dialled} real calls 1:{SCALE}", f"in {RUNS} simulated runs, 95 % of them"
    talking = np.array([100 * day.utilisation for day in days])
    low, high = np.quantile(talking, [0.025, 0.975])
    peer = f"{told} {low:.2f} to {high:.2f} %"
    within = [round(float(end / talking.mean()), 3) for end in (low, high)]
    talk = Row(f"{name}, talking", peer, 100 * came.talking, float(talking.mean()), "%", *within)
    least, most = np.quantile([day.abandoned for day in days], [0.025, 0.975])
    usual = 100 * sum(day.abandoned for day in days) / sum(day.answered for day in days)
    peer = f"{told} {least:.0f} to {most:.0f} calls of {np.mean([day.answered for day in days]):.0f}"
    limit = ceil(10_000 * most / max(1, came.answered)) / 100
    return [talk, Row(f"{name}, abandoned", peer, 100 * came.share, usual, "%", limit=limit)]


async def measure(folder: Path, draws: list[Drawn]) -> Came:
    async with AsyncExitStack() as stack:
        site = stack.enter_context(a_site(folder, draws))
        campaign = await asyncio.to_thread(everybody_will_be_due, site, draws)
        await site.until_trunk_is_up()
        for n in range(NURSES):
            hers = await stack.enter_async_context(console(site, nurse(n), PASSWORD))
            await hers.post("/stint/join", status=204, campaign=str(campaign))
        await site.until("all nurses have picked up", lambda: are_up(site), within=30)
        saying = asyncio.create_task(they_say_whom_they_reached(site))
        stack.callback(saying.cancel)
        began = await asyncio.to_thread(now_they_are, site)
        await asyncio.sleep(SCENARIO.hours * 3600)
        over = await asyncio.to_thread(stop, site, campaign)
        return await asyncio.to_thread(came_of, site, began, over)


@contextmanager
def a_site(folder: Path, draws: list[Drawn]) -> Iterator[House]:
    """A real site and everybody's telephones. Its nurses have theirs from the second start on."""
    write_down(folder / "drawn.csv", draws)
    (folder / "quiet.ulaw").write_bytes(b"\xff" * 8000)
    trunk, phones = f"{network()}.90", f"{network()}.91"
    site = real_house(folder, trunk)
    with outside.everybody(trunk, folder, "as_drawn", "-inf", "drawn.csv", "-infindex", "drawn.csv", "0"):
        try:
            site.start()
            employ(site)
            site.stop()
            site.start()
            secrets = read_secrets(site.here).sip
            for n in range(NURSES):
                register(phones, outside.PORT, site.address, nurse(n), secrets[nurse(n)])
            with outside.everybody(phones, folder, "picks_up"):
                yield site
        finally:
            site.stop()


def main() -> int:
    os.environ.setdefault("HOTLINE_TEST_NETWORK", NETWORK)
    vault.unlock(SITE_KEY)
    draws, asked = drawn(), argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--draws", type=Path, metavar="FILE")
    if (file := asked.parse_args().draws) is not None:
        write_down(file, draws)
    folder = Path(tempfile.mkdtemp(prefix="bench-dial-"))
    folder.chmod(0o755)
    try:
        return table.show(rows(asyncio.run(measure(folder, draws))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
