"""From the spool to the shelf: whatever breaks off, there is a plain file or a sealed one whose key is known."""

import asyncio
import errno
import fcntl
import logging
import struct
from dataclasses import replace
from pathlib import Path, PurePosixPath
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

import recordings.capture
from recordings.capture import Capture
from recordings.catalogue import Entry, Missing
from recordings.files import Shelf, Spool
from recordings.replay import Replay
from recordings.room import Limits, Room, may_record, measure
from recordings.sealing import Sealed

SITE_KEY = bytes(32)
NO_FLOOR = Limits(keep_free_bytes=0)


def wav(seconds: float = 1.0, *, finished: bool = True) -> bytes:
    sound = b"\x10\x20" * int(8000 * seconds)
    said = len(sound) if finished else 0
    fmt = (b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + said, b"WAVE", *fmt, b"data", said) + sound


class Rows:
    """A catalogue in memory, with the states' rules; `down` makes the next write fail as a lost database does."""

    def __init__(self) -> None:
        self.rows: dict[UUID, Entry] = {}
        self.down = False

    def opened(self) -> UUID:
        recording_id = uuid4()
        self.rows[recording_id] = Entry(recording_id, "open")
        return recording_id

    async def sealed(self, recording_id: UUID, path: str, sealed: Sealed) -> bool:
        if self.down:
            raise ConnectionError("the database is gone")
        if self.rows[recording_id].state not in ("open", "lost"):
            return False
        assert path == f"{str(recording_id)[:2]}/{recording_id}.hlr"
        self.rows[recording_id] = Entry(recording_id, "sealed", sealed.sha256, sealed.wrapped_key)
        return True

    async def failed(self, recording_id: UUID, reason: Missing) -> None:
        if self.rows[recording_id].state == "open":
            self.rows[recording_id] = Entry(recording_id, "lost", reason=reason)

    async def known(self, recording_id: UUID) -> Entry | None:
        return self.rows.get(recording_id)

    async def unfinished(self) -> list[UUID]:
        return [entry.recording_id for entry in self.rows.values() if entry.state == "open"]


