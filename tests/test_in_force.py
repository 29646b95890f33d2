"""Which wording a call hears: shipped, over it the site's file, over it what was published, and never none."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from hospital.database import Database
from hospital.editions import Publications
from hotline.in_force import Shipped, assemble
from hotline.settings_file import DEMO, build
from hotline.sheets import Sheets
from hotline.speaking import changed
from hotline.wiring import front_desk
from tests.test_hospital_editions import FIRST, SECOND, published
from tests.workshops import shipped

BROKEN = {"es": {"prompts": {"queue_place": "Usted espera.", "goodbye": "Adiós."}}}


def said(*bodies: object) -> tuple[str, tuple[str, ...]]:
    numbered = [(len(bodies) - at, body) for at, body in enumerate(bodies)]
    live = assemble(shipped(), Publications(len(bodies), {"wording": numbered}))  # type: ignore[dict-item]
    return live.words.text("goodbye", "es"), tuple(map(str, live.troubles))


def test_what_was_published_is_over_the_file_and_the_file_over_what_is_shipped(tmp_path: Path) -> None:
    ours = shipped().words().text("goodbye", "es")
    assert said() == (ours, ())
    assert said(SECOND, FIRST) == ("Que se mejore.", ())
    assert said(None, FIRST) == (ours, ())  # as it comes with the hotline, again
    path = tmp_path / "wording.yaml"
    path.write_text(yaml.safe_dump({"es": {"prompts": {"goodbye": "Hasta luego.", "apology": "Ya va."}}}))
    with_file = Shipped(build({**DEMO, "site": {**DEMO["site"], "wording": path}}))
    assert with_file.words().text("goodbye", "es") == "Hasta luego."
    over = assemble(with_file, Publications(1, {"wording": [(1, FIRST)]})).words
    assert (over.text("goodbye", "es"), over.text("apology", "es")) == ("Adiós.", "Ya va.")
    assert [problem.file for problem in Shipped(wrong_file(path)).refused] == [f"{tmp_path.name}/wording.yaml"]


def wrong_file(path: Path):  # type: ignore[no-untyped-def]
    path.write_text("es: {prompts: {godbye: Adiós}}")
    return build({**DEMO, "site": {**DEMO["site"], "wording": path}})


def test_what_cannot_be_loaded_gives_way_to_the_last_good_one() -> None:
    text, troubles = said(BROKEN, FIRST)
    assert text == "Adiós."
    assert troubles == (
        "edition 2 of wording can't be loaded, edition 1 is in force: "
        "wording: es prompts queue_place: placeholder {n} is missing; the reference's sentence has it",
    )
    text, troubles = said(BROKEN)
    assert text == shipped().words().text("goodbye", "es") and "the file is in force" in troubles[0]


async def test_the_next_call_hears_it_and_a_call_that_began_does_not(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    sheets = Sheets(shipped(), database)
    ours = (await sheets.of_call("n1-1")).words.text("goodbye", "es")
    with database.transaction() as session:
        published(session, FIRST)
    assert (await sheets.of_call("n1-2")).words.text("goodbye", "es") == "Adiós."
    assert (await sheets.of_call("n1-1")).words.text("goodbye", "es") == ours  # back from the queue
    assert await sheets.now() is await sheets.now()
    with database.transaction() as session:
        published(session, BROKEN, 1)
    live = await sheets.now()
    assert live.number == 2 and live.words.text("goodbye", "es") == "Adiós."
    assert "can't be loaded, edition 1 is in force" in caplog.text


def test_a_call_that_we_begin_goes_by_the_outcomes_in_force(database: Database) -> None:
    body = {"line": {"busy": {"next": "same_number", "after": "1 h"}}}
    endless = {"line": {"busy": {"next": "same_number", "after": "0 min"}}}
    live = assemble(shipped(), Publications(2, {"outcomes": [(2, endless), (1, body)]}))
    assert live.outcomes.line["busy"].after == timedelta(hours=1), "what can't be loaded leaves the one before"
    assert "edition 2 of outcomes can't be loaded, edition 1 is in force" in str(live.troubles[0])
    front = front_desk(shipped().settings, database, live.words, live=live)
    assert front.policy.outcomes == live.outcomes


def test_only_what_is_said_otherwise_is_spoken_anew() -> None:
    live = assemble(shipped(), Publications(1, {"wording": [(1, FIRST)]})).words
    assert changed(shipped().words(), live, "es") == ["goodbye"]
    assert changed(shipped().words(), live, "en") == []
