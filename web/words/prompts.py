"""The sentences that callers hear, and where."""

# how a sentence is said: at first, asked again, asked once more, a row of a list
FORMS = {"text": "said first", "short": "said again", "other": "said the third time", "choice": "one choice of a list"}

PROMPT_STATES = {  # of a sentence that can be recorded → (word, look)
    "missing": ("Not recorded", ""),
    "recorded": ("To be approved", "warn"),
    "approved": ("Callers hear it", "good"),
    "outdated": ("Text has changed", "bad"),
    "by_hand": ("File put by hand", ""),
}

PROMPT_FORMS = {
    "": "the first time",
    "short": "again, after silence or a wrong key",
    "other": "in other words, the third time",
}

PROMPT_DIALOGUES = {  # where a sentence is heard, in the order of a call
    "welcome": "Welcome and main menu",
    "house": "In every conversation",
    "menus": "Menus",
    "dialplan": "When a computer fails, and while waiting",
    "opening": "Closed",
    "attended": "On the way to a person",
    "unattended": "Nobody is there",
    "callback": "Calling back",
    "information": "Opening hours and the way",
    "site": "The hospital's own sentences",
    "care": "Care",
    "feedback": "Complaints and thanks",
    "triage": "Which department",
    "preferences": "What we may call for",
    "identifying": "Who is calling",
    "identity": "Who is calling",
    "appointments": "Appointments",
    "booking": "Booking",
    "choosing": "Booking",
    "wishes": "Booking",
    "moves": "Changing an appointment",
    "examinations": "Examinations",
    "results": "Results",
    "goodbye": "The end of a call",
    "rating": "Rating after the call",
}
