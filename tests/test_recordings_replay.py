"""Grace jumps to the middle; a player's every question for a part gets RFC 9110's answer."""

import struct
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.catalogue import Entry
from recordings.files import Shelf
from recordings.format import CHUNK_BYTES, HEADER, TAG_BYTES
from recordings.replay import NotThere, Part, Replay, answer, byte_range
from recordings.sealing import Tampered, seal


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, Part(200, 0, 1000, 1000)),
        ("bytes=0-", Part(206, 0, 1000, 1000)),
        ("bytes=0-0", Part(206, 0, 1, 1000)),
        ("bytes=200-299", Part(206, 200, 300, 1000)),
        ("bytes=999-", Part(206, 999, 1000, 1000)),
        ("bytes=900-5000", Part(206, 900, 1000, 1000)),
        ("bytes=-100", Part(206, 900, 1000, 1000)),
        ("bytes=-5000", Part(206, 0, 1000, 1000)),
        ("Bytes = 5-6 ", Part(206, 5, 7, 1000)),
        ("bytes=1000-", Part(416, 0, 0, 1000)),
        ("bytes=1000-2000", Part(416, 0, 0, 1000)),
        ("bytes=-0", Part(416, 0, 0, 1000)),
        ("bytes=0-1,5-6", Part(200, 0, 1000, 1000)),
        ("bytes=6-5", Part(200, 0, 1000, 1000)),
        ("bytes=-", Part(200, 0, 1000, 1000)),
        ("bytes=a-b", Part(200, 0, 1000, 1000)),
        ("bytes=٣-٥", Part(200, 0, 1000, 1000)),
        ("seconds=1-2", Part(200, 0, 1000, 1000)),
        ("bytes=" + "9" * 5000 + "-", Part(200, 0, 1000, 1000)),
        ("", Part(200, 0, 1000, 1000)),
    ],
)
def test_range_headers(header: str | None, expected: Part) -> None:
    assert byte_range(header, 1000) == expected


@given(header=st.text(max_size=40) | st.from_regex(r"bytes=\d*-\d*", fullmatch=True), total=st.integers(0, 10**10))
def test_whatever_is_asked_the_answer_lies_within_the_recording(header: str, total: int) -> None:
    part = byte_range(header, total)
    assert 0 <= part.start <= part.end <= total
    assert part.status in (200, 416) or part.start < part.end


def test_headers_of_an_answer() -> None:
    assert byte_range("bytes=200-299", 1000).headers() == {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Length": "100",
        "Content-Range": "bytes 200-299/1000",
        "Content-Type": "audio/wav",
    }
    refused = byte_range("bytes=1000-", 1000).headers()
    assert (refused["Content-Range"], refused["Content-Length"]) == ("bytes */1000", "0")
    assert "Content-Range" not in byte_range(None, 1000).headers()


class OneRow:
    """A catalogue of one recording."""

    def __init__(self, entry: Entry | None) -> None:
        self.entry = entry

    async def known(self, recording_id: UUID) -> Entry | None:
        return self.entry if self.entry and self.entry.recording_id == recording_id else None

    async def sealed(self, recording_id: UUID, path: str, sealed: object) -> bool:
        raise AssertionError("replay writes nothing")

    async def failed(self, recording_id: UUID, reason: str) -> None:
        raise AssertionError("replay writes nothing")

    async def unfinished(self) -> list[UUID]:
        raise AssertionError("replay lists nothing")


SOUND = bytes(range(256)) * 1024  # 256 KiB: five chunks with the header
PLAIN = (
    struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(SOUND), b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
    + struct.pack("<4sI", b"data", len(SOUND))
    + SOUND
)


class Kept:
    """João's recording on its shelf."""

    def __init__(self, folder: Path) -> None:
        self.id = uuid4()
        self.shelf = Shelf(folder / "recordings")
        self.shelf.make_room(self.id)
        (folder / "call.wav").write_bytes(PLAIN)
        with (folder / "call.wav").open("rb") as plain:
            sealed = seal(plain, self.shelf.sealed(self.id), self.shelf.part(self.id), self.id, lambda key: key[::-1])
        self.catalogue = OneRow(Entry(self.id, "sealed", sealed.sha256, sealed.wrapped_key))
        self.replay = Replay(self.shelf, self.catalogue, lambda wrapped: wrapped[::-1])

    def flip(self, byte: int) -> None:
        path = self.shelf.sealed(self.id)
        written = bytearray(path.read_bytes())
        written[byte] ^= 4
        path.write_bytes(written)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


async def test_grace_jumps_to_the_middle(kept: Kept) -> None:
    sealed = await kept.replay.open(kept.id)
    sent = answer(sealed, "bytes=131072-200000")
    assert sent.part.status == 206
    assert b"".join(sent.body) == PLAIN[131072:200001]


async def test_ana_hears_all_of_it(kept: Kept) -> None:
    sent = answer(await kept.replay.open(kept.id), None)
    assert (sent.part.status, b"".join(sent.body)) == (200, PLAIN)


async def test_the_player_draws_how_loud_it_was(kept: Kept) -> None:
    peaks = await kept.replay.peaks(kept.id)
    assert len(peaks) == 600
    assert set(peaks) == {0.996}  # the loudest sample of every 256 bytes is 0x7f7e


async def test_beyond_the_end_there_is_nothing(kept: Kept) -> None:
    sent = answer(await kept.replay.open(kept.id), f"bytes={len(PLAIN)}-")
    assert (sent.part.status, b"".join(sent.body)) == (416, b"")


async def test_a_damaged_beginning_is_told_before_a_status_is_sent(kept: Kept) -> None:
    kept.flip(HEADER.size + 5)
    sealed = await kept.replay.open(kept.id)
    with pytest.raises(Tampered):
        answer(sealed, None)


async def test_damage_further_on_breaks_off_before_a_false_byte_is_sent(kept: Kept) -> None:
    kept.flip(HEADER.size + 2 * (CHUNK_BYTES + TAG_BYTES))
    heard, body = b"", answer(await kept.replay.open(kept.id), None).body
    with pytest.raises(Tampered) as found:
        for piece in body:
            heard += piece
    assert found.value.chunk == 2
    assert heard == PLAIN[: 2 * CHUNK_BYTES]
    with pytest.raises(Tampered):
        await kept.replay.verify(kept.id)


async def test_a_file_sealed_anew_by_somebody_who_has_its_key_is_found(kept: Kept, tmp_path: Path) -> None:
    await kept.replay.verify(kept.id)
    assert kept.catalogue.entry
    kept.catalogue.entry = Entry(kept.id, "sealed", "0" * 64, kept.catalogue.entry.wrapped_key)
    with pytest.raises(Tampered, match="catalogued"):
        await kept.replay.verify(kept.id)


async def test_what_is_not_there_says_why(kept: Kept) -> None:
    with pytest.raises(NotThere) as unknown:
        await kept.replay.open(uuid4())
    assert unknown.value.reason == "unknown"
    for entry, reason in [(Entry(kept.id, "open"), "open"), (Entry(kept.id, "none", reason="refused"), "refused")]:
        kept.catalogue.entry = entry
        with pytest.raises(NotThere) as absent:
            await kept.replay.open(kept.id)
        assert absent.value.reason == reason


async def test_a_file_that_is_gone_from_the_shelf_is_tampering(kept: Kept) -> None:
    kept.shelf.sealed(kept.id).unlink()
    with pytest.raises(Tampered, match="gone from the shelf"):
        await kept.replay.open(kept.id)
