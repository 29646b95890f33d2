"""Menus answered by voice, as a dialogue sees them: what is sure counts, the rest is read back, nothing is guessed."""

from collections import deque
from collections.abc import Sequence

import pytest

from ivr.call import Call, Expect, Heard, HouseKeys, Key, Keys, NoAnswer, Prompt, Silence, Speech, Transferred
from ivr.understanding import Certainty, certainty
from speech.ears import Grammar

MENU = Grammar("es", {"1": ("cardiología", "la primera"), "2": ("pediatría",), "0": ("operadora",), "9": ("auxilio",)})
YES_NO = Grammar("es", {"1": ("sí",), "2": ("no",)})


def sure(label: str | None) -> Speech:
    return Speech(label, 6.0, 4.0)


def doubtful(label: str) -> Speech:
    return Speech(label, 2.0, 4.0)


UNCLEAR = Speech("1", 0.5, 4.0)
NOTHING = Speech(None, 0.0, 4.0)


class Hearing:
    """A line with ears that hears what a test says."""

    def __init__(self, *heard: Heard, ears: bool = True) -> None:
        self.heard = deque(heard)
        self.said: list[list[str]] = []
        self.expected: list[Expect] = []
        self.ears = ears

    async def play(self, prompts: Sequence[Prompt], language: str, expect: Expect) -> Heard:
        told = [f"{p.key} {p.params['said']}" if "said" in p.params else p.key for p in prompts]
        self.said.append(told)
        self.expected.append(expect)
        return self.heard.popleft() if self.heard else Silence()

    def prepare(self, prompts: Sequence[Prompt], language: str) -> None: ...

    def hears(self, language: str) -> bool:
        return self.ears

    def forget_keys(self) -> None: ...

    async def somebody_is_there(self) -> None: ...

    async def set_language(self, language: str) -> None: ...

    async def hand_over(self, queue: str | None, place: int | None = None) -> None: ...

    def grammars(self) -> list[Grammar | None]:
        return [expect.grammar for expect in self.expected if isinstance(expect, Keys)]


class Phrases:
    def menu(self, question: Sequence[Prompt], keys: str, language: str) -> Grammar | None:
        return MENU

    def yes_or_no(self, language: str) -> Grammar | None:
        return YES_NO

    def house_key(self, words: str, language: str) -> str | None:
        return {"auxilio": "9", "operadora": "0"}.get(words)

    def alarm(self, language: str) -> str:
        return "auxilio"


class Notebook:
    def __init__(self) -> None:
        self.steps: list[dict[str, object]] = []

    async def step(self, kind: str, **facts: object) -> None:
        self.steps.append(facts)


async def asked(line: Hearing, house: HouseKeys | None = None, call: Call | None = None) -> tuple[str, Notebook]:
    notebook = Notebook()
    call = call or Call("n1-1", "n1", None, line, notebook, "es", house or HouseKeys(), Phrases())
    return await call.menu("department", keys="12"), notebook


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (Speech("1", 4.0, 4.0), Certainty.SURE),
        (Speech("1", 3.9, 4.0), Certainty.DOUBTFUL),
        (Speech("1", 1.0, 4.0), Certainty.DOUBTFUL),
        (Speech("1", 0.9, 4.0), Certainty.UNCLEAR),  # two labels are close
        (Speech(None, 9.0, 4.0), Certainty.UNCLEAR),
        (Speech("1", 9.0, float("inf")), Certainty.UNCLEAR),  # an engine that nobody has measured
    ],
)
def test_how_sure_it_is(said: Speech, how: Certainty) -> None:
    assert certainty(said) is how


@pytest.mark.covers("H39")
async def test_what_was_prepared_is_prepared_once_more_for_who_asks_for_slower_speech() -> None:
    """Until its question is answered: what comes later prepares its own."""

    class Preparing(Hearing):
        def prepare(self, prompts: Sequence[Prompt], language: str) -> None:
            prepared.extend((prompt.key, prompt.pace) for prompt in prompts)

    prepared: list[tuple[str, float]] = []
    line = Preparing(Key("7"), Key("1"), Key("7"), Key("1"))
    call = Call("n1-1", "n1", None, line, Notebook(), "es", HouseKeys(), Phrases())
    call.prepare(Prompt("booked"))
    await asked(line, call=call)
    await asked(line, call=call)
    assert prepared == [("booked", 1.0), ("booked", 0.85)]


async def test_what_is_sure_counts_at_once_and_is_written_down_without_words() -> None:
    line = Hearing(sure("2"))
    chosen, notebook = await asked(line)
    assert chosen == "2"
    assert line.said == [["department", "voice_hint"]]
    assert notebook.steps == [{"said": ["department", "voice_hint"], "speech": "2", "speech_margin": 6.0}]
    assert "pediatr" not in str(notebook.steps)


