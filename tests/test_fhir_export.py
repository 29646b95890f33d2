"""Our questionnaires as FHIR: valid for others' tools, and read again as they were, but for what is told."""

import json

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire as Theirs

from scripts.fhir_export import as_fhir
from scripts.fhir_questionnaire import read_fhir
from scripts.questionnaire import Questionnaire, every
from scripts.questionnaire_files import load_questionnaires
from tests.test_fhir import imported
from tests.test_web_form_shapes import SHAPES

KNOWN = {**load_questionnaires()[0], "shapes": SHAPES, "theirs": imported()}


def shape(asked: Questionnaire) -> list[object]:
    """What FHIR has a place for."""
    return [
        (
            *(item.link_id, item.type, dict(item.text.by_language), item.required, item.repeats, item.most, item.unit),
            *(
                item.minimum,
                item.maximum,
                item.earliest,
                item.latest,
                item.max_length,
                item.any_of and len(item.when) > 1,
            ),
            [(one.code, one.score, one.exclusive, one.text.by_language) for one in item.options],
            [one for one in item.when if not one.score],
        )
        for item in every(asked.items)
    ]


@pytest.mark.covers("H21")
@pytest.mark.parametrize("code", sorted(KNOWN))
def test_ours_goes_out_and_comes_back(code: str) -> None:
    asked = KNOWN[code]
    found = as_fhir(asked, 3)
    raw = json.dumps(found.resource)
    assert Theirs.model_validate_json(raw).status == "active"
    again = read_fhir(raw.encode())
    assert again.left_out == ()
    assert shape(again.questionnaire) == shape(asked)
    assert len([one for one in found.left_out if one.startswith("red flag")]) == len(asked.red_flags)
    assert len([one for one in found.left_out if one.startswith("score")]) == len(asked.scores)
