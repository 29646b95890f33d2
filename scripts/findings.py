"""What is found in a sheet before it goes live: where, what, what to do. The same checks for files and for the console.

A finding that stops must be mended first. One that only warns may be published with a reason. All are told at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from hospital.outcome_rules import SHIPPED, OutcomeRules
from scripts.examples import examples, written
from scripts.menu_sheet import Menu, out_of_reach
from scripts.placeholders import WrongValue
from scripts.site_file import SiteSays
from scripts.triage import Department, RedFlag, Triage
from scripts.verbalise import speech
from scripts.wording import Wording
from scripts.wording_changes import Changes
from scripts.yaml_lines import Problem

LONGEST_S = 30.0  # seconds; who listens longer has forgotten how it began, and so has every menu of ours been cut
LONGEST_MESSAGE = 459  # letters of a text message: three parts


@dataclass(frozen=True, slots=True)
class Finding:
    """`where`: names on the way to it, such as ("es", "prompts", "goodbye"). `stops`: it must not go live so."""

    where: tuple[str, ...]
    what: str
    do: str
    stops: bool = True

    def __str__(self) -> str:
        return f"{' › '.join(self.where) or 'here'}: {self.what}. {self.do}".rstrip()


def of_problems(problems: Iterable[Problem]) -> list[Finding]:
    """What the reading refuses, as findings."""
    return [Finding(one.where, one.what, one.do or "Correct it there.") for one in problems]


def spoken_s(sentence: str, language: str, pace: float = 1.0) -> float:
    """About how many seconds a sentence takes, from its letters."""
    return sum(map(str.isalnum, sentence)) / speech(language).LETTERS_A_SECOND / pace


def of_wording(changes: Changes, words: Wording, offered: Collection[str]) -> list[Finding]:
    """`words`: with the changes in them. `offered`: languages that callers can choose."""
    return [
        *_sayable(changes, words),
        *_sendable(changes, words),
        *_in_all_languages(changes, words, offered),
        *_unreviewed(changes),
    ]


def _sayable(changes: Changes, words: Wording) -> Iterator[Finding]:
    values = examples(ZoneInfo(str(words.site.zone)))
    for tag, prompts in changes.prompts.items():
        for key, forms in prompts.items():
            for form in forms:
                where = (tag, "prompts", key, form)
                try:
                    said = words.text(key if form == "text" else f"{key}.{form}", tag, **values)
                except WrongValue as refused:
                    yield Finding(where, str(refused), "Use this placeholder as the sentence before did.")
                    continue
                yield from too_long(where, said, tag, words.pace(tag))


def too_long(where: tuple[str, ...], said: str, language: str, pace: float = 1.0) -> Iterator[Finding]:
    """A sentence that nobody can listen to."""
    seconds = spoken_s(said, language, pace)
    if seconds > LONGEST_S:
        what = f"takes about {seconds:.0f} seconds to say; {LONGEST_S:.0f} are the most"
        yield Finding(where, what, "Shorten it: one idea, then its key.")


def of_triage(table: Triage, before: Triage | None, departments: Mapping[str, bool], words: Wording) -> list[Finding]:
    """`before`: the table in force. `departments`: code → whether anything can be booked there."""
    found: list[Finding] = []
    for name, step in table.steps.items():
        for number, row in enumerate(step.rows, 1):
            where = ("steps", name, "rows", str(number))
            if isinstance(row.leads_to, Department):
                code = row.leads_to.code
                if code not in departments:
                    do = f"Use one of: {', '.join(sorted(departments)) or 'none yet'}."
                    found.append(Finding((*where, "department"), f"there is no department '{code}'", do))
                elif not departments[code]:
                    do = "Open times for it, or lead callers elsewhere."
                    found.append(Finding((*where, "department"), f"'{code}' has no free time", do, stops=False))
        for tag in words.spoken:
            listed = " ".join([step.question.get(tag, ""), *(row.complaint.get(tag, "") for row in step.rows)])
            found += too_long(("steps", name, "question", tag), listed, tag, words.pace(tag))
    for gone in sorted(_red_flags(before) - _red_flags(table)) if before else []:
        what = f"the red flag '{gone}' is not in the table any more"
        found.append(Finding(("steps",), what, "Say in the reason who decided it, and why.", stops=False))
    return found


def _red_flags(table: Triage | None) -> set[str]:
    rows = (row.leads_to for step in table.steps.values() for row in step.rows) if table else ()
    return {to.code for to in rows if isinstance(to, RedFlag)}


def of_site(says: SiteSays, words: Wording, prepared: Mapping[str, Collection[str]]) -> list[Finding]:
    """`prepared`: code of a preparation → the departments that name it."""
    found: list[Finding] = []
    for key, by in says.spoken.items():
        for tag, sentence in by.items():
            found += too_long((key, tag), sentence, tag, words.pace(tag))
    for code, where in sorted(prepared.items()):
        if f"prepare_{code}" not in says.spoken:
            what = f"nothing is said of '{code}', which {', '.join(sorted(where))} needs"
            do = "Write how to prepare; until then who books there speaks to a person."
            found.append(Finding(("prepare", code), what, do, stops=False))
    return found


def of_menu(menu: Menu, words: Wording) -> list[Finding]:
    """`menu`: as it was read."""
    found: list[Finding] = []
    for tag in words.spoken:
        said = [words.text(f"offer_{leads_to}", tag, key=int(key)) for key, leads_to in menu]
        found += too_long(("entries", tag), " ".join(said), tag, words.pace(tag))
    for name in out_of_reach(menu):
        what = f"no choice leads to '{name}': nobody will ever hear it"
        found.append(Finding(("entries",), what, "Offer it, or be sure that a person does it instead.", stops=False))
    return found


def of_hours(days_open: int, first: str) -> list[Finding]:
    """`days_open`: of the next fourteen. `first`: the day that the check looked from."""
    if days_open:
        return []
    what = f"nobody answers in the fourteen days from {first} on"
    return [Finding(("special",), what, "Check the closed days and the days with hours of their own.", stops=False)]


def of_outcomes(rules: OutcomeRules) -> list[Finding]:
    """`rules`: as they were read."""
    found: list[Finding] = []
    for kind, rows, before in (("line", rules.line, SHIPPED.line), ("contact", rules.contact, SHIPPED.contact)):
        for result, rule in rows.items():
            if rule.way == "close" and before[result].way != "close":
                what = f"after '{result}' nobody tries again, not even a nurse"
                do = "Choose nurse, or be sure that such a patient may be left without a call."
                found.append(Finding((kind, result, "next"), what, do, stops=False))
    return found


def _sendable(changes: Changes, words: Wording) -> Iterator[Finding]:
    values = written(ZoneInfo(str(words.site.zone)))
    for tag, messages in changes.messages.items():
        for key in messages:
            where = (tag, "messages", key)
            try:
                text = words.message(key, tag, **values)
            except WrongValue as refused:
                yield Finding(where, str(refused), "Use this placeholder as the text before did.")
                continue
            if len(text) > LONGEST_MESSAGE:
                what = f"has {len(text)} letters; {LONGEST_MESSAGE} are the most"
                yield Finding(where, what, "Shorten it: a text message names hospital, day, time and number.")


def _in_all_languages(changes: Changes, words: Wording, offered: Collection[str]) -> Iterator[Finding]:
    spoken = [tag for tag in words.spoken if tag in offered]
    for kind, by_language in (("prompts", changes.prompts), ("messages", changes.messages)):
        changed: dict[str, set[str]] = {}
        for tag, entries in by_language.items():
            for key in entries:
                changed.setdefault(key, set()).add(tag)
        for key, tags in sorted(changed.items()):
            others = [tag for tag in spoken if tag not in tags]
            if others:
                what = f"is changed in {', '.join(sorted(tags))} and not in {', '.join(others)}"
                yield Finding((kind, key), what, "Make sure that all languages say the same.", stops=False)


def _unreviewed(changes: Changes) -> Iterator[Finding]:
    for tag, prompts in changes.prompts.items():
        keys = sorted(key for key in prompts if not changes.reviewed_by.get(tag, {}).get(key))
        if keys:
            what = f"no native speaker has read {', '.join(keys)} as it stands now"
            yield Finding((tag, "reviewed_by"), what, "Have it read aloud, and write down by whom.", stops=False)


def stopping(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.stops]
