"""Lists of discharges: a thousand rows over a holiday, wrong rows told without what stood in them, odd encodings."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import discharges, questionnaires
from hospital.calendars import Calendar
from hospital.csv_files import ListRefused, Rejected
from hospital.database import Database
from hospital.discharge_lists import Happened, Rules, read
from hospital.enrolment_records import CareEvent, Enrolment
from hospital.followups import FollowUpTask
from hospital.patients import Patient
from hospital.plans import Plan, Rule, Step
from scripts.languages import TAGS
from scripts.plan_files import load_plans
from scripts.questionnaire_files import load_questionnaires
from scripts.vocabulary import list_words
from tests.moments import ZONE

pytestmark = pytest.mark.covers("H20")
T = TypeVar("T")

NOW = datetime(2026, 12, 7, 18, 0, tzinfo=ZONE)  # a Monday; Tuesday the 8th is a holiday in Colombia
RULES = Rules(ZONE, "CO", "es", NOW, TAGS, list_words())
SITE = Calendar(ZONE, "CO")
HEADING = "event,record,name,birth,sex,language,phone,phone2,discharged,ward,diagnosis,study\n"
ROW = "E{n},R{n},Paciente {n},1980-02-29,f,es,30155{n:05},,2026-12-04 11:00,cirugía 2,K35,\n"
CANARY = "Zacarías Zamudio"


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


def in_one(database: Database) -> Callable[[Callable[[Session], T]], T]:
    def run_in(verb: Callable[[Session], T]) -> T:
        with database.transaction() as session:
            return verb(session)

    return run_in


def test_an_address_is_kept_in_lines(database: Database, tmp_path: Path) -> None:
    rows = ["Calle 5; Bogotá ;", '"Calle 6\nCali"', ""]
    text = HEADING.replace("study", "Dirección") + "".join(ROW.format(n=n)[:-1] + a + "\n" for n, a in enumerate(rows))
    discharges.take_over(read(written(tmp_path, text), RULES), [], NOW, SITE, in_one(database))
    with database.transaction() as session:
        kept = {one.name[-1]: one.address for one in session.scalars(select(Patient))}
    assert kept == {"0": "Calle 5\nBogotá", "1": "Calle 6\nCali", "2": None}


def test_a_thousand_discharges_over_a_holiday_once(database: Database, tmp_path: Path) -> None:
    plans, _ = load_plans(load_questionnaires()[0])
    only = [plans["discharge"]]
    with database.transaction() as session:
        questionnaires.publish(session, "discharge-day3", {"purpose": "follow-up"}, "sha-1", NOW)
    path = written(tmp_path, HEADING + "".join(ROW.format(n=n) for n in range(1000)))

    looked = discharges.preview(read(path, RULES), in_one(database))
    assert (looked.rows, looked.new, looked.known, looked.registered, looked.refused) == (1000, 1000, 0, 1000, 0)
    taken = discharges.take_over(read(path, RULES), only, NOW, SITE, in_one(database))
    assert (taken.new, taken.registered, taken.tasks) == (1000, 1000, 1000 * len(only[0].steps))
    again = discharges.take_over(read(path, RULES), only, NOW, SITE, in_one(database))
    assert (again.new, again.known, again.registered, again.tasks) == (0, 1000, 0, 0)

    with database.transaction() as session:
        counted = session.execute(
            select(FollowUpTask.step, func.min(FollowUpTask.due_at), func.max(FollowUpTask.due_until), func.count())
            .group_by(FollowUpTask.step)
            .order_by(FollowUpTask.step)
        ).all()
        assert session.scalar(select(func.count()).select_from(Patient)) == 1000
    day_3 = next(row for row in counted if row[0] == "day-3")
    assert day_3[1] == datetime(2026, 12, 7, 9, tzinfo=ZONE), "Friday and three days"
    assert day_3[2] == datetime(2026, 12, 11, tzinfo=ZONE), "two business days after it: the 8th is none"
    assert {row[3] for row in counted} == {1000}


@pytest.mark.covers("H22")
def test_the_column_study_enrols_by_study(database: Database, tmp_path: Path) -> None:
    """Two of three are in the study; its plan is theirs alone, and the study stays with what they are called for."""
    step = Step("week", 7, "discharge-day3")
    stones = Plan("stones", {"en": "Stones"}, "discharge", Rule(studies=frozenset({"stones-2"})), (step,))
    with database.transaction() as session:
        questionnaires.publish(session, "discharge-day3", {"purpose": "follow-up"}, "sha-1", NOW)
    rows = "".join(ROW.format(n=n)[:-1] + f"{study}\n" for n, study in enumerate(("stones-2", "", " stones-2 ")))
    taken = discharges.take_over(read(written(tmp_path, HEADING + rows), RULES), [stones], NOW, SITE, in_one(database))
    assert (taken.new, taken.tasks) == (3, 2)
    with database.transaction() as session:
        events = session.scalars(select(CareEvent).order_by(CareEvent.source)).all()
        assert [one.study for one in events] == ["stones-2", "", "stones-2"]
        theirs = session.scalars(select(FollowUpTask.patient_id))
        assert set(theirs) == {one.patient_id for one in events if one.study}


@pytest.mark.parametrize("column", ["study", "estudio", "estudo", "研究"])
def test_a_study_is_read_in_each_language(tmp_path: Path, column: str) -> None:
    text = HEADING.replace("study", column) + ROW.format(n=0)[:-1] + "心脏-1\n"
    (row,) = read(written(tmp_path, text), RULES)
    assert isinstance(row, Happened) and row.study == "心脏-1"


@pytest.mark.parametrize(
    ("row", "column", "why"),
    [
        ("E1,R1,{n},,,,+999123456,,2026-12-04,,,", "phone", "is a number of no country"),
        ("E1,R1,{n},,,,12,,2026-12-04,,,", "phone", "is a number of no country"),
        ("E1,R1,{n},,,,3015500001,call her,2026-12-04,,,", "phone2", "is a number of no country"),
        ("E1,R1,{n},,,,3015500001,,2026-12-09,,,", "discharged", "is in the future"),
        ("E1,R1,{n},,,,3015500001,,2026-09-01,,,", "discharged", "is more than 60 days ago"),
        ("E1,R1,{n},,,,3015500001,,04/12/2026,,,", "discharged", "is no date: write the year first"),
        ("E1,R1,{n},,,,3015500001,,2026-02-30,,,", "discharged", "is no date"),
        ("E1,R1,{n},2027-01-01,,,3015500001,,2026-12-04,,,", "birth", "is no birth date"),
        ("E1,R1,{n},,x,,3015500001,,2026-12-04,,,", "sex", "is none of female, male; it may be empty"),
        ("E1,R1,{n},,,fr,3015500001,,2026-12-04,,,", "language", "is none of en, es,"),
        (",R1,{n},,,,3015500001,,2026-12-04,,,", "event", "is empty"),
        ("E1,,{n},,,,3015500001,,2026-12-04,,,", "record", "is empty"),
        ("E1,R1,{n}", "", "has fewer cells than the heading"),
        ("E1,R1,Paciente,,,,3015500001,,2026-12-04,ward,K35,,{n}", "", "has more cells than the heading"),
        ("E0,R1,{n},,,,3015500001,,2026-12-04,,,", "event", "stood in an earlier row"),
    ],
)
def test_a_wrong_row_is_told_by_line_and_column_and_never_by_what_stood_there(
    tmp_path: Path, row: str, column: str, why: str
) -> None:
    path = written(tmp_path, HEADING + ROW.format(n=0) + row.format(n=CANARY) + "\n" + ROW.format(n=2))
    first, wrong, last = read(path, RULES)
    assert isinstance(first, Happened) and isinstance(last, Happened)
    assert isinstance(wrong, Rejected)
    assert (wrong.line, wrong.column) == (3, column)
    assert wrong.why.startswith(why)
    assert CANARY not in repr(wrong)


@pytest.mark.parametrize(("told", "sound"), [("2026-12-07", True), ("2026-12-07 12:00", False), ("2026-12-08", False)])
def test_todays_date_is_sound_on_the_morning_of_that_day(tmp_path: Path, told: str, sound: bool) -> None:
    at_seven = replace(RULES, now=NOW.replace(hour=7).astimezone(UTC))
    (row,) = read(written(tmp_path, HEADING + ROW.format(n=0).replace("2026-12-04 11:00", told)), at_seven)
    assert isinstance(row, Happened if sound else Rejected)
    assert row.at == at_seven.now if isinstance(row, Happened) else row.why == "is in the future"


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2026-12-04T16:00:00Z", "2026-12-04 11:00"),
        ("2026-12-05T02:30:00.000+08:00", "2026-12-04 13:30"),
        ("2026-12-04 11:00-0500", "2026-12-04 11:00"),
        ("2026-12-07T22:30:00Z", "2026-12-07 17:30"),  # half an hour ago, and no time to come
        ("2026-12-04T00:00:00Z", "2026-12-04 00:00"),  # a day
        ("2026-12-04 11:00:00.1234", "2026-12-04 11:00"),
        ("2026-12-04T11:00:00+99:00", None),
    ],
)
def test_a_time_that_names_its_zone_is_that_instant(tmp_path: Path, told: str, at: str | None) -> None:
    row = ROW.format(n=0).replace("2026-12-04 11:00", told).replace("1980-02-29", "1980-02-29T23:00:00Z")
    (found,) = read(written(tmp_path, HEADING + row), RULES)
    if at is None:
        assert isinstance(found, Rejected) and found.why.startswith("is no date")
    else:
        assert isinstance(found, Happened) and found.birth == date(1980, 2, 29)
        assert found.at == datetime.fromisoformat(at).replace(tzinfo=ZONE)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    text = (
        "出院编号,病历号,姓名,性别,语言,电话,出院日期,科室\n1,40718,陈梅,女,zh-CN,+8613055550103,2026年12月4日,产科\n"
    )
    (row,) = read(written(tmp_path, text.replace(",", separator), encoding), RULES)
    assert row == Happened(
        line=2,
        event="1",
        record="40718",
        name="陈梅",
        birth=None,
        sex="female",
        language="zh-CN",
        numbers=("+8613055550103",),
        at=datetime(2026, 12, 4, 12, 0, tzinfo=ZONE),
        ward="产科",
        diagnosis="",
        study="",
    )


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "utf-8"])
@pytest.mark.parametrize("name", ["Inés Fernández", "JOSÉ MARTÍN", "Élida Núñez Ibáñez", "João da Conceição"])
def test_an_accent_is_no_chinese_sign(tmp_path: Path, encoding: str, name: str) -> None:
    """What Excel saves in the West is nearly always GBK, too, and nobody of whom it speaks is there any more."""
    row = ROW.format(n=0).replace("Paciente 0", name)
    with suppress(UnicodeEncodeError):  # GBK has é, and no ñ
        (read_as,) = read(written(tmp_path, HEADING + row, encoding), RULES)
        assert isinstance(read_as, Happened)
        assert (read_as.name, read_as.ward) == (name, "cirugía 2")


@pytest.mark.parametrize("hour", [0, 7, 23])
def test_who_came_and_went_today_did_so_on_one_day_wherever_the_house_stands(tmp_path: Path, hour: int) -> None:
    """East of Greenwich it is still yesterday there in the morning."""
    auckland = ZoneInfo("Pacific/Auckland")
    now = datetime(2026, 12, 7, hour, 0, tzinfo=auckland).astimezone(UTC)
    heading = "event,record,name,phone,admitted,discharged\n"
    path = written(tmp_path, heading + "E1,R1,Wiremu,+64211234567,2026-12-07,2026-12-07\n")
    (row,) = read(path, replace(RULES, zone=auckland, country="NZ", now=now))
    assert isinstance(row, Happened) and row.admitted is not None
    assert row.admitted <= row.at <= now
    assert row.at.astimezone(auckland).date() == date(2026, 12, 7)


@pytest.mark.parametrize(
    ("heading", "twice"),
    [
        ("event,record,name,phone,discharged,name", "name"),
        ("event,record,Name,phone, NAME ,discharged,phone", "name, phone"),
        ("编号,病历号,姓名,电话,出院日期,姓名", "姓名"),
    ],
)
def test_a_column_that_stands_twice_is_nobodys_guess(tmp_path: Path, heading: str, twice: str) -> None:
    """The second name is the doctor's."""
    with pytest.raises(ListRefused, match=f"has the column {twice} twice"):
        list(read(written(tmp_path, heading + "\nE1,R1,Mei,3015500001,2026-12-04,Ruiz,\n"), RULES))
    unknown = "event,record,name,phone,discharged,note,note\nE1,R1,Mei,3015500001,2026-12-04,a,b\n"
    (row,) = read(written(tmp_path, unknown.replace("a,b", "a,b, ,,")), RULES)
    assert isinstance(row, Happened), "what is not read may stand there twice, and nothing behind the last cell"


