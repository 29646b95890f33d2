"""A staff account is closed, opened again, given another role or password: by the command line, and one's own password
on its page. Who is out is out at once, and each order is in the audit chain."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import expect
from sqlalchemy import select

from hospital import account_orders, accounts, audit, callbacks, cases, climbing, duty
from hospital.account_orders import SHORTEST
from hospital.accounts import SignedIn, SignInSession
from hospital.audit import AuditRow
from hospital.calendars import Calendar
from hospital.cases import Teller
from hospital.clocks import Due
from hospital.database import Database
from hospital.urgent import Ladder
from hotline import commands, postgres
from hotline.settings_file import DEMO, build
from hotline.staff import telephones
from tests.browser import PASSWORD, Comes, PageOf, Site, comes, looked_at, page_of, served, site
from tests.characters import LUCIA, RUTH
from tests.conftest import TEMPLATE, renewed
from tests.hospital_scene import employ
from tests.moments import NOON, ZONE
from tests.site_key import put_site_key

__all__ = ["comes", "page_of", "served", "site"]

pytestmark = pytest.mark.covers("H51")
NEW = "three wise herons"


def written(database: Database) -> list[tuple[str, UUID | None, dict[str, object]]]:
    """What was ordered of accounts: (what, by whom, how), oldest first."""
    rows = select(AuditRow).where(AuditRow.action.startswith("account.")).order_by(AuditRow.seq)
    with database.transaction() as session:
        return [(row.action, row.account_id, row.detail) for row in session.scalars(rows)]


# ── hotline account ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(cluster: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A site's database, and its command line."""
    put_site_key(tmp_path)
    with renewed(cluster, TEMPLATE) as url:
        made = build({**DEMO, "data": tmp_path, "database": {"url": url}})
        monkeypatch.setattr(commands, "load", lambda _: made)
        database = Database(url)
        yield database
        database.close()


def signs_in(database: Database, username: str, password: str) -> SignedIn | None:
    with database.transaction() as session:
        answer = accounts.sign_in(session, username, password, NOON, "192.0.2.7")
        return answer if isinstance(answer, SignedIn) else None


def still_in(database: Database, who: SignedIn) -> bool:
    with database.transaction() as session:
        return accounts.resume(session, who.token, NOON) is not None


