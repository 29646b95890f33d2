"""A nurse's shift: everything that can become of a call, by its real signalling, against a table written by hand.

One house, one nurse, one call after the other. The carrier answers each number as its digits say (tests/carrier.py).
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hospital import accounts, attempts, campaigns, followups, patients, questionnaires
from hospital.attempts import Attempt
from hospital.campaigns import Wanted
from hospital.database import Database
from hospital.followups import FollowUpTask
from hotline import databases, demo, postgres, wiring
from tests.asterisk_instance import network
from tests.carrier import Carrier
from tests.console import Console, console
from tests.house import House, real_house
from web import words

pytestmark = pytest.mark.asterisk


@dataclass(frozen=True)
class Row:
    """`says`: what each number of the patient does (provisional and final status). `presses`: whom the nurse says that
    she reached. Then what must be written down. `again` None: never. `tells`: the last line of the decision log; where
    it is tried again, how that line begins."""

    says: tuple[str, ...]
    presses: str
    line: str
    tries: int
    state: str
    again: str | None
    rank: int | None
    tells: str


ANSWERS, HANGS_UP = "180200", "180299"
DAY = "another day"
# fmt: off
SHIFT = (
    # nobody answers            the line did  tries  the task  again     number  the log tells
    Row(("100486",), "",              "busy", 1, "open", "in 30 min", 1, "Busy"),
    Row(("180486",), "",              "busy", 1, "open", "tomorrow", 1, "Busy"),
    Row(("100600",), "",              "busy", 1, "open", "in 30 min", 1, "Busy"),
    Row(("100404",), "",              "invalid_number", 0, "open", DAY, 1, "Number not in service"),
    Row(("100404", "100486"), "",     "invalid_number", 0, "open", "in 5 min", 2, "Number not in service"),
    Row(("100410",), "",              "invalid_number", 0, "open", DAY, 1, "Number not in service"),
    Row(("100484",), "",              "invalid_number", 0, "open", DAY, 1, "Number not in service"),
    Row(("100480",), "",              "unreachable", 0, "open", "in 2 h", 1, "Phone off or out of coverage"),
    Row(("100480", "100486"), "",     "unreachable", 0, "open", "in 2 h", 2, "Phone off or out of coverage"),
    Row(("180480",), "",              "no_answer", 1, "open", DAY, 1, "No answer"),
    Row(("100603",), "",              "rejected", 1, "open", DAY, 1, "Call rejected"),
    Row(("180603", "100486"), "",     "rejected", 1, "open", DAY, 2, "Call rejected"),
    Row(("100403",), "",              "network_failure", 0, "open", "in 10 min", 1, "The line failed"),
    Row(("100503",), "",              "network_failure", 0, "open", "in 10 min", 1, "The line failed"),
    Row(("100500",), "",              "network_failure", 0, "open", "in 10 min", 1, "The line failed"),
    Row(("100488",), "",              "network_failure", 0, "open", "in 10 min", 1, "The line failed"),
    Row(("180000", "100486"), "",     "no_answer", 1, "open", DAY, 2, "No answer"),
    # somebody answers
    Row((ANSWERS,), "completed",      "answered", 1, "done", None, None, "Done"),
    Row((ANSWERS,), "partial",        "answered", 1, "open", DAY, 1, "Partly done"),
    Row((ANSWERS,), "call_later",     "answered", 1, "open", "in 2 h", 1, "Call later"),
    Row((ANSWERS,), "refused",        "answered", 1, "stopped", None, None, "Stopped: The patient does not want it"),
    Row((ANSWERS, "100486"), "wrong_person", "answered", 1, "open", "in 5 min", 2, "Wrong person"),
    Row((ANSWERS,), "wrong_person",   "answered", 1, "stopped", None, None, "Stopped: No number left to call"),
    Row((ANSWERS,), "carer_answered", "answered", 1, "open", DAY, 1, "A carer"),
    Row((ANSWERS,), "moved",          "answered", 1, "stopped", None, None, "Stopped: The patient has moved away"),
    Row((ANSWERS,), "deceased",       "answered", 1, "stopped", None, None,
        "Stopped: Reported deceased; a clinician confirms"),
    Row((ANSWERS,), "language_not_served", "answered", 1, "open", DAY, 1, "Language"),
    Row((ANSWERS,), "left_message",   "answered", 1, "open", DAY, 1, "Message"),
    Row((HANGS_UP,), "hung_up",       "answered", 1, "open", DAY, 1, "Hung up"),
)
# fmt: on
STAFF = {"ana": "nurse", "grace": "supervisor"}


def number(row: int, rank: int) -> str:
    """The last six digits say what it does."""
    return f"+573{row:02d}{rank}{SHIFT[row].says[rank - 1]}"


def instant(again: str | None, ended: datetime, house: House) -> datetime | None:
    """When the next try is, from when the call ended; by the patients' clocks, who all live where the site is."""
    local = ended.astimezone(wiring.zone(house.settings))
    tomorrow = local.date() + timedelta(days=1)
    match (again or "never").split():
        case ["in", count, "min"]:
            return ended + timedelta(minutes=int(count))
        case ["in", count, "h"]:
            return ended + timedelta(hours=int(count))
        case ["tomorrow"]:  # the phone rang, and the cap is one a day
            return datetime.combine(tomorrow, time(), tzinfo=local.tzinfo)
        case ["another", "day"]:  # at another time of day
            at = time(18, 10) if local.time() < time(15) else time(9, 40)
            return datetime.combine(tomorrow, at, tzinfo=local.tzinfo)
    return None


