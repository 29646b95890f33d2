"""The questionnaires and plans of `scripts/`, as they are read at a start: a file that is wrong is left out and told,
the others load."""

from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.yaml_lines import Problem

LEFT_OUT = "Left out, the others are asked:"


def problems() -> list[Problem]:
    """All that is wrong, with file and line."""
    asked, wrong = load_questionnaires()
    return [*wrong, *load_plans(asked)[1]]
