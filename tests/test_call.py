"""What holds in every dialogue, as transcripts of a terminal phone."""

import ast
import io
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

import pytest

from ivr.call import HOUSE_PROMPTS, MOST_BACKS, MOST_REPEATS, Call, DigitsOf, HouseKeys, NoAnswer, Prompt, Transferred
from ivr.keypad import HABIT_S, MOST_AHEAD, Keypad
from ivr.terminal import Transcript, rehearse, scripted, typed
from ivr.turn import Digits, Key, Keys, Silence
from scripts.placeholders import Value
from scripts.wording import Site, load

HELP = "hotline: house_keys"


class Words:
    """Every wording is its key, its language if it is not English, and its values."""

    def text(self, key: str, language: str, /, **params: Value) -> str:
        values = "".join(f" {name}={value}" for name, value in params.items())
        return key + ("" if language == "en" else f" ({language})") + values


async def played(dialogue: Callable[[Call], Awaitable[object]], press: str, **how: HouseKeys) -> list[str]:
    """The transcript; `press` is as on the command line: 2,1,29021980#"""
    return (await rehearse(dialogue, Words(), scripted(press.split(",") if press else []), **how)).lines


async def two_menus(call: Call) -> None:
    first = await call.menu("colour", keys="12")
    second = await call.menu("size", keys="123", colour=first)
    await call.inform("ordered", colour=first, size=second)


async def birth_date(call: Call) -> None:
    await call.say("thanks", typed=await call.digits("ask_birth_date", length=8))


async def pain(call: Call) -> None:
    await call.say("thanks", typed=await call.digits("how_much_pain", minimum=1, maximum=2))


# ── Menus ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_dialogue_from_beginning_to_end() -> None:
    assert await played(two_menus, "1,3") == [
        "hotline: colour",
        "caller: 1",
        "hotline: size colour=1",
        "caller: 3",
        "hotline: ordered colour=1 size=3",
        "then: hang up",
        "journal: ended",
    ]


async def test_keys_typed_ahead_skip_what_would_have_been_said() -> None:
    assert await played(two_menus, "13") == [
        "hotline: colour",
        "caller: 1",
        "caller: 3",
        "hotline: ordered colour=1 size=3",
        "then: hang up",
        "journal: ended",
    ]


@pytest.mark.covers("H39")
async def test_a_key_in_a_notice_stops_it_and_one_from_before_does_not() -> None:
    async def dialogue(call: Call) -> None:
        await call.menu("colour", keys="12")
        await call.inform([Prompt("ordered"), Prompt("how_to_wash")])
        await call.inform([Prompt("ordered"), Prompt("how_to_iron")])
        await call.menu("size", keys="123")
        await call.menu("more", keys="12")

    lines = await played(dialogue, "13!!2")
    assert lines[:7] == [
        "hotline: colour",
        "caller: 1",
        "hotline: ordered",
        "hotline: how_to_wash",
        "hotline: ordered",
        "caller: 2 (meanwhile)",
        "caller: 3",
    ]
    assert lines[7:8] == ["caller: 2"]


@pytest.mark.covers("H39")
async def test_silence_is_asked_again_differently_and_then_a_person_helps() -> None:
    assert await played(two_menus, ",,") == [
        "hotline: colour",
        "caller: (silence)",
        "hotline: silence_short",
        "hotline: colour.short",
        "hotline: house_keys",
        "caller: (silence)",
        "hotline: silence_other",
        "hotline: colour.other",
        "caller: (silence)",
        "then: queue reception",
        "journal: transfer queue=reception reason=no_answer",
        "hotline: to_person",
    ]


async def test_a_wrong_key_is_told_and_what_was_typed_after_it_is_forgotten() -> None:
    assert await played(two_menus, "63,1,2") == [
        "hotline: colour",
        "caller: 6",
        "hotline: wrong_key",
        "hotline: colour.short",
        "hotline: house_keys",
        "caller: 1",
        "hotline: size colour=1",
        "caller: 2",
        "hotline: ordered colour=1 size=2",
        "then: hang up",
        "journal: ended",
    ]


