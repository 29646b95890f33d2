"""What callers left by voice is written down behind everything else: parted at pauses, sealed, marked, corrected."""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select, text

from hospital import audit, transcripts, vault
from hospital.cases import Case
from hospital.database import Database
from hospital.transcripts import Sentence, Transcript
from hotline import tapes
from hotline.transcribing import Transcriber
from recordings.replay import Replay
from speech.ears.engine import Engine
from speech.ears.sentences import LONGEST_S, pieces
from speech.ears.whisper import whisper
from speech.voices.espeak import Espeak
from tests import test_web_cases
from tests.console_app import Site, words
from tests.test_web_cases import told

RATE = 8000
LANGUAGES = frozenset({"en", "es"})


def talk(*seconds: float) -> bytes:
    """Speech and silence by turns, beginning with speech, over a quiet line's noise."""
    at = np.random.default_rng(7)
    parts = []
    for n, long in enumerate(seconds):
        samples = np.arange(int(long * RATE)) / RATE
        voice = 6000 * np.sin(2 * np.pi * 220 * samples) * (0.4 + 0.6 * np.abs(np.sin(2 * np.pi * 3 * samples)))
        parts.append((voice if n % 2 == 0 else 0 * voice) + at.normal(0, 15, len(samples)))
    return bytes(np.concatenate(parts).astype("<i2").tobytes())


def test_speech_is_parted_where_somebody_pauses() -> None:
    assert pieces(b"", RATE) == []
    assert pieces(talk(0.0, 5.0), RATE) == []
    assert pieces(talk(0.06, 3.0), RATE) == [], "a key or a cough"
    first, second = pieces(talk(2.0, 1.0, 3.0, 2.0), RATE)
    assert first == pytest.approx((0.0, 2.15), abs=0.1) and second == pytest.approx((2.85, 6.15), abs=0.1)
    assert len(pieces(talk(2.0, 0.3, 2.0), RATE)) == 1, "a short pause is within a sentence"
    parts = pieces(talk(40.0), RATE)
    assert all(0 < end - begin <= LONGEST_S + 0.1 for begin, end in parts)
    assert parts[0][0] == 0.0 and parts[-1][1] == pytest.approx(40.0, abs=0.1)
    assert [end for _, end in parts[:-1]] == [begin for begin, _ in parts[1:]], "nothing is lost in between"


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def transcriber(site: Site, engines: Callable[[], Sequence[Engine]]) -> Transcriber:
    catalogue = tapes.SqlCatalogue(site.database, lambda: site.now)
    replay = Replay(site.shelf, catalogue, vault.unwrap_key)
    return Transcriber(site.database, replay, engines, LANGUAGES, lambda: site.now)


def transcript(site: Site, case_id: UUID) -> Transcript | None:
    with site.database.transaction() as session:
        return session.scalar(
            select(Transcript).join(Case, Case.recording_id == Transcript.recording_id).where(Case.id == case_id)
        )


def absent(folder: Path) -> Callable[[], list[Engine]]:
    return lambda: [whisper(folder / "nowhere")]


@pytest.mark.covers("H30", "I7")
async def test_a_complaint_is_written_down_by_the_real_recogniser(
    site: Site, whisper_model: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = [await Espeak().say(one, "en", 0.8) for one in ("I waited two hours in the corridor.", "Nobody came to me.")]
    voice = said[0].pcm16(RATE) + b"\0\0" * RATE + said[1].pcm16(RATE)
    monkeypatch.setattr(test_web_cases, "SOUND", voice)
    case_id = told(site, "complaint", "n1-1")
    with site.database.transaction() as session:
        session.execute(text("UPDATE care_case SET language = 'en'"))
    absent_first = transcriber(site, absent(whisper_model))
    assert await absent_first.work() == 0
    assert transcript(site, case_id) is None, "ears that do not start are no fault of the recording's"
    writer = transcriber(site, lambda: [whisper(whisper_model, deadline_s=60)])
    assert await writer.work() == 1
    found = transcript(site, case_id)
    assert found is not None and found.state == "done" and found.engine.startswith("whisper whisper-base ")
    assert len(found.sentences) >= 2
    heard = found.text.casefold()
    assert "hours" in heard or "corridor" in heard or "nobody" in heard, heard
    assert found.sentences[-1].begins > said[0].seconds
    assert await writer.work() == 0, "once is enough"
    assert "hours" not in caplog.text and "corridor" not in caplog.text
    with site.database.transaction() as session:
        sealed = session.execute(text("SELECT said_sealed FROM transcript")).scalar_one()
        assert b"hours" not in bytes(sealed)


async def test_a_damaged_recording_is_given_up_after_three_tries(site: Site, whisper_model: Path) -> None:
    case_id = told(site, "message", "n1-1")
    with site.database.transaction() as session:
        recording_id = session.get_one(Case, case_id).recording_id
    assert recording_id is not None
    site.shelf.sealed(recording_id).unlink()
    assert await transcriber(site, lambda: [whisper(whisper_model)]).work() == 0
    found = transcript(site, case_id)
    assert found is not None and (found.state, found.tries) == ("failed", transcripts.TRIES)
    async with site.signed_in("ana") as ana:
        assert "could not write this down" in (await ana.get(f"/cases/{case_id}")).text


def written(site: Site, case_id: UUID) -> None:
    with site.database.transaction() as session:
        due = transcripts.due(session, LANGUAGES)
        assert due is not None and due.case_id == case_id
        transcripts.begin(session, due)
        sentences = [Sentence(0.4, 2.5, "Llevo dos horas esperando."), Sentence(3.1, 4.0, "Nadie vino.")]
        transcripts.heard(session, due, sentences, "whisper whisper-base 0123abcd", site.now)


@pytest.mark.covers("H30", "H51", "I8")
async def test_who_may_read_the_case_reads_and_corrects_its_transcript(site: Site) -> None:
    case_id = told(site, "complaint", "n1-1")
    async with site.signed_in("grace") as grace:
        assert "no machine here listens in this language" in (await grace.get(f"/cases/{case_id}")).text
        await grace.post(f"/cases/{case_id}/transcript", 409, text="Nada.")
        written(site, case_id)
        page = words((await grace.get(f"/cases/{case_id}")).text)
        assert "Machine transcript, may be wrong" in page and "Llevo dos horas esperando." in page
        await grace.post(f"/cases/{case_id}/transcript", 422, text=" ")
        corrected = words((await grace.post(f"/cases/{case_id}/transcript", text="Llevo tres horas esperando.")).text)
        assert "Corrected Grace" in corrected and "tres horas" in corrected and "dos horas" in corrected
    async with site.signed_in("ana") as ana:
        await ana.get(f"/cases/{case_id}/transcript", 403)
        await ana.post(f"/cases/{case_id}/transcript", 403, text="Nada.")
    found = transcript(site, case_id)
    assert found is not None and found.text == "Llevo tres horas esperando." and len(found.sentences) == 2
    with site.database.transaction() as session:
        rows = audit.of_subject(session, f"case:{case_id}")
        assert [row.action for row in rows if row.action.startswith("transcript")] == ["transcript.corrected"]
        assert not any("horas" in str(row.detail) for row in rows)
