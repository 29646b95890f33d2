"""A message is told once, whoever sends it and whoever dies while sending."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import outbox
from hospital.database import Database
from hospital.outbox import CLAIM, TRIES, USEFUL, Due, OutboxRow
from hotline.message_joints import SqlOutbox
from messages.sender import Outbox
from tests.characters import LUCIA
from tests.hospital_scene import at_once, listening
from tests.moments import NOON

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
pytestmark = pytest.mark.covers("H4")


def put(
    session: Session,
    once: str = "appointment_confirmed/1",
    at: datetime = NOON,
    useful_until: datetime | None = None,
) -> UUID | None:
    return outbox.put(
        session,
        once=once,
        key="appointment_confirmed",
        locale="es",
        number=LUCIA.numbers[0],
        at=at,
        useful_until=useful_until,
        starts_at="2026-11-26",
    )


def row(session: Session) -> OutboxRow:
    return session.scalars(select(OutboxRow).execution_options(populate_existing=True)).one()


def test_the_same_thing_is_told_once(database: Database) -> None:
    with listening(database) as heard:
        with database.transaction() as session:
            assert put(session)
            assert not put(session)
        with database.transaction() as session:
            made = row(session).id
            assert not put(session)
        assert heard() == [f"outbox:{made}"]
    made, *others = sorted(at_once(database, *[lambda s: put(s, "another")] * 6), key=lambda one: one is None)
    assert isinstance(made, UUID) and others == [None] * 5


def test_claimed_sent_and_over(database: Database) -> None:
    with database.transaction() as session:
        put(session, at=NOON + MINUTE)
        assert outbox.claim(session, NOON) is None, "not due yet"
        assert outbox.anything_waits(session), "but to be taken back where it is not wanted any more"
        due = outbox.claim(session, NOON + MINUTE)
        told = {"starts_at": "2026-11-26"}
        assert due == Due(row(session).id, "appointment_confirmed", "es", told, LUCIA.numbers[0], again=False)
        assert outbox.claim(session, NOON + MINUTE) is None, "somebody sends it"
        assert outbox.anything_waits(session), "who may die of it"
        outbox.sent(session, due.id, "gateway-1", NOON + MINUTE)
        outbox.not_sent(session, due.id, "timeout", NOON + MINUTE)  # the answer came after all: it is sent
        kept = row(session)
        assert (kept.state, kept.gateway_ref, kept.tries, kept.error) == ("sent", "gateway-1", 1, None)
        assert outbox.claim(session, NOON + 99 * MINUTE) is None
        assert not outbox.anything_waits(session)


def test_eight_senders_and_forty_messages(database: Database) -> None:
    with database.transaction() as session:
        for n in range(40):
            put(session, str(n), NOON - n * MINUTE)
    sent: list[UUID] = []
    while len(sent) < 40:
        got = at_once(database, *[lambda session: outbox.claim(session, NOON)] * 8)
        assert not [error for error in got if isinstance(error, Exception)]
        ids = [due.id for due in got if isinstance(due, Due)]
        assert ids, "what one sender has locked doesn't hold up another"
        sent += ids
    assert len(set(sent)) == 40


def test_the_oldest_is_sent_first(database: Database) -> None:
    with database.transaction() as session:
        for once, minutes in (("b", 2), ("c", 1), ("a", 3)):
            put(session, once, NOON - minutes * MINUTE)
        claimed = [outbox.claim(session, NOON) for _ in range(3)]
        assert [session.get_one(OutboxRow, due.id).once for due in claimed if due] == ["a", "b", "c"]


def test_what_answers_somebody_is_sent_before_what_answers_nobody(database: Database) -> None:
    def queued(key: str, once: str, minutes: int) -> None:
        at = NOON - minutes * MINUTE
        outbox.put(session, once=once, key=key, locale="es", number=LUCIA.numbers[0], at=at)

    with database.transaction() as session:
        for begun in ("step", "video", "before", "reminder", "appointment_suspended"):
            queued("appointment_reminder", f"{begun}/1", 60)
        queued("text_received", "text_received/1", 2)
        queued("booking_which", "text_booking/1/1", 1)
        queued("survey_urgent", "text_urgent/1", 0)
        left = [due.key for _ in range(8) if (due := outbox.claim(session, NOON))]
        assert left == ["survey_urgent", "text_received", "booking_which", *["appointment_reminder"] * 5]


def test_an_outage_loses_no_message_that_is_still_of_use(database: Database) -> None:
    with database.transaction() as session:
        put(session)
        at, waited = NOON, []
        while at < NOON + 5 * HOUR:  # more tries than kill a message that its senders die of
            due = outbox.claim(session, at)
            assert due is not None
            outbox.not_sent(session, due.id, "http_503", at)
            waited.append((row(session).due_at - at) // MINUTE)
            assert outbox.claim(session, row(session).due_at - MINUTE / 60) is None
            at = row(session).due_at
        assert waited == [1, 2, 4] + [8] * (len(waited) - 3)
        assert outbox.claim(session, at) is not None, "and one death of a sender does not end it"
        assert outbox.claim(session, at + CLAIM) is not None
        outbox.sent(session, row(session).id, "gateway-1", at + CLAIM)
        assert (row(session).state, row(session).error) == ("sent", None)


@pytest.mark.parametrize(("useful_until", "ends"), [(None, NOON + USEFUL), (NOON + HOUR, NOON + HOUR)])
def test_what_is_of_no_use_any_more_does_not_leave(
    database: Database, useful_until: datetime | None, ends: datetime
) -> None:
    with database.transaction() as session:
        put(session, useful_until=useful_until)
        due = outbox.claim(session, ends - MINUTE)
        assert due is not None
        outbox.not_sent(session, due.id, "http_503", ends - MINUTE)
        assert outbox.claim(session, ends) is None
        assert (row(session).state, row(session).error) == ("failed", "too_late")


def test_nor_does_what_its_sender_died_of_before(database: Database) -> None:
    """It may have left: a report still says so."""
    with database.transaction() as session:
        put(session, useful_until=NOON + HOUR)
        due = outbox.claim(session, NOON)
        assert due is not None and outbox.claim(session, NOON + HOUR) is None
        assert (row(session).state, row(session).error) == ("failed", "sender_died")
        assert outbox.reported(session, due.id, "delivered", "gateway-1", NOON + HOUR)
        assert row(session).state == "delivered"


@pytest.mark.parametrize("state", ["sent", "delivered", "failed"])
def test_a_report_that_comes_before_the_gateways_answer_leaves_no_link(database: Database, state: str) -> None:
    with database.transaction() as session:
        link = outbox.sealed_link("https://hospital.example/a/secret")
        outbox.put(
            session, once="step/1", key="questions_by_link", locale="es", number=LUCIA.numbers[0], at=NOON, **link
        )
        due = outbox.claim(session, NOON)
        assert due is not None and due.params == link
        assert outbox.reported(session, due.id, state, "gateway-1", NOON)
        outbox.sent(session, due.id, "gateway-1", NOON)
        assert (row(session).state, row(session).params) == (state, {})


@pytest.mark.parametrize("first", ["fate_unknown", "sender_died"])
def test_a_report_tells_what_became_of_an_unknown_fate(database: Database, first: str) -> None:
    with database.transaction() as session:
        put(session)
        due = outbox.claim(session, NOON)
        assert due is not None
        outbox.not_sent(session, due.id, first, NOON, final=True)
        assert outbox.reported(session, due.id, "delivered", "gateway-1", NOON + MINUTE)
        assert (row(session).state, row(session).error) == ("delivered", None)
        assert outbox.reported(session, due.id, "failed", "gateway-1", NOON + MINUTE, "late")
        assert row(session).state == "delivered"


def test_a_refused_number_is_not_asked_again(database: Database) -> None:
    with database.transaction() as session:
        put(session)
        due = outbox.claim(session, NOON)
        assert due is not None
        outbox.not_sent(session, due.id, "no_such_number", NOON, final=True)
        assert (row(session).state, row(session).tries) == ("failed", 1)


@pytest.mark.covers("I10")
def test_a_senders_death_frees_what_it_had_claimed(database: Database) -> None:
    with database.transaction() as session:
        put(session)
        first = outbox.claim(session, NOON)
    with database.transaction() as session:
        assert outbox.claim(session, NOON + CLAIM - MINUTE / 60) is None
        again = outbox.claim(session, NOON + CLAIM)
        assert first is not None
        assert again == replace(first, again=True), "by the same id the gateway knows it, and its fate is unknown"
        assert row(session).tries == 2


@pytest.mark.covers("I10")
def test_put_off_by_the_gateway_is_not_an_unknown_fate(database: Database) -> None:
    with database.transaction() as session:
        put(session)
        due = outbox.claim(session, NOON)
        assert due is not None
        outbox.not_sent(session, due.id, "http_503", NOON)
        later = outbox.claim(session, NOON + MINUTE)
        assert later is not None and not later.again


def test_looking_for_what_is_due_reads_an_index_of_it_alone(database: Database) -> None:
    with database.transaction() as session:
        index = session.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = 'outbox_due'"))
        assert index is not None and "queued" in index and "sending" in index
        session.execute(text("SET LOCAL enable_seqscan = off"))
        looks = "SELECT id FROM outbox WHERE state IN ('queued', 'sending') AND due_at <= now() ORDER BY key, due_at"
        plan = "\n".join(session.scalars(text("EXPLAIN " + looks)))
        assert "outbox_due" in plan and "Seq Scan" not in plan, plan


@pytest.mark.covers("H4", "I10")
async def test_the_sender_takes_from_the_table_itself(database: Database) -> None:
    with database.transaction() as session:
        put(session)
    table: Outbox = SqlOutbox(database)
    due = await table.claim(NOON)
    assert due is not None and not due.again
    await table.not_sent(due.id, "http_503", NOON, final=False)
    due = await table.claim(NOON + MINUTE)
    assert due is not None
    await table.sent(due.id, "gateway-7", NOON + MINUTE)
    with database.transaction() as session:
        assert (row(session).state, row(session).gateway_ref) == ("sent", "gateway-7")
    assert await table.claim(NOON + 99 * MINUTE) is None


@pytest.mark.covers("I10")
def test_a_message_that_kills_its_sender_is_given_up(database: Database) -> None:
    with database.transaction() as session:
        put(session)
        put(session, "the next one", NOON + CLAIM * TRIES)
        deadly = [outbox.claim(session, NOON + n * CLAIM) for n in range(TRIES)]
        assert len({due.id for due in deadly if due}) == 1
        after = outbox.claim(session, NOON + TRIES * CLAIM)
        assert after is not None and deadly[0] is not None and after.id != deadly[0].id
        dead = session.get_one(OutboxRow, deadly[0].id, populate_existing=True)
        assert (dead.state, dead.error) == ("failed", "sender_died")
