"""The demo's hospital: people, clinics with free times, follow-up tasks that are due. All of it is made up.

Made at each start and only what is missing, so that a second start finds the first one's bookings.
"""

import json
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from hospital import accounts, followups, identifiers, patients, questionnaires, results
from hospital.accounts import Account
from hospital.booking import Department
from hospital.followups import FollowUpTask
from hospital.patients import Patient, Stay, Visit
from hotline import demo_clinics, numbering
from scripts.questionnaire_files import load_questionnaires

PASSWORDS = {name: f"{name}-at-the-demo" for name in ("tom", "ana", "grace", "dora", "ida", "oscar")}
"""The demo lives on loopback only; its sign-ins are printed and shown."""
KEPT = {
    "tom": "$argon2id$v=19$m=65536,t=3,p=4$l9jPcyGpZYCItkA/AFeApA$iH9x2io3NpX7iBu72BHowuCKNr/Vdu0QXcVuHblL1VA",
    "ana": "$argon2id$v=19$m=65536,t=3,p=4$+2rB1oCMa/f3rkLf23Y14Q$fMSTTDctiHu8xsFYIYw6JZ2wgizOCMtAAlPZpfBQfOg",
    "grace": "$argon2id$v=19$m=65536,t=3,p=4$ABZqrpSG34tJLCfgFlFQ/A$hcCpJCHQWNMa5DZ5+wCEcxjj7EknYHINbLc0xQTlTE4",
    "dora": "$argon2id$v=19$m=65536,t=3,p=4$DYodJKXQIlejgZzSbInRgA$rBwIvEEdP4ei5PHREXvNnzjTx0tQLpLeErXlPb70c98",
    "ida": "$argon2id$v=19$m=65536,t=3,p=4$rMxrBOEXIMTVfCG7pm0O9A$v6Vk24EepWkXvZUBTdejolyG7Wg0zcgp2hKVJ0M9gJA",
    "oscar": "$argon2id$v=19$m=65536,t=3,p=4$AmiD/wIKowGH4lvzuWMSfA$uMLCCEguaRc+wAqTN44u1fY/uMn4LSs/sDSGpp/yPaQ",
}
"""Each as it is kept. To hash them takes a second of processor, which a first start has better use for."""
ROLES = {"tom": "agent", "ana": "nurse", "grace": "supervisor", "oscar": "none"}
WITHOUT_TELEPHONE = {"ida": "administrator", "dora": "doctor"}
SECOND_NUMBERS: dict[str, tuple[str, ...]] = {"mei": ("+8613055550113",), "joao": ("+5511955550114",)}
STORIES = {
    "lucia": "Lucía wants an appointment in cardiology. When she has one, Grace can suspend that clinic, and this phone"
    " rings. Born 29 February 1980.",
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
IDENTIFIERS: dict[str, dict[str, str]] = {
    "lucia": {"curp": "FEXL800229MDFRXC06"},
    "wiremu": {"nhi": "ZAC5361"},
    "mei": {"cn_id": "11010519911108002X", "card": "40718"},
    "joao": {"cpf": "01234567890"},
    "ruth": {"id_card": "1170344"},
}
RESULTS = (("lucia", "blood", 9, "ready"), ("lucia", "ultrasound", 1, "pending"), ("ruth", "xray", 4, "doctor_calls"))
"""Whose, of what, how many days ago, and how it stands."""
DISCHARGED = ("joao", "mei", "ruth")
HOW_IT_WAS = "after_visit_rating"


def load_scripts(session: Session, at: datetime) -> list[str]:
    """Publish the questionnaires of `scripts/` that are new; what is wrong with the others."""
    found, problems = load_questionnaires()
    for code, questionnaire in found.items():
        questionnaires.load(session, code, json.loads(questionnaire.body), questionnaire.sha256, at)
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
    demo_clinics.open_clinics(session, zone, at)
    if not session.scalar(select(func.count()).select_from(Patient)):
        _patients(session, zone, at)
    _follow_up(session, at, staff["ana"].id)


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
            kept=KEPT[person.username],
            sip_username=person.username,
            sip_secret=sip[person.username],
            languages=["en", "es"],
        )
    for name, role in WITHOUT_TELEPHONE.items():
        if name not in there:
            there[name] = accounts.create(
                session,
                username=name,
                display_name=name.title(),
                role=role,
                password=PASSWORDS[name],
                kept=KEPT[name],
            )
    return there


