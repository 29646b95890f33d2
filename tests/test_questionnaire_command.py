"""`hotline questionnaire`: import, ask by key, by text and as the form, go on, export. The whole way at a terminal."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from sqlalchemy import select

from hospital import questionnaires
from hospital.accounts import Account
from hospital.audit import AuditRow
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hotline import commands, demo, numbering, postgres, wiring
from hotline.places import places
from hotline.settings import Settings
from hotline.settings_file import DEMO, build
from scripts import texting, wording
from scripts.answers import AnswerRefused
from scripts.fhir_export import as_fhir
from scripts.filling import Filling
from scripts.languages import TAGS
from scripts.questionnaire_files import kept
from tests.conftest import TEMPLATE, cloned, name_in, renewed
from tests.site_key import put_site_key
from tests.test_fhir import SOURCE
from tests.test_filling import FEVERS, SYMPTOMS, options, question, questionnaire
from tests.test_wording import SITE
from tests.test_words_between import BETWEEN


@pytest.fixture(scope="session")
def begun(cluster: postgres.Cluster) -> Iterator[str]:
    """A demo that was started before: a command finds its people and questionnaires, and does not make them."""
    with cloned(cluster, TEMPLATE) as url:
        with closing(Database(url, connections=1)) as database, database.transaction() as session:
            demo.load_scripts(session, wiring.now())
            sip = {account.username: "" for account in numbering.DEMO_ACCOUNTS}
            demo.people(session, sip, wiring.zone(build(DEMO)), wiring.now())
        yield name_in(url)


@pytest.fixture
def settings(
    cluster: postgres.Cluster, begun: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    with renewed(cluster, begun) as url:
        yield _in(url, tmp_path, monkeypatch)


@pytest.fixture
def never_started(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    with renewed(cluster, TEMPLATE) as url:
        yield _in(url, tmp_path, monkeypatch)


def _in(url: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    put_site_key(data)
    made = build({**DEMO, "data": data, "database": {"url": url}})
    monkeypatch.setattr(commands, "load", lambda _: made)
    return made


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> Any:
    """The command's JSON; what was typed is its standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    code = commands.main(["questionnaire", *words, "--json"])
    out = json.loads(capsys.readouterr().out)
    return {"exit": code, **out}


def taken_out(settings: Settings, by: str) -> list[str]:
    """What the audit chain says that this account took out."""
    database = wiring.open_database(settings, places(settings))
    rows = select(AuditRow).join(Account, Account.id == AuditRow.account_id)
    with database.transaction() as session:
        found = session.scalars(rows.where(Account.username == by, AuditRow.action == "responses.exported")).all()
        patients = {session.get_one(FollowUpTask, UUID(row.subject.partition(":")[2])).patient_id for row in found}
        assert {UUID(row.detail["patient"]) for row in found} == patients
        return [row.subject for row in found]


