"""Cases, callbacks, reminders, and clinics that are suspended."""

CASE_KINDS = {
    "complaint": "Complaint",
    "thanks": "Thanks or an idea",
    "message": "Message",
    "rating": "Low rating",
    "red_flag": "Red flag",
}

CASE_DETAILS = {
    "urgent_key": "Pressed the urgent key",
    "nurse": "A nurse needs somebody at once",
    "urgent_voice": "Said a word that means urgent help",
    "alarm_in_doubt": "Said what sounds like an emergency, and hung up",
    "text_alarm": "Wrote a word that means urgent help",
    "voice_alarm": "Said a word that means urgent help, in what they left by voice",
    "by_text": "By text message",
    "by_page": "Written on the page for it",
    "low_rating": "Answers to a survey: a low rating, or wants to be called",
    "waited": "Waited too long",
    "not_understood": "Was not understood",
    "not_solved": "It was not solved",
    "unfriendly": "We were unfriendly",
    "other": "Another reason",
}

AT_ONCE = "at once: it rings who is on call"

CASE_OUTCOMES = {
    "upheld": "Upheld",
    "partly_upheld": "Partly upheld",
    "not_upheld": "Not upheld",
    "withdrawn": "Withdrawn",
    "passed_on": "Passed on",
    "answered": "Answered",
    "not_reached": "Not reached",
    "nothing_to_do": "Nothing to do",
    "spoken_with": "Spoken with",
    "reached": "Reached",
    "emergency_sent": "Emergency service sent",
}

CLOCKS = {  # how a case's clock stands → (word, look)
    "overdue": ("Overdue", "bad"),
    "due_soon": ("Due soon", "warn"),
    "in_time": ("In time", ""),
    "closed": ("Closed", "good"),
}

CASE_STEPS = {  # what is in its history
    "case.taken": "{who} took it",
    "case.taken_over": "{who} took it over from {owner}",
    "case.given_back": "{who} gave it back",
    "left": "It went back to everybody: {owner} may not work on it any more",
    "case.closed": "{who} closed it",
    "case.overdue": "It was overdue",
}

CALLBACK_WHY = {
    "asked": "Asked to be called back",
    "abandoned": "Hung up while waiting",
    "ivr_down": "Called while the automatic service was down",
    "red_flag": "A red flag, and nobody was there",
    "after_hours": "Called after hours",
    "new_patient": "New here: to be registered, then booked",
    "suspended": "Does not know yet that the clinic is suspended: not reached by the automatic calls",
}

REMINDER_ABOUT = {"medication": "Medicine", "checkup": "Check-up", "revisit": "Revisit"}

SUSPENSION_REASONS = {
    "illness": "Illness",
    "emergency": "Needed elsewhere at once",
    "leave": "Leave",
    "equipment": "Equipment is out of order",
    "other": "Another reason",
    "transferred": "One patient is transferred",
}

SUSPENSION_STANDINGS = {  # what a patient knows of it, and has → (word, look)
    "pending": ("Not yet", "warn"),
    "calling": ("Being called", "busy"),
    "told": ("Heard it, did not answer", "warn"),
    "acknowledged": ("Knows, decides later", "good"),
    "rebooked": ("Has another time", "good"),
    "given_up": ("Wants none", "good"),
    "wants_person": ("Asked for a person", "busy"),
    "not_reached": ("Not reached", "bad"),
    "to_book_anew": ("Was told: call and book anew", "warn"),
    "takes_place": ("Takes place again", "good"),
}

CALLBACK_OUTCOMES = {"reached": "Reached", "not_reached": "Not reached", "wrong_number": "Wrong number"}
