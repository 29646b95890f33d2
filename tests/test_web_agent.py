"""Tom's page: who is calling, while the phone rings; what may be seen when; the note; who is to be called back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

import pytest
from markupsafe import escape
from playwright.async_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from hospital import booking, callbacks, calls, patients, return_calls, screen_pops
from hospital.audit import AuditRow
from hospital.callbacks import Callback
from hospital.calls import Call
from hospital.database import announce
from hospital.patients import PhoneNumber, Stay
from hospital.screen_pops import ScreenPop
from tests.browser import Comes, PageOf, Site, comes, does_not_scroll, looked_at, page_of, served, site
from tests.characters import JOAO, LUCIA, RUTH, WIREMU
from tests.console_app import words
from tests.hospital_scene import clinic
from tests.moments import NOON
from web.agent_card import WRITE_UP
from web.live import Subscription

__all__ = ["comes", "page_of", "served", "site"]

UNKNOWN = "+573005550199"
SECRET = "hypertension"  # the diagnosis of everybody's last visit


def audited(site: Site, *actions: str) -> list[tuple[str, str]]:
    """(action, subject) of the rows of these actions."""
    with site.database.transaction() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.action.in_(actions)).order_by(AuditRow.seq))
        return [(row.action, row.subject) for row in rows]


def pop_and_call(site: Site, pop_id: UUID) -> tuple[ScreenPop, Call]:
    with site.database.transaction() as session:
        pop = session.get_one(ScreenPop, pop_id)
        return pop, session.get_one(Call, pop.call_id)


def moves(site: Site, pop_id: UUID, state: str) -> None:
    """The agent's phone is answered, gives up ringing, or is hung up."""
    pop, _ = pop_and_call(site, pop_id)
    with site.database.transaction() as session:
        assert screen_pops.pop_moved(session, pop.call_id, pop.channel, state, site.clock())


def shares(site: Site, who: str, number: str, owner: str = "daughter") -> None:
    """The number is `who`'s too."""
    with site.database.transaction() as session:
        token = patients.number_token(number)
        session.add(PhoneNumber(patient_id=site.people[who], rank=9, number=number, token=token, owner=owner))


def asks(site: Site, number: str, origin: str = "n1-1.1") -> UUID:
    with site.database.transaction() as session:
        return callbacks.ask(session, origin=origin, number=number, why="asked", at=NOON).callback_id


# ── Who sees the card ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H10", "H15")
async def test_lucias_card_says_who_she_probably_is_and_why_she_calls(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    assert "No call" in (await tom.get("/agent/pop")).text
    pop = await site.rings("tom", LUCIA)
    said = words((await tom.get("/agent/pop")).text)
    for expected in (
        "Ringing",
        LUCIA.name,
        "46 years, female, speaks Spanish",
        "Probably: the only patient with this number.",
        "Wants to book an appointment",
        "29 February 1980",
    ):
        assert expected in said
    steps = words((await tom.get(f"/agent/pops/{pop}/journey")).text)
    for expected in ("Chose Spanish", "Main menu: pressed 1", "To reception: asked for a person"):
        assert expected in steps
    assert "operator_key" not in steps
    assert audited(site, "card.read") == [("card.read", f"patient:{site.people['lucia']}")]


@pytest.mark.covers("I9")
async def test_nobody_else_sees_any_part_of_toms_card(site: Site, comes: Comes) -> None:
    pop = await site.rings("tom", LUCIA)
    grace = await comes("grace")
    assert "No call" in (await grace.get("/agent/pop")).text
    tries = [
        await grace.get(f"/agent/pops/{pop}/who"),
        await grace.get(f"/agent/pops/{pop}/journey"),
        await grace.get(f"/agent/pops/{pop}/record"),
        await grace.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people["lucia"])}),
        await grace.post(f"/agent/pops/{pop}/ticks/name", data={"on": "on"}),
        await grace.post(f"/agent/pops/{pop}/note", data={"note": "mine"}),
    ]
    for answer in tries:
        assert answer.status_code == 403
        assert "This call is not yours." in answer.text
        assert "Luc" not in answer.text
    assert audited(site, "denied") == [("denied", f"screen_pop:{pop}")] * len(tries)
    row, _ = pop_and_call(site, pop)
    assert (row.ticked, row.note) == ([], "")