def _patients(session: Session, zone: ZoneInfo, at: datetime) -> None:
    for person in numbering.DEMO_PATIENTS:
        key = person.username
        patient = patients.register(
            session,
            name=NAMES[key],
            birth=BIRTHS[key],
            language=person.language,
            numbers=[person.number, *SECOND_NUMBERS.get(key, ())],
            identifiers={"record": f"D-{person.extension}", **IDENTIFIERS[key]},
            sex=SEXES[key],
        )
        _results(session, key, patient.id, at)
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
            session.add(
                Stay(
                    patient_id=patient.id,
                    ward="surgery 2",
                    admitted_at=home - timedelta(days=4),
                    discharged_at=home,
                    diagnosis="appendectomy",
                )
            )
    _family(session)


def _follow_up(session: Session, at: datetime, nurse_id: UUID) -> None:
    """Calls to who went home, once: at a later start, where the questionnaire's file was left out at the first."""
    planned = session.scalar(select(FollowUpTask.id).where(FollowUpTask.reason == "discharge_day_3"))
    questionnaire = questionnaires.newest(session, "discharge-day3")
    if planned is not None or questionnaire is None:
        return
    for key in DISCHARGED:
        number = next(one.number for one in numbering.DEMO_PATIENTS if one.username == key)
        found = patients.candidates(session, number)
        stay = session.scalar(select(Stay).where(Stay.patient_id == found[0].patient.id)) if found else None
        if stay is None or stay.discharged_at is None:
            continue  # somebody has changed what the demo began with
        followups.plan(
            session,
            patient_id=stay.patient_id,
            questionnaire_id=questionnaire.id,
            reason="discharge_day_3",
            due_at=min(at, stay.discharged_at + timedelta(days=3)),
            stay_id=stay.id,
            owner_id=nurse_id if key == "joao" else None,
        )


def ask_how_it_was(session: Session, at: datetime) -> None:
    """Ruth gets a text message with a link, once: a newcomer opens it."""
    if session.scalar(select(FollowUpTask.id).where(FollowUpTask.reason == HOW_IT_WAS)) is not None:
        return
    number = next(one.number for one in numbering.DEMO_PATIENTS if one.username == "ruth")
    ruth = patients.candidates(session, number)
    questionnaire = questionnaires.newest(session, "satisfaction")
    if not ruth or questionnaire is None:
        return  # somebody has changed what the demo began with
    task = followups.plan(
        session,
        patient_id=ruth[0].patient.id,
        questionnaire_id=questionnaire.id,
        reason=HOW_IT_WAS,
        due_at=at,
        due_until=at + timedelta(days=14),
    )
    task.channel = "sms"


def _results(session: Session, key: str, patient_id: UUID, at: datetime) -> None:
    codes = dict(session.execute(select(Department.code, Department.id)).all())
    for whose, code, days_ago, state in RESULTS:
        if whose == key:
            taken_at = at - timedelta(days=days_ago)
            status = results.expect(session, patient_id, codes[code], taken_at)
            if state != "pending":
                results.settle(session, status.id, state, taken_at + timedelta(hours=8))


def _family(session: Session) -> None:
    """Whoever calls from the softphone: a mother who may speak for her child, and has a PIN."""
    mother = patients.register(
        session,
        name="Sofía Vargas",
        birth=date(1989, 9, 14),
        language="es",
        numbers=[numbering.SOFTPHONE.number],
        identifiers={"id_card": "52840611"},
        sex="female",
    )
    identifiers.set_pin(mother, "4711")
    child = patients.register(
        session, name="Mateo Vargas", birth=date(2018, 5, 4), language="es", numbers=[], sex="male"
    )
    child.guardian_id = mother.id
    session.flush()
