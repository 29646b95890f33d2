"""The console's words: codes as sentences, instants as a nurse says them. English for now; one place."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hospital.workload import Load

LANGUAGES = {"es": "Spanish", "pt-BR": "Portuguese", "zh-CN": "Chinese", "en": "English", "mi": "Māori"}

ROLES = {
    "agent": "Agent",
    "nurse": "Nurse",
    "doctor": "Doctor",
    "supervisor": "Supervisor",
    "administrator": "Administrator",
    "speaker": "Speaker",
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


def countdown(until: datetime, now: datetime) -> str:
    """What is left until then: "4:05", "3 h 20 min"; "now" when nothing is."""
    left = int((until - now).total_seconds())
    if left >= 3600:
        return f"{left // 3600} h {left // 60 % 60:02} min"
    return f"{left // 60}:{left % 60:02}" if left > 0 else "now"


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


def hours(count: int) -> str:
    """A deadline: "1 hour", "3 days"."""
    if count < 48:
        return f"{count} hour{'s' if count != 1 else ''}"
    return f"{count // 24} days"


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


# how a sentence is said: at first, asked again, asked once more, a row of a list
FORMS = {"text": "said first", "short": "said again", "other": "said the third time", "choice": "one choice of a list"}

PRESENCE = {
    "away": "Away",
    "available": "Available",
    "ringing": "Ringing",
    "talking": "On a call",
    "wrap_up": "Wrap-up",
}

LINE_RESULTS = {
    "answered": "Answered",
    "busy": "Busy",
    "no_answer": "No answer",
    "rejected": "Call rejected",
    "invalid_number": "Number not in service",
    "unreachable": "Phone off or out of coverage",
    "network_failure": "The line failed",
    "machine": "Answered by a machine",
    "fax": "A fax answered",
    "cancelled": "Cancelled by us",
}

# contact result → (what the button says, its key)
CONTACT_RESULTS = {
    "completed": ("All done", "c"),
    "partial": ("Partly done", "p"),
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
    "deceased": "The patient has died",
    "died": "The patient has died",
    "child_lost": "The family has lost the child",
    "transferred": "The patient was moved to another hospital or ward",
    "withdrawn": "The patient withdrew",
    "told_too_late": "We were told after its time had passed",
    "fate_unknown": "It is not known whether the phone rang; a person calls",
}

ORDERED = {  # what was ordered of follow-ups on the list
    "give": "given to {who}",
    "give_back": "given back to everybody",
    "skip": "skipped",
    "move": "put on {day}",
    "priority": "now of priority {priority}",
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


CHANGES = {
    "readmitted": "In hospital again",
    "transferred": "Moved to another hospital",
    "withdrawn": "Wants no more follow-up",
    "child_lost": "Lost the child",
    "died": "Died (a supervisor confirms)",
}

STANDINGS = {  # how a task stands → (word, look)
    "open": ("Open", ""),
    "overdue": ("Overdue", "bad"),
    "due": ("Due", "warn"),
    "later": ("Later", ""),
    "calling": ("Being called", "busy"),
    "wrap_up": ("To be written up", "busy"),
    "review": ("To be reviewed", "warn"),
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
    "hypertension_check": "Blood pressure check",
    "diabetes_check": "Diabetes check",
}


def task_reason(code: str) -> str:
    """Why a task is there: the plan's step, and of one that recurs the how many-eth."""
    step, _, number = code.partition(".")
    return say(TASK_REASONS, step) + (f", {number}" if number else "")


NOT_NOW = {
    "not_open": "This task is being called or is closed already.",
    "already_in_a_call": "This patient, this number or you are in another call.",
    "outside_window": "It is outside the hours in which this patient may be called.",
    "cap_reached": "The patient has been called often enough for now.",
    "opted_out": "The patient does not want follow-up calls.",
    "deceased": "The patient has died. Nobody is called.",
    "no_usable_number": "There is no number left that may be called.",
}

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
    "rating": "Rating after the call",
}

NO_RECORDING = {
    "refused": "the patient did not want it",
    "spool_full": "there was no room for it",
    "not_started": "it was not started",
    "no_audio": "no sound came",
    "not_answered": "nobody answered",
    "asterisk_lost": "it was lost in a breakdown",
    "automatic": "the hotline called by itself",
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
}

QUEUES = {"reception": "reception", "nurses": "the nurses", "urgent": "urgent calls"}