def test_quotes_line_breaks_and_empty_lines(tmp_path: Path) -> None:
    text = (
        HEADING
        + '\n"E1",R1,"Fernández,\nLucía",1980-02-29,,,"301 555 0101","301 555 0101",2026-12-04,,,\n,,,,,,,,,,,\n'
    )
    (row,) = read(written(tmp_path, text), RULES)
    assert isinstance(row, Happened)
    assert (row.name, row.birth, row.numbers) == ("Fernández,\nLucía", date(1980, 2, 29), ("+573015550101",))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "has no column event, record"),
        (b"name,phone\n", "has no column event, record, discharged"),
        (HEADING.encode() + b'E1,"R1"x,n,,,,,,,,,\n', "line 2 is no CSV"),
        (b"\xff\x81\xff", "no UTF-8, GBK or Windows-1252 text"),
    ],
)
def test_a_file_that_is_no_such_list(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(ListRefused, match=told):
        list(read(path, RULES))
    with pytest.raises(ListRefused, match="can't be read"):
        list(read(tmp_path / "nowhere.csv", RULES))


def test_rows_come_as_they_are_read(tmp_path: Path) -> None:
    """A million rows would not fit otherwise: the first is there before the last is looked at."""
    path = written(tmp_path, HEADING + "".join(ROW.format(n=n) for n in range(2000)) + 'E,"broken"x\n')
    rows = read(path, RULES)
    assert isinstance(next(rows), Happened)
    with pytest.raises(ListRefused):
        list(rows)


def test_what_is_known_stays_as_it_is(database: Database, tmp_path: Path) -> None:
    first = written(tmp_path, HEADING + ROW.format(n=1))
    discharges.take_over(read(first, RULES), [], NOW, SITE, in_one(database))
    other = written(tmp_path, HEADING + ROW.format(n=1).replace("E1", "E2").replace("Paciente 1", "Otro"))
    report = discharges.take_over(read(other, RULES), [], NOW + timedelta(days=1), SITE, in_one(database))
    assert (report.new, report.registered) == (1, 0)
    with database.transaction() as session:
        assert session.scalars(select(Patient)).one().name == "Paciente 1"
    assert json.dumps([row.why for row in report.rejected]) == "[]"


def test_a_list_that_tells_of_a_later_stay_ends_what_followed_the_earlier_one(
    database: Database, tmp_path: Path
) -> None:
    """Home on 2 November, again on 25 November; what a late list tells of October ends neither, and is over."""
    only = [load_plans(load_questionnaires()[0])[0]["discharge"]]
    with database.transaction() as session:
        questionnaires.publish(session, "discharge-day3", {"purpose": "follow-up"}, "sha-1", NOW)
    heading = "event,record,name,phone,admitted,discharged\n"
    told = (("E1", "2026-10-30", "2026-11-02", 2), ("E2", "2026-11-20", "2026-11-25", 25), ("E0", "", "2026-10-28", 26))
    for event, admitted, home, day in told:
        path = written(tmp_path, f"{heading}{event},R1,Paciente,3015500001,{admitted},{home}\n")
        at = datetime(2026, 11, day, 18, tzinfo=ZONE)
        discharges.take_over(read(path, replace(RULES, now=at)), only, at, SITE, in_one(database))
    with database.transaction() as session:
        rows = select(CareEvent.source, Enrolment.ended_by).join_from(CareEvent, Enrolment).order_by(CareEvent.source)
        assert session.execute(rows).all() == [
            ("discharge:E0", "readmitted"),
            ("discharge:E1", "readmitted"),
            ("discharge:E2", None),
        ]
        due = select(func.count()).where(FollowUpTask.closed_at.is_(None))
        assert session.scalar(due) == len(only[0].steps), "of the last stay alone"


def test_of_each_ward_that_no_plan_names_one_row_is_told(database: Database, tmp_path: Path) -> None:
    step = (Step("week", 7, "discharge-day3"),)
    newborn = Plan("newborn", {"en": "N"}, "discharge", Rule(wards=frozenset({"Surgery 2", "maternity"})), step)
    with database.transaction() as session:
        questionnaires.publish(session, "discharge-day3", {"purpose": "follow-up"}, "sha-1", NOW)
    named = ("maternity", " MATERNITY", "surgery  2", "Ｓurgery ２", "", "matrenity", "Matrenity", "heart")
    rows = "".join(ROW.format(n=n).replace("cirugía 2", ward) for n, ward in enumerate(named))
    path = written(tmp_path, HEADING + rows)
    looked = discharges.preview(read(path, RULES), in_one(database), plans=[newborn])
    taken = discharges.take_over(read(path, RULES), [newborn], NOW, SITE, in_one(database))
    assert taken.tasks == 4 and taken.refused == 0
    why = "is a ward that no plan names; they name Surgery 2, maternity"
    assert looked.wards == taken.wards == [Rejected(7, "ward", why), Rejected(9, "ward", why)]
    everyone = discharges.preview(read(path, RULES), in_one(database), plans=[replace(newborn, rule=Rule())])
    assert everyone.wards == [], "where no plan chooses by ward, none is missed"
