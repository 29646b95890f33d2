"""Campaigns, and the nurses who take one call after the other."""

from web.words.followups import task_reason
from web.words.saying import say

NOT_LISTED = {"died": "has died", "listed": "is in it already"}  # why a patient is not put into a campaign

CAMPAIGN_MODES = {  # → (word, what it is)
    "preview": ("Preview", "Preview: the nurse starts each call"),
    "progressive": ("Progressive", "Progressive: one call after the other"),
    "predictive": ("Predictive", "Predictive: more lines than nurses, surveys only"),
    "agentless": ("No nurse", "Without a nurse: the machine speaks"),
}

CAMPAIGN_STATES = {  # → (word, look)
    "created": ("Not started", ""),
    "running": ("Running", "good"),
    "paused": ("Paused", "warn"),
    "stopped": ("Stopped", ""),
}

PACE_WHY = {  # why a campaign dials no more now
    "no_nurse": "no nurse waits for a call",
    "one_each": "one call for each nurse who waits",
    "by_nurses": "nurses begin each call",
    "as_due": "as its lines allow",
    "line_limit": "all its lines are in use",
    "trunk_full": "the trunk has no more lines free",
    "enough": "as many as nurses and the answer rate bear",
    "ceiling_near": "hardly more than one for each nurse: the ceiling spares no more",
    "silent_trunk": "one for each nurse: nobody answers at all, look at the trunk",
    "nothing_due": "nothing is due now",
}

STINT_STANDINGS = {  # what a nurse does who takes one call after the other → (word, look)
    "ringing": ("Your phone rings", "busy"),
    "dialling": ("Calling the next", "busy live"),
    "talking": ("Talking", "good"),
    "outcome": ("Say whom you reached", "warn"),
    "wrap_up": ("Write-up", "warn"),
    "paused": ("Paused", ""),
    "free": ("Waiting for the next", "good"),
    "over": ("Left", ""),
}

CAMPAIGN_ORDERS = {"start": "Start", "pause": "Pause", "stop": "Stop"}

CAMPAIGN_FILTERS = {
    "purpose": "Purpose",
    "reason": "Reason",
    "questionnaire": "Questionnaire",
    "study": "Study",
    "ward": "Ward",
}


def campaign_code(name: str, code: str) -> str:
    """What a campaign's filter is set to: a ward or a study has the name that the hospital gave it."""
    if name in ("ward", "study"):
        return code
    return task_reason(code) if name == "reason" else say({}, code)


def campaign_filter(name: str, code: str) -> str:
    """`Ward: surgery 2`."""
    return f"{CAMPAIGN_FILTERS[name]}: {campaign_code(name, code)}"
