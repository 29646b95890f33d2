"""Links to a page on which a patient answers: what is kept of them, how long they live, two at once."""

import hashlib
import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from hospital import answer_links, coverage, followups, outbox, text_steps
from hospital.answer_links import AnswerLink, Asked, Links, Raised
from hospital.calendars import Calendar
from hospital.cases import Case
from hospital.clocks import Due
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import LINK_SEALED, OutboxRow
from hotline.caller_joints import rendered
from hotline.settings import Settings
from hotline.settings_file import DEMO, SettingsRefused, build
from hotline.wiring import answer_links as links_of
from scripts.questionnaire_files import read_source
from scripts.yaml_lines import FileRefused
from tests.answer_scene import HOST, LINKS, Scene, survey
from tests.characters import JOAO, LUCIA, MEI
from tests.hospital_scene import UNCAPPED, at_once
from tests.moments import NOON, ZONE
from tests.test_settings import site
from tests.workshops import shipped
from web.words import decision

pytestmark = pytest.mark.covers("H28")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = Calendar(ZONE, "CO")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


def told(scene: Scene) -> list[str]:
    """The decision log as a nurse reads it."""
    with scene.database.transaction() as session:
        rows = followups.decisions(session, scene.task().id)
        return [decision(row.code, row.facts, NOON, ZONE) for row in rows]


def test_only_the_hash_of_a_link_is_kept_and_the_message_forgets_it_when_it_has_left(scene: Scene) -> None:
    token = scene.texted(LUCIA).token
    assert scene.link().token_hash == hashlib.sha256(token.encode()).digest()
    assert token not in scene.everything()
    with scene.database.transaction() as session:
        (message,) = session.scalars(select(OutboxRow))
        assert (message.key, message.locale, set(message.params)) == ("questions_by_link", "es", {LINK_SEALED})
        assert f"https://{HOST}/s/{token}" in rendered(shipped().words)(message.key, "es", message.params)
    scene.sent()
    with scene.database.transaction() as session:
        (message,) = session.scalars(select(OutboxRow))
        assert (message.state, message.params) == ("sent", {})


@pytest.mark.parametrize("how", ["withdrawn", "given up", "its sender died"])
def test_a_message_that_never_leaves_forgets_its_link_too(scene: Scene, how: str) -> None:
    scene.texted(LUCIA)
    with scene.database.transaction() as session:
        message = session.scalars(select(OutboxRow)).one()
        if how == "withdrawn":
            outbox.withdraw(session, message)
        elif how == "given up":
            outbox.claim(session, NOON)
            outbox.not_sent(session, message.id, "refused", NOON, final=True)
        else:
            message.state, message.tries = "sending", outbox.TRIES
            session.flush()
            outbox.claim(session, NOON)
    with scene.database.transaction() as session:
        message = session.scalars(select(OutboxRow)).one()
        assert (message.state, message.params) == ("failed", {})


def test_a_message_that_is_tried_again_still_has_its_link(scene: Scene) -> None:
    scene.texted(LUCIA)
    with scene.database.transaction() as session:
        claimed = outbox.claim(session, NOON)
        assert claimed is not None
        outbox.not_sent(session, claimed.id, "timeout", NOON)
        session.expire_all()
        assert LINK_SEALED in session.scalars(select(OutboxRow)).one().params


def test_two_links_have_nothing_in_common(scene: Scene) -> None:
    tokens = {scene.texted(who).token for who in (LUCIA, JOAO, MEI)}
    assert len(tokens) == 3 and {len(one) for one in tokens} == {22}, "128 bits, as base64url"


@pytest.mark.parametrize(
    ("days", "waits", "lives"),
    [(30, 2, 14), (5, 2, 5), (1, 2, 2)],
    ids=["as the site says", "as its task waits", "as its message waits"],
)
def test_how_long_a_link_lives(scene: Scene, days: int, waits: int, lives: int) -> None:
    task = scene.due(LUCIA)
    with scene.database.transaction() as session:
        task = session.get_one(FollowUpTask, task.id)
        task.due_until = NOON + days * DAY
        link = answer_links.make(session, task, "es", NOON, LINKS, NOON + waits * DAY)
        session.flush()
        token = link.rpartition("/")[2]
        assert answer_links.find(session, token, NOON + lives * DAY - HOUR) is not None
        assert answer_links.find(session, token, NOON + lives * DAY) is None
        assert not answer_links.begin(session, token, NOON + lives * DAY)


@pytest.mark.parametrize("body", [survey(byWeb=False), survey(byWeb="yes"), survey(purpose="follow-up")])
def test_no_link_but_to_a_survey_that_says_so(scene: Scene, body: dict[str, object]) -> None:
    task = scene.due(LUCIA)
    with scene.database.transaction() as session:
        session.execute(text("UPDATE questionnaire SET body = cast(:it AS jsonb)"), {"it": json.dumps(body)})
        assert text_steps.work_next(session, NOON, UNCAPPED, links=LINKS)
        assert session.scalars(select(AnswerLink)).all() == []
        assert session.scalars(select(OutboxRow.key)).all() == ["questions_wait"]
    assert "A text message goes" in told(scene)[-1] and task.kind == "follow_up"


