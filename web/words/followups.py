"""Why a patient is called or not, and what comes next."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hospital.workload import Load
from web.words.calls import CONTACT_RESULTS, LINE_RESULTS, OUR_RESULTS
from web.words.channels import DECIDED, VIDEO_REFUSALS
from web.words.saying import say
from web.words.times import near, place

READ_ALOUD = {"opening": "Opening", "notice": "Recording", "closing": "Closing"}  # in the order of a call

SKIP_REASONS = {
    "not_needed": "No longer needed",
    "readmitted": "Readmitted",
    "in_hospital": "Still in hospital",
    "done_elsewhere": "Done elsewhere",
    "other": "Another reason",
}

STOP_REASONS = SKIP_REASONS | {
    "not_reached": "Not reached after all tries",
    "no_usable_number": "No number left to call",
    "refused": "The patient does not want it",
    "moved": "The patient has moved away",
    "reported_deceased": "Reported deceased; a clinician confirms",
    "partly_answered": "Partly answered; no tries left",
    "language_not_served": "Nobody speaks the patient's language; no tries left",
    "opted_out": "The patient has opted out",
    "guardian_opted_out": "Who is called for the patient has opted out",
    "deceased": "The patient has died",
    "died": "The patient has died",
    "child_lost": "The family has lost the child",
    "transferred": "The patient was moved to another hospital",
    "withdrawn": "The patient withdrew",
    "taken_back": "The enrolment was taken back",
    "merged": "The record was merged into one that follows the plan",
    "takes_place": "The clinic takes place again",
    "told_too_late": "We were told after its time had passed",
    "fate_unknown": "It is not known whether the phone rang; a person calls",
}

ORDERED = {  # what was ordered of follow-ups on the list
    "give": "given to {who}",
    "give_back": "given back to everybody",
    "skip": "skipped",
    "move": "put on {day}",
    "priority": "now of priority {priority}",
    "enrol": "enrolled in {plan}",
}

NOT_ORDERED = {  # why one of them could not be done
    "being_called": "is being called just now",
    "being_written_up": "is being written up",
    "closed": "is closed already",
    "busy": "is being changed by somebody at this moment",
    "changed": "was changed by somebody meanwhile: look at it again",
    "so_already": "is so already",
    "another_ward": "is of another ward now",
    "no_right": "is for who shares out the list",
    "no_nurse": "cannot be given to this account: it makes no follow-up calls, or is closed",
    "outside_its_time": "cannot be then: it is due until {until}",
    "in_doubt": "may have been called: it is to be reviewed first",
    "waits_for_answer": "was written to, and the answer is waited for",
    "not_yours": "another nurse's by now, or gone",
}

NOT_ENROLLED = {  # why a patient could not be enrolled in a plan
    "died": "has died",
    "death_reported": "is said to have died: a clinician settles it first",
    "opted_out": "wants no such calls",
    "follows": "is in this plan already",
    "today_already": "was in this plan today already, and left it",
    "unknown": "is no patient any more: the record was merged or erased",
}

NOT_MERGED = {  # why two records can't become one
    "same": "These are the same record.",
    "merged": "One of them was merged already.",
    "unknown": "One of them is not there any more.",
    "guardian": "One of them speaks for the other: they are two people.",
    "one_died": "One of them has died, or is said to have, and the other not. Settle that first.",
    "in_a_call": "One of them is being called, or a call is being written up or reviewed. Wait until it is over.",
    "same_time": "Both have a seat at the same time. Cancel one of the two appointments first.",
}

MERGED = {  # what becomes of the record that stays, by the duplicate's
    "note": "The duplicate’s note stands below its own.",
    "address": "The duplicate’s address becomes its own, for it has none.",
    "address_wrong_since": "Its address counts as wrong: a letter came back.",
    "may_write": "No letters are sent to it any more.",
    "zone": "The duplicate’s time zone becomes its own, for it has none.",
    "suits": "Calls are made at the time of day that suits by the duplicate.",
    "reminded_by": "Reminders are text messages.",
    "pin_hash": "The duplicate’s PIN ends. The patient chooses another.",
}

RELATIONS = {  # what a guardian is to the patient
    "mother": "mother",
    "father": "father",
    "partner": "partner",
    "child": "son or daughter",
    "relative": "another relative",
    "carer": "carer",
    "legal": "legal guardian",
}

NUMBER_OWNERS = {
    "self": "the patient's own",
    "mother": "mother",
    "father": "father",
    "partner": "partner",
    "child": "son or daughter",
    "relative": "another relative",
    "carer": "carer",
    "neighbour": "neighbour",
    "work": "at work",
}

CHANGES = {
    "readmitted": "In hospital again",
    "transferred": "Moved to another hospital",
    "ward": "Moved to another ward of ours",
    "withdrawn": "Wants no more",
    "died": "Died (a supervisor confirms)",
}

CHILD_LOST = "The family has lost a child"

FLAG_OUTCOMES = {  # why a nurse sets a red flag aside
    "treated": "Known, and treated already",
    "advised": "Advised as the ward instructs",
    "handed_over": "A doctor took over in this call",
    "emergency_called": "Emergency service is on its way",
    "not_so": "Misunderstood: it is not so",
}

PURPOSES = {  # of a contact that we begin
    "follow_up": "Follow-up calls",
    "reminder": "Reminders",
    "survey": "Surveys",
    "education": "Health advice",
    "greeting": "Greetings",
}

STANDINGS = {  # how a task stands → (word, look)
    "open": ("Open", ""),
    "overdue": ("Overdue", "bad"),
    "due": ("Due", "warn"),
    "later": ("Later", ""),
    "calling": ("Being called", "busy"),
    "wrap_up": ("To be written up", "busy"),
    "review": ("To be reviewed", "warn"),
    "held": ("Held for you", "warn"),
    "done": ("Done", "good"),
    "stopped": ("Stopped", ""),
}

CHANNELS = {
    "nurse_call": "a nurse's call",
    "automated_call": "an automatic call",
    "sms": "text message",
    "letter": "letter",
    "video_link": "video call",
}

TASK_REASONS = {
    "discharge_day_1": "Day 1 after discharge",
    "discharge_day_3": "Day 3 after discharge",
    "discharge_day_7": "Day 7 after discharge",
    "discharge_day_30": "Day 30 after discharge",
    "after_surgery_day_2": "Day 2 after surgery",
    "after_surgery_day_7": "Day 7 after surgery",
    "heart_failure_day_2": "Day 2 at home with heart failure",
    "heart_failure_day_14": "Day 14 at home with heart failure",
    "newborn_week_1": "Newborn, first week",
    "newborn_week_6": "Newborn, sixth week",
    "after_visit_rating": "How the visit was",
    "hypertension_check": "Blood pressure check",
    "diabetes_check": "Diabetes check",
    "answer_rule": "Again, because of an answer",
}


def task_reason(code: str) -> str:
    """Why a task is there: the plan's step, and of one that recurs the how many-eth."""
    step, _, number = code.partition(".")
    return say(TASK_REASONS, step) + (f", {number}" if number else "")


