"""An examination booked by text message: one reply in it, and what is done between two texts.

A reply is taken as any text is (`replies.py`), in one transaction. What has to be asked of whoever owns the slots is
done behind it, with no transaction open (`work`): free times are offered, ranked as on the telephone; the one that was
chosen is held and confirmed. Who dies in the middle is followed by the rounds: a time that was confirmed before is
confirmed again as the same.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from hospital import identifiers, number_locks, patients, text_bookings, text_replies, text_talks
from hospital.booking import Booked, BookingDesk, Opening, SlotTaken, Wish
from hospital.clocks import due
from hospital.database import Database
from hospital.patients import Patient
from hospital.slots import Department
from hospital.text_bookings import TextBooking, Work
from hospital.wishes import ANY_TIME, rank
from messages.talking import Desk, Talking, sealed, told_dates
from scripts import reply_words, texting, verbalise
from scripts.reply_words import Wanted

log = logging.getLogger(__name__)

POOL = 30  # free times that are ranked before the first ones are offered
VIA = "sms"
AFTER = timedelta(milliseconds=1)  # so that of two texts the second leaves second


def wanted(said: str, desk: Desk) -> Wanted | None:
    return reply_words.wanted(said, {one.code: one.names for one in desk.examinations})


@dataclass
class Booking:
    """A booking, its row locked, and what was written now."""

    session: Session
    row: TextBooking
    at: datetime
    desk: Desk
    said: str = field(default="", repr=False)

    def begin(self) -> None:
        if text_bookings.may_begin(self.session, self.row.number, self.at):
            self._say("booking_prove")
        else:
            self._end("by_phone", "booking_by_phone")

    def is_answered_by(self, wanted: Wanted | None) -> bool:
        """Whether a text belongs here, and does not begin anew."""
        return wanted is None or self.row.state in ("choosing", *text_bookings.OURS)

    def take(self) -> bool:
        """Does what a reply asks for; False where it is no answer again: then a person reads it, and it is over."""
        if self.row.sent >= text_bookings.MOST and self.row.state not in text_bookings.OURS:
            self._end("too_long", "booking_by_phone")
            return True
        match self.row.state:
            case "proving":
                return self._prove()
            case "choosing":
                return self._choose()
            case "ordered":
                return self._order()
            case "offered":
                return self._book()
        return True  # it is ours to do, and its text is on the way

    def _prove(self) -> bool:
        row, days = self.row, told_dates(self.said, self.row.locale, self.at)
        found = self._born(days)
        if len(found) == 1 and not patients.wards(self.session, found[0].id, self.at):
            text_bookings.proved(self.session, row, found[0].id, self.at)
            self._next()
        elif found:  # twins, or who speaks for others, too: a person asks whom it is for
            self._end("by_phone", "booking_by_phone")
        else:
            row.misses += 1  # what is no date may have been meant for something else, and is no wrong answer
            tries = text_talks.PROOFS
            locked = bool(days) and number_locks.identity_failed(self.session, row.number, self.at, tries=tries)
            if locked or row.misses >= tries:
                self._end("not_proved", "booking_by_phone")
            else:
                self._say("text_prove_again")
        return True

    def _born(self, days: Iterable[date]) -> list[Patient]:
        told = [identifiers.matching(self.session, self.row.number, {"birth_date": day.isoformat()}) for day in days]
        return [one for found in told for one in found]

    def _choose(self) -> bool:
        n, named = texting.number(self.said), wanted(self.said, self.desk)
        if n is not None and 1 <= n <= len(self.desk.examinations):
            self.row.department = self.desk.examinations[n - 1].code
        elif named is not None and named.code is not None:
            self.row.department = named.code
        else:
            return self._miss()
        self._next()
        return True

    def _order(self) -> bool:
        word = self.said.strip().lower().rstrip(".!。")
        if word in texting.YES:
            self._seek()
        elif word in texting.NO:
            self._end("no_order", "booking_no_order")
        else:
            return self._miss()
        return True

    def _book(self) -> bool:
        n = texting.number(self.said)
        if reply_words.more(self.said):
            self._seek()
        elif n is not None and 1 <= n <= len(self.row.offered):
            self.row.chosen = self.row.offered[n - 1]
            text_bookings.asks(self.row, "booking", self.at)
        else:
            return self._miss()
        return True

    def _next(self) -> None:
        """Which examination, a doctor's order; each where it has to be asked."""
        offered, row = self.desk.examinations, self.row
        if row.department is None and len(offered) > 1:
            text_bookings.asks(row, "choosing", self.at)
            end = verbalise.stop(row.locale)
            self._tell("booking_which", [f"{n}) {one.name(row.locale)}{end}" for n, one in enumerate(offered, 1)])
            return
        one = self._examination
        if one is None:
            self._end("no_times", "booking_none")
            return
        row.department = one.code
        if one.needs_referral:
            text_bookings.asks(row, "ordered", self.at)
            self._say("booking_order")
        else:
            self._seek()

    @property
    def _examination(self) -> Department | None:
        code = self.row.department
        return next((one for one in self.desk.examinations if code in (None, one.code)), None)

    def _seek(self) -> None:
        self.row.chosen = None
        text_bookings.asks(self.row, "seeking", self.at)

    def _miss(self) -> bool:
        self.row.misses += 1
        if self.row.misses < text_talks.MISSES:
            self._say("booking_again")
            return True
        self._end("not_understood")
        return False

    # ── What was done ───────────────────────────────────────────────────────────────────────────────────────────

    def offers(self, found: list[Opening], anew: bool, taken: bool) -> None:
        if not found:
            self._end("no_times", "booking_none")
            return
        first = text_bookings.offers(self.row, [one.slot_id for one in found], anew, self.at)
        words, locale = self.desk.words, self.row.locale
        times = [
            words.message("booking_time", locale, n=n, day=one.starts_at, time=one.starts_at)
            for n, one in enumerate(found, first)
        ]
        self._tell("booking_taken" if taken else "booking_times", times)

    def was_taken(self) -> None:
        text_bookings.asks(self.row, "seeking", self.at)

    def booked(self, what: Booked) -> None:
        text_bookings.confirmed(self.session, self.row, what, self.at)
        if any(f"prepare_{code}" not in self.desk.words.site_says for code in what.preparation):
            self._say("booking_prepare")  # what the site has no words for, a person says
        self._go_back()

    def desk_failed(self) -> None:
        """A person finishes it, and sees what was written."""
        row, clock = self.row, due("message", self.at, self.desk.clocks)
        case_id = text_replies.open_case(self.session, row.number, row.patient_id, row.locale, self.at, clock)
        text_replies.of_booking_to(self.session, row.id, case_id)
        self._end("desk_failed", "booking_by_phone")

    # ── Texts ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _end(self, by: str, key: str | None = None) -> None:
        text_bookings.end(self.row, by, self.at)
        if key is not None:
            self._say(key)
        self._go_back()

    def _go_back(self) -> None:
        """To the questionnaire that was asked before, if one was."""
        self.session.flush()
        found = text_talks.of_number(self.session, self.row.number_token, self.at)
        if found is not None:
            Talking(self.session, *found, self.at + AFTER, self.desk, "").ask_again()

    def _tell(self, key: str, choices: list[str]) -> None:
        locale = self.row.locale
        text = self.desk.words.message(key, locale, choices=verbalise.speech(locale).SPACE.join(choices))
        text_bookings.say(self.session, self.row, "survey_told", self.at, **sealed(text))

    def _say(self, key: str) -> None:
        text_bookings.say(self.session, self.row, key, self.at)