_STEPS = {
    "not_identified": "Told details that match nobody",
    "proxy": "Calls for somebody in their care",
    "new_patient": "Is new here and waits for reception's call",
    "moved": "Moved an appointment",
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
}

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

CALLBACK_OUTCOMES = {"reached": "Reached", "not_reached": "Not reached", "wrong_number": "Wrong number"}

AUDIT_ACTIONS = {
    "sign_in": "signed in",
    "sign_in.refused": "was refused at the sign-in",
    "sign_out": "signed out",
    "denied": "was refused",
    "record.read": "read a record",
    "card.read": "saw a caller's card",
    "list.read": "saw the follow-up list",
    "recording.play": "played a recording",
    "recording.verify": "checked a recording",
    "recordings.find": "looked for recordings",
    "audit.read": "read the audit log",
    "callback.read": "saw who is to be called back",
    "results.told": "told a caller whether results are there",
    "consent.given": "was told that contacts are wanted",
    "consent.withdrawn": "was told that contacts are not wanted",
    "patient.reminded_by": "was told how to remind",
    "patient.zone": "was told on whose clock the patient is",
    "patient.suits": "was told which time of day suits",
    "case.read": "opened a case",
    "discharges.imported": "took over a list of discharges",
    "responses.read": "saw what was answered",
    "responses.exported": "took answers out as a file",
    "questionnaire.saved": "saved a questionnaire's draft",
    "questionnaire.discarded": "threw a questionnaire's draft away",
    "questionnaire.published": "published a questionnaire",
    "opening.closed": "closed the telephones",
    "opening.reopened": "opened the telephones again",
    "clinic.suspended": "suspended a clinic",
    "reminder.read": "saw who is reminded again and again",
    "reminder.begun": "began a reminder that repeats",
    "reminder.stopped": "stopped a reminder that repeats",
    "suspension.read": "saw whom a suspended clinic concerns",
    "task.give": "gave a follow-up to a nurse",
    "task.give_back": "gave a follow-up back to everybody",
    "task.skip": "skipped a follow-up",
    "task.move": "put a follow-up on another day",
    "task.priority": "changed a follow-up's priority",
    "campaign.created": "created a campaign",
    "campaign.running": "started a campaign",
    "campaign.paused": "paused a campaign",
    "campaign.stopped": "stopped a campaign",
    "campaign.changed": "changed a campaign's share or limits",
}


def say(table: Mapping[str, str], code: str | None) -> str:
    """A code's words; a code that has none yet is shown readable rather than hidden."""
    if not code:
        return ""
    return table.get(code) or code.replace("_", " ").replace(".", " ").capitalize()


def load(of: Load) -> str:
    """`Ruby: 4 to call, 1 overdue`."""
    name = of.account.display_name if of.account is not None else "Nobody’s"
    return f"{name}: {of.waiting} to call{f', {of.overdue} overdue' if of.overdue else ''}"


def load_of_nobody(of: Load) -> str:
    return f"To whom … ({load(of).replace('Nobody’s', 'nobody’s')})"


def campaign_code(name: str, code: str) -> str:
    """What a campaign's filter is set to: a ward or a study has the name that the hospital gave it."""
    if name in ("ward", "study"):
        return code
    return task_reason(code) if name == "reason" else say({}, code)


def campaign_filter(name: str, code: str) -> str:
    """`Ward: surgery 2`."""
    return f"{CAMPAIGN_FILTERS[name]}: {campaign_code(name, code)}"


def language(code: str | None) -> str:
    return LANGUAGES.get(code or "", code or "unknown")


def day(at: datetime | date, zone: ZoneInfo) -> str:
    """`3 Nov 2026`; of an instant, the site's day."""
    local = at.astimezone(zone) if isinstance(at, datetime) else at
    return f"{local.day} {local:%b %Y}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def near(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """`today 18:10`, `tomorrow 09:40`, `Friday 09:40`, `3 Nov 09:40`: what is near is said as people say it."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    apart = (local.date() - today).days
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(apart)
    if words is None:
        words = f"{local:%A}" if 1 < apart < 7 else f"{local.day} {local:%b}"
    return f"{words} {local:%H:%M}"