@pytest.mark.covers("H39")
async def test_a_main_menu_tells_the_house_keys_to_who_makes_no_mistake() -> None:
    async def main_menu(call: Call) -> None:
        await call.menu("colour", keys="12", tell_keys=True)
        await call.menu("size", keys="12")

    assert [line for line in await played(main_menu, "3,1,2") if line.startswith("hotline")] == [
        "hotline: colour",
        "hotline: house_keys",
        "hotline: wrong_key",
        "hotline: colour.short",
        "hotline: house_keys",
        "hotline: size",
    ]


async def test_star_repeats_the_whole_wording() -> None:
    assert (await played(two_menus, "6,*,1"))[2:8] == [
        "hotline: wrong_key",
        "hotline: colour.short",
        "hotline: house_keys",
        "caller: *",
        "hotline: colour",
        "caller: 1",
    ]


@pytest.mark.covers("H39")
async def test_a_menu_of_six_choices_is_refused_but_one_of_languages_is_not() -> None:
    async def six(call: Call) -> None:
        await call.menu("colour", keys="123456")

    async def six_languages(call: Call) -> None:
        call.choosing_language = True
        await six(call)

    with pytest.raises(ValueError, match="at most 5"):
        await played(six, "1")
    assert (await played(six_languages, "6"))[:2] == ["hotline: colour", "caller: 6"]


async def test_star_is_no_failure_but_has_an_end() -> None:
    told = await played(two_menus, ",".join("*" * (MOST_REPEATS + 1)))
    assert told.count("hotline: colour") == MOST_REPEATS + 1
    assert "journal: transfer queue=reception reason=repeated_too_often" in told


@pytest.mark.covers("H10")
@pytest.mark.parametrize(
    ("key", "queue", "reason", "told"),
    [("0", "reception", "operator_key", "to_person"), ("9", "urgent", "urgent_key", "to_urgent")],
)
async def test_the_house_keys_work_at_every_question(key: str, queue: str, reason: str, told: str) -> None:
    end = [
        f"caller: {key}",
        f"then: queue {queue}",
        f"journal: transfer queue={queue} reason={reason}",
        f"hotline: {told}",
    ]
    assert await played(two_menus, key) == ["hotline: colour", *end]
    assert await played(two_menus, f"1,{key}") == [
        "hotline: colour",
        "caller: 1",
        "hotline: size colour=1",
        *end,
    ]
    assert await played(birth_date, key) == ["hotline: ask_birth_date", *end]  # alone, then a pause


async def test_whoever_presses_on_hears_all_the_same_that_a_person_comes() -> None:
    assert (await played(two_menus, "011"))[-1] == "hotline: to_person"


async def test_a_site_without_an_urgent_key_or_with_another() -> None:
    assert "hotline: wrong_key" in await played(two_menus, "9,1,1", house=HouseKeys(urgent=None))
    assert "then: queue urgent" in await played(two_menus, "5", house=HouseKeys(urgent="5"))


@pytest.mark.covers("H39")
async def test_seven_says_it_more_slowly_from_now_on() -> None:
    assert await played(two_menus, "7,7,7,1,2") == [
        "hotline: colour",
        "caller: 7",
        "journal: slower pace=0.85",
        "hotline (0.85): slower",
        "hotline (0.85): colour",
        "hotline (0.85): house_keys",
        "caller: 7",
        "journal: slower pace=0.7",
        "hotline (0.7): slower",
        "hotline (0.7): colour",
        "caller: 7",
        "journal: slower pace=0.7",  # slower than that nobody understands
        "hotline (0.7): slower",
        "hotline (0.7): colour",
        "caller: 1",
        "hotline (0.7): size colour=1",
        "caller: 2",
        "hotline (0.7): ordered colour=1 size=2",
        "then: hang up",
        "journal: ended",
    ]
    assert (await played(two_menus, "7,0"))[-1] == "hotline (0.85): to_person"


# ── Back ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def main_menu_and_colours(call: Call) -> None:
    while True:
        with call.returning():
            if await call.menu("main_menu", keys="12") == "2":
                return
            with call.returning():
                await two_menus(call)
                return
            await call.say("another_colour_then")


