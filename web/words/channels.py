"""What is said of a plan's letters and video calls."""

ENDS = {  # why one came to nothing
    "letter_unanswered": "No answer to the letter",
    "letter_returned": "The letter came back",
    "letter_withdrawn": "The letter was not to be posted any more",
    "letter_not_set_up": "This site sends no letters",
    "letter_no_address": "No letter: the record has no address",
    "letter_wrong_address": "No letter: a letter to this address came back",
    "letter_not_safe": "No letter: none may be sent to this address",
    "letter_no_font": "No letter: the name, the address or the language has signs that can't be printed here",
    "letter_address_too_long": "No letter: the address is longer than the window of an envelope",
    "letter_too_long": "No letter: its text is longer than a page",
    "video_not_set_up": "This site has no video calls",
    "video_impossible": "No video call: no number that may be written to",
    "video_undelivered": "The text message with the link of the video call was not delivered",
    "video_missed": "Nobody began the video call in its time",
    "video_nobody_came": "The patient did not come to the video call",
}

RESPONSE_WAYS = {  # how answers have come
    "nurse": "A nurse, by telephone",
    "machine": "An automated call",
    "own_call": "A call of the patient's own",
    "text": "Replies to text messages",
    "web": "The page of a link",
}

LETTER_REFUSALS = {  # why one can't be printed or posted now
    "letter_no_font": "its name or address has signs that no font here has",
    "letter_address_too_long": "the address is longer than the window of an envelope",
    "letter_too_long": "its text is longer than a page",
    "letter_not_safe": "no letter may be sent to this address",
    "letter_wrong_address": "a letter to this address came back",
    "gone": "it is not on the list any more",
    "in_a_call": "the patient is being called",
    "not_printed": "it was not printed",
    "other_address": "the address was changed after it was printed, so print it again",
    "not_needed": "it is not needed any more",
    "opted_out": "the patient has opted out",
    "guardian_opted_out": "who is written to for the patient has opted out",
    "guardian_deceased": "who is written to for the patient has died, or is reported to have",
    "deceased": "the patient has died",
    "death_reported": "the patient is reported deceased",
}

VIDEO_REFUSALS = {  # why a video call can't begin now
    "death_reported": "The patient is reported deceased. A clinician looks first.",
    "in_a_stint": "You take calls one after the other. Leave first.",
    "given_to_another": "It was given to another nurse.",
    "no_video_call": "There is no video call to begin: nobody was asked to one, or its time is over.",
    "video_too_early": "It may begin a quarter of an hour before the time that the patient was told.",
}

DECIDED = {  # lines of the decision log
    "video_asked": "A text message to the {number} number{guardian} asks to a video call {when}",
    "video_begun": "A nurse begins the video call",
    "after_video": "What is left after the video call is for a nurse's call",
    "letter_made": "A letter{guardian} is to be posted",
    "letter_posted": "The letter was posted; without an answer it goes on {when}",
    "letter_came_back": "The letter came back: the address is wrong",
    **{code: f"{told}: next by {{channel}}" for code, told in ENDS.items()},
    **{f"{code}_at_last": f"{told}, and a nurse has called before. Stopped: {{reason}}" for code, told in ENDS.items()},
}

_TEXTS_ABOUT = (
    ("appointment_", "An appointment"),
    ("prepare_", "How to prepare"),
    ("booking_", "Booking an examination"),
    ("please_call", "A reminder"),
    ("case_", "A complaint or message"),
    ("callback_", "A callback"),
    ("queue_", "The place in the line"),
    ("waiting_", "The waiting room"),
    ("video_", "A video call"),
    ("call_expected", "A call that is announced"),
    ("survey_", "Questions"),
    ("questions_", "Questions"),
    ("text_", "Questions"),
)

_LOST = {
    "bad_number": ("The number is not valid", "bad"),
    "no_mobile": ("The number takes no texts", "bad"),
    "country_off": ("Texts to this country are switched off", "bad"),
    "length": ("Too long for the gateway", "bad"),
    "too_late": ("Not sent in time", "warn"),
    "fate_unknown": ("It may have arrived", "warn"),
    "sender_died": ("It may have arrived", "warn"),
}


def text_about(key: str) -> str:
    """What a text message is about, by the key of its wording."""
    return next((told for beginning, told in _TEXTS_ABOUT if key.startswith(beginning)), "A message")


def lost_because(error: str | None) -> tuple[str, str]:
    """Why it was lost, and how the word looks."""
    return _LOST.get(error or "", ("Did not arrive", "bad"))
