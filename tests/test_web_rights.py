"""Who may enter: every route, for a stranger and for Oscar; the anti-forgery token; throttling; what pages say to
browsers. Read off the application itself, so that a new route is asked too."""

import re
from uuid import uuid4

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, APIWebSocketRoute

from hospital import audit
from hospital.audit import AuditRow
from tests.browser import Site, site
from tests.characters import JOAO, LUCIA
from web import doors
from web.doors import Door, Open, OpenInTheDemo

__all__ = ["site"]


def guarded(site: Site) -> list[tuple[str, str, str | None]]:
    """(method, an address, the right) of every route with a door."""
    found = []
    for route in site.app.state.routes:
        if not isinstance(route, APIRoute):
            continue
        door = next((d.call for d in route.dependant.dependencies if isinstance(d.call, Door)), None)
        if door is None:
            assert any(isinstance(d.call, Open | OpenInTheDemo) for d in route.dependant.dependencies), route.path
            continue
        path = re.sub(r"\{[a-z_]*id\}", str(uuid4()), route.path)
        path = re.sub(r"\{[a-z_]+\}", "name", path)
        found += [(method, path, door.right) for method in route.methods or ()]
    return found


def denials(site: Site) -> list[AuditRow]:
    with site.database.transaction() as session:
        return audit.newest(session, action="denied", limit=500)


@pytest.mark.covers("H51")
async def test_a_stranger_gets_nowhere(site: Site) -> None:
    routes = guarded(site)
    assert len(routes) > 30
    async with site.client() as stranger:
        for method, path, _ in routes:
            answer = await stranger.request(method, path)
            assert answer.status_code in (303, 401), (method, path, answer.status_code)
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/sign-in")
            assert "Lucía" not in answer.text


@pytest.mark.covers("H51", "I8")
async def test_oscar_is_refused_everywhere_and_each_try_is_written_down(site: Site) -> None:
    async with site.signed_in("oscar") as oscar:
        tries = [(method, path) for method, path, right in guarded(site) if right is not None]
        for method, path in tries:
            answer = await oscar.request(method, path)
            assert answer.status_code == 403, (method, path, answer.status_code)
        written = denials(site)
        assert len(written) == len(tries)
        assert {row.account_id for row in written} == {site.accounts["oscar"]}
        home = await oscar.get("/")
        assert home.status_code == 200
        assert "There is nothing for your account here yet" in home.text
    with site.database.transaction() as session:
        assert audit.verify(session).sound


async def test_an_application_with_an_unguarded_route_is_not_made(site: Site) -> None:
    routes = APIRouter()

    @routes.get("/forgotten")
    async def forgotten() -> str:
        return "anybody"

    assert doors.without_a_door(routes.routes) == ["/forgotten"]
    sockets = [route for route in site.app.state.routes if isinstance(route, APIWebSocketRoute)]
    assert [route.path for route in sockets] == ["/sip"]


@pytest.mark.covers("H51")
@pytest.mark.parametrize("given", [None, "", "guessed", "á"])
async def test_what_changes_something_needs_the_pages_token(site: Site, given: str | None) -> None:
    async with site.signed_in("tom") as tom:
        del tom.headers["X-CSRF-Token"]
        headers = {} if given is None else {"X-CSRF-Token": given.encode()}
        answer = await tom.post("/presence/available", headers=headers)
        assert answer.status_code == 403
        assert site.presence.states == {}
        assert [row.detail["right"] for row in denials(site)] == ["csrf"]


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["another site", "hidden", "a browser says so"],
)
async def test_another_sites_page_can_neither_act_nor_sign_in(site: Site, headers: dict[str, str]) -> None:
    async with site.signed_in("tom") as tom:
        assert (await tom.post("/presence/available", headers=headers)).status_code == 403
    async with site.client() as client:
        answer = await client.post("/sign-in", data={"username": "tom", "password": "x"}, headers=headers)
        assert answer.status_code == 403


async def test_five_wrong_passwords_and_the_right_one_has_to_wait(site: Site) -> None:
    async with site.client() as client:
        for _ in range(5):
            answer = await client.post("/sign-in", data={"username": "Tom ", "password": "wrong"})
            assert answer.status_code == 401
        answer = await client.post("/sign-in", data={"username": "tom", "password": "correct horse battery"})
        assert answer.status_code == 429
        assert "Too many tries. Wait 10 minutes, then try again." in answer.text
        site.clock.passes(minutes=11)
        answer = await client.post("/sign-in", data={"username": "tom", "password": "correct horse battery"})
        assert answer.status_code == 303


@pytest.mark.parametrize(
    ("wanted", "then"),
    [
        ("/followups", "/followups"),
        ("//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/a?b=javascript:1", "/"),
        ("", "/"),
    ],
)
async def test_after_the_sign_in_nobody_is_sent_to_another_site(site: Site, wanted: str, then: str) -> None:
    async with site.client() as client:
        form = {"username": "ana", "password": "correct horse battery", "next": wanted}
        assert (await client.post("/sign-in", data=form)).headers["location"] == then


