"""Words that are looked up: what is wrong in a file is told with its line; an alarm in Māori is one."""

from pathlib import Path

import pytest

from scripts import vocabulary
from scripts.languages import folders
from scripts.yaml_lines import FileRefused
from speech.ears import red_flags

ALARMS = [
    "He mamae nui kei taku uma.",
    "kei te mamae rawa taku poho",
    "Kāore e taea e au te whakahā",
    "kaaore e taea te whakahaa!",
    "kaore e taea e ia te whakaha",
    "he uaua te whakahā",
    "kei te rere tonu te toto",
    "kei te maringi te toto i te tapahanga",
    "kua mauri moe taku tāne",
    "kāore ia e oho",
    "e pīrangi ana au ki te mate",
    "ngā whakaaro whakamomori",
    "he ohotata tēnei",
    "kei te hēmanawa ahau",
    "he uaua rawa te hā",
    "he manawahē pea",
    "e hiahia ana au ki te whakawhara i a au anō",
    "kua ngoikore ohorere tōna kanohi",
    "kāore e taea e ia te kōrero",
    "kāore au i te mōhio, he mamae taku uma",
    "kua pupuhi taku korokoro",
    "e kati ana taku korokoro",
    "kei te kirikā taku pēpi",
    "kua kai au i ngā pire katoa",
    "kāore au e rongo i taku ringa",
    "kāore taku pēpi e neke ana",
]
NO_ALARM = [
    "kua pai ake au, ngā mihi",
    "kāore he mamae o taku uma",
    "Kāore aku mamae i te uma.",
    "karekau he toto e rere ana",
    "ehara i te ohotata",
    "āhea taku whakamātautau toto?",
    "he aha taku mate?",
    "he pai te manaaki",
    "he uaua te haere mai",
    "Kāore he hēmanawa.",
    "kāore he kirikā o taku pēpi",
    "kua kai au i taku pire",
    "",
]

EMPTY = """\
replies: {"yes": [y], "no": [n], "stop": [s], "cancel": [c], "start": [s], "help": [h], "book": [b], "more": [m]}
columns: {}
values: {female: [f], male: [m], discharge: [d], surgery: [s], visit: [v]}
units: {}
"""


@pytest.mark.covers("H9", "H33")
@pytest.mark.parametrize("said", ALARMS)
def test_an_alarm_in_maori_is_one(said: str) -> None:
    assert red_flags.written(said, vocabulary.alarms())
    assert not red_flags.written(said, {}), "no other language has these words"


@pytest.mark.parametrize("said", NO_ALARM)
def test_what_is_denied_or_about_something_else_is_none(said: str) -> None:
    assert not red_flags.written(said, vocabulary.alarms())


OWN = {
    "en": "alarms:\n  emergency: [snake bite, can't … wake-up call]\n  nothing: []\n  denied: []\n",
    "zh-CN": "alarms:\n  emergency: [被…蛇…咬]\n  denied: [梦见]\n",
}


@pytest.mark.covers("H9", "H33")
@pytest.mark.parametrize(
    ("language", "said", "alarm"),
    [
        ("en", "It was a snake bite!", True),
        ("en", "he can't hear the wake up call", True),
        ("en", "it is no snake bite", False),  # as the ears know how it is denied
        ("en", "I'd like an appointment", False),
        ("en", "I have chest pain", True),  # which the ears know
        ("zh-CN", "我刚才被一条蛇咬了", True),
        ("zh-CN", "我没有被蛇咬", False),
        ("zh-CN", "我梦见被蛇咬", False),
    ],
)
def test_a_hospital_adds_alarms_to_a_language_with_ears(tmp_path: Path, language: str, said: str, alarm: bool) -> None:
    path = tmp_path / language / vocabulary.NAME
    path.parent.mkdir()
    path.write_text("reviewed_by: null\n" + EMPTY + OWN[language], encoding="utf-8")
    own = vocabulary.read(path).alarms
    assert own is not None
    assert bool(red_flags.heard(said, language, own)) is alarm
    assert red_flags.written(said, {language: own}) is alarm


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("  birth: [rā whānau]", "  born: [rā whānau]", "'born' is not known here"),
        ('  "help": [awhina]\n', "", "'help' is missing"),
        ("  denied: ", "  refused: ", "'denied' is missing"),
        ('"cm": henemita', '"cm": [henemita]', "text is expected"),
        ("male: [tāne]", "male: tāne", "a list is expected"),
    ],
)
def test_a_wrong_file_is_told_with_its_line(tmp_path: Path, before: str, after: str, told: str) -> None:
    shipped = (folders()["mi"] / vocabulary.NAME).read_text(encoding="utf-8")
    assert shipped.count(before) == 1
    path = tmp_path / "mi" / vocabulary.NAME
    path.parent.mkdir()
    path.write_text(shipped.replace(before, after), encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        vocabulary.read(path)
    (problem,) = refused.value.problems
    assert told in problem.what and problem.file == "mi/vocabulary.yaml" and problem.line > 1
