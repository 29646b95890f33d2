"""Cases, ratings and the closure switch on pages: who sees which kind, plays, owns, closes; what each look leaves."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from hospital import audit, calls, cases, hearing, opening, ratings, recordings, throttling, vault
from hospital.cases import Case, Teller
from hospital.clocks import Clocks, due
from hospital.database import Database
from hospital.ratings import Rating
from recordings.sealing import seal
from tests.characters import LUCIA
from tests.console_app import Site, words
from tests.moments import NOON, ZONE
from tests.test_recordings_sealing import wav_of

CLOCKS = Clocks(ZONE, "CO")
SOUND = b"\x00\x10" * 8000


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def told(site: Site, kind: str, call_id: str) -> UUID:
    """A case whose voice is really sealed."""
    with site.database.transaction() as session:
        calls.begin(session, call_id, "n1", LUCIA.numbers[0], site.now)
        recording_id = recordings.open_for(session, call_id=call_id, at=site.now, kind="message")
        assert recording_id is not None
        teller = Teller(call_id, LUCIA.numbers[0], site.joao.id, "es")
        case_id = cases.draft(session, kind, recording_id, teller, site.now, due(kind, site.now, CLOCKS))
    site.shelf.make_room(recording_id)
    source = site.shelf.root / "plain.wav"
    source.write_bytes(wav_of(SOUND))
    with source.open("rb") as file:
        place, part = site.shelf.sealed(recording_id), site.shelf.part(recording_id)
        sealed = seal(file, place, part, recording_id, vault.wrap_key)
    with site.database.transaction() as session:
        assert recordings.sealed(
            session,
            recording_id,
            path=site.shelf.place(recording_id),
            seconds=sealed.seconds,
            sha256=sealed.sha256,
            wrapped_key=sealed.wrapped_key,
            at=site.now,
        )
    return case_id


def actions(site: Site, subject: str) -> list[str]:
    with site.database.transaction() as session:
        return [row.action for row in audit.of_subject(session, subject)]


def found(site: Site, subject: str) -> list[audit.AuditRow]:
    with site.database.transaction() as session:
        return audit.of_subject(session, subject, ("cases.find",))


def case(site: Site, case_id: UUID) -> Case:
    with site.database.transaction() as session:
        return session.get_one(Case, case_id)


@pytest.mark.covers("H30", "H51", "I8")
async def test_complaints_are_for_the_supervisor_and_messages_for_whoever_works(site: Site) -> None:
    complaint, message = told(site, "complaint", "n1-1"), told(site, "message", "n1-2")
    async with site.signed_in("ana") as ana:
        listed = words((await ana.get("/cases")).text)
        assert "10002 Message" in listed
        assert "Complaint" not in listed
        for path in ("", "/sound", "/peaks", "/file"):
            await ana.get(f"/cases/{complaint}{path}", 403)
        for act in ("own", "give-back"):
            await ana.post(f"/cases/{complaint}/{act}", 403)
        assert (await ana.get(f"/cases/{message}/sound")).content == wav_of(SOUND)
    async with site.signed_in("grace") as grace:
        assert "10001 Complaint" in words((await grace.get("/cases/list")).text)
        page = words((await grace.get(f"/cases/{complaint}")).text)
        assert LUCIA.numbers[0] in page
        assert len((await grace.get(f"/cases/{complaint}/peaks")).json()) > 0
        await grace.get(f"/cases/{complaint}/sound")
    recording = case(site, complaint).recording_id
    assert actions(site, f"case:{complaint}").count("denied") == 6
    assert actions(site, f"case:{complaint}")[0] == "case.read"
    assert actions(site, f"recording:{recording}") == ["recording.play"]


@pytest.mark.covers("H30", "H35")
async def test_grace_takes_notes_and_closes_it(site: Site) -> None:
    complaint = told(site, "complaint", "n1-1")
    async with site.signed_in("grace") as grace:
        await grace.post(f"/cases/{complaint}/note", 409, text="too early")
        assert "Take it" in (await grace.get(f"/cases/{complaint}/file")).text
        await grace.post(f"/cases/{complaint}/own")
        await grace.post(f"/cases/{complaint}/own", 409)
        await grace.post(f"/cases/{complaint}/note", 422, text="   ")
        await grace.post(f"/cases/{complaint}/close", 422, outcome="reached")
        refused = await grace.post(f"/cases/{complaint}/close", 422, outcome="", text="All well.")
        assert "Say how the case ended." in refused.text, "nothing is chosen for her"
        await grace.post(f"/cases/{complaint}/close", 422, outcome="upheld")
        kept = words((await grace.post(f"/cases/{complaint}/note", text="Spoke with <the> ward.")).text)
        assert "Spoke with &lt;the&gt; ward." in kept
        closed = words((await grace.post(f"/cases/{complaint}/close", outcome="upheld", text="We say sorry.")).text)
        assert "Upheld" in closed and "We say sorry." in closed
        assert "today 13:00 : Grace took it today 13:00 : Grace closed it" in closed
        assert "Closed" in words((await grace.get("/cases")).text)
        assert "She rang again." in (await grace.post(f"/cases/{complaint}/note", text="She rang again.")).text
    assert (case(site, complaint).state, case(site, complaint).outcome) == ("closed", "upheld")
    assert [one for one in actions(site, f"case:{complaint}") if one != "case.read"] == ["case.closed", "case.taken"]


@pytest.mark.covers("H30", "I8")
async def test_grace_takes_over_what_ana_does_not_get_done(site: Site) -> None:
    message = told(site, "message", "n1-1")
    anas = str(site.staff["ana"].id)
    async with site.signed_in("ana") as ana, site.signed_in("ruby") as ruby, site.signed_in("grace") as grace:
        await ana.post(f"/cases/{message}/own")
        assert "Take it over" not in (await ruby.get(f"/cases/{message}")).text
        await ruby.post(f"/cases/{message}/take-over", 403, owner=anas)
        kept = words((await ana.post(f"/cases/{message}/give-back", text="Rang twice, nobody there.")).text)
        assert "Rang twice, nobody there." in kept and "Ana gave it back" in kept
        await ana.post(f"/cases/{message}/own")
        assert "Take it over from Ana?" in (await grace.get(f"/cases/{message}")).text
        await grace.post(f"/cases/{message}/take-over", 409, owner=str(site.staff["ruby"].id))
        assert "Close it" in (await grace.post(f"/cases/{message}/take-over", owner=anas)).text
        await ana.post(f"/cases/{message}/note", 409, text="mine")
        await grace.post(f"/cases/{message}/take-over", 409, owner=anas)
    assert "case.taken_over" in actions(site, f"case:{message}")
    assert case(site, message).owner_id == site.staff["grace"].id


@pytest.mark.covers("H30", "I8")
async def test_who_rings_for_the_outcome_tells_the_number_and_grace_finds_the_case(site: Site) -> None:
    complaint = told(site, "complaint", "n1-1")
    async with site.signed_in("grace") as grace, site.signed_in("ana") as ana:
        await grace.post(f"/cases/{complaint}/own")
        await grace.post(f"/cases/{complaint}/close", outcome="upheld", text="We say sorry.")
        opened = await grace.post("/cases/find", 303, number=" 10 001 ")
        assert opened.headers["location"] == f"/cases/{complaint}"
        refused = await ana.post("/cases/find", 404, number="10001")
        assert refused.text == (await ana.post("/cases/find", 404, number="10002")).text, "nor that there is one"
        for wrong in ("", "ten", "٣", "9" * 30):
            await grace.post("/cases/find", 404, number=wrong)
    looked_for = [row.detail["found"] for row in found(site, f"case:{complaint}")]
    assert looked_for == [False, True] and len(found(site, "cases")) == 5


@pytest.mark.covers("H35")
async def test_a_clock_that_has_run_out_is_shown(site: Site) -> None:
    complaint = told(site, "complaint", "n1-1")
    site.now = case(site, complaint).acknowledge_by
    async with site.signed_in("grace") as grace:
        assert "Overdue take it by the end of yesterday" in words((await grace.get("/cases")).text)
        site.now -= timedelta(hours=1)
        assert "take it by the end of today" in words((await grace.get("/cases")).text)
        assert "Decide by the end of Thursday 17 Dec." in words((await grace.get(f"/cases/{complaint}")).text)


@pytest.mark.covers("H35")
async def test_a_list_that_is_too_long_says_so(site: Site) -> None:
    clock = due("message", NOON, CLOCKS)
    with site.database.transaction() as session:
        for n in range(202):
            cases.open_case(session, "message", f"message/{n}", Teller("", None), NOON, clock, "")
    async with site.signed_in("ana") as ana:
        assert "200 of 202 open cases" in words((await ana.get("/cases/list")).text)


@pytest.mark.covers("H29")
async def test_ratings_say_of_how_many_and_are_for_the_supervisor(site: Site) -> None:
    def rated(session: Session) -> None:
        for n in range(3):
            calls.begin(session, f"n1-{n}", "n1", None, NOON)
            row = session.get_one(calls.Call, f"n1-{n}")
            row.answered_at, row.queue = NOON, "reception"
        session.flush()
        assert ratings.ask(session, "n1-0", NOON, ZONE).allowed
        assert ratings.ask(session, "n1-1", NOON, ZONE).allowed
        session.get_one(Rating, "n1-0").score = 2

    with site.database.transaction() as session:
        rated(session)
    async with site.signed_in("ana") as ana:
        await ana.get("/ratings", 403)
    async with site.signed_in("grace") as grace:
        page = words((await grace.get("/ratings")).text)
    assert "Reception 2 of 3 1 of 2 (50 %) 1 of 1 too few" in page


@pytest.mark.covers("H1", "I8")
async def test_grace_closes_the_telephones_and_opens_them_again(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        await ana.get("/opening", 403)
        await ana.post("/opening/close", 403, en="no")
    async with site.signed_in("grace") as grace:
        assert "Open" in words((await grace.get("/opening")).text)
        await grace.post("/opening/close", 422, en="")
        assert "There is a fire." in (await grace.post("/opening/close", en="There is a fire.")).text
        await grace.post("/opening/close", 409, en="Again.")
        assert "by Grace" in words((await grace.get("/opening/state")).text)
        await grace.post("/opening/open")
        await grace.post("/opening/open", 409)
    with site.database.transaction() as session:
        assert opening.current(session) is None
        assert audit.verify(session).sound


@pytest.mark.covers("H33")
async def test_a_red_flag_that_nobody_has_taken_is_on_every_page(site: Site) -> None:
    with site.database.transaction() as session:
        calls.begin(session, "n1-1", "n1", LUCIA.numbers[0], NOON)
        teller, clock = Teller("n1-1", LUCIA.numbers[0]), due("red_flag", NOON, CLOCKS)
        calls.step(session, "n1-1", "transfer", NOON, queue="urgent", reason="heart_or_stroke")
        flag = cases.open_case(session, "red_flag", "red_flag/n1-1", teller, NOON, clock, "heart_or_stroke")
    async with site.signed_in("ana") as ana:
        assert "/cases/alarm" in (await ana.get("/agent")).text
        assert "1 red flag, 0 min" in (await ana.get("/cases/alarm")).text
        page = words((await ana.get(f"/cases/{flag}")).text)
        assert "What was said so far 13:00 To urgent calls: Heart or stroke" in page
        await ana.post(f"/cases/{flag}/own")
        assert "Your red flag" in (await ana.get("/cases/alarm")).text, "until it has an outcome"
        await ana.post(f"/cases/{flag}/close", outcome="reached", text="He is on his way.")
        assert (await ana.get("/cases/alarm")).text.strip() == ""


@pytest.mark.covers("H51")
async def test_numbers_that_call_too_often_are_shown_to_the_supervisor(site: Site) -> None:
    async with site.signed_in("grace") as grace:
        assert "/throttled" in (await grace.get("/opening")).text
        assert "No number was turned away" in (await grace.get("/throttled")).text
        with site.database.transaction() as session:
            for number in (LUCIA.numbers[0], LUCIA.numbers[0], None):
                throttling.admit(session, number, NOON, throttling.Allowance(9), crowded=True)
        shown = words((await grace.get("/throttled")).text)
        assert f"{LUCIA.numbers[0]} 2 today 13:00 today 13:00 Withheld numbers 1 today 13:00" in shown
    async with site.signed_in("ana") as ana:
        await ana.get("/throttled", 403)


@pytest.mark.covers("H1")
async def test_grace_sees_how_callers_can_answer(site: Site) -> None:
    """And what to do where they can't by voice."""
    async with site.signed_in("grace") as grace, site.signed_in("ana") as ana:
        assert "/hearing" in (await grace.get("/opening")).text
        assert "has not started" in (await grace.get("/hearing")).text
        for languages, trouble in ((["es", "pt-BR"], ""), ([], "there is no whisper model in /var/ears")):
            with site.database.transaction() as session:
                hearing.tell(session, "n1", "whisper", languages, trouble, NOON)
            shown = words((await grace.get("/hearing")).text)
            assert ("By voice and by key" in shown) == bool(languages) and trouble in shown
            assert ("By key only" in shown) != bool(languages)
        await ana.get("/hearing", 403)
