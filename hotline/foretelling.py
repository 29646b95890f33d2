"""What will probably be said soon is spoken before anybody asks: the coming free times, and whom we are about to call.

Rules: a sentence at a time, by the natural voice, and only while nothing else is being rendered: who is on the line
goes first. The commonest first: the menus, the next times of each department, then our own calls in their order, at the
pace of each. Begun anew when bookings or contacts change, and every few minutes, as free times pass. What is there
already costs a look. Where no natural voice is, nothing is rendered; what belongs to one patient is purged everywhere.

After all that comes what every caller hears alike: at its own pace, which the job `voices` sees to as well, then once
more at the pace to which the key for slower speech leads first. No more than that: days and times at a second pace, or
all slower still, would not be worth the disk. So it costs once what those prompts cost at their own pace, and a fifth.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import product
from typing import get_args

from hospital import coming
from hospital.booking import ANY_TIME, Department, Kind
from hospital.coming import Coming
from hospital.notices import PostgresNotices
from hospital.wishes import Part, part_of, rank
from hotline.settings import Settings
from hotline.sheets import Sheets
from hotline.wiring import SPOKEN_KINDS
from ivr.choosing import MOST
from ivr.dialogues.booking import POOL
from ivr.dialogues.outgoing import greeting
from ivr.dialogues.reminding import missed, reminded_of
from ivr.dialogues.survey_choices import sentences
from ivr.dialogues.suspended import told_of
from ivr.dialogues.times import OFFERED, offers, read_back, the_time
from ivr.front_desk import FrontDesk
from ivr.house import PACES
from ivr.turn import Prompt
from scripts.placeholders import Value
from scripts.questionnaire_files import kept
from speech.speaker import Speaker
from speech.voices import VoiceFailed

log = logging.getLogger(__name__)

CHANGES = frozenset({"slot", "suspension", "task", "campaign", "edition", "look_again"})
EVERY_S = 300.0  # free times pass, and nobody tells
REST_S = 20.0  # between two looks, however much changes
SOON = timedelta(hours=1)  # in which a contact is due
CONTACTS = 200
KEPT_S = 86_400.0  # of a patient's own sentences


async def foretell(settings: Settings, sheets: Sheets, said: Speaker, front: FrontDesk) -> None:
    """Runs until it is cancelled. Nobody waits for it."""
    changed = asyncio.Event()
    listening = asyncio.create_task(_listen(front.database.url, changed))
    try:
        while True:
            changed.clear()
            try:
                await said.cache.purge(KEPT_S)
                words = (await sheets.now()).words
                by_now = said.saying(words)
                await render(by_now, front, settings.site.languages, changed)
                await render_alike(by_now, words.every_key(), settings.site.languages, changed)
            except Exception as failure:  # of the database, of a disk, or of whatever booking desk there is
                log.error("what is said soon is spoken when it is needed (%s)", type(failure).__name__)
            await asyncio.sleep(REST_S)
            try:
                async with asyncio.timeout(EVERY_S):
                    await changed.wait()
            except TimeoutError:
                pass
    finally:
        listening.cancel()
        await asyncio.wait([listening])


async def _listen(database_url: str, changed: asyncio.Event) -> None:
    async for notice in PostgresNotices(database_url).listen():
        if notice.kind in CHANGES:
            changed.set()


async def render(said: Speaker, front: FrontDesk, languages: Iterable[str], changed: asyncio.Event) -> int:
    """One look; how many sentences were gone through. Ends early where there is something new to look at."""
    tongues = [language for language in languages if said.cache.better(language)]
    if not tongues:
        return 0
    count = 0
    async for prompt, language in likely(front, tongues):
        if changed.is_set():
            break
        await _spoken(said, prompt, language)
        count += 1
    return count


async def render_alike(said: Speaker, keys: Iterable[str], languages: Iterable[str], changed: asyncio.Event) -> int:
    """What of `keys` (forms too) is the same for every caller, then the same more slowly; the questions before their
    forms. How many sentences were gone through; ends early as `render` does."""
    tongues = [language for language in languages if said.cache.better(language)]
    alike = sorted((key for key in keys if said.sentences.is_static(key)), key=lambda key: "." in key)
    count = 0
    for pace, language, key in product(PACES[:2], tongues, alike):
        if changed.is_set():
            break
        await _spoken(said, Prompt(key).at_pace(pace), language)
        count += 1
    return count


async def _spoken(said: Speaker, prompt: Prompt, language: str) -> None:
    try:
        await said.at_leisure(prompt.key, language, prompt.params, prompt.pace)
    except VoiceFailed as failure:  # of a name, perhaps: the others can be said
        log.warning("%s cannot be spoken beforehand in %s: %s", prompt.key, language, failure)


async def likely(front: FrontDesk, languages: list[str]) -> AsyncIterator[tuple[Prompt, str]]:
    """What will probably be said, in which language; each once, the likeliest first."""
    common = [prompt async for prompt in _of_departments(front)]
    seen: set[tuple[str, str, str, float]] = set()
    expected = await front.database.run(partial(coming.contacts, kinds=SPOKEN_KINDS, most=CONTACTS), front.now(), SOON)
    every = [(prompt, language) for prompt in common for language in languages]
    for one in (one for one in expected if one.language in languages):
        pace = PACES[1] if front.slowly(one.birth_year) else PACES[0]
        every += [(prompt, one.language) for prompt in of_contact(one, pace)]
    for prompt, language in every:
        what = (prompt.key, language, repr(dict(prompt.params)), prompt.pace)
        if what not in seen:
            seen.add(what)
            yield prompt, language


async def _of_departments(front: FrontDesk) -> AsyncIterator[Prompt]:
    """First the menus, then each department's times, then those of who prefers a part of the day."""
    departments = [one for kind in get_args(Kind) for one in await front.desk.departments(kind)]
    for kind, question in (("clinic", "choose_department"), ("examination", "choose_examination")):
        rows = [one for one in departments if one.kind == kind]
        if 0 < len(rows) <= MOST:
            choices: list[dict[str, Value]] = [{"department": one.names, "key": key} for key, one in enumerate(rows, 1)]
            yield Prompt(question, choices=choices)
    for department in departments:
        for prompt in await _times(front, department, None):
            yield prompt
    for part in get_args(Part):
        for department in departments:
            for prompt in await _times(front, department, part):
                yield prompt