@pytest.mark.covers("H14", "H15", "I9")
async def test_joao_calls_back_and_ana_opens_the_form_from_his_card(site: Site, comes: Comes) -> None:
    task, pop = site.task(JOAO), await site.rings("ana", JOAO)
    toms = await site.rings("tom", JOAO)
    with site.database.transaction() as session:
        for one in (pop, toms):
            call_id = session.get_one(ScreenPop, one).call_id
            return_calls.noted(session, call_id, task.id, NOON)
    ana, tom = await comes("ana"), await comes("tom")
    said = (await ana.get(f"/agent/pops/{pop}/who")).text
    assert "Returns our call: Day 3 after discharge" in words(said) and "Open its form" not in words(said)
    assert "Day 3" not in (await tom.get(f"/agent/pops/{toms}/who")).text, "what a nurse calls for is not for everybody"
    assert (await ana.post(f"/followups/returned/{pop}")).status_code == 409, "it rings yet"
    moves(site, pop, "answered")
    assert "Open its form" in words((await ana.get(f"/agent/pops/{pop}/who")).text)
    assert (await tom.post(f"/followups/returned/{pop}")).status_code == 403
    assert (await ana.post(f"/followups/returned/{toms}")).status_code == 403
    taken = await ana.post(f"/followups/returned/{pop}")
    assert taken.headers["HX-Location"] == f"/followups/{task.id}"
    for identifier in ("name", "birth_date"):
        await ana.post(f"/followups/{task.id}/ticks/{identifier}", data={"on": "on"})
    answered = await ana.post(f"/followups/{task.id}/answers/pain", data={"value": "2"})
    assert answered.status_code == 200
    done = await ana.post(f"/followups/{task.id}/result/partial")
    assert done.status_code == 200
    assert site.attempt(JOAO).contact_result == "partial"


@asynccontextmanager
async def hearing(site: Site, *names: str) -> AsyncIterator[list[Subscription]]:
    """The live streams of these people's pages."""
    hub = site.services.live
    running = asyncio.create_task(hub.run())
    try:
        with hub.subscribed(Listening(site, "grace"), hub.position) as probe:
            while probe.queue.empty():  # until the database is listened to
                await site.database.run(announce, "task", "probe")
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(asyncio.create_task(_first(probe))), 0.2)
        opened = [hub.subscribed(Listening(site, name), hub.position) for name in names]
        yield [one.__enter__() for one in opened]
        for one in opened:
            one.__exit__(None, None, None)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def _first(subscription: Subscription) -> None:
    subscription.queue.put_nowait(await subscription.queue.get())


class Listening:
    def __init__(self, site: Site, name: str) -> None:
        self._account = site.account(name)

    @property
    def account_id(self) -> UUID:
        return self._account.id

    def may(self, right: str) -> bool:
        return self._account.may(right)


@pytest.mark.covers("H15", "I9")
async def test_the_live_stream_tells_of_the_call_to_toms_page_only(site: Site) -> None:
    async with hearing(site, "tom", "grace", "oscar") as (tom, grace, oscar):
        pop = await site.rings("tom", LUCIA)
        moves(site, pop, "answered")
        asks(site, UNKNOWN)
        told: dict[str, list[str]] = {"tom": [], "grace": []}
        for name, page in (("tom", tom), ("grace", grace)):
            while "callback" not in told[name]:  # the last of all: everybody who works on callbacks hears it
                _, notice = await asyncio.wait_for(page.queue.get(), 5)
                told[name].append(notice.kind)
    assert "screen_pop" in told["tom"]
    assert set(told["grace"]) <= {"callback", "task", "audit"}
    assert oscar.queue.empty()


