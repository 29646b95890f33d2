"""The live stream and the browser phone's WebSocket, over real connections."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import websockets
from sqlalchemy import text

from hospital import account_orders
from hospital.database import announce
from hospital.notices import LOOK_AGAIN, Notice, read
from tests.browser import PASSWORD, Site, served, site
from tests.characters import LUCIA
from web import live
from web.live import Audience, Hub, Subscription

__all__ = ["served", "site"]

Events = AsyncIterator[tuple[str, dict[str, str]]]


@asynccontextmanager
async def page(site: Site, who: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url(""), timeout=10) as client:
        await client.post("/sign-in", data={"username": who, "password": PASSWORD})
        yield client


@asynccontextmanager
async def listening(client: httpx.AsyncClient, after: str = "") -> AsyncIterator[Events]:
    """What a page is told, but for the audit log's growth: (id, notice)."""
    async with client.stream("GET", "/live", headers={"Last-Event-ID": after}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: httpx.Response) -> Events:
    ident = ""
    async for line in answer.aiter_lines():
        if line.startswith("id: "):
            ident = line.removeprefix("id: ")
        if line.startswith("data: "):
            notice = json.loads(line.removeprefix("data: "))
            if notice["kind"] != "audit":
                yield ident, notice


async def told(events: Events) -> dict[str, str]:
    return (await asyncio.wait_for(anext(events), 5))[1]


@pytest.mark.covers("I9")
async def test_a_screen_pop_is_told_to_the_ringing_agent_only(served: Site) -> None:
    async with (
        page(served, "tom") as tom,
        page(served, "grace") as grace,
        listening(tom) as toms,
        listening(grace) as graces,
    ):
        assert await told(toms) == await told(graces) == {"kind": "look_again", "id": ""}
        pop = await served.rings("tom", LUCIA)
        while (notice := await told(toms))["kind"] != "screen_pop":
            assert notice["kind"] == "call"
        assert notice["id"] == str(pop)
        with served.database.transaction() as session:
            announce(session, "callback", "after")
        assert await told(graces) == {"kind": "callback", "id": "after"}  # and nothing before it


def announced(site: Site, ident: str) -> None:
    with site.database.transaction() as session:
        announce(session, "callback", ident)


async def heard(site: Site, ident: str) -> None:
    """The hub hears of it in its own time."""
    async with asyncio.timeout(5):
        while site.services.live._lately[-1][1].id != ident:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_page_that_comes_back_is_told_what_it_missed(served: Site) -> None:
    async with page(served, "tom") as tom:
        async with listening(tom) as first:
            assert (await told(first))["kind"] == "look_again"
            announced(served, "before")  # what signing in wrote into the audit log has been told by then
            ident, notice = await asyncio.wait_for(anext(first), 5)
            assert notice["id"] == "before"
        async with listening(tom, ident) as second:
            announced(served, "first")
            ident, notice = await asyncio.wait_for(anext(second), 5)
            assert notice == {"kind": "callback", "id": "first"}
        announced(served, "missed")
        await heard(served, "missed")
        async with listening(tom, ident) as third:
            assert await told(third) == {"kind": "callback", "id": "missed"}
        for number in range(70):
            announced(served, str(number))
        await heard(served, "69")
        now = served.services.live.position
        for position in (ident, "", "x-1", now + "1", now + "x"):
            async with listening(tom, position) as late:
                assert await told(late) == {"kind": "look_again", "id": ""}, position


@pytest.mark.covers("I9")
async def test_who_comes_back_is_told_nothing_of_others(served: Site) -> None:
    async with page(served, "grace") as grace:
        async with listening(grace) as first:
            assert (await told(first))["kind"] == "look_again"
            announced(served, "before")
            ident, _ = await asyncio.wait_for(anext(first), 5)
        before = served.services.live.position
        await served.rings("tom", LUCIA)
        announced(served, "after")
        await heard(served, "after")
        assert "screen_pop" in {notice.kind for _, notice, _ in served.services.live._since(before)}
        async with listening(grace, ident) as second:
            assert await told(second) == {"kind": "callback", "id": "after"}


@pytest.mark.covers("H51", "I9")
async def test_a_session_that_ends_is_noticed_however_much_is_told(
    served: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT", 0.5)

    async def busy() -> None:
        for number in itertools.count():
            announced(served, str(number))
            await asyncio.sleep(0.05)

    async with page(served, "tom") as tom, page(served, "grace") as grace, listening(grace) as graces:
        async with tom.stream("GET", "/live") as answer:
            lines = answer.aiter_lines()
            noise = asyncio.create_task(busy())
            while not (await asyncio.wait_for(anext(lines), 5)).startswith("data"):
                pass
            with served.database.transaction() as session:
                assert account_orders.close(session, served.accounts["tom"], None, served.clock())
                assert account_orders.give_role(session, served.accounts["grace"], "none", None, served.clock())
            async with asyncio.timeout(5):
                assert "event: signed_out" in [line async for line in lines]
        async with asyncio.timeout(2):
            with pytest.raises(TimeoutError):
                while True:
                    await asyncio.wait_for(anext(graces), 0.9)
        noise.cancel()


async def test_the_database_goes_and_comes_and_pages_look_again(served: Site) -> None:
    async with page(served, "tom") as tom, listening(tom) as toms:
        assert (await told(toms))["kind"] == "look_again"
        with served.database.transaction() as session:
            session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))
        assert await told(toms) == {"kind": "look_again", "id": ""}
        with served.database.transaction() as session:
            announce(session, "callback", "again")
        assert await told(toms) == {"kind": "callback", "id": "again"}


