"""A hospital's information system as a `BookingDesk`: in memory, with ids of its own, and with the bad days of such
systems. It knows nothing of the hotline's tables."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from hospital.booking import ANY_TIME, Booked, Department, Doctor, Kind, NothingToMove, Opening, SlotTaken, Wish
from hospital.wishes import part_of
from tests.moments import NOON, ZONE

SPACE = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
NAMES = {"en": "dermatology", "es": "dermatología", "pt-BR": "dermatologia", "zh-CN": "皮肤科", "mi": "mate kiri"}
DOCTOR = "Okafor"


@dataclass
class ForeignDesk:
    """One department with one doctor and four times, from tomorrow. `raises`: by method, what it raises before it does
    anything; `breaks_off`: the methods whose answer is lost when all is done; `slow`: by method, seconds; `before`:
    what happens elsewhere before a method is asked for the first time."""

    raises: dict[str, Exception] = field(default_factory=dict)
    breaks_off: set[str] = field(default_factory=set)
    slow: dict[str, float] = field(default_factory=dict)
    before: dict[str, Callable[["ForeignDesk"], None]] = field(default_factory=dict)
    held: dict[UUID, str] = field(default_factory=dict)
    booked: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)
    """Appointment → its slot and patient."""

    def __post_init__(self) -> None:
        first = datetime(2026, 11, 26, 14, 20, tzinfo=ZONE)
        starts = [first + timedelta(minutes=40 * n) for n in range(4)]
        self.slots = {uuid5(SPACE, str(start)): start for start in starts}

    async def departments(self, kind: Kind = "clinic") -> list[Department]:
        await self._asked("departments")
        made = Department(code="derm", names=NAMES, position=1, kind="clinic", needs_referral=False, preparation=[])
        return [made] if kind == "clinic" else []

    async def doctors(self, department_code: str) -> list[Doctor]:
        await self._asked("doctors")
        return [Doctor(id=uuid5(SPACE, DOCTOR), name=DOCTOR, feminine=True)]

    async def openings(
        self, department_code: str, at: datetime, *, after: datetime, limit: int, wish: Wish = ANY_TIME
    ) -> list[Opening]:
        await self._asked("openings")
        gone = {*self.held, *(slot for slot, _ in self.booked.values())}
        free = [self._opening(slot) for slot, start in self.slots.items() if slot not in gone and start > after]
        return [one for one in free if wish.part in (None, part_of(one.starts_at, ZONE))][:limit]

    async def hold(self, slot_id: UUID, holder: str, at: datetime) -> None:
        await self._asked("hold")
        if self.held.get(slot_id, holder) != holder or any(slot == slot_id for slot, _ in self.booked.values()):
            raise SlotTaken
        self.held[slot_id] = holder
        await self._answers("hold")

    async def release(self, holder: str) -> None:
        await self._asked("release")
        self.held = {slot: by for slot, by in self.held.items() if by != holder}

    async def confirm(self, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str) -> Booked:
        await self._asked("confirm")
        if self.held.get(slot_id) != holder:
            raise SlotTaken
        made = uuid5(slot_id, str(patient_id))
        self.booked[made] = (slot_id, patient_id)
        del self.held[slot_id]
        await self._answers("confirm")
        return self._told(made)

    async def appointments(self, patient_id: UUID, at: datetime) -> list[Booked]:
        await self._asked("appointments")
        return [self._told(made) for made, (_, whose) in self.booked.items() if whose == patient_id]

    async def cancel(self, appointment_id: UUID, patient_id: UUID, at: datetime) -> bool:
        await self._asked("cancel")
        done = self.booked.pop(appointment_id, None) is not None
        await self._answers("cancel")
        return done

    async def reschedule(
        self, appointment_id: UUID, slot_id: UUID, holder: str, patient_id: UUID, at: datetime, via: str
    ) -> Booked:
        await self._asked("reschedule")
        if appointment_id not in self.booked:
            raise NothingToMove
        moved = await self.confirm(slot_id, holder, patient_id, at, via)
        del self.booked[appointment_id]
        return moved

    def somebody_takes_all_held(self) -> None:
        self.held = dict.fromkeys(self.held, "somebody")

    def somebody_takes_the_first(self) -> None:
        self.held[next(iter(self.slots))] = "somebody"

    async def _asked(self, method: str) -> None:
        if (happens := self.before.pop(method, None)) is not None:
            happens(self)
        await asyncio.sleep(self.slow.get(method, 0))
        if method in self.raises:
            raise self.raises[method]

    async def _answers(self, method: str) -> None:
        if method in self.breaks_off:
            raise ConnectionResetError("of Lucía Fernández")

    def _opening(self, slot: UUID) -> Opening:
        return Opening(slot, self.slots[slot], DOCTOR, True, "derm", NAMES)

    def _told(self, made: UUID) -> Booked:
        start = self.slots[self.booked[made][0]]
        assert start > NOON
        return Booked(made, start, DOCTOR, True, "derm", NAMES)
