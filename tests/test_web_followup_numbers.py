"""What João tells Ana of his numbers: whose, in which order, which is safe; and what is dialled from then on."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from hospital import attempts, followups, patients, plan_changes
from hospital.attempts import Claimed
from hospital.audit import AuditRow
from hospital.calling_rules import NotNow
from hospital.database import Database
from hospital.patients import Patient, PhoneNumber
from tests.characters import JOAO, LUCIA, MEI
from tests.console_app import Page, Site, words
from tests.hospital_scene import UNCAPPED, admit

pytestmark = pytest.mark.covers("H14", "H18", "H51", "I4")
FIRST, SECOND = JOAO.numbers
OTHER = "+5511955550199"


class Home(Site):
    def numbers(self) -> list[PhoneNumber]:
        with self.database.transaction() as session:
            rows = select(PhoneNumber).where(PhoneNumber.patient_id == self.joao.id).order_by(PhoneNumber.rank)
            return list(session.scalars(rows))

    def dialled(self) -> str | None:
        """Which number a call of Ana's would go to now; nothing is kept of it."""
        with self.database.transaction() as session:
            claimed = attempts.claim(session, self.task.id, self.staff["ana"].id, "n1", self.now, UNCAPPED)
            session.rollback()
            return claimed.number if isinstance(claimed, Claimed) else None

    @property
    def at(self) -> str:
        return f"/followups/{self.task.id}/numbers"

    def audited(self) -> list[AuditRow]:
        with self.database.transaction() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == "patient.number")))


@pytest.fixture
def home(database: Database, tmp_path: Path) -> Home:
    return Home(database, tmp_path)


async def tells(page: Page, home: Home, one: PhoneNumber, /, status: int = 200, **more: Any) -> str:
    said = {"number": one.number, "owner": one.owner, "safe": "on"} | more
    return (await page.post(f"{home.at}/{one.id}", status, **said)).text


