"""The follow-up plans, as the pages offer them. They are read once; a changed file counts from the next start."""

from functools import cache

from hospital.plans import Plan
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires


@cache
def plans() -> dict[str, Plan]:
    """By id."""
    return load_plans(load_questionnaires()[0])[0]
