"""The hotline has called, and somebody has answered: who is it, is it a good moment, and what it is about.

Rules: before identity is proved nothing is said but the hospital's name and a first name. Whoever does not want to be
called is asked nothing more, and is not called for this purpose again. Silence hears the hospital's name and a number
to call, never anything more; a slow person may still press a key after it. So does a machine after its beep, where a
message may be left on that number; elsewhere, and to a fax, nothing is said. What came of it is written down before
goodbye is said; whoever hangs up is tried again as the rules for it say.

A kind of contact that calls for itself is a line in `SUBJECTS`: an `async def` that is given the proved call.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from hospital import agentless, attempts, consents, subjects
from hospital.agentless import Contact
from ivr.call import Call, Key, Keys, NoAnswer, Prompt, Transferred
from ivr.dialogues.identity import prove
from ivr.dialogues.language import speak
from ivr.dialogues.reminding import remind
from ivr.dialogues.survey import survey
from ivr.dialogues.suspended import tell_first
from ivr.front_desk import FrontDesk
from ivr.leaving import NotAPerson

Subject = Callable[[Call, FrontDesk, Contact], Awaitable[str | None]]
"""Speaks with the patient (or their guardian), whose identity is proved; returns the contact result, None where it has
written it down before its own last word."""

LATE_KEY_S = 8.0  # after the neutral message
LISTENING_KEY_S = 2.0  # after the same on a machine: whoever is at home and has listened to it may pick up
AGAIN = {"1": timedelta(hours=2), "2": timedelta(days=1)}


async def _suspended(call: Call, front: FrontDesk, contact: Contact) -> str | None:
    """It was told first; here is nothing left to say."""
    return "completed"


async def _asked(call: Call, front: FrontDesk, contact: Contact) -> str | None:
    completed = partial(_note, call, front, contact, "completed")
    whole = await survey(call, front, contact.task_id, contact.attempt_id, when_answered=completed)
    return None if whole else "partial"


async def _reminded(call: Call, front: FrontDesk, contact: Contact) -> str | None:
    await remind(call, front, contact.task_id, contact.patient)
    return "completed"


SUBJECTS: Mapping[str, Subject] = {"suspension": _suspended, "follow_up": _asked, "reminder": _reminded}


async def outgoing(call: Call, front: FrontDesk) -> None:
    """A call of ours was answered. Says nothing where it has become unwanted while it rang."""
    contact = await front.database.run(agentless.answered, call.id, front.now(), front.policy)
    if contact is None:
        await call.journal.step("nothing_said")
        return
    try:
        await _speak_with(call, front, contact)
    except Transferred:
        if not await front.database.run(agentless.is_noted, contact.attempt_id):  # else it was about the last words
            told = await front.database.run(subjects.is_settled, contact.task_id, front.now())
            await _note(call, front, contact, "completed" if told else "partial")
        raise


async def _speak_with(call: Call, front: FrontDesk, contact: Contact) -> None:
    await speak(call, front, contact.language)
    match await _reach(call, front, contact):
        case "1":
            await _about_it(call, front, contact)
        case "2":
            await _later(call, front, contact)
        case "3":
            await _note(call, front, contact, "wrong_person")
            await call.inform("outgoing_wrong_number")
        case "4":
            await _stop(call, front, contact)


async def _reach(call: Call, front: FrontDesk, contact: Contact) -> str | None:
    """Which key a person has pressed; None: there is none, and what there is to say was said."""
    call.line.attend(until_beep=contact.may_leave_message)
    answered: NotAPerson | None = None
    pressed: str | None = None
    try:
        pressed = await _greet(call, contact)
    except NotAPerson as other:
        answered = other
    finally:
        await _picked_up(call, front, contact, answered)  # a machine that hangs up meanwhile is one, too
    if answered is not None:
        return await _leave_message(call, front, contact) if answered.hears else None
    if pressed is None:
        await _note(call, front, contact, "left_message")
    return pressed


async def _picked_up(call: Call, front: FrontDesk, contact: Contact, answered: NotAPerson | None) -> None:
    told = call.line.attended()
    if told is not None:
        await call.journal.step("picked_up", **told.facts())
    who = answered.who if answered is not None else told.who if told is not None and told.sure else None
    if who is not None:
        await front.database.run(agentless.heard, contact.attempt_id, who)


async def _leave_message(call: Call, front: FrontDesk, contact: Contact) -> str | None:
    """On a machine; somebody who presses a key meanwhile is a person after all."""
    heard = await call.play(Prompt("outgoing_neutral"), Keys("1234", wait_s=LISTENING_KEY_S))
    if not isinstance(heard, Key):
        await _note(call, front, contact, "left_message")
        return None
    call.line.forget_keys()
    await front.database.run(agentless.heard, contact.attempt_id, None)
    pressed = await _greet(call, contact)
    if pressed is None:
        await _note(call, front, contact, "left_message")
    return pressed


async def _greet(call: Call, contact: Contact) -> str | None:
    """Which key was pressed; None: nobody is there, and the neutral message was said."""
    question = greeting(contact.person.name)
    for _ in range(2):
        try:
            pressed = await call.menu(question, keys="1234")
        except NoAnswer:
            heard = await call.play(Prompt("outgoing_neutral"), Keys("1234", wait_s=LATE_KEY_S))
            if not isinstance(heard, Key):
                break
            call.line.forget_keys()  # somebody is there after all, and hears the question again
            await call.line.somebody_is_there()
        except Transferred:
            await call.line.somebody_is_there()
            raise
        else:
            await call.line.somebody_is_there()
            return pressed
    return None


def greeting(name: str) -> Prompt:
    return Prompt("outgoing_greeting", given_name=name.split()[0])


async def _about_it(call: Call, front: FrontDesk, contact: Contact) -> None:
    await call.say("outgoing_identify")
    await prove(call, front, contact.person, contact.patient)
    await tell_first(call, front, contact.patient)
    result = await SUBJECTS[contact.kind](call, front, contact)
    if result is not None:
        await _note(call, front, contact, result)
    await call.say("outgoing_goodbye")


async def _later(call: Call, front: FrontDesk, contact: Contact) -> None:
    try:
        span = AGAIN[await call.menu("outgoing_when", keys="12")]
    except NoAnswer:
        span = AGAIN["1"]
    await _note(call, front, contact, "call_later", front.now() + span)
    await call.inform("outgoing_later")


async def _stop(call: Call, front: FrontDesk, contact: Contact) -> None:
    if contact.purpose in consents.PURPOSES:
        run, at = front.database.run, front.now()
        about, said_by = contact.patient.id, contact.person.id
        await run(consents.tell, about, said_by, contact.purpose, False, at, call_id=call.id)
        await call.journal.step("consent", purpose=contact.purpose, given=False)
    await _note(call, front, contact, "refused")
    await call.inform("outgoing_stopped")


async def _note(call: Call, front: FrontDesk, contact: Contact, result: str, call_at: datetime | None = None) -> None:
    run, at = front.database.run, front.now()
    await run(attempts.contact_result, contact.attempt_id, result, at, front.policy, call_at=call_at)
    await call.journal.step("contact_result", result=result)