async def test_the_first_menu_says_that_it_hears_and_no_other() -> None:
    line = Hearing(sure("1"), sure("1"))
    call = Call("n1-1", "n1", None, line, Notebook(), "es", phrases=Phrases())
    await call.menu("one", keys="12")
    await call.menu("two", keys="12")
    assert line.said == [["one", "voice_hint"], ["two"]]


async def test_what_is_doubtful_is_read_back_and_counts_with_a_yes() -> None:
    for yes in (sure("1"), Key("1")):
        line = Hearing(doubtful("1"), yes)
        assert (await asked(line))[0] == "1"
        assert line.said[1] == ["did_you_say cardiología"]
        assert line.grammars()[1] == YES_NO


@pytest.mark.parametrize("answer", [sure("2"), Key("2")])
async def test_without_a_yes_it_is_asked_again(answer: Heard) -> None:
    line = Hearing(doubtful("1"), answer, Key("2"))
    assert (await asked(line))[0] == "2"
    assert line.said[2] == ["not_understood", "department.short", "house_keys"]


@pytest.mark.parametrize("answer", [Silence(), doubtful("1"), NOTHING, Key("5"), sure("*")])
async def test_a_read_back_is_asked_twice_and_differently(answer: Heard) -> None:
    line = Hearing(doubtful("1"), answer, sure("1"))
    assert (await asked(line))[0] == "1"
    assert line.said[1:] == [["did_you_say cardiología"], ["did_you_say.short cardiología"]]
    line = Hearing(doubtful("1"), answer, answer, Key("2"))
    assert (await asked(line))[0] == "2"
    assert line.said[3] == ["not_understood", "department.short", "house_keys"]


async def test_two_failures_by_voice_lead_to_the_keypad_for_the_rest_of_the_call() -> None:
    line = Hearing(UNCLEAR, NOTHING, Key("1"), Key("2"))
    notebook = Notebook()
    call = Call("n1-1", "n1", None, line, notebook, "es", phrases=Phrases())
    assert await call.menu("department", keys="12") == "1"
    assert await call.menu("next", keys="12") == "2"
    assert line.said[1:] == [
        ["not_understood", "department.short", "house_keys"],
        ["by_key", "department.other"],
        ["next"],
    ]
    assert line.grammars() == [MENU, MENU, None, None]


async def test_nobody_who_is_not_understood_is_kept_from_a_person() -> None:
    with pytest.raises(NoAnswer):
        await asked(Hearing(NOTHING, NOTHING, Silence()))


@pytest.mark.parametrize(
    ("label", "queue", "reason"), [("0", "reception", "operator_voice"), ("9", "urgent", "urgent_voice")]
)
@pytest.mark.covers("H1", "H7")
async def test_the_houses_words_lead_where_its_keys_do(label: str, queue: str, reason: str) -> None:
    for heard in ([sure(label)], [doubtful(label), sure("1")], [doubtful("1"), sure(label)]):
        with pytest.raises(Transferred) as caught:
            await asked(Hearing(*heard))
        assert (caught.value.queue, caught.value.reason) == (queue, reason)


@pytest.mark.parametrize("answer", [Silence(), NOTHING, doubtful("2")])
@pytest.mark.covers("H1")
async def test_a_doubtful_red_flag_is_urgent_unless_the_caller_says_no(answer: Heard) -> None:
    with pytest.raises(Transferred, match="urgent"):
        await asked(Hearing(doubtful("9"), answer))
    assert (await asked(Hearing(doubtful("9"), sure("2"), Key("1"))))[0] == "1"


@pytest.mark.covers("H1", "H9")
async def test_an_alarm_is_heard_in_whatever_words(answer: Heard = NOTHING) -> None:
    for alarm in (Speech(None, 0.0, 4.0, "auxilio"), Speech("1", 2.0, 4.0, "auxilio")):
        line = Hearing(alarm, answer)
        with pytest.raises(Transferred, match="urgent"):
            await asked(line)
        assert line.said[1:] == [["did_you_say auxilio"]]


async def test_again_says_the_whole_question_again() -> None:
    line = Hearing(sure("*"), sure("1"))
    assert (await asked(line))[0] == "1"
    assert line.said == [["department", "voice_hint"], ["department", "house_keys"]]


async def test_a_line_without_ears_is_asked_by_key() -> None:
    line = Hearing(Key("1"), ears=False)
    assert (await asked(line))[0] == "1"
    assert (line.grammars(), line.said) == ([None], [["department"]])