HELD = (
    "The guardian wants no such calls. See to what the care needs: name another guardian, or take another way, such as "
    "the family doctor, a letter or a visit, and skip this follow-up with the reason."
)

NOT_NOW = VIDEO_REFUSALS | {
    "not_open": "This task is being called or is closed already.",
    "already_in_a_call": "This patient, this number or you are in another call.",
    "outside_window": "It is outside the hours in which this patient may be called.",
    "cap_reached": "The patient has been called often enough for now.",
    "opted_out": "The patient does not want follow-up calls.",
    "guardian_opted_out": HELD,
    "deceased": "The patient has died. Nobody is called.",
    "no_usable_number": "There is no number left that may be called.",
}


def load(of: Load) -> str:
    """`Ruby: 4 to call, 1 overdue`."""
    name = of.account.display_name if of.account is not None else "Nobody’s"
    return f"{name}: {of.waiting} to call{f', {of.overdue} overdue' if of.overdue else ''}"


def load_of_nobody(of: Load) -> str:
    return f"To whom … ({load(of).replace('Nobody’s', 'nobody’s')})"


ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


KNOWN_BY = {
    "told": "as they told us",
    "number": "by the number",
    "address": "by the country of the address",
    "site": "the hospital's: nothing tells another",
}
"""How somebody's zone is known (`hospital.zones.Evidence`)."""


def next_try(at: datetime | None, rank: int | None, tries: int, max_tries: int, now: datetime, zone: ZoneInfo) -> str:
    """The next try as a sentence: `again tomorrow 18:10, second number, try 2 of 3`."""
    if at is None:
        return "not called yet" if tries == 0 else f"tried {tries} of {max_tries} times"
    when = "now" if at <= now else near(at, now, zone)
    number = f", {ORDINALS.get(rank, f'{rank}th')} number" if rank else ""
    return f"again {when}{number}, try {min(tries + 1, max_tries)} of {max_tries}"


NO_NAMES: Mapping[str, str] = {}
ANSWERED_BY = {"text": "by text message", "web": "on a page"}
"""How an answer on the form came, where nobody has heard it."""
IN_DOUBT = "It is not known whether the phone rang; a person decides"

