"""Red flags by telephone: who was told is rung once, also when things break; and what they hear, in every language.

The exchange here takes orders and fails when told to. Golden transcripts are in tests/golden_on_call/.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dialer.on_call import OnCallDialer, StaffTelephone
from hospital import accounts, audit, cases, climbing, urgent_calls
from hospital.accounts import Account
from hospital.calendars import Calendar
from hospital.calls import Call as CallRow
from hospital.cases import Case
from hospital.database import Database
from hospital.urgent import Ladder
from hospital.urgent_calls import Called, UrgentCall
from hotline import wiring
from hotline.settings_file import DEMO, build
from ivr.call import Call, CallerLeft
from ivr.conversation import converse
from ivr.terminal import TerminalJournal, Transcript, rehearse, scripted
from scripts import wording
from tests.console_app import Site
from tests.console_app import words as said
from tests.hospital_scene import at_once
from tests.house import House
from tests.moments import NOON
from tests.test_hang_ups import DroppedLine
from tests.test_urgent import CALENDAR, climb, history, on_call, red_flag, staff
from tests.transcripts import KEYS, Said, is_golden, there

pytestmark = pytest.mark.covers("H33")
AFTER = timedelta(seconds=15)
HOTLINE, MOBILE = "+5716000600", "+573015550777"


class Exchange:
    """A StaffTelephone. `orders`: (whose phone, in which state the call was in the database)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.orders: list[tuple[str | None, str]] = []
        self.fails: Exception | None = None
        self.up: dict[str, bool] = {}
        self.hung_up: list[str] = []
        self.ending: set[str] = set()
        self.reachable = True

    async def ring_on_call(
        self,
        number: str | None,
        sip_username: str | None,
        channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        assert (timeout_s, caller_id, language) == (30.0, HOTLINE, "en")
        with self._database.transaction() as session:
            rows = select(UrgentCall.state).where(UrgentCall.channel_id == channel_id)
            self.orders.append((number or sip_username, session.scalars(rows).one()))
        if self.fails is not None:
            raise self.fails
        self.up[channel_id] = False

    async def hang_up(self, channel_id: str) -> bool:
        self.hung_up.append(channel_id)
        return self.up.pop(channel_id, None) is not None

    def is_up(self) -> bool:
        return self.reachable

    def live_channel_ids(self) -> dict[str, bool]:
        return self.up

    def is_ending(self, channel_id: str) -> bool:
        return channel_id in self.ending


class Ward:
    """Ana and Ben are on call, Dora leads, Grace is the supervisor; a red flag has been told to Ana."""

    def __init__(self, database: Database) -> None:
        self.database, self.exchange, self.now = database, Exchange(database), NOON
        telephone: StaffTelephone = self.exchange
        self.dialer = OnCallDialer(database, telephone, node="n1", caller_id=HOTLINE, after=AFTER, now=lambda: self.now)
        with database.transaction() as session:
            self.people = staff(session)
            on_call(session, self.people, "ana", "ben")
            self.flag = red_flag(session)
            climb(session)

    def climbs(self, minutes: float) -> None:
        self.now = NOON + timedelta(minutes=minutes)
        with self.database.transaction() as session:
            climb(session, minutes)

    async def rings(self, seconds: float = 15) -> UrgentCall:
        """Ana's telephone rings."""
        self.now = NOON + timedelta(seconds=seconds)
        assert await self.dialer.call_due() == 1
        return self.calls[-1]

    @property
    def calls(self) -> list[UrgentCall]:
        with self.database.transaction() as session:
            return urgent_calls.of_case(session, self.flag)

    @property
    def rung(self) -> list[str | None]:
        return [whose for whose, _ in self.exchange.orders]

    @property
    def case(self) -> Case:
        with self.database.transaction() as session:
            return session.get_one(Case, self.flag)


@pytest.fixture
def ward(database: Database) -> Ward:
    return Ward(database)


# ── One call for each person and step ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I3")
async def test_first_the_screen_then_the_telephone_and_committed_before_the_order(ward: Ward) -> None:
    assert await ward.dialer.call_due() == 0, "she may see it on her screen"
    await ward.rings()
    assert await ward.dialer.call_due() == 0
    assert ward.exchange.orders == [("ana", "dialling")]
    assert [(call.state, call.step) for call in ward.calls] == [("dialling", 1)]


@pytest.mark.covers("I3")
async def test_who_does_not_answer_is_not_rung_again_before_it_comes_round(ward: Ward) -> None:
    call = await ward.rings()
    await ward.dialer.leg_ended(call.channel_id, "no_answer")
    await ward.dialer.leg_ended(call.channel_id, "busy")
    assert [(one.state, one.line_result) for one in ward.calls] == [("ended", "no_answer")], "the first result stands"
    for minutes in (1, 4.9, 5, 5.25, 10, 10.25, 15, 15.25, 20, 20.25):
        ward.climbs(minutes)
        await ward.dialer.call_due()
    assert ward.rung == ["ana", "ben", "dora", "grace", "ana"]


@pytest.mark.covers("I3")
def test_two_processes_never_call_twice(ward: Ward) -> None:
    late = NOON + AFTER

    def claim(session: Session) -> Called | None:
        return urgent_calls.claim_next(session, "n1", late, AFTER)

    claimed = at_once(ward.database, *[claim] * 4)
    assert sorted(type(one).__name__ for one in claimed) == ["Called", "NoneType", "NoneType", "NoneType"], claimed
    (call,) = ward.calls
    dialled = at_once(ward.database, *[lambda session: urgent_calls.dialling(session, call.channel_id, late)] * 4)
    assert sorted(map(str, dialled)) == ["False", "False", "False", "True"], dialled


@pytest.mark.covers("I3", "I10")
@pytest.mark.parametrize(
    ("failure", "result"),
    [(TimeoutError(), None), (ConnectionError(), "cancelled"), (ValueError(), "network_failure")],
)
async def test_an_order_that_fails_is_never_given_again(ward: Ward, failure: Exception, result: str | None) -> None:
    ward.exchange.fails = failure
    ward.now = NOON + AFTER
    await ward.dialer.call_due()
    assert [call.line_result for call in ward.calls] == [result]
    ward.exchange.fails = None
    for seconds in (16, 30, 60):
        ward.now = NOON + timedelta(seconds=seconds)
        await ward.dialer.settle()
        await ward.dialer.call_due()
    assert ward.rung == ["ana"]
    assert [(call.state, call.line_result) for call in ward.calls] == [("ended", result or "unknown")]


@pytest.mark.covers("I10")
async def test_who_answers_a_call_that_was_given_up_is_heard_all_the_same(ward: Ward) -> None:
    call = await ward.rings()
    ward.exchange.up.clear()  # the core was started anew and has not seen its leg yet
    ward.now += timedelta(seconds=9)
    await ward.dialer.settle()
    assert [one.line_result for one in ward.calls] == ["unknown"]
    with ward.database.transaction() as session:
        assert urgent_calls.answered(session, call.channel_id, ward.now) is not None
        assert urgent_calls.take(session, call.channel_id, ward.now)
    await ward.dialer.leg_ended(call.channel_id, "answered")
    assert [(one.line_result, one.result) for one in ward.calls] == [("answered", "taken")]


async def test_a_leg_whose_end_is_being_told_is_not_given_up_meanwhile(ward: Ward) -> None:
    call = await ward.rings()
    ward.exchange.up.clear()
    ward.exchange.ending.add(call.channel_id)
    ward.now += timedelta(seconds=30)
    await ward.dialer.settle()
    await ward.dialer.leg_ended(call.channel_id, "no_answer")
    assert [one.line_result for one in ward.calls] == ["no_answer"]


@pytest.mark.covers("I3", "I10")
async def test_after_a_restart_nothing_is_dialled_again(ward: Ward) -> None:
    """The core died between the claim and the order, and while it rang: what has no leg is over."""
    with ward.database.transaction() as session:
        assert urgent_calls.claim_next(session, "n1", NOON + AFTER, AFTER) is not None
    ward.now = NOON + timedelta(seconds=30)
    ward.exchange.reachable = False
    await ward.dialer.settle()
    assert [call.state for call in ward.calls] == ["claimed"], "nothing is known while the link is down"
    ward.exchange.reachable = True
    await ward.dialer.settle()
    assert [(call.state, call.line_result) for call in ward.calls] == [("ended", "cancelled")]
    assert await ward.dialer.call_due() == 0
    assert ward.rung == []


async def test_nothing_is_claimed_while_asterisk_is_away(ward: Ward) -> None:
    ward.now, ward.exchange.reachable = NOON + AFTER, False
    assert await ward.dialer.call_due() == 0
    assert ward.calls == []


async def test_a_number_of_their_own_comes_before_the_extension_and_who_has_none_is_not_rung(ward: Ward) -> None:
    with ward.database.transaction() as session:
        session.get_one(Account, ward.people["ana"]).on_call_number = MOBILE
        session.get_one(Account, ward.people["ben"]).sip_username = None
    await ward.rings()
    ward.climbs(6)
    assert await ward.dialer.call_due() == 0
    assert ward.rung == [MOBILE]


async def test_one_telephone_rings_for_one_red_flag_at_a_time(ward: Ward) -> None:
    with ward.database.transaction() as session:
        other = red_flag(session, "n1-2")
        climb(session)
    call = await ward.rings()
    await ward.dialer.leg_ended(call.channel_id, "answered")
    assert await ward.dialer.call_due() == 1
    with ward.database.transaction() as session:
        assert len(urgent_calls.of_case(session, other)) == 1
    with pytest.raises(IntegrityError), ward.database.transaction() as session:
        session.execute(update(UrgentCall).values(state="dialling", line_result=None, ended_at=None))


async def test_it_stops_ringing_when_somebody_has_taken_it(ward: Ward) -> None:
    call = await ward.rings()
    with ward.database.transaction() as session:
        assert cases.own(session, ward.flag, ward.people["ben"], ward.now)
    await ward.dialer.call_off()
    assert ward.exchange.hung_up == [call.channel_id]
    await ward.dialer.call_off()  # its leg was never heard of
    assert [one.line_result for one in ward.calls] == ["cancelled"]


# ── Its owner has found no outcome in time ──────────────────────────────────────────────────────────────────────────


async def test_it_rings_the_next_until_somebody_takes_it_over(ward: Ward) -> None:
    ana, ben = ward.people["ana"], ward.people["ben"]
    with ward.database.transaction() as session:
        assert cases.own(session, ward.flag, ana, NOON)

    async def passes(minutes: float) -> None:
        ward.now = NOON + timedelta(minutes=minutes)
        with ward.database.transaction() as session:
            climbing.without_outcome(session, CALENDAR, Ladder(), ward.now)
        await ward.dialer.call_off()
        await ward.dialer.call_due()

    for minutes in (0, 29.9, 30, 30.2, 30.25, 34.9):
        await passes(minutes)
    assert ward.rung == ["ben"], "not Ana, who has it, and a quarter of a minute after the screen"
    await ward.dialer.leg_ended(ward.calls[-1].channel_id, "no_answer")
    for minutes in (35, 35.25, 40, 40.25):
        await passes(minutes)
    assert ward.rung == ["ben", "dora", "grace"]
    with ward.database.transaction() as session:
        told = urgent_calls.answered(session, ward.calls[-1].channel_id, ward.now)
        assert told is not None and told.open and told.late
        assert cases.own(session, ward.flag, ben, ward.now)
        assert not urgent_calls.take(session, ward.calls[-1].channel_id, ward.now), "Ben was faster, on his screen"
    await passes(69)
    assert ward.exchange.hung_up == [ward.calls[1].channel_id], "Dora's rings no more; Grace is talking"
    for minutes in (70.25, 70.5):
        await passes(minutes)
    assert ward.rung[3:] == ["ana"], "his time has passed, too"
    with ward.database.transaction() as session:
        urgent_calls.answered(session, ward.calls[-1].channel_id, ward.now)
        assert urgent_calls.take(session, ward.calls[-1].channel_id, ward.now)
    assert ward.case.owner_id == ana


def told_ana(database: Database, folder: Path) -> tuple[Site, dict[str, UUID], UUID]:
    """The console, its people, and a red flag of which Ana was told; Ruby is the second."""
    console = Site(database, folder)
    people = {name: account.id for name, account in console.staff.items()}
    with database.transaction() as session:
        on_call(session, people, "ana", "ruby")
        flag = red_flag(session)
        climb(session)
    return console, people, flag


async def test_who_was_told_that_there_is_no_outcome_sends_it_on_from_the_screen(
    database: Database, tmp_path: Path
) -> None:
    console, people, flag = told_ana(database, tmp_path)
    with database.transaction() as session:
        cases.own(session, flag, people["ana"], NOON)
        for minutes in (1, 30):
            climbing.without_outcome(session, CALENDAR, Ladder(), NOON + timedelta(minutes=minutes))
    console.now = NOON + timedelta(minutes=31)
    async with console.signed_in("ruby") as ruby:
        assert "Red flag 10001 without an outcome" in said((await ruby.get("/cases/alarm")).text)
        page = said((await ruby.get(f"/cases/{flag}")).text)
        assert "No outcome The next is told in 4:00" in page and "Take it over I cannot: tell the next" in page
        await ruby.post(f"/cases/{flag}/decline")
    with database.transaction() as session:
        assert climbing.without_outcome(session, CALENDAR, Ladder(), console.now) == [flag]
        assert [whom for whom, _ in history(session, flag)][-3:] == ["second", "declined", "lead"]


# ── By key ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I8")
async def test_who_presses_1_owns_the_case(ward: Ward) -> None:
    call = await ward.rings()
    with ward.database.transaction() as session:
        told = urgent_calls.answered(session, call.channel_id, ward.now)
        assert told is not None and (told.number, told.language, told.open) == (ward.case.number, "en", True)
        assert urgent_calls.take(session, call.channel_id, ward.now)
    assert (ward.case.state, ward.case.owner_id) == ("owned", ward.people["ana"])
    with ward.database.transaction() as session:
        assert history(session, ward.flag)[-1] == ("taken", [ward.people["ana"]])
        assert audit.newest(session)[0].action == "urgent.taken_by_telephone"
        assert urgent_calls.answered(session, "n1-unknown", ward.now) is None


async def test_who_declines_sends_it_on_at_once(ward: Ward) -> None:
    call = await ward.rings()
    with ward.database.transaction() as session:
        urgent_calls.answered(session, call.channel_id, ward.now)
        urgent_calls.decline(session, call.channel_id, ward.now)
        assert climbing.climb(session, CALENDAR, Ladder(), ward.now) == [ward.flag]
        assert [whom for whom, _ in history(session, ward.flag)] == ["first", "declined", "second"]


async def test_of_two_the_second_hears_that_it_is_gone(ward: Ward) -> None:
    call = await ward.rings()
    with ward.database.transaction() as session:
        urgent_calls.answered(session, call.channel_id, ward.now)
        assert cases.own(session, ward.flag, ward.people["ben"], ward.now)
        assert not urgent_calls.take(session, call.channel_id, ward.now)
        told = urgent_calls.answered(session, call.channel_id, ward.now)
        assert told is not None and not told.open
    assert (ward.case.owner_id, ward.calls[0].result) == (ward.people["ben"], "gone")


async def test_ana_declines_on_her_screen_and_the_calls_are_in_the_history(database: Database, tmp_path: Path) -> None:
    console, people, flag = told_ana(database, tmp_path)
    with database.transaction() as session:
        claimed = urgent_calls.claim_next(session, "n1", NOON + AFTER, AFTER)
        assert claimed is not None
        urgent_calls.dialling(session, claimed.channel_id, NOON + AFTER)
        urgent_calls.line_ended(session, claimed.channel_id, "no_answer", NOON + AFTER)
    async with console.signed_in("ana") as ana, console.signed_in("ruby") as ruby:
        assert "I cannot: tell the next" not in (await ruby.get(f"/cases/{flag}")).text
        await ruby.post(f"/cases/{flag}/decline", 409)
        page = said((await ana.get(f"/cases/{flag}")).text)
        assert "Rang Ana: no answer" in page and "I cannot: tell the next" in page
        assert "Ana could not take it" in said((await ana.post(f"/cases/{flag}/decline")).text)
        await ana.post(f"/cases/{flag}/decline", 409)
    with database.transaction() as session:
        assert climb(session) == [flag]
        assert history(session, flag)[-1] == ("second", [people["ruby"]])


async def test_grace_writes_down_on_which_number_ana_is_rung(database: Database, tmp_path: Path) -> None:
    console = Site(database, tmp_path)
    ana = console.staff["ana"].id
    async with console.signed_in("grace") as grace:
        assert "rung on extension" in said((await grace.get("/shifts")).text)
        await grace.post(f"/shifts/people/{ana}", 422, number="12")
        listed = said((await grace.post(f"/shifts/people/{ana}", number="301 555 0777")).text)
        assert listed.count("rung on a number of their own") == 1
        await grace.post(f"/shifts/people/{console.staff['oscar'].id}", 422, number=MOBILE)
    with database.transaction() as session:
        assert session.get_one(Account, ana).on_call_number == MOBILE
        row = audit.newest(session)[0]
        assert (row.action, row.subject) == ("rota.number_set", f"account:{ana}")
        assert MOBILE not in str(row.detail)


# ── What they hear ──────────────────────────────────────────────────────────────────────────────────────────────────


def taken_meanwhile(session: Session, ward: Ward) -> None:
    assert cases.own(session, ward.flag, ward.people["ben"], NOON)


def has_no_outcome(session: Session, ward: Ward) -> None:
    assert cases.own(session, ward.flag, ward.people["ben"], NOON)
    case = session.get_one(Case, ward.flag, populate_existing=True)
    case.decide_by = case.acknowledge_by


SCENES: dict[str, tuple[str, Callable[[Session, Ward], None] | None]] = {
    "takes_it": ("1", None),
    "takes_it_and_presses_on": ("1!0", None),
    "declines": ("2", None),
    "says_nothing": (",,,", None),
    "presses_other_keys": ("0,9,1", None),
    "was_taken_meanwhile": ("", taken_meanwhile),
    "takes_it_over": ("1", has_no_outcome),
    "hangs_up": ("", None),
}
OUTCOMES: dict[str, tuple[str, str | None]] = {
    "takes_it": ("owned", "taken"),
    "takes_it_and_presses_on": ("owned", "taken"),
    "declines": ("open", "declined"),
    "says_nothing": ("open", None),
    "presses_other_keys": ("owned", "taken"),
    "was_taken_meanwhile": ("owned", None),
    "takes_it_over": ("owned", "taken"),
    "hangs_up": ("open", None),
}


@pytest.fixture(scope="module")
def words() -> wording.Wording:
    return wiring.words(build(DEMO))


@pytest.mark.covers("H11", "H51")
@pytest.mark.parametrize("language", KEYS)
@pytest.mark.parametrize("name", SCENES)
async def test_the_transcript_is_the_golden_one(ward: Ward, words: wording.Wording, language: str, name: str) -> None:
    presses, before = SCENES[name]
    with ward.database.transaction() as session:
        session.get_one(Account, ward.people["ana"]).languages = [language]
        claimed = urgent_calls.claim_next(session, "n1", NOON + AFTER, AFTER)
        assert claimed is not None and urgent_calls.dialling(session, claimed.channel_id, NOON + AFTER)
        session.execute(update(UrgentCall).values(channel_id="terminal-1"))
        if before is not None:
            before(session, ward)
    front = wiring.front_desk(build(DEMO), ward.database, words)

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["oncall"](call, front)

    press = scripted(presses.split(",") if presses else [])
    told = Said(words)
    transcript = await rehearse(dialogue, told, press, house=wiring.house_keys(front))
    is_golden(told.under(transcript), "golden_on_call", language, name)
    assert (ward.case.state, ward.calls[0].result) == OUTCOMES[name]
    with ward.database.transaction() as session:
        assert session.scalars(select(CallRow.id)).all() == ["n1-1"], "no row of a call is kept but the patient's"


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_on_call") == {(language, name) for language in KEYS for name in SCENES}


@pytest.mark.covers("H51", "I10")
@pytest.mark.parametrize("name", SCENES)
async def test_who_hangs_up_has_taken_it_or_has_not(ward: Ward, words: wording.Wording, name: str) -> None:
    """Wherever the line drops: one deed later each time, on the same call, until a key has settled it."""
    presses, before = SCENES[name]
    with ward.database.transaction() as session:
        claimed = urgent_calls.claim_next(session, "n1", NOON + AFTER, AFTER)
        assert claimed is not None and urgent_calls.dialling(session, claimed.channel_id, NOON + AFTER)
        if before is not None:
            before(session, ward)
    front = replace(wiring.front_desk(build(DEMO), ward.database, words), now=lambda: NOON + AFTER)
    owner, ana = ward.case.owner_id, ward.people["ana"]

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["oncall"](call, front)

    for after in range(9):
        told = Transcript()
        line = DroppedLine(wording.Heard(words), scripted(presses.split(",") if presses else []), told, after)
        house = wiring.house_keys(front)
        with suppress(CallerLeft):
            await converse(Call(claimed.channel_id, "n1", None, line, TerminalJournal(told), "en", house), dialogue)
        result = ward.calls[0].result
        assert ward.case.owner_id == (ana if result == "taken" else owner)
        pressed = {None: None, "taken": "caller: 1", "declined": "caller: 2"}[result]
        assert pressed is None or told.lines.count(pressed) == 1
        if result is not None or len(line.deeds) < after:
            break
    with ward.database.transaction() as session:
        assert urgent_calls.line_ended(session, claimed.channel_id, "answered", NOON + AFTER)
        assert urgent_calls.live(session) == []


# ── A real one ──────────────────────────────────────────────────────────────────────────────────────────────────────


def calendar_of(house: House) -> Calendar:
    return Calendar(wiring.zone(house.settings), house.settings.site.country_code)


def told_to_ana(house: House) -> UUID:
    """She is on call, and was told of a red flag fourteen seconds ago; her account."""
    now, calendar = wiring.now(), calendar_of(house)
    with house.database.transaction() as session:
        people = {account.username: account.id for account in accounts.staff(session)}
        on_call(session, people, "ana", first=calendar.date_of(now) - timedelta(days=1))
        flag = red_flag(session, "n1-urgent")
        assert climbing.climb(session, calendar, Ladder(), now - timedelta(seconds=14)) == [flag]
    return people["ana"]


@pytest.mark.asterisk
@pytest.mark.covers("I3")
async def test_anas_telephone_rings_and_she_takes_it_by_key(house: House) -> None:
    async with house.phone("ana") as ana:
        account_id = told_to_ana(house)
        (case,) = house.rows(Case)
        await ana.rings()
        await ana.answers()
        await ana.hears(await house.sound("oncall_flag", "en", case=str(case.number)))
        await ana.presses("1")
        await house.until("it is hers", lambda: house.rows(Case)[0].owner_id == account_id)
        await ana.hears(await house.sound("oncall_taken", "en", case=str(case.number)))
        assert await ana.hung_up() == 200
        await house.until("it is over", lambda: [call.state for call in house.rows(UrgentCall)] == ["ended"])
    (call,) = house.rows(UrgentCall)
    assert (call.line_result, call.result, call.account_id) == ("answered", "taken", account_id)
    await house.no_channels()


@pytest.mark.asterisk
@pytest.mark.covers("I3", "I10")
async def test_the_core_is_killed_while_anas_telephone_rings(house: House) -> None:
    """She is not called twice, and takes it all the same."""
    async with house.phone("ana") as ana:
        account_id = told_to_ana(house)
        (case,) = house.rows(Case)
        await ana.rings()
        old = house.children["core"]
        assert old is not None
        house.kill("core")
        await house.restarted("core", old)
        await ana.answers()
        await ana.hears(await house.sound("oncall_flag", "en", case=str(case.number)))
        await ana.presses("1")
        await house.until("it is hers", lambda: house.rows(Case)[0].owner_id == account_id)
        await ana.hung_up()
        await house.until("it is over", lambda: [call.state for call in house.rows(UrgentCall)] == ["ended"])
    (call,) = house.rows(UrgentCall)
    assert call.result == "taken"
    await house.no_channels()
