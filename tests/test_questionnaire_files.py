"""Questionnaires as data: the shipped one, its red flags, what an answer may be, and what a bad file gets."""

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.answers import AnswerRefused, validate_answer
from scripts.filling import Filling
from scripts.questionnaire import Answer, Item, ItemType, Option, Questionnaire, Text
from scripts.questionnaire_files import HERE, load_questionnaires, read_body, read_questionnaire
from scripts.yaml_lines import FileRefused

NAME = "discharge_day3.yaml"
DAY3 = read_questionnaire(HERE / NAME)


@pytest.fixture(scope="module")
def day3() -> Questionnaire:
    return DAY3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped questionnaire, to be spoilt, and a second one that stays good."""
    shutil.copy(HERE / NAME, tmp_path / NAME)
    good = (HERE / NAME).read_text().replace("id: discharge-day3", "id: good")
    (tmp_path / "good.yaml").write_text(good)
    return tmp_path


# ── What is shipped ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H21")
def test_all_shipped_questionnaires_are_good() -> None:
    found, problems = load_questionnaires()
    assert [str(problem) for problem in problems] == []
    assert "discharge-day3" in found


@pytest.mark.covers("H21")
def test_all_four_kinds_of_question_are_in_it(day3: Questionnaire) -> None:
    kinds = {item.link_id: (item.type, item.repeats) for item in day3.questions()}
    assert kinds == {
        "general": (ItemType.CHOICE, False),  # single choice
        "pain": (ItemType.INTEGER, False),  # fill-in, a number in a range
        "temperature": (ItemType.QUANTITY, False),  # fill-in, a number with its unit
        "symptoms": (ItemType.CHOICE, True),  # multiple choice
        "medication": (ItemType.OPEN_CHOICE, False),
        "next-visit": (ItemType.STRING, False),  # fill-in, text
        "questions": (ItemType.TEXT, False),  # open
    }
    assert [group.link_id for group in day3.items] == ["wellbeing", "treatment", "in-your-words"]
    assert day3.question("temperature").unit == "°C"
    with pytest.raises(KeyError):
        day3.question("no-such")


@pytest.mark.covers("H11")
@pytest.mark.parametrize("language", ["en", "es", "pt-BR", "zh-CN", "mi"])
def test_every_word_is_there_in_five_languages(day3: Questionnaire, language: str) -> None:
    texts = list(day3.texts())
    assert day3.title in texts and day3.red_flags[-1].text in texts
    assert day3.question("medication").options[0].text in texts and day3.items[0].text in texts
    assert len(texts) == 34 and day3.rules[0].text in texts
    assert all(text.of(language).language == language for text in texts)


@pytest.mark.covers("H11")
def test_what_a_language_lacks_is_english_and_says_so() -> None:
    told = Text({"en": "Pain", "mi": "Mamae"})
    assert (told.of("mi").language, told.of("es").language, told.of("es").text) == ("mi", "en", "Pain")


def test_nobody_has_reviewed_it_and_it_says_so(day3: Questionnaire) -> None:
    assert set(day3.reviewed_by.values()) == {None}


def test_all_normal_invents_no_measurement(day3: Questionnaire) -> None:
    normal = Filling(day3, {}).normal()
    assert normal == {"general": "better", "pain": 0, "symptoms": ["none"], "medication": "all"}
    assert Filling(day3, normal).flags() == []
    assert Filling(day3, normal).complete
    assert [place.key for place in Filling(day3, {"pain": 0}).missing()] == ["general", "symptoms", "medication"]


@pytest.mark.covers("H33")
@pytest.mark.parametrize(
    ("answers", "raised"),
    [
        ({"pain": 7}, []),
        ({"pain": 8}, ["severe-pain"]),
        ({"temperature": 37.9}, []),
        ({"temperature": 38.0}, ["fever-measured"]),
        ({"symptoms": ["wound", "fever"]}, ["fever-told"]),
        ({"symptoms": ["none"]}, []),
        ({"symptoms": ["breathless", "bleeding"], "pain": 10}, ["severe-pain", "breathless", "bleeding"]),
        ({"pain": None}, []),
        ({}, []),
        # What the question does not allow never comes here; it raises nothing, and nothing breaks.
        ({"pain": "9", "symptoms": "fever?"}, []),
    ],
)
def test_red_flags(day3: Questionnaire, answers: dict[str, Answer | None], raised: list[str]) -> None:
    assert [flag.id for flag in Filling(day3, answers).flags()] == raised


# ── Versions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.covers("H21")
def test_a_kept_version_is_read_as_it_was(day3: Questionnaire) -> None:
    again = read_body(day3.body)
    assert again == day3
    assert again.sha256 == day3.sha256
    assert json.loads(day3.body)["id"] == "discharge-day3"


@pytest.mark.covers("H21")
def test_another_word_is_another_version_and_a_comment_is_not(day3: Questionnaire, tmp_path: Path) -> None:
    text = (HERE / NAME).read_text()
    (tmp_path / NAME).write_text("# a remark\n\n" + text)
    assert read_questionnaire(tmp_path / NAME).sha256 == day3.sha256
    (tmp_path / NAME).write_text(text.replace("en: Worse", "en: Much worse"))
    assert read_questionnaire(tmp_path / NAME).sha256 != day3.sha256


@settings(deadline=None, max_examples=30)
@given(st.text(min_size=1, max_size=60))
def test_any_title_that_is_accepted_survives_being_kept(title: str) -> None:
    body = json.loads(DAY3.body)
    body["title"]["en"] = title
    try:
        once = read_body(json.dumps(body, ensure_ascii=False))
    except FileRefused as refusal:
        assert "empty text" in str(refusal) or "which is no text" in str(refusal)
        return
    assert read_body(once.body) == once


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = [
    ("pain", "8", 8),
    ("pain", " 0 ", 0),
    ("pain", 10, 10),
    ("pain", 3.0, 3),
    ("temperature", "38,5", 38.5),
    ("temperature", "37", 37.0),
    ("temperature", "", None),
    ("general", "same", "same"),
    ("general", ["same"], "same"),
    ("symptoms", ["fever", "wound", "fever"], ["fever", "wound"]),
    ("symptoms", "none", ["none"]),
    ("medication", "all", "all"),
    ("medication", "only when it hurts", {"text": "only when it hurts"}),
    ("medication", {"text": "only in the morning"}, {"text": "only in the morning"}),
    ("next-visit", "  12 January, Dr Vega\x00\x1b ", "12 January, Dr Vega"),
    ("questions", "One\r\nTwo", "One\nTwo"),
    ("questions", "<script>alert(1)</script>", "<script>alert(1)</script>"),  # kept as given; a page escapes it
    ("questions", "¿Puedo ducharme? 能洗澡吗？", "¿Puedo ducharme? 能洗澡吗？"),
    ("questions", None, None),
]

REFUSED = [
    ("pain", "11", "a whole number from 0 to 10 is allowed"),
    ("pain", "-1", "a whole number from 0 to 10"),
    ("pain", "7.5", "a whole number"),
    ("pain", "much", "a whole number"),
    ("pain", "", "an answer is needed: a whole number"),
    ("pain", None, "an answer is needed"),
    ("pain", True, "a whole number"),
    ("pain", "٣", "a whole number"),
    ("pain", "1e1", "a whole number"),
    ("pain", float("nan"), "a whole number"),
    ("pain", float("inf"), "a whole number"),
    ("pain", "9" * 5000, "a whole number"),
    ("pain", [8], "a whole number"),
    ("temperature", "98.6", "a number from 34 to 43 °C is allowed"),
    ("general", "fine", "one of better, same, worse is allowed"),
    ("general", ["same", "worse"], "one of better"),
    ("general", {"text": "fine"}, "one of better"),
    ("symptoms", ["none", "fever"], "'none' stands alone"),
    ("symptoms", ["fever", "plague"], "some of none, fever"),
    ("symptoms", [], "an answer is needed"),
    ("medication", {"text": 7}, "text is allowed"),
    ("medication", {"txt": "x"}, "text is allowed"),
    ("next-visit", "x" * 121, "up to 120 letters are allowed; these are 121"),
    ("next-visit", 7, "text is allowed"),
    ("questions", "\x00\x1b", "there is none that can be read"),
    ("questions", "x" * 5000, "up to 4000 letters"),
]


@pytest.mark.parametrize(("question", "raw", "value"), GOOD)
def test_an_answer_is_kept_as_given(day3: Questionnaire, question: str, raw: object, value: object) -> None:
    kept = validate_answer(day3.question(question), raw)
    assert kept == value and type(kept) is type(value)


@pytest.mark.parametrize(("question", "raw", "told"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_refused_answer_says_what_is_allowed(day3: Questionnaire, question: str, raw: object, told: str) -> None:
    with pytest.raises(AnswerRefused, match=re.escape(told)) as caught:
        validate_answer(day3.question(question), raw)
    assert caught.value.allowed == str(caught.value)


@settings(deadline=None)
@given(
    st.sampled_from(["general", "pain", "temperature", "symptoms", "medication", "next-visit", "questions"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_whatever_comes_is_kept_or_refused(question: str, raw: object) -> None:
    item = DAY3.question(question)
    try:
        value = validate_answer(item, raw)
    except AnswerRefused:
        return
    json.dumps(value, allow_nan=False).encode()
    assert validate_answer(item, value) == value  # what was kept may be saved once more


def test_a_group_has_no_answer(day3: Questionnaire) -> None:
    with pytest.raises(AnswerRefused, match="a group has no answer"):
        validate_answer(day3.items[0], "x")


def test_numbers_with_one_limit_or_none() -> None:
    text = Text({"en": "Number"})
    assert validate_answer(Item("n", ItemType.DECIMAL, text), "-2,25") == -2.25
    with pytest.raises(AnswerRefused, match="a number from 1 kg is allowed"):
        validate_answer(Item("n", ItemType.DECIMAL, text, unit="kg", minimum=1), "0")
    with pytest.raises(AnswerRefused, match="one of a, b, or free text is allowed"):
        options = (Option("a", text), Option("b", text))
        validate_answer(Item("n", ItemType.OPEN_CHOICE, text, required=True, options=options), "")


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        (ItemType.INTEGER, "2025550105", 2025550105),
        (ItemType.INTEGER, "-2147483647", -2147483647),
        (ItemType.DECIMAL, "123456789012", 123456789012),
        (ItemType.DECIMAL, ".5", 0.5),
        (ItemType.DECIMAL, ",25", 0.25),
        (ItemType.DECIMAL, "-.5", -0.5),
    ],
)
def test_a_long_number_and_one_without_a_nought_before_its_point(kind: ItemType, raw: str, value: float) -> None:
    assert validate_answer(Item("n", kind, Text({"en": "Number"})), raw) == value


@pytest.mark.parametrize(
    ("kind", "most", "raw", "told"),
    [
        (ItemType.INTEGER, 2147483647, "2147483648", "a whole number from -2147483647 to 2147483647 is allowed"),
        (ItemType.INTEGER, 12000000, "12000001", "a whole number to 12000000 is allowed"),
        (ItemType.DECIMAL, 1234567.25, "1234568", "a number to 1234567.25 is allowed"),
        (ItemType.DECIMAL, None, ".", "a number is allowed"),
        (ItemType.DECIMAL, None, "5.", "a number is allowed"),
        (ItemType.DECIMAL, None, "1234567890123", "a number is allowed"),
    ],
)
def test_what_a_number_may_be_is_told_in_all_its_figures(
    kind: ItemType, most: float | None, raw: str, told: str
) -> None:
    with pytest.raises(AnswerRefused) as refused:
        validate_answer(Item("n", kind, Text({"en": "Number"}), maximum=most), raw)
    assert refused.value.allowed == told


# ── Bad files ───────────────────────────────────────────────────────────────────────────────────────────────────────

BAD = [
    # what is replaced, by what, what is told, and how many lines after the replaced text it stands
    ("type: integer", "type: number", "type 'number' is not known; allowed: group, display", 0),
    ("maxValue: 10", "maxValue: -3", "maxValue -3 is not above minValue 0", 0),
    ("maxValue: 10", "maxValue: ten", "a number is expected, 'ten' (str) found", 0),
    ("maxValue: 10", "maxValue: .inf", "a number is expected", 0),
    ("maxValue: 10", "maxLength: 3", "'maxLength' means nothing for an item of type integer", 0),
    ("maxValue: 10", "enableBehavior: some", "'some' is not known; allowed: any, all", 0),
    ("linkId: pain", "linkId: pain@1", "ends as the key of a repetition does", 0),
    ("question: pain", "score: pains", "there is no score 'pains'", 0),
    ("    question: pain\n", "", "name one of them", -1),
    ("id: fever-told", "id: severe-pain", "'severe-pain' stands here a second time", None),
    ("unit: °C", "max: 1", "'max' is not known here", 0),
    ("unit: °C\n", "\n", "a quantity needs a unit", -2),
    ("normal: better", "normal: fine", "normal: one of better, same, worse is allowed", 0),
    ("normal: 0", "normal: 12", "normal: a whole number from 0 to 10", 0),
    ("linkId: pain", "linkId: general", "linkId 'general' stands here a second time", 0),
    ("required: true", "hidden: true", "only what has 'readOnly: true' may be hidden", 0),
    ("code: same", "code: better", "code 'better' stands here a second time", 0),
    ("required: true", "required: yes please", "true or false is expected", 0),
    ("question: pain", "question: pane", "no question has linkId 'pane'", 0),
    ("question: pain", "question: questions", "'questions' is of type text", 1),
    ("question: pain", "question: wellbeing", "no question has linkId 'wellbeing'", 0),
    ("operator: '>='\n    answer: 8", "operator: '=>'\n    answer: 8", "operator '=>' is not known", 0),
    ("answer: 8", "answer: 80", "this answer is never given", 0),
    ("answer: fever", "answer: fieber", "this answer is never given: some of none, fever", 0),
    ("operator: '='\n    answer: fever", "operator: '<'\n    answer: fever", "'<' compares numbers", 0),
    ("en: Three days", "de: Drei Tage", "language 'de' is not known", 0),
    ("  en: Three days after discharge\n", "", "'en' is missing", 0),
    ("purpose: follow-up", "purpose: advertising", "purpose 'advertising' is not known", 0),
    ("id: discharge-day3", "id: other", "but the file is named discharge_day3.yaml", 0),
    ("answer: 8\n", "\n", "'answer' is missing", None),
    ("item:\n", "script: {opening: {en: Hello}}\nitem:\n", "'closing' is missing", 0),
    ("item:\n", "items:\n", "'item' is missing", None),
    ("id: discharge-day3", "id: [", "expected", None),
]


@pytest.mark.covers("H21")
@pytest.mark.parametrize(("old", "new", "told", "later"), BAD, ids=[row[2] for row in BAD])
def test_a_bad_questionnaire_is_refused_with_its_line_and_the_others_load(
    folder: Path, old: str, new: str, told: str, later: int | None
) -> None:
    path = folder / NAME
    text = path.read_text()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    path.write_text(text.replace(old, new, 1))
    found, problems = load_questionnaires(folder)
    assert set(found) == {"good"}
    problem = next((problem for problem in problems if told in problem.what), None)
    assert problem is not None, [str(problem) for problem in problems]
    assert problem.file == f"{folder.name}/{NAME}"
    if later is not None:
        assert problem.line == line + later


def test_empty_parts(folder: Path) -> None:
    path = folder / NAME
    head = path.read_text().partition("\nitem:\n")[0]
    for items, told in (
        ("item: []\n", "at least one item"),
        ("item:\n  - linkId: g\n    type: group\n    text: {en: G}\n", "a group needs items"),
        ("item:\n  - linkId: c\n    type: choice\n    text: {en: C}\n", "needs answerOption"),
        (
            "item:\n  - {linkId: c, type: choice, text: {en: C}, answerOption: [{code: a, text: {en: A}}]}\n",
            "at least two options",
        ),
        ("item: 5\n", "a list is expected"),
        ("item:\n  - 5\n", "a mapping (key: value) is expected"),
    ):
        path.write_text(f"{head}\n{items}")
        with pytest.raises(FileRefused, match=re.escape(told)):
            read_questionnaire(path)