@pytest.mark.covers("H21")
def test_from_their_questionnaire_to_their_response(
    never_started: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "q.json").write_text(json.dumps(SOURCE))
    made = run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))
    assert (made["exit"], made["id"], made["version"]) == (0, "heart-check-1", 1)
    assert any("type 'attachment' cannot be asked" in line for line in made["left_out"])

    by_text = ["1", "3 12", "me duele", "x", "92,5", "20/11/2026"]
    cut_off = run(capsys, monkeypatch, "ask", "heart-check-1", "--sms", typed="\n".join(by_text) + "\n")
    assert (cut_off["status"], cut_off["next"]) == ("in-progress", "2.2@1")
    assert cut_off["answers"]["1.2"] == ["L3", "L12"] and cut_off["answers"]["1.3"] == 92.5
    assert cut_off["answers"]["1.2.1@3"] == "me duele" and cut_off["answers"]["1.2.1@12"] is None

    commands.main(["questionnaire", "export", cut_off["response"], "--by", "grace"])
    assert QuestionnaireResponse.model_validate_json(capsys.readouterr().out).status == "in-progress"

    as_form = "22/11/2026 9:20\n-\n2\n1\n1\nMi hija\n80 82\n-\n27\n"
    whole = run(capsys, monkeypatch, "ask", "--resume", cut_off["response"], "--form", typed=as_form)
    assert (whole["status"], whole["missing"], whole["next"]) == ("completed", [], None), whole
    commands.main(["questionnaire", "export", cut_off["response"], "--by", "grace", "--json"])
    response = QuestionnaireResponse.model_validate_json(capsys.readouterr().out)
    assert taken_out(never_started, "grace") == [f"task:{cut_off['response']}"] * 2
    assert (response.status, response.questionnaire) == (
        "completed",
        "https://example.org/Questionnaire/heart|2.1",
    )
    assert [item.linkId for item in response.item] == ["/1", "2", "3", "4", "5", "6", "8", "12"]


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("theirs", "first", "then"), [("2.1", "|2.1", "|2.1-hotline.2"), (None, "", "|2")], ids=["version", "no version"]
)
def test_what_was_changed_here_goes_out_as_no_version_of_theirs(
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    theirs: str | None,
    first: str,
    then: str,
) -> None:
    source = {name: value for name, value in SOURCE.items() if name != "version"}
    (tmp_path / "q.json").write_text(json.dumps(source | ({"version": theirs} if theirs else {})))
    code = run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))["id"]

    def named() -> str:
        asked = run(capsys, monkeypatch, "ask", code, "--sms")
        commands.main(["questionnaire", "export", asked["response"], "--by", "grace", "--json"])
        said = json.loads(capsys.readouterr().out)["questionnaire"]
        assert isinstance(said, str)
        return said.removeprefix(SOURCE["url"])

    assert named() == first
    with wiring.open_database(settings, places(settings)).transaction() as session:
        grace = session.scalars(select(Account.id).where(Account.username == "grace")).one()
        row = questionnaires.newest(session, code)
        assert row is not None
        body = {**row.body, "title": {**row.body["title"], "en": "The heart"}}
        at = wiring.now()
        questionnaires.save(session, code, "?", grace, at, None)
        made = questionnaires.publish_draft(session, code, (body, "of this"), grace, at, "Clearer.", at)
        assert questionnaires.changed_here(session, made) and not questionnaires.changed_here(session, row)
        out = as_fhir(kept(made.body), made.version, changed=True).resource
        assert f"{out['url']}|{out['version']}" == SOURCE["url"] + then
    assert named() == then


THEIRS = {
    "resourceType": "Questionnaire", "id": "casa", "language": "es", "title": "En casa", "status": "active", "item": [
        {"linkId": "1", "type": "boolean", "text": "¿Fuma?", "required": True},
        {"linkId": "2", "type": "choice", "text": "¿Dónde le duele?", "required": True,
         "answerOption": [{"valueCoding": {"code": c, "display": f"sitio {c}"}} for c in "abcdefghijkl"]},
        {"linkId": "3", "type": "group", "text": "Medicina", "repeats": True, "item": [
            {"linkId": "3.1", "type": "integer", "text": "¿Cuántas?", "required": True},
            {"linkId": "3.2", "type": "group", "text": "Toma", "repeats": True, "item": [
                {"linkId": "3.2.1", "type": "choice", "text": "¿Con qué?", "repeats": True, "required": True,
                 "answerOption": [{"valueCoding": {"code": c, "display": f"con {c}"}} for c in "xyz"]}]}]},
        {"linkId": "4", "type": "date", "text": "¿Desde cuándo?", "required": True},
    ],
}  # fmt: skip
"""Ten of twelve options, a group that repeats in one that does, several answers; in Spanish alone."""
ITS_WAYS = {
    "--voice": "1;5;5;2;1;7#;1;1;1;2;1;2;1;8#;1;2;2;23112026;1",
    "--sms": "1;10;1;7;1;1 3;2;1;8;2;2;23/11/2026",
    "--form": "1;10;1;7;1;1 3;2;1;8;2;2;23/11/2026",
}


@pytest.mark.covers("H21", "H28")
@pytest.mark.parametrize("way", ITS_WAYS)
def test_theirs_is_asked_to_its_end_in_every_way(
    way: str, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "q.json").write_text(json.dumps(THEIRS))
    made = run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))
    assert (made["exit"], made["left_out"]) == (0, [])
    typed = ITS_WAYS[way].replace(";", "\n") + "\n"
    asked = run(capsys, monkeypatch, "ask", made["id"], way, "--language", "es", typed=typed)
    assert (asked["status"], asked["missing"]) == ("completed", []), asked
    assert {key: value for key, value in asked["answers"].items() if key not in ("3", "3.2@1", "3.2@2")} == {
        "1": True, "2": "j", "3.1@1": 7, "3.2.1@1.1": ["x", "z"], "3.1@2": 8, "4": "2026-11-23"
    }  # fmt: skip
    commands.main(["questionnaire", "export", asked["response"], "--by", "grace", "--json"])
    response = QuestionnaireResponse.model_validate_json(capsys.readouterr().out)
    assert [item.linkId for item in response.item] == ["1", "2", "3", "3", "4"]
    assert response.item[1].answer[0].valueCoding.display == "sitio j"