async def test_a_slow_page_is_told_to_look_again_and_costs_no_memory() -> None:
    class Grace:
        account_id = None

        def may(self, right: str) -> bool:
            return True

    slow = Subscription(Grace())  # type: ignore[arg-type]
    for n in range(1000):
        slow.put(str(n), Notice("task", str(n)))
    assert slow.queue.qsize() <= 64
    kinds = [slow.queue.get_nowait()[1] for _ in range(slow.queue.qsize())]
    assert LOOK_AGAIN in kinds


async def test_a_row_that_cannot_be_read_silences_nobody() -> None:
    class Two:
        async def listen(self) -> AsyncIterator[Notice]:
            yield Notice("bad", "1")
            yield Notice("good", "2")

    async def audience(notice: Notice) -> Audience:
        if notice.kind == "bad":
            raise RuntimeError("no such row")
        return Audience(right="any")

    class Anybody:
        account_id = None

        def may(self, right: str) -> bool:
            return True

    hub = Hub(Two(), audience)
    with hub.subscribed(Anybody(), hub.position) as page:  # type: ignore[arg-type]
        await hub.run()
        assert page.queue.get_nowait()[1] == Notice("good", "2")
    assert len(hub) == 0


@pytest.mark.parametrize("payload", ["", "task", "task:", ":x", "ta sk:x", "task:" + "x" * 201, "<b>:x"])
def test_what_is_no_notice_is_dropped(payload: str) -> None:
    assert read(payload) is None


# ── The phone's WebSocket ───────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def asterisk(site: Site) -> AsyncIterator[list[str]]:
    """Asterisk's WebSocket, which answers 200 to all."""
    heard: list[str] = []

    async def answer(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            heard.append(str(message))
            await connection.send("SIP/2.0 200 OK\r\n\r\n")

    async with websockets.serve(answer, site.address, 8088, subprotocols=["sip"]):  # type: ignore[list-item]
        yield heard


async def cookie(site: Site, who: str) -> str:
    async with httpx.AsyncClient(base_url=site.url("")) as client:
        answer = await client.post("/sign-in", data={"username": who, "password": PASSWORD})
        return answer.headers["set-cookie"].split(";")[0]


def connect(site: Site, *, cookie: str = "", origin: str | None = None, protocol: str = "sip"):  # type: ignore[no-untyped-def]
    return websockets.connect(
        site.url("/sip").replace("http", "ws"),
        subprotocols=[protocol],  # type: ignore[list-item]
        origin=site.url("") if origin is None else origin,  # type: ignore[arg-type]
        additional_headers={"Cookie": cookie} if cookie else {},
        proxy=None,
    )


async def test_toms_browser_reaches_asterisk_through_the_console(served: Site) -> None:
    async with asterisk(served) as heard, connect(served, cookie=await cookie(served, "tom")) as phone:
        assert phone.subprotocol == "sip"
        await phone.send("REGISTER sip:hotline.invalid SIP/2.0\r\n\r\n")
        assert await asyncio.wait_for(phone.recv(), 5) == "SIP/2.0 200 OK\r\n\r\n"
    assert heard == ["REGISTER sip:hotline.invalid SIP/2.0\r\n\r\n"]


@pytest.mark.covers("H51")
@pytest.mark.parametrize(
    ("who", "origin", "protocol"),
    [("", None, "sip"), ("oscar", None, "sip"), ("tom", "https://elsewhere.example", "sip"), ("tom", None, "chat")],
    ids=["a stranger", "oscar", "another site's page", "another protocol"],
)
async def test_nobody_else_reaches_asterisk(served: Site, who: str, origin: str | None, protocol: str) -> None:
    async with asterisk(served) as heard:
        with pytest.raises(websockets.InvalidStatus):
            async with connect(
                served, cookie=await cookie(served, who) if who else "", origin=origin, protocol=protocol
            ):
                pass
    assert heard == []


async def test_without_asterisk_the_phone_is_told_to_come_again(served: Site) -> None:
    async with connect(served, cookie=await cookie(served, "tom")) as phone:
        with pytest.raises(websockets.ConnectionClosed):
            await phone.recv()
        assert phone.close_code == 1013


async def test_a_patients_phone_is_borrowed_in_the_demo_and_on_this_machine_only(database) -> None:  # type: ignore[no-untyped-def]
    demo = Site(database, demo=True)
    async with demo.client() as here, demo.client("192.0.2.7") as elsewhere:
        page = await here.get("/patient-phone?as=lucia")
        assert "Lucía" in page.text and "not-told" not in page.text
        line = await here.get("/patient-phone/lucia/line")
        assert (line.json()["username"], line.headers["cache-control"]) == ("lucia", "no-store")
        for path in ("/patient-phone?as=lucia", "/patient-phone/lucia/line"):
            assert (await elsewhere.get(path)).status_code == 404
        assert (await here.get("/patient-phone?as=oscar")).status_code == 404


async def test_outside_of_the_demo_there_is_no_such_page(site: Site) -> None:
    async with site.client() as client:
        for path in ("/patient-phone", "/patient-phone/lucia/line"):
            assert (await client.get(path)).status_code == 404
