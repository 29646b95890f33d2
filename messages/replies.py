"""What a text message that comes in means, and what is said to it. One transaction a text.

Rules, in this order: what was taken before is not taken again. A word that ends texts ends them, unless it is an answer
to the very question (carriers' own words always do); where it is one for cancelling and a text about an appointment
left just before, a person asks which was meant. Alarm words anywhere are a red flag, with the emergency number at
once. Help is told. Then it belongs to the booking that is open on this number; or a word for an examination begins one,
unless it answers a question. Then it is a birth date or an answer, if this number is asked something and the question
had left before; an answer may raise a red flag. All else is a message that a person owns. What we say is put into the
outbox in the same transaction, so that nothing is answered that was not kept.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import appointment_texts, outbox, patients, text_bookings, text_replies, text_stops, text_talks
from hospital.clocks import due
from hospital.followups import FollowUpTask, answers
from hospital.patients import PhoneNumber
from hospital.text_replies import TextReply
from hospital.text_talks import Opening
from messages.booking import Booking, wanted
from messages.gateway import Incoming
from messages.sender import E164, plain
from messages.talking import LONGEST, Desk, Meant, Talking, next_question, sealed
from scripts import reply_words, texting, vocabulary
from scripts.filling import Filling
from scripts.questionnaire_files import kept
from scripts.reply_words import Wanted
from speech.ears import red_flags

ALARM = "text_alarm"


def opening(
    session: Session, task: FollowUpTask, number: PhoneNumber, locale: str, at: datetime, desk: Desk
) -> Opening | None:
    """`text_talks.Begin`: the first text of a task; None where it is not asked by text."""
    version = task.questionnaire
    if version.body.get("byText") is not True and version.code not in desk.also:
        return None
    asked = kept(version.body)
    if asked.clinical:
        return Opening("text_prove", None) if text_talks.may_prove(session, task, number, at) else None
    found = next_question(Filling(asked, answers(session, task.id)), desk.words, locale)
    if found is None or len(found[1]) > LONGEST:
        return None
    return Opening("text_begins", found[0].key, sealed(found[1]))


def receive(session: Session, came: Incoming, at: datetime, desk: Desk) -> str:
    """Keeps a text and does what it asks for; its fate."""
    before = text_replies.begin(session, came.gateway, came.reference, patients.number_token(came.number))
    return before.fate if before is not None else _Taken(session, came, at, desk).settle()


class _Taken:
    """One text that is being taken."""

    def __init__(self, session: Session, came: Incoming, at: datetime, desk: Desk) -> None:
        self.session, self.came, self.at, self.desk = session, came, at, desk
        self.said = plain(came.text)
        self.token = patients.number_token(came.number)
        found = text_talks.of_number(session, self.token, at)
        self.talking = Talking(session, *found, at, desk, self.said) if found is not None else None
        row = text_bookings.of_number(session, self.token, at)
        self.booking = Booking(session, row, at, desk, self.said) if row is not None else None
        left = self.talking is not None and text_talks.has_asked(session, self.talking.talk)
        self.asked = self.talking if left else None  # a reply to what has not left yet is none
        self._known = patients.candidates(session, came.number)

    def settle(self) -> str:
        word = self.came.word or reply_words.meant(self.said)
        asked = self.asked if self.booking is None else None
        if word in ("stop", "start") and (self.came.word or not asked or not asked.names_an_answer()):
            return self._stop() if word == "stop" else self._start()
        if self._alarms():
            return self._flag(ALARM, asked.take_alarm() if asked else None)
        if word == "help":
            return self._help()
        wish = wanted(self.said, self.desk)
        if self.booking is not None and self.booking.is_answered_by(wish):
            return self._book(self.booking)
        if wish is not None and self._may_begin():
            return self._begin(wish)
        if self.asked is None:
            return self._message() if not self._comes_late() else self._keep(Meant("booking")).fate
        meant = self.asked.take()
        if meant.flag is not None:
            return self._flag(meant.flag, meant.answer_id)
        return self._keep(meant).fate

    def _may_begin(self) -> bool:
        """Not where it answers a question, and nobody who wants no texts or had many today."""
        if self.asked is not None and self.asked.is_answered_by_words():
            return False
        number = self.came.number
        reached = E164.fullmatch(number) and not text_stops.stopped(self.session, number)
        return bool(reached) and not text_bookings.too_many(self.session, number, self.at)

    def _begin(self, wish: Wanted) -> str:
        if self.booking is not None:
            text_bookings.end(self.booking.row, "overtaken", self.at)
            self.session.flush()
        likely = [self._known[0].patient.language] if self._known else []
        locale = next(
            (one for one in (*likely, self.desk.default_language) if one in wish.languages), wish.languages[0]
        )
        row = text_bookings.begin(self.session, self.came.number, locale, wish.code, self.at)
        self.booking = Booking(self.session, row, self.at, self.desk)
        self._keep(Meant("booking"))
        self.booking.begin()
        return "booking"

    def _book(self, booking: Booking) -> str:
        if not booking.take():
            return self._message()
        return self._keep(Meant("booking")).fate

    def _comes_late(self) -> bool:
        """Whether it is the number of a time in a booking that is over. Who has booked that very time knows it."""
        over, n = text_bookings.lately(self.session, self.token, self.at), texting.number(self.said)
        if over is None or n is None or not over.offered or n > len(over.offered):
            return False
        self.booking = Booking(self.session, over, self.at, self.desk, self.said)
        if n == 0 or over.ended_by != "booked" or over.chosen != over.offered[n - 1]:
            self._say("booking_over", f"booking_over/{over.id}")
        return True

    @property
    def patient_id(self) -> UUID | None:
        """Whose it surely is: of a number that several have, nobody's."""
        if self.booking is not None and self.booking.row.patient_id is not None:
            return self.booking.row.patient_id
        if self.talking is not None:
            return self.talking.task.patient_id
        return self._known[0].patient.id if len(self._known) == 1 else None

    @property
    def language(self) -> str:
        if self.booking is not None:
            return self.booking.row.locale
        if self.talking is not None:
            return self.talking.talk.locale
        return self._known[0].patient.language if self._known else self.desk.default_language

    def _alarms(self) -> bool:
        """In every language: who is in need writes as it comes. The emergency number alone is one, where no number was
        asked for."""
        if self.asked is None and self.said.strip() == self.desk.words.site.emergency:
            return True
        return red_flags.written(self.said, vocabulary.alarms())

    def _stop(self) -> str:
        new = text_replies.stop(self.session, self.came.number, self.at)
        reply = self._keep(Meant("stop"), self._may_cancel())
        if self.talking is not None:
            self.talking.give_up("stop", "texts_unwanted")
        self._leave_booking("stop")
        if new:
            self._say("text_stopped", f"text_stopped/{reply.id}")
        return "stop"

    def _may_cancel(self) -> UUID | None:
        """The item of a person who asks whether the appointment was meant, which stands."""
        spoken_of = appointment_texts.spoke_of_one(self.session, self.came.number, self.at)
        return self._item() if spoken_of and reply_words.cancels(self.said) else None

    def _leave_booking(self, by: str) -> None:
        if self.booking is not None:
            text_bookings.end(self.booking.row, by, self.at)

    def _start(self) -> str:
        again = text_replies.start(self.session, self.came.number, self.at)
        reply = self._keep(Meant("start"))
        if again:
            self._say("text_started", f"text_started/{reply.id}")
        return "start"

    def _help(self) -> str:
        self._keep(Meant("help"))
        number = patients.number_token(self.came.number).hex()
        self._say("text_help", f"text_help/{number}/{self.at:%Y-%m-%d}")
        return "help"

    def _message(self) -> str:
        case_id = self._item()
        self._keep(Meant("message"), case_id)
        if self.booking is not None:
            text_replies.of_booking_to(self.session, self.booking.row.id, case_id)
        self._say("text_received", f"text_received/{case_id}")
        return "message"

    def _item(self) -> UUID:
        clock = due("message", self.at, self.desk.clocks)
        return text_replies.open_case(self.session, self.came.number, self.patient_id, self.language, self.at, clock)

    def _flag(self, code: str, answer_id: int | None) -> str:
        clock = due("red_flag", self.at, self.desk.clocks)
        task_id = self.talking.task.id if self.talking is not None else None
        case_id = text_replies.raise_flag(
            self.session, self.came.number, self.patient_id, self.language, self.at, clock, code, task_id
        )
        self._keep(Meant("red_flag", answer_id), case_id)
        if self.talking is not None:
            self.talking.flagged(code)
        self._leave_booking("red_flag")
        self._say("survey_urgent", f"text_urgent/{case_id}/{self.at:%Y-%m-%dT%H}")
        return "red_flag"

    def _keep(self, meant: Meant, case_id: UUID | None = None) -> TextReply:
        came, booking_id = self.came, self.booking.row.id if self.booking else None
        theirs = self.talking if not self.booking and meant.fate != "message" else None
        task_id = theirs.task.id if theirs else None
        return text_replies.keep(
            self.session, gateway=came.gateway, reference=came.reference, number=came.number, said=self.said,
            media=came.media, at=self.at, fate=meant.fate, task_id=task_id, booking_id=booking_id,
            answer_id=meant.answer_id, case_id=case_id,
        )  # fmt: skip

    def _say(self, key: str, once: str) -> None:
        """Not what the gateway has said itself; nothing to what is no telephone number, or wants no texts."""
        unwanted = key not in text_stops.CONFIRMS and text_stops.stopped(self.session, self.came.number)
        answered = self.came.word is not None and key != "survey_urgent"
        if E164.fullmatch(self.came.number) and not unwanted and not answered:
            outbox.put(
                self.session, once=once, key=key, locale=self.language, number=self.came.number, at=self.at,
                patient_id=self.patient_id,
            )  # fmt: skip
