"""A nurse's shift, and the machine's beside it, as one table written by hand: who is called, what their telephone or
they do, and all that must be written down of it. `test_shift.py` plays it.

A row begins with who calls: Ana, one after the other, or the machine. What a number does is said by its last six digits
(`carrier.py`), unless there is a telephone: then its owner does what the row says.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ANA, MACHINE = "Ana", "the machine"
PHONE = "000777"  # a real telephone
ANSWERS, HANGS_UP, RINGS_OUT = "180200", "180299", "180000"

NONE = ""  # nobody answered: there is neither a recording nor a reason for none
KEPT = "from the notice to the end"
REFUSED = "the patient did not want it"
NOT_BEGUN = "it was not started"
ALONE = "the hotline called by itself"

PLANNED, CALLED = "Planned", "Called at {at}, Bogota time, first number"
"""The first two lines of every decision log."""


@dataclass(frozen=True)
class Row:
    """`does`: what the owner of a telephone does, and the nurse with them; else what each number does. `says`: whom the
    nurse, or the machine, says that they reached. `again`: when the next try is, counted from the end of the call;
    `rank`: on which number. `recording`: what there is of it, or why there is none. `log`: what follows PLANNED and
    CALLED; {again} is that time as the page says it. `answers`: what is kept of them."""

    by: str
    does: str
    line: str
    says: str
    tries: int
    state: str
    again: str | None
    rank: int | None
    recording: str
    log: tuple[str, ...]
    second: str = ""
    answers: dict[str, object] = field(default_factory=dict)

    @property
    def digits(self) -> tuple[str, ...]:
        """Of each number of theirs."""
        first = self.does if self.does.isdigit() else PHONE
        return (first, self.second) if self.second else (first,)


TODAY, DAY = "in 30 min", "another day"
SAME = "again {again}, first number"
OTHER = "again {again}, second number"
BUSY = (f"Busy: {SAME} (1 of 3 tries)",)
WELL = {"general": "better", "symptoms": ["none"], "medication": "all"}
# fmt: off
SHIFT = (
    # nobody answers          the line did  says   tries  task  again  number  recording   the decision log
    Row(ANA, "100486",          "busy", "",           1, "open", TODAY,      1, NONE, BUSY),
    Row(ANA, "180486",          "busy", "",           1, "open", "tomorrow", 1, NONE, BUSY),
    Row(ANA, "100600",          "busy", "",           1, "open", TODAY,      1, NONE, BUSY),
    Row(ANA, "100404",          "invalid_number", "", 0, "open", DAY,        1, NONE,
        (f"Number not in service: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100404",          "invalid_number", "", 0, "open", "in 5 min", 2, NONE,
        (f"Number not in service: {OTHER} (0 of 3 tries)",), second="100486"),
    Row(ANA, "100410",          "invalid_number", "", 0, "open", DAY,        1, NONE,
        (f"Number not in service: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100484",          "invalid_number", "", 0, "open", DAY,        1, NONE,
        (f"Number not in service: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100480",          "unreachable", "",    0, "open", "in 2 h",   1, NONE,
        (f"Phone off or out of coverage: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100480",          "unreachable", "",    0, "open", "in 2 h",   2, NONE,
        (f"Phone off or out of coverage: {OTHER} (0 of 3 tries)",), second="100486"),
    Row(ANA, "180480",          "no_answer", "",      1, "open", DAY,        1, NONE,
        (f"No answer: {SAME} (1 of 3 tries)",)),
    Row(ANA, "100603",          "rejected", "",       1, "open", DAY,        1, NONE,
        (f"Call rejected: {SAME} (1 of 3 tries)",)),
    Row(ANA, "180603",          "rejected", "",       1, "open", DAY,        2, NONE,
        (f"Call rejected: {OTHER} (1 of 3 tries)",), second="100486"),
    Row(ANA, "100403",          "network_failure", "", 0, "open", "in 10 min", 1, NONE,
        (f"The line failed: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100503",          "network_failure", "", 0, "open", "in 10 min", 1, NONE,
        (f"The line failed: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100500",          "network_failure", "", 0, "open", "in 10 min", 1, NONE,
        (f"The line failed: {SAME} (0 of 3 tries)",)),
    Row(ANA, "100488",          "network_failure", "", 0, "open", "in 10 min", 1, NONE,
        (f"The line failed: {SAME} (0 of 3 tries)",)),
    Row(ANA, RINGS_OUT,         "no_answer", "",      1, "open", DAY,        2, NONE,
        (f"No answer: {OTHER} (1 of 3 tries)",), second="100486"),

    # somebody answers, or something
    Row(ANA, "is well",         "answered", "completed", 1, "done", None,    None, KEPT, ("Done",),
        answers={**WELL, "pain": 2}),
    Row(ANA, "is not to be recorded", "answered", "partial", 1, "open", DAY, 1, REFUSED,
        (f"Partly done: {SAME} (1 of 3 tries)",), answers={"general": "same"}),
    Row(ANA, "hangs up after question 2", "answered", "hung_up", 1, "open", DAY, 1, KEPT,
        (f"Hung up: {SAME} (1 of 3 tries)",), answers={"general": "better", "pain": 3}),
    Row(ANA, "has pain in the chest at question 3", "answered", "partial", 1, "open", DAY, 1, KEPT,
        ("Red flag raised: Chest", f"Partly done: {SAME} (1 of 3 tries)"),
        answers={"systolic": 138, "diastolic": 85, "signs": ["chest"]}),
    Row(ANA, "is a machine that takes messages", "machine", "left_message", 1, "open", DAY, 1, NOT_BEGUN,
        (f"Message: {SAME} (1 of 3 tries)",)),
    Row(ANA, ANSWERS,           "answered", "call_later", 1, "open", "in 2 h", 1, NOT_BEGUN,
        (f"Call later: {SAME} (1 of 3 tries)",)),
    Row(ANA, ANSWERS,           "answered", "refused", 1, "stopped", None,   None, NOT_BEGUN,
        ("Stopped: The patient does not want it",)),
    Row(ANA, ANSWERS,           "answered", "wrong_person", 1, "open", "in 5 min", 2, NOT_BEGUN,
        ("The first number is put away: Wrong person", f"Wrong person: {OTHER} (1 of 3 tries)"), second="100486"),
    Row(ANA, ANSWERS,           "answered", "wrong_person", 1, "stopped", None, None, NOT_BEGUN,
        ("The first number is put away: Wrong person", "Stopped: No number left to call")),
    Row(ANA, ANSWERS,           "answered", "carer_answered", 1, "open", DAY, 1, NOT_BEGUN,
        (f"A carer: {SAME} (1 of 3 tries)",)),
    Row(ANA, "is a machine that takes none", "machine", "", 1, "open", DAY,  1, NOT_BEGUN,
        (f"Answered by a machine: {SAME} (1 of 3 tries)",)),
    Row(ANA, ANSWERS,           "answered", "moved", 1, "stopped", None,     None, NOT_BEGUN,
        ("Stopped: The patient has moved away",)),
    Row(ANA, ANSWERS,           "answered", "deceased", 1, "stopped", None,  None, NOT_BEGUN,
        ("Reported deceased; a clinician confirms before the record says so",
         "Stopped: Reported deceased; a clinician confirms")),
    Row(ANA, ANSWERS,           "answered", "language_not_served", 1, "open", DAY, 1, NOT_BEGUN,
        (f"Language: {SAME} (1 of 3 tries)",)),
    Row(ANA, HANGS_UP,          "answered", "hung_up", 1, "open", DAY,       1, NOT_BEGUN,
        (f"Hung up: {SAME} (1 of 3 tries)",)),

    # meanwhile, without a nurse
    Row(MACHINE, "does not answer, and calls back", "no_answer", "", 1, "done", None, None, NONE,
        (f"No answer: {SAME} (1 of 3 tries)", "Answered to the machine, in a call of the patient's own"),
        answers={**WELL, "pain": 2, "temperature": None, "next-visit": None, "questions": None}),
    Row(MACHINE, "has pain in the chest at question 3", "answered", "partial", 0, "open", None, None, ALONE,
        ("A red flag was told to the machine: a nurse takes over",
         "A red flag was told in the call: a nurse takes over"),
        answers={"systolic": 138, "diastolic": 85, "signs": {"so_far": ["chest"], "asked": ["headache", "chest"]}}),
    Row(MACHINE, "is well",     "answered", "completed", 1, "done", None,    None, ALONE, ("Done",),
        answers={**WELL, "pain": 2, "temperature": None, "next-visit": None, "questions": None}),
    Row(MACHINE, "hangs up after question 2", "answered", "hung_up", 1, "open", DAY, 1, ALONE,
        (f"Hung up: {SAME} (1 of 3 tries)",), answers={"general": "better", "pain": 2}),
    Row(MACHINE, "is a machine that takes messages", "machine", "left_message", 1, "open", DAY, 1, ALONE,
        (f"Message: {SAME} (1 of 3 tries)",)),
    Row(MACHINE, "is a fax",    "fax", "",            1, "open", DAY,        1, ALONE,
        (f"A fax answered: {SAME} (1 of 3 tries)",)),
    Row(MACHINE, "100603",      "rejected", "",       1, "open", DAY,        1, NONE,
        (f"Call rejected: {SAME} (1 of 3 tries)",)),
)
# fmt: on


def number(row: int, rank: int = 1) -> str:
    """The last six digits say what it does."""
    return f"+573{row:02d}{rank}{SHIFT[row].digits[rank - 1]}"


def instant(again: str | None, ended: datetime, zone: ZoneInfo) -> datetime | None:
    """When the next try is, from when the call ended; by the patients' clocks, who all live where the site is."""
    local = ended.astimezone(zone)
    tomorrow = local.date() + timedelta(days=1)
    match (again or "never").split():
        case ["in", count, "min"]:
            return ended + timedelta(minutes=int(count))
        case ["in", count, "h"]:
            return ended + timedelta(hours=int(count))
        case ["tomorrow"]:  # in half an hour, were not the cap one a day
            return max(ended + timedelta(minutes=30), datetime.combine(tomorrow, time(), tzinfo=zone))
        case ["another", "day"]:  # at another time of day
            at = time(18, 10) if local.time() < time(15) else time(9, 40)
            return datetime.combine(tomorrow, at, tzinfo=zone)
    return None
