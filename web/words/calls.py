"""What happened in a call, and who was in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from web.words.care import CASE_KINDS
from web.words.saying import language, say

LINE_RESULTS = {
    "answered": "Answered",
    "busy": "Busy",
    "no_answer": "No answer",
    "rejected": "Call rejected",
    "invalid_number": "Number not in service",
    "unreachable": "Phone off or out of coverage",
    "network_failure": "The line failed",
    "not_allowed": "A number that our trunk may not dial",
    "machine": "Answered by a machine",
    "fax": "A fax answered",
    "cancelled": "Cancelled by us",
}

# contact result → (what the button says, its key)
CONTACT_RESULTS = {
    "completed": ("All done", "c"),
    "partial": ("Partly done", "z"),
    "call_later": ("Call later", "l"),
    "refused": ("Refused", "f"),
    "wrong_person": ("Wrong person", "w"),
    "carer_answered": ("A carer", "k"),
    "moved": ("Moved", "m"),
    "deceased": ("Deceased", "d"),
    "language_not_served": ("Language", "o"),
    "hung_up": ("Hung up", "u"),
    "left_message": ("Message", "v"),
}

OUR_RESULTS = {"abandoned": "Answered, and nobody of us was there"}  # what is no nurse's to say


def contact_result(code: str) -> str:
    return CONTACT_RESULTS[code][0] if code in CONTACT_RESULTS else say(OUR_RESULTS, code)


NO_RECORDING = {
    "refused": "the patient did not want it",
    "spool_full": "there was no room for it",
    "not_started": "it was not started",
    "no_audio": "no sound came",
    "not_answered": "nobody answered",
    "asterisk_lost": "it was lost in a breakdown",
    "automatic": "the hotline called by itself",
    "video": "it was a video call",
}

IDENTIFIERS = {
    "number": "the number that calls",
    "birth_date": "birth date",
    "name": "full name",
    "record": "record number",
    "address": "address",
    "document_last4": "the end of the document's number",
    "card_number": "hospital card",
    "nhi": "NHI number",
    "pin": "PIN",
}

REASONS = {  # why a caller called, as the IVR found out
    "book": "Wants to book an appointment",
    "my_appointments": "Asks about appointments, or changes or cancels one",
    "examination": "Wants to book an examination",
    "results": "Asks whether results are there",
    "information": "Asks about opening hours, the way, or what to bring",
    "nurse": "Wants to speak to a nurse",
    "complaint": "Wants to complain",
    "preferences": "Says what we may contact them for",
    "other": "Another matter",
    "triage": "Asks which department",
    "feedback": "Complains or thanks",
    "survey": "Answers our questions",
    "returns_call": "Returns our call",
    "": "Not said yet",
}

TRANSFERS = {  # why the IVR handed over
    "urgent_key": "pressed the urgent key",
    "urgent_voice": "said a word that means urgent help",
    "operator_key": "asked for a person",
    "operator_voice": "asked for a person",
    "other_matter": "has another matter",
    "no_language_chosen": "chose no language",
    "no_answer": "did not answer",
    "repeated_too_often": "asked to hear it again too often",
    "nurse": "wants to speak to a nurse",
    "complaint": "wants to complain",
    "preparation": "must be told how to prepare: the site's file does not say it",
    "information": "asks what the site's file does not say",
    "no_clinic": "found no department",
    "no_examination": "found no examination",
    "number_locked": "could not be identified before, so this number is locked for the machine",
    "late": "is late for an appointment, or cannot come",
    "nothing_on_record": "has nothing on record to be recognised by",
    "number_withheld": "withholds the number",
    "not_identified": "could not be identified",
    "no_birth_date": "typed no birth date",
    "no_callback_number": "left no number",
    "wants_a_nurse": "wants a nurse",
    "after_triage": "asks a nurse after the suggestion",
    "no_triage": "asked which department; the table was not loaded",
    "department_unknown": "needs a department that cannot be booked",
    "feedback_to_a_person": "wants to complain or thank, without a recording",
    "nothing_said": "was asked to speak and said nothing",
    "returns_call": "returns our call, for a nurse",
    "no_room_to_record": "could not be recorded: there was no room",
    "not_recorded": "chose a language in which the rest is not recorded",
    "desk_unreachable": "wanted an appointment; the booking system did not answer, and nothing was done",
    "desk_undecided": "the booking system broke off: look whether the appointment was booked, moved or cancelled",
}

QUEUES = {"reception": "reception", "nurses": "the nurses", "urgent": "urgent calls"}

_STEPS = {
    "not_identified": "Told details that match nobody",
    "proxy": "Calls for somebody in their care",
    "new_patient": "Is new here and waits for reception's call",
    "moved": "Moved an appointment",
    "desk_unreachable": "Could not be served: the booking system did not answer",
    "desk_undecided": "Was told that nobody knows whether it is booked, moved or cancelled",
    "nothing_to_move": "Wanted to move an appointment that was gone",
    "no_referral": "Has no doctor's order for the examination",
    "results_told": "Heard whether results are there",
    "reminded_by": "Said how to be reminded",
    "suits": "Said which time of day suits",
    "no_openings": "Found no free time",
    "slot_taken": "The chosen time was taken by somebody else",
    "hold_expired": "Waited too long; the held time was given up",
    "booked": "Booked an appointment",
    "cancelled": "Cancelled an appointment",
    "place_told": "Heard the place in the waiting room",
    "callback_wanted": "Wanted to be called back instead of waiting",
    "callback_asked": "Asked to be called back",
    "recording_accepted": "Agreed to be recorded",
    "recording_refused": "Did not want to be recorded",
    "recorded": "Spoke after the tone",
    "throttled": "Called very often, was turned away, and pressed a key for a person",
    "ended": "Finished with the automatic service",
    "caller_left": "Hung up in the automatic service",
    "failed": "The automatic service broke down",
    "nothing_said": "We called; it had become unwanted while it rang, and nothing was said",
    "suspension_told": "Heard that the appointment cannot take place",
    "reminder_confirmed": "Was reminded of an appointment, and comes",
    "reminder_stopped": "Wants no more of this reminder",
    "suspension_acknowledged": "Understood that the appointment cannot take place",
}


def step(kind: str, facts: Mapping[str, Any]) -> str:
    """A line of a call's journal; "" for a sentence that asked nothing."""
    match kind:
        case "turn":
            asked = say({}, str(facts["said"][0])) if facts.get("said") else "a question"
            if "key" in facts:
                return f"{asked}: pressed {facts['key']}"
            if "speech" in facts:
                return f"{asked}: said {facts['speech']}" if facts["speech"] else f"{asked}: was not understood"
            if "digits" in facts:
                return f"{asked}: typed {facts['digits']} digits"
            return f"{asked}: no answer" if facts.get("silence") else ""
        case "language":
            return f"Chose {language(facts.get('language'))}"
        case "department":
            return f"Department: {say({}, facts.get('code'))}"
        case "identified":
            return f"Identified by {said_by(facts.get('by', []))}"
        case "contact_result":
            result = str(facts.get("result", ""))
            return f"Our call ended with: {contact_result(result)}"
        case "information":
            return f"Heard: {say({}, facts.get('topic'))}"
        case "consent":
            return f"{'Allows' if facts.get('given') else 'Wants no more'}: {say({}, facts.get('purpose'))}"
        case "wish":
            return ""  # the turn before it says the same
        case "triage":
            return f"Which department, {say({}, facts.get('at'))}: pressed {facts.get('key')}"
        case "suggested":
            return f"Suggested: {say({}, facts.get('department'))}"
        case "message_kept":
            return f"{say(CASE_KINDS, facts.get('about'))} recorded, number {facts.get('case')}"
        case "rated":
            return f"Rated the talk {facts.get('score')} of 5"
        case "closed":
            return f"Heard that it is closed: {say({}, facts.get('why'))}"
        case "transfer":
            queue = say(QUEUES, facts.get("queue"))
            return f"To {queue}: {say(TRANSFERS, facts.get('reason'))}"
    return say(_STEPS, kind)


def said_by(identifiers: Sequence[str]) -> str:
    """`the number that calls and birth date`."""
    *others, last = [say(IDENTIFIERS, one) for one in identifiers] or ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last