@pytest.mark.covers("H39")
async def test_hash_goes_back_to_the_menu_before() -> None:
    assert await played(main_menu_and_colours, "1,#,#,2") == [
        "hotline: main_menu",
        "caller: 1",
        "hotline: colour",
        "caller: #",
        "journal: back",
        "hotline: another_colour_then",
        "hotline: main_menu",
        "caller: #",
        "journal: back",
        "hotline: main_menu",
        "caller: 2",
        "then: hang up",
        "journal: ended",
    ]


async def test_hash_goes_back_from_digits_too_when_none_was_typed() -> None:
    async def dialogue(call: Call) -> None:
        with call.returning():
            await birth_date(call)
        await call.say("back_again")

    assert (await played(dialogue, "#"))[1:4] == ["caller: #", "journal: back", "hotline: back_again"]
    assert "hotline: back_again" in await played(dialogue, "29021980#")


async def test_where_nothing_is_before_hash_repeats() -> None:
    assert (await played(two_menus, "#,1,2"))[:4] == ["hotline: colour", "caller: #", "hotline: colour", HELP]


async def test_going_back_has_an_end() -> None:
    told = await played(main_menu_and_colours, ",".join("#" * (MOST_BACKS + 1)))
    assert "journal: transfer queue=reception reason=repeated_too_often" in told


# ── Another language ────────────────────────────────────────────────────────────────────────────────────────────────


async def to_spanish(call: Call) -> None:
    call.choosing_language = True
    try:
        if await call.menu("choose_language", keys="12") == "2":
            await call.use_language("es")
    finally:
        call.choosing_language = False


BOTH = HouseKeys(change_language=to_spanish)


@pytest.mark.covers("H11")
async def test_eight_asks_the_same_question_in_another_language() -> None:
    assert (await played(two_menus, "1,8,2,3", house=BOTH))[2:] == [
        "hotline: size colour=1",
        "caller: 8",
        "hotline: choose_language",
        "caller: 2",
        "journal: language language=es",
        "hotline: size (es) colour=1",
        "hotline: house_keys (es)",
        "hotline: another_language (es)",
        "caller: 3",
        "hotline: ordered (es) colour=1 size=3",
        "then: hang up",
        "journal: ended",
    ]


@pytest.mark.covers("H11")
async def test_eight_works_while_digits_are_typed() -> None:
    told = await played(birth_date, "8,2,29021980", house=BOTH)
    assert "hotline: ask_birth_date (es)" in told and "hotline: thanks (es) typed=29021980" in told


async def test_eight_while_the_language_is_chosen_repeats() -> None:
    told = await played(two_menus, "8,8,8,2,1,1", house=BOTH)
    assert told.count("hotline: choose_language") == 3
    assert "hotline: colour (es)" in told and HELP not in told


async def test_with_one_language_eight_means_nothing() -> None:
    assert "hotline: wrong_key" in await played(two_menus, "8,1,1")


@pytest.mark.parametrize("key", ["7", "8"])
async def test_where_one_digit_is_an_answer_it_is_no_wish(key: str) -> None:
    assert f"hotline: thanks typed={key}" in await played(pain, f"{key}#", house=BOTH)
    assert f"hotline: thanks typed={key}" in await played(pain, f"*{key}#", house=BOTH)


@pytest.mark.parametrize("keys", ["120", "12*", "129", "12#", "127", "128", ""])
async def test_a_menu_that_takes_a_house_key_is_refused(keys: str) -> None:
    async def dialogue(call: Call) -> None:
        await call.menu("colour", keys=keys)

    with pytest.raises(ValueError, match="mean the same everywhere"):
        await played(dialogue, "1")