@pytest.mark.covers("H28", "H33")
def test_each_way_of_asking_meets_a_red_flag_in_its_own_way(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    by_key = run(capsys, monkeypatch, "ask", "discharge-day3", "--voice", "--press", "1,9#,1", "--language", "en")
    assert (by_key["flags"], by_key["status"], by_key["answered"]) == (["severe-pain"], "in-progress", 2)
    by_text = run(capsys, monkeypatch, "ask", "discharge-day3", "--sms", typed="1\n9\n1\n")
    assert (by_text["flags"], by_text["answered"]) == (["severe-pain"], 2)
    as_form = run(capsys, monkeypatch, "ask", "discharge-day3", "--form", typed="1\n9\n!\n-\n-\n-\n")
    assert (as_form["flags"], as_form["status"]) == (["severe-pain"], "completed"), as_form


@pytest.fixture
def texted(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[Any, str], list[str]]:
    """A questionnaire is imported and asked by text message in Spanish; what is typed, and the lines that come."""

    def by_text(sheet: Any, typed: str) -> list[str]:
        (tmp_path / "q.json").write_text(json.dumps(as_fhir(sheet, 1).resource))
        run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert commands.main(["questionnaire", "ask", "q", "--sms", "--language", "es"]) == 0
        return capsys.readouterr().out.splitlines()

    return by_text


@pytest.mark.covers("H28")
def test_words_between_the_questions_are_texted_with_them(texted: Callable[[Any, str], list[str]]) -> None:
    golden = """\
hotline: Gracias por su tiempo. Pain Responda 1 para sí, 2 para no.
patient: quizás
hotline: No hemos entendido esa respuesta.
hotline: Pain Responda 1 para sí, 2 para no.
patient: 2
hotline: Descanse lo que necesite. En casa. Manténgalo seco. Comida. Eats Responda 1 para sí, 2 para no.
patient: 1
hotline: Beba suficiente. Para terminar. Llámenos cuando quiera."""
    assert texted(BETWEEN, "quizás\n2\n1\n")[:8] == golden.splitlines()


@pytest.mark.covers("H21", "H28")
def test_by_text_message_it_is_said_for_which_answer_is_asked(texted: Callable[[Any, str], list[str]]) -> None:
    told = [line.removeprefix("hotline: ") for line in texted(SYMPTOMS, "1 2\n9\n39\n1\n2\n")]
    assert [line for line in told if "Days" in line or "Degrees" in line or "Doctor" in line] == [
        "Sobre: Fiebre. Days Responda con el número.",
        "Degrees Responda con el número. Para omitirla, responda X.",
        "Doctor Responda 1 para sí, 2 para no.",
        "Sobre: Dolor. Days Responda con el número.",
    ]


@pytest.mark.covers("H21", "H28")
def test_by_text_message_each_of_several_numbers_has_its_questions(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "q.json").write_text(json.dumps(as_fhir(FEVERS, 1).resource))
    run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("38,5\n20/11/2026\n1\n40\n21/11/2026\n"))
    assert commands.main(["questionnaire", "ask", "q", "--sms", "--language", "es"]) == 0
    told = [line.removeprefix("hotline: ") for line in capsys.readouterr().out.splitlines()]
    assert [line for line in told if "Responda" in line] == [
        "Fever Responda con el número. Para omitirla, responda X.",
        "Sobre su respuesta número 1. Day Responda con la fecha, por ejemplo 23/11/2026.",
        "Fever ¿Hay otro más? Responda 1 para sí, 2 para no.",
        "Fever Responda con el número. Para omitirla, responda X.",
        "Sobre su respuesta número 2. Day Responda con la fecha, por ejemplo 23/11/2026.",
        "Pill Responda 1 para sí, 2 para no. Para omitirla, responda X.",
    ]


