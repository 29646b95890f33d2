"""The files of `questionnaires/`: one a questionnaire, named by its id. A bad one is refused, the others
load.

A questionnaire that answers have been given to must stay readable as it was: the database keeps `body`
and `sha256` of each version, and `read_body` reads it again. A new wording is a new version by itself,
because its hash differs. `byWeb: true` lets a survey be answered on a page by whoever has its link. A
file without `script` is read aloud by `site/read_aloud.yaml`, which is then a part of its body, in the
site's languages even where the questions are in another.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts import library
from scripts.questionnaire import (
    FALLBACK,
    LANGUAGE_TAG,
    NO_TEXT,
    NUMBERS,
    Band,
    Item,
    Questionnaire,
    ReadAloud,
    Score,
    every,
)
from scripts.questionnaire_items import Reading
from scripts.questionnaire_rules import answer_rule, red_flag
from scripts.verbalise import SPEECH
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile, from_data

HERE = Path(__file__).parent / "questionnaires"
READ_ALOUD = Path(__file__).parent / "site" / "read_aloud.yaml"
PURPOSES = ("follow-up", "survey", "education")
NEEDED = ("id", "title", "purpose", "reviewed_by", "item")
OPTIONAL = ("script", "redFlag", "answerRule", "score", "url", "language", "byText", "byWeb")


def load_questionnaires(folder: Path = HERE) -> tuple[dict[str, Questionnaire], list[Problem]]:
    """The good questionnaires by id, and all that is wrong in the others."""
    found: dict[str, Questionnaire] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            questionnaire = read_questionnaire(path)
        except FileRefused as refusal:
            problems.extend(refusal.problems)
        else:
            found[questionnaire.id] = questionnaire
    return found, problems


def read_questionnaire(path: Path) -> Questionnaire:
    """Read one file; what is still as it was is not parsed again. Raises `FileRefused` with all that is wrong in it."""
    try:
        content = path.read_bytes()
    except OSError:
        content = None  # told as everything else that is wrong in a file
    return _read_file(path, content)


@lru_cache(maxsize=64)
def _read_file(path: Path, content: bytes | None) -> Questionnaire:
    return _read(SourceFile(path, content), path.stem)


def read_source(text: str, code: str) -> Questionnaire:
    """The text of a file that is being written, of the questionnaire `code`. Raises `FileRefused`."""
    source = SourceFile(Path(), text.encode("utf-8", "replace"), code)
    made = _read(source, None)
    if made.id != code:
        source.top.mapping()["id"].wrong(f"id is {made.id!r}; this questionnaire is {code!r}")
    source.finish()
    return made


def read_body(body: str) -> Questionnaire:
    """Read a version that was kept. Raises `FileRefused`: the rules are the same."""
    return read_data(json.loads(body))


def read_data(data: Any) -> Questionnaire:
    """The same from plain values. Raises `FileRefused`."""
    return _read(SourceFile(Path("kept/body"), node=from_data(data)), None)


def kept(body: Any) -> Questionnaire:
    """A kept version from its plain values. It never changes, so it is read once."""
    return _read_once(json.dumps(body, ensure_ascii=False))


@lru_cache(maxsize=64)
def _read_once(body: str) -> Questionnaire:
    return read_body(body)


def _read(source: SourceFile, stem: str | None) -> Questionnaire:
    top = source.top.mapping(NEEDED, OPTIONAL)
    if any(name not in top for name in NEEDED):
        source.finish()
    name = top["id"].text()
    if name and stem is not None and name.replace("-", "_") != stem:
        top["id"].wrong(f"id is {name!r}, but the file is named {stem}.yaml")
    purpose = top["purpose"].text()
    if purpose and purpose not in PURPOSES:
        top["purpose"].wrong(f"purpose {purpose!r} is not known; allowed: {', '.join(PURPOSES)}")
    by_web = "byWeb" in top and top["byWeb"].flag()
    if by_web and purpose != "survey":
        top["byWeb"].wrong("only a survey may be answered by whoever has a link: take byWeb away")
    language = top["language"].text() if "language" in top else FALLBACK
    if language and not LANGUAGE_TAG.fullmatch(language):
        top["language"].wrong(f"{language[:40]!r} is no language tag such as 'en' or 'pt-BR'")
    reading = Reading(language)
    items = reading.items(top["item"])
    if not items:
        top["item"].wrong("a questionnaire needs at least one item")
    data: Any = source.top.data()
    script = top.get("script") or _standard_script(data)
    scores = tuple(_score(field, reading, items) for field in top["score"].items()) if "score" in top else ()
    flags = tuple(red_flag(field, reading) for field in top["redFlag"].items()) if "redFlag" in top else ()
    rules = tuple(answer_rule(field, reading) for field in top["answerRule"].items()) if "answerRule" in top else ()
    _all_different(top, "answerRule", [rule.change.rule for rule in rules])
    _all_different(top, "score", [score.id for score in scores])
    _all_different(top, "redFlag", [flag.id for flag in flags])
    reading.judge(items, scores)
    title = reading.text(top["title"])
    reviewed: dict[str, str | None] = {tag: None for tag in library.tables()[0] if tag in title.by_language}
    reviewed |= {language: by.text_or_null() for language, by in top["reviewed_by"].mapping().items()}
    made = Questionnaire(
        id=name,
        title=title,
        purpose=purpose,
        read_aloud=_read_aloud(script, Reading(language if language in SPEECH else FALLBACK)),
        items=items,
        red_flags=flags,
        reviewed_by=reviewed,
        body="",
        scores=scores,
        rules=rules,
        url=top["url"].text() if "url" in top else None,
        language=language,
        by_text="byText" in top and top["byText"].flag(),
        by_web=by_web,
    )
    source.finish()
    return Questionnaire(**{**vars(made), "body": canonical(data)})


def canonical(data: object) -> str:
    """One spelling for the same content: sorted keys, no spaces, NFC. Comments and line breaks of a
    file are not in it.
    """
    spelled = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return unicodedata.normalize("NFC", spelled)


def _standard_script(data: dict[str, Any]) -> Field:
    source = SourceFile(READ_ALOUD)
    source.finish()
    data["script"] = source.top.data()
    return source.top


def _read_aloud(field: Field, reading: Reading) -> ReadAloud:
    parts = field.mapping(("opening", "notice", "closing"), ("guardian",))
    texts = {name: reading.text(part) for name, part in parts.items()}
    opening, notice, closing = (texts.get(name, NO_TEXT) for name in ("opening", "notice", "closing"))
    return ReadAloud(opening, notice, closing, texts.get("guardian"))


def _score(field: Field, reading: Reading, items: tuple[Item, ...]) -> Score:
    fields = field.mapping(("id", "text", "sum"), ("band",))
    if not {"id", "text", "sum"} <= fields.keys():
        return Score("", NO_TEXT, ())
    known = {item.link_id: item for item in every(items)}
    link_ids = []
    for one in fields["sum"].items():
        link_id = one.text()
        item = known.get(link_id)
        if item is None:
            one.wrong(f"no question has linkId '{link_id}'")
        elif item.type not in NUMBERS and not any(option.score is not None for option in item.options):
            one.wrong(f"'{link_id}' cannot be added: it is no number and its options have no score")
        link_ids.append(link_id)
    bands: list[Band] = []
    for one in fields["band"].items() if "band" in fields else ():
        parts = one.mapping(("least", "text"), ())
        if len(parts) == 2:
            bands.append(Band(parts["least"].number(), reading.text(parts["text"])))
            if len(bands) > 1 and bands[-2].least >= bands[-1].least:
                one.wrong("bands stand in order, each begins above the one before")
    return Score(fields["id"].text(), reading.text(fields["text"]), tuple(link_ids), tuple(bands))


def _all_different(top: Mapping[str, Field], name: str, ids: list[str]) -> None:
    if len(set(ids)) < len(ids):
        twice = next(one for at, one in enumerate(ids) if one in ids[:at])
        top[name].wrong(f"id '{twice}' stands here a second time")