DECISIONS = {  # the decision log: why was, or wasn't, this patient called
    "planned": "Planned",
    "called": "Called{there}, {number} number{guardian}{exempt}",
    "not_needed": "Not needed any more",
    "sent_instead": "A text message instead of a call",
    "nothing_said": "Answered, and nothing was said: {because}",
    "try_again": "{because}: again {when}, {number} number ({tries} of {of} tries)",
    "stopped": "Stopped: {reason}",
    "called_back": "The patient called back, and waits for a nurse",
    "taken_up": "The patient called back, and a nurse takes it up",
    "done": "Done",
    "answer_to_nurse": "An answer asks for a nurse ({rule})",
    "answer_revisit": "An answer asks for a visit: {department} ({rule})",
    "answer_sooner": "An answer brings the next step forward: {when} ({rule})",
    "answer_soon_enough": "An answer asks for the next step sooner; it is due {when} already ({rule})",
    "answer_again": "An answer lets the same questions be asked again: {when} ({rule})",
    "answer_plan_ended": "An answer asks for the next step sooner; the plan has ended ({rule})",
    "brought_forward": "Brought forward by an answer: {when} instead of {was} ({rule})",
    "visit_not_booked": "A visit was offered to the caller and not booked: {department}",
    "visit_booked": "A visit was booked in the call: {department}, {when}",
    "answered_by_caller": "Answered to the machine, in a call of the patient's own",
    "red_flag": "A red flag was told to the machine: a nurse takes over",
    "flags_raised": "Red flag raised{by_itself}: {flags}",
    "flag_set_aside": "Red flag set aside, {flags}: {outcome}",
    "skipped": "Skipped: {reason}",
    "to_review": IN_DOUBT,
    "reviewed": "Reviewed: {again}",
    "nurse_gone": "The nurse has gone without saying whom she reached; a person decides",
    "said_for_another": "It was said by a colleague of the nurse whose call it was",
    "called_off": "Hung up before anybody answered: {because}",
    "not_dialled": "Not dialled after all{there}: {because}",
    "to_nurse": "{because}: a nurse takes over",
    "number_put_away": "The {number} number is put away: {because}",
    "number_kept": "The {number} number is in use again: the result was corrected",
    "called_together": "In the same call as another follow-up",
    "plan_changed": "Stopped: {reason}{of_what}",
    "plan_changed_while_talking": "{reason}{of_what}; the talk goes on, and no call follows",
    "plan_changed_while_written_up": "{reason}{of_what}; it is written up, and no call follows",
    "ward_changed": "The patient was moved to ward {ward}: it is for whoever calls there",
    "other_channel": "No call reached the patient: next by {channel}",
    "call_announced": "A text message to the {number} number says that we will call",
    "texted": "A text message goes{there} to the {number} number{guardian}; without an answer it goes on {when}",
    "texted_with_link": "A text message with a link to the questions goes{there} to the {number} number{guardian};"
    " without an answer it goes on {when}",
    "answer_case": "The answers ask for it ({rule}): a case was opened",
    "page_opened": "Somebody began to answer on the page of the link",
    "answered_on_page": "Answered on the page of the link: nobody knows for certain by whom",
    "text_unanswered": "No answer to the text message: next by {channel}",
    "text_undelivered": "The text message was not delivered: next by {channel}",
    "text_impossible": "No number that may be written to: next by {channel}",
    "text_unanswered_at_last": "No answer to the text message, and a nurse has called before. Stopped: {reason}",
    "text_undelivered_at_last": "The text message was not delivered, and a nurse has called before. Stopped: {reason}",
    "asked_by_text": "Asked by text message{there} at the {number} number{guardian}; without a reply it goes on {when}",
    "number_is_asked": "This number is asked something else by text message: again {when}",
    "answered_by_text": "Answered by text message",
    "text_cut_off": "Answered by text message in part, and no more: next by {channel}",
    "text_not_understood": "Two replies by text message were no answer: next by {channel}",
    "text_not_proved": "Who replies by text message did not give the birth date: next by {channel}",
    "text_too_long": "A question is too long for a text message: next by {channel}",
    "texts_unwanted": "This number wants no text messages: next by {channel}",
    "text_cut_off_at_last": "Answered by text message in part, and a nurse has called before. Stopped: {reason}",
    "text_not_understood_at_last": "Replies were no answer, and a nurse has called before. Stopped: {reason}",
    "text_not_proved_at_last": "No birth date by text, and a nurse has called before. Stopped: {reason}",
    "text_too_long_at_last": "Too long for a text, and a nurse has called before. Stopped: {reason}",
    "texts_unwanted_at_last": "Wants no text messages, and a nurse has called before. Stopped: {reason}",
    "text_impossible_at_last": "No number that may be written to. Stopped: {reason}",
    **DECIDED,
    "record_merged": "The record was merged into another of the same patient",
    "death_report_withdrawn": "The report of a death was taken back",
    "held": "Held for a nurse: the guardian wants no such calls; see what the care needs",
    "guardian_named": "Another guardian was named: they are called from now on",
    "guardian_ended": "The guardian was ended: nobody else is called for the patient",
    "wanted_again": "{whose} wants such calls again: due as it was planned",
    "death_reported": "Not called: reported deceased, not confirmed yet",
    "deceased_to_be_confirmed": "Reported deceased; a clinician confirms before the record says so",
    "given": "Given to one nurse: nobody else is called for it",
    "given_back": "Given back to everybody",
    "given_to_another": "Not called: it was given to another nurse",
    "moved": "Put on another day: {when}",
    "priority_changed": "Priority {priority} instead of {before}",
    "in_a_stint": "Not called: the nurse takes calls one after the other",
    "lines_busy": "Not called: all lines of the campaign were in use",
    "handed_out": "Handed to a nurse by a campaign",
    "already_in_a_call": "Not called: the patient, the number or the nurse was in another call",
    "abandoned_lately": "Not called: they answered lately and found no nurse{until}",
    "outside_window": "Not called{there}: outside the patient's hours{until}",
    "cap_reached": "Not called: called often enough{until}",
    "opted_out": "Not called: the patient has opted out",
    "guardian_opted_out": "Not called: who is called for the patient has opted out",
    "guardian_deceased": "Not called: who is called for the patient has died, or is reported to have",
    "deceased": "Not called: the patient has died",
    "no_usable_number": "Not called: no number left that may be called",
}


