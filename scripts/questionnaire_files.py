"""The files of `questionnaires/`: one a questionnaire, named by its id. A bad one is refused, the others
load.

A questionnaire that answers have been given to must stay readable as it was: the database keeps `body`
and `sha256` of each version, and `read_body` reads it again. A new wording is a new version by itself,
because its hash differs.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from scripts.answers import AnswerRefused, validate_answer
from scripts.questionnaire import (
    CHOICES,
    EQUAL,
    FALLBACK,
    NUMBERS,
    ORDER,
    Answer,
    Item,
    ItemType,
    Option,
    Questionnaire,
    ReadAloud,
    RedFlag,
    Text,
)
from scripts.verbalise import SPEECH
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile

HERE = Path(__file__).parent / "questionnaires"
PURPOSES = ("follow-up", "survey", "education")

# Beside linkId, type, text and required: what an item of each type may have.
ITEM_KEYS: dict[ItemType, tuple[str, ...]] = {
    ItemType.GROUP: ("item",),
    ItemType.STRING: ("maxLength", "normal"),
    ItemType.TEXT: ("maxLength", "normal"),
    ItemType.INTEGER: ("minValue", "maxValue", "unit", "normal"),
    ItemType.DECIMAL: ("minValue", "maxValue", "unit", "normal"),
    ItemType.QUANTITY: ("minValue", "maxValue", "unit", "normal"),
    ItemType.CHOICE: ("answerOption", "repeats", "normal"),
    ItemType.OPEN_CHOICE: ("answerOption", "repeats", "maxLength", "normal"),
}
ALWAYS = ("linkId", "type", "text", "required")


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
    """Read one file. Raises `FileRefused` with all that is wrong in it."""
    return _read(SourceFile(path), path.stem)


def read_body(body: str) -> Questionnaire:
    """Read a version that was kept. Raises `FileRefused`; JSON is YAML, so the rules are the same."""
    return _read(SourceFile(Path("kept/body"), body.encode()), None)


def _read(source: SourceFile, stem: str | None) -> Questionnaire:
    top = source.top.mapping(("id", "title", "purpose", "reviewed_by", "script", "item"), ("redFlag",))
    if any(name not in top for name in ("id", "title", "purpose", "reviewed_by", "script", "item")):
        source.finish()
    name = top["id"].text()
    if name and stem is not None and name.replace("-", "_") != stem:
        top["id"].wrong(f"id is {name!r}, but the file is named {stem}.yaml")
    purpose = top["purpose"].text()
    if purpose and purpose not in PURPOSES:
        top["purpose"].wrong(f"purpose {purpose!r} is not known; allowed: {', '.join(PURPOSES)}")
    ids: dict[str, int] = {}
    items = tuple(_item(field, ids) for field in top["item"].items())
    if not items:
        top["item"].wrong("a questionnaire needs at least one item")
    title, spoken = _text(top["title"]), _read_aloud(top["script"])
    reviewed = {language: by.text_or_null() for language, by in top["reviewed_by"].mapping().items()}
    draft = Questionnaire(name, title, purpose, spoken, items, (), reviewed, "")
    flags = tuple(_red_flag(field, draft) for field in top["redFlag"].items()) if "redFlag" in top else ()
    source.finish()
    return Questionnaire(name, title, purpose, spoken, items, flags, reviewed, canonical(source.top.data()))


def canonical(data: object) -> str:
    """One spelling for the same content: sorted keys, no spaces, NFC. Comments and line breaks of a
    file are not in it.
    """
    spelled = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return unicodedata.normalize("NFC", spelled)


def _text(field: Field) -> Text:
    by_language = {}
    for language, said in field.mapping((FALLBACK,)).items():
        if language not in SPEECH:
            said.wrong(f"language {language!r} is not known; known: {', '.join(SPEECH)}")
        by_language[language] = said.text()
    return Text(by_language)


def _read_aloud(field: Field) -> ReadAloud:
    parts = field.mapping(("opening", "notice", "closing"), ())
    texts = {name: _text(part) for name, part in parts.items()}
    empty = Text({})
    return ReadAloud(texts.get("opening", empty), texts.get("notice", empty), texts.get("closing", empty))


def _item(field: Field, ids: dict[str, int]) -> Item:
    every = {key for keys in ITEM_KEYS.values() for key in keys}
    fields = field.mapping(("linkId", "type", "text"), ("required", *every))
    link_id = fields["linkId"].text() if "linkId" in fields else ""
    if link_id in ids:
        fields["linkId"].wrong(f"linkId '{link_id}' stands here a second time; it was on line {ids[link_id]}")
    ids[link_id] = field.line
    kind = _type(fields)
    for name, value in fields.items():
        if name in every and name not in ITEM_KEYS[kind]:
            value.wrong(f"'{name}' means nothing for an item of type {kind}")
    text = _text(fields["text"]) if "text" in fields else Text({})
    inner = tuple(_item(one, ids) for one in fields["item"].items()) if "item" in fields else ()
    if kind is ItemType.GROUP and not inner:
        field.wrong("a group needs items")
    item = Item(
        link_id=link_id,
        type=kind,
        text=text,
        required=fields["required"].flag() if "required" in fields else False,
        repeats=fields["repeats"].flag() if "repeats" in fields else False,
        options=_options(field, fields, kind),
        unit=fields["unit"].text() if "unit" in fields else None,
        minimum=fields["minValue"].number() if "minValue" in fields else None,
        maximum=fields["maxValue"].number() if "maxValue" in fields else None,
        max_length=int(fields["maxLength"].number()) if "maxLength" in fields else None,
        items=inner,
    )
    if item.minimum is not None and item.maximum is not None and item.minimum >= item.maximum:
        fields["maxValue"].wrong(f"maxValue {item.maximum:g} is not above minValue {item.minimum:g}")
    if item.type is ItemType.QUANTITY and item.unit is None:
        field.wrong("a quantity needs a unit")
    return _with_normal(item, fields["normal"]) if "normal" in fields else item


def _type(fields: Mapping[str, Field]) -> ItemType:
    if "type" not in fields:
        return ItemType.STRING
    written = fields["type"].text()
    try:
        return ItemType(written)
    except ValueError:
        fields["type"].wrong(f"type '{written}' is not known; allowed: {', '.join(ItemType)}")
        return ItemType.STRING


def _options(field: Field, fields: Mapping[str, Field], kind: ItemType) -> tuple[Option, ...]:
    if "answerOption" not in fields:
        if kind in CHOICES:
            field.wrong(f"an item of type {kind} needs answerOption")
        return ()
    options: list[Option] = []
    for one in fields["answerOption"].items():
        parts = one.mapping(("code", "text"), ("exclusive",))
        code = parts["code"].text() if "code" in parts else ""
        if any(option.code == code for option in options):
            one.wrong(f"code '{code}' stands here a second time")
        exclusive = parts["exclusive"].flag() if "exclusive" in parts else False
        options.append(Option(code, _text(parts["text"]) if "text" in parts else Text({}), exclusive))
    if len(options) < 2:
        fields["answerOption"].wrong("a choice needs at least two options")
    return tuple(options)


def _with_normal(item: Item, field: Field) -> Item:
    raw = field.data()
    normal: Answer | None = None
    try:
        normal = validate_answer(item, raw)
    except AnswerRefused as refusal:
        field.wrong(f"normal: {refusal.allowed}")
    return replace(item, normal=normal)


def _red_flag(field: Field, questionnaire: Questionnaire) -> RedFlag:
    fields = field.mapping(("id", "question", "operator", "answer", "text"), ())
    if len(fields) < 5:
        return RedFlag("", "", EQUAL, "", Text({}))
    question, operator, answer = fields["question"].text(), fields["operator"].text(), fields["answer"].plain()
    flag = RedFlag(fields["id"].text(), question, operator, answer, _text(fields["text"]))
    if operator not in (*ORDER, EQUAL):
        fields["operator"].wrong(f"operator '{operator}' is not known; allowed: {', '.join((*ORDER, EQUAL))}")
    try:
        item = questionnaire.question(question)
    except KeyError:
        fields["question"].wrong(f"no question has linkId '{question}'")
        return flag
    if item.type not in NUMBERS | CHOICES:
        fields["question"].wrong(f"'{question}' is of type {item.type}: only a number or a choice can raise a flag")
    elif operator in ORDER and item.type not in NUMBERS:
        fields["operator"].wrong(f"'{operator}' compares numbers; '{question}' is of type {item.type}")
    else:
        try:
            validate_answer(item, answer)
        except AnswerRefused as refusal:
            fields["answer"].wrong(f"this answer is never given: {refusal.allowed}")
    return flag
