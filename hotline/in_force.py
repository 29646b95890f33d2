"""What the site has in force: what comes with the hotline, over it the site's files, over them the published editions.

Rules: what can't be loaded costs nobody their call. The edition before it is used, or else the file's, and `troubles`
says so for the log and for the console. What is in force never changes; a new edition makes a new one, and a call that
has begun keeps the one that it began with.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import scripts
from hospital.calling_hours import Window
from hospital.editions import Body, Publications, Sheet
from hospital.opening import Hours
from hospital.outcome_rules import SHIPPED as SHIPPED_OUTCOMES
from hospital.outcome_rules import OutcomeRules
from hotline import numbering
from hotline.care_wiring import opening_hours, triage_table
from hotline.settings import Settings
from scripts import wording
from scripts.hours_sheet import MIDNIGHT, WEEKDAYS, read_hours
from scripts.menu_sheet import SHIPPED as SHIPPED_MENU
from scripts.menu_sheet import Menu, read_menu
from scripts.outcome_sheet import as_data, read_outcomes
from scripts.site_file import NOTHING, SiteSays, read_says, read_site, with_site
from scripts.triage import HERE as SHIPPED_TRIAGE
from scripts.triage import Triage, read_table
from scripts.wording import Wording
from scripts.wording_changes import NO_CHANGES, Changes, read_changes, with_changes, without_unknown
from scripts.wording_files import Language, load_languages
from scripts.yaml_lines import FileRefused, Problem, SourceFile

T = TypeVar("T")
DEMO_INFORMATION = Path(scripts.__file__).parent / "site" / "san_rafael.yaml"
NOTHING_PUBLISHED = Publications(0, {})


@dataclass(frozen=True)
class Trouble:
    """An edition that can't be loaded. `used`: the number of the one that is in force instead, None for the file's."""

    sheet: Sheet
    number: int
    used: int | None
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        instead = f"edition {self.used}" if self.used is not None else "the file"
        told = "; ".join(map(str, self.problems))
        return f"edition {self.number} of {self.sheet} can't be loaded, {instead} is in force: {told}"


@dataclass(frozen=True, eq=False)
class InForce:
    """`number`: of the newest publication that is in it."""

    number: int
    words: Wording
    hours: Hours
    triage: Triage | None
    menu: Menu | None
    outcomes: OutcomeRules = SHIPPED_OUTCOMES
    troubles: tuple[Trouble, ...] = ()


class Shipped:
    """What comes with the hotline and what the site's files say, read once by a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        site = settings.site
        self.site = wording.Site(
            hospital=site.name,
            emergency=site.emergency_number,
            number=site.callback_number or numbering.HOTLINE_EXTENSION,
            zone=ZoneInfo(site.time_zone),
            country=site.country_code,
            clock=site.clock,
        )
        loaded, problems = load_languages(wording.HERE)
        self.languages: Mapping[str, Language] = loaded
        """As they come with the hotline."""
        self.file_changes = NO_CHANGES
        if site.wording is not None:
            try:
                self.file_changes = read_changes(SourceFile(site.wording), loaded)
            except FileRefused as refusal:
                problems.extend(refusal.problems)
        self.with_files = with_changes(loaded, self.file_changes)
        """With what the site's file changes: what the console changes further."""
        self.says = NOTHING
        information = site.information or (DEMO_INFORMATION if settings.demo else None)
        if information is not None:
            try:
                self.says = read_site(information, self.with_files)
            except FileRefused as refusal:
                problems.extend(refusal.problems)
        self.refused = tuple(problems)

    def words(self, changes: Changes = NO_CHANGES, says: SiteSays | None = None) -> Wording:
        """All sentences, with what editions change in them."""
        says = self.says if says is None else says
        languages = with_site(with_changes(self.with_files, changes), says)
        return Wording(self.site, languages, self.refused, frozenset(says.spoken))

    # A body of a sheet, as strictly as a file; None is what the file says. Each raises `FileRefused`.

    def changes(self, body: Body) -> Changes:
        return NO_CHANGES if body is None else read_changes(SourceFile.of(body, "wording"), self.with_files)

    def site_says(self, body: Body) -> SiteSays:
        return self.says if body is None else read_says(SourceFile.of(body, "information"), self.with_files)

    def hours(self, body: Body) -> Hours:
        if body is None:
            return opening_hours(self.settings)
        week = read_hours(SourceFile.of(body, "hours"))
        window = Window(week.days, self.site.country, week.public_holidays)
        return Hours(self.site.zone, window, week.closed_days, week.special)

    def triage(self, body: Body) -> Triage | None:
        spoken = [tag for tag, language in self.with_files.items() if language.spoken]
        if body is None:
            return triage_table(self.settings, spoken)
        return read_table(SourceFile.of(body, "triage"), spoken)

    def menu(self, body: Body) -> Menu | None:
        return None if body is None else read_menu(SourceFile.of(body, "menu"))

    def outcomes(self, body: Body) -> OutcomeRules:
        return SHIPPED_OUTCOMES if body is None else read_outcomes(SourceFile.of(body, "outcomes"))

    def file_of(self, sheet: Sheet) -> Body:
        """The file's own data: what an editor begins with. None where there is no file that can be read."""
        match sheet:
            case "wording":
                path = self.settings.site.wording
            case "information":
                path = self.settings.site.information or (DEMO_INFORMATION if self.settings.demo else None)
            case "triage":
                path = self.settings.triage.file or SHIPPED_TRIAGE
            case "menu":
                return {"entries": [{"key": key, "leads_to": leads_to} for key, leads_to in SHIPPED_MENU]}
            case "outcomes":
                return as_data(SHIPPED_OUTCOMES)
            case "hours":
                return hours_as_data(self.settings)
        try:
            data = SourceFile(path).top.data() if path else None
        except FileRefused:
            return None
        return data if isinstance(data, dict) else None