@pytest.mark.covers("I9")
async def test_what_rang_out_is_gone_and_asking_again_is_no_offence(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    moves(site, pop, "missed")
    assert "No call" in (await tom.get("/agent/pop")).text
    for part in ("who", "journey", "record"):
        assert (await tom.get(f"/agent/pops/{pop}/{part}")).status_code == 410
    assert audited(site, "denied", "card.read") == []


@pytest.mark.covers("H15")
async def test_the_ended_call_stays_to_be_written_up_and_is_closed_after_a_while(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    earlier = await site.rings("tom", LUCIA)
    moves(site, earlier, "answered")
    moves(site, earlier, "ended")
    assert "Call ended" in (await tom.get("/agent/pop")).text
    later = await site.rings("tom", RUTH)
    shown = await tom.get("/agent/pop")
    assert RUTH.name in shown.text
    assert LUCIA.name not in shown.text
    # what was being typed when the next call came is kept
    assert (await tom.post(f"/agent/pops/{earlier}/note", data={"note": "calls back"})).status_code == 204
    moves(site, later, "missed")
    assert LUCIA.name in (await tom.get("/agent/pop")).text
    site.clock.passes(seconds=WRITE_UP.total_seconds())
    tom = await comes("tom")
    assert "No call" in (await tom.get("/agent/pop")).text
    assert (await tom.get(f"/agent/pops/{earlier}/record")).status_code == 410
    assert (await tom.post(f"/agent/pops/{earlier}/note", data={"note": "x"})).status_code == 410
    assert pop_and_call(site, earlier)[0].note == "calls back"


# ── Who it is ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H15")
async def test_the_clinical_part_is_not_there_before_two_ticks(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)

    async def record() -> str:
        return (await tom.get(f"/agent/pops/{pop}/record")).text

    for answer in (await tom.get("/agent"), await tom.get("/agent/pop"), await tom.get(f"/agent/pops/{pop}/who")):
        assert SECRET not in answer.text
        assert "check-up" not in answer.text
    assert "Closed until two identifiers are ticked." in await record()
    await tom.post(f"/agent/pops/{pop}/ticks/name", data={"on": "on"})
    await tom.post(f"/agent/pops/{pop}/ticks/name", data={"on": "on"})
    assert SECRET not in await record()
    assert audited(site, "record.read") == []
    await tom.post(f"/agent/pops/{pop}/ticks/birth_date", data={"on": "on"})
    for _ in range(3):  # the part that follows by itself is one look
        opened = await record()
        assert SECRET in opened
        assert "27 Aug 2026" in opened
    assert audited(site, "record.read") == [("record.read", f"patient:{site.people['lucia']}")]
    await tom.post(f"/agent/pops/{pop}/ticks/name")
    assert SECRET not in await record()


@pytest.mark.covers("H15")
async def test_the_number_identifies_where_it_is_the_one_that_calls(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    assert "tick-number" in (await tom.get(f"/agent/pops/{pop}/who")).text
    await tom.post(f"/agent/pops/{pop}/ticks/number", data={"on": "on"})
    await tom.post(f"/agent/pops/{pop}/ticks/record", data={"on": "on"})
    assert SECRET in (await tom.get(f"/agent/pops/{pop}/record")).text


@pytest.mark.covers("H15")
async def test_another_number_identifies_nobody(site: Site, comes: Comes) -> None:
    """The IVR knows who it is by what she said, and she calls from a neighbour's phone."""
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA, number=UNKNOWN)
    with site.database.transaction() as session:
        session.get_one(ScreenPop, pop).patient_id = site.people["lucia"]
    assert "tick-number" not in (await tom.get(f"/agent/pops/{pop}/who")).text
    for identifier in ("number", "address", "shoe_size", "${x}"):
        assert (await tom.post(f"/agent/pops/{pop}/ticks/{identifier}", data={"on": "on"})).status_code == 422
    assert pop_and_call(site, pop)[0].ticked == []


@pytest.mark.covers("H15")
async def test_several_patients_on_one_number_tom_asks_who_it_is(site: Site, comes: Comes) -> None:
    shares(site, "ruth", LUCIA.numbers[0])
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    said = (await tom.get("/agent/pop")).text
    assert "One of 2 patients with this number. Ask who is calling." in said
    assert "(daughter’s number)" in said
    assert "tick-" not in said
    assert "1944" not in said  # nothing to compare with before one is chosen
    await tom.post(f"/agent/pops/{pop}/ticks/name", data={"on": "on"})
    assert pop_and_call(site, pop)[0].ticked == []

    async def chooses(who: str) -> str:
        return (await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people[who])})).text

    assert "Chosen by you from 2 patients with this number." in await chooses("ruth")
    for identifier in ("name", "birth_date"):
        await tom.post(f"/agent/pops/{pop}/ticks/{identifier}", data={"on": "on"})
    assert SECRET in (await tom.get(f"/agent/pops/{pop}/record")).text
    await chooses("lucia")  # what Ruth has said opens nothing of Lucía
    assert SECRET not in (await tom.get(f"/agent/pops/{pop}/record")).text
    stranger = await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people["joao"])})
    assert stranger.status_code == 422
    assert pop_and_call(site, pop)[0].patient_id == site.people["lucia"]
    assert {subject for _, subject in audited(site, "card.read")} == {
        f"patient:{site.people[who]}" for who in ("lucia", "ruth")
    }