@pytest.fixture
async def outside() -> AsyncIterator[Carrier]:
    async with Carrier(address=f"{network()}.91") as carrier:
        yield carrier


@pytest.fixture
async def house(outside: Carrier, tmp_path: Path) -> AsyncIterator[House]:
    """A real site whose trunk leads outside, with one contact a day."""
    made = real_house(tmp_path, outside.address)
    await asyncio.to_thread(employ, made)
    try:
        await asyncio.to_thread(made.start)
        yield made
    finally:
        await asyncio.to_thread(made.stop)


def employ(house: House) -> None:
    """Accounts before the first start, so that their telephones work from it on."""
    with postgres.running(house.here.cluster):
        databases.ensure_database(house.here.cluster)
        with closing(Database(house.here.cluster.url())) as database, database.transaction() as session:
            for name, role in STAFF.items():
                accounts.create(
                    session,
                    username=name,
                    display_name=name.title(),
                    role=role,
                    password=demo.PASSWORDS[name],
                    sip_username=name,
                )


def everybody_is_due(house: House) -> list[FollowUpTask]:
    """A patient for each row, in its order, in a progressive campaign that runs."""
    at = wiring.now()
    with house.database.transaction() as session:
        form = questionnaires.newest(session, "discharge-day3")
        grace = accounts.by_sip_username(session, "grace")
        assert form is not None and grace is not None
        made = campaigns.create(session, Wanted("The shift", "progressive"), grace.id, at)
        campaigns.order(session, made.id, "start", grace.id, at)
        tasks = []
        for row in range(len(SHIFT)):
            numbers = [number(row, rank) for rank in range(1, len(SHIFT[row].says) + 1)]
            who = patients.register(
                session, name=f"Patient {row}", birth=date(1980, 1, 1), language="es", numbers=numbers
            )
            due_at = at - timedelta(hours=1) + timedelta(seconds=row)
            tasks.append(
                followups.plan(
                    session, patient_id=who.id, questionnaire_id=form.id, reason="discharge_day_3", due_at=due_at
                )
            )
        return tasks


async def works(house: House, page: Console, task: FollowUpTask, row: Row) -> None:
    """What the nurse does while this call is made for her."""

    def call() -> Attempt | None:
        with house.database.transaction() as session:
            found = attempts.of_task(session, task.id)
            return found[-1] if found else None

    def has_come_to(*states: str) -> bool:
        made = call()
        return made is not None and made.state in states

    if not row.presses:
        await house.until(f"{row.says} has ended", lambda: has_come_to("ended"), within=25)
        return
    form = f"/followups/{task.id}"
    await house.until(f"{row.says} is answered", lambda: has_come_to("talking", "ended"))
    if row.presses == "completed":
        for tick in ("name", "birth_date"):
            await page.post(f"{form}/ticks/{tick}", on="on")
        await page.post(f"{form}/all-normal")
        await page.post(f"{form}/answers/pain", value="2")
    await page.post(f"{form}/result/{row.presses}")
    if row.says[0] == ANSWERS:
        await page.post(f"{form}/call/hang-up")
    await house.until(f"{row.says} has ended", lambda: has_come_to("ended"))
    await page.post("/stint/ready")


@pytest.mark.covers("H13", "H14", "H18", "I3", "I4", "I5")
async def test_what_becomes_of_every_call_of_a_shift(house: House, outside: Carrier) -> None:
    await house.until_trunk_is_up()
    tasks = everybody_is_due(house)
    async with house.phone("ana") as ana, console(house, "ana") as page:
        await page.post("/stint/join", status=204)
        await ana.rings()
        await ana.answers()
        for task, row in zip(tasks, SHIFT, strict=True):
            await works(house, page, task, row)
        assert ana.is_talking, "one leg, from the first patient to the last"
        await page.post("/stint/leave")
        await ana.hung_up()
    zone = wiring.zone(house.settings)
    with house.database.transaction() as session:
        for row, planned in zip(SHIFT, tasks, strict=True):
            (call,) = attempts.of_task(session, planned.id)
            task = session.get_one(FollowUpTask, planned.id)
            assert call.ended_at is not None
            again = instant(row.again, call.ended_at, house)
            last = followups.decisions(session, planned.id)[-1]
            assert (
                (call.line_result, call.contact_result or "", task.tries, task.state, task.next_number_rank)
                == (row.line, row.presses, row.tries, row.state, row.rank)
            ), row  # fmt: skip
            assert (again is None) == (row.state != "open"), row
            if again is not None:
                assert task.next_try_at is not None
                assert abs(task.next_try_at.astimezone(UTC) - again.astimezone(UTC)) < timedelta(seconds=2), row
            tells = row.tells
            if again is not None:
                when, which = words.near(again, call.ended_at, zone), {1: "first", 2: "second"}[row.rank or 0]
                tells += f": again {when}, {which} number ({row.tries} of 3 tries)"
            assert words.decision(last.code, last.facts, call.ended_at, zone) == tells, row
        assert len(session.scalars(select(Attempt)).all()) == len(SHIFT)
    assert Counter(outside.calls) == Counter(number(row, 1) for row in range(len(SHIFT))), "each once, and nobody else"
    await house.no_channels()