# ── Between two texts ───────────────────────────────────────────────────────────────────────────────────────────────

Settle = Callable[[Booking], None]


async def work(
    booking_id: UUID, database: Database, slots: BookingDesk, desk: Callable[[], Desk], now: Callable[[], datetime]
) -> None:
    """Does what is ours to do, until it is their turn or over."""
    while (todo := await database.run(text_bookings.work, booking_id)) is not None:
        try:
            if todo.state == "booking" and todo.chosen is not None:
                settle = await _confirm(todo, todo.chosen, slots, now())
            else:
                settle = await _seek(todo, slots, desk(), now())
        except Exception as failure:  # as on the telephone: whoever owns the slots can't be asked just now
            log.warning("booking %s by text: the desk can't be asked (%s)", todo.id, type(failure).__name__)
            settle = Booking.desk_failed
        await database.run(_settle, todo, settle, desk(), now())


def _settle(session: Session, done: Work, settle: Settle, desk: Desk, at: datetime) -> None:
    text_replies.in_order(session, done.number_token)
    row = text_bookings.still(session, done)
    if row is not None:
        settle(Booking(session, row, at, desk))


async def _seek(todo: Work, slots: BookingDesk, desk: Desk, at: datetime) -> Settle:
    """The times that are offered: those that suit the patient first; all over again when all were heard."""
    limit = POOL + len(todo.heard)
    wishes = [ANY_TIME, *([Wish(part=todo.suits)] if todo.suits is not None else [])]
    free = [
        one
        for wish in wishes
        for one in await slots.openings(todo.department, at, after=at, limit=limit, wish=wish)
    ]  # fmt: skip
    ranked = rank(free, desk.clocks.zone, prefers=todo.suits)
    unheard = [one for one in ranked if one.slot_id not in todo.heard]
    offered, anew = (unheard or ranked)[: text_bookings.OFFERED], not unheard
    return partial(Booking.offers, found=offered, anew=anew, taken=todo.chosen is not None)


async def _confirm(todo: Work, slot_id: UUID, slots: BookingDesk, at: datetime) -> Settle:
    with suppress(SlotTaken):  # perhaps by this very booking, by one who died then: confirming tells
        await slots.hold(slot_id, todo.holder, at)
    try:
        booked = await slots.confirm(slot_id, todo.holder, todo.patient_id, at, VIA)
    except SlotTaken:
        return Booking.was_taken
    return partial(Booking.booked, what=booked)
