"""How keys become an answer: typed ahead, ended by `#`, by the last digit, by a pause. Every line uses it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable

from ivr.turn import Digits, DigitsOf, Expect, Heard, Key, Keys, Nothing, Notice, Silence

DTMF = "0123456789*#"
MOST_AHEAD = 64  # keys kept; a longer row of them is noise
HABIT_S = 2.0  # a # this soon after the last digit is a habit; later it is meant

NextKeys = Callable[[float, int], Awaitable[str]]
"""Waits so many seconds for the first of at most so many keys; "" is a pause. A line that can fetch several in one
turn loses none of them between two commands."""


class Keypad:
    """The keys of one call in the order in which they were pressed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._typed: deque[str] = deque()
        self._aside: list[str] = []  # typed before the notice that is being heard
        self._clock = clock
        self._habitual_end: str | None = None
        self._habit_until = 0.0

    def pressed(self, key: str) -> None:
        """A key came from the line, expected or not."""
        # A birth date is complete with its eighth digit, and many press # after it all the same: that #
        # answers nothing, and must not be taken for the answer to the next question.
        habit = key == self._habitual_end and self._clock() < self._habit_until
        if not habit and len(self._typed) < MOST_AHEAD:
            self._typed.append(key)
        self._habitual_end = None

    def waiting(self) -> bool:
        """Is a key there that no question has taken yet?"""
        return bool(self._typed)

    def begins(self, expect: Expect) -> None:
        """Something is being said from now on. Of a notice none has heard anything yet whose key is here already."""
        if isinstance(expect, Notice):
            self._aside += self._typed
            self._typed.clear()

    def stops(self, expect: Expect) -> bool:
        """Whether a key is here at which what is being said stops."""
        if isinstance(expect, Notice) and expect.to_the_end:
            return any(key in expect.acting for key in self._typed)
        return self.waiting()

    def forget(self) -> None:
        self._typed.clear()
        self._aside.clear()

    async def answer(self, expect: Expect, next_keys: NextKeys) -> Heard:
        """Takes what was typed ahead, then asks the line; `next_keys` may raise `CallerLeft`."""
        match expect:
            case Nothing():
                return Silence()
            case Notice(acting):
                return self._acting(acting)
            case Keys(_, wait_s):
                key = await self._take(next_keys, wait_s, 1)
                return Silence() if key is None else Key(key)
            case DigitsOf():
                return await self._digits(expect, next_keys)

    def _acting(self, acting: str) -> Heard:
        """The first key of those that was pressed during the notice; all others are kept in the order of their time."""
        pressed = next((key for key in self._typed if key in acting), None)
        if pressed is not None:
            self._typed.remove(pressed)
        self._typed.extendleft(reversed(self._aside))
        self._aside.clear()
        return Silence() if pressed is None else Key(pressed)

    async def _digits(self, expect: DigitsOf, next_keys: NextKeys) -> Heard:
        digits = ""
        while len(digits) < expect.maximum:
            wait_s, most = (expect.between_s, expect.maximum - len(digits)) if digits else (expect.wait_s, 1)
            key = await self._take(next_keys, wait_s, most)
            if key is None:
                return Digits(digits) if digits else Silence()
            if key == expect.end:
                return Digits(digits) if digits else Key(key)
            if key == "*" and not expect.star_is_x:
                return Key("*")
            if key in "0123456789*":
                digits += key
        self._expect_habitual_end(expect.end)
        return Digits(digits)

    def _expect_habitual_end(self, end: str) -> None:
        if self._typed and self._typed[0] == end:
            self._typed.popleft()
        elif not self._typed:
            self._habitual_end, self._habit_until = end, self._clock() + HABIT_S

    async def _take(self, next_keys: NextKeys, wait_s: float, most: int) -> str | None:
        while not self._typed:
            keys = await next_keys(wait_s, most)
            if not keys:
                return None
            for key in keys:
                self.pressed(key)
        return self._typed.popleft()
