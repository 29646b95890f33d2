"""What answers make of a questionnaire: conditions, repetitions, scores, red flags, what comes next."""

from math import ceil
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.answers import validate_answer
from scripts.filling import Filling, Place
from scripts.questionnaire import Answer, ItemType, Questionnaire
from scripts.questionnaire_files import load_questionnaires, read_data
from scripts.yaml_lines import FileRefused

LIBRARY = load_questionnaires()[0]


def text(said: str = "?") -> dict[str, str]:
    return {"en": said}


def question(link_id: str, kind: str = "integer", **more: Any) -> dict[str, Any]:
    return {"linkId": link_id, "type": kind, "text": text(link_id), **more}


def when(*conditions: tuple[str, str, Any], behavior: str = "all") -> dict[str, Any]:
    terms = [{"question": named, "operator": operator, "answer": answer} for named, operator, answer in conditions]
    return {"enableWhen": terms, "enableBehavior": behavior}


def options(*codes: str, scored: bool = False) -> list[dict[str, Any]]:
    return [{"code": code, "text": text(code), **({"score": at} if scored else {})} for at, code in enumerate(codes)]


def questionnaire(*items: dict[str, Any], **more: Any) -> Questionnaire:
    """`more`: redFlag, score."""
    made = {"id": "q", "title": text(), "purpose": "survey", "reviewed_by": {}, "item": list(items), **more}
    return read_data(made)


def keys(places: list[Place]) -> list[str]:
    return [place.key for place in places]


MEDICINES = questionnaire(
    question("takes", "boolean", required=True),
    question("doses", "integer", **when(("takes", "=", True))),
    {
        "linkId": "medicine",
        "type": "group",
        "repeats": True,
        "maxOccurs": 3,
        "text": text(),
        **when(("doses", ">", 0)),
        "item": [
            question("name", "string", required=True),
            question("missed", "boolean"),
            question("why", "choice", answerOption=options("forgot", "nausea"), **when(("missed", "=", True))),
        ],
    },
    question("nausea", "boolean", **when(("why", "=", "nausea"))),
)


SYMPTOMS = questionnaire(
    question(
        "symptoms",
        "open-choice",
        repeats=True,
        required=True,
        answerOption=[
            {"code": "fever", "text": {"en": "Fever", "es": "Fiebre"}},
            {"code": "pain", "text": {"en": "Pain", "es": "Dolor"}},
        ],
        item=[
            question("days", required=True, maxValue=99),
            question("degrees", **when(("symptoms", "=", "fever"))),
            question("doctor", "boolean", required=True, **when(("days", ">", 7))),
        ],
    ),
    redFlag=[{"id": "long", "text": text(), "question": "days", "operator": ">", "answer": 20}],
    title={"en": "Symptoms", "es": "Síntomas"},
)
"""Each symptom has questions of its own."""


@pytest.mark.covers("H21")
def test_under_a_choice_of_several_each_answer_has_its_own_questions() -> None:
    answers: dict[str, Answer | None] = {"symptoms": ["pain", {"text": "itch"}, "fever"]}
    asked = []
    while (place := Filling(SYMPTOMS, answers).next()) is not None:
        asked.append(place.key)
        answers[place.key] = 39 if place.item.link_id == "degrees" else int(place.key[-1]) * 4
        answers |= {"doctor@2": True, "doctor@3": False}
    assert asked == ["days@1", "degrees@1", "days@2", "days@3"], "in the order of the options, own words at the end"
    both = ["days@1", "degrees@1", "days@2", "doctor@2", "days@3", "doctor@3"]
    assert keys(Filling(SYMPTOMS, answers).asked()) == ["symptoms", *both]


@pytest.mark.covers("H21")
def test_an_answer_that_is_taken_back_leaves_the_others_theirs() -> None:
    answers: dict[str, Answer | None] = {"symptoms": ["fever", "pain"], "days@1": 30, "degrees@1": 39, "days@2": 2}
    assert [flag.id for flag in Filling(SYMPTOMS, answers).flags()] == ["long"]
    taken_back = Filling(SYMPTOMS, {**answers, "symptoms": ["pain"]})
    assert keys(taken_back.asked()) == ["symptoms", "days@2"]
    assert (taken_back.flags(), taken_back.values(taken_back.place("days@2"))) == ([], [2])
    cut_off = {**answers, "symptoms": {"so_far": ["fever"], "asked": ["fever"]}}
    assert Filling(SYMPTOMS, cut_off).next() == Filling(SYMPTOMS, {}).place("symptoms"), "first which, then about each"