@pytest.mark.covers("H21")
def test_a_questionnaire_never_takes_the_place_of_another(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not of a shipped one, which has red flags, nor where two names have no letter that a code may have."""

    def imported(**about: str) -> tuple[str, int]:
        item = {"linkId": "1", "type": "boolean", "text": about.pop("text", "?")}
        (tmp_path / "q.json").write_text(json.dumps({"resourceType": "Questionnaire", **about, "item": [item]}))
        made = run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))
        return made["id"], made["version"]

    theirs = {"id": "mood", "url": "http://example.org/mood"}
    assert imported(**theirs) == ("mood-2", 1)
    assert imported(**theirs, version="2", text="Sad?") == ("mood-2", 2)
    assert imported(id="mood", url="http://example.com/mood") == ("mood-3", 1)
    assert run(capsys, monkeypatch, "ask", "mood-2", "--form", typed="1\n")["status"] == "completed"
    (heart, _), (lungs, _) = imported(name="心脏"), imported(name="肺")
    assert heart != lungs and heart.startswith("imported-")


def test_the_demo_s_people_do_not_come_among_real_ones(
    never_started: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert never_started.database.url is not None
    database = Database(never_started.database.url.get_secret_value())
    with database.transaction() as session:
        demo.mark(session, demo=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n"))
    assert commands.main(["questionnaire", "ask", "mood", "--sms"]) == 1
    assert "are a real site's, and this is the demo" in capsys.readouterr().err
    with database.transaction() as session:
        assert session.scalars(select(Patient)).all() == session.scalars(select(Account)).all() == []
    database.close()


@pytest.mark.covers("H28")
def test_whoever_types_is_told_nothing_on_the_output_of_a_program(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = run(capsys, monkeypatch, "ask", "discharge-day3", "--voice", "--language", "en", typed="what?\n1\n")
    assert (asked["exit"], asked["status"], asked["answered"]) == (0, "in-progress", 1)


def test_bytes_that_are_no_text_are_not_understood(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.TextIOWrapper(io.BytesIO("你\n1\n".encode("gbk")), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", typed)
    assert commands.main(["questionnaire", "ask", "discharge-day3", "--sms", "--language", "en"]) == 0
    told = capsys.readouterr().out
    assert "We did not understand" in told and "1 of" in told


@pytest.mark.covers("H21")
def test_signs_that_no_database_keeps_are_left_out_of_options(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    odd = [{"valueCoding": {"system": "urn:x", "code": "1", "display": "o\u0000ne"}}, {"valueString": "tw\ud800o"}]
    source = {"resourceType": "Questionnaire", "id": "odd", "item": [
        {"linkId": "1", "type": "choice", "text": "W\u0000hich?", "answerOption": odd}]}  # fmt: skip
    (tmp_path / "q.json").write_text(json.dumps(source))
    assert run(capsys, monkeypatch, "import", str(tmp_path / "q.json"))["exit"] == 0
    for reply, value in (("1", {"valueCoding": {"system": "urn:x", "code": "1", "display": "o ne"}}),
                         ("2", {"valueString": "tw o"})):  # fmt: skip
        asked = run(capsys, monkeypatch, "ask", "odd", "--sms", typed=f"{reply}\n")
        assert asked["status"] == "completed"
        (item,) = run(capsys, monkeypatch, "export", asked["response"], "--by", "grace")["item"]
        assert item["answer"] == [value]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("ask", "no-such"), "there are: after-surgery, antenatal"),
        (("ask", "mood", "--as", "nobody"), "no such patient"),
        (("ask", "mood", "--voice", "--press", "1,a"), "no row of keys"),
        (("export", "17", "--by", "grace"), "is no id"),
        (("export", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "--by", "grace"), "there is no response"),
        (("export", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "--by", "oscar"), "no account 'oscar' that may read"),
        (("export", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "--by", "nobody"), "no account 'nobody' that may read"),
        (("import", "/no/such/file"), "cannot be read"),
        (("import", __file__), "is no JSON"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    words: tuple[str, ...],
    told: str,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = run(capsys, monkeypatch, *words)
    assert answer["exit"] == 1 and told in answer["refused"][0]


# ── By text, without a house ────────────────────────────────────────────────────────────────────────────────────────

KINDS = questionnaire(
    question("b", "boolean"),
    question("c", "choice", required=True, answerOption=options("red", "blue")),
    question("m", "choice", repeats=True, answerOption=[*options("a", "b"), {**options("none")[0], "exclusive": True}]),
    question("o", "open-choice", answerOption=options("x1", "y1")),
    question("n", "decimal", repeats=True, minValue=0, maxValue=50),
    question("d", "date"),
    question("t", "time"),
    question("w", "dateTime"),
    question("s", "string", repeats=True),
    question("dd", "date", repeats=True),
    question("tt", "time", repeats=True),
    question("ww", "dateTime", repeats=True),
    question("pain", "choice", answerOption=[{"code": f"p{n}", "text": {"en": str(n)}} for n in range(11)]),
    question(
        "worry",
        "choice",
        repeats=True,
        answerOption=[
            {"code": code, "text": {"en": f"{n} - {en}", "es": f"{n}: {es}"}}
            for code, n, en, es in (
                ("no", 0, "none", "nada"),
                ("some", 5, "some", "algo"),
                ("much", 9, "much", "mucho"),
            )
        ],
    ),
    question(
        "weeks", "choice", answerOption=[{"code": str(n), "text": {"en": f"{n} to {n + 1} weeks"}} for n in (4, 2, 1)]
    ),
)


@pytest.mark.parametrize(
    ("key", "said", "meant"),
    [
        ("b", "SÍ", True), ("b", "2", False), ("b", "x", None),
        ("c", "2", "blue"), ("c", "red", "red"),
        ("m", "1, 2", ["a", "b"]), ("m", "0", ["none"]),
        ("o", "2", "y1"), ("o", "verde", {"text": "verde"}),
        ("n", "1,5 2", [1.5, 2.0]), ("d", "3/11/2026", "2026-11-03"), ("d", "2026/11/3", "2026-11-03"),
        ("t", "9:20", "09:20:00"), ("w", "3.11.2026 9:20", "2026-11-03T09:20:00"), ("s", "uno; dos", ["uno", "dos"]),
        ("pain", "7", "p7"), ("pain", "0", "p0"), ("pain", "１０", "p10"), ("worry", "0", ["no"]),
        ("worry", "9, 5", ["much", "some"]), ("worry", "5: algo", ["some"]), ("weeks", "1", "4"), ("weeks", "3", "1"),
        ("s", "一；二", ["一", "二"]), ("dd", "3/11/2026, 2026-11-04", ["2026-11-03", "2026-11-04"]),
        ("tt", "9:20 18:00", ["09:20:00", "18:00:00"]), ("dd", "3/11/2026", ["2026-11-03"]),
        ("ww", "3.11.2026 9:20; 4.11.2026 9:30", ["2026-11-03T09:20:00", "2026-11-04T09:30:00"]),
    ],
)  # fmt: skip
def test_a_reply_is_understood(key: str, said: str, meant: object) -> None:
    assert texting.reply(Filling(KINDS, {}).place(key), said) == meant


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("b", "quizás"),
        ("c", "3"),
        ("c", "x"),
        ("m", "1 9"),
        ("n", "51"),
        ("d", "31/2/2026"),
        ("t", "25:00"),
        ("pain", "11"),
        ("worry", "1"),
        ("worry", "0 3"),
    ],
)
def test_a_reply_that_means_nothing_is_refused(key: str, said: str) -> None:
    with pytest.raises(AnswerRefused):
        texting.reply(Filling(KINDS, {}).place(key), said)


def test_a_question_is_one_message_in_the_patient_s_language() -> None:
    words = wording.load(SITE)
    asked = texting.question(Filling(KINDS, {}).place("m"), words, "es")
    assert asked == (
        "M 1 a. 2 b. 3 none. Responda con los números, por ejemplo 1 3, o 0 si ninguno. Para omitirla, responda X."
    )


@pytest.mark.covers("H28")
def test_that_several_answers_may_be_given_is_said_with_the_question() -> None:
    words = wording.load(SITE)
    dates = texting.question(Filling(KINDS, {}).place("dd"), words, "es")
    assert dates == (
        "Dd Responda con la fecha, por ejemplo 23/11/2026. Ponga ; entre varias respuestas. Para omitirla, responda X."
    )
    for language in TAGS:
        several = words.message("survey_several", language)
        said = {key: texting.question(Filling(KINDS, {}).place(key), words, language) for key in ("n", "s", "d", "w")}
        assert [key for key, text in said.items() if several in text] == ["n", "s"]


@pytest.mark.covers("H28")
def test_options_that_are_numbers_are_not_numbered_once_more() -> None:
    words = wording.load(SITE)
    pain = texting.question(Filling(KINDS, {}).place("pain"), words, "en")
    assert pain.startswith("Pain 0. 1. 2. 3. 4. 5. 6. 7. 8. 9. 10. Reply with the number.")
    assert " 0: nada. 5: algo. 9: mucho. " in texting.question(Filling(KINDS, {}).place("worry"), words, "es")
    assert " 1 4 to 5 weeks. 2 2 to 3 weeks. " in texting.question(Filling(KINDS, {}).place("weeks"), words, "en")