async def _times(front: FrontDesk, department: Department, prefers: Part | None) -> list[Prompt]:
    """As `booking._Choosing` offers them to a caller without wishes, and what is offered after them."""
    now = front.now()
    wishes = [ANY_TIME] if prefers is None else [ANY_TIME, replace(ANY_TIME, part=prefers)]
    pool = [
        one
        for wish in wishes
        for one in await front.desk.openings(department.code, now, after=now, limit=POOL, wish=wish)
    ]
    ranked = rank(pool, front.zone, prefers=prefers)
    first, following = ranked[:OFFERED], ranked[OFFERED : 2 * OFFERED]
    if not first:
        return []
    suiting = prefers is not None and all(part_of(one.starts_at, front.zone) == prefers for one in first)
    asked = offers(first, department, suiting=suiting)
    said = [*asked, *read_back(first[0], department, "confirm_slot")]
    return [*said, *(the_time(one, department.kind) for one in following)]


def of_contact(one: Coming, pace: float) -> Iterator[Prompt]:
    """`pace`: at which the person is spoken to once they have told who they are."""
    yield greeting(one.person)
    told = [told_of(appointment) for appointment in one.suspended]
    if one.reminder is not None and one.reminder.appointment is not None:
        told.append(reminded_of(one.reminder.appointment))
    if one.reminder is not None and one.reminder.missed is not None:
        told.append(missed(one.reminder.missed))
    if one.asked is not None:
        told += sentences(kept(one.asked))
    for prompt in told:
        yield prompt.at_pace(pace)