FEVERS = questionnaire(
    question(
        "fever",
        "decimal",
        repeats=True,
        maxOccurs=3,
        minValue=30,
        maxValue=45,
        item=[question("day", "date", required=True), question("pill", "boolean", **when(("fever", ">=", 39)))],
    ),
    question("doctor", "boolean", **when(("fever", ">", 40))),
    redFlag=[{"id": "hot", "text": text(), "question": "fever", "operator": ">=", "answer": 42}],
    score=[{"id": "heat", "text": text(), "sum": ["fever"]}],
    title={"en": "Fevers", "es": "Fiebres"},
)
"""Each of several numbers has questions of its own."""


@pytest.mark.covers("H21")
def test_each_of_several_numbers_has_questions_of_its_own() -> None:
    given_ = iter(["38,5", "2026-11-20", {"so_far": 2}, 40.5, "2026-11-21", True, 2, False])
    answers: dict[str, Answer | None] = {}
    asked = []
    while (place := Filling(FEVERS, answers).next()) is not None:
        asked.append(place.key)
        answers[place.key] = validate_answer(place.item, next(given_))
    assert asked == ["fever@1", "day@1", "fever@", "fever@2", "day@2", "pill@2", "fever@", "doctor"]
    assert [one.value for one in Filling(FEVERS, answers).scores() if one.whole] == [79]
    emptied = Filling(FEVERS, {**answers, "fever@1": None, "fever@": {"so_far": 3}})
    assert keys(emptied.asked()) == ["fever@1", "fever@2", "day@2", "pill@2", "fever@3", "doctor"]
    corrected = Filling(FEVERS, {**answers, "fever@2": 38})
    assert keys(corrected.asked()) == ["fever@1", "day@1", "fever@2", "day@2"]
    assert [flag.id for flag in Filling(FEVERS, {**answers, "fever@1": 42}).flags()] == ["hot"]


def test_who_has_no_number_or_no_other_one_is_asked_for_no_more() -> None:
    assert keys(Filling(FEVERS, {}).asked()) == ["fever@1"]
    assert Filling(FEVERS, {"fever@1": None}).next() is None
    whole = {"fever@1": 38, "day@1": "2026-11-20", "fever@": {"so_far": 2}, "fever@2": None}
    assert Filling(FEVERS, whole).next() is None and Filling(FEVERS, whole).complete
    needed = questionnaire(question("a", repeats=True, required=True, item=[question("b", required=True)]))
    assert keys(Filling(needed, {"a@1": None, "a@2": 1}).missing()) == ["a@1", "b@2"], "one of them is needed"
    assert keys(Filling(needed, {"a@1": 1, "b@1": 1, "a@": 2, "a@2": None}).missing()) == []


@pytest.mark.covers("H21")
def test_more_under_all_answers_than_a_form_bears_is_refused() -> None:
    many = options(*map(str, range(102)))
    each = question("a", "choice", repeats=True, answerOption=many, item=[question(f"b{n}") for n in range(10)])
    with pytest.raises(FileRefused, match="more than 1000 items"):
        questionnaire(each)


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("operator", "limit", "given_", "enabled"),
    [
        ("exists", True, 3, True),
        ("exists", True, None, False),
        ("exists", False, None, True),
        ("exists", False, 3, False),
        ("=", 3, 3, True),
        ("=", 3, 4, False),
        ("=", 3, None, False),
        ("!=", 3, 4, True),
        ("!=", 3, 3, False),
        ("!=", 3, None, True),  # R4: "at least no answer has a value that is equal"
        (">", 3, 4, True),
        (">", 3, 3, False),
        ("<", 3, 2, True),
        ("<", 3, 3, False),
        (">=", 3, 3, True),
        (">=", 3, 2, False),
        ("<=", 3, 3, True),
        ("<=", 3, 4, False),
        (">", 3, None, False),
    ],
)
def test_every_operator_of_fhir(operator: str, limit: Any, given_: Any, enabled: bool) -> None:
    asked = questionnaire(question("a"), question("b", **when(("a", operator, limit))))
    filling = Filling(asked, {"a": given_})
    assert filling.enabled(filling.place("b")) is enabled