async def test_a_question_of_several_sentences_in_several_languages() -> None:
    async def dialogue(call: Call) -> None:
        offers = [Prompt("choose_language"), Prompt("choose_language").in_language("es")]
        await call.menu([Prompt("welcome"), *offers, Prompt("choose_language.mi")], keys="12")
        await call.use_language("es")
        await call.say("thanks")

    assert await played(dialogue, ",2") == [
        "hotline: welcome",
        "hotline: choose_language",
        "hotline: choose_language (es)",
        "hotline: choose_language.mi",
        "caller: (silence)",
        "hotline: silence_short",
        "hotline: welcome.short",
        "hotline: choose_language.short",
        "hotline: choose_language.short (es)",
        "hotline: choose_language.mi",
        "hotline: house_keys",
        "caller: 2",
        "journal: language language=es",
        "hotline: thanks (es)",
        "then: hang up",
        "journal: ended",
    ]


async def test_a_dialogue_may_know_better_than_a_transfer() -> None:
    async def dialogue(call: Call) -> None:
        try:
            await call.menu("anything_else", keys="1")
        except NoAnswer:
            await call.say("goodbye")

    assert (await played(dialogue, ",,"))[-3:] == ["hotline: goodbye", "then: hang up", "journal: ended"]


# ── Digits ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_digits_of_a_fixed_length_need_no_hash_and_bear_one() -> None:
    for press in ("29021980", "29021980#"):
        assert await played(birth_date, press) == [
            "hotline: ask_birth_date",
            "caller: 29021980",
            "hotline: thanks typed=29021980",
            "then: hang up",
            "journal: ended",
        ]


async def test_a_habitual_hash_is_not_the_answer_to_the_next_question() -> None:
    async def dialogue(call: Call) -> None:
        await call.digits("ask_birth_date", length=8)
        await call.menu("colour", keys="12")

    told = await played(dialogue, "29021980#2")
    assert told[2] == "caller: 2"


async def test_a_date_may_begin_with_a_house_key() -> None:
    assert "hotline: thanks typed=09051950" in await played(birth_date, "09051950")
    assert "hotline: thanks typed=90000000" in await played(birth_date, "90000000")


async def test_too_few_digits_are_asked_again() -> None:
    assert (await played(birth_date, "2902,29021980"))[:5] == [
        "hotline: ask_birth_date",
        "caller: 2902",
        "hotline: ask_birth_date.short",
        HELP,
        "caller: 29021980",
    ]


async def test_star_starts_over() -> None:
    told = await played(birth_date, "2903*29021980")
    assert "caller: *" in told and "hotline: thanks typed=29021980" in told


async def test_where_one_digit_is_an_answer_a_house_key_counts_after_star() -> None:
    assert "hotline: thanks typed=0" in await played(pain, "0#")
    assert "hotline: thanks typed=10" in await played(pain, "10")
    assert "then: queue urgent" in await played(pain, "*9#")


async def test_digits_are_never_written_down() -> None:
    steps: list[tuple[str, dict[str, object]]] = []

    class Notebook:
        async def step(self, kind: str, **facts: object) -> None:
            steps.append((kind, facts))

    await rehearse(birth_date, Words(), scripted(["29021980"]), journal=Notebook())
    assert steps[0] == ("turn", {"said": ["ask_birth_date"], "digits": 8})
    assert "29021980" not in repr(steps) and "29021980" not in repr(Digits("29021980"))


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 3), (4, 3)])
def test_digits_that_cannot_be_are_refused(minimum: int, maximum: int) -> None:
    with pytest.raises(ValueError):
        DigitsOf(minimum, maximum)


# ── The keypad ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def no_more(wait_s: float, most: int) -> str:
    return ""


async def test_a_row_of_keys_has_an_end() -> None:
    keypad = Keypad()
    for _ in range(MOST_AHEAD * 2):
        keypad.pressed("5")
    heard = await keypad.answer(DigitsOf(1, 1000), no_more)
    assert heard == Digits("5" * MOST_AHEAD)
    assert await keypad.answer(Keys("5"), no_more) == Silence()


async def test_a_habitual_hash_that_was_typed_ahead_is_dropped_as_well() -> None:
    keypad = Keypad()
    for key in "12#3":
        keypad.pressed(key)
    assert await keypad.answer(DigitsOf(2, 2), no_more) == Digits("12")
    assert await keypad.answer(Keys("3"), no_more) == Key("3")


