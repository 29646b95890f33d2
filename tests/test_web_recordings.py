"""Grace finds Ana's call and jumps to its middle; Oscar is refused; a flipped bit is found."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from hospital import audit, recordings
from hospital.audit import AuditRow
from hospital.database import Database
from tests.characters import JOAO
from tests.console_app import Site, words

SOUND = np.random.default_rng(7).integers(-9000, 9000, 80_000).astype("<i2").tobytes()  # ten seconds


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


@pytest.fixture
def recorded(site: Site) -> tuple[UUID, bytes]:
    attempt = site.talking()
    made = site.recorded(attempt, SOUND)
    site.over(attempt)
    return made


def rows(site: Site, action: str) -> list[AuditRow]:
    with site.database.transaction() as session:
        return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)))


@pytest.mark.covers("H18", "I8")
async def test_grace_finds_it_jumps_to_the_middle_and_sees_who_heard_it(
    site: Site, recorded: tuple[UUID, bytes]
) -> None:
    recording_id, plain = recorded
    async with site.signed_in("ana") as ana:
        whole = await ana.get(f"/recordings/{recording_id}/sound")
        assert whole.content == plain
    async with site.signed_in("grace") as grace:
        assert JOAO.name in (await grace.post("/recordings/find", wanted="joão")).text
        assert JOAO.name not in (await grace.post("/recordings/find", wanted="Mei")).text
        middle = await grace.get(f"/recordings/{recording_id}/sound", 206, Range="bytes=80000-80999")
        assert middle.content == plain[80_000:81_000]
        assert middle.headers["Content-Range"] == f"bytes 80000-80999/{len(plain)}"
        assert middle.headers["Cache-Control"] == "no-store"
        await grace.get(f"/recordings/{recording_id}/sound", 416, Range=f"bytes={len(plain)}-")
        page = words((await grace.get(f"/recordings/{recording_id}")).text)
        peaks = (await grace.get(f"/recordings/{recording_id}/peaks")).json()
    assert "Ana played a recording" in page
    assert "Grace played a recording" in page
    assert 0 < len(peaks) <= 600
    assert max(peaks) == pytest.approx(9000 / 32768, abs=0.002)


@pytest.mark.covers("H18")
async def test_the_parts_of_one_listen_are_one_replay(site: Site, recorded: tuple[UUID, bytes]) -> None:
    recording_id, _ = recorded
    async with site.signed_in("grace") as grace:
        for part in ("bytes=0-", "bytes=65536-", "bytes=131072-140000"):
            await grace.get(f"/recordings/{recording_id}/sound", 206, Range=part)
    played = rows(site, "recording.play")
    assert [(row.account_id, row.subject) for row in played] == [(site.staff["grace"].id, f"recording:{recording_id}")]


@pytest.mark.covers("H18", "I8")
@pytest.mark.parametrize("path", ["", "/sound", "/peaks", "/heard"])
@pytest.mark.parametrize("who", ["oscar", "ruby"])
async def test_who_may_not_hear_it_is_refused_and_the_try_is_in_the_chain(
    site: Site, recorded: tuple[UUID, bytes], who: str, path: str
) -> None:
    recording_id, plain = recorded
    async with site.signed_in(who) as stranger:
        refused = await stranger.get(f"/recordings/{recording_id}{path}", 403)
    assert JOAO.name not in refused.text
    assert plain[44:200] not in refused.content
    assert [row.account_id for row in rows(site, "denied")] == [site.staff[who].id]
    assert rows(site, "recording.play") == []
    with site.database.transaction() as session:
        assert audit.verify(session).sound


@pytest.mark.covers("H17", "H18")
@pytest.mark.parametrize("wanted", ["João", "souza joão", JOAO.numbers[0], "an"])
async def test_one_of_long_ago_is_found_by_whose_it_is(
    site: Site, recorded: tuple[UUID, bytes], wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.recordings.LATELY", 1)
    with site.database.transaction() as session:
        for reason, after in (("refused", 1), ("automatic", 2)):
            later = site.now + timedelta(hours=after)
            recordings.none_because(session, call_id=f"n1-{reason}", reason=reason, at=later)
    async with site.signed_in("grace") as grace:
        listed = (await grace.get("/recordings")).text
        assert JOAO.name not in listed and listed.count("<tr>") == 2, "the newest, and not the hotline's own"
        assert JOAO.name in (await grace.post("/recordings/find", wanted=wanted)).text
    async with site.signed_in("ruby") as ruby:
        assert JOAO.name not in (await ruby.post("/recordings/find", wanted=wanted)).text


async def test_another_nurse_does_not_find_it(site: Site, recorded: tuple[UUID, bytes]) -> None:
    async with site.signed_in("ruby") as ruby:
        assert JOAO.name not in (await ruby.get("/recordings")).text


@pytest.mark.covers("H18")
async def test_a_flipped_bit_is_found_and_reported(site: Site, recorded: tuple[UUID, bytes]) -> None:
    recording_id, _ = recorded
    sealed = site.shelf.sealed(recording_id)
    async with site.signed_in("grace") as grace:
        assert "It is whole" in words((await grace.post(f"/recordings/{recording_id}/verify")).text)
        spoilt = bytearray(sealed.read_bytes())
        spoilt[len(spoilt) // 3] ^= 1
        sealed.write_bytes(spoilt)
        assert "It is damaged" in words((await grace.post(f"/recordings/{recording_id}/verify")).text)
        refused = await grace.get(f"/recordings/{recording_id}/sound", 409)
    assert "damaged" in refused.text
    assert [row.detail["verdict"] for row in rows(site, "recording.verify")] == ["whole", "damaged"]


@pytest.mark.covers("H18")
async def test_ana_hears_her_own_call_in_the_form_without_being_asked_why(
    site: Site, recorded: tuple[UUID, bytes]
) -> None:
    recording_id, _ = recorded
    async with site.signed_in("ana") as ana:
        part = (await ana.get(f"/followups/{site.task.id}/recording")).text
    assert f'data-src="/recordings/{recording_id}/sound"' in part


@pytest.mark.covers("I8")
async def test_the_audit_page_says_whether_the_chain_verifies_newest_first(
    site: Site, recorded: tuple[UUID, bytes]
) -> None:
    recording_id, _ = recorded
    async with site.signed_in("oscar") as oscar:
        await oscar.get(f"/recordings/{recording_id}", 403)
    async with site.signed_in("ana") as ana:
        await ana.get("/audit", 403)
    async with site.signed_in("grace") as grace:
        page = words((await grace.get("/audit?action=denied")).text)
        chain = words((await grace.get("/audit/chain")).text)
    assert page.index("Ana was refused") < page.index("Oscar was refused")
    assert "2" in chain or "3" in chain