@pytest.mark.parametrize(("behavior", "enabled"), [("any", True), ("all", False)])
def test_one_condition_or_all_of_them(behavior: str, enabled: bool) -> None:
    asked = questionnaire(
        question("a"), question("b"), question("c", **when(("a", "=", 1), ("b", "=", 1), behavior=behavior))
    )
    filling = Filling(asked, {"a": 1, "b": 2})
    assert filling.enabled(filling.place("c")) is enabled


@pytest.mark.parametrize(
    ("kind", "more", "limit", "below", "above"),
    [
        ("date", {}, "2026-11-23", "2026-11-22", "2026-11-24"),
        ("time", {}, "09:20:00", "09:19:59", "10:00:00"),
        ("decimal", {}, 0.5, 0.25, 1),
        ("choice", {"answerOption": options("never", "some", "often", scored=True)}, 1, "never", "often"),
    ],
)
def test_what_has_an_order_is_compared(kind: str, more: Any, limit: Any, below: Any, above: Any) -> None:
    asked = questionnaire(question("a", kind, **more), question("b", **when(("a", ">", limit))))
    assert [Filling(asked, {"a": value}).next() is not None for value in (below, above)] == [False, True]


@pytest.mark.parametrize(
    ("kind", "more", "operator", "limit", "answer"),
    [
        ("integer", {"minValue": 1}, ">", 0, 1),
        ("quantity", {"maxValue": 10, "unit": None}, "<=", 11, 10),
        ("date", {"minValue": "2020-01-01"}, ">", "2019-12-31", "2020-01-01"),
    ],
)
def test_a_condition_may_be_one_that_every_answer_meets(
    kind: str, more: Any, operator: str, limit: Any, answer: Any
) -> None:
    asked = questionnaire(question("a", kind, **more), question("b", **when(("a", operator, limit))))
    filling = Filling(asked, {"a": answer})
    assert filling.enabled(filling.place("b"))
    for never in ("=", {">": "<", "<=": ">"}[operator]):
        with pytest.raises(FileRefused, match="this answer is never given"):
            questionnaire(question("a", kind, **more), question("b", **when(("a", never, limit))))


def test_something_in_a_disabled_group_is_disabled_and_its_answers_are_not_seen() -> None:
    asked = questionnaire(
        question("a", "boolean"),
        {"linkId": "g", "type": "group", **when(("a", "=", True)), "item": [question("b", required=True)]},
        question("c", **when(("b", "exists", True))),
        redFlag=[{"id": "f", "text": text(), "question": "b", "operator": ">", "answer": 5}],
    )
    answers = {"a": True, "b": 9, "c": 1}
    assert keys(Filling(asked, answers).asked()) == ["a", "b", "c"]
    assert [flag.id for flag in Filling(asked, answers).flags()] == ["f"]
    hidden = Filling(asked, {**answers, "a": False})
    assert keys(hidden.asked()) == ["a"]
    assert (hidden.flags(), hidden.missing()) == ([], [])


@pytest.mark.covers("H21", "H28")
def test_a_group_is_repeated_until_there_is_no_more() -> None:
    answers: dict[str, Answer | None] = {}
    asked = []
    given_ = iter([True, 2, {"so_far": 1}, "aspirin", True, "nausea", {"so_far": 2}, "insulin", False, 2, True])
    while (place := Filling(MEDICINES, answers).next()) is not None:
        asked.append(place.key)
        answers[place.key] = validate_answer(place.item, next(given_))
    assert asked == [
        *("takes", "doses", "medicine", "name@1", "missed@1", "why@1"),
        *("medicine", "name@2", "missed@2", "medicine", "nausea"),
    ]
    assert Filling(MEDICINES, answers).progress() == (8, 8)
    # a repetition that nobody counted is there all the same, and a huge one is not unfolded
    uncounted = {**answers, "medicine": None, "name@999": "x"}
    assert Filling(MEDICINES, uncounted).times(Filling(MEDICINES, uncounted).place("medicine")) == 3


