"""From a complaint to the department that is the place to ask, by the hospital's own table (scripts/triage.py).

No diagnosis is spoken. A red flag leads to a nurse at once; so does the urgent key, as everywhere.
"""

from ivr.call import Call, Prompt
from ivr.dialogues.booking import book
from ivr.front_desk import FrontDesk
from scripts.placeholders import Value
from scripts.triage import Department, Next, RedFlag, Step, Triage


async def find_department(call: Call, front: FrontDesk) -> None:
    """Ends with an appointment, with nothing, or with a person."""
    table = front.care.triage
    if table is None:
        await call.transfer("nurses", "no_triage")
    if not call.sayable("triage_question", call.language):
        await call.transfer("nurses", "not_recorded")  # it is about how somebody is: not to reception
    await call.say("triage_notice")
    found = await _ask_on(call, table)
    department = next((known for known in await front.desk.departments() if known.code == found.code), None)
    if department is None:
        await call.transfer("reception", "department_unknown")
    await call.journal.step("suggested", department=found.code)
    match await call.menu("triage_suggestion", keys="123", department=department.names):
        case "1":
            await book(call, front, department=department, urgency=found.urgency)
        case "2":
            await call.transfer("nurses", "after_triage")
        case "3":
            await call.say("booking_not_made")


async def _ask_on(call: Call, table: Triage) -> Department:
    """From step to step until a department; a red flag leaves by `Transferred`."""
    step = table.start
    while True:
        pressed = await _ask(call, table.steps[step])
        await call.journal.step("triage", at=step, key=pressed)
        row = next(row for row in table.steps[step].rows if row.key == pressed)
        match row.leads_to:
            case RedFlag(code):
                await call.transfer(call.house.urgent_queue, code)
            case Department() as found:
                return found
            case Next(step):
                continue


async def _ask(call: Call, step: Step) -> str:
    choices: list[dict[str, Value]] = [{"complaint": row.complaint, "key": int(row.key)} for row in step.rows]
    question = Prompt("triage_question", question=step.question, choices=choices)
    return await call.menu(question, keys="".join(row.key for row in step.rows))
