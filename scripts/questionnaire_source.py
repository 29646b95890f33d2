"""A questionnaire's file as text: what an editor begins with where nobody has written one.

What came with the hotline is its file, with its comments. What came as data (FHIR) is written out in the order in which
people write a file.
"""

from __future__ import annotations

from typing import Any

import yaml

from scripts.questionnaire_files import HERE, read_questionnaire
from scripts.yaml_lines import FileRefused

ORDER = (
    *("id", "url", "language", "title", "purpose", "reviewed_by", "linkId", "type", "required", "repeats", "code"),
    *("least", "score", "text", "sum", "band", "answerOption", "enableWhen", "item", "redFlag", "script"),
)
"""These first, as they stand here; then the rest."""

NEW = """\
# In FHIR's vocabulary. The questionnaires that come with the hotline show more of it.
{id}
title: {{en: Your recovery}}
purpose: follow-up
reviewed_by: {{en: null}}

item:
  - linkId: pain
    type: boolean
    required: true
    text:
      en: Do you have pain?
    normal: false
"""


def new(code: str) -> str:
    """A first text that can be asked as it stands."""
    return NEW.format(id=written({"id": code}).strip())  # in quotes where YAML takes it for a number or a date


def shipped(code: str, sha256: str) -> str:
    """The file of this version, or nothing where it is another's."""
    path = HERE / f"{code.replace('-', '_')}.yaml"
    try:
        return path.read_text() if read_questionnaire(path).sha256 == sha256 else ""
    except (FileRefused, OSError):
        return ""


def written(body: Any) -> str:
    """A body as the text of a file, which reads as the same version."""
    return yaml.safe_dump(_in_order(body), allow_unicode=True, sort_keys=False, width=110)


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        names = [*(name for name in ORDER if name in value), *(name for name in value if name not in ORDER)]
        return {name: _in_order(value[name]) for name in names}
    return [_in_order(one) for one in value] if isinstance(value, list) else value
