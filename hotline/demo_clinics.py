"""The demo's clinics and examinations: departments, doctors and rooms, and two weeks of free times. All of it is made
up."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital.booking import Department, Doctor, Slot
from scripts import library

DEPARTMENTS = (
    (
        "cardiology",
        {"es": "cardiología", "en": "cardiology", "pt-BR": "cardiologia", "zh-CN": "心内科", "mi": "manawa"},
    ),
    ("paediatrics", {"es": "pediatría", "en": "paediatrics", "pt-BR": "pediatria", "zh-CN": "儿科", "mi": "tamariki"}),
    (
        "general",
        {
            "es": "medicina general",
            "en": "general medicine",
            "pt-BR": "clínica geral",
            "zh-CN": "全科",
            "mi": "rata whānau",
        },
    ),
)
EXAMINATIONS: tuple[tuple[str, dict[str, str], bool, list[str]], ...] = (
    (
        "ultrasound",
        {"es": "ecografía", "en": "ultrasound", "pt-BR": "ultrassom", "zh-CN": "超声检查", "mi": "oro ikeike"},
        True,
        ["drink_water", "bring_order"],
    ),
    (
        "xray",
        {"es": "radiografía", "en": "X-ray", "pt-BR": "raio X", "zh-CN": "X光检查", "mi": "whakaata roto"},
        True,
        ["no_metal", "bring_order"],
    ),
    (
        "blood",
        {
            "es": "análisis de sangre",
            "en": "blood test",
            "pt-BR": "exame de sangue",
            "zh-CN": "验血",
            "mi": "whakamātautau toto",
        },
        False,
        ["fasting"],
    ),
)
"""Code, names, whether a doctor's order is needed, how to prepare."""
ROOMS = (("ultrasound", "room 1"), ("xray", "room 2"), ("blood", "chair 1"), ("blood", "chair 2"))
DOCTORS = (
    ("cardiology", "Vega", True),
    ("cardiology", "Molina", False),
    ("paediatrics", "Rangi", True),
    ("general", "Okafor", False),
)
CLINIC = (time(9, 20), time(10, 0), time(10, 40), time(14, 20), time(15, 0))
EXAMINED = (time(7, 0), time(7, 40), time(8, 20), time(13, 0))


def open_clinics(session: Session, zone: ZoneInfo, at: datetime) -> None:
    """Whatever of it is missing."""
    if not session.scalar(select(func.count()).select_from(Department)):
        _clinics(session)
    _slots(session, zone, at)


def _clinics(session: Session) -> None:
    made = {
        code: Department(code=code, names=library.in_all(names), position=position)
        for position, (code, names) in enumerate(DEPARTMENTS, 1)
    }
    for position, (code, names, needs_referral, preparation) in enumerate(EXAMINATIONS, 1):
        made[code] = Department(
            code=code,
            names=library.in_all(names),
            position=position,
            kind="examination",
            needs_referral=needs_referral,
            preparation=preparation,
        )
    session.add_all(made.values())
    session.flush()
    owners = (*DOCTORS, *((code, room, False) for code, room in ROOMS))
    session.add_all(
        Doctor(department_id=made[code].id, name=name, feminine=feminine) for code, name, feminine in owners
    )
    session.flush()


def _slots(session: Session, zone: ZoneInfo, at: datetime) -> None:
    """Two weeks of clinics from tomorrow on."""
    there = {(doctor_id, at) for doctor_id, at in session.execute(select(Slot.doctor_id, Slot.starts_at))}
    today = at.astimezone(zone).date()
    owners = select(Doctor, Department.kind).join(Department, Department.id == Doctor.department_id)
    for doctor, kind in session.execute(owners.order_by(Doctor.name)):
        for day in (today + timedelta(days=n) for n in range(1, 15)):
            if day.weekday() >= 5:
                continue
            for hour in CLINIC if kind == "clinic" else EXAMINED:
                starts_at = datetime.combine(day, hour, tzinfo=zone)
                if (doctor.id, starts_at) not in there:
                    session.add(Slot(doctor_id=doctor.id, starts_at=starts_at))
    session.flush()