def test_without_pages_the_message_says_what_it_says_today(scene: Scene) -> None:
    scene.due(LUCIA)
    with scene.database.transaction() as session:
        assert text_steps.work_next(session, NOON, UNCAPPED)
        assert session.scalars(select(OutboxRow.key)).all() == ["questions_wait"]


def test_a_clinical_questionnaire_may_not_say_so() -> None:
    source = Path("scripts/questionnaires/satisfaction.yaml").read_text(encoding="utf-8")
    assert read_source(source, "satisfaction").by_web
    with pytest.raises(FileRefused, match="only a survey may be answered by whoever has a link") as refused:
        read_source(source.replace("purpose: survey", "purpose: follow-up"), "satisfaction")
    assert [problem.line for problem in refused.value.problems] == [7]
    assert not read_source(source.replace("byWeb: true\n", ""), "satisfaction").by_web


@pytest.mark.covers("I3")
def test_many_who_begin_at_once_begin_once(scene: Scene) -> None:
    token = scene.texted(LUCIA).token
    came = at_once(scene.database, *[partial(answer_links.begin, token=token, at=NOON)] * 4)
    assert came == [True] * 4
    assert told(scene).count("Somebody began to answer on the page of the link") == 1


def test_two_who_finish_at_once_finish_once(scene: Scene) -> None:
    token = scene.texted(LUCIA).token
    with scene.database.transaction() as session:
        answer_links.begin(session, token, NOON)

    def finishes(session: Session) -> bool:
        held = answer_links.hold(session, token, NOON)
        if held is None:
            return False
        answer_links.save(session, held, "staff", "5", NOON, site=SITE)
        answer_links.finish(session, held, NOON)
        return True

    assert sorted(map(str, at_once(scene.database, *[finishes] * 4))) == ["False"] * 3 + ["True"]
    assert [row.code for row in _decisions(scene)].count("answered_on_page") == 1
    assert told(scene)[-1] == "Answered on the page of the link: nobody knows for certain by whom"


def _decisions(scene: Scene) -> list[followups.DecisionRow]:
    with scene.database.transaction() as session:
        return followups.decisions(session, scene.task().id)


@pytest.mark.covers("H33")
def test_two_red_flags_of_one_survey_are_one_case(scene: Scene) -> None:
    token = scene.texted(LUCIA).token
    with scene.database.transaction() as session:
        answer_links.begin(session, token, NOON)

    def raises(session: Session) -> bool:
        held: Asked | None = answer_links.hold(session, token, NOON)
        if held is None:
            return False
        raised = Raised("text_alarm", Due(NOON + HOUR))
        answer_links.save(session, held, "words", "…", NOON, raised=raised, site=SITE)
        return True

    assert sorted(map(str, at_once(scene.database, *[raises] * 3))) == ["False"] * 2 + ["True"]
    assert len(scene.rows(Case)) == 1


def test_a_link_that_was_not_begun_takes_no_answer(scene: Scene) -> None:
    token = scene.texted(LUCIA).token
    with scene.database.transaction() as session:
        assert answer_links.hold(session, token, NOON) is None


def test_who_began_was_reached_and_who_answered_consented(scene: Scene) -> None:
    token = scene.texted(LUCIA).token

    def counted() -> tuple[int, int, int, int]:
        with scene.database.transaction() as session:
            (group,) = coverage.coverage(session, NOON - DAY, NOON + DAY, "ward", NOON)
            return group.attempted, group.reached, group.consented, group.completed

    scene.sent()
    assert counted() == (1, 0, 0, 0)
    with scene.database.transaction() as session:
        answer_links.begin(session, token, NOON)
    assert counted() == (1, 1, 0, 0)
    with scene.database.transaction() as session:
        held = answer_links.hold(session, token, NOON)
        assert held is not None
        answer_links.save(session, held, "staff", "5", NOON, site=SITE)
    assert counted() == (1, 1, 1, 0)
    with scene.database.transaction() as session:
        held = answer_links.hold(session, token, NOON)
        assert held is not None
        answer_links.finish(session, held, NOON)
    assert counted() == (1, 1, 1, 1)


# ── Settings ────────────────────────────────────────────────────────────────────────────────────────────────────


def settings(**answers: object) -> Settings:
    return build(site() | {"answers": answers})


def test_a_site_without_an_address_of_its_pages_has_none() -> None:
    assert settings().answers_url is None and links_of(settings()) is None
    assert settings(bind="127.0.0.2").answers_url is None


def test_a_site_says_where_patients_reach_its_pages() -> None:
    made = settings(url="https://Answers.example.org/", days=7)
    assert links_of(made) == Links("https://answers.example.org", 7 * DAY)
    assert made.answers_bind == "127.0.0.1", "whoever has no certificate does not listen to the network by itself"


def test_the_demos_pages_are_on_loopback() -> None:
    made = build({**DEMO, "web": {"bind": "127.0.0.9"}})
    assert made.answers_url == "http://127.0.0.9:8001"
    with pytest.raises(SettingsRefused, match=r"answers\.bind 192\.0\.2\.1 must be a loopback address"):
        build({**DEMO, "answers": {"bind": "192.0.2.1"}})


@pytest.mark.parametrize(
    "wrong",
    ["http://answers.example.org", "https://answers.example.org/patients", "https://u:p@x.org", "https://", "x.org"],
)
def test_an_address_that_leads_elsewhere_or_not_by_tls_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsRefused, match="allowed: an https address without a path"):
        settings(url=wrong)
