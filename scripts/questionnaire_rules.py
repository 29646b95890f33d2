"""What a questionnaire's file says of answers: red flags, and rules that change the plan.

A rule names conditions as a red flag does, and what follows below `then`: `sooner: 7 days` (the next step),
`nurse: true` (what the machine asked goes to a nurse), `revisit: cardiology` (a visit there is offered), `case: rating`
(it is a case, as a low rating of a talk is).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hospital.answer_changes import MOST_DAYS, Change
from scripts.questionnaire import NO_TEXT, AnswerRule, Condition, RedFlag
from scripts.questionnaire_items import Reading, any_of_all
from scripts.yaml_lines import Field

_CONDITION = ("question", "score", "operator", "answer", "when", "behavior")
_THEN = ("sooner", "nurse", "revisit", "case")
_SPAN = re.compile(r"([0-9]{1,3}) (days?|weeks?)")
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def red_flag(field: Field, reading: Reading) -> RedFlag:
    fields = field.mapping(("id", "text"), _CONDITION)
    if "id" not in fields or "text" not in fields:
        return RedFlag("", NO_TEXT, ())
    when = _when(field, fields, reading, "a red flag")
    return RedFlag(fields["id"].text(), reading.text(fields["text"]), when, any_of_all(fields, "behavior"))


def answer_rule(field: Field, reading: Reading) -> AnswerRule:
    fields = field.mapping(("id", "text", "then"), _CONDITION)
    if not {"id", "text", "then"} <= fields.keys():
        return AnswerRule(NO_TEXT, (), False, Change(""))
    name = fields["id"].text()
    if name and not _CODE.fullmatch(name):
        fields["id"].wrong(f"{name[:60]!r} is no id: small letters, digits and -")
    when = _when(field, fields, reading, "a rule")
    change = _then(name, fields["then"])
    return AnswerRule(reading.text(fields["text"]), when, any_of_all(fields, "behavior"), change)


def _when(field: Field, fields: Mapping[str, Field], reading: Reading, what: str) -> tuple[Condition, ...]:
    """One condition in its own words, or several of them below `when`."""
    if "when" not in fields:
        for name in ("operator", "answer"):
            if name not in fields:
                field.wrong(f"'{name}' is missing")
        return (reading.condition(field, fields),)
    for name in ("question", "score", "operator", "answer"):
        if name in fields:
            fields[name].wrong(f"'{name}' stands in one of the conditions of 'when', not beside it")
    when = reading.conditions(fields["when"])
    if not when:
        fields["when"].wrong(f"{what} needs a condition")
    return when


def _then(rule: str, field: Field) -> Change:
    parts = field.mapping((), _THEN)
    if not parts:
        field.wrong(f"changes nothing: name one of {', '.join(_THEN)}")
    nurse = parts["nurse"].flag() if "nurse" in parts else False
    if "nurse" in parts and not nurse:
        parts["nurse"].wrong("'nurse: false' changes nothing: take it away")
    revisit = parts["revisit"].text() if "revisit" in parts else None
    if revisit and not _CODE.fullmatch(revisit):
        parts["revisit"].wrong(f"{revisit[:60]!r} is no department's code")
    case = parts["case"].text() if "case" in parts else None
    if case not in (None, "rating"):
        parts["case"].wrong(f"{case[:60]!r} is no kind of case that answers open: rating")
    return Change(rule, _days(parts["sooner"]) if "sooner" in parts else None, nurse, revisit, case is not None)


def _days(field: Field) -> int:
    written = field.text()
    found = _SPAN.fullmatch(written)
    days = int(found[1]) * (7 if found[2].startswith("week") else 1) if found else 0
    if not 1 <= days <= MOST_DAYS:
        field.wrong(f"write how soon the next step is to come, such as '3 days' or '2 weeks', up to {MOST_DAYS} days")
    return days
