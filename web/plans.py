"""The follow-up plans, as the pages offer them. They are read once; a changed file counts from the next start."""

from functools import cache

from hospital.plans import Plan
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.yaml_lines import Problem


def plans() -> dict[str, Plan]:
    """By id."""
    return _read()[0]


def left_out() -> list[Problem]:
    """What is wrong in files of questionnaires and plans, none of which is in use."""
    return _read()[1]


@cache
def _read() -> tuple[dict[str, Plan], list[Problem]]:
    asked, wrong = load_questionnaires()
    found, misplanned = load_plans(asked)
    return found, [*wrong, *misplanned]
