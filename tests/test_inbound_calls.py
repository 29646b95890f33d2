"""Patients call 600: real phones, the real Asterisk, the whole house."""

import pytest

from hospital import outbox
from hospital.booking import OwnDesk
from hotline import wiring
from tests.characters import LUCIA
from tests.house import House

pytestmark = pytest.mark.asterisk


@pytest.mark.covers("H2", "H4", "H5", "I1", "I2")
async def test_lucia_books_in_spanish(house: House) -> None:
    free = await OwnDesk(house.database).openings("cardiology", wiring.now(), after=wiring.now(), limit=2)
    second = free[1]
    doctor = wiring.verbalise.doctor(second.doctor, second.feminine, "es")
    async with house.phone("lucia") as phone:
        await phone.dials("600")
        await phone.hears(await house.sound("welcome", "es"))
        await phone.presses("2")  # español
        await phone.hears(await house.sound("main_menu", "es"))
        await phone.presses("1")  # pedir una cita
        await phone.hears(await house.sound("ask_birth_date", "es"))
        await phone.presses(LUCIA.birth_keys)
        await phone.hears(await house.sound("recognised", "es", given_name="Lucía"))
        await phone.presses("1")  # cardiología
        await phone.hears(await house.sound("offer_slot", "es", n=2, when=second.starts_at, doctor=doctor), within=30)
        await phone.presses("2")
        await phone.hears(
            await house.sound("confirm_slot", "es", department="cardiología", when=second.starts_at, doctor=doctor)
        )
        await phone.presses("1")
        await phone.hears(await house.sound("booked", "es", when=second.starts_at, doctor=doctor))
        await phone.hangs_up()
    local = second.starts_at.astimezone(wiring.zone(house.settings)).strftime("%Y-%m-%d %H:%M")
    assert house.appointments(of="lucia") == [("cardiology", second.doctor, local)]
    left = await OwnDesk(house.database).openings("cardiology", wiring.now(), after=wiring.now(), limit=100)
    assert second.slot_id not in {opening.slot_id for opening in left}
    with house.database.transaction() as session:
        message = session.query(outbox.OutboxRow).one()
        assert (message.key, message.locale, message.number) == ("appointment_confirmed", "es", LUCIA.numbers[0])
    await house.no_channels()