def test_an_account_is_opened_closed_and_opened_again(house: Database, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        assert commands.main(["account", *words]) == 0
        return capsys.readouterr().out

    first = told("tom", "--name", "Tom", "--role", "agent").split(" signs in with ")[1].split(". ")[0]
    told("ana", "--name", "Ana", "--role", "nurse")
    toms = signs_in(house, "tom", first)
    assert toms is not None
    with house.transaction() as session:
        duty.wish(session, toms.account.id, None, NOON)
        assert [one.extension for one in telephones(session)] == ["201", "202"]

    assert "tom is out" in told("disable", "tom")
    assert not still_in(house, toms) and signs_in(house, "tom", first) is None
    with house.transaction() as session:
        assert session.scalars(select(SignInSession)).all() == []
        assert duty.on_duty(session) == []
        assert [(one.username, one.extension) for one in telephones(session)] == [("ana", "202")], "hers stays hers"
    assert "disabled already" in told("disable", "tom")

    assert "with the password of before" in told("enable", "tom")
    again = signs_in(house, "tom", first)
    assert again is not None
    second = told("password", "tom").split(" signs in with ")[1].split(",")[0]
    assert not still_in(house, again) and signs_in(house, "tom", first) is None
    assert signs_in(house, "tom", second) is not None

    assert "has the role nurse now" in told("role", "tom", "nurse")
    with house.transaction() as session:
        tom = account_orders.named(session, "tom")
        assert tom is not None and tom.may("followups.work")
        assert audit.verify(session).sound
    assert written(house) == [
        ("account.created", None, {"role": "agent"}),
        ("account.created", None, {"role": "nurse"}),
        ("account.disabled", None, {}),
        ("account.enabled", None, {}),
        ("account.password", None, {}),
        ("account.role", None, {"role": "nurse", "before": "agent"}),
    ]


def test_what_somebody_had_goes_back_when_they_leave_or_may_not_work_on_it_any_more(
    database: Database,
) -> None:
    """And a red flag climbs at once: Ana has gone home for good with Lucía's."""
    calendar, minute = Calendar(ZONE, "CO"), timedelta(minutes=1)
    with database.transaction() as session:
        ana, grace = employ(session, "ana", "nurse").id, employ(session, "grace", "supervisor").id
        due_now = Due(NOON, NOON)
        made = {
            kind: cases.open_case(session, kind, f"{kind}/1", Teller("", None), NOON, due_now, "")
            for kind in ("complaint", "message", "red_flag")
        }
        asked = [
            callbacks.ask(session, origin=f"n1-{n}", number=n, why="asked", at=NOON)
            for n in (LUCIA.numbers[0], RUTH.numbers[0])
        ]
        callbacks.own(session, asked[0].callback_id, ana, NOON)
        callbacks.own(session, asked[1].callback_id, grace, NOON)
        cases.own(session, made["complaint"], grace, NOON)
        cases.own(session, made["message"], grace, NOON)
        climbing.climb(session, calendar, Ladder(), NOON)
        cases.own(session, made["red_flag"], ana, NOON + minute)

    def standing() -> dict[str, tuple[str, UUID | None]]:
        with database.transaction() as session:
            rows = session.scalars(select(cases.Case)).all()
            return {one.kind: (one.state, one.owner_id) for one in rows}

    with database.transaction() as session:
        account_orders.give_role(session, grace, "agent", None, NOON + minute)
    assert standing() == {"complaint": ("open", None), "message": ("owned", grace), "red_flag": ("owned", ana)}
    with database.transaction() as session:
        account_orders.close(session, ana, grace, NOON + 2 * minute)
    assert standing() == {"complaint": ("open", None), "message": ("owned", grace), "red_flag": ("open", None)}
    with database.transaction() as session:
        assert {one.owner_id for one in callbacks.still_open(session)} == {None, grace}, "an agent calls back, too"
        account_orders.give_role(session, grace, "none", None, NOON + 2 * minute)
        assert [one.state for one in callbacks.still_open(session)] == ["open", "open"]
        rows = session.scalars(select(AuditRow).where(AuditRow.action.endswith("given_back")).order_by(AuditRow.seq))
        assert [(one.subject, one.account_id, one.detail["owner"]) for one in rows] == [
            (f"case:{made['complaint']}", None, str(grace)),
            (f"case:{made['red_flag']}", grace, str(ana)),
            (f"callback:{asked[0].callback_id}", grace, str(ana)),
            (f"case:{made['message']}", None, str(grace)),
            (f"callback:{asked[1].callback_id}", None, str(grace)),
        ]
        assert audit.verify(session).sound


def test_a_new_password_lets_in_who_had_to_wait(house: Database, capsys: pytest.CaptureFixture[str]) -> None:
    commands.main(["account", "tom", "--name", "Tom", "--role", "agent"])
    for _ in range(accounts.LIMIT):
        signs_in(house, "tom", "wrong")
    capsys.readouterr()
    commands.main(["account", "password", "tom"])
    password = capsys.readouterr().out.split(" signs in with ")[1].split(",")[0]
    assert signs_in(house, "tom", password) is not None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tom"], "a new account needs --name and --role"),
        (["close", "tom"], "'close tom' is no order"),
        (["disable", "tom", "nurse"], "is no order"),
        (["role", "tom", "king"], "'king' is no role"),
        (["role", "tom", "none"], "'none' is no role"),
        (["enable", "tom", "--role", "nurse"], "those of a new account"),
    ],
)
def test_what_is_no_order_changes_nothing(
    house: Database, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["account", *words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert written(house) == []


def test_somebody_unknown_is_named_with_those_who_are_known(
    house: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.main(["account", "tom", "--name", "Tom", "--role", "agent"]) == 0
    assert commands.main(["account", "tom", "--name", "Tom", "--role", "agent"]) == 1
    assert commands.main(["account", "disable", "tim"]) == 1
    told = capsys.readouterr().err
    assert "'tom' is taken" in told and "there is no account 'tim'. There are: tom" in told
    assert [action for action, _, _ in written(house)] == ["account.created"]


# ── One's own password ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_tom_changes_his_password_and_is_signed_out_elsewhere(site: Site, comes: Comes) -> None:
    tom, elsewhere, ana = await comes("tom"), await comes("tom"), await comes("ana")
    assert "Change the password" in (await tom.get("/account")).text
    done = await tom.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
    assert done.status_code == 200 and "Your password is another now." in done.text
    assert NEW not in done.text and PASSWORD not in done.text
    assert (await tom.get("/agent")).status_code == 200
    assert (await elsewhere.get("/agent")).status_code == 303
    assert (await ana.get("/agent")).status_code == 200
    for password, status in ((PASSWORD, 401), (NEW, 303)):
        answer = await site.client().post("/sign-in", data={"username": "tom", "password": password})
        assert answer.status_code == status
    assert written(site.database) == [("account.password", site.accounts["tom"], {})]


async def test_a_new_password_is_long_enough_new_and_typed_twice(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    for new, again, told in (
        ("x" * (SHORTEST - 1), None, "fewer than 12 letters"),
        (PASSWORD, None, "is the old one"),
        (NEW, NEW + "s", "was not typed the same twice"),
    ):
        answer = await tom.post("/account/password", data={"old": PASSWORD, "new": new, "again": again or new})
        assert (answer.status_code, told in answer.text) == (422, True), told
    assert written(site.database) == []


async def test_a_page_left_open_lets_nobody_guess_the_old_password(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    guess = {"old": "wrong", "new": NEW, "again": NEW}
    for _ in range(accounts.LIMIT):
        answer = await tom.post("/account/password", data=guess)
        assert (answer.status_code, "The old password is not right." in answer.text) == (403, True)
    late = await tom.post("/account/password", data={**guess, "old": PASSWORD})
    assert (late.status_code, "Wait 10 minutes" in late.text) == (429, True)
    assert written(site.database) == [("account.password_refused", site.accounts["tom"], {})] * accounts.LIMIT
    site.clock.passes(minutes=10, seconds=1)
    assert (await tom.post("/account/password", data={**guess, "old": PASSWORD})).status_code == 200


async def test_oscar_who_may_nothing_changes_his_too(site: Site, comes: Comes) -> None:
    oscar = await comes("oscar")
    assert (await oscar.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})).status_code == 200


async def test_how_the_page_looks_and_that_the_form_works_in_a_browser(served: Site, page_of: PageOf) -> None:
    page = await page_of("tom", "/")
    await page.locator("summary", has_text="Your account").click()
    await page.get_by_role("link", name="Password").click()
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    await looked_at(page, "account")
    await page.get_by_label("Old password").fill("wrong")
    await page.get_by_label("New password", exact=True).fill(NEW)
    await page.get_by_label("New password once more").fill(NEW)
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.locator("#notice")).to_have_text(re.compile("The old password is not right"))
    await page.get_by_label("Old password").fill(PASSWORD)
    await page.get_by_role("button", name="Change the password").click()
    await expect(page.get_by_text("Your password is another now.")).to_be_visible()
    await expect(page.get_by_label("Old password")).to_have_value("")
    await looked_at(page, "account-changed")


# ── Everybody's accounts ────────────────────────────────────────────────────────────────────────────────────────────


def shown_once(page: str) -> str:
    return re.findall(r'<code id="made">([^<]+)</code>', page)[0]


async def test_ida_adds_disables_and_enables_and_gives_roles_and_passwords(site: Site, comes: Comes) -> None:
    ida, tom = await comes("ida"), await comes("tom")
    toms = f"/accounts/{site.accounts['tom']}"
    added = (await ida.post("/accounts", data={"username": "Lena", "called": " Lena  Ruiz ", "role": "nurse"})).text
    assert "Lena Ruiz" in added and shown_once(added) not in (await ida.get("/accounts")).text
    form = {"username": "lena", "password": shown_once(added)}
    assert (await site.client().post("/sign-in", data=form)).status_code == 303

    assert "disabled" in (await ida.post(f"{toms}/disable")).text
    assert (await tom.get("/agent")).status_code == 303
    assert (await ida.post(f"{toms}/disable")).status_code == 409
    assert (await ida.post(f"{toms}/enable")).status_code == 200
    given = shown_once((await ida.post(f"{toms}/password")).text)
    assert (await site.client().post("/sign-in", data={"username": "tom", "password": PASSWORD})).status_code == 401
    assert (await site.client().post("/sign-in", data={"username": "tom", "password": given})).status_code == 303
    assert (await ida.post(f"{toms}/role", data={"role": "nurse"})).status_code == 200
    assert site.account("tom").may("followups.work")
    by = site.accounts["ida"]
    assert written(site.database) == [
        ("account.created", by, {"role": "nurse"}),
        ("account.disabled", by, {}),
        ("account.enabled", by, {}),
        ("account.password", by, {}),
        ("account.role", by, {"role": "nurse", "before": "agent"}),
    ]


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"username": "1ena"}, 422, "begins with a letter"),
        ({"username": "a b"}, 422, "begins with a letter"),
        ({"called": " "}, 422, "how the account is called"),
        ({"role": "king"}, 422, "Choose a role"),
        ({"username": "tom"}, 409, "There is an account of this name"),
    ],
)
async def test_what_is_no_account_is_not_added(
    site: Site, comes: Comes, fields: dict[str, str], status: int, told: str
) -> None:
    ida = await comes("ida")
    answer = await ida.post("/accounts", data={"username": "lena", "called": "Lena", "role": "nurse", **fields})
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert written(site.database) == []


async def test_nobody_orders_anything_of_the_own_account_there(site: Site, comes: Comes) -> None:
    ida = await comes("ida")
    for order in ("disable", "enable", "password", "role"):
        answer = await ida.post(f"/accounts/{site.accounts['ida']}/{order}", data={"role": "supervisor"})
        assert (answer.status_code, "your own account" in answer.text) == (409, True), order
    assert written(site.database) == []


async def test_how_everybodys_accounts_look(served: Site, page_of: PageOf) -> None:
    page = await page_of("ida")
    await page.goto(served.url("/accounts"))
    await looked_at(page, "accounts")
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("button", name="New password for Tom").click()
    await expect(page.get_by_text("tom signs in with")).to_be_visible()
    await page.get_by_role("button", name="Disable Ana").click()
    await expect(page.get_by_role("button", name="Enable Ana")).to_be_visible()
    await expect(page.locator("#made")).to_have_count(0)
    await page.get_by_label("Role of Tom").select_option("nurse")
    await page.get_by_role("button", name="Give Tom this role").click()
    await expect(page.get_by_label("Role of Tom").locator("option[selected]")).to_have_attribute("value", "nurse")
    await looked_at(page, "accounts-changed")
