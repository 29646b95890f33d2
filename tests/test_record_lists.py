"""Lists of record numbers of any length, by the command: into a plan or a campaign, in parts, and told why not."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hospital import campaigns, enrolling, newcomers
from hospital.accounts import Account
from hospital.campaigns import Campaign, CampaignPatient, Wanted
from hospital.database import Database
from hospital.enrolment_records import Enrolment
from hotline import commands, postgres, record_import, wiring
from hotline.settings_file import DEMO, build
from tests.conftest import TEMPLATE, renewed
from tests.hospital_scene import employ, library
from tests.site_key import put_site_key

pytestmark = pytest.mark.covers("H13", "H51")
PEOPLE = 25
Obeys = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def database(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A house with its library, Grace, Tom, and patients R0 to R24. A part is of ten."""
    put_site_key(tmp_path)
    with renewed(cluster, TEMPLATE) as url:
        made = build({**DEMO, "data": tmp_path, "database": {"url": url}})
        monkeypatch.setattr(commands, "load", lambda _: made)
        monkeypatch.setattr(record_import, "PART", {"enrol": 10, "campaign": 10})
        house = Database(url)
        with house.transaction() as session:
            library(session)
            employ(session, "grace", "supervisor")
            employ(session, "tom", "agent")
            newcomers.register(session, [patient(n) for n in range(PEOPLE)])
        yield house
        house.close()


def patient(n: int) -> newcomers.Newcomer:
    return newcomers.Newcomer(uuid4(), f"R{n}", "Mei", None, None, "zh-CN", (f"+8613{n:09d}",), "")


@pytest.fixture
def obeys(database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Obeys:
    def command(task: str, name: str, content: str, by: str = "grace") -> tuple[int, dict[str, Any]]:
        path = tmp_path / "list.csv"
        path.write_text(content, encoding="gbk")
        code = commands.main(["patients", task, name, str(path), "--by", by, "--json"])
        told = capsys.readouterr()
        return code, {**json.loads(told.out), "said": told.err}

    return command


def listed(*extra: str) -> str:
    return "姓名,病历号\n" + "".join(f"梅,R{n}\n" for n in range(PEOPLE)) + "".join(f"梅,{one}\n" for one in extra)


def counted(session: Session, kind: type[Enrolment] | type[CampaignPatient]) -> int:
    return session.scalar(select(func.count()).select_from(kind)) or 0


def test_a_list_is_enrolled_in_parts_as_one_decision_and_again_nobody_twice(database: Database, obeys: Obeys) -> None:
    code, told = obeys("enrol", "hypertension", listed("R3", "Zamudio", ""))
    assert (code, told["rows"], told["done"], told["refused"]) == (1, PEOPLE + 3, PEOPLE, 3)
    assert [(row["line"], row["why"]) for row in told["rejected"]] == [
        (27, "stood in an earlier row"),
        (28, "no patient has this record number"),
        (29, "is empty"),
    ]
    with database.transaction() as session:
        grace = session.scalars(select(Account).where(Account.username == "grace")).one()
        (decision,) = enrolling.lately(session, grace.id, wiring.now())
        assert decision.patients == PEOPLE, "taken back whole"
    code, told = obeys("enrol", "hypertension", listed())
    assert (code, told["done"], told["refused"]) == (1, 0, PEOPLE)
    assert told["refused_in"].endswith("list.csv.refused.csv"), "many are in a file"
    with database.transaction() as session:
        assert counted(session, Enrolment) == PEOPLE


def test_a_list_is_put_into_a_campaign_in_parts(database: Database, obeys: Obeys) -> None:
    with database.transaction() as session:
        grace = session.scalars(select(Account).where(Account.username == "grace")).one()
        made = campaigns.create(session, Wanted("Hernias", "preview"), grace.id, wiring.now())
    code, told = obeys("campaign", "Hernias", listed())
    assert (code, told["rows"], told["done"]) == (0, PEOPLE, PEOPLE)
    code, told = obeys("campaign", "Hernias", "R3\n")
    assert (code, told["done"], told["rejected"][0]["why"]) == (1, 0, "is in it already")
    with database.transaction() as session:
        assert session.get_one(Campaign, made.id).listed and counted(session, CampaignPatient) == PEOPLE
        assert campaigns.order(session, made.id, "stop", grace.id, wiring.now())
    code, told = obeys("campaign", "Hernias", "R3\n")
    assert code == 2 and "no campaigns that are not over have this name" in told["said"]


@pytest.mark.parametrize(
    ("task", "name", "content", "by", "why"),
    [
        ("enrol", "hypertension", "R1\n", "nobody", "no account 'nobody' that may do this"),
        ("enrol", "hypertension", "R1\n", "tom", "no account 'tom' that may do this"),
        ("enrol", "such", "R1\n", "grace", "there is no such plan. There are: "),
        ("enrol", "hypertension", "name,phone\nA,1\n", "grace", "has no column record"),
        ("enrol", "hypertension", "record,record\nR1,R2\n", "grace", "has the column record twice"),
        ("campaign", "Hernias", "R1\n", "grace", "no campaigns that are not over have this name"),
    ],
)
def test_what_can_not_be_done_is_told_and_nothing_is(
    database: Database, obeys: Obeys, task: str, name: str, content: str, by: str, why: str
) -> None:
    code, told = obeys(task, name, content, by)
    assert code == 2 and why in told["said"]
    with database.transaction() as session:
        assert counted(session, Enrolment) == 0


def test_a_list_that_names_nobody_is_told(
    database: Database, obeys: Obeys, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = obeys("enrol", "hypertension", "")
    assert (code, told["rows"], told["said"]) == (0, 0, "")
    assert commands.main(["patients", "enrol", "hypertension", str(tmp_path / "list.csv"), "--by", "grace"]) == 0
    assert capsys.readouterr().out == "0 rows: 0 patients were enrolled, 0 rows not.\n"
