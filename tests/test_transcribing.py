"""What callers left by voice is written down behind everything else: parted at pauses, sealed, marked, corrected."""

from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select, text

from hospital import audit, cases, followups, surveys, transcripts, vault, voice_alarms
from hospital.cases import Case
from hospital.clocks import due
from hospital.database import Database
from hospital.followups import FollowUpTask
from hospital.outbox import OutboxRow
from hospital.recordings import Recording
from hospital.transcripts import Sentence, Transcript
from hotline import tapes
from hotline.transcribing import Transcriber, alarming
from recordings.replay import Replay
from recordings.sealing import seal
from speech.ears.engine import Engine
from speech.ears.sentences import LONGEST_S, pieces
from speech.ears.whisper import whisper
from speech.voices.espeak import Espeak
from tests import test_web_cases
from tests.characters import LUCIA
from tests.console_app import Site, words
from tests.test_recordings_sealing import wav_of
from tests.test_web_cases import CLOCKS, actions, told

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
    return Transcriber(site.database, replay, engines, LANGUAGES, lambda: site.now, CLOCKS)


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


async def test_one_that_cannot_be_read_or_ended_its_process_thrice_waits_no_longer(
    site: Site, whisper_model: Path
) -> None:
    unreadable, deadly = told(site, "message", "n1-1"), told(site, "message", "n1-2")
    with site.database.transaction() as session:
        damaged, heavy = (session.get_one(Case, one).recording_id for one in (unreadable, deadly))
        assert damaged is not None and heavy is not None
        for _ in range(transcripts.TRIES):  # each of which a process began, and did not live to end
            transcripts.begin(session, transcripts.Due(heavy, deadly, "es"))
    site.shelf.sealed(damaged).unlink()
    site.shelf.sealed(damaged).mkdir()
    assert await transcriber(site, lambda: [whisper(whisper_model)]).work() == 0
    for case_id in (unreadable, deadly):
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


# ── Alarms ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def flags(site: Site) -> list[Case]:
    with site.database.transaction() as session:
        return cases.red_flags(session)


def texts(site: Site) -> list[tuple[str, str, str]]:
    with site.database.transaction() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.key == "survey_urgent"))
        return [(row.key, row.locale, row.number) for row in rows]


async def speaks(site: Site, case_id: UUID, language: str, *sentences: str) -> None:
    """What a case's voice says from now on, sealed: each sentence after a pause."""
    said = [(await Espeak().say(one, language, 0.8)).pcm16(RATE) for one in sentences]
    reseal(site, case_id, (b"\0\0" * RATE).join(said))
    with site.database.transaction() as session:
        session.get_one(Case, case_id).language = language


def reseal(site: Site, case_id: UUID, sound: bytes) -> None:
    with site.database.transaction() as session:
        recording = session.get_one(Recording, session.get_one(Case, case_id).recording_id)
        plain = site.shelf.root / "plain.wav"
        plain.write_bytes(wav_of(sound))
        site.shelf.sealed(recording.id).unlink()
        with plain.open("rb") as file:
            place, part = site.shelf.sealed(recording.id), site.shelf.part(recording.id)
            made = seal(file, place, part, recording.id, vault.wrap_key)
        recording.seconds, recording.sha256, recording.wrapped_key = made.seconds, made.sha256, made.wrapped_key


