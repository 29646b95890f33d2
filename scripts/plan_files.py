"""The files of `plans/`: one a plan, named by its id. A bad one is refused with its lines, the others load.

Refused: a questionnaire or a channel that is not known, steps that count from one another in a circle, a recurring step
without an end, a plan that would make more tasks than a patient can bear.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from hospital.calendars import Calendar
from hospital.plans import CHANGES, CHANNELS, KINDS, Plan, Rule, Step, due
from scripts import library
from scripts.questionnaire_files import canonical
from scripts.yaml_lines import Field, FileRefused, Problem, SourceFile

HERE = Path(__file__).parent / "plans"
MOST_TASKS = 60
MOST_DAYS = 3660
MOST_HOURS_BEFORE = 48
CALLS = ("nurse_call", "automated_call")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SPAN = re.compile(r"(\d{1,4}) (business days?|days?|weeks?)")


def load_plans(questionnaires: Collection[str], folder: Path = HERE) -> tuple[dict[str, Plan], list[Problem]]:
    """The good plans by id, and all that is wrong in the others. `questionnaires`: the ids that there are."""
    found: dict[str, Plan] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            plan = read_plan(path, questionnaires)
        except FileRefused as refusal:
            problems.extend(refusal.problems)
        else:
            found[plan.id] = plan
    return found, problems


def read_plan(path: Path, questionnaires: Collection[str]) -> Plan:
    """Read one file. Raises `FileRefused` with all that is wrong in it."""
    source = SourceFile(path)
    top = source.top.mapping(("id", "title", "begins", "step"), ("enrol", "ends_with"))
    if any(name not in top for name in ("id", "title", "begins", "step")):
        source.finish()
    name = _code(top["id"])
    if name and name.replace("-", "_") != path.stem:
        top["id"].wrong(f"id is {name!r}, but the file is named {path.stem}.yaml")
    title = library.in_all({language: text.text() for language, text in top["title"].mapping(("en",)).items()})
    begins = _one_of(top["begins"], KINDS)
    ends_with = [_one_of(one, CHANGES) for one in top["ends_with"].items()] if "ends_with" in top else ["readmitted"]
    fields: dict[str, Field] = {}
    steps = []
    for field in top["step"].items():
        step = _step(field, questionnaires)
        if step.id in fields:
            field.wrong(f"the step {step.id!r} stands here a second time; it was on line {fields[step.id].line}")
        fields[step.id] = field
        steps.append(step)
    if not steps:
        top["step"].wrong("a plan needs at least one step")
    _follow(steps, fields)
    rule = _rule(top["enrol"]) if "enrol" in top else None
    source.finish()
    sha256 = hashlib.sha256(canonical(source.top.data()).encode()).hexdigest()
    plan = Plan(name, title, begins, rule, tuple(steps), frozenset(ends_with), sha256)
    made = len(due(plan, datetime(2026, 1, 1, tzinfo=UTC), Calendar(ZoneInfo("UTC"))))
    if made > MOST_TASKS:
        top["step"].wrong(f"makes {made} tasks for each patient; {MOST_TASKS} are allowed")
    source.finish()
    return plan


def _step(field: Field, questionnaires: Collection[str]) -> Step:
    optional = (
        "after",
        "since",
        "every",
        "until",
        "channel",
        "fallback",
        "at",
        "days",
        "within",
        "priority",
        "announce",
    )
    parts = field.mapping(("id", "questionnaire"), optional)
    questionnaire = parts["questionnaire"].text() if "questionnaire" in parts else ""
    if questionnaire and questionnaire not in questionnaires:
        known = ", ".join(sorted(questionnaires))
        parts["questionnaire"].wrong(f"there is no questionnaire {questionnaire!r}; there are {known}")
    channel = _one_of(parts["channel"], CHANNELS) if "channel" in parts else "nurse_call"
    fallback = [_one_of(one, CHANNELS) for one in parts["fallback"].items()] if "fallback" in parts else []
    if len({channel, *fallback}) <= len(fallback):
        parts["fallback"].wrong("names a channel twice, or the step's own: what failed is not tried again by it")
    every, until = (_days(parts[name]) if name in parts else None for name in ("every", "until"))
    if every is not None and until is None:
        parts["every"].wrong("recurs without an end: add 'until'")
    if until is not None and every is None:
        parts["until"].wrong("ends what does not recur: add 'every', or take it away")
    if every == 0:
        parts["every"].wrong("recurs at once for ever: at least 1 day")
    if "after" not in parts and every is None:
        field.wrong("'after' is missing: how many days after the event it is due")
    within, of_business = _span(parts["within"]) if "within" in parts else (2, True)
    return Step(
        id=_code(parts["id"]) if "id" in parts else "",
        after=_days(parts["after"]) if "after" in parts else every or 0,
        questionnaire=questionnaire,
        channel=channel,
        fallback=tuple(fallback),
        since=parts["since"].text() if "since" in parts else None,
        every=every or None,
        until=until,
        at=_time(parts["at"]) if "at" in parts else time(9),
        business_days=_one_of(parts["days"], ("any", "business")) != "any" if "days" in parts else True,
        within=within,
        within_business_days=of_business,
        priority=_between(parts["priority"], 1, 9) if "priority" in parts else 5,
        announce_hours=_announce(parts["announce"], channel) if "announce" in parts else None,
    )


def _announce(field: Field, channel: str) -> int:
    """Hours before the call; 0: no message."""
    if channel not in CALLS:
        field.wrong(f"a message says that we will call, and {channel} is no call: take it away")
    text = field.text()
    if text == "never":
        return 0
    found = re.fullmatch(r"(\d{1,2}) hours?", text)
    if found is None or not 1 <= int(found[1]) <= MOST_HOURS_BEFORE:
        field.wrong(f"write 'never', or 1 to {MOST_HOURS_BEFORE} hours before the call, such as '20 hours'")
        return 0
    return int(found[1])


def _follow(steps: list[Step], fields: Mapping[str, Field]) -> None:
    """Every `since` names a step, and none counts from itself by any way round."""
    since = {step.id: step.since for step in steps}
    for step in steps:
        if step.since is None:
            continue
        if step.since not in since:
            fields[step.id].wrong(f"counts from the step {step.since!r}, which is not in this plan")
            continue
        way, to = {step.id}, step.since
        while to is not None and to in since and to not in way:
            way.add(to)
            to = since[to] or ""
        if to in way:
            fields[step.id].wrong(f"counts from {step.since!r}, which counts from {step.id!r}: a loop is never due")


def _rule(field: Field) -> Rule | None:
    if field.is_text:
        _one_of(field, ("everyone",))
        return Rule()
    parts = field.mapping((), ("wards", "diagnoses", "age", "studies"))
    if not parts:
        field.wrong("says nobody: name wards, diagnoses, age or studies, or write 'enrol: everyone'")
    texts = {name: [one.text() for one in parts[name].items()] for name in parts if name != "age"}
    ages = (0, 200)
    if "age" in parts:
        bounds = parts["age"].mapping((), ("from", "to"))
        ages = (
            _between(bounds["from"], 0, 200) if "from" in bounds else 0,
            _between(bounds["to"], 0, 200) if "to" in bounds else 200,
        )
        if ages[0] > ages[1]:
            parts["age"].wrong(f"nobody is from {ages[0]} to {ages[1]} years old")
    return Rule(
        wards=frozenset(texts.get("wards", ())),
        diagnoses=tuple(code.upper() for code in texts.get("diagnoses", ())),
        ages=ages,
        studies=frozenset(texts.get("studies", ())),
    )


def _code(field: Field) -> str:
    code = field.text()
    if code and not _CODE.fullmatch(code):
        field.wrong(f"{code!r} is no id: small letters, digits and -")
    return code


def _one_of(field: Field, allowed: Collection[str]) -> str:
    word = field.text()
    if word and word not in allowed:
        field.wrong(f"{word!r} is not known here; allowed: {', '.join(allowed)}")
    return word


def _days(field: Field) -> int:
    count, of_business = _span(field)
    if of_business:
        field.wrong("business days can't be counted here: write days or weeks; 'days: business' moves what is due")
    return count


def _span(field: Field) -> tuple[int, bool]:
    """Days, and whether they are business days."""
    text = field.text()
    found = _SPAN.fullmatch(text)
    if found is None:
        if text:
            field.wrong(f"{text!r} is no span: write '3 days', '2 business days' or '4 weeks'")
        return 0, False
    count = int(found[1]) * (7 if found[2].startswith("week") else 1)
    if count > MOST_DAYS:
        field.wrong(f"{count} days are more than ten years")
        return 0, False
    return count, found[2].startswith("business")


def _time(field: Field) -> time:
    try:
        return time.fromisoformat(field.text())
    except ValueError:
        field.wrong("is no time of day: write it as '10:00', in quotes")
        return time(9)


def _between(field: Field, least: int, most: int) -> int:
    number = field.number()
    if number != int(number) or not least <= number <= most:
        field.wrong(f"a whole number from {least} to {most} is expected")
        return least
    return int(number)