def test_a_condition_inside_of_a_repetition_sees_that_one_and_from_outside_all() -> None:
    answers: dict[str, Answer | None] = {"takes": True, "doses": 1, "medicine": 2, "missed@1": True, "missed@2": False}
    assert "why@1" in keys(Filling(MEDICINES, answers).asked())
    assert "why@2" not in keys(Filling(MEDICINES, answers).asked())
    assert "nausea" in keys(Filling(MEDICINES, {**answers, "why@1": "nausea"}).asked())


def test_a_nested_question_waits_for_its_answer() -> None:
    asked = questionnaire(question("a", item=[question("b", required=True)]))
    assert keys(Filling(asked, {}).asked()) == ["a"]
    assert keys(Filling(asked, {"a": 0}).missing()) == ["b"]
    assert keys(Filling(asked, {"a": None}).asked()) == ["a"]


def test_what_is_left_out_is_not_asked_again_and_what_is_needed_is() -> None:
    asked = questionnaire(question("a", required=True), question("b"))
    filling = Filling(asked, {"a": None, "b": None})
    assert keys([place for place in [filling.next()] if place]) == ["a"]
    assert filling.next(passed={"a"}) is None
    assert not filling.complete


def test_what_was_cut_off_is_asked_on_and_counts_already() -> None:
    several = question("s", "choice", repeats=True, answerOption=options("fever", "pain"))
    flag = {"id": "f", "text": text(), "question": "s", "operator": "=", "answer": "fever"}
    filling = Filling(questionnaire(several, redFlag=[flag]), {"s": {"so_far": ["fever"], "asked": ["fever"]}})
    assert (filling.next(), [one.id for one in filling.flags()]) == (filling.place("s"), ["f"])
    assert filling.progress() == (0, 1)


@pytest.mark.covers("H33")
def test_scores_their_bands_and_their_red_flags() -> None:
    mood = questionnaire(
        *(question(f"q{n}", "choice", answerOption=options("no", "some", "often", scored=True)) for n in range(1, 4)),
        question("hours", "integer"),
        score=[
            {
                "id": "mood",
                "text": text(),
                "sum": ["q1", "q2", "q3", "hours"],
                "band": [{"least": 0, "text": text("mild")}, {"least": 5, "text": text("severe")}],
            }
        ],
        redFlag=[
            {"id": "ninth", "text": text(), "question": "q3", "operator": ">", "answer": 0},
            {"id": "high", "text": text(), "score": "mood", "operator": ">=", "answer": 4},
            {"id": "low", "text": text(), "score": "mood", "operator": "<", "answer": 1},
            {
                "id": "both",
                "text": text(),
                "when": [
                    {"question": "q1", "operator": "=", "answer": "often"},
                    {"question": "q2", "operator": "!=", "answer": "no"},
                ],
            },
        ],
    )

    def told(**answers: Any) -> tuple[float, bool, str | None, list[str]]:
        filling = Filling(mood, answers)
        (scored,) = filling.scores()
        band = scored.band.text.of("en").text if scored.band else None
        return scored.value, scored.whole, band, [flag.id for flag in filling.flags()]

    assert told() == (0, False, None, [])  # nothing is low before it is whole
    assert told(q1="often", q2="often") == (4, False, None, ["high", "both"])
    assert told(q1="no", q2="no", q3="no", hours=0) == (0, True, "mild", ["low"])
    assert told(q1="no", q2="often", q3="some", hours=3) == (6, True, "severe", ["ninth", "high"])


