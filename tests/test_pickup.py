"""Who has picked up: people are never taken for machines, whatever stands in their kitchen; machines show themselves.

The clips are of `tests/pickups.py`, a language each in turn, with our own prompt coming back in them. The whole set,
with natural voices and against Asterisk's own detector, is `python -m benchmarks.bench_machines`."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from speech.ears.activity import Heard, VoiceActivity
from speech.ears.beeps import Tone, Tones
from speech.ears.pickup import Evidence, Verdict, WhoAnswered, judged
from speech.ears.voiced import FRAME_BYTES
from tests import pickups
from tests.phone_audio import VOICES, line, spoken
from tests.pickups import Pickup, Samples, silence, tone

TURN = ("zh-CN", "es", "en", "pt-BR")
SOME = ("talks over us", "has television on and is slow", "long greeting", "not available, without tones")
CLIPS = [pickups.of(TURN[at % 4])[at] for at in range(len(pickups.of("es")))] + pickups.faxes()
CLIPS = [clip for clip in CLIPS if clip.name not in SOME]  # the longest are the benchmark's
GREETING = "Hola. Esta es una llamada automática de San Rafael para Lucía. Si es usted Lucía, marque 1."


@cache
def speak(language: str, words: str) -> Samples:
    return spoken(words, VOICES[language][0])


@cache
def ours() -> bytes:
    return line(speak("es", GREETING), 60)


def frames(sound: bytes) -> list[bytes]:
    return [sound[at : at + FRAME_BYTES] for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES)]


def verdicts(clip: Pickup) -> list[Verdict]:
    """Each verdict there was, in order, until one is sure; our greeting is spoken all the while."""
    activity, who = VoiceActivity(), WhoAnswered()
    sent = frames(ours())
    told = [who.verdict]
    for at, frame in enumerate(frames(pickups.over_our_prompt(clip.sound(speak), ours()))):
        verdict = who.feed(frame, activity.feed(frame, sent[at] if at < len(sent) else b""))
        if verdict is not told[-1]:
            told.append(verdict)
        if verdict.sure:
            break
    return told


@pytest.mark.covers("H39")
@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: f"{clip.name} ({clip.language})")
def test_who_picked_up_is_told(clip: Pickup) -> None:
    told = verdicts(clip)
    sure = told[-1] if told[-1].sure else None
    if clip.who == "person":
        assert sure is None and told[-1].who in ("person", "unsure"), told
    else:
        assert sure is not None and sure.who == clip.who, told


def test_who_talks_over_us_may_be_a_machine_and_is_a_person_when_they_stop() -> None:
    clip = next(one for one in pickups.of("en") if one.name == "talks over us")
    assert [verdict.who for verdict in verdicts(clip)] == ["unsure", "machine", "person"]


# ── The rules ───────────────────────────────────────────────────────────────────────────────────────────────────────


GREETED = Evidence(heard=1.0, first=0.6, stretch=0.6, longest=0.6, speech=0.6)


@pytest.mark.parametrize(
    ("told", "who", "confidence"),
    [
        (Evidence(heard=20.0), "unsure", 0.5),
        (GREETED, "unsure", 0.5),
        (replace(GREETED, stretch=0.0), "person", 0.9),
        (replace(GREETED, stretch=0.0, longest=4.0), "person", 0.6),
        (replace(GREETED, stretch=5.0, longest=5.0), "machine", 0.75),
        (replace(GREETED, stretch=0.0, longest=5.0), "person", 0.6),
        (replace(GREETED, stretch=0.0, longest=10.0), "machine", 0.95),
        (replace(GREETED, stretch=0.0, announced=0.6, alone=3.0), "person", 0.9),  # an oven
        (replace(GREETED, stretch=0.0, announced=2.0), "machine", 0.8),
        (replace(GREETED, stretch=0.0, announced=2.0, alone=1.5), "machine", 0.95),
        (replace(GREETED, stretch=0.0, announced=4.0), "machine", 0.95),
        (replace(GREETED, words=True), "machine", 0.97),
        (replace(GREETED, no_service=True), "unsure", 0.5),
        (replace(GREETED, no_service=True, longest=1.5), "machine", 0.97),
        (Evidence(answer_tone=1.0), "fax", 0.97),
        (Evidence(faxes=1), "unsure", 0.5),
        (Evidence(faxes=2), "fax", 0.95),
        (replace(GREETED, answer_tone=1.2, longest=6.0, speech=6.0, stretch=6.0), "machine", 0.75),  # a high beep
    ],
)
def test_a_verdict_follows_from_what_was_heard(told: Evidence, who: str, confidence: float) -> None:
    assert judged(told) == (who, confidence)


def test_silence_is_never_a_machine() -> None:
    who = WhoAnswered()
    for _ in range(60 * 50):
        assert who.feed(bytes(FRAME_BYTES), None).who == "unsure"
    assert who.evidence.heard == 60.0


def test_what_is_far_away_is_no_speech() -> None:
    """Voice activity hears a television; it is fainter than whoever holds the telephone."""
    near, far = (np.full(160, level, "<i2").tobytes() for level in (3000, 400))
    who = WhoAnswered()
    who.feed(near, Heard.BEGAN)
    for _ in range(24):
        who.feed(near, None)
    for _ in range(20 * 50):
        who.feed(far, None)
    assert (who.verdict.who, who.verdict.confidence) == ("person", 0.9)
    assert 0.4 < who.evidence.longest < 1.0


def test_a_recogniser_may_say_that_it_is_a_machine() -> None:
    who = WhoAnswered()
    assert who.words(False).who == "unsure"
    assert who.words(True).sure
    assert who.words(False).sure, "once is enough"


# ── Tones ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def tones(sound: Samples, noise_db: float = 25.0) -> list[Tone]:
    listener = Tones()
    found = []
    for frame in frames(line(np.concatenate((silence(0.3), sound, silence(0.3))), noise_db)):
        samples = np.frombuffer(frame, "<i2").astype(np.float64)
        ended = listener.feed(samples, float(np.sqrt(np.mean(np.square(samples)))))
        found += [ended] if ended else []
    return found


@pytest.mark.parametrize("hz", [350, 440, 850, 1000, 1400, 2000, 2480])
@pytest.mark.parametrize("seconds", [0.1, 0.33, 1.0])
@pytest.mark.parametrize("noise_db", [40.0, 15.0])
def test_a_beep_is_found_with_its_pitch_and_length(hz: float, seconds: float, noise_db: float) -> None:
    (found,) = tones(tone(hz, seconds), noise_db)
    assert abs(found.hz - hz) < 10 and abs(found.seconds - seconds) <= 0.06


def test_keys_and_noise_and_a_glide_are_no_tones() -> None:
    at = np.arange(8000) / 8000
    glide = np.asarray(0.15 * np.sin(2 * np.pi * (600 * at + 400 * at**2)), np.float32)
    key = np.asarray(tone(770, 0.3) + tone(1336, 0.3), np.float32)
    assert tones(np.concatenate((key, silence(0.5), glide))) == []
    assert tones(silence(1), 10.0) == []


@pytest.mark.parametrize("language", pickups.LANGUAGES)
def test_speech_has_no_beeps(language: str) -> None:
    assert [one for one in tones(speak(language, pickups.LONG_HELLO[language])) if one.seconds >= 0.1] == []
