"""Letters: the domain's facts, the site's wording and the press that prints them, joined.

The press is loaded when the first letter needs it: no start waits for fonts."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

from hospital.letters import KEY, Pile, Post
from hotline.channel_settings import Letters
from hotline.settings import Settings
from scripts import letters
from scripts.wording import Wording
from web import ports

Words = Callable[[], Wording]


class Press:
    """`web.ports.LetterPress`."""

    def __init__(self, site: Letters, country: str, words: Words, today: Callable[[], date]) -> None:
        self._site, self._words, self._today = site, words, today
        self._paper = site.paper or ("letter" if country in ("us", "co", "mx") else "A4")

    @property
    def answer_within(self) -> timedelta:
        return timedelta(days=self._site.answer_days)

    async def printed(self, piles: Sequence[Pile]) -> bytes:
        return await asyncio.to_thread(self._print, [self._composed(pile) for pile in piles])

    def _composed(self, pile: Pile) -> letters.Letter:
        return self._compose(pile.letter.key, pile.person.name, pile.person.address or "", pile.letter.locale)

    def _compose(self, key: str, name: str, address: str, language: str) -> letters.Letter:
        sender = self._site.sender
        return letters.compose(self._words(), key, language, name, address, sender, self._today())

    def _print(self, composed: Sequence[letters.Letter]) -> bytes:
        from messages import letter_paper

        try:
            return letter_paper.printed(composed, self._paper)
        except letter_paper.CannotBePrinted as refused:
            raise ports.NotPrinted(refused.code) from refused

    def why_not(self, key: str, name: str, address: str, language: str) -> str | None:
        """`hospital.letters.Post.why_not`."""
        try:
            self._print([self._compose(key, name, address, language)])
        except ports.NotPrinted as refused:
            return refused.code
        return None


def press(settings: Settings, words: Words, today: Callable[[], date]) -> Press | None:
    """None where the site sends no letters."""
    return Press(settings.letters, settings.site.country, words, today) if settings.letters.sender else None


def post(press: Press | None) -> Post | None:
    return Post(press.answer_within, partial(press.why_not, KEY)) if press else None