@pytest.mark.covers("H33")
@pytest.mark.parametrize(
    ("kind", "repeats", "answer", "known"),
    [
        ("open-choice", False, {"text": "it varies"}, False),
        ("open-choice", False, {"voice": 10042}, False),
        ("open-choice", True, ["often", {"voice": 10042}], False),
        ("choice", False, "unsure", False),
        ("choice", False, "often", True),
        ("choice", True, ["often", "unsure"], True),
    ],
)
def test_a_score_is_not_whole_where_nobody_knows_what_an_answer_counts(
    kind: str, repeats: bool, answer: Answer, known: bool
) -> None:
    offered = [{"code": "often", "text": text(), "score": 2}, {"code": "unsure", "text": text()}]
    asked = questionnaire(
        question("q", kind, repeats=repeats, answerOption=offered),
        score=[{"id": "s", "text": text(), "sum": ["q"], "band": [{"least": 0, "text": text("mild")}]}],
        redFlag=[{"id": "low", "text": text(), "score": "s", "operator": "<", "answer": 9}],
    )
    filling = Filling(asked, {"q": answer})
    (scored,) = filling.scores()
    assert (scored.whole, scored.band is not None, bool(filling.flags())) == (known, known, known)


def test_a_fact_that_is_only_read_counts_and_a_suggestion_does_not() -> None:
    asked = questionnaire(
        question("a", initial=4, readOnly=True), question("b", initial=1), question("c", **when(("a", "=", 4)))
    )
    assert keys(Filling(asked, {}).asked()) == ["b", "c"]
    assert Filling(asked, {}).progress() == (0, 2)


def test_all_normal_follows_what_it_enables() -> None:
    asked = questionnaire(
        question("a", "boolean", normal=False), question("b", normal=0, **when(("a", "=", False))), question("c")
    )
    assert Filling(asked, {}).normal() == {"a": False, "b": 0}
    assert Filling(asked, {"a": True}).normal() == {}


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("items", "circle"),
    [
        ([question("a", **when(("a", "=", 1)))], "a → a"),
        ([question("a", **when(("b", "=", 1))), question("b", **when(("a", "=", 1)))], "a → b → a"),
        (
            [{"linkId": "g", "type": "group", **when(("b", "exists", True)), "item": [question("b")]}],
            "g → b → g",
        ),
        ([question("a", repeats=True, **when(("b", "=", 1)), item=[question("b")])], "a → b → a"),
    ],
)
def test_conditions_that_go_in_a_circle_are_refused_with_it(items: list[dict[str, Any]], circle: str) -> None:
    with pytest.raises(FileRefused, match=f"in a circle: {circle}$"):
        questionnaire(*items)


@pytest.mark.covers("H21")
def test_a_condition_on_a_score_hangs_on_all_that_it_sums_up() -> None:
    on_the_sum = {"enableWhen": [{"score": "s", "operator": ">=", "answer": 1}]}
    score = [{"id": "s", "text": text(), "sum": ["a"]}]
    with pytest.raises(FileRefused, match=r"in a circle: a → a$"):
        questionnaire(question("a", **on_the_sum), score=score)
    with pytest.raises(FileRefused, match=r"in a circle: a → b → a$"):
        questionnaire(question("a", **when(("b", "=", 1))), question("b", **on_the_sum), score=score)
    asked = questionnaire(question("b", **on_the_sum), question("a"), score=score)
    assert keys(Filling(asked, {"a": 1}).asked()) == ["b", "a"]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_thousand_conditions_in_a_row_are_no_deeper_than_one(backwards: bool) -> None:
    row = [question(f"q{n}", **(when((f"q{n - 1}", "=", 1)) if n else {})) for n in range(1000)]
    flag = {"id": "f", "text": text(), "question": "q999", "operator": "=", "answer": 1}
    asked = questionnaire(*(reversed(row) if backwards else row), redFlag=[flag])
    assert [one.id for one in Filling(asked, {f"q{n}": 1 for n in range(1000)}).flags()] == ["f"]
    assert Filling(asked, {f"q{n}": 1 for n in range(1, 1000)}).flags() == []


# ── Whatever is answered ────────────────────────────────────────────────────────────────────────────────────────────


WITH_REPETITIONS = {**LIBRARY, "medicines": MEDICINES, "symptoms": SYMPTOMS, "fevers": FEVERS}