async def test_the_cookie_is_out_of_reach_and_dies_with_the_session(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post("/sign-in", data={"username": "tom", "password": "correct horse battery"})
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    async with site.signed_in("tom") as tom:
        assert (await tom.post("/sign-out")).headers["hx-redirect"] == "/sign-in"
        assert (await tom.get("/agent")).status_code == 303
    async with site.signed_in("tom") as tom:
        site.clock.passes(hours=2)
        answer = await tom.get("/agent/pop", headers={"X-Fragment": "1"})
        assert answer.status_code == 401
        assert answer.text == "You are signed out. Sign in again."


async def test_with_tls_the_cookie_and_the_host_are_pinned(database) -> None:  # type: ignore[no-untyped-def]
    site = Site(database, tls=True)
    async with site.client() as client:
        answer = await client.post("/sign-in", data={"username": "tom", "password": "correct horse battery"})
        assert answer.headers["set-cookie"].startswith("__Host-hotline=")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "wss://" in answer.headers["content-security-policy"]


@pytest.mark.covers("I7")
async def test_every_page_says_how_it_is_to_be_handled(site: Site) -> None:
    async with site.signed_in("ana") as ana:
        for path in ("/followups", f"/followups/{site.task(JOAO).id}", "/agent", "/recordings", "/nowhere"):
            answer = await ana.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["cache-control"] == "no-store"
            assert "strict-transport-security" not in answer.headers
            assert not re.search(r"<script(?![^>]+src=)|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text), path
        style = await ana.get("/static/console.css?v=1")
        assert "immutable" in style.headers["cache-control"]


@pytest.mark.parametrize("host", ["elsewhere.example", "", "127.0.0.1:8000"])
async def test_another_name_for_this_machine_is_not_answered(site: Site, host: str) -> None:
    async with site.client() as client:
        assert (await client.get("/sign-in", headers={"Host": host})).status_code == 421


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/vendor/../../app.py", "/static/%00"],
)
async def test_only_files_of_the_console_are_given_out(site: Site, path: str) -> None:
    async with site.client() as client:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "create_app" not in answer.text


async def test_a_body_that_is_too_large_is_refused(site: Site) -> None:
    async def endless():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b"username=" + b"x" * 10_000

    async with site.client() as client:
        assert (await client.post("/sign-in", content=b"x" * 300_000)).status_code == 413
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert (await client.post("/sign-in", content=endless(), headers=headers)).status_code == 413


@pytest.mark.covers("I9", "I8")
async def test_another_agents_card_is_refused_and_the_try_is_written_down(site: Site) -> None:
    pop = await site.rings("tom", LUCIA)
    async with site.signed_in("grace") as grace:
        for path in ("who", "journey", "record"):
            assert (await grace.get(f"/agent/pops/{pop}/{path}")).status_code == 403
        for path, form in (("note", {"note": "x"}), ("ticks/name", {"on": "on"})):
            assert (await grace.post(f"/agent/pops/{pop}/{path}", data=form)).status_code == 403
        assert {row.subject for row in denials(site)} == {f"screen_pop:{pop}"}
        assert "Lucía" not in (await grace.get("/agent/pop")).text


@pytest.mark.covers("H17", "H51")
async def test_anas_recording_is_for_her_and_for_her_supervisor(site: Site) -> None:
    await site.dialling.start(site.task(JOAO).id, site.accounts["ana"])
    await site.answers(JOAO)
    await site.dialling.start_recording(site.attempt(JOAO).id, site.accounts["ana"])
    recording = await site.sealed(JOAO)
    sound = f"/recordings/{recording}/sound"
    async with site.signed_in("ana") as ana, site.signed_in("grace") as grace:
        whole = await ana.get(sound)
        assert (whole.status_code, whole.content) == (200, site.replay.sound)
        for _ in range(3):
            middle = await grace.get(sound, headers={"Range": "bytes=20000-29999"})
            assert (middle.status_code, len(middle.content)) == (206, 10_000)
        assert (await grace.get(sound, headers={"Range": "bytes=9999999-"})).status_code == 416
        heard = (await grace.get(f"/recordings/{recording}")).text
        assert heard.count("played a recording") == 2  # Ana once; Grace's three parts are one replay
        site.replay.damaged = True
        assert (await grace.get(sound)).status_code == 409
        assert "It is damaged." in (await grace.post(f"/recordings/{recording}/verify")).text
    async with site.signed_in("tom") as tom:
        assert (await tom.get(sound)).status_code == 403


@pytest.mark.covers("H13", "H51")
async def test_another_nurses_task_is_not_hers(site: Site) -> None:
    from hospital.followups import FollowUpTask

    task = site.task(JOAO)
    with site.database.transaction() as session:
        session.get_one(FollowUpTask, task.id).owner_id = site.accounts["grace"]
    async with site.signed_in("ana") as ana, site.signed_in("grace") as grace:
        assert "João" not in (await ana.get("/followups")).text
        assert (await ana.get(f"/followups/{task.id}")).status_code == 403
        assert (await ana.post(f"/followups/{task.id}/skip", data={"reason": "other"})).status_code == 403
        assert "João" in (await grace.get("/followups")).text