@pytest.mark.covers("H1", "H30", "I7", "I8")
async def test_an_alarm_in_a_complaint_is_a_red_flag_once(
    site: Site, whisper_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The real recogniser writes it down; whoever works sees it, and only a supervisor what it was said in."""
    case_id = told(site, "complaint", "n1-1")
    await speaks(site, case_id, "en", "I waited two hours.", "He cannot breathe any more.")
    writer = transcriber(site, lambda: [whisper(whisper_model, deadline_s=60)])
    assert await writer.work() == 1
    found = transcript(site, case_id)
    assert found is not None and "breathe" in found.text.casefold()
    (flag,) = flags(site)
    assert (flag.kind, flag.detail, flag.state) == ("red_flag", "voice_alarm", "open")
    assert flag.caller == LUCIA.numbers[0] and flag.patient_id == site.joao.id and flag.call_id == "n1-1"
    assert flag.acknowledge_by == site.now + CLOCKS.red_flag
    assert texts(site) == [("survey_urgent", "en", LUCIA.numbers[0])]
    assert actions(site, f"case:{flag.id}") == ["urgent.raised"]
    assert await writer.work() == 0 and raised_again(site, case_id) == flag.id
    assert len(flags(site)) == len(texts(site)) == 1
    assert "breathe" not in caplog.text.casefold() and str(found.recording_id) in caplog.text
    async with site.signed_in("ana") as ana:
        page = words((await ana.get(f"/cases/{flag.id}")).text)
        assert "Said a word that means urgent help, in what they left by voice" in page
        assert "which a supervisor can play" in page and "breathe" not in page
    async with site.signed_in("grace") as grace:
        assert f'href="/cases/{case_id}"' in (await grace.get(f"/cases/{flag.id}")).text


def raised_again(site: Site, case_id: UUID) -> UUID:
    with site.database.transaction() as session:
        return voice_alarms.raise_alarm(session, case_id, site.now, due("red_flag", site.now, CLOCKS))


async def test_an_alarm_in_a_spoken_answer_makes_the_follow_up_a_nurses(site: Site, whisper_model: Path) -> None:
    case_id = told(site, "message", "n1-1")
    await speaks(site, case_id, "en", "I can't breathe.")
    with site.database.transaction() as session:
        number = session.get_one(Case, case_id).number
        followups.save_answer(session, site.task.id, "own-words", {"voice": number}, site.now)
        session.get_one(FollowUpTask, site.task.id).channel = surveys.CHANNEL
    assert await transcriber(site, lambda: [whisper(whisper_model, deadline_s=60)]).work() == 1
    (flag,) = flags(site)
    assert flag.detail == "voice_alarm" and flag.patient_id == site.joao.id
    with site.database.transaction() as session:
        task = session.get_one(FollowUpTask, site.task.id)
        assert (task.channel, task.priority, task.state) == ("nurse_call", 1, "open")
        last = followups.decisions(session, task.id)[-1]
        assert (last.code, last.facts) == ("red_flag", {"flag": "voice_alarm"})
        (row,) = [row for row in audit.of_subject(session, f"case:{flag.id}") if row.action == "urgent.raised"]
        assert row.detail == {"flags": ["voice_alarm"], "told": str(case_id), "task": str(task.id)}
    async with site.signed_in("ana") as ana:
        assert f'href="/cases/{case_id}"' in (await ana.get(f"/cases/{flag.id}")).text, "a message is for her, too"


async def test_no_alarm_is_raised_where_none_is_said_or_nobody_hears(site: Site, whisper_model: Path) -> None:
    """What is said in a language without ears is never written down, and waits for a person."""
    calm, maori = told(site, "message", "n1-1"), told(site, "complaint", "n1-2")
    await speaks(site, calm, "en", "I waited two hours in the corridor.", "Nobody came to me.")
    with site.database.transaction() as session:
        session.get_one(Case, maori).language = "mi"
    assert await transcriber(site, lambda: [whisper(whisper_model, deadline_s=60)]).work() == 1
    found = transcript(site, calm)
    assert found is not None and found.state == "done" and found.sentences
    assert transcript(site, maori) is None
    assert flags(site) == [] and texts(site) == []


@pytest.mark.parametrize(
    ("sentences", "alarm"),
    [
        (["Hola.", "Me duele el pecho."], True),
        (["Me duele mucho", "el pecho."], True),  # a pause within it
        (["No.", "Me duele el pecho."], True),  # a no before it denies nothing
        (["No", "me duele el pecho"], True),
        (["No me duele el pecho."], False),
        (["Estou com muita dor no peito."], True),
        (["我胸口疼。"], True),
        (["Kei te mamae taku uma."], True),  # nothing hears Māori, and its words are known all the same
        (["Le agradezco todo a la doctora Vega."], False),
        ([], False),
    ],
)
def test_alarms_are_found_across_pauses_and_languages(sentences: list[str], alarm: bool) -> None:
    assert alarming(sentences) is alarm
