"""What follows from a result, as a sentence that a nurse would say."""

from datetime import timedelta

from hospital.outcome_rules import Rule

WAYS = {
    "same_number": "Same number",
    "other_number": "Next number",
    "other_channel": "Next channel",
    "nurse": "A nurse",
    "close": "Close",
}
FIXED = {
    "answered": "Whom it reached decides; the nurse says whom, or the automatic call does.",
    "cancelled": "Ours: the same number again. It is no try.",
    "not_allowed": "Ours: not in [trunk] allow. The next number, the next channel, or a nurse. It is no try.",
    "completed": "The task is done.",
    "refused": "The task is closed, and the patient is not called again for it.",
    "deceased": "The task is closed, nobody is called, and a clinician confirms the death.",
}
ALWAYS = {
    "invalid_number": " Once all numbers have said so it is another day. The number is put away when two calls a day"
    " apart say so.",
    "network_failure": " The wait doubles with each failure in a row, up to an hour. It is no try. A number that fails"
    " while others are reached is left for the next after three, and for the next channel after the most calls.",
    "unreachable": " It is a try only if the phone rang.",
    "no_answer": " It is a try only if the phone rang.",
    "call_later": " Where the patient named a time, at that time.",
}
UNITS = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))


def waiting(wait: timedelta) -> str:
    """`30 minutes`, `1 hour`, `2 days`: in the largest unit that is whole."""
    unit, size = next((unit, size) for unit, size in UNITS if wait % size == timedelta(0))
    count = wait // size
    return f"{count} {unit}{'s' if count != 1 else ''}"


def sentence(result: str, rule: Rule | None) -> str:
    """`rule` None: fixed."""
    if rule is None or result in FIXED:
        return FIXED[result]
    away = "The number is put away at once. " if rule.puts_number_away else ""
    return f"{away}{_step(result, rule)}{_last(rule)}.{ALWAYS.get(result, '')}"


def _step(result: str, rule: Rule) -> str:
    match rule.way:
        case "close":
            return "The task is closed; nobody calls again"
        case "other_channel":
            return "The task goes on by its next channel; without one it is closed as not reached"
        case "nurse":
            return "A nurse takes over: an automatic call is hers from now on, her own stays on her list"
    number = "the same number" if rule.way == "same_number" else "the next number"
    if rule.after is None:
        return f"Tomorrow at the other time of day, {number}"
    none = ", or closed where there is none" if result == "wrong_person" else ""
    return f"After {waiting(rule.after)}, {number}{none}"


def _last(rule: Rule) -> str:
    if rule.last_try_another_time and rule.after is not None:
        return "; the last try is tomorrow, on the next number"
    return ""
