"""The caller's language: that of the last call from this number, chosen at the welcome, or changed at any time.

A caller who has none of our spoken languages hears so and is offered a person; what they chose is written down all
the same, so that whoever takes the call knows it.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from hospital import caller_languages, calls
from ivr.call import Call, NoAnswer, Nothing, Prompt
from ivr.front_desk import FrontDesk

FALLBACK = "en"


async def welcome(call: Call, front: FrontDesk) -> None:
    """The greeting with the emergency number. Who called before is greeted in their language, others choose one."""
    offered = front.language_keys
    known = await front.database.run(caller_languages.remembered, call.caller_number, front.now())
    if known not in offered.values():
        known = next(iter(offered.values())) if len(offered) == 1 else None
    if known is not None:
        await _greet(call, front, known)
        return
    try:
        key = await _which(call, [Prompt("welcome")], offered)
    except NoAnswer as nobody:
        await call.transfer(nobody.queue, "no_language_chosen")
    await _take(call, front, offered[key])


async def speak(call: Call, front: FrontDesk, language: str) -> None:
    """In a call of ours: the language of whoever is called, or the one that stands in for it."""
    spoken = _spoken(front, language)
    if spoken != call.language:
        await call.use_language(spoken)
    await front.database.run(calls.update_call, call.id, language=language)


async def change_language(call: Call, front: FrontDesk) -> None:
    """The house's key for it, in the middle of whatever is asked. Silence, or the key that goes back, changes
    nothing."""
    others = {key: language for key, language in front.language_keys.items() if language != call.language}
    with call.returning():
        try:
            key = await _which(call, [], others)
        except NoAnswer:
            return
        await _take(call, front, others[key])


async def _greet(call: Call, front: FrontDesk, language: str) -> None:
    """And the way out of it: whoever holds the telephone today may speak another language."""
    spoken = _spoken(front, language)
    await call.use_language(spoken)
    # Also in the site's own language: whoever does not understand the greeting understands that.
    both = dict.fromkeys((spoken, _spoken(front, front.default_language)) if len(front.language_keys) > 1 else ())
    others = [Prompt("another_language").in_language(tag) for tag in both]
    await call.play([Prompt("welcome"), *others], Nothing())
    await _take(call, front, language)


async def _which(call: Call, before: list[Prompt], offered: Mapping[str, str]) -> str:
    """Each language is offered in its own words."""
    offers = [Prompt("choose_language").in_language(language) for language in offered.values()]
    call.choosing_language = True
    try:
        return await call.menu([*before, *offers], keys="".join(offered))
    finally:
        call.choosing_language = False


async def _take(call: Call, front: FrontDesk, wanted: str) -> None:
    spoken = _spoken(front, wanted)
    if spoken != call.language:
        await call.use_language(spoken)
    await front.database.run(_write_down, call.id, call.caller_number, wanted, front.now())
    if wanted != spoken:
        await call.menu(Prompt("language_not_spoken").in_language(wanted), keys="1")


def _spoken(front: FrontDesk, language: str) -> str:
    return language if language in front.spoken else FALLBACK


def _write_down(session: Session, call_id: str, number: str | None, language: str, at: datetime) -> None:
    calls.update_call(session, call_id, language=language)
    caller_languages.remember(session, number, language, at)
