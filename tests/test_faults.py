"""At most once, whatever dies: forty patients are dialled by machine while the dialer, Asterisk and the database's
connections are killed, stopped and reset under it. The witness is SIPp, at the far end of the trunk.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from hospital import followups, patients, questionnaires, surveys
from hospital.attempts import Attempt
from hospital.followups import FollowUpTask
from hospital.patients import PhoneNumber
from hotline import wiring
from tests import outside
from tests.house import House
from tests.outside import Witness

pytestmark = pytest.mark.asterisk

PATIENTS = 40
OPTED_OUT = range(5)
SEED = 20_261_126
FAULTS_S = (0.1, 0.9)  # between one fault and the next, seconds


def everybody_is_due(site: House) -> list[str]:
    """Forty patients with a survey by machine that is due now; five of them want no calls. Their numbers."""
    numbers = [outside.number(n) for n in range(PATIENTS)]
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
        for line in (await self.site.cli("manager show connected")).splitlines():
            words = line.split()
            if len(words) > 4 and words[0] == "dialer":
                await self.site.cli(f"manager kick session {words[-2]}")

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
        rang = witness.rang()
        with site.database.transaction() as session:
            tried_numbers = select(PhoneNumber).join(Attempt, Attempt.number_id == PhoneNumber.id)
            tried = {tried.number for tried in session.scalars(tried_numbers)}
    assert {number: calls for number, calls in rang.items() if len(calls) > 1} == {}, "nobody twice"
    assert set(rang) <= set(numbers[len(OPTED_OUT) :]), "nobody who opted out, and nobody else"
    assert set(rang) <= tried, "nothing rang of which there is no record"
    assert len(rang) >= PATIENTS * 0.8, "and nearly everybody was reached all the same"
