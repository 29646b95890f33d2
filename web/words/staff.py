"""Who works here, who is on call, and what they are asked."""

from collections.abc import Sequence

from web.words.calls import LINE_RESULTS
from web.words.saying import say

ROLES = {
    "agent": "Agent",
    "nurse": "Nurse",
    "doctor": "Doctor",
    "supervisor": "Supervisor",
    "administrator": "Administrator",
    "speaker": "Speaker",
    "screen": "Screen of a waiting room",
    "none": "No role",
}

ON_CALL_ROLES = {
    "doctor": "Doctor",
    "nurse": "Nurse",
    "midwife": "Midwife",
    "pharmacist": "Pharmacist",
    "psychologist": "Psychologist",
    "social_worker": "Social worker",
}

RANKS = {1: "First on call", 2: "Second on call"}

DAYS = {1: "Mon", 2: "Tue", 3: "Wed", 4: "Thu", 5: "Fri", 6: "Sat", 7: "Sun", 8: "Public holidays"}

URGENT_STEPS = {
    "first": "Told {who}, first on call",
    "second": "Told {who}, second on call",
    "further": "Told {who}, on call for any ward",
    "nobody": "Nobody is on call",
    "lead": "Told {who}, the lead",
    "supervisors": "Told the supervisors: {who}",
    "overdue": "No outcome in time. Told {who}",
    "taken": "{who} took it",
    "declined": "{who} could not take it",
    "given_back": "{who} gave it back",
    "closed": "{who} closed it",
}


def urgent_call(who: str, state: str, line_result: str | None, result: str | None) -> str:
    """A call to who is on call: "Rang Ana: no answer"."""
    match result, state:
        case "taken", _:
            return f"Rang {who}: taken by key"
        case "declined", _:
            return f"Rang {who}: declined by key"
        case "gone", _:
            return f"Rang {who}: somebody else had taken it"
        case None, "ended" if line_result == "answered":
            return f"Rang {who}: answered, and no key was pressed"
        case None, "ended":
            return f"Rang {who}: {say(LINE_RESULTS, line_result).lower()}"
        case None, "talking":
            return f"Rang {who}: on the telephone now"
    return f"Ringing {who}"


QUESTION_STATES = {  # how a question stands → (word, look)
    "open": ("Asked", "warn"),
    "answered": ("Answered", "busy"),
    "closed": ("Told", "good"),
    "withdrawn": ("Withdrawn", ""),
}

ANSWER_OUTCOMES = {
    "told": "Told to the patient",
    "told_carer": "Told to the carer",
    "not_needed": "Not needed any more",
}

SWAPS = {  # how a swap stands → (word, look)
    "asked": ("Asked", "warn"),
    "agreed": ("Agreed", "good"),
    "declined": ("Declined", "bad"),
}


def line(role: str, ward: str) -> str:
    """A line of the rota: "Nurse, surgery 2"."""
    return f"{say(ON_CALL_ROLES, role)}, {ward or 'any ward'}"


def days(of: Sequence[int]) -> str:
    """The days of a shift: "Mon–Fri", "Sat, Sun, public holidays"."""
    if len(of) == len(DAYS):
        return "Every day"
    week = [day for day in of if day < 8]
    runs = week and week == list(range(week[0], week[-1] + 1)) and len(week) > 2
    told = [f"{DAYS[week[0]]}–{DAYS[week[-1]]}"] if runs else [DAYS[day] for day in week]
    return ", ".join([*told, *(["public holidays"] if 8 in of else [])])


PRESENCE = {
    "away": "Away",
    "available": "Available",
    "ringing": "Ringing",
    "talking": "On a call",
    "wrap_up": "Wrap-up",
}
