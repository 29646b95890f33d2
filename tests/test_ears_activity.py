"""When a caller speaks, on a telephone line with all that is on it but speech."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from speech.ears.activity import Heard, VoiceActivity
from speech.ears.voiced import FRAME_BYTES
from tests.phone_audio import RATE, spoken

SENTENCE = "Quisiera cambiar mi cita para el lunes"
PROMPT = "Bienvenido al hospital. Para pedir una cita, diga cita. Para cancelar, diga cancelar."
VOICE, PROMPT_VOICE = "es+f3", "es-419"


def silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def with_noise(samples: NDArray[np.float32], level: float) -> NDArray[np.float32]:
    noise = np.random.default_rng(3).standard_normal(len(samples)) * level
    return (samples + noise).astype(np.float32)


def frames(samples: NDArray[np.float32]) -> Iterator[bytes]:
    pcm = np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes()
    for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
        yield pcm[at : at + FRAME_BYTES]


def heard(
    samples: NDArray[np.float32], sent: NDArray[np.float32] | None = None, activity: VoiceActivity | None = None
) -> list[tuple[Heard, float]]:
    """What was said of each frame that changed something, and at which second."""
    ear = activity or VoiceActivity()
    played = list(frames(sent)) if sent is not None else []
    found = []
    for at, frame in enumerate(frames(samples), 1):
        changed = ear.feed(frame, played[at - 1] if at <= len(played) else b"")
        if changed:
            found.append((changed, at / 50))
    return found


class Told:
    """A judge that says what it is told: for the rules of time alone."""

    def __init__(self, pattern: str) -> None:
        self.left = iter(pattern)
        self.doubtful = False

    def __call__(self, frame: bytes, sent: bytes = b"") -> bool:
        mark = next(self.left)
        self.doubtful = mark == "?"
        return mark == "#"

    def forget(self) -> None:
        pass


def by_the_rules(pattern: str, patience_s: float = 0.5) -> list[tuple[Heard, int]]:
    ear = VoiceActivity(patience_s, Told(pattern))
    told = ((ear.feed(bytes(FRAME_BYTES)), at) for at in range(1, len(pattern) + 1))
    return [(changed, at) for changed, at in told if changed]


# ── the rules of time ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_may_be_the_beginning_of_speech_is_told_until_it_is_decided() -> None:
    pattern = ".?.?#?#."
    ear = VoiceActivity(judge=Told(pattern))
    suspected = []
    for _ in pattern:
        ear.feed(bytes(FRAME_BYTES))
        suspected.append(ear.suspecting)
    assert suspected == [False, True, False, True, False, False, False, False]  # who speaks is no more suspected of it


def test_a_pause_is_an_eighth_of_a_second_and_the_end_is_half_of_one() -> None:
    assert by_the_rules(".." + "#" * 5 + "." * 30) == [(Heard.BEGAN, 3), (Heard.PAUSED, 13), (Heard.ENDED, 32)]


def test_speech_that_goes_on_after_a_pause_is_one_utterance() -> None:
    told = by_the_rules("#####" + "." * 12 + "###" + "." * 25)
    assert told == [
        (Heard.BEGAN, 1),
        (Heard.PAUSED, 11),
        (Heard.RESUMED, 18),
        (Heard.PAUSED, 26),
        (Heard.ENDED, 45),
    ]


def test_a_gap_between_two_syllables_is_no_pause() -> None:
    assert by_the_rules("####" + "." * 5 + "####") == [(Heard.BEGAN, 1)]


def test_a_site_with_patience_waits_longer() -> None:
    assert by_the_rules("##" + "." * 60, patience_s=1.0) == [(Heard.BEGAN, 1), (Heard.PAUSED, 8), (Heard.ENDED, 52)]


def test_patience_that_is_shorter_than_a_pause_is_refused() -> None:
    with pytest.raises(ValueError, match=r"more than 0\.12 s"):
        VoiceActivity(0.12)


def test_speech_without_end_is_cut_after_a_quarter_of_a_minute() -> None:
    told = by_the_rules("#" * 1600)
    assert told[:2] == [(Heard.BEGAN, 1), (Heard.ENDED, 750)]


def test_the_utterance_holds_what_was_just_before_it() -> None:
    ear = VoiceActivity(judge=Told("." * 40 + "#" * 10 + "." * 25))
    for at in range(75):
        ear.feed(bytes([at]) * FRAME_BYTES)
    assert ear.utterance[0] == 40 - 14  # 0.3 s of lead are fifteen frames, the first voiced one among them
    assert len(ear.utterance) == (14 + 10 + 25) * FRAME_BYTES


def test_a_new_turn_forgets_the_last_one() -> None:
    ear = VoiceActivity(judge=Told("#" * 10))
    assert ear.feed(bytes(FRAME_BYTES)) is Heard.BEGAN
    ear.forget()
    assert ear.utterance == b""
    assert ear.feed(bytes(FRAME_BYTES)) is Heard.BEGAN, "the next turn's"


def test_a_frame_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="320 bytes, not 319"):
        VoiceActivity().feed(bytes(319))


# ── what is on a line ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", [SENTENCE, "sí", "no", "uno"])
@pytest.mark.parametrize("noise", [0.0, 0.001, 0.01, 0.02])
def test_speech_is_heard_in_noise_from_its_beginning_to_its_end(text: str, noise: float) -> None:
    voice = spoken(text, VOICE)
    told = heard(with_noise(np.concatenate((silence(1), voice, silence(1))), noise))
    assert [told[0][0], told[-2][0], told[-1][0]] == [Heard.BEGAN, Heard.PAUSED, Heard.ENDED]
    assert sum(what is Heard.BEGAN for what, _ in told) == 1
    loud = np.flatnonzero(np.abs(voice) > 0.02) / RATE + 1
    assert abs(told[0][1] - loud[0]) < 0.25
    assert abs(told[-1][1] - 0.5 - loud[-1]) < 0.25


@pytest.mark.parametrize("pair", [(697, 1209), (770, 1336), (852, 1477), (941, 1633)])
@pytest.mark.parametrize("twist", [0.5, 1.0, 2.0])
def test_keys_are_no_speech(pair: tuple[int, int], twist: float) -> None:
    at = np.arange(2400) / RATE
    key = 0.15 * np.sin(2 * np.pi * pair[0] * at) + 0.15 * twist * np.sin(2 * np.pi * pair[1] * at)
    pressed = np.concatenate((silence(0.5), key.astype(np.float32), silence(0.2), key.astype(np.float32), silence(1)))
    assert heard(with_noise(pressed, 0.003)) == []


def test_noise_and_hum_and_a_beep_and_a_fax_are_no_speech() -> None:
    at = np.arange(10 * RATE) / RATE
    random = np.random.default_rng(5)
    rumble = np.convolve(random.standard_normal(len(at)), np.ones(40) / 40, "same") * 0.2
    crackle = (random.random(len(at)) > 0.9995) * 0.8
    for sound in (
        random.standard_normal(len(at)) * 0.05,
        rumble,
        crackle,
        0.2 * np.sin(2 * np.pi * 100 * at),
        0.3 * np.sin(2 * np.pi * 1400 * at) * (at % 2 < 0.4),
        0.3 * np.sin(2 * np.pi * 425 * at) * (at % 0.5 < 0.25),
        0.3 * np.sin(2 * np.pi * 1100 * at) * (at % 3.5 < 0.5),  # a fax that calls (T.30, CNG)
        0.3 * np.sin(2 * np.pi * 2100 * at) * (at % 7 < 3.3),  # and one that answers (CED)
    ):
        assert heard(sound.astype(np.float32)) == []


def test_ten_minutes_of_noise_are_no_speech() -> None:
    ear = VoiceActivity()
    random = np.random.default_rng(6)
    for minute in range(10):
        level = 0.002 * 2 ** (minute % 5)
        assert heard((random.standard_normal(60 * RATE) * level).astype(np.float32), activity=ear) == [], minute
    assert heard(with_noise(np.concatenate((spoken(SENTENCE, VOICE), silence(1))), 0.002), activity=ear)


@pytest.mark.parametrize("loss", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("delay_s", [0.03, 0.15, 0.4])
def test_our_own_prompt_that_comes_back_is_no_caller(loss: float, delay_s: float) -> None:
    prompt = spoken(PROMPT, PROMPT_VOICE)
    sent = np.concatenate((prompt, silence(1)))
    back = np.concatenate((silence(delay_s), loss * prompt, silence(1)))[: len(sent)]
    assert heard(with_noise(back, 0.001), sent) == []


def test_the_same_sound_is_a_caller_when_we_are_silent() -> None:
    assert heard(np.concatenate((silence(0.5), 0.5 * spoken(PROMPT, PROMPT_VOICE), silence(1))))


def test_a_caller_who_speaks_over_the_prompt_is_heard() -> None:
    prompt, caller = spoken(PROMPT, PROMPT_VOICE), spoken(SENTENCE, VOICE)
    both = np.concatenate((silence(0.15), 0.2 * prompt, silence(1)))[: len(prompt) + RATE]
    begins = 2 * RATE
    both[begins : begins + len(caller)] += caller
    told = heard(with_noise(both, 0.001), np.concatenate((prompt, silence(1))))
    assert told[0][0] is Heard.BEGAN
    assert 2.0 < told[0][1] < 2.4