@pytest.mark.covers("H15")
@pytest.mark.parametrize(
    ("number", "sentence"), [(UNKNOWN, "No patient has this number."), ("", "The number is withheld.")]
)
async def test_an_unknown_caller_is_shown_as_one(site: Site, comes: Comes, number: str, sentence: str) -> None:
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA, number=number)
    said = (await tom.get("/agent/pop")).text
    assert sentence in said
    assert (number or "number withheld") in said
    assert "Wants to book an appointment" in said
    assert "There is no patient to show." in (await tom.get(f"/agent/pops/{pop}/record")).text
    assert (await tom.post(f"/agent/pops/{pop}/ticks/name", data={"on": "on"})).status_code == 422
    assert audited(site, "card.read") == []


@pytest.mark.covers("H15")
async def test_who_the_automatic_service_has_identified_is_said_so(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    pop = await site.rings("tom", WIREMU)
    call_id = pop_and_call(site, pop)[1].id
    with site.database.transaction() as session:
        calls.update_call(session, call_id, patient_id=site.people["wiremu"], identified_by=["number", "birth_date"])
    assert "Identified by the automatic service" in (await tom.get("/agent/pop")).text
    # but the person who talks now is asked again before the record opens
    assert SECRET not in (await tom.get(f"/agent/pops/{pop}/record")).text


@pytest.mark.covers("H15")
async def test_the_next_appointment_is_there_and_a_desk_that_does_not_answer_holds_nothing_up(
    site: Site, comes: Comes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with site.database.transaction() as session:
        for number, slot in enumerate(clinic(session, 2), 1):
            booking.hold(session, slot, f"call-{number}", NOON)
            booking.confirm(session, slot, f"call-{number}", site.people["lucia"], NOON, "agent")
    tom = await comes("tom")
    await site.rings("tom", LUCIA)
    said = words((await tom.get("/agent/pop")).text)
    assert "Tomorrow 13:00, cardiology, Vega and 1 more" in said

    async def silent(*_: object) -> list[booking.Booked]:
        await asyncio.Event().wait()
        raise AssertionError("never")

    monkeypatch.setattr("web.agent.DESK_PATIENCE", 0.05)
    monkeypatch.setattr(site.services.desk, "appointments", silent)
    said = words((await tom.get("/agent/pop")).text)
    assert LUCIA.name in said
    assert "The booking desk does not answer just now." in said


# ── What is written, and what may be written into a name ────────────────────────────────────────────────────────────


@pytest.mark.covers("H15")
async def test_the_note_is_kept_as_typed(site: Site, comes: Comes) -> None:
    typed = "  Llama la hija.\n\n\"mañana\" ${EXTEN} <b>tarde</b> 明天 'ok' \\ %s\n"
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    sent = await tom.post(f"/agent/pops/{pop}/note", data={"note": typed.replace("\n", "\r\n")})
    assert sent.status_code == 204
    assert pop_and_call(site, pop)[0].note == typed
    shown = (await tom.get("/agent/pop")).text
    assert f">{escape(typed)}</textarea>" in shown
    assert (await tom.post(f"/agent/pops/{pop}/note", data={"note": "x" * 4001})).status_code == 422
    assert pop_and_call(site, pop)[0].note == typed
    raw = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await tom.post(f"/agent/pops/{pop}/note", content=b"note=a%FF%00b", headers=raw)).status_code == 204
    assert pop_and_call(site, pop)[0].note in ("a\ufffdb", "a?b", "aÿb")


@pytest.mark.covers("H15", "I9")
async def test_a_colleague_who_takes_over_reads_the_note_and_overwrites_nothing(site: Site, comes: Comes) -> None:
    tom, grace = await comes("tom"), await comes("grace")
    toms = await site.rings("tom", LUCIA)
    moves(site, toms, "answered")
    await tom.post(f"/agent/pops/{toms}/note", data={"note": "asks for an interpreter"})
    with site.database.transaction() as session:
        call_id = session.get_one(ScreenPop, toms).call_id
        graces = screen_pops.pop(session, call_id, site.accounts["grace"], f"{call_id}-grace", NOON)
    shown = (await grace.get("/agent/pop")).text
    assert "Note of Tom asks for an interpreter" in words(shown)
    await grace.post(f"/agent/pops/{graces}/note", data={"note": "interpreter ordered"})
    assert [pop_and_call(site, pop)[0].note for pop in (toms, graces)] == [
        "asks for an interpreter",
        "interpreter ordered",
    ]
    assert "Note of Grace interpreter ordered" in words((await tom.get(f"/agent/pops/{toms}/who")).text)


@pytest.mark.covers("H15")
async def test_what_was_written_on_her_last_calls_is_in_her_record_and_in_nobody_elses(
    site: Site, comes: Comes
) -> None:
    shares(site, "ruth", LUCIA.numbers[0])
    tom = await comes("tom")

    async def calls_and_is(who: str | None, note: str) -> UUID:
        pop = await site.rings("tom", LUCIA)
        moves(site, pop, "answered")
        await tom.post(f"/agent/pops/{pop}/patient", data={"patient": str(site.people[who or "lucia"])})
        for identifier in ("name", "birth_date")[: 2 if who else 1]:
            await tom.post(f"/agent/pops/{pop}/ticks/{identifier}", data={"on": "on"})
        await tom.post(f"/agent/pops/{pop}/note", data={"note": note})
        moves(site, pop, "ended")
        return pop

    await calls_and_is("lucia", "her ramp\nis broken")
    await calls_and_is("ruth", "hears nothing")
    await calls_and_is(None, "somebody else")
    now = await calls_and_is("lucia", "today's")
    record = (await tom.get(f"/agent/pops/{now}/record")).text
    assert "her ramp\nis broken" in record and ", Tom" in words(record)
    for other in ("hears nothing", "somebody else", "today"):
        assert other not in record
    await tom.post(f"/agent/pops/{now}/ticks/name")
    assert "her ramp" not in (await tom.get(f"/agent/pops/{now}/record")).text


HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "quotes": 'O\'Neill "the" `one`',
    "dialplan": "${SYSTEM(id)},${EXTEN}",
    "template": "{{ 7 * 7 }} {% raw %} #{x}",
    "newline": "Lucía\r\nSet-Cookie: x=y",
    "long": "x" * 500,
    "right-to-left": "\u202eaícuL",
}