class House:
    """A spool, a shelf and a catalogue. `restarted` is what a new process finds."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool", PurePosixPath("/hotline/spool"))
        self.spool.root.mkdir()
        self.shelf = Shelf(folder / "recordings")
        self.rows = Rows()
        self.capture = self.restarted()

    def restarted(self, limits: Limits = NO_FLOOR) -> Capture:
        return Capture(self.spool, self.shelf, self.rows, wrap, limits, closing_seconds=0.2)

    def asterisk_writes(self, content: bytes, recording_id: UUID | None = None) -> UUID:
        recording_id = recording_id or self.rows.opened()
        self.spool.plain(recording_id).write_bytes(content)
        return recording_id

    async def hears(self, recording_id: UUID) -> bytes:
        replay = Replay(self.shelf, self.rows, lambda wrapped: aes_key_unwrap(SITE_KEY, wrapped))
        await replay.verify(recording_id)
        with await replay.open(recording_id) as sealed:
            return sealed.read()

    def plain_files(self) -> list[str]:
        return sorted(path.name for path in self.spool.root.iterdir())

    def state(self, recording_id: UUID) -> tuple[str, str | None]:
        entry = self.rows.rows[recording_id]
        return entry.state, entry.reason


def wrap(key: bytes) -> bytes:
    return aes_key_wrap(SITE_KEY, key)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.mark.covers("I5")
async def test_a_call_is_recorded_sealed_and_no_plain_copy_is_left(house: House) -> None:
    recording_id = house.rows.opened()
    assert house.capture.begin(recording_id) == PurePosixPath(f"/hotline/spool/{recording_id}.wav")
    house.asterisk_writes(wav(), recording_id)
    sealed = await house.capture.finish(recording_id)
    assert isinstance(sealed, Sealed)
    assert (sealed.seconds, house.plain_files()) == (1.0, [])
    assert await house.hears(recording_id) == wav()
    assert house.shelf.sealed(recording_id).stat().st_mode & 0o777 == 0o600
    assert house.shelf.root.stat().st_mode & 0o777 == 0o700
    assert await house.capture.finish(recording_id) is None, "a second end of the same call changes nothing"


async def test_the_end_of_a_call_waits_until_asterisk_has_closed_the_file(house: House) -> None:
    """The hang-up is told before the header is written: the last words must not be cut off."""
    recording_id = house.asterisk_writes(wav(1, finished=False))
    ending = asyncio.create_task(house.restarted().finish(recording_id))
    with house.spool.plain(recording_id).open("r+b") as file:
        for seconds in (1.1, 1.2, 1.3, 1.4, 1.5):
            await asyncio.sleep(0.1)  # Asterisk writes in its own time; longer altogether than the patience of 0.2 s
            file.seek(0)
            file.write(wav(seconds, finished=False))
            file.flush()
            assert not ending.done()
        file.seek(0)
        file.write(wav(1.5))
    sealed = await ending
    assert isinstance(sealed, Sealed)
    assert (sealed.seconds, sealed.repaired) == (1.5, False)


async def test_a_crash_left_files_behind(house: House) -> None:
    closed, cut_off, live = (
        house.asterisk_writes(wav()),
        house.asterisk_writes(wav(2, finished=False)),
        house.asterisk_writes(wav(3, finished=False)),
    )
    nothing, header_only, gone = house.asterisk_writes(b""), house.asterisk_writes(wav(0)), house.rows.opened()
    swept = await house.restarted().sweep(live={live})
    assert set(swept.sealed) == {closed, cut_off}
    assert len(await house.hears(cut_off)) == 44 + 2 * 16000
    assert swept.missing == {
        nothing: Missing.NO_AUDIO,
        header_only: Missing.NO_AUDIO,
        gone: Missing.ASTERISK_LOST,
    }
    assert house.state(gone) == ("lost", "asterisk_lost")
    assert house.plain_files() == [f"{live}.wav"], "a call that goes on is left alone"
    again = await house.restarted().sweep(live={live})
    assert not (again.sealed or again.missing or again.kept)


async def test_a_sweep_leaves_alone_what_this_process_is_recording(house: House) -> None:
    recording_id = house.rows.opened()
    house.capture.begin(recording_id)
    swept = await house.capture.sweep(live=())
    assert not swept.missing
    assert house.state(recording_id) == ("open", None)
    assert await house.capture.finish(recording_id) is Missing.NOT_STARTED
    assert house.state(recording_id) == ("lost", "not_started")


async def test_the_database_is_lost_between_sealing_and_the_catalogue(house: House) -> None:
    recording_id = house.asterisk_writes(wav())
    house.rows.down = True
    with pytest.raises(ConnectionError):
        await house.capture.finish(recording_id)
    assert house.plain_files() == [f"{recording_id}.wav"], "the key is known to nobody: the plain file must stay"
    house.rows.down = False
    assert (await house.restarted().sweep(live=())).sealed == [recording_id]
    assert await house.hears(recording_id) == wav()


async def test_a_crash_between_the_catalogue_and_the_deletion(house: House) -> None:
    recording_id = house.asterisk_writes(wav())
    await house.capture.finish(recording_id)
    sealed_before = house.shelf.sealed(recording_id).read_bytes()
    house.asterisk_writes(wav(), recording_id)  # as if it had not been deleted
    await house.restarted().sweep(live=())
    assert house.plain_files() == []
    assert house.shelf.sealed(recording_id).read_bytes() == sealed_before, "a new key would not be the catalogue's"
    assert await house.hears(recording_id) == wav()


async def test_the_last_plain_copy_of_a_damaged_recording_is_kept(house: House) -> None:
    recording_id = house.asterisk_writes(wav())
    await house.capture.finish(recording_id)
    house.shelf.sealed(recording_id).write_bytes(b"damaged")
    house.asterisk_writes(wav(), recording_id)
    swept = await house.restarted().sweep(live=())
    assert "may be the only one" in swept.kept[recording_id]
    assert house.plain_files() == [f"{recording_id}.wav"]


async def test_two_who_seal_the_same_recording_make_one(house: House) -> None:
    recording_id = house.asterisk_writes(wav(30))
    outcomes = await asyncio.gather(*(house.restarted().finish(recording_id) for _ in range(6)))
    assert sum(isinstance(outcome, Sealed) for outcome in outcomes) == 1
    assert await house.hears(recording_id) == wav(30)


async def test_another_process_is_sealing_it(house: House) -> None:
    recording_id = house.asterisk_writes(wav())
    with house.spool.plain(recording_id).open("rb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        swept = await house.restarted().sweep(live=())
    assert not (swept.sealed or swept.missing or swept.kept)
    assert house.state(recording_id) == ("open", None)


async def test_what_turns_up_after_it_was_given_up_is_sealed(house: House) -> None:
    recording_id = house.rows.opened()
    await house.restarted().sweep(live=())
    assert house.state(recording_id)[0] == "lost"
    house.asterisk_writes(wav(), recording_id)  # the spool had not been mounted
    assert (await house.restarted().sweep(live=())).sealed == [recording_id]


async def test_what_cannot_be_settled_stays_and_says_why(house: House, caplog: pytest.LogCaptureFixture) -> None:
    unknown = house.asterisk_writes(wav(), uuid4())
    refused = house.asterisk_writes(wav())
    house.rows.rows[refused] = Entry(refused, "none", reason="refused")
    unreadable = house.asterisk_writes(b"\xff" * 500)
    (house.spool.root / "notes.txt").write_text("somebody's")
    with caplog.at_level(logging.DEBUG):
        swept = await house.restarted().sweep(live=())
    assert "does not know it" in swept.kept[unknown]
    assert "refused" in swept.kept[refused]
    assert "RIFF" in swept.kept[unreadable]
    assert [path.name for path in swept.strays] == ["notes.txt"]
    assert len(house.plain_files()) == 4
    for recording_id in (unknown, refused, unreadable):
        assert str(recording_id) in caplog.text
    assert "notes.txt" not in caplog.text, "a foreign file's name may be a patient's"


async def test_a_full_shelf_keeps_the_plain_file(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Sealed:
        raise OSError(errno.ENOSPC, "No space left on device")

    recording_id = house.asterisk_writes(wav())
    with monkeypatch.context() as patch:
        patch.setattr(recordings.capture, "seal", full)
        swept = await house.restarted().sweep(live=())
    assert "ENOSPC" in swept.kept[recording_id]
    assert (await house.restarted().sweep(live=())).sealed == [recording_id]


async def test_sealings_that_broke_off_are_cleared_away(house: House) -> None:
    recording_id = house.asterisk_writes(wav())
    for unfinished in (recording_id, uuid4()):
        house.shelf.make_room(unfinished)
        house.shelf.part(unfinished).write_bytes(b"half")
    await house.restarted().sweep(live=())
    assert house.shelf.parts() == {}
    assert await house.hears(recording_id) == wav()


def test_the_rule_of_room() -> None:
    limits = Limits(keep_free_bytes=1000, quota_bytes=5000)
    assert may_record(Room(1000, 4999), limits).allowed
    for room, advice in [
        (Room(999, 0), "Free some space"),
        (Room(10**9, 5000), "cannot be sealed"),
        (Room(None, 0), "not there"),
    ]:
        decision = may_record(room, limits)
        assert (decision.allowed, decision.reason) == (False, Missing.SPOOL_FULL)
        assert advice in decision.advice
    assert may_record(Room(10**9, 10**12), replace(limits, quota_bytes=None)).allowed


def test_a_real_spool_is_measured(house: House) -> None:
    house.asterisk_writes(wav())
    room = measure(house.spool)
    assert room.plain_bytes == 44 + 16000
    assert room.free_bytes
    assert house.restarted(Limits(keep_free_bytes=0, quota_bytes=16000)).may_record().reason == "spool_full"
    assert measure(Spool(house.spool.root / "absent", PurePosixPath("/x"))) == Room(None, 0)
