"""The demo's hospital: people, clinics with free times, follow-up tasks that are due. All of it is made up.

Made at each start and only what is missing, so that a second start finds the first one's bookings.
"""

import json
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hospital import accounts, followups, patients, questionnaires
from hospital.accounts import Account
from hospital.booking import Department, Doctor, Slot
from hospital.patients import Patient, Stay, Visit
from hotline import numbering
from scripts.questionnaire_files import load_questionnaires

PASSWORDS = {name: f"{name}-at-the-demo" for name in ("tom", "ana", "grace", "oscar")}
"""The demo lives on loopback only; its sign-ins are printed and shown."""
ROLES = {"tom": "agent", "ana": "nurse", "grace": "supervisor", "oscar": "none"}
SECOND_NUMBERS: dict[str, tuple[str, ...]] = {"mei": ("+8613055550113",), "joao": ("+5511955550114",)}
STORIES = {
    "lucia": "Lucía wants an appointment in cardiology. Born 29 February 1980.",
    "wiremu": "Wiremu wants the same appointment. Born 1 June 1952.",
    "mei": "Mei is due for a follow-up call. Born 8 November 1991.",
    "joao": "João went home three days ago and is due for a follow-up call. Born 24 December 1966.",
    "ruth": "Ruth went home three days ago and is often out. Born 17 March 1944.",
}
BIRTHS = {
    "lucia": date(1980, 2, 29),
    "wiremu": date(1952, 6, 1),
    "mei": date(1991, 11, 8),
    "joao": date(1966, 12, 24),
    "ruth": date(1944, 3, 17),
}
NAMES = {
    "lucia": "Lucía Fernández",
    "wiremu": "Wiremu Tāmati",
    "mei": "Mei Chen",
    "joao": "João Souza",
    "ruth": "Ruth Miller",
}
SEXES = {"lucia": "female", "wiremu": "male", "mei": "female", "joao": "male", "ruth": "female"}
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
DOCTORS = (
    ("cardiology", "Vega", True),
    ("cardiology", "Molina", False),
    ("paediatrics", "Rangi", True),
    ("general", "Okafor", False),
)
CLINIC = (time(9, 20), time(10, 0), time(10, 40), time(14, 20), time(15, 0))
DISCHARGED = ("joao", "mei", "ruth")


def load_scripts(session: Session, at: datetime) -> list[str]:
    """Publish the questionnaires of `scripts/` that are new; what is wrong with the others."""
    found, problems = load_questionnaires()
    for code, questionnaire in found.items():
        questionnaires.publish(session, code, json.loads(questionnaire.body), questionnaire.sha256, at)
    return [str(problem) for problem in problems]


def is_demo(session: Session) -> bool | None:
    """What this database is; None for a new one."""
    kind = session.scalar(text("SELECT value FROM fact WHERE key = 'kind'"))
    return None if kind is None else kind == "demo"


def mark(session: Session, demo: bool) -> None:
    session.execute(
        text("INSERT INTO fact VALUES ('kind', :kind) ON CONFLICT DO NOTHING"), {"kind": "demo" if demo else "real"}
    )


def people(session: Session, sip: dict[str, str], zone: ZoneInfo, at: datetime) -> None:
    """Whatever of the demo is missing."""
    mark(session, demo=True)
    staff = _staff(session, sip)
    if not session.scalar(select(func.count()).select_from(Department)):
        _clinics(session)
    _slots(session, zone, at)
    if not session.scalar(select(func.count()).select_from(Patient)):
        _patients(session, zone, at, staff["ana"].id)


def _staff(session: Session, sip: dict[str, str]) -> dict[str, Account]:
    there = {account.username: account for account in accounts.staff(session)}
    for person in numbering.DEMO_STAFF:
        if person.username in there:
            there[person.username].sip_secret = sip[person.username]
            continue
        there[person.username] = accounts.create(
            session,
            username=person.username,
            display_name=person.person.partition(" (")[0],
            role=ROLES[person.username],
            password=PASSWORDS[person.username],
            sip_username=person.username,
            sip_secret=sip[person.username],
            languages=["en", "es"],
        )
    return there


def _clinics(session: Session) -> None:
    made = {
        code: Department(code=code, names=names, position=position)
        for position, (code, names) in enumerate(DEPARTMENTS, 1)
    }
    session.add_all(made.values())
    session.flush()
    session.add_all(
        Doctor(department_id=made[code].id, name=name, feminine=feminine) for code, name, feminine in DOCTORS
    )
    session.flush()


def _slots(session: Session, zone: ZoneInfo, at: datetime) -> None:
    """Two weeks of clinics from tomorrow on."""
    there = {(doctor_id, at) for doctor_id, at in session.execute(select(Slot.doctor_id, Slot.starts_at))}
    today = at.astimezone(zone).date()
    for doctor in session.scalars(select(Doctor).order_by(Doctor.name)):
        for day in (today + timedelta(days=n) for n in range(1, 15)):
            if day.weekday() >= 5:
                continue
            for hour in CLINIC:
                starts_at = datetime.combine(day, hour, tzinfo=zone)
                if (doctor.id, starts_at) not in there:
                    session.add(Slot(doctor_id=doctor.id, starts_at=starts_at))
    session.flush()


def _patients(session: Session, zone: ZoneInfo, at: datetime, nurse_id: UUID) -> None:
    questionnaire = questionnaires.newest(session, "discharge-day3")
    if questionnaire is None:
        raise RuntimeError("scripts/questionnaires/discharge_day3.yaml was not loaded; the log says why")
    for person in numbering.DEMO_PATIENTS:
        key = person.username
        patient = patients.register(
            session,
            name=NAMES[key],
            birth=BIRTHS[key],
            language=person.language,
            numbers=[person.number, *SECOND_NUMBERS.get(key, ())],
            identifiers={"record": f"D-{person.extension}"},
            sex=SEXES[key],
        )
        session.add(
            Visit(
                patient_id=patient.id,
                at=at - timedelta(days=90),
                department="cardiology",
                doctor="Vega",
                reason="check-up",
                diagnosis="hypertension",
            )
        )
        if key in DISCHARGED:
            home = datetime.combine(at.astimezone(zone).date() - timedelta(days=3), time(11), tzinfo=zone)
            stay = Stay(
                patient_id=patient.id,
                ward="surgery 2",
                admitted_at=home - timedelta(days=4),
                discharged_at=home,
                diagnosis="appendectomy",
            )
            session.add(stay)
            session.flush()
            followups.plan(
                session,
                patient_id=patient.id,
                questionnaire_id=questionnaire.id,
                reason="discharge_day_3",
                due_at=min(at, home + timedelta(days=3)),
                stay_id=stay.id,
                owner_id=nurse_id if key == "joao" else None,
            )
