"""Who may enter which page. Every route of the application is walked, so that a new one cannot be forgotten: each is
closed to strangers and to Oscar unless it stands in a list below."""

import html
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import select

from hospital import accounts, audit
from hospital.accounts import SignInFailure
from hospital.audit import AuditRow
from hospital.database import Database
from tests.browser import PASSWORD, Comes, Site, comes, site
from tests.characters import LUCIA
from tests.moments import NOON
from web import doors
from web.app import create_app

__all__ = ["comes", "site"]

FOR_ALL = {"/health", "/sign-in", "/static/{path:path}"}
FOR_ALL |= {"/messages/reports/{message}", "/messages/replies"}  # these prove themselves
IN_THE_DEMO = {"/patient-phone", "/patient-phone/{who}/line", "/patient-phone/{who}/texts"}
IN_THE_DEMO |= {"/patient-phone/{who}/texts/live"}
ONCE_SIGNED_IN = {
    "/",
    "/live",
    "/session",
    "/lists/progress",
    "/sign-out",
    "/account",
    "/account/password",
}  # nothing of a patient is there
SOCKETS = {"/sip"}

# the first part of a path → who gets past its door
WELCOME = {
    "agent": {"tom", "ana", "grace"},
    "callbacks": {"tom", "ana", "grace"},
    "interpreters": {"tom", "ana", "grace"},
    "presence": {"tom", "ana", "grace"},
    "phone": {"tom", "ana", "grace"},
    "followups": {"ana", "grace"},
    "recordings": {"ana", "grace"},
    "audit": {"grace", "ida"},
    "accounts": {"ida"},
    "cases": {"tom", "ana", "grace", "dora"},
    "ratings": {"grace"},
    "coverage": {"grace"},
    "discharges": {"grace"},
    "enrol": {"ana", "grace", "dora"},
    "merge": {"grace"},
    "responses": {"ana", "grace", "dora"},
    "opening": {"grace"},
    "throttled": {"grace"},
    "clinics": {"grace", "ida"},
    "hearing": {"grace"},
    "wording": {"ida"},
    "editions": {"ida"},
    "hours": {"ida"},
    "information": {"ida"},
    "triage": {"ida"},
    "prompts": {"ida"},
    "reminders": {"ana", "grace"},
    "deaths": {"ana", "grace"},
    "lost-texts": {"ana", "grace"},
    "letters": {"ana", "grace"},
    "menu": {"ida"},
    "outcomes": {"ida"},
    "questionnaires": {"ida"},
    "rota": {"ana", "grace", "dora"},
    "questions": {"ana", "grace", "dora"},
    "answers": {"ana", "grace"},
    "shifts": {"grace"},
    "campaigns": {"grace"},
    "stint": {"ana", "grace"},
    "groups": {"tom", "ana", "grace"},
    "desk": {"tom", "ana", "grace"},
    "screen": {"tom", "ana", "grace"},
}


def routes(site: Site, *without: str) -> list[tuple[str, str]]:
    """(method, path as declared) of every route but those named."""
    found = [
        (method, route.path)
        for route in site.app.state.routes
        for method in sorted(getattr(route, "methods", None) or {"SOCKET"})
        if route.path not in without
    ]
    assert len(found) > 20, "the application has lost its routes"
    return found


def address(path: str) -> str:
    """A declared path with somebody else's ids in it."""
    return re.sub(r"{(\w+)(:path)?}", lambda part: str(uuid4()) if part[1].endswith("_id") else part[1], path)


def refusals(site: Site) -> list[AuditRow]:
    with site.database.transaction() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == "denied").order_by(AuditRow.seq)))


@pytest.mark.covers("H51", "I9")
async def test_a_stranger_gets_nowhere(site: Site) -> None:
    stranger = site.client()
    for method, path in routes(site, *FOR_ALL, *IN_THE_DEMO, *SOCKETS):
        page = await stranger.request(method, address(path))
        part = await stranger.request(method, address(path), headers={"HX-Request": "true"})
        assert part.status_code == 401, (method, path)
        assert part.text == "You are signed out. Sign in again."
        if method == "GET":
            assert page.status_code == 303, (method, path)
            assert page.headers["location"].startswith("/sign-in")
            assert page.text == ""
        else:
            assert page.status_code == 401, (method, path)
    assert refusals(site) == []  # strangers must not make the chain grow