@pytest.mark.covers("H51")
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_name_is_text_whatever_is_in_it(site: Site, comes: Comes, name: str) -> None:
    with site.database.transaction() as session:
        for who in ("lucia", "ruth"):
            session.get_one(patients.Patient, site.people[who]).name = name
    tom = await comes("tom")
    pop = await site.rings("tom", LUCIA)
    number = LUCIA.numbers[0]
    asks(site, number)
    shares(site, "ruth", number, owner="<b>")
    pages = [
        await tom.get("/agent/pop"),
        await tom.get(f"/agent/pops/{pop}/who"),
        await tom.get("/callbacks"),
    ]
    for page in pages:
        assert page.status_code == 200
        assert str(escape(name)) in page.text.replace("\r\n", "\n") or str(escape(name)) in page.text
        for raw in ("<script", "<img", "<b>", 'onerror="'):
            assert raw not in page.text
        assert "set-cookie" not in page.headers


# ── Callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H1")
async def test_a_callback_has_one_owner_and_shows_its_number_to_nobody_else(site: Site, comes: Comes) -> None:
    asked = asks(site, LUCIA.numbers[0])
    tom, ana = await comes("tom"), await comes("ana")
    number = LUCIA.numbers[0]
    before = (await tom.get("/callbacks")).text
    assert LUCIA.name in before
    assert "Asked to be called back" in before
    assert number not in before
    assert number in (await tom.post(f"/callbacks/{asked}/own")).text
    assert (await ana.post(f"/callbacks/{asked}/own")).status_code == 409
    hers = (await ana.get("/callbacks")).text
    assert number not in hers
    assert "Tom" in hers
    for path, form in (("done", {"outcome": "reached"}), ("give-back", {})):
        assert (await ana.post(f"/callbacks/{asked}/{path}", data=form)).status_code == 409
    assert number not in (await tom.post(f"/callbacks/{asked}/give-back")).text
    assert number in (await ana.post(f"/callbacks/{asked}/own")).text
    assert (await ana.post(f"/callbacks/{asked}/done", data={"outcome": "whatever"})).status_code == 422
    assert "Nobody waits" in (await ana.post(f"/callbacks/{asked}/done", data={"outcome": "reached"})).text
    with site.database.transaction() as session:
        row = session.get_one(Callback, asked)
        assert (row.state, row.owner_id, row.outcome) == ("done", site.accounts["ana"], "reached")
    seen = f"patient:{site.people['lucia']}"
    assert audited(site, "callback.read") == [("callback.read", seen)] * 2  # Tom's look and Ana's


