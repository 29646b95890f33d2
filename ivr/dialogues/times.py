"""How a time is said, so that few sounds serve many calls: a time with its doctor is one sentence, the same one when it
is offered, read back, booked and heard again among one's appointments. What is said about it are sentences of their
own.

Pure: dialogues say these sentences, and `hotline/foretelling.py` has them spoken before anybody asks.
"""

from collections.abc import Sequence

from hospital.booking import Booked, Department, Opening
from ivr.turn import Prompt
from scripts.placeholders import Doctor, Value

OFFERED = 3
MORE, OTHER_WISH = 4, 5  # keys beside those of the times


def the_time(one: Opening | Booked, kind: str, **row: Value) -> Prompt:
    """A time, of a clinic with its doctor. `row`: its number among several, by which it may be chosen."""
    if kind != "clinic":
        return Prompt("time_alone", when=one.starts_at, **row)
    return Prompt("time_with_doctor", when=one.starts_at, doctor=Doctor(one.doctor, one.feminine), **row)


def offers(openings: Sequence[Opening], department: Department, *, suiting: bool = False) -> list[Prompt]:
    """The question which of these times it shall be. `suiting`: all are at the time of day that the patient has told
    us of."""
    return [
        Prompt("offer_suiting_intro" if suiting else "offer_slots_intro", department=department.names),
        *(
            prompt
            for n, one in enumerate(openings, 1)
            for prompt in (the_time(one, department.kind, n=n), Prompt("take_time", n=n))
        ),
        Prompt("more_slots", key=MORE),
        Prompt("say_wish", key=OTHER_WISH),
        Prompt("repeat_hint"),
    ]


def read_back(chosen: Opening, department: Department, question: str) -> list[Prompt]:
    return [Prompt("read_back", department=department.names), the_time(chosen, department.kind), Prompt(question)]


def settled(chosen: Opening, department: Department, how: str) -> list[Prompt]:
    """What was done, for when, and that it comes in writing."""
    return [Prompt(how), the_time(chosen, department.kind), Prompt("text_follows")]


def appointment(booked: Booked) -> list[Prompt]:
    return [Prompt("appointment_item", department=booked.department_names), the_time(booked, booked.kind)]