@pytest.mark.covers("H17", "H51", "I8")
async def test_oscar_is_refused_everywhere_and_every_try_is_in_the_chain(site: Site, comes: Comes) -> None:
    oscar = await comes("oscar")
    closed = routes(site, *FOR_ALL, *IN_THE_DEMO, *SOCKETS, *ONCE_SIGNED_IN)
    for method, path in closed:
        answer = await oscar.request(method, address(path))
        assert answer.status_code == 403, (method, path, answer.status_code)
        assert "Your account may not see this." in answer.text
    rows = refusals(site)
    assert [row.subject for row in rows] == [f"{method} {path}" for method, path in closed]
    assert {row.account_id for row in rows} == {site.accounts["oscar"]}
    with site.database.transaction() as session:
        assert audit.verify(session).sound


@pytest.mark.covers("H51")
async def test_oscar_is_told_where_he_stands(site: Site, comes: Comes) -> None:
    start = await (await comes("oscar")).get("/")
    assert "There is nothing for your account here yet" in start.text
    assert "<nav" in start.text
    assert 'href="/agent"' not in start.text


@pytest.mark.covers("H51")
@pytest.mark.parametrize("who", ["tom", "ana", "grace", "ida", "dora"])
async def test_each_role_gets_past_its_own_doors_only(site: Site, comes: Comes, who: str) -> None:
    client = await comes(who)
    for method, path in routes(site, *FOR_ALL, *IN_THE_DEMO, *SOCKETS, *ONCE_SIGNED_IN):
        answer = await client.request(method, address(path), headers={"HX-Request": "true"})
        refused = answer.status_code == 403 and "Your account may not" in answer.text
        assert refused == (who not in WELCOME[path.split("/")[1]]), (who, method, path, answer.status_code)
        assert answer.status_code < 500, (method, path)


@pytest.mark.covers("H51")
@pytest.mark.parametrize(
    "wrong",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "guessed"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda wrong: " ".join(f"{name}={value or 'none'}" for name, value in wrong.items()),
)
async def test_no_other_site_can_make_graces_browser_change_anything(
    site: Site, comes: Comes, wrong: dict[str, str]
) -> None:
    grace = await comes("grace")
    known = routes(site, *FOR_ALL, *IN_THE_DEMO, *SOCKETS)
    changing = [(method, path) for method, path in known if method not in doors.SAFE]
    assert len(changing) > 10
    for method, path in changing:
        answer = await grace.request(method, address(path), headers=wrong)
        assert answer.status_code == 403, (method, path)
        assert "This page is out of date." in answer.text
    assert {row.detail["right"] for row in refusals(site)} == {"csrf"}
    assert site.presence.states == {}  # not even the sign-out's pause


async def test_the_sign_in_form_is_taken_from_our_own_page_only(site: Site) -> None:
    form = {"username": "tom", "password": PASSWORD}
    for origin in ("https://elsewhere.example", "null"):
        assert (await site.client().post("/sign-in", data=form, headers={"Origin": origin})).status_code == 403
    assert (await site.client().post("/sign-in", data=form, headers={"Origin": site.url("")})).status_code == 303


@pytest.mark.covers("H51")
async def test_after_five_wrong_passwords_the_right_one_waits_too(site: Site) -> None:
    stranger = site.client()
    for _ in range(accounts.LIMIT):
        wrong = await stranger.post("/sign-in", data={"username": "tom", "password": "wrong"})
        assert wrong.status_code == 401
    late = await site.client(host="127.0.0.9").post("/sign-in", data={"username": "tom", "password": PASSWORD})
    assert late.status_code == 429
    assert "Too many tries. Wait 10 minutes, then try again." in late.text
    assert (await stranger.post("/sign-in", data={"username": "ana", "password": PASSWORD})).status_code == 303
    site.clock.passes(minutes=10, seconds=1)
    assert (await stranger.post("/sign-in", data={"username": "tom", "password": PASSWORD})).status_code == 303