async def test_what_tom_has_left_lying_for_half_an_hour_ana_takes_over_and_grace_at_any_time(
    site: Site, comes: Comes
) -> None:
    asked = asks(site, LUCIA.numbers[0])
    number = LUCIA.numbers[0]
    tom, ana, grace = await comes("tom"), await comes("ana"), await comes("grace")
    await tom.post(f"/callbacks/{asked}/own")
    toms = {"owner": str(site.accounts["tom"])}
    assert "Take it over" not in (await tom.get("/callbacks")).text
    hers = (await ana.get("/callbacks")).text
    assert "Take it over from Tom?" in hers and "on</span>" in hers
    assert "on</span>" not in (await grace.get("/callbacks")).text, "a supervisor need not wait"
    early = await ana.post(f"/callbacks/{asked}/take-over", data=toms)
    assert early.status_code == 409 and "for a short time only" in early.text
    with site.database.transaction() as session:
        session.get_one(Callback, asked).owned_at = site.clock() - callbacks.LEFT
    assert "on</span>" not in (await ana.get("/callbacks")).text
    assert number in (await ana.post(f"/callbacks/{asked}/take-over", data=toms)).text
    assert (await tom.post(f"/callbacks/{asked}/done", data={"outcome": "reached"})).status_code == 409
    assert (await grace.post(f"/callbacks/{asked}/take-over", data=toms)).status_code == 409, "it is Ana's now"
    anas = {"owner": str(site.accounts["ana"])}
    assert number in (await grace.post(f"/callbacks/{asked}/take-over", data=anas)).text
    assert audited(site, "callback.taken_over") == [("callback.taken_over", f"callback:{asked}")] * 2