async def test_only_the_next_key_can_be_a_habitual_hash() -> None:
    keypad = Keypad()
    for key in "12":
        keypad.pressed(key)
    await keypad.answer(DigitsOf(2, 2), no_more)
    keypad.pressed("1")
    keypad.pressed("#")
    assert await keypad.answer(Keys("1"), no_more) == Key("1")
    assert await keypad.answer(Keys("#"), no_more) == Key("#")


async def test_a_hash_that_comes_later_is_meant() -> None:
    """Who listens to the next question for a while and presses it wants to go back."""
    now = 0.0
    keypad = Keypad(lambda: now)
    for key in "12":
        keypad.pressed(key)
    assert await keypad.answer(DigitsOf(2, 2), no_more) == Digits("12")
    now = HABIT_S
    keypad.pressed("#")
    assert await keypad.answer(Keys("3"), no_more) == Key("#")


# ── Prompts and ends ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("I7")
def test_a_prompt_shows_no_values() -> None:
    assert "Lucía" not in repr(Prompt("recognised", given_name="Lucía"))


def test_a_form_once_chosen_stays() -> None:
    assert Prompt("menu").in_form("short").key == "menu.short"
    assert Prompt("menu.mi").in_form("short").key == "menu.mi"
    assert Prompt("menu.short").in_form("short").in_form("other").key == "menu.other"
    changed = Prompt("menu", n=1).in_language("es").at_pace(0.85).in_form("short")
    assert (changed.key, changed.language, changed.pace, changed.params) == ("menu.short", "es", 0.85, {"n": 1})


def test_every_spoken_language_says_what_the_house_says() -> None:
    words = load(Site("Hospital", "112", "+6015550199", ZoneInfo("America/Bogota")))
    for language in words.spoken:
        assert words.languages[language].prompts.keys() >= HOUSE_PROMPTS


async def test_a_hang_up_is_the_last_thing() -> None:
    assert await played(two_menus, "1") == [
        "hotline: colour",
        "caller: 1",
        "hotline: size colour=1",
        "caller: (hangs up)",
        "journal: caller_left",
    ]


async def test_a_dialogue_that_fails_is_written_down_and_raises() -> None:
    transcript: list[str] = []

    async def dialogue(call: Call) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await rehearse(dialogue, Words(), scripted([]), show=transcript.append)
    assert transcript == ["journal: failed error=ZeroDivisionError"]


def test_a_transfer_says_where_and_why() -> None:
    assert str(Transferred("nurses", "clinical_question")) == "to nurses: clinical_question"


# ── The terminal phone itself ───────────────────────────────────────────────────────────────────────────────────────


def test_a_press_that_no_telephone_has_is_refused() -> None:
    with pytest.raises(ValueError, match="'1a'"):
        scripted(["2", "1a"])


async def test_somebody_types(capsys: pytest.CaptureFixture[str]) -> None:
    transcript = await rehearse(two_menus, Words(), typed(io.StringIO("1\nwhat?\n\n3\n")))
    assert transcript.presses == ["1", "", "3"]
    assert transcript.lines[-1] == "journal: ended"
    told = capsys.readouterr()
    assert "Ctrl-D hangs up" in told.err and not told.out


async def test_the_test_that_it_prints_reproduces_it() -> None:
    transcript = await rehearse(two_menus, Words(), scripted(["6", "1", "", "2"]))
    names: dict[str, Callable[..., Awaitable[None]]] = {}
    source = transcript.as_test("two_menus")
    assert isinstance(ast.parse(source).body[0], ast.AsyncFunctionDef)
    exec(source, names)  # noqa: S102 - it is our own text, and running it is the test

    async def play(name: str, press: list[str]) -> list[str]:
        assert name == "two_menus"
        return (await rehearse(two_menus, Words(), scripted(press))).lines

    await names["test_two_menus_6_1_silence_2"](play)


def test_a_printed_test_survives_quotes_and_stars() -> None:
    transcript = Transcript(lines=['hotline: «a» \'b\' "c" \\ """'], presses=["**", "1#"])
    assert isinstance(ast.parse(transcript.as_test("odd")).body[0], ast.AsyncFunctionDef)
