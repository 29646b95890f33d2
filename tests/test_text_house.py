"""Questions by text message in the whole house: the core asks through the file gateway, Lucía replies on her phone's
page, and from the terminal."""

import json
import os
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select

from hospital import followups, questionnaires
from hospital.booking import Appointment
from hospital.cases import Case
from hospital.outbox import OutboxRow
from hospital.patients import Patient
from hospital.text_bookings import TextBooking
from hospital.text_replies import TextReply
from hospital.text_stops import TextStop
from hospital.urgent_records import UrgentStep
from hotline import wiring
from scripts.questionnaire_files import read_source
from tests.browser import looked_at
from tests.characters import LUCIA
from tests.chromium import OpenPage
from tests.forked_house import stock
from tests.house import House

pytestmark = [pytest.mark.covers("H32"), pytest.mark.asterisk]

SURVEY = """
id: how-it-was
title: {en: How it was, es: Cómo fue}
purpose: survey
byText: true
reviewed_by: {en: null, es: null}
item:
  - linkId: staff
    type: choice
    required: true
    text: {en: How were you treated?, es: '¿Cómo le trataron?'}
    answerOption:
      - {code: well, text: {en: Well, es: Bien}}
      - {code: badly, text: {en: Badly, es: Mal}}
  - linkId: pain
    type: integer
    required: true
    minValue: 0
    maxValue: 10
    text: {en: 'Pain, 0 to 10?', es: '¿Dolor, de 0 a 10?'}
redFlag:
  - {id: severe-pain, question: pain, operator: '>=', answer: 8, text: {en: Severe pain, es: Dolor intenso}}
"""


def asks(house: House) -> UUID:
    found = read_source(SURVEY, "how-it-was")
    with house.database.transaction() as session:
        lucia = next(one for one in session.scalars(select(Patient)) if one.name == LUCIA.name)
        at = wiring.now()
        form = questionnaires.publish(session, found.id, json.loads(found.body), found.sha256, at)
        task = followups.plan(session, patient_id=lucia.id, questionnaire_id=form.id, reason="how_it_was", due_at=at)
        task.channel = "sms"
        return task.id


def answers(house: House, task: UUID) -> dict[str, object]:
    with house.database.transaction() as session:
        return followups.answers(session, task)


async def replies(page: Page, said: str) -> None:
    await page.get_by_label("Text message to the hospital").fill(said)
    await page.keyboard.press("Enter")


@pytest.mark.browser
@pytest.mark.covers("H33")
async def test_lucia_is_asked_by_text_and_answers_on_her_phone(house: House, open_page: OpenPage) -> None:
    page = await open_page()
    await page.goto(f"http://{house.address}:8000/patient-phone?as=lucia")
    came = page.get_by_role("log")
    await expect(came).to_contain_text("No text message yet")
    task = asks(house)
    await expect(came).to_contain_text("¿Cómo le trataron? 1 Bien. 2 Mal.", timeout=30_000)
    await replies(page, "1")
    await expect(came).to_contain_text("¿Dolor, de 0 a 10?", timeout=15_000)
    await looked_at(page, "patient-texts")
    await replies(page, "9")
    await expect(came).to_contain_text("una enfermera tiene que verlo enseguida", timeout=15_000)
    assert answers(house, task) == {"staff": "well", "pain": 9}
    (case,) = house.rows(Case)
    assert (case.kind, case.detail, case.caller) == ("red_flag", "severe_pain", LUCIA.numbers[0])
    await house.until("it climbs", lambda: house.rows(UrgentStep))
    await replies(page, "BAJA")
    await expect(came).to_contain_text("ya no le enviaremos mensajes", timeout=15_000)
    assert len(house.rows(TextStop)) == 1
    assert [one.fate for one in sorted(house.rows(TextReply), key=lambda one: one.came_at)] == [
        "answer",
        "red_flag",
        "stop",
    ]
    await house.until("all have left", lambda: {one.state for one in house.rows(OutboxRow)} == {"sent"})


def terminal(house: House) -> Callable[..., object]:
    """`hotline message … --as lucia`."""

    def message(*words: str) -> object:
        said = house.folder / "message.json"
        with said.open("wb") as sink:
            command = ("message", *words, "--as", "lucia", "--json")
            done = stock().hotline(command, {**os.environ, **house.environment}, sink)
        assert done.wait(30) == 0, said.read_text()
        return json.loads(said.read_text())

    return message


async def test_a_reply_from_the_terminal(house: House) -> None:
    message = terminal(house)
    done = message("ask", "flu-season")
    assert isinstance(done, dict)

    async def asked(times: int) -> None:
        await house.until("it has left", lambda: [one.state for one in house.rows(OutboxRow)] == ["sent"] * times)

    await asked(1)
    assert message("reply", "29/2/1980") == {"fate": "proof"}
    await asked(2)
    assert message("reply", "2") == {"fate": "answer"}
    assert answers(house, UUID(done["task"])) == {"vaccinated": False}
    await asked(3)
    assert message("reply", "1") == {"fate": "answer"}
    assert message("reply", "¿Están ahí?") == {"fate": "message"}
    await house.until("the answer has left", lambda: {one.state for one in house.rows(OutboxRow)} == {"sent"})
    written = message("list")
    assert isinstance(written, list)
    assert [one["text"] for one in written if not one["ours"]][-1] == "¿Están ahí?"
    assert written[-1]["ours"] and "una persona va a leerlo" in written[-1]["text"]
    with house.database.transaction() as session:
        assert session.scalars(select(Case.kind)).all() == ["message"]


@pytest.mark.browser
@pytest.mark.covers("H3", "H4")
async def test_lucia_books_an_examination_on_her_phone_and_sees_other_times_at_the_terminal(
    house: House, open_page: OpenPage
) -> None:
    message = terminal(house)
    page = await open_page()
    await page.goto(f"http://{house.address}:8000/patient-phone?as=lucia")
    came = page.get_by_role("log")
    await replies(page, "ECOGRAFÍA")
    await expect(came).to_contain_text("responda con su fecha de nacimiento", timeout=15_000)
    await replies(page, "29/2/1980")
    await expect(came).to_contain_text("una orden médica", timeout=15_000)
    await replies(page, "1")
    await expect(came).to_contain_text("3) ", timeout=15_000)
    assert message("reply", "otra hora") == {"fate": "booking"}
    await expect(came).to_contain_text("6) ", timeout=15_000)
    await replies(page, "5")
    await expect(came).to_contain_text("su cita es el", timeout=15_000)
    await expect(came).to_contain_text("Beba un litro de agua", timeout=15_000)
    await looked_at(page, "patient-books-by-text")
    (appointment,) = house.rows(Appointment)
    (booking,) = house.rows(TextBooking)
    assert (appointment.booked_via, appointment.slot_id) == ("sms", booking.offered[4])
    assert (booking.ended_by, booking.appointment_id) == ("booked", appointment.id)
    keys = [one.key for one in house.rows(OutboxRow) if one.key.startswith(("appointment", "prepare"))]
    assert sorted(keys) == ["appointment_confirmed", "prepare_bring_order", "prepare_drink_water"]
