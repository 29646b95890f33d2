"""What follows from a call's results, as the site has it (`hospital.outcome_rules`).

    most_dials: 12
    line:
      busy: {next: same_number, after: 30 min, last_try: another_time}
      unreachable: {next: other_number, after: 2 h}
    contact:
      hung_up: {next: nurse}
      moved: {next: other_number, after: 1 d, number: invalid}

A result that is not named goes as shipped; so does `last_try` where it is left out: not at all. `next` is one of
same_number, other_number, other_channel, nurse, close; `after` a time, or another_time: another day, at the other time
of day. Refused: a step that leads nowhere or back to who must not be called again, a wait under five minutes or over
fourteen days, a result that there is not, a line's word that makes a number invalid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hospital.outcome_rules import (
    CONTACT_WAYS,
    FEWEST_DIALS,
    LINE_WAYS,
    LONGEST,
    MOST_DIALS,
    PUTS_AWAY,
    SHIPPED,
    SHORTEST,
    WAYS,
    OutcomeRules,
    Rule,
    Way,
)
from scripts.yaml_lines import Field, SourceFile

ANOTHER_TIME = "another_time"
UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
CALLS: tuple[Way, ...] = ("same_number", "other_number")  # the steps that are calls, at a time
FINAL = {"completed": "is done", "refused": "has said no", "deceased": "has died"}
NOT_THE_LINES = "a number is put away after two attempts a day apart, or when a person says so"


def read_outcomes(file: SourceFile) -> OutcomeRules:
    """Raises `FileRefused` with all that is wrong."""
    top = file.top.mapping((), ("most_dials", "line", "contact"))
    most = SHIPPED.most_dials
    if "most_dials" in top:
        told = top["most_dials"].number()
        most = int(told)
        if most != told or not FEWEST_DIALS <= most <= MOST_DIALS:
            do = f"Give {FEWEST_DIALS} to {MOST_DIALS}: without an end a phone that is off is called for ever."
            top["most_dials"].wrong(f"{told:g} calls are not possible", do)
    line = _rules(top.get("line"), LINE_WAYS, SHIPPED.line, by_line=True)
    contact = _rules(top.get("contact"), CONTACT_WAYS, SHIPPED.contact, by_line=False)
    file.finish()
    return OutcomeRules(line, contact, most)


def _rules(
    field: Field | None, ways: Mapping[str, frozenset[Way]], shipped: Mapping[str, Rule], *, by_line: bool
) -> Mapping[str, Rule]:
    rules = dict(shipped)
    for result, entry in (field.mapping((), ways) if field is not None else {}).items():
        if result in ways:
            rules[result] = _rule(entry, result, ways[result], by_line=by_line)
    return rules


def _rule(entry: Field, result: str, allowed: frozenset[Way], *, by_line: bool) -> Rule:
    parts = entry.mapping(("next",), ("after", "last_try", "number"))
    way = parts["next"].text() if "next" in parts else "close"
    if way not in WAYS:
        if way:
            parts["next"].wrong(f"there is no step '{way}'", f"Use one of {', '.join(WAYS)}.")
        return Rule("close")
    if way not in allowed:
        parts["next"].wrong(f"'{way}' can't follow '{result}'", _why_not(result, allowed))
    after = _after(parts["after"], result) if "after" in parts else None
    if way not in CALLS and "after" in parts and after is not None:
        parts["after"].wrong(f"no call follows by '{way}', so it has no time", "Take the time out, or choose a call.")
    last = parts["last_try"].text() if "last_try" in parts else ""
    if last and last != ANOTHER_TIME:
        parts["last_try"].wrong(f"'{last}' is no time for the last try", f"Write {ANOTHER_TIME}, or leave it out.")
    return Rule(way, after, last == ANOTHER_TIME, _put_away(entry, parts, result, by_line=by_line))


def _why_not(result: str, allowed: frozenset[Way]) -> str:
    if result in FINAL:
        return f"Leave it closed: who {FINAL[result]} is not called again for this."
    reason = {
        "invalid_number": "The number says that it does not exist.",
        "wrong_person": "It is somebody else's number.",
        "call_later": "They asked us to call.",
        "network_failure": "The line is ours, and the patient has not been called.",
    }.get(result, "")
    return f"{reason} Use one of {', '.join(way for way in WAYS if way in allowed)}.".lstrip()


def _after(entry: Field, result: str) -> timedelta | None:
    text = entry.text()
    if text == ANOTHER_TIME or not text:
        if text and result == "network_failure":
            entry.wrong("a line that failed has not reached anybody", "Give a time, such as 10 min.")
        return None
    parts = re.fullmatch(r"(\d{1,5}) ?(min|h|d)", text)
    if parts is None:
        entry.wrong(f"'{text}' is no time", f"Write 30 min, 2 h, 1 d, or {ANOTHER_TIME}.")
        return None
    wait = int(parts[1]) * UNITS[parts[2]]
    if not SHORTEST <= wait <= LONGEST:
        entry.wrong(f"'{text}' is too {'soon' if wait < SHORTEST else 'late'}", "Wait 5 minutes to 14 days.")
    return wait


def _put_away(entry: Field, parts: Mapping[str, Field], result: str, *, by_line: bool) -> bool:
    told = parts["number"].text() if "number" in parts else ""
    if told and told not in ("invalid", "kept"):
        parts["number"].wrong(f"'{told}' is nothing that happens to a number", "Write invalid or kept.")
    if told == "invalid" and by_line:
        parts["number"].wrong(f"the line's word makes no number invalid: {NOT_THE_LINES}", "Leave it out.")
    elif told == "invalid" and result not in PUTS_AWAY:
        parts["number"].wrong(f"'{result}' says nothing against the number", "Leave it out.")
    elif result == "wrong_person" and told == "kept":
        parts["number"].wrong("a stranger would be called again", "Leave it out: the number is put away.")
    return result == "wrong_person" or told == "invalid"


def as_data(rules: OutcomeRules) -> dict[str, Any]:
    """Rules in the shape of the sheet."""
    return {
        "most_dials": rules.most_dials,
        "line": {result: rule_as_data(rule) for result, rule in rules.line.items()},
        "contact": {result: rule_as_data(rule) for result, rule in rules.contact.items()},
    }


def rule_as_data(rule: Rule) -> dict[str, str]:
    told: dict[str, str] = {"next": rule.way}
    if rule.way in CALLS:
        told["after"] = ANOTHER_TIME if rule.after is None else wait_as_text(rule.after)
    if rule.last_try_another_time:
        told["last_try"] = ANOTHER_TIME
    if rule.puts_number_away:
        told["number"] = "invalid"
    return told


def wait_as_text(wait: timedelta) -> str:
    unit = next(unit for unit in ("d", "h", "min") if wait % UNITS[unit] == timedelta(0))
    return f"{wait // UNITS[unit]} {unit}"


def only_changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a body differs from what is shipped: what an update improves reaches all the rest."""
    shipped = as_data(SHIPPED)
    changed: dict[str, Any] = {}
    if body.get("most_dials", SHIPPED.most_dials) != SHIPPED.most_dials:
        changed["most_dials"] = body["most_dials"]
    for kind in ("line", "contact"):
        rows = {name: row for name, row in body.get(kind, {}).items() if row != shipped[kind].get(name)}
        if rows:
            changed[kind] = rows
    return changed
