"""schema.sql and the mapped classes say the same; the schema itself refuses what must never be."""

import importlib
import pkgutil
from datetime import timedelta

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

import hospital
from hospital import attempts, audit, calls, campaigns
from hospital.appointments import Appointment, Hold
from hospital.attempts import Attempt
from hospital.booking import Slot
from hospital.callbacks import Callback
from hospital.campaigns import Wanted
from hospital.database import Base, Database
from hospital.recordings import Recording
from hospital.screen_pops import ScreenPop
from hospital.stints import Stint
from tests.characters import JOAO, LUCIA, RUTH
from tests.hospital_scene import POLICY, admit, clinic, day_three, employ
from tests.moments import NOON


def test_the_mapped_classes_are_the_schema(database: Database) -> None:
    for module in pkgutil.iter_modules(hospital.__path__, "hospital."):
        importlib.import_module(module.name)
    inspector = inspect(database.engine)
    real = {
        table: {
            column["name"]: (type(column["type"]).__name__, column["nullable"])
            for column in inspector.get_columns(table)
        }
        for table in inspector.get_table_names()
        if table != "fact"
    }
    kinds = {"Sealed": "BYTEA", "LargeBinary": "BYTEA", "String": "TEXT", "Uuid": "UUID", "Boolean": "BOOLEAN"}
    kinds |= {"Double": "DOUBLE_PRECISION"}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            kind, nullable = real[table.name].pop(column.name)
            mapped = type(column.type).__name__
            expected = {"Integer": {"INTEGER", "SMALLINT", "BIGINT"}}.get(mapped, {kinds.get(mapped, mapped)})
            assert kind in expected, f"{table.name}.{column.name} is {kind}, mapped as {mapped}"
            assert bool(column.nullable) == nullable, f"{table.name}.{column.name}: null allowed on one side only"
        assert not real.pop(table.name), f"{table.name} has columns that are not mapped"
    assert not real, "tables that are not mapped"