def an_answer(draw: st.DrawFn, filling: Filling, place: Place) -> Answer | None:
    """One that the question allows; sometimes none where it need not be answered."""
    item = place.item
    if place.counts:
        times = filling.times(place)
        more: list[Answer] = [times, {"so_far": times + 1}] if times < 4 else [times]
        return draw(st.sampled_from(more))
    if not item.required and draw(st.integers(0, 3)) == 0:
        return None
    codes = [option.code for option in item.options]
    alone = [option.code for option in item.options if option.exclusive]
    some: Any
    match item.type:
        case ItemType.BOOLEAN:
            some = st.booleans()
        case ItemType.CHOICE | ItemType.OPEN_CHOICE:
            some = st.sampled_from(codes)
            if item.repeats:
                others = [code for code in codes if code not in alone]
                some = st.lists(st.sampled_from(others), min_size=1, unique=True) | st.sampled_from([alone or others])
        case ItemType.DATE:
            some = st.just(item.latest or item.earliest or "2026-11-23")
        case ItemType.TIME:
            some = st.just("09:20:00")
        case ItemType.DATE_TIME:
            some = st.just("2026-11-23T09:20:00")
        case ItemType.INTEGER | ItemType.DECIMAL | ItemType.QUANTITY:
            low = ceil(item.minimum) if item.minimum is not None else 0
            some = st.integers(low, int(item.maximum) if item.maximum is not None else low + 20)
        case _:
            some = st.just("x")
    value = draw(some)
    if item.repeats and item.type not in (ItemType.CHOICE, ItemType.OPEN_CHOICE):
        value = [value]
    return validate_answer(item, value)


def answered_on(draw: st.DrawFn, asked: Questionnaire, answers: dict[str, Answer | None], most: int) -> None:
    for _ in range(most):
        filling = Filling(asked, answers)
        place = filling.next()
        if place is None:
            return
        assert filling.enabled(place), "only what is enabled is asked"
        answers[place.key] = an_answer(draw, filling, place)


@pytest.mark.covers("H21", "H28")
@settings(deadline=None, max_examples=100)
@given(st.data())
def test_whatever_is_answered_the_way_ends_and_loses_nothing(data: st.DataObject) -> None:
    asked = WITH_REPETITIONS[data.draw(st.sampled_from(sorted(WITH_REPETITIONS)))]
    answers: dict[str, Answer | None] = {}
    answered_on(data.draw, asked, answers, 300)
    end = Filling(asked, answers)
    assert end.next() is None
    done, of = end.progress()
    assert done == of and not end.missing()
    shown = {place.key for place in end.places}
    assert {key for key, value in answers.items() if value is not None} <= shown, "no answer has lost its place"


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_whoever_is_cut_off_goes_on_to_the_same_end(data: st.DataObject) -> None:
    asked = WITH_REPETITIONS[data.draw(st.sampled_from(sorted(WITH_REPETITIONS)))]
    whole: dict[str, Answer | None] = {}
    answered_on(data.draw, asked, whole, 300)
    cut_off = dict(list(whole.items())[: data.draw(st.integers(0, len(whole)))])
    for key, value in cut_off.items():
        if isinstance(value, int) and Filling(asked, whole).place(key).counts:
            cut_off[key] = {"so_far": value}  # "another one?" was not answered yet
    while (place := Filling(asked, cut_off).next()) is not None:
        assert place.key not in cut_off or place.counts, "nothing is asked twice"
        cut_off[place.key] = whole[place.key]
    assert cut_off == whole


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from(["takes", "doses", "medicine", "name@1", "missed@1", "why@1", "name@99999", "why@1.1", "x"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.text(max_size=3), max_size=2)
        | st.dictionaries(st.sampled_from(["so_far", "text"]), st.integers() | st.text(max_size=3), max_size=2),
    )
)  # fmt: skip
def test_answers_that_no_question_allows_break_nothing(answers: dict[str, Any]) -> None:
    filling = Filling(MEDICINES, answers)
    assert filling.progress()[0] <= filling.progress()[1]
    assert len(filling.places) < 200
    assert isinstance(filling.flags(), list) and isinstance(filling.missing(), list)