def decision(
    code: str, facts: Mapping[str, Any], now: datetime, zone: ZoneInfo, departments: Mapping[str, str] = NO_NAMES
) -> str:
    """One line of a task's decision log. `departments`: code → name."""
    when = datetime.fromisoformat(facts["when"]) if facts.get("when") else None
    until = datetime.fromisoformat(facts["not_before"]) if facts.get("not_before") else None
    was = datetime.fromisoformat(facts["was"]) if facts.get("was") else None
    because = str(facts.get("because", ""))
    values = {
        "number": ORDINALS.get(int(facts.get("rank") or 1), "another"),
        "because": _because(because),
        "there": f" at {facts['clock']}, {place(facts['zone'])} time" if facts.get("clock") else "",
        "until": f"; it may be {near(until, now, zone)}" if until else "",
        "guardian": " of the guardian" if facts.get("reached") == "guardian" else "",
        "when": near(when, now, zone) if when else "later",
        "tries": facts.get("tries", ""),
        "of": facts.get("of", ""),
        "exempt": " (urgent: the cap does not hold it back)" if facts.get("cap") == "exempt" else "",
        "reason": say(STOP_REASONS, str(facts.get("reason", ""))),
        "of_what": _of_what(facts),
        "ward": facts.get("ward", ""),
        "channel": say(CHANNELS, str(facts.get("channel", ""))),
        "priority": facts.get("priority", ""),
        "before": facts.get("before", ""),
        "flags": ", ".join(say({}, str(one)) for one in facts.get("flags") or [facts.get("flag", "")]),
        "by_itself": "" if facts.get("by") else " by itself, because nobody had dealt with it",
        "outcome": say(FLAG_OUTCOMES, str(facts.get("outcome", ""))),
        "department": departments.get(str(facts.get("department")), str(facts.get("department", ""))),
        "rule": str(facts.get("rule", "")).replace("-", " "),
        "was": near(was, now, zone) if was else "",
        "whose": "The guardian" if facts.get("of") == "guardian_opted_out" else "The patient",
        "again": "to be called again" if facts.get("again") else "not called again",
    }
    return DECISIONS.get(code, say({}, code)).format(**values)


def _of_what(facts: Mapping[str, Any]) -> str:
    """Of what a patient withdrew."""
    match facts.get("of"):
        case "plan":
            return f" from the plan {say({}, str(facts.get('plan')))}"
        case "study":
            return f" from the study {facts.get('study')}"
        case "all":
            return " from all follow-up"
    return ""


_NOT_DIALLED = {  # why an order to dial was not given after all
    "outside_window": "the patient's hours were over",
    "opted_out": "the patient opted out meanwhile",
    "guardian_opted_out": "who is called for the patient opted out meanwhile",
    "guardian_deceased": "who is called for the patient has died meanwhile, or is reported to have",
    "guardian_changed": "another person is called for the patient now",
    "death_reported": "reported deceased meanwhile",
    "deceased": "the patient has died",
    "not_needed": "it is not needed any more",
    "cancelled_by_us": "Cancelled by us",
    "clock_set_back": "the computer's clock was set back meanwhile",
    "campaign_halted": "its campaign was paused or stopped meanwhile",
    "answer_rule": "The answers ask for it",
    "red_flag": "A red flag was told in the call",
}


def _because(code: str) -> str:
    contact = CONTACT_RESULTS.get(code)
    return LINE_RESULTS.get(code) or (contact[0] if contact else say(_NOT_DIALLED | STOP_REASONS | OUR_RESULTS, code))
