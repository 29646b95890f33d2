"""A caller who answers any questionnaire by key: hears what is asked, presses what they choose, and remembers it."""

from collections.abc import Callable
from typing import Any

from ivr.call import Call, HouseKeys, Journal
from ivr.choosing import MOST
from ivr.conversation import Dialogue, converse
from ivr.dialogues.survey_question import SKIP
from ivr.terminal import TerminalJournal, TerminalLine, Transcript, Turn, Words
from ivr.turn import Prompt
from scripts.filling import Place

LANGUAGE = "es"
VOICE = "spoken"
"""What stands for an answer that was recorded."""
MORE = 3  # times that somebody says that there is another one


class Answering:
    """`choose(n)`: one of so many, from 0 on. `place()`: what is asked now. `gave`: key → what was answered."""

    def __init__(self, choose: Callable[[int], int], place: Callable[[], Place | None]) -> None:
        self._choose, self._place = choose, place
        self.transcript = Transcript()
        self.gave: dict[str, Any] = {}
        self._target: str | None = None
        self._pages = self._said = 0
        self._moment: list[str] = []

    async def call(
        self, dialogue: Dialogue, words: Words, journal: Journal, house: HouseKeys, *, call_id: str, number: str
    ) -> Transcript:
        line = TerminalLine(words, self._press, self.transcript)
        tells = TerminalJournal(self.transcript, journal)
        await converse(Call(call_id, "terminal", number, line, tells, LANGUAGE, house), dialogue)
        return self.transcript

    async def _press(self) -> str | None:
        self._said += 1
        place, turn = self._place(), self.transcript.turns[-1]
        if place is None or self._said > 1000:
            return None
        prompts = {prompt.key.partition(".")[0]: prompt for prompt in turn.said}
        if "survey_speak" in prompts:
            self._give(place, VOICE)
            return "#"
        for key, answered in self._ways().items():
            if key in prompts:
                return answered(place, turn, prompts[key])
        raise AssertionError(f"asked what nobody knows: {list(prompts)}")

    def _ways(self) -> dict[str, Callable[[Place, Turn, Prompt], str]]:
        return {
            "survey_item": self._one_by_one,
            "survey_yes_no": self._yes_or_no,
            "survey_answer_or_skip": self._or_skip,
            "survey_speak_or_skip": self._or_skip,
            "survey_read_back": lambda *_: "1",
            "survey_choices": self._choice,
            "survey_other": self._choice,
            "survey_type_number": self._number,
            "survey_type_any_number": self._number,
            "survey_type_date": self._date,
            "survey_type_time": self._time,
            "survey_another": self._another,
            "survey_something": self._another,
        }

    def _give(self, place: Place, value: Any) -> None:
        if place.item.repeats:
            self.gave[place.key] = [*(self.gave.get(place.key) or []), value]
        else:
            self.gave[place.key] = value

    def _one_by_one(self, place: Place, turn: Turn, asked: Prompt) -> str:
        self.gave.setdefault(place.key, None)
        code = _code(asked.params["answer"])
        last = code == place.item.options[-1].code  # of what is needed, one at least
        yes = (last and place.item.required and not self.gave[place.key]) or self._choose(2)
        if yes:
            self._give(place, code)
        return "1" if yes else "2"

    def _yes_or_no(self, place: Place, turn: Turn, asked: Prompt) -> str:
        key = self._choose(2 if place.item.required or place.extra else 3)
        if key == 2:
            self.gave.setdefault(place.key, None)
            return str(SKIP)
        self._give(place, key == 0)
        return "12"[key]

    def _or_skip(self, place: Place, turn: Turn, asked: Prompt) -> str:
        if place.item.required or self._choose(4):
            return "1"
        self.gave.setdefault(place.key, None)
        return "2"

    def _choice(self, place: Place, turn: Turn, asked: Prompt) -> str:
        """Goes on to the next page until the one that they have in mind is there."""
        rows = {_code(one["answer"]): str(one["key"]) for one in asked.params.get("choices", [])}  # type: ignore[union-attr,call-overload,misc]
        other = next((str(one.params["key"]) for one in turn.said if one.key == "survey_other"), None)
        if self._target is None:
            codes = [option.code for option in place.item.options]
            codes += [VOICE] if str(place.item.type) == "open-choice" else []
            codes += [] if place.item.required or place.extra else [""]
            self._target, self._pages = codes[self._choose(len(codes))], 0
        target, self._pages = self._target, self._pages + 1
        assert self._pages < 10, f"{target} is on no page"
        if target in rows:
            key = rows[target]
            self._give(place, target)
        elif target == VOICE and other is not None:
            key = other
        elif target == "":
            key = str(SKIP)
            self.gave.setdefault(place.key, None)
        else:
            return str(MOST)
        self._target = None
        return key

    def _number(self, place: Place, turn: Turn, asked: Prompt) -> str:
        number, half = self._choose(40), str(place.item.type) != "integer" and self._choose(2)
        self._give(place, number + 0.5 if half else number)
        return f"{number}*5#" if half else f"{number}#"

    def _date(self, place: Place, turn: Turn, asked: Prompt) -> str:
        day = self._choose(28) + 1
        self._moment = [f"2026-11-{day:02}"]
        if str(place.item.type) == "date":
            self._give(place, self._moment.pop())
        return f"{day:02}112026"

    def _time(self, place: Place, turn: Turn, asked: Prompt) -> str:
        hour = self._choose(24)
        self._give(place, "T".join([*self._moment, f"{hour:02}:20:00"]))
        self._moment = []
        return f"{hour:02}20"

    def _another(self, place: Place, turn: Turn, asked: Prompt) -> str:
        so_far = self.gave.setdefault(f"more {place.key}", 0)
        if so_far < MORE and self._choose(2):
            self.gave[f"more {place.key}"] += 1
            return "1"
        if not place.counts:
            self.gave.setdefault(place.key, None)
        return "2"

    @property
    def answers(self) -> dict[str, Any]:
        return {key: value for key, value in self.gave.items() if not key.startswith("more ") and value is not None}


def _code(said: Any) -> str:
    """`said`: the words of an option, which are its code and a sign."""
    return str(next(iter(said.values()))).removesuffix("!")