async def test_one_client_address_cannot_try_all_names(site: Site) -> None:
    stranger = site.client(host="192.0.2.7")
    with site.database.transaction() as session:
        for n in range(accounts.CLIENT_LIMIT - 1):
            session.add(SignInFailure(username=f"name{n}", client="192.0.2.7", at=NOON))
    assert (await stranger.post("/sign-in", data={"username": "tom", "password": "wrong"})).status_code == 401
    assert (await stranger.post("/sign-in", data={"username": "tom", "password": PASSWORD})).status_code == 429
    here = site.client()
    assert (await here.post("/sign-in", data={"username": "tom", "password": PASSWORD})).status_code == 303


async def test_a_refused_sign_in_does_not_say_which_part_was_wrong(site: Site) -> None:
    with site.database.transaction() as session:
        left = accounts.create(session, username="left", display_name="Left", role="agent", password=PASSWORD)
        left.disabled_at = NOON
    said = []
    for name, password in (("tom", "wrong"), ("nobody", "wrong"), ("left", PASSWORD)):
        answer = await site.client().post("/sign-in", data={"username": name, "password": password})
        assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
        said.append(answer.text.replace(f'value="{name}"', ""))
    assert len(set(said)) == 1


@pytest.mark.covers("H51")
async def test_a_session_ends_with_the_sign_out_with_idleness_and_with_the_shift(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    site.clock.passes(minutes=59)
    assert (await tom.get("/agent")).status_code == 200
    site.clock.passes(minutes=60)
    assert (await tom.get("/agent")).status_code == 303

    tom = await comes("tom")
    for _ in range(14):  # never idle, for longer than a shift
        last = await tom.get("/agent")
        site.clock.passes(minutes=58)
    assert last.status_code == 303

    tom = await comes("tom")
    token = tom.cookies["hotline"]
    gone = await tom.post("/sign-out")
    assert (gone.status_code, gone.headers["hx-redirect"]) == (204, "/sign-in")
    assert site.presence.states[site.accounts["tom"]] == "away"
    assert (await tom.get("/agent", headers={"Cookie": f"hotline={token}"})).status_code == 303


async def test_whoever_is_disabled_is_out_at_once(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    with site.database.transaction() as session:
        session.get_one(accounts.Account, site.accounts["tom"]).disabled_at = NOON
    assert (await tom.get("/agent")).status_code == 303


@pytest.mark.parametrize("wanted", ["//elsewhere.example", "https://elsewhere.example", "/\\elsewhere", "/a?b", "x"])
async def test_the_sign_in_leads_to_our_own_pages_only(site: Site, wanted: str) -> None:
    form = {"username": "tom", "password": PASSWORD, "next": wanted}
    assert (await site.client().post("/sign-in", data=form)).headers["location"] == "/"
    form["next"] = "/agent"
    assert (await site.client().post("/sign-in", data=form)).headers["location"] == "/agent"


@pytest.mark.covers("H51")
async def test_every_answer_carries_the_security_headers(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    answers = [
        await site.client().get("/sign-in"),
        await site.client().get("/agent"),
        await tom.get("/agent"),
        await tom.get("/agent/pop"),
        await tom.get("/audit"),
        await tom.get("/nowhere"),
        await tom.get("/static/console.css"),
        await tom.post("/agent", data={}),
    ]
    assert [answer.status_code for answer in answers] == [200, 303, 200, 200, 403, 404, 200, 405]
    for answer in answers:
        headers = answer.headers
        rules = dict(rule.strip().partition(" ")[::2] for rule in headers["content-security-policy"].split(";"))
        assert rules["default-src"] == "'self'"
        assert rules["script-src"] == rules["style-src"] == "'self'"  # nothing inline, nothing evaluated
        assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if str(answer.url).endswith(".css") else "no-store")


async def test_pages_hold_no_inline_script_or_style(site: Site, comes: Comes) -> None:
    grace = await comes("grace")
    for path in ("/agent", "/followups", "/recordings", "/audit"):
        page = (await grace.get(path)).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|javascript:|hx-on", page), path


@pytest.mark.covers("H51")
@pytest.mark.parametrize(("tls", "name"), [(False, "hotline"), (True, "__Host-hotline")])
async def test_the_cookie_is_for_our_pages_alone(database: Database, tls: bool, name: str) -> None:
    site = Site(database, tls=tls)
    answer = await site.client().post("/sign-in", data={"username": "tom", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{name}=")
    for word in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert ("Secure" in cookie, "strict-transport-security" in answer.headers) == (tls, tls)
    assert "Domain" not in cookie


@pytest.mark.covers("H51")
@pytest.mark.parametrize(("tls", "name"), [(False, "hotline"), (True, "__Host-hotline")])
async def test_the_sign_out_takes_the_cookie_away_as_the_sign_in_gave_it(
    database: Database, tls: bool, name: str
) -> None:
    site = Site(database, tls=tls)
    client = site.client()
    answer = await client.post("/sign-in", data={"username": "tom", "password": PASSWORD})
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}  # httpx sends none that is Secure over http
    csrf = re.findall(r'name="csrf" content="([^"]+)"', (await client.get("/agent", headers=cookie)).text)[0]
    out = await client.post("/sign-out", headers={**cookie, "X-CSRF-Token": csrf})
    gone = out.headers["set-cookie"]
    assert gone.startswith(f'{name}="";') and "Max-Age=0" in gone
    for word in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert word in gone
    assert ("Secure" in gone, "Domain" in gone) == (tls, False), "without it a browser keeps the __Host- cookie it has"


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1:8000", ""])
async def test_another_hosts_name_is_not_answered(site: Site, host: str) -> None:
    answer = await site.client().get("/sign-in", headers={"Host": host})
    assert answer.status_code == 421
    assert "Hospital" not in answer.text


async def test_the_demos_phones_are_for_the_demo_and_this_machine_only(database: Database, site: Site) -> None:
    for path in ("/patient-phone", "/patient-phone/lucia/line"):
        assert (await site.client().get(path)).status_code == 404
    assert "not-told" not in (await site.client().get("/patient-phone")).text


async def test_the_demos_phones_are_refused_to_other_machines(database: Database) -> None:
    site = Site(database, demo=True)
    assert (await site.client().get("/patient-phone/lucia/line")).json()["secret"] == "not-told"
    assert (await site.client(host="192.0.2.7").get("/patient-phone/lucia/line")).status_code == 404


async def test_static_files_are_ours_only(site: Site) -> None:
    stranger = site.client()
    for path in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "vendor/../../app.py", "/etc/passwd", "%00", "vendor/"):
        answer = await stranger.get(f"/static/{path}")
        assert answer.status_code == 404, path
        assert "create_app" not in answer.text


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_that_is_too_large_is_refused(site: Site, comes: Comes, told: bool) -> None:
    tom = await comes("tom")
    body = b"note=" + b"x" * 400_000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await tom.post(f"/agent/pops/{uuid4()}/note", content=body if told else pieces(), headers=headers)
    assert answer.status_code == 413


async def test_what_is_asked_for_wrongly_is_not_echoed(site: Site, comes: Comes) -> None:
    tom = await comes("tom")
    for path in ("/agent/pops/<script>/who", "/callbacks/%00", "/<script>alert(1)</script>"):
        answer = await tom.get(path)
        assert answer.status_code in (404, 405)
        assert "<script>a" not in answer.text
        assert html.escape("<script>") not in answer.text


async def test_an_application_with_a_route_without_a_door_does_not_start(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = APIRouter()

    @bare.get("/forgotten")
    async def forgotten() -> None:
        raise AssertionError("nobody may come here")

    monkeypatch.setattr("web.home.routes", bare)
    with pytest.raises(RuntimeError, match=r"/forgotten"):
        create_app(site.services)


async def test_a_breakdown_is_one_plain_sentence(site: Site, comes: Comes, caplog: pytest.LogCaptureFixture) -> None:
    told = f"{LUCIA.name} {LUCIA.numbers[0]}"

    async def broken(account_id: object) -> None:
        raise RuntimeError(told)

    tom = await comes("tom")
    site.presence.of = broken  # type: ignore[assignment, method-assign]
    answer: httpx.Response = await tom.get("/presence")
    assert (answer.status_code, answer.text) == (500, "Something went wrong here. What you saved is kept; try again.")
    assert "RuntimeError in GET /presence" in caplog.text
    assert LUCIA.name not in caplog.text
    assert LUCIA.numbers[0] not in caplog.text