def hours_as_data(settings: Settings) -> Body:
    """What the settings say, in the shape of an edition."""
    of = settings.opening
    hours = of.hours if of.hours is not None else dict.fromkeys(WEEKDAYS, (f"00:00-{MIDNIGHT}",))
    return {
        "hours": {str(day): list(intervals) for day, intervals in hours.items()},
        "public_holidays": of.hours is None or of.public_holidays,
        "closed_days": [day.isoformat() for day in of.closed_days],
        "special": {},
    }


def assemble(shipped: Shipped, published: Publications) -> InForce:
    """Never raises for what is in an edition."""
    troubles: list[Trouble] = []

    def known(body: Body) -> Changes:
        return shipped.changes(None if body is None else without_unknown(body, shipped.with_files))

    changes = _loaded("wording", published, known, troubles)
    says = _loaded("information", published, shipped.site_says, troubles)
    hours = _loaded("hours", published, shipped.hours, troubles)
    table = _loaded("triage", published, shipped.triage, troubles)
    menu = _loaded("menu", published, shipped.menu, troubles)
    outcomes = _loaded("outcomes", published, shipped.outcomes, troubles)
    words = shipped.words(changes, says)
    return InForce(published.number, words, hours, table, menu, outcomes, tuple(troubles))


def _loaded(sheet: Sheet, published: Publications, read: Callable[[Body], T], troubles: list[Trouble]) -> T:
    """The newest edition that can be loaded, or what the file says."""
    refused: list[tuple[int, tuple[Problem, ...]]] = []
    used: int | None = None
    result: T | None = None
    bodies: Sequence[tuple[int, Mapping[str, Any] | None]] = published.bodies.get(sheet, ())
    for number, body in bodies:
        try:
            result, used = read(body), number
            break
        except FileRefused as refusal:
            refused.append((number, refusal.problems))
    troubles.extend(Trouble(sheet, number, used, problems) for number, problems in refused)
    return read(None) if result is None else result