@pytest.mark.covers("I8")
@pytest.mark.parametrize("statement", ["UPDATE audit SET action = 'x'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_audit_chain_only_grows(database: Database, statement: str) -> None:
    with database.transaction() as session:
        audit.record(session, None, "record.read", "patient:1", NOON)
    with pytest.raises(DBAPIError, match="only grows"), database.transaction() as session:
        session.execute(text(statement))


# ── Rude SQL: what no path of the code would say, and what the table answers ────────────────────────────────────────

OF_RUTH = "(SELECT id FROM patient WHERE language = 'en')"
OF_GRACE = "(SELECT id FROM account WHERE username = 'grace')"


def scene(session: Session) -> None:
    """Lucía has the first seat of two, and is on the line with Ana, who calls João; the machine calls Lucía."""
    ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
    lucia, joao, _ = (admit(session, one) for one in (LUCIA, JOAO, RUTH))
    (slot,) = clinic(session)
    session.get_one(Slot, slot).capacity = 2
    session.flush()
    session.add(
        Appointment(
            slot_id=slot, capacity=2, patient_id=lucia.id, booked_via="ivr", confirmation="hers", booked_at=NOON
        )
    )
    session.add(Hold(slot_id=slot, holder="hers", expires_at=NOON))
    claimed = attempts.claim(session, day_three(session, joao).id, ana, "n1", NOON, POLICY)
    assert isinstance(claimed, attempts.Claimed)
    campaign = campaigns.create(session, Wanted("all of them", "agentless"), grace, NOON).id
    (number,) = lucia.numbers
    session.add(
        Attempt(
            task_id=day_three(session, lucia).id, patient_id=lucia.id, number_id=number.id, number_token=number.token,
            campaign_id=campaign, line=1, campaign_line=1, channel_id="automatic", claimed_at=NOON,
            dial_until=NOON + timedelta(hours=1),
        )
    )  # fmt: skip
    calls.begin(session, "n1-1", "n1", LUCIA.numbers[0], NOON)
    session.add(ScreenPop(call_id="n1-1", account_id=ana, channel="hers", state="answered", rang_at=NOON))
    session.add(Stint(account_id=ana, channel_id="hers", began_at=NOON))
    session.add(
        Recording(call_id="n1-2", attempt_id=claimed.attempt_id, patient_id=joao.id, state="open", started_at=NOON)
    )
    session.add(Callback(origin="n1-1", number=LUCIA.numbers[0], number_token=number.token, why="asked", asked_at=NOON))


def again(table: str, where: str = "true", **changed: str) -> str:
    """The row of the scene once more, with these columns (SQL) changed."""
    pairs = ", ".join(f"'{column}', {value}" for column, value in {"id": "gen_random_uuid()", **changed}.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"  # noqa: S608 - words of this file
        f" to_jsonb(old) || jsonb_build_object({pairs}))).* FROM {table} old WHERE {where}"
    )


def attempt(**changed: str) -> str:
    """Ana's, once more; another one but for what is left out."""
    return again("attempt", "old.line IS NULL", **changed)


def automatic(**changed: str) -> str:
    """The machine's."""
    return again("attempt", "old.line = 1", patient_id=OF_RUTH, number_token=TOKEN, channel_id="'x'", **changed)


TOKEN = "'\\x01'"  # of nobody's number
OTHER = {"patient_id": OF_RUTH, "number_token": TOKEN, "account_id": OF_GRACE, "channel_id": "'x'"}
OTHER |= {"nurse_channel_id": "'y'"}


def but(*columns: str) -> dict[str, str]:
    return {column: value for column, value in OTHER.items() if column not in columns}


TO = "UPDATE attempt SET state = 'ended', line_result ="
RUDE = [
    ("I1", "one_booking_per_slot", again("appointment", confirmation="'x'", patient_id=OF_RUTH),
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="2")),
    ("I1", "one_seat_per_patient", again("appointment", confirmation="'x'", seat="2"),
     again("appointment", confirmation="'x'", seat="2", patient_id=OF_RUTH)),
    ("I1", "appointment_check", again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="3"),
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="2")),
    ("I1", "appointment_slot_id_capacity_fkey",
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="3", capacity="3"),
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="2", capacity="2")),
    ("I1", "hold_pkey", again("hold", holder="'x'"), again("hold", holder="'x'", seat="2")),
    ("I2", "appointment_confirmation_key", again("appointment", patient_id=OF_RUTH, seat="2"),
     again("appointment", patient_id=OF_RUTH, seat="2", confirmation="'x'")),
    ("I11", "appointment_moved_to_patient_id_fkey",
     "UPDATE appointment SET state = 'cancelled', cancelled_at = now(), moved_to = gen_random_uuid()",
     "UPDATE appointment SET state = 'cancelled', cancelled_at = now()"),
    ("I11", "appointment_moves_id_fkey",
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="2", moves="old.id"),
     again("appointment", confirmation="'x'", patient_id=OF_RUTH, seat="2")),
    ("I3", "one_live_attempt_per_patient", attempt(**but("patient_id")), attempt(**OTHER)),
    ("I3", "one_live_attempt_per_number", attempt(**but("number_token")), attempt(**OTHER)),
    ("I3", "attempt_channel_id_key", attempt(**but("channel_id")), attempt(**OTHER)),
    ("I3", "one_attempt_per_nurse_leg", attempt(**but("nurse_channel_id")), attempt(**OTHER)),
    ("I3", "one_live_attempt_per_nurse", attempt(**but("account_id")), attempt(**OTHER)),
    ("I3", "one_live_attempt_per_line", automatic(campaign_line="2"), automatic(campaign_line="2", line="2")),
    ("I3", "one_live_attempt_per_campaign_line", automatic(line="2"), automatic(campaign_line="2", line="2")),
    ("I4", "dial_until", attempt(**OTHER, dial_until="NULL"), attempt(**OTHER)),
    ("I4", "dialled_while_the_window_is_open",
     "UPDATE attempt SET state = 'dialling', dialled_at = dial_until + interval '1 second'",
     "UPDATE attempt SET state = 'dialling', dialled_at = dial_until"),
    ("I5", "attempt_check", "UPDATE attempt SET state = 'ended'", f"{TO} 'busy'"),
    ("I5", "attempt_check", "UPDATE attempt SET line_result = 'answered'", f"{TO} 'answered'"),
    ("I5", "attempt_check", f"{TO} 'busy', contact_result = 'partial'",
     f"{TO} 'answered', contact_result = 'partial'"),
    ("I5", "one_recording_per_attempt", again("recording"), again("recording", attempt_id="NULL")),
    ("I5", "recording_check", "UPDATE recording SET state = 'none'",
     "UPDATE recording SET state = 'none', reason = 'refused'"),
    ("I5", "recording_check", "UPDATE recording SET state = 'sealed', path = 'x', seconds = 1",
     "UPDATE recording SET state = 'sealed', path = 'x', seconds = 1, wrapped_key = 'k'"),
    ("I9", "one_pop_per_leg", again("screen_pop", account_id=OF_GRACE),
     again("screen_pop", account_id=OF_GRACE, channel="'x'")),
    ("I9", "one_talk_per_agent", again("screen_pop", channel="'x'"),
     again("screen_pop", account_id=OF_GRACE, channel="'x'")),
    ("I10", "one_stint_per_nurse", again("stint", channel_id="'x'"),
     again("stint", channel_id="'x'", account_id=OF_GRACE)),
    ("I10", "call_check", "UPDATE call SET state = 'ended'", "UPDATE call SET state = 'ended', ended_at = now()"),
    ("I10", "followup_task_check", "UPDATE followup_task SET state = 'done'",
     "UPDATE followup_task SET state = 'done', closed_at = now()"),
    ("H4", "callback_origin_key", again("callback", number_token=TOKEN),
     again("callback", number_token=TOKEN, origin="'x'")),
    ("H4", "one_open_callback_per_number", again("callback", origin="'x'"),
     again("callback", number_token=TOKEN, origin="'x'")),
]  # fmt: skip
"""What it is about, what refuses, the rude statement, and nearly the same, which is none."""


@pytest.mark.parametrize(
    ("refusal", "rude", "civil"),
    [pytest.param(*row, marks=pytest.mark.covers(about), id=f"{about}-{row[0]}") for about, *row in RUDE],
)
def test_the_tables_themselves_refuse(refusal: str, rude: str, civil: str, database: Database) -> None:
    with database.transaction() as session:
        scene(session)
    with pytest.raises(IntegrityError, match=refusal), database.transaction() as session:
        session.connection().exec_driver_sql(rude)
    with database.transaction() as session:
        session.connection().exec_driver_sql(civil)
