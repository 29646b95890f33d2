"""A plan's steps by letter: made once under the rules of calls, posted once, an answer or the next channel."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hospital import attempts, audit, consents, coverage, followups, letters, patients, surveys
from hospital.attempt_records import contacts
from hospital.attempts import Claimed
from hospital.calling_rules import CallingPolicy, NotNow
from hospital.database import Database
from hospital.letter_records import StepLetter
from hospital.letters import Post
from hospital.patients import Patient
from tests.characters import JOAO, LUCIA, MEI, RUTH, WIREMU, Character
from tests.hospital_scene import POLICY, UNCAPPED, admit, at_once, day_three, employ
from tests.moments import NOON, ZONE
from tests.step_scene import DAY, HOUR, due_by, not_to_be_called, the_patient, the_task, told, worked_off
from web.words import decision

ADDRESS = "Calle 5 # 10-20\nBogotá"
POST = Post(14 * DAY, lambda name, address, language: None)
pytestmark = pytest.mark.covers("H25")


def due(
    session: Session, who: Character = LUCIA, fallback: tuple[str, ...] = ("nurse_call",), address: str | None = ADDRESS
) -> UUID:
    task_id = due_by(session, "letter", who, fallback)
    the_patient(session).address = address
    session.flush()
    return task_id


def work(session: Session, at: datetime = NOON, policy: CallingPolicy = POLICY, post: Post | None = POST) -> int:
    """All that there is to do at `at`, as the core does it; how much it was."""
    letters.take_back(session)
    return worked_off(lambda: letters.work_next(session, at, policy, post))


def the_letter(session: Session) -> StepLetter | None:
    session.expire_all()
    return session.scalars(select(StepLetter)).one_or_none()


def print_and_post(session: Session, task_id: UUID, at: datetime = NOON, by: str = "ana") -> UUID:
    nurse = employ(session, by, "nurse").id
    letters.printed(session, letters.waiting(session), nurse, at)
    assert letters.posted(session, task_id, nurse, at, POST.answer_within) is None
    return nurse


@pytest.mark.parametrize("who", [LUCIA, MEI, JOAO, RUTH, WIREMU], ids=lambda who: who.language)
def test_one_letter_in_the_language_of_the_patient(database: Database, who: Character) -> None:
    with database.transaction() as session:
        due(session, who)
        assert work(session, NOON - 2 * HOUR) == 0, "not due yet"
        assert work(session) == 1
        assert work(session, NOON + HOUR) == 0, "once"
        (pile,) = letters.waiting(session)
        assert (pile.letter.key, pile.letter.locale, pile.person.name) == ("questions", who.language, who.name)
        assert pile.letter.params == {}
        assert the_task(session).state == "open"
        assert told(session)[-1] == "A letter is to be posted"


@pytest.mark.covers("I3")
def test_many_workers_make_one(database: Database) -> None:
    with database.transaction() as session:
        due(session)
    came = at_once(database, *[partial(letters.work_next, at=NOON, policy=POLICY, post=POST)] * 4)
    assert sorted(map(str, came)) == ["False"] * 3 + ["True"]


@pytest.mark.covers("I3")
def test_it_is_posted_once_whoever_says_so(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        nurses = [employ(session, name, "nurse").id for name in ("ana", "ruby")]
        letters.printed(session, letters.waiting(session), nurses[0], NOON)
    verbs = [
        partial(letters.posted, task_id=task_id, account_id=nurse, at=NOON + HOUR, answer_within=POST.answer_within)
        for nurse in nurses * 2
    ]
    assert sorted(map(str, at_once(database, *verbs))) == ["None", "gone", "gone", "gone"]
    with database.transaction() as session:
        letter = the_letter(session)
        assert letter is not None
        assert (letter.state, letter.posted_at, letter.answer_by) == ("posted", NOON + HOUR, NOON + HOUR + 14 * DAY)
        assert the_task(session).next_try_at == letter.answer_by
        actions = [row.action for row in audit.of_subject(session, f"patient:{letter.person_id}")]
        assert sorted(actions) == ["letter.posted", "letter.printed"]


@pytest.mark.parametrize(
    "wrong",
    [
        "state = 'posted'",
        "posted_at = printed_at, posted_by = printed_by, answer_by = printed_at + interval '1 day'",
        "state = 'returned', returned_at = now(), returned_by = printed_by",
        "printed_by = NULL",
        "state = 'lost'",
    ],
)
def test_the_schema_refuses_what_cannot_be(database: Database, wrong: str) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        letters.printed(session, letters.waiting(session), employ(session, "ana", "nurse").id, NOON)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(f"UPDATE step_letter SET {wrong}"))  # noqa: S608


def test_what_was_not_printed_or_has_another_address_is_not_posted(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        ana = employ(session, "ana", "nurse").id
        assert letters.posted(session, task_id, ana, NOON, DAY) == "not_printed"
        letters.printed(session, letters.waiting(session), ana, NOON)
        patients.tell_address(session, the_patient(session).id, "Calle 7\r\n  Bogotá ", True, ana, NOON)
        assert the_patient(session).address == "Calle 7\nBogotá"
        assert letters.posted(session, task_id, ana, NOON, DAY) == "other_address"
        letters.printed(session, letters.waiting(session), ana, NOON)
        assert letters.posted(session, task_id, ana, NOON, DAY) is None


@pytest.mark.covers("I4")
def test_a_letter_is_a_contact_and_a_contact_holds_the_letter_back(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        ana = employ(session, "ana", "nurse").id
        called = day_three(session, the_patient(session))
        claimed = attempts.claim(session, called.id, ana, "n1", NOON, POLICY)
        assert isinstance(claimed, Claimed)
        assert work(session) == 1
        assert the_letter(session) is None, "she is being called for something else"
        session.execute(text("DELETE FROM attempt"))
        session.execute(text("UPDATE followup_task SET state = 'open', next_try_at = NULL"))
        session.expire_all()
        assert work(session) == 1
        lucia = the_patient(session)
        assert contacts(session, lucia.id, lucia.numbers[0].token, NOON + HOUR) == [NOON]
        refused = attempts.claim(session, called.id, ana, "n1", NOON + HOUR, POLICY)
        assert isinstance(refused, NotNow)
        assert refused.code == "cap_reached"


def test_it_is_made_at_night_and_for_who_has_no_number(database: Database) -> None:
    night = NOON.astimezone(ZONE).replace(hour=23)
    with database.transaction() as session:
        due(session, replace(LUCIA, numbers=()))
        assert work(session, night) == 1
        assert the_letter(session) is not None


@pytest.mark.covers("I4")
@not_to_be_called
def test_nobody_is_written_to_who_may_not_be_called(
    database: Database, change: dict[str, object], stops: str | None
) -> None:
    with database.transaction() as session:
        due(session)
        session.execute(update(Patient).values(**change))
        session.expire_all()
        assert work(session) == 1
        assert the_letter(session) is None
        assert the_task(session).stop_reason == stops
        assert work(session) == 0


@pytest.mark.parametrize(
    ("prepare", "post", "sentence"),
    [
        (lambda lucia: None, None, "This site sends no letters"),
        (lambda lucia: setattr(lucia, "address", None), POST, "No letter: the record has no address"),
        (lambda lucia: setattr(lucia, "may_write", False), POST, "No letter: none may be sent to this address"),
        (
            lambda lucia: setattr(lucia, "address_wrong_since", NOON - DAY),
            POST,
            "No letter: a letter to this address came back",
        ),
        (
            lambda lucia: None,
            Post(DAY, lambda name, address, language: "letter_no_font"),
            "No letter: the name, the address or the language has signs that can't be printed here",
        ),
    ],
    ids=["no letters", "no address", "not safe", "came back", "no font"],
)
def test_without_a_letter_the_next_channel_and_the_log_says_why(
    database: Database, prepare: Callable[[Patient], None], post: Post | None, sentence: str
) -> None:
    with database.transaction() as session:
        due(session)
        prepare(the_patient(session))
        session.flush()
        assert work(session, post=post) == 1
        assert (the_letter(session), the_task(session).channel, the_task(session).state) == (None, "nurse_call", "open")
        assert told(session)[-1] == f"{sentence}: next by a nurse's call"


def test_the_guardian_is_written_to_for_a_child(database: Database) -> None:
    with database.transaction() as session:
        due(session, replace(LUCIA, birth=NOON.date() - 400 * DAY))
        lucia, mei = the_patient(session), admit(session, MEI)
        lucia.guardian_id, mei.address = mei.id, "上海市"
        session.flush()
        assert work(session) == 1
        (pile,) = letters.waiting(session)
        assert (pile.person.name, pile.letter.locale) == (MEI.name, "zh-CN")
        rows = followups.decisions(session, pile.task.id)
        assert "of the guardian" in decision(rows[-1].code, rows[-1].facts, NOON, ZONE)


def a_child(session: Session, fallback: tuple[str, ...] = ("nurse_call",)) -> tuple[UUID, UUID]:
    """A follow-up by letter of a small child, for whom Mei is written to; and Mei."""
    task_id = due(session, replace(LUCIA, birth=NOON.date() - 400 * DAY), fallback)
    child, mei = the_patient(session), admit(session, MEI)
    child.guardian_id, mei.address = mei.id, "上海市"
    session.flush()
    return task_id, mei.id


@pytest.mark.covers("I4")
@pytest.mark.parametrize("posted", [False, True])
def test_what_the_guardian_has_refused_is_held_whatever_becomes_of_its_letter(database: Database, posted: bool) -> None:
    with database.transaction() as session:
        task_id, mei = a_child(session)
        work(session)
        if posted:
            print_and_post(session, task_id)
        consents.tell(session, the_task(session).patient_id, mei, "follow_up", False, NOON + HOUR)
        for days in (1, 20, 40):
            assert work(session, NOON + days * DAY) == 0
        task = the_task(session)
        assert (task.state, task.channel, task.held_since) == ("open", "letter", NOON + HOUR)


@pytest.mark.covers("I4")
def test_a_refusal_that_nobody_has_told_the_task_holds_it_when_the_letter_is_not_answered(database: Database) -> None:
    with database.transaction() as session:
        task_id, mei = a_child(session)
        work(session)
        print_and_post(session, task_id)
        session.get_one(Patient, mei).opted_out = ["follow_up"]
        session.flush()
        assert work(session, NOON + 20 * DAY) == 1
        task = the_task(session)
        assert (task.state, task.channel, task.held_since) == ("open", "letter", NOON + 20 * DAY)


@pytest.mark.covers("I4", "I10")
def test_a_letter_that_the_guardian_does_not_want_is_held_once_and_is_in_no_others_way(database: Database) -> None:
    with database.transaction() as session:
        task_id, mei = a_child(session)
        session.get_one(Patient, mei).opted_out = ["follow_up"]
        session.flush()
        assert work(session) == 1
        told_once = [row.code for row in followups.decisions(session, task_id)]
        assert told_once[-2:] == ["guardian_opted_out", "held"]
        other = day_three(session, admit(session, RUTH), due_at=NOON + HOUR)
        other.channel, other.patient.address = "letter", ADDRESS
        session.flush()
        assert work(session, NOON + 2 * HOUR) == 1
        assert session.scalars(select(StepLetter.task_id)).one() == other.id
        assert [row.code for row in followups.decisions(session, task_id)] == told_once


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE patient SET opted_out = '{follow_up}'",
        "UPDATE patient SET death_reported_at = now()",
        "UPDATE followup_task SET state = 'stopped', stop_reason = 'readmitted', closed_at = now()",
        "UPDATE patient SET may_write = false",
    ],
)
def test_what_is_not_wanted_any_more_is_on_no_list_and_not_posted(database: Database, change: str) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        ana = employ(session, "ana", "nurse").id
        letters.printed(session, letters.waiting(session), ana, NOON)
        session.execute(text(change))
        session.expire_all()
        assert letters.waiting(session) == []
        assert letters.posted(session, task_id, ana, NOON, DAY) not in (None, "gone")
        assert letters.take_back(session) == 1
        letter = the_letter(session)
        assert letter is not None and letter.state == "withdrawn"
        lucia = the_patient(session)
        assert contacts(session, lucia.id, b"", NOON + HOUR) == []


def test_while_she_is_called_it_is_not_posted(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        ana = employ(session, "ana", "nurse").id
        letters.printed(session, letters.waiting(session), ana, NOON)
        assert isinstance(attempts.claim(session, task_id, ana, "n1", NOON, UNCAPPED), Claimed)
        assert letters.waiting(session) == []
        assert letters.posted(session, task_id, ana, NOON, DAY) == "in_a_call"
        assert letters.take_back(session) == 0


def test_without_an_answer_a_nurse_calls(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        assert work(session, NOON + 30 * DAY) == 0, "what is not posted waits for its nurse"
        print_and_post(session, task_id)
        assert work(session, NOON + 14 * DAY - HOUR) == 0
        assert work(session, NOON + 14 * DAY) == 1
        task = the_task(session)
        assert (task.channel, task.fallback, task.state, task.next_try_at) == ("nurse_call", [], "open", None)
        assert told(session)[-1] == "No answer to the letter: next by a nurse's call"


def test_she_calls_and_answers_and_nothing_follows(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        print_and_post(session, task_id)
        assert surveys.waiting_for(session, the_patient(session).id, NOON + DAY) == [task_id]
        assert surveys.finish(session, task_id, NOON + DAY)
        assert work(session, NOON + 20 * DAY) == 0
        assert the_task(session).state == "done"


def test_one_that_came_back_goes_on_and_the_address_is_wrong(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        ana = print_and_post(session, task_id)
        assert letters.came_back(session, task_id, ana, NOON + 5 * DAY)
        assert not letters.came_back(session, task_id, ana, NOON + 5 * DAY)
        assert work(session, NOON + 5 * DAY) == 1
        assert told(session)[-2:] == [
            "The letter came back: the address is wrong",
            "The letter came back: next by a nurse's call",
        ]
        lucia = the_patient(session)
        assert lucia.address_wrong_since == NOON + 5 * DAY
        assert contacts(session, lucia.id, b"", NOON + 6 * DAY) == [], "it reached nobody"
        patients.tell_address(session, lucia.id, "Carrera 1", True, ana, NOON + 6 * DAY)
        assert lucia.address_wrong_since is None


def test_one_that_comes_back_late_says_only_that_the_address_is_wrong(database: Database) -> None:
    with database.transaction() as session:
        task_id = due(session)
        work(session)
        ana = print_and_post(session, task_id)
        surveys.finish(session, task_id, NOON + DAY)
        patients.tell_address(session, the_patient(session).id, "Carrera 1", True, ana, NOON + 2 * DAY)
        assert letters.came_back(session, task_id, ana, NOON + 40 * DAY)
        assert work(session, NOON + 40 * DAY) == 0
        assert (the_task(session).state, the_patient(session).address_wrong_since) == ("done", None)


def test_a_letter_that_was_posted_is_an_attempt_in_the_coverage(database: Database) -> None:
    def attempted(session: Session) -> int:
        session.flush()
        (group,) = coverage.coverage(session, NOON - DAY, NOON + DAY, "ward", NOON)
        return group.attempted

    with database.transaction() as session:
        task_id = due(session)
        work(session)
        assert attempted(session) == 0
        print_and_post(session, task_id)
        assert attempted(session) == 1


def test_a_nurse_sees_her_own_and_nobodys(database: Database) -> None:
    with database.transaction() as session:
        due(session)
        work(session)
        ana, ruby = employ(session, "ana", "nurse").id, employ(session, "ruby", "nurse").id
        assert len(letters.waiting(session, owner_id=ana)) == letters.count_waiting(session, owner_id=ana) == 1
        the_task(session).owner_id = ruby
        session.flush()
        assert letters.waiting(session, owner_id=ana) == []
        assert letters.count_waiting(session, owner_id=ana) == 0
        assert len(letters.waiting(session, owner_id=ruby)) == len(letters.waiting(session)) == 1