def late(at: datetime, now: datetime) -> str:
    """How long ago, roughly: `5 min`, `3 h`, `2 days`."""
    gone = max(now - at, timedelta())
    if gone < timedelta(hours=1):
        return f"{int(gone.total_seconds() // 60)} min"
    if gone < timedelta(days=2):
        return f"{int(gone.total_seconds() // 3600)} h"
    return f"{gone.days} days"


def age(birth: date | None, now: datetime, zone: ZoneInfo) -> str:
    if birth is None:
        return ""
    today = now.astimezone(zone).date()
    return str(today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day)))


def duration(seconds: float | None) -> str:
    """`1:23` of seconds, `1:02:03` above an hour."""
    whole = int(seconds or 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def next_try(at: datetime | None, rank: int | None, tries: int, max_tries: int, now: datetime, zone: ZoneInfo) -> str:
    """The next try as a sentence: `again tomorrow 18:10, second number, try 2 of 3`."""
    if at is None:
        return "not called yet" if tries == 0 else f"tried {tries} of {max_tries} times"
    when = "now" if at <= now else near(at, now, zone)
    number = f", {ORDINALS.get(rank, f'{rank}th')} number" if rank else ""
    return f"again {when}{number}, try {min(tries + 1, max_tries)} of {max_tries}"


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
    "answered_by_caller": "Answered to the machine, in a call of the patient's own",
    "red_flag": "A red flag was told to the machine: a nurse takes over",
    "skipped": "Skipped: {reason}",
    "to_review": IN_DOUBT,
    "reviewed": "Reviewed: {again}",
    "not_dialled": "Not dialled after all{there}: {because}",
    "to_nurse": "{because}: a nurse takes over",
    "number_put_away": "The {number} number is put away: {because}",
    "number_kept": "The {number} number is in use again: the result was corrected",
    "called_together": "In the same call as another follow-up",
    "plan_changed": "Stopped: {reason}",
    "plan_changed_while_talking": "{reason}; the talk goes on, and no call follows",
    "ward_changed": "The patient is on another ward",
    "other_channel": "No call reached the patient: next by {channel}",
    "call_announced": "A text message to the {number} number says that we will call",
    "texted": "A text message goes{there} to the {number} number{guardian}; without an answer it goes on {when}",
    "text_unanswered": "No answer to the text message: next by {channel}",
    "text_undelivered": "The text message was not delivered: next by {channel}",
    "text_impossible": "No number that may be written to: next by {channel}",
    "text_unanswered_at_last": "No answer to the text message, and a nurse has called before. Stopped: {reason}",
    "text_undelivered_at_last": "The text message was not delivered, and a nurse has called before. Stopped: {reason}",
    "text_impossible_at_last": "No number that may be written to. Stopped: {reason}",
    "record_merged": "The record was merged into another of the same patient",
    "death_report_withdrawn": "The report of a death was taken back",
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
    "outside_window": "Not called{there}: outside the patient's hours{until}",
    "cap_reached": "Not called: called often enough{until}",
    "opted_out": "Not called: the patient has opted out",
    "deceased": "Not called: the patient has died",
    "no_usable_number": "Not called: no number left that may be called",
}


def decision(code: str, facts: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    """One line of a task's decision log."""
    when = datetime.fromisoformat(facts["when"]) if facts.get("when") else None
    until = datetime.fromisoformat(facts["not_before"]) if facts.get("not_before") else None
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
        "channel": say(CHANNELS, str(facts.get("channel", ""))),
        "priority": facts.get("priority", ""),
        "before": facts.get("before", ""),
        "again": "to be called again" if facts.get("again") else "not called again",
    }
    return DECISIONS.get(code, say({}, code)).format(**values)


_NOT_DIALLED = {  # why an order to dial was not given after all
    "outside_window": "the patient's hours were over",
    "opted_out": "the patient opted out meanwhile",
    "death_reported": "reported deceased meanwhile",
    "deceased": "the patient has died",
    "not_needed": "it is not needed any more",
    "cancelled_by_us": "Cancelled by us",
    "campaign_halted": "its campaign was paused or stopped meanwhile",
}


def _because(code: str) -> str:
    contact = CONTACT_RESULTS.get(code)
    return LINE_RESULTS.get(code) or (contact[0] if contact else say(_NOT_DIALLED | STOP_REASONS | OUR_RESULTS, code))


def place(zone: str) -> str:
    """`Sao Paulo` of `America/Sao_Paulo`."""
    return zone.rpartition("/")[2].replace("_", " ")
