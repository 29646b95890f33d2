"""FHIR R4 in and out: what is asked of a Questionnaire of theirs, what is told of it, and the response that goes back.

Responses are read by fhir.resources, a library that others keep: our own idea of R4 would agree with itself.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as TheirQuestionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.answers import AnswerRefused, validate_answer
from scripts.fhir_export import as_fhir
from scripts.fhir_questionnaire import LARGEST, ImportRefused, read_fhir
from scripts.fhir_response import response
from scripts.filling import Filling
from scripts.questionnaire import Answer, Questionnaire
from scripts.questionnaire_files import load_questionnaires, read_body
from tests.moments import NOON, ZONE
from tests.test_filling import FEVERS, MEDICINES, SYMPTOMS, answered_on, questionnaire

EXTENSION = "http://hl7.org/fhir/StructureDefinition/"
LOINC = "http://loinc.org"


def coded(code: str, display: str = "", **more: Any) -> dict[str, Any]:
    return {"valueCoding": {"system": LOINC, "code": code, "display": display or code}, **more}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": EXTENSION + name, **value}


SOURCE: dict[str, Any] = {
    "resourceType": "Questionnaire",
    "id": "Heart.Check-1",
    "url": "https://example.org/Questionnaire/heart",
    "version": "2.1",
    "status": "active",
    "language": "es-MX",
    "title": "Corazón",
    "_title": {
        "extension": [
            {
                "url": EXTENSION + "translation",
                "extension": [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": "Heart"}],
            }
        ]
    },
    "contained": [
        {
            "resourceType": "ValueSet",
            "id": "limbs",
            "status": "active",
            "compose": {
                "include": [
                    {
                        "system": LOINC,
                        "concept": [{"code": f"L{n}", "display": f"Extremidad {n}"} for n in range(1, 13)],
                    }
                ]
            },
        }
    ],
    "item": [
        {"linkId": "0", "type": "display", "text": "Bienvenido"},
        {
            "linkId": "/1",
            "type": "group",
            "text": "Signos",
            "item": [
                {"linkId": "1.1", "type": "boolean", "text": "¿Dolor?", "required": True},
                {
                    "linkId": "1.2",
                    "type": "choice",
                    "text": "¿Dónde?",
                    "repeats": True,
                    "answerValueSet": "#limbs",
                    "enableWhen": [{"question": "1.1", "operator": "=", "answerBoolean": True}],
                    "item": [{"linkId": "1.2.1", "type": "text", "text": "Cuente"}],
                },
                {
                    "linkId": "1.3",
                    "type": "quantity",
                    "text": "¿Peso?",
                    "extension": [
                        extension("minValue", valueDecimal=2),
                        extension("maxValue", valueDecimal=300),
                        extension(
                            "questionnaire-unit",
                            valueCoding={"system": "http://unitsofmeasure.org", "code": "kg", "display": "kilos"},
                        ),
                    ],
                },
            ],
        },
        {
            "linkId": "2",
            "type": "group",
            "repeats": True,
            "required": True,
            "text": "Ingreso",
            "extension": [extension("questionnaire-maxOccurs", valueInteger=3)],
            "item": [
                {"linkId": "2.1", "type": "date", "text": "¿Cuándo?", "required": True},
                {"linkId": "2.2", "type": "dateTime", "text": "¿Y la alta?"},
                {"linkId": "2.3", "type": "time", "text": "¿A qué hora?"},
            ],
        },
        {
            "linkId": "3",
            "type": "choice",
            "text": "¿Con qué frecuencia?",
            "answerOption": [
                coded("never", "Nunca", extension=[extension("ordinalValue", valueDecimal=0)]),
                coded("often", "Mucho", extension=[extension("ordinalValue", valueDecimal=3)]),
                coded("none", "Nada", extension=[extension("questionnaire-optionExclusive", valueBoolean=True)]),
            ],
            "initial": [coded("never")],
        },
        {"linkId": "4", "type": "choice", "text": "¿Cuántos?", "answerOption": [{"valueInteger": n} for n in (1, 2)]},
        {
            "linkId": "5",
            "type": "open-choice",
            "text": "¿Quién?",
            "answerOption": [{"valueString": "Yo"}, {"valueString": "Otra persona"}],
            "enableWhen": [
                {"question": "3", "operator": "=", "answerCoding": {"system": LOINC, "code": "often"}},
                {"question": "1.3", "operator": ">=", "answerQuantity": {"value": 90, "unit": "kg"}},
            ],
            "enableBehavior": "any",
        },
        {"linkId": "6", "type": "integer", "text": "¿Latidos?", "repeats": True, "maxLength": 3},
        {"linkId": "7", "type": "url", "text": "¿Página?"},
        {"linkId": "8", "type": "decimal", "readOnly": True, "text": "Factor", "initial": [{"valueDecimal": 1.5}]},
        # what nobody can be asked
        {"linkId": "9", "type": "attachment", "text": "Una foto"},
        {"linkId": "10", "type": "string", "text": "¿Foto?", "enableWhen": [
            {"question": "9", "operator": "exists", "answerBoolean": True}]},
        {"linkId": "11", "type": "choice", "text": "¿Cuál?", "answerValueSet": "http://example.org/ValueSet/x"},
        {"linkId": "12", "type": "string", "text": "IMC", "extension": [
            {"url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"}]},
    ],
}  # fmt: skip


def imported(source: dict[str, Any] = SOURCE) -> Questionnaire:
    return read_fhir(json.dumps(source).encode()).questionnaire


def exported(asked: Questionnaire, answers: dict[str, Answer | None], status: str = "completed") -> dict[str, Any]:
    made = response(
        Filling(asked, answers),
        id="r1",
        status=status,
        canonical=asked.url or "urn:hotline:questionnaire:q|1",
        subject="Patient/p1",
        authored=NOON,
        zone=ZONE,
        language="es",
    )
    QuestionnaireResponse.model_validate_json(json.dumps(made))
    return made


@pytest.mark.covers("H21")
def test_a_questionnaire_of_theirs_is_one_of_ours_and_says_what_it_left_out() -> None:
    TheirQuestionnaire.model_validate_json(json.dumps(SOURCE))  # what we are given is R4
    found = read_fhir(json.dumps(SOURCE).encode())
    asked = found.questionnaire
    assert (asked.id, asked.url) == ("heart-check-1", "https://example.org/Questionnaire/heart|2.1")
    assert asked.title.by_language == {"es": "Corazón", "en": "Heart"}
    assert read_body(asked.body) == asked
    items = asked.by_link_id
    assert list(items) == [
        "0",
        "/1",
        "1.1",
        "1.2",
        "1.2.1",
        "1.3",
        "2",
        *(f"2.{n}" for n in (1, 2, 3)),
        *"345678",
        "12",
    ]
    assert len(items["1.2"].options) == 12 and items["1.2"].repeats
    assert (items["1.3"].unit, items["1.3"].minimum, items["1.3"].maximum) == ("kilos", 2, 300)
    assert (items["2"].most, items["3"].initial, items["8"].initial) == (3, "never", 1.5)
    assert [option.score for option in items["3"].options] == [0, 3, None]
    assert items["3"].options[2].exclusive
    assert items["5"].any_of and items["5"].when[0].answer == "often" and items["5"].when[1].answer == 90
    assert found.left_out == (
        "Questionnaire.item[6].maxLength: is not checked for type 'integer'",
        "Questionnaire.item[9] ('9'): left out, type 'attachment' cannot be asked",
        "Questionnaire.item[11].answerValueSet: 'http://example.org/ValueSet/x' is not contained in the file",
        "Questionnaire.item[11] ('11'): left out, its options are not in the file",
        "Questionnaire.item[12].extension: calculatedExpression is not evaluated",
        "Questionnaire.item[10].enableWhen[0]: the question '9' was left out",
        "Questionnaire.item[10] ('10'): left out, it would never be asked",
    )


@pytest.mark.covers("H21")
def test_whatever_is_neither_kept_nor_checked_is_listed() -> None:
    french = {
        "url": EXTENSION + "translation",
        "extension": [{"url": "lang", "valueCode": "fr"}, {"url": "content", "valueString": "Combien ?"}],
    }
    constraint = extension(
        "questionnaire-constraint",
        extension=[
            {"url": "key", "valueId": "w-1"},
            {"url": "expression", "valueString": "%resource.item.count() > 1"},
        ],
    )
    source = {
        "resourceType": "Questionnaire",
        "status": "active",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/variable", "valueString": "x"}],
        "item": [
            {"linkId": "1", "type": "group", "readOnly": True, "prefix": "A", "item": [
                {"linkId": "1.1", "type": "decimal", "text": "How much?", "_text": {"extension": [french]},
                 "code": [{"system": LOINC, "code": "29463-7"}], "definition": "http://example.org/weight",
                 "extension": [extension("maxDecimalPlaces", valueInteger=1), constraint]}]},
            {"linkId": "2", "type": "choice", "text": "Which?", "answerOption": [
                {"valueString": "a"},
                {"valueString": "b", "extension": [extension("questionnaire-optionPrefix", valueString="2.")]}]},
            {"linkId": "3", "type": "date", "text": "One or two?", "answerOption": [{"valueDate": "2026-01-01"}],
             "extension": [extension("questionnaire-itemControl", valueString="slider")]},
        ],
    }  # fmt: skip
    found = read_fhir(json.dumps(source).encode())
    assert list(found.questionnaire.by_link_id) == ["1", "1.1", "2", "3"]
    assert found.left_out == (
        "Questionnaire.item[0].readOnly: what stands in the group is asked",
        "Questionnaire.item[0].prefix: is not shown",
        "Questionnaire.item[0].item[0].extension: maxDecimalPlaces is not checked",
        "Questionnaire.item[0].item[0].extension: the constraint 'w-1' is not checked",
        "Questionnaire.item[1].answerOption[1].extension: questionnaire-optionPrefix is not used",
        "Questionnaire.item[2]: options of type 'date' are not used; any answer of that type is taken",
        "Questionnaire.item[2].extension: questionnaire-itemControl is not used",
        "Questionnaire.extension: 'variable' is not used",
        "Questionnaire: code and definition of 1 items are not kept",
        "Questionnaire: translations into fr are not kept",
    )


@pytest.mark.covers("H21")
def test_what_changes_the_meaning_of_a_part_or_of_the_whole_is_listed() -> None:
    changed = {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}
    source = json.loads(
        with_items(
            {"linkId": "1", "type": "boolean", "text": "?",
             "_text": {"extension": [extension("rendering-xhtml", valueString="<b>?</b>")]}},
            {"linkId": "2", "type": "string", "text": "?", "enableWhen": [
                {"question": "1", "operator": "!=", "answerBoolean": True, **changed}]},
            {"linkId": "3", "type": "choice", "text": "?", "answerOption": [
                {"valueString": "a"}, {"valueString": "b"}, {"valueString": "c", **changed}]},
            {"linkId": "4", "type": "integer", "text": "?", "readOnly": True},
            {"linkId": "5", "type": "date", "text": "?", "extension": [extension("minValue", _valueDate={})]},
        )
    )  # fmt: skip
    about = {"implicitRules": "http://example.org/rules", "subjectType": ["Practitioner"], "status": "retired"}
    found = read_fhir(json.dumps({**source, **about}).encode())
    assert list(found.questionnaire.by_link_id) == ["1", "3", "4", "5"]
    assert [option.code for option in found.questionnaire.by_link_id["3"].options] == ["a", "b"]
    assert found.left_out == (
        "Questionnaire.item[0].text: rendering-xhtml is not used",
        "Questionnaire.item[2].answerOption[2]: an option whose meaning a modifierExtension changes is left out",
        "Questionnaire.item[3].readOnly: nobody may answer it, and it has no value; it stays empty",
        "Questionnaire.item[4].extension: minValue is not checked: nothing that a date can be compared with",
        "Questionnaire.implicitRules: the rules at that address are not known here",
        "Questionnaire.subjectType: 'Practitioner'; a response is about a patient",
        "Questionnaire.status: it is retired; it is asked all the same",
        "Questionnaire.item[1].enableWhen[0]: a modifierExtension changes what it means",
        "Questionnaire.item[1] ('2'): left out, it would never be asked",
    )


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("options", "wanted", "given", "asked"),
    [
        ([{"valueInteger": 1}, {"valueInteger": 2}], {"answerInteger": 1}, "1", (True, False)),
        ([{"valueInteger": 1}, {"valueInteger": 2}], {"answerInteger": 1}, "2", (False, True)),
        ([coded("a"), coded("b")], {"answerCoding": {"code": "a"}}, "a", (True, False)),
        ([coded("a"), coded("b")], {"answerCoding": {"code": "a"}}, "b", (False, True)),
        ([coded("a"), coded("b")], {"answerCoding": {"system": "http://other", "code": "a"}}, "a", (None, True)),
    ],
)
def test_a_condition_on_a_choice_means_the_option_however_it_is_written(
    options: list[dict[str, Any]], wanted: dict[str, Any], given: str, asked: tuple[bool | None, bool]
) -> None:
    """None: such an answer is never given, so it is left out."""
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": "choice", "text": "?", "answerOption": options},
            *(
                {"linkId": f"1{operator}", "type": "string", "text": "?",
                 "enableWhen": [{"question": "1", "operator": operator, **wanted}]}
                for operator in ("=", "!=")
            ),
        )
    )  # fmt: skip
    filling = Filling(found.questionnaire, {"1": given})
    enabled = {place.key: filling.enabled(place) for place in filling.places}
    assert (enabled.get("1="), enabled["1!="]) == asked


@pytest.mark.covers("H21")
def test_an_amount_in_another_unit_is_not_taken_for_ours() -> None:
    kilos = {"system": "http://unitsofmeasure.org", "code": "kg"}
    source = with_items(
        {"linkId": "1", "type": "quantity", "text": "?", "extension": [
            extension("questionnaire-unit", valueCoding=kilos),
            {"url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity",
             "valueQuantity": {"value": 300_000, "code": "g"}}]},
        *({"linkId": code, "type": "string", "text": "?", "enableWhen": [
            {"question": "1", "operator": ">", "answerQuantity": {"value": 9, "code": code}}]} for code in ("kg", "g")),
        {"linkId": "4", "type": "quantity", "text": "?", "readOnly": True, "initial": [
            {"valueQuantity": {"value": 5, "unit": "kilos", **kilos}}]},
    )  # fmt: skip
    found = read_fhir(source)
    assert list(found.questionnaire.by_link_id) == ["1", "kg", "4"]
    assert found.questionnaire.by_link_id["1"].maximum is None
    assert found.left_out == (
        "Questionnaire.item[0].extension: maxValue is not checked: nothing that a quantity can be compared with",
        "Questionnaire.item[2].enableWhen[0]: its unit is not the one in which '1' is answered",
        "Questionnaire.item[2] ('g'): left out, it would never be asked",
    )
    given = exported(found.questionnaire, {})["item"][0]["answer"][0]["valueQuantity"]
    assert given == {"value": 5, "unit": "kilos", **kilos}


@pytest.mark.covers("H21")
def test_options_of_a_code_system_in_the_file_are_read_and_an_open_choice_goes_without() -> None:
    letters = {"resourceType": "CodeSystem", "id": "c", "url": "http://example.org/letters", "content": "complete",
               "concept": [{"code": "a", "display": "A", "concept": [{"code": "b", "display": "B"}]}]}  # fmt: skip
    whole = {"resourceType": "ValueSet", "id": "v", "compose": {"include": [{"system": "http://example.org/letters"}]}}
    source = json.loads(
        with_items(
            {"linkId": "1", "type": "choice", "text": "?", "answerValueSet": "#v"},
            {"linkId": "2", "type": "open-choice", "text": "?", "answerValueSet": "http://example.org/ValueSet/x"},
        )
    )
    asked = read_fhir(json.dumps({**source, "contained": [letters, whole]}).encode()).questionnaire.by_link_id
    assert [option.code for option in asked["1"].options] == ["a", "b"]
    assert asked["2"].type == "string"


@pytest.mark.covers("H21")
def test_options_that_are_selected_at_first_are_suggested() -> None:
    def chosen(repeats: bool, *selected: str) -> tuple[Any, tuple[str, ...]]:
        options = [{"valueString": code, "initialSelected": code in selected} for code in "abc"]
        item = {"linkId": "1", "type": "choice", "text": "?", "repeats": repeats, "answerOption": options}
        found = read_fhir(with_items(item))
        return found.questionnaire.by_link_id["1"].initial, found.left_out

    assert chosen(False, "b") == ("b", ())
    assert chosen(True, "a", "c") == (["a", "c"], ())
    told = "Questionnaire.item[0].answerOption: such an answer is never given; it is not suggested"
    assert chosen(False, "a", "c") == (None, (told,))


@pytest.mark.covers("H21")
@pytest.mark.parametrize("kind", ["choice", "integer", "string"])
def test_a_hidden_value_is_kept_with_what_hangs_on_it_and_goes_out_hidden(kind: str) -> None:
    """R4, que-11: what has options says by them what it is."""
    hidden = extension("questionnaire-hidden", valueBoolean=True)
    name, value = {"choice": ("Coding", {"system": LOINC, "code": "b", "display": "B"}), "integer": ("Integer", 2)}.get(
        kind, ("String", "B")
    )
    other = {"choice": {"system": LOINC, "code": "a", "display": "A"}, "integer": 1}.get(kind, "A")
    options = [{f"value{name}": other}, {f"value{name}": value, "initialSelected": True}]
    wanted = {"question": "1", "operator": "=", f"answer{name}": value}
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": kind, "text": "?", "extension": [hidden], "answerOption": options},
            {"linkId": "2", "type": "string", "text": "?", "enableWhen": [wanted]},
        )
    )
    assert found.left_out == ()
    filling = Filling(found.questionnaire, {})
    assert [place.key for place in filling.asked()] == ["2"]
    assert exported(found.questionnaire, {})["item"][0]["answer"] == [{f"value{name}": value}]
    out = as_fhir(found.questionnaire, 1)
    assert out.left_out == () and out.resource["item"][0]["extension"][0] == hidden
    assert read_fhir(json.dumps(out.resource).encode()).questionnaire.items == found.questionnaire.items


@pytest.mark.covers("H21")
def test_what_is_hidden_and_has_no_value_is_left_out() -> None:
    hidden = extension("questionnaire-hidden", valueBoolean=True)
    item = {"linkId": "1", "type": "choice", "text": "?", "extension": [hidden], "answerOption": [coded("a")]}
    found = read_fhir(with_items(item, {"linkId": "2", "type": "string", "text": "?"}))
    assert found.left_out == ("Questionnaire.item[0] ('1'): left out, it is hidden",)


def whole(*numbers: int, **more: Any) -> dict[str, Any]:
    return {"text": "?", "answerOption": [{"valueInteger": n} for n in numbers], **more}


@pytest.mark.covers("H21")
def test_a_number_or_a_text_with_options_of_its_own_takes_nothing_else() -> None:
    teas = [{"valueString": "green"}, {"valueString": "black"}]
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": "integer", **whole(0, 2, 1)},
            {"linkId": "2", "type": "integer", **whole(1, 3, 9)},
            {"linkId": "3", "type": "string", "text": "?", "answerOption": teas},
            {"linkId": "4", "type": "integer", "text": "?", "answerOption": [
                {"valueInteger": 1}, {"valueInteger": 2, "initialSelected": True}]},
        )
    )  # fmt: skip
    assert found.left_out == ()
    asked = found.questionnaire
    kinds = [asked.by_link_id[link_id].type for link_id in "1234"]
    assert kinds == ["integer", "choice", "choice", "integer"]
    assert asked.by_link_id["4"].initial == 2
    for link_id, wrong in (("1", 3), ("2", 2), ("3", "coffee"), ("4", 0)):
        with pytest.raises(AnswerRefused):
            validate_answer(asked.by_link_id[link_id], wrong)
    assert read_fhir(json.dumps(as_fhir(asked, 1).resource).encode()).questionnaire.items == asked.items
    made = exported(asked, {"1": 2, "2": "9", "3": "black"})
    assert [item["answer"] for item in made["item"]] == [
        [{"valueInteger": 2}],
        [{"valueInteger": 9}],
        [{"valueString": "black"}],
    ]


@pytest.mark.covers("H21")
@pytest.mark.parametrize(("operator", "asked"), [(">", "9"), (">=", "39"), ("<", "1"), ("<=", "13"), ("=", "3")])
@pytest.mark.parametrize("kind", ["choice", "integer"])
def test_options_that_are_whole_numbers_are_compared_as_numbers(kind: str, operator: str, asked: str) -> None:
    when = {"question": "1", "operator": operator, "answerInteger": 3}
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": kind, **whole(1, 3, 9)},
            {"linkId": "2", "type": "string", "text": "?", "enableWhen": [when]},
        )
    )
    assert found.left_out == ()

    def enabled(answer: str) -> bool:
        filling = Filling(found.questionnaire, {"1": answer})
        return filling.enabled(filling.place("2"))

    assert [answer for answer in "139" if enabled(answer)] == list(asked)
    again = as_fhir(found.questionnaire, 1)
    assert again.left_out == () and again.resource["item"][1]["enableWhen"] == [when]
    assert all("extension" not in option for option in again.resource["item"][0]["answerOption"])


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("item", "operator", "wanted", "answer"),
    [
        ({"type": "integer", "extension": [extension("minValue", valueInteger=1)]}, ">", {"answerInteger": 0}, 1),
        ({"type": "integer", "extension": [extension("minValue", valueInteger=1)]}, ">=", {"answerInteger": 0}, 1),
        ({"type": "decimal", "extension": [extension("maxValue", valueDecimal=10)]}, "<", {"answerDecimal": 11}, 9.5),
        ({"type": "integer", **whole(*range(1, 11))}, ">", {"answerInteger": 0}, 10),
        (
            {"type": "date", "extension": [extension("minValue", valueDate="2020-01-01")]},
            ">",
            {"answerDate": "2019-12-31"},
            "2020-01-01",
        ),
        (
            {"type": "dateTime", "extension": [extension("maxValue", valueDateTime="2020-01-01T00:00:00")]},
            "<=",
            {"answerDateTime": "2020-01-02T00:00:00"},
            "2020-01-01T00:00:00",
        ),
    ],
)
def test_a_condition_that_every_answer_meets_is_kept(
    item: dict[str, Any], operator: str, wanted: dict[str, Any], answer: Answer
) -> None:
    when = {"question": "1", "operator": operator, **wanted}
    asking = {"linkId": "2", "type": "string", "text": "?", "enableWhen": [when]}
    found = read_fhir(with_items({"linkId": "1", "text": "?", **item}, asking))
    assert found.left_out == ()
    for said, enabled in ((answer, True), (None, False)):
        filling = Filling(found.questionnaire, {"1": said})
        assert filling.enabled(filling.place("2")) is enabled
    out = as_fhir(found.questionnaire, 1).resource
    assert out["item"][1]["enableWhen"] == [when]
    assert read_fhir(json.dumps(out).encode()).questionnaire.by_link_id == found.questionnaire.by_link_id


@pytest.mark.covers("H21")
@pytest.mark.parametrize(
    ("operator", "wanted", "told"),
    [
        (">", {"answerDate": "2000"}, "its answer is no full date"),
        ("=", {"answerDate": "2000-02"}, "its answer is no full date"),
        ("=", {"answerDate": "1999-12-31"}, "such an answer is never given"),
        ("<", {"answerDate": "1999-12-31"}, "such an answer is never given"),
    ],
)
def test_a_condition_that_nothing_can_be_compared_with_says_why(
    operator: str, wanted: dict[str, Any], told: str
) -> None:
    when = {"question": "1", "operator": operator, **wanted}
    limit = extension("minValue", valueDate="2000-01-01")
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": "date", "text": "?", "extension": [limit]},
            {"linkId": "2", "type": "string", "text": "?", "enableWhen": [when]},
        )
    )
    assert found.left_out == (
        f"Questionnaire.item[1].enableWhen[0]: {told}",
        "Questionnaire.item[1] ('2'): left out, it would never be asked",
    )


@pytest.mark.covers("H21")
def test_the_translations_of_options_that_are_texts_are_kept() -> None:
    said = {"es": "Cabeza", "zh-CN": "头"}
    told = [
        {"url": EXTENSION + "translation",
         "extension": [{"url": "lang", "valueCode": tag}, {"url": "content", "valueString": text}]}
        for tag, text in said.items()
    ]  # fmt: skip
    options = [{"valueString": "Head", "_valueString": {"extension": told}}, {"valueString": "Belly"}]
    found = read_fhir(with_items({"linkId": "1", "type": "choice", "text": "Where?", "answerOption": options}))
    assert found.left_out == ()
    assert found.questionnaire.by_link_id["1"].options[0].text.by_language == {"en": "Head", **said}
    assert as_fhir(found.questionnaire, 1).resource["item"][0]["answerOption"] == options
    assert exported(found.questionnaire, {"1": "Head"})["item"][0]["answer"] == [{"valueString": "Head"}]


@pytest.mark.covers("H21")
def test_the_code_of_a_unit_goes_out_with_its_system_only() -> None:
    """R4, qty-3."""
    for coding, told in (
        ({"code": "mg"}, {"unit": "mg"}),
        ({"code": "mg", "system": "http://unitsofmeasure.org"}, {"unit": "mg", "code": "mg"}),
        ({"display": "pills"}, {"unit": "pills"}),
    ):
        unit = extension("questionnaire-unit", valueCoding=coding)
        asked = read_fhir(with_items({"linkId": "1", "type": "quantity", "text": "?", "extension": [unit]}))
        (answer,) = exported(asked.questionnaire, {"1": 5.0})["item"][0]["answer"]
        system = {"system": coding["system"]} if "system" in coding else {}
        assert answer == {"valueQuantity": {"value": 5, **told, **system}}


@pytest.mark.covers("H21")
def test_an_amount_goes_out_with_the_unit_in_which_it_is_asked() -> None:
    kilos = {"system": "http://unitsofmeasure.org", "code": "kg"}
    weight = {"value": 90, "unit": "kilos", **kilos}
    limit = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-maxQuantity"
    source = with_items(
        {"linkId": "1", "type": "quantity", "text": "?", "initial": [{"valueQuantity": weight}], "extension": [
            {"url": limit, "valueQuantity": {**weight, "value": 300}},
            extension("questionnaire-unit", valueCoding={"display": "kilos", **kilos})]},
        {"linkId": "2", "type": "string", "text": "?", "enableWhen": [
            {"question": "1", "operator": ">", "answerQuantity": weight}]},
    )  # fmt: skip
    found = read_fhir(source)
    assert found.left_out == ()
    weighed, asked = as_fhir(found.questionnaire, 1).resource["item"]
    theirs = json.loads(source)["item"]
    assert (weighed["initial"], asked["enableWhen"]) == (theirs[0]["initial"], theirs[1]["enableWhen"])
    assert weighed["extension"] == theirs[0]["extension"]

    ours = questionnaire({"linkId": "t", "type": "quantity", "unit": "°C", "maxValue": 43, "text": {"en": "?"}})
    most, unit = as_fhir(ours, 1).resource["item"][0]["extension"]
    degrees = {"system": "http://unitsofmeasure.org", "code": "Cel"}
    assert most["valueQuantity"] == {"value": 43, "unit": "°C", **degrees}
    assert unit["valueCoding"] == {"display": "°C", **degrees}


@pytest.mark.covers("H21")
def test_a_link_id_that_looks_like_a_repetition_is_asked_and_comes_back_as_it_was() -> None:
    source = json.loads(
        with_items(
            {"linkId": "a@1", "type": "boolean", "text": "?"},
            {"linkId": "a@1~", "type": "string", "text": "?", "enableWhen": [
                {"question": "a@1", "operator": "=", "answerBoolean": True}]},
            {"linkId": "g", "type": "group", "repeats": True, "item": [
                {"linkId": "a@2.1", "type": "string", "text": "?"}]},
        )
    )  # fmt: skip
    found = read_fhir(json.dumps(source).encode())
    assert found.left_out == () and list(found.questionnaire.by_link_id) == ["a@1~", "a@1~~", "g", "a@2.1~"]
    made = exported(found.questionnaire, {"a@1~": True, "a@1~~": "x", "a@2.1~@1": "one", "a@2.1~@2": "two"})
    assert [item["linkId"] for item in made["item"]] == ["a@1", "a@1~", "g", "g"]
    assert [item["item"][0]["answer"] for item in made["item"][2:]] == [
        [{"valueString": "one"}],
        [{"valueString": "two"}],
    ]


@pytest.mark.covers("H21")
def test_a_language_that_nobody_here_speaks_stays_what_it_is() -> None:
    source = json.loads(with_items({"linkId": "1", "type": "boolean", "text": "Haben Sie Schmerzen?"}))
    found = read_fhir(json.dumps({**source, "language": "de-AT"}).encode())
    asked = found.questionnaire.by_link_id["1"].text.of("es")
    assert read_body(found.questionnaire.body) == found.questionnaire
    assert (asked.text, asked.language) == ("Haben Sie Schmerzen?", "de-AT")
    assert found.left_out == (
        "Questionnaire.language: no voice of ours speaks 'de-AT'; it is shown and texted in it, and a call leads to a "
        "nurse",
    )
    assert exported(found.questionnaire, {"1": True})["item"][0]["text"] == "Haben Sie Schmerzen?"
    assert as_fhir(found.questionnaire, 1).resource["language"] == "de-AT"
    wrong = read_fhir(json.dumps({**source, "language": "Deutsch!"}).encode())
    assert wrong.left_out == ("Questionnaire.language: 'Deutsch!' is no language tag; its texts are taken for English",)


@pytest.mark.covers("H21")
def test_a_response_is_nested_as_they_wrote_it() -> None:
    answers: dict[str, Answer | None] = {
        "1.1": True,
        "1.2": ["L3", "L12"],
        "1.2.1@3": {"voice": 10042},
        "1.2.1@12": "Desde ayer",
        "1.2.1@4": "not chosen any more",
        "1.3": 92.0,
        "2": 2,
        "2.1@1": "2026-11-20",
        "2.2@1": "2026-11-22T09:20:00",
        "2.1@2": "2026-11-25",
        "3": "often",
        "4": "2",
        "5": {"text": "Mi hija"},
        "6": [80, 82],
        "7": None,
    }
    made = exported(imported(), answers)
    assert made["questionnaire"] == "https://example.org/Questionnaire/heart|2.1"
    by_id: dict[str, list[dict[str, Any]]] = {}
    for item in made["item"]:
        by_id.setdefault(item["linkId"], []).append(item)
    limbs = by_id["/1"][0]["item"][1]["answer"]
    assert [one["valueCoding"]["code"] for one in limbs] == ["L3", "L12"]
    under = [one["item"][0]["answer"][0]["valueString"] for one in limbs]
    assert under == ["(voice recording, case 10042)", "Desde ayer"]
    assert by_id["/1"][0]["item"][2]["answer"] == [
        {"valueQuantity": {"value": 92, "unit": "kilos", "system": "http://unitsofmeasure.org", "code": "kg"}}
    ]
    first, second = by_id["2"]
    assert [item["answer"][0] for item in first["item"]] == [
        {"valueDate": "2026-11-20"},
        {"valueDateTime": "2026-11-22T09:20:00-05:00"},
    ]
    assert second["item"][0]["answer"] == [{"valueDate": "2026-11-25"}]
    assert by_id["4"][0]["answer"] == [{"valueInteger": 2}]
    assert by_id["5"][0]["answer"] == [{"valueString": "Mi hija"}]
    assert by_id["6"][0]["answer"] == [{"valueInteger": 80}, {"valueInteger": 82}]
    assert by_id["8"][0]["answer"] == [{"valueDecimal": 1.5}]
    assert "7" not in by_id


@pytest.mark.covers("H21")
def test_what_stands_under_answers_is_asked_for_each_or_listed() -> None:
    def several(link_id: str, count: int, kind: str = "choice", **more: Any) -> dict[str, Any]:
        offered = {"answerOption": [{"valueString": str(n)} for n in range(count)]} if count else {}
        inside = [{"linkId": f"{link_id}.1", "type": "integer", "text": "?"}]
        return {"linkId": link_id, "type": kind, "text": "?", "repeats": True, "item": inside, **offered, **more}

    fixed = several("6", 0, "integer", readOnly=True, initial=[{"valueInteger": 1}, {"valueInteger": 2}])

    deep = several("3", 30, item=[several("4", 40, item=[{"linkId": "4.1", "type": "string", "text": "?"}])])
    found = read_fhir(with_items(several("1", 450), several("2", 0, "string"), deep, several("5", 500), fixed))
    assert found.left_out == (
        "Questionnaire.item[2].item[0].item[0] ('4.1'): left out, for each of 40 answers it would be too much to ask",
        "Questionnaire.item[3].item[0] ('5.1'): left out, for each of 500 answers it would be too much to ask",
        "Questionnaire.item[4].item: is asked once, not for each fixed value; a response has it under the first",
    )


@pytest.mark.covers("H21")
def test_what_stands_under_a_number_or_a_text_of_several_is_asked_for_each() -> None:
    taken = {
        "linkId": "1@",
        "type": "string",
        "text": "Which medicines?",
        "repeats": True,
        "required": True,
        "initial": [{"valueString": "aspirin"}, {"valueString": "insulin"}],
        "extension": [extension("questionnaire-maxOccurs", valueInteger=4)],
        "enableWhen": [{"question": "0", "operator": "=", "answerBoolean": True}],
        "item": [
            {"linkId": "1.1", "type": "date", "text": "Since when?", "repeats": True,
             "item": [{"linkId": "1.1.1", "type": "integer", "text": "How much then?"}]},
            {"linkId": "1.2", "type": "string", "text": "Why no more?",
             "enableWhen": [{"question": "1@", "operator": "=", "answerString": "insulin"}]},
        ],
    }  # fmt: skip
    found = read_fhir(with_items({"linkId": "0", "type": "boolean", "text": "Any?"}, taken))
    assert found.left_out == ()
    asked = found.questionnaire
    again = as_fhir(asked, 1)
    assert (again.resource["item"][1], again.left_out) == (taken, ()), "and goes out as it came"
    assert read_body(asked.body) == asked
    answers: dict[str, Answer | None] = {"0": True}
    place = Filling(asked, answers).next()
    assert place is not None and (place.key, place.item.initial, place.item.required) == ("1@~@1", "aspirin", True)
    answers |= {"1@~@1": "Aspirin", "1.1@1.1": "2026-01-01", "1.1.1@1.1": 1, "1.1@@1": 2, "1.1@1.2": "2026-02-01"}
    made = exported(asked, answers, "in-progress")["item"][1]
    (aspirin,) = made["answer"]
    assert (made["linkId"], aspirin["valueString"]) == ("1@", "Aspirin")
    assert aspirin["item"] == [
        {
            "linkId": "1.1",
            "text": "Since when?",
            "answer": [
                {
                    "valueDate": "2026-01-01",
                    "item": [{"linkId": "1.1.1", "text": "How much then?", "answer": [{"valueInteger": 1}]}],
                },
                {"valueDate": "2026-02-01"},
            ],
        }
    ]
    answers |= {"1.1.1@1.2": None, "1@~@": 3, "1@~@2": None, "1@~@3": "insulin", "1.2@3": "x", "1.1@3.1": None}
    assert Filling(asked, answers).next() is None
    told = exported(asked, answers)["item"][1]["answer"]
    assert [one["valueString"] for one in told] == ["Aspirin", "insulin"]
    assert told[1]["item"] == [{"linkId": "1.2", "text": "Why no more?", "answer": [{"valueString": "x"}]}]


@pytest.mark.covers("H21")
def test_a_group_that_must_be_there_is_there_when_all_in_it_was_left_out() -> None:
    inside = {"type": "string", "text": "?"}
    found = read_fhir(
        with_items(
            {"linkId": "g", "type": "group", "required": True, "item": [{"linkId": "g1", **inside}]},
            {"linkId": "r", "type": "group", "required": True, "repeats": True, "item": [{"linkId": "r1", **inside}]},
            {"linkId": "o", "type": "group", "item": [{"linkId": "o1", **inside}]},
        )
    )
    left_out: dict[str, Answer | None] = {"g1": None, "r": 1, "r1@1": None, "o1": None}
    assert exported(found.questionnaire, left_out)["item"] == [{"linkId": "g"}, {"linkId": "r"}]
    assert "item" not in exported(found.questionnaire, {}, "in-progress")


@pytest.mark.covers("H21")
def test_an_instant_is_compared_with_the_clock_on_the_wall_and_that_is_listed() -> None:
    limit = extension("minValue", valueDateTime="2026-01-01T00:00:00+01:00")
    found = read_fhir(
        with_items(
            {"linkId": "1", "type": "dateTime", "text": "?", "extension": [limit]},
            {"linkId": "2", "type": "string", "text": "?", "enableWhen": [
                {"question": "1", "operator": ">", "answerDateTime": "2026-06-15T12:00:00Z"}]},
            {"linkId": "3", "type": "date", "text": "?"},
            {"linkId": "4", "type": "string", "text": "?", "enableWhen": [
                {"question": "3", "operator": ">", "answerDate": "2026-06-15"}]},
        )
    )  # fmt: skip
    assert list(found.questionnaire.by_link_id) == ["1", "2", "3", "4"]
    told = "its zone is not kept: it is compared with the clock on the site's wall"
    assert found.left_out == (
        f"Questionnaire.item[0].extension: minValue: {told}",
        f"Questionnaire.item[1].enableWhen[0]: {told}",
    )


def test_an_address_that_was_spoken_is_an_address_too() -> None:
    asked = read_fhir(with_items({"linkId": "u", "type": "url", "text": "?"})).questionnaire
    (item,) = exported(asked, {"u": {"voice": 10042}})["item"]
    assert item["answer"] == [{"valueUri": "urn:hotline:case:10042"}]


def test_one_that_was_cut_off_is_in_progress_and_holds_what_was_given() -> None:
    made = exported(imported(), {"1.1": True, "1.2": {"so_far": ["L1"], "asked": ["L1", "L2"]}}, "in-progress")
    assert made["status"] == "in-progress"
    assert made["item"][0]["item"][1]["answer"][0]["valueCoding"]["code"] == "L1"


@pytest.mark.covers("H21")
@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_is_answered_is_a_valid_response(data: st.DataObject) -> None:
    known = {
        **load_questionnaires()[0],
        "medicines": MEDICINES,
        "symptoms": SYMPTOMS,
        "fevers": FEVERS,
        "theirs": imported(),
    }
    asked = known[data.draw(st.sampled_from(sorted(known)))]
    answers: dict[str, Answer | None] = {}
    answered_on(data.draw, asked, answers, data.draw(st.integers(0, 60)))
    exported(asked, answers, "in-progress")


# ── What is broken ──────────────────────────────────────────────────────────────────────────────────────────────────


def with_items(*items: Any) -> bytes:
    return json.dumps({"resourceType": "Questionnaire", "status": "draft", "item": list(items)}).encode()


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"linkId": "q", "type": "string", "text": "?"}
    for at in range(depth):
        inner = {"linkId": f"g{at}", "type": "group", "item": [inner]}
    return inner


STRING = {"linkId": "a", "type": "string", "text": "?"}
HOSTILE = [
    (b"", "is no JSON that can be used"),
    (b"\xff\xfe", "is not UTF-8 at byte 0"),
    (b"[]", "is no FHIR Questionnaire"),
    (b'{"resourceType": "Patient"}', "is no FHIR Questionnaire: resourceType is 'Patient'"),
    (b'{"resourceType": "Bundle"}', "take the Questionnaire out of it"),
    (b'\xef\xbb\xbf<Questionnaire xmlns="http://hl7.org/fhir"/>', "is XML"),
    (with_items({"linkId": "a", "type": "attachment", "text": "?"}), "('a'): left out, type 'attachment'"),
    (with_items({"linkId": "a", "type": "choice", "answerOption": [{"valueInteger": "1"}]}), "a whole number"),
    (b'{"resourceType": "Questionnaire", "resourceType": "Questionnaire"}', "'resourceType' stands twice"),
    (b'{"resourceType": "Questionnaire", "item": NaN}', "NaN is no JSON"),
    (b'{"resourceType": "Questionnaire"}', "nothing that can be asked is in it"),
    (b'{"resourceType": "Questionnaire", "item": 5}', "Questionnaire.item: a list is expected"),
    (b" " * (LARGEST + 1), f"bytes long; {LARGEST} are allowed"),
    (b"[" * 100_000, "deep in itself"),
    (b'{"resourceType": "Questionnaire", "item": ' + b'[{"item": ' * 60 + b"1" + b"}]" * 60 + b"}", "deep in itself"),
    (with_items(nested(20)), "more than 12 deep"),
    (with_items(5), "Questionnaire.item[0]: an object is expected"),
    (with_items({"type": "string"}), "Questionnaire.item[0].linkId is missing"),
    (with_items({"linkId": "a"}), "Questionnaire.item[0].type is missing"),
    (with_items({"linkId": "a", "type": "number"}), "Questionnaire.item[0].type 'number' is no item type of R4"),
    (with_items({**STRING, "text": 5}), "Questionnaire.item[0].text: text is expected"),
    (with_items({**STRING, "required": "yes"}), "Questionnaire.item[0].required: true or false is expected"),
    (with_items({**STRING, "maxLength": -1}), "Questionnaire.item[0].maxLength: a whole number"),
    (with_items(STRING, nested(1), STRING),
     "item[2].linkId 'a' stands here a second time; it was at Questionnaire.item[0]"),
    (with_items({**STRING, "linkId": " a"}), "cannot be kept"),
    (with_items({**STRING, "enableWhen": [{"question": "a", "operator": "=", "answerString": "x"}]}),
     "Questionnaire.item[0].enableWhen: conditions go in a circle: a → a"),
    (with_items({**STRING, "enableWhen": [{"question": "b", "operator": "=", "answerString": "x"}]}),
     "item[0].enableWhen[0].question: no item has linkId 'b'"),
    (with_items({**STRING, "enableWhen": [{"question": "a", "operator": "~", "answerString": "x"}]}),
     "'~' is not known"),
    (with_items({**STRING, "enableWhen": {"question": "a"}}), "item[0].enableWhen: a list is expected"),
    (with_items(*({"linkId": str(n), "type": "string"} for n in range(1100))), "more than 1000 items"),
]  # fmt: skip


@pytest.mark.covers("H21")
@pytest.mark.parametrize(("raw", "told"), HOSTILE, ids=[row[1][:60] for row in HOSTILE])
def test_what_is_broken_is_refused_with_its_path(raw: bytes, told: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        read_fhir(raw)
    assert told in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_is_given_is_read_or_refused(data: st.DataObject) -> None:
    """Any one value of a good file becomes another."""
    source = json.loads(json.dumps(SOURCE))
    here: Any = source
    while True:
        key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        if not here[key] or not isinstance(here[key], dict | list) or data.draw(st.booleans()):
            here[key] = data.draw(json_values)
            break
        here = here[key]
    try:
        found = read_fhir(json.dumps(source).encode())
    except ImportRefused as refusal:
        assert refusal.problems and all(refusal.problems)
        return
    filling = Filling(found.questionnaire, {})
    assert filling.progress()[0] <= filling.progress()[1]
    exported(found.questionnaire, {}, "in-progress")


def hanging_in_a_row(count: int) -> list[dict[str, Any]]:
    """Each on the next, and the last cannot be asked: all of them go, one by one."""
    return [
        {"linkId": str(n), "type": "attachment", "text": "picture"}
        if n + 1 == count
        else {
            "linkId": str(n),
            "type": "boolean",
            "text": str(n),
            "enableWhen": [{"question": str(n + 1), "operator": "=", "answerBoolean": True}],
        }
        for n in range(count)
    ]


LONG_SET = {
    "resourceType": "ValueSet",
    "id": "v",
    "expansion": {"contains": [{"code": f"c{n}"} for n in range(30_000)]},
}
CHOICES = [{"linkId": str(n), "type": "choice", "text": "?", "answerValueSet": "#v"} for n in range(900)]


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (f'{{{",".join(f""""k{n}":1""" for n in range(100_000))},"z":1,"z":2}}'.encode(), "'z' stands twice"),
        (
            json.dumps({"resourceType": "Questionnaire", "item": CHOICES, "contained": [LONG_SET]}).encode(),
            "more than 10000 options in all",
        ),
        (with_items(*hanging_in_a_row(900)), "nothing that can be asked"),
    ],
    ids=["keys", "options", "conditions"],
)
def test_what_is_made_to_take_long_is_refused_soon(raw: bytes, told: str) -> None:
    assert len(raw) < LARGEST
    began = time.process_time()
    with pytest.raises(ImportRefused) as refused:
        read_fhir(raw)
    assert told in str(refused.value)
    assert time.process_time() - began < 5


def test_a_translation_with_a_list_for_its_url_is_no_translation() -> None:
    source = json.loads(json.dumps(SOURCE))
    source["_title"] = {"extension": [{"url": EXTENSION + "translation", "extension": [{"url": []}]}]}
    assert len(read_fhir(json.dumps(source).encode()).questionnaire.title.by_language) == 1


def test_when_it_was_written_is_told_in_the_site_s_zone() -> None:
    assert exported(imported(), {"1.1": True})["authored"] == "2026-11-25T13:00:00-05:00"
    assert datetime.fromisoformat("2026-11-25T13:00:00-05:00") == NOON.astimezone(UTC)