async def test_two_take_the_same_callback_at_the_same_moment(site: Site, comes: Comes) -> None:
    asked = asks(site, UNKNOWN)
    tom, ana = await comes("tom"), await comes("ana")
    answers = await asyncio.gather(tom.post(f"/callbacks/{asked}/own"), ana.post(f"/callbacks/{asked}/own"))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_mine_stand_first_then_who_waits_longest(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    first, second = asks(site, UNKNOWN, "n1-1.1"), asks(site, JOAO.numbers[0], "n1-2.1")
    with site.database.transaction() as session:
        session.get_one(Callback, first).asked_at = NOON - timedelta(hours=3)
    page = (await tom.get("/callbacks")).text
    assert "3 h ago" in page
    assert page.index(str(first)) < page.index(str(second))
    await tom.post(f"/callbacks/{second}/own")
    page = (await tom.get("/callbacks")).text
    assert page.index(str(second)) < page.index(str(first))


# ── In a real browser ───────────────────────────────────────────────────────────────────────────────────────────────


def _busy_day(site: Site) -> None:
    """Much of everything: the page must still not scroll."""

    def fill(session: Session) -> None:
        for week in range(12):
            session.add(
                Stay(
                    patient_id=site.people["lucia"],
                    ward="Cardiology 3",
                    admitted_at=NOON - timedelta(weeks=4 * week + 5),
                    discharged_at=NOON - timedelta(weeks=4 * week + 4),
                    diagnosis="observation after syncope",
                )
            )
        for slot in clinic(session, 1):
            booking.hold(session, slot, "call-1", NOON)
            booking.confirm(session, slot, "call-1", site.people["lucia"], NOON, "agent")
        session.get_one(patients.Patient, site.people["lucia"]).note = "Hears badly: speak slowly."

    with site.database.transaction() as session:
        fill(session)
    shares(site, "ruth", LUCIA.numbers[0])
    owners = {2: "tom", 3: "grace"}
    for number in range(9):
        given = JOAO.numbers[0] if number == 2 else f"+5730055502{number:02}"
        asked = asks(site, given, f"n1-{number}.1")
        if number in owners:
            with site.database.transaction() as session:
                assert callbacks.own(session, asked, site.accounts[owners[number]], site.clock())


@pytest.mark.browser
@pytest.mark.covers("H10", "H15", "H50", "I9")
async def test_toms_page_on_a_busy_day(served: Site, page_of: PageOf) -> None:
    _busy_day(served)
    tom = await page_of("tom", "/")
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    await served.rings("tom", LUCIA)
    await expect(tom.get_by_text("One of 2 patients with this number.")).to_be_visible()  # without a reload
    await looked_at(tom, "agent-who-is-it")
    await tom.get_by_role("radio", name=LUCIA.name).check()
    await tom.get_by_role("checkbox", name="Full name").check()
    await expect(tom.locator("#tick-name[checked]")).to_have_count(1)
    await expect(tom.get_by_role("checkbox", name="Full name")).to_be_focused()  # the answer has not stolen it
    await tom.get_by_role("checkbox", name="Birth date").check()
    await expect(tom.get_by_text("observation after syncope").first).to_be_visible()
    await does_not_scroll(tom)
    await looked_at(tom, "agent")


@pytest.mark.browser
@pytest.mark.covers("H15", "H50")
async def test_typing_is_never_disturbed(served: Site, page_of: PageOf) -> None:
    tom = await page_of("tom", "/")
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    earlier = await served.rings("tom", LUCIA)
    await expect(tom.get_by_role("heading", name=LUCIA.name)).to_be_visible()
    await tom.reload()  # a page that comes in the middle of a call knows its card too
    await expect(tom.get_by_text("Chose Spanish")).to_be_visible()
    await tom.get_by_role("checkbox", name="Full name").check()
    moves(served, earlier, "answered")
    await expect(tom.get_by_text("On the line")).to_be_visible()  # though the focus is on the card
    note = tom.get_by_label("Note")
    await note.click()
    await tom.keyboard.type("calls ")
    moves(served, earlier, "ended")
    await expect(tom.get_by_text("Call ended")).to_be_visible()
    await expect(tom.locator(".waiting-mark")).to_have_count(0)
    await served.rings("tom", RUTH)
    waiting = tom.get_by_role("button", name="Another call – show")
    await expect(waiting).to_be_visible()
    await expect(note).to_be_focused()
    await tom.keyboard.type("again on Friday")
    await expect(tom.locator(".card-note [data-saving-state]")).to_have_text("Saved")
    assert pop_and_call(served, earlier)[0].note == "calls again on Friday"
    await looked_at(tom, "agent-next-call-waits")
    await waiting.click()
    await expect(tom.get_by_role("heading", name=RUTH.name)).to_be_visible()
    await expect(note).to_have_value("")


@pytest.mark.browser
@pytest.mark.covers("H51")
async def test_a_hostile_name_runs_nothing_in_a_real_browser(served: Site, page_of: PageOf) -> None:
    with served.database.transaction() as session:
        session.get_one(patients.Patient, served.people["lucia"]).name = HOSTILE["markup"] + "x" * 400
    tom = await page_of("tom")
    alerts: list[str] = []
    tom.on("dialog", lambda dialog: alerts.append(dialog.message))
    await tom.goto(served.url("/"))
    await expect(tom.get_by_text("No call", exact=True)).to_be_visible()
    await served.rings("tom", LUCIA)
    await expect(tom.get_by_role("heading", name="<script>alert(1)</script>")).to_be_visible()
    await does_not_scroll(tom)
    assert alerts == []