async def test_a_number_that_is_not_safe_is_dialled_no_more_from_that_moment(home: Home) -> None:
    assert home.dialled() == FIRST
    with home.database.transaction() as session:
        claimed = attempts.claim(session, home.task.id, home.staff["ana"].id, "n1", home.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
    async with home.signed_in("ana") as ana:
        await tells(ana, home, home.numbers()[0], safe="")
        shown = words((await ana.get(f"/followups/{home.task.id}/past")).text)
        assert "not safe to call" in shown
    with home.database.transaction() as session:
        assert not attempts.dialling(session, claimed.attempt_id, home.now), "claimed before, and not ordered yet"
        assert followups.decisions(session, home.task.id)[-1].facts["because"] == "no_usable_number"
        attempts.not_dialled(session, claimed.attempt_id, home.now, UNCAPPED)
    assert home.dialled() == SECOND
    async with home.signed_in("ana") as ana:
        await tells(ana, home, home.numbers()[1], wrong="on")
        assert home.dialled() is None
        await tells(ana, home, home.numbers()[0])
        assert home.dialled() == FIRST, "and taken back"
    assert [row.detail["safe"] for row in home.audited()] == [False, True, True]


async def test_what_rings_on_it_is_hung_up_and_who_has_answered_is_spoken_with(home: Home) -> None:
    with home.database.transaction() as session:
        claimed = attempts.claim(session, home.task.id, home.staff["ana"].id, "n1", home.now, UNCAPPED)
        assert isinstance(claimed, Claimed)
        assert attempts.dialling(session, claimed.attempt_id, home.now)
        attempts.rang(session, claimed.channel_id)
        assert plan_changes.called_off(session, home.now) == []
    async with home.signed_in("ana") as ana:
        await tells(ana, home, home.numbers()[0], safe="")
    with home.database.transaction() as session:
        assert [one.id for one in plan_changes.called_off(session, home.now)] == [claimed.attempt_id]
        attempts.answered(session, claimed.channel_id, home.now)
        assert plan_changes.called_off(session, home.now) == []


async def test_a_correction_keeps_what_was_dialled_before(home: Home) -> None:
    old = home.numbers()[0]
    async with home.signed_in("ana") as ana:
        await tells(ana, home, old, number="95555-0199-0199-0199", status=422)
        await tells(ana, home, old, number=OTHER, owner="mother", language="es")
        shown = words((await ana.get(f"/followups/{home.task.id}/past")).text)
    assert "mother Spanish" in shown
    now = home.numbers()
    assert [(one.number, one.rank) for one in now] == [(OTHER, 1), (SECOND, 2), (FIRST, 3)]
    assert (now[0].owner, now[0].language, now[0].invalid_since) == ("mother", "es", None)
    assert now[2].id == old.id and now[2].invalid_since == home.now
    assert home.dialled() == OTHER
    assert [row.detail["what"] for row in home.audited()] == ["corrected"]


async def test_another_number_is_added_and_dialled_first(home: Home) -> None:
    with home.database.transaction() as session:
        session.get_one(type(home.task), home.task.id).next_number_rank = 2
    async with home.signed_in("ana") as ana:
        await ana.post(home.at, 200, number=OTHER, owner="partner", safe="on")
        assert [one.number for one in home.numbers()] == [FIRST, SECOND, OTHER]
        await ana.post(f"{home.at}/{home.numbers()[2].id}/first")
    assert [(one.number, one.rank) for one in home.numbers()] == [(OTHER, 1), (FIRST, 2), (SECOND, 3)]
    assert home.dialled() == OTHER
    detail = repr([(row.subject, row.detail) for row in home.audited()])
    assert "added" in detail and "first" in detail and "5555" not in detail, "no digits in the chain"


async def test_a_guardian_s_numbers_are_told_on_the_childs_form(home: Home) -> None:
    with home.database.transaction() as session:
        lucia = admit(session, LUCIA)
        session.get_one(Patient, home.joao.id).guardian_id = lucia.id
        hers = lucia.numbers[0]
    async with home.signed_in("ana") as ana:
        page = words((await ana.get(f"/followups/{home.task.id}")).text)
        assert "Telephone of the guardian" in page and LUCIA.numbers[0] in page
        sent = {"number": hers.number, "whose": "guardian"}
        await ana.post(f"{home.at}/{hers.id}", 200, **sent)
        await ana.post(f"{home.at}/{hers.id}/messages", 204, on="on")
        await ana.post(home.at, 200, number="+573015550199", whose="guardian", safe="on")
    with home.database.transaction() as session:
        kept = session.get_one(Patient, lucia.id).numbers
        assert [(one.number, one.safe_to_call) for one in kept] == [(hers.number, False), ("+573015550199", True)]
        assert kept[0].may_leave_message


async def test_what_is_told_wrongly_changes_nothing(home: Home) -> None:
    with home.database.transaction() as session:
        foreign = admit(session, MEI).numbers[0]
    before = [(one.number, one.rank, one.owner) for one in home.numbers()]
    async with home.signed_in("ana") as ana:
        mine = home.numbers()[0]
        assert "number of no country" in (await ana.post(home.at, 422, number="call me")).text
        assert "number of no country" in (await ana.post(home.at, 422, number="+999" + "1" * 9)).text
        assert "Say whose number" in await tells(ana, home, mine, 422, owner="<script>")
        assert "Say whose number" in await tells(ana, home, mine, 422, language="tlh")
        assert "stands there already" in (await ana.post(home.at, 409, number=SECOND)).text
        assert "stands there already" in await tells(ana, home, mine, 409, number=SECOND)
        assert "is not the patient" in await tells(ana, home, foreign, 404)
        await ana.post(f"{home.at}/{foreign.id}/first", 404)
        await ana.post(f"{home.at}/{UUID(int=1)}/messages", 404, on="on")
        assert "no guardian" in (await ana.post(home.at, 404, number=OTHER, whose="guardian")).text
        for n in range(6):
            await ana.post(home.at, 200, number=f"+551195555018{n}", safe="on")
        assert "At most 8" in (await ana.post(home.at, 409, number=OTHER)).text
        assert "At most 8" in await tells(ana, home, mine, 409, number=OTHER)
    async with home.signed_in("ruby") as ruby:
        await ruby.post(home.at, 403, number=OTHER)
        await tells(ruby, home, mine, 403)
    assert [(one.number, one.rank, one.owner) for one in home.numbers()][:2] == before
    assert patients.number_token(OTHER) not in {one.token for one in home.numbers()}
    assert not isinstance(home.dialled(), NotNow)
