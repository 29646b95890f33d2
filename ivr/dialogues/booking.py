"""Book an appointment or an examination, or move one: which, free times, read back, confirmed, how to prepare.

A time is held while the caller decides (a lease: a hang-up gives it back, and so does a dead IVR, two minutes
later). Who comes too late hears other times. Who moves an appointment keeps it until the new one is confirmed. What
was confirmed stands, whatever happens to the call.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID

from hospital.booking import ANY_TIME, Booked, Department, Kind, NothingToMove, Opening, SlotTaken, Wish
from hospital.patients import Patient
from hospital.wishes import Urgency, part_of, rank
from ivr.call import Call, Prompt
from ivr.choosing import choose
from ivr.dialogues.identity import identify
from ivr.dialogues.times import MORE, OFFERED, OTHER_WISH, offers, read_back, settled, the_time
from ivr.dialogues.wishing import a_day, ask_wish, wished
from ivr.front_desk import FrontDesk

POOL = 30  # free times that are ranked before the first ones are offered

WhenBooked = Callable[[Booked], Awaitable[object]]
"""What else is to be written down once it is confirmed, before anything is said: the caller may hang up on the news."""


async def book(
    call: Call,
    front: FrontDesk,
    kind: Kind = "clinic",
    *,
    department: Department | None = None,
    urgency: Urgency = "routine",
    when_booked: WhenBooked | None = None,
) -> None:
    """Ends with an appointment, with none, or with a person. Without a `department` the caller chooses one."""
    patient = await identify(call, front)
    if patient is None:
        return
    if department is not None:
        await _book_in(call, front, patient, department, urgency, when_booked)
        return
    while True:
        chosen = await choose_department(call, front, kind)
        with call.returning():
            await _book_in(call, front, patient, chosen, urgency, when_booked)
            return


async def choose_department(call: Call, front: FrontDesk, kind: Kind) -> Department:
    departments = await front.desk.departments(kind)
    if not departments:
        await call.transfer("reception", f"no_{kind}")
    question = "choose_department" if kind == "clinic" else "choose_examination"
    department = await choose(call, question, departments, lambda one: {"department": one.names})
    await call.journal.step("department", code=department.code)
    return department


async def _book_in(
    call: Call,
    front: FrontDesk,
    patient: Patient,
    department: Department,
    urgency: Urgency,
    when_booked: WhenBooked | None,
) -> None:
    if department.needs_referral and await call.menu("have_referral", keys="12") == "2":
        await call.journal.step("no_referral", department=department.code)
        await call.say("referral_needed")
        return
    await choose_and_confirm(call, front, patient, department, urgency=urgency, when_booked=when_booked)


async def choose_and_confirm(
    call: Call,
    front: FrontDesk,
    patient: Patient,
    department: Department,
    *,
    urgency: Urgency = "routine",
    moving: Booked | None = None,
    suspended: bool = False,
    when_booked: WhenBooked | None = None,
) -> Booked | None:
    """Offers times until one is confirmed, or nobody wants one. `moving` is given up for the new one; `suspended`: it
    does not take place anyway."""
    choosing = _Choosing(call, front, patient, department, urgency, moving, suspended, when_booked)
    try:
        await choosing.hold_conversation()
    finally:
        await front.desk.release(call.id)  # what is confirmed is no longer a hold
    return choosing.booked


class _Choosing:
    """What the caller has heard and wished for while one time is looked for."""

    def __init__(
        self,
        call: Call,
        front: FrontDesk,
        patient: Patient,
        department: Department,
        urgency: Urgency,
        moving: Booked | None,
        suspended: bool,
        when_booked: WhenBooked | None,
    ) -> None:
        self._call, self._front = call, front
        self._patient, self._department, self._moving = patient, department, moving
        self._urgency, self._suspended, self._when_booked = urgency, suspended, when_booked
        self._wish = ANY_TIME
        self._suits = patient.suits
        self.booked: Booked | None = None
        self._heard: set[UUID] = set()  # and not wanted; by slot, as several doctors are free at the same time

    async def hold_conversation(self) -> None:
        call, department = self._call, self._department
        while True:
            ranked = await self._next()
            openings = ranked[:OFFERED]
            if not openings and self._wish != ANY_TIME:
                await call.say("nothing_as_wished")
                self._wish = ANY_TIME
            elif not openings and self._heard:
                if await call.menu("no_more_slots", keys="12", department=department.names) == "2":
                    await self._leave()
                    return
                self._heard.clear()
            elif not openings:
                await call.journal.step("no_openings", department=department.code)
                await call.menu("no_slots", keys="1", department=department.names)
                return
            elif await self._offer(openings, ranked[OFFERED : 2 * OFFERED]):
                return

    async def _next(self) -> list[Opening]:
        """The times to be offered: what was wished for, and what suits the patient first."""
        wishes = [self._wish]
        if self._wish.part is None and self._suits is not None:
            wishes.append(replace(self._wish, part=self._suits))
        pool = [one for wish in wishes for one in await self._free(wish)]
        prefers = wishes[-1].part
        ranked = rank(pool, self._front.zone, urgency=self._urgency, prefers=prefers)
        return [one for one in ranked if one.slot_id not in self._heard and not self._is_the_old_one(one)]

    def _is_the_old_one(self, opening: Opening) -> bool:
        """An examination that is to be moved, in another room at the same time."""
        return self._moving is not None and not self._is_visit and opening.starts_at == self._moving.starts_at

    async def _free(self, wish: Wish) -> list[Opening]:
        now, limit = self._front.now(), POOL + len(self._heard)
        return await self._front.desk.openings(self._department.code, now, after=now, limit=limit, wish=wish)

    async def _offer(self, openings: list[Opening], next_ones: list[Opening]) -> bool:
        """Whether the conversation about a time is over. `next_ones` are offered to whoever wants none of these."""
        self._call.prepare(
            Prompt("read_back", department=self._department.names),
            *(the_time(one, self._department.kind) for one in next_ones),
        )
        offered, others = "123"[: len(openings)], f"{MORE}{OTHER_WISH}"
        question = offers(openings, self._department, suiting=self._all_suit(openings))
        answer = await self._call.menu(question, keys=offered + others, reading=a_day(self._front))
        if answer in offered:
            return await self._decide(openings[int(answer) - 1])
        if answer == str(MORE):
            self._heard |= {opening.slot_id for opening in openings}
        elif answer == str(OTHER_WISH):
            with self._call.returning():
                self._now_wishes(await ask_wish(self._call, self._front, self._department, self._wish))
        else:
            self._now_wishes(await wished(self._call, self._front, self._wish, answer))
        return False

    def _now_wishes(self, wish: Wish | None) -> None:
        """None, the earliest: also those that were heard, and those at a time of day that does not usually suit."""
        if wish is None:
            self._suits = None
            self._heard.clear()
        self._wish = wish or ANY_TIME

    def _all_suit(self, openings: list[Opening]) -> bool:
        """Whether they were chosen for what is kept of the patient, rather than said in this call."""
        if self._suits is None or self._wish.part is not None:
            return False
        return all(part_of(one.starts_at, self._front.zone) == self._suits for one in openings)

    async def _decide(self, chosen: Opening) -> bool:
        call, front = self._call, self._front
        try:
            await front.desk.hold(chosen.slot_id, call.id, front.now())
        except SlotTaken:
            await call.journal.step("slot_taken", slot=str(chosen.slot_id))
            await call.say("slot_taken")
            return False
        with call.returning():
            match await call.menu(read_back(chosen, self._department, self._question), keys="123"):
                case "1":
                    return await self._confirm(chosen)
                case "2":
                    self._heard.add(chosen.slot_id)
                case "3":
                    await self._leave()
                    return True
        await front.desk.release(call.id)
        return False

    async def _confirm(self, chosen: Opening) -> bool:
        call, front = self._call, self._front
        asked = (chosen.slot_id, call.id, self._patient.id, front.now(), "ivr")
        try:
            if self._moving is None:
                booked = await front.desk.confirm(*asked)
            else:
                booked = await front.desk.reschedule(self._moving.appointment_id, *asked)
        except SlotTaken:
            await call.journal.step("hold_expired", slot=str(chosen.slot_id))
            await call.say("hold_expired")
            return False
        except NothingToMove:
            await call.journal.step("nothing_to_move")
            await call.say("nothing_to_move")
            return True
        self.booked = booked
        step = "booked" if self._moving is None else "moved"
        await call.journal.step(step, appointment=str(booked.appointment_id))
        if self._when_booked is not None:
            await self._when_booked(booked)
        await call.inform(settled(chosen, self._department, self._done))
        await say_preparation(call, front, booked)
        return True

    async def _leave(self) -> None:
        kept = "suspended_later" if self._suspended else "not_moved"
        await self._call.say("booking_not_made" if self._moving is None else kept)

    # Wording

    @property
    def _is_visit(self) -> bool:
        return self._department.kind == "clinic"

    @property
    def _question(self) -> str:
        if self._moving is not None:
            return "confirm_rebook" if self._suspended else "confirm_move"
        return "confirm_slot" if self._is_visit else "confirm_examination"

    @property
    def _done(self) -> str:
        if self._moving is not None:
            return "rebooked" if self._suspended else "moved"
        return "booked" if self._is_visit else "booked_examination"


async def say_preparation(call: Call, front: FrontDesk, booked: Booked) -> None:
    """How to prepare. What the site has no words for, a person says."""
    for code in booked.preparation:
        if f"prepare_{code}" not in front.site_says:
            await call.transfer("reception", "preparation")
        await call.inform(f"prepare_{code}")
