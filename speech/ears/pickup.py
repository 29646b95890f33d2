"""Who has picked up a call of ours: a person, a machine that takes messages, or a fax. Pure: frames in, a verdict out.

We speak at once, so that nobody waits for a verdict. A person says a word or two and then listens to us. A machine goes
on speaking over us, and beeps. Who says nothing may be somebody who is slow to speak: that is `unsure`, and is treated
as a person.

    who = WhoAnswered()
    verdict = who.feed(frame, activity.feed(frame, sent))    # each 20 ms

Only what is near counts as speech: a television in the room is fainter than whoever holds the telephone. Time is the
number of frames.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np

from speech.ears.activity import Heard
from speech.ears.beeps import FRAMES_A_SECOND, Tone
from speech.ears.signals import Signals

HELLO_S = 2.5  # nobody greets for longer and means to listen
GREETING_S = 5.0  # of speech over ours, at a stretch: likely a machine
MESSAGE_S = 10.0  # and for certain: nobody talks so long at who is talking
ANNOUNCED_S = 1.5  # of speech right before a beep: "leave a message" takes that long
BREATH_S, LONG_BREATH_S = 1.5, 2.0  # a shorter pause belongs to the same stretch; the other in a greeting
LATE_BEEP_S = 4.0  # a beep may come so late after a greeting; after a few words, within a breath
ALONE_S = 1.5  # of silence after a beep: an oven's comes again, and whoever stands beside it speaks
FAX_S = 1.0  # of the tone of a fax that answers

NEAR = (
    0.25  # of the usual loudness of what was near so far: 12 dB; smooth, so that neither syllables nor a click matter
)
FAR = 400.0  # root mean square of 16-bit samples (−38 dB of full scale): nobody who holds a telephone is fainter
SMOOTH = 15  # frames
GAP_S = 0.2  # a longer one parts two utterances
NOTICED_S = 3.0  # what is as loud as speech is speech so long after some was noticed

Who = Literal["person", "machine", "fax", "unsure"]
LIKELY, SURE = 0.7, 0.9


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was heard so far; seconds, of near speech only.

    `first`: the first utterance. `stretch`: speech up to now, shorter pauses included; 0 when it is over. `quiet`: the
    silence since the last speech. `announced`: the stretch that ended in a beep; `alone`: the silence since. `faxes`:
    bursts of a fax that calls. `words`: a recogniser heard what machines say."""

    heard: float = 0.0
    first: float = 0.0
    stretch: float = 0.0
    longest: float = 0.0
    speech: float = 0.0
    quiet: float = 0.0
    pauses: int = 0
    beep_hz: float | None = None
    announced: float = 0.0
    alone: float = 0.0
    faxes: int = 0
    answer_tone: float = 0.0
    no_service: bool = False
    words: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`confidence`: 0.5 is a guess. `after`: seconds of sound until it was so."""

    who: Who
    confidence: float
    after: float
    evidence: Evidence

    def facts(self) -> dict[str, object]:
        """For the journal: nothing of what was said."""
        heard = {name: round(value, 2) for name, value in asdict(self.evidence).items() if value}
        return {"who": self.who, "confidence": self.confidence, "after": round(self.after, 2), "evidence": heard}

    @property
    def likely_machine(self) -> bool:
        return self.who == "machine" and self.confidence >= LIKELY

    @property
    def sure(self) -> bool:
        """Of a machine or a fax: nobody is hung up on with less."""
        return self.who in ("machine", "fax") and self.confidence >= SURE


def judged(told: Evidence) -> tuple[Who, float]:
    """The first rule that holds, and how far it can be trusted."""
    if told.answer_tone >= FAX_S and told.speech < ANNOUNCED_S:
        return "fax", 0.97
    if told.faxes >= 2 and told.speech < ANNOUNCED_S:
        return "fax", 0.95
    if told.words or (told.no_service and told.longest >= ANNOUNCED_S):
        return "machine", 0.97
    if told.announced > HELLO_S or (told.announced >= ANNOUNCED_S and told.alone >= ALONE_S):
        return "machine", 0.95
    if told.longest >= MESSAGE_S:
        return "machine", 0.95
    if told.announced >= ANNOUNCED_S:
        return "machine", 0.8
    if told.stretch >= GREETING_S:
        return "machine", 0.75
    if told.speech and not told.stretch:
        return "person", 0.9 if told.longest <= HELLO_S else 0.6
    return "unsure", 0.5


class WhoAnswered:
    """One answered call. `verdict` is the present one, which later sound may change."""

    def __init__(self) -> None:
        self.beeped = False
        """A beep has just ended in silence."""
        self.evidence = Evidence()
        self.verdict = Verdict("unsure", 0.5, 0.0, self.evidence)
        self._signals = Signals()
        self._levels: deque[float] = deque(maxlen=SMOOTH)
        self._loud: list[float] = []  # how loud speech was, sorted
        self._frame = 0
        self._speaking = False
        self._began: int | None = None  # the stretch
        self._near = 0  # the last frame of speech
        self._noticed: int | None = None  # by voice activity
        self._over = 0.0  # how long the stretch before was
        self._beep: int | None = None  # the last one, since which nobody spoke

    def feed(self, frame: bytes, heard: Heard | None) -> Verdict:
        """`frame`: 20 ms, 8 kHz, 16-bit little-endian mono; `heard`: what voice activity says of it."""
        self._frame += 1
        samples = np.frombuffer(frame, "<i2").astype(np.float64)
        level = float(np.sqrt(np.mean(np.square(samples))))
        beep = self._signals.feed(samples, level)
        if heard is not None:
            self._speaking = heard in (Heard.BEGAN, Heard.RESUMED)
        self._speech(level)
        self.beeped = beep is not None
        if beep is not None:
            self._beeped(beep)
        return self._judge()

    def words(self, of_a_machine: bool) -> Verdict:
        """What a recogniser made of what was said (`voicemail.announced`)."""
        self.evidence = replace(self.evidence, words=self.evidence.words or of_a_machine)
        return self._judge()

    def _judge(self) -> Verdict:
        who, confidence = judged(self.evidence)
        if (who, confidence) != (self.verdict.who, self.verdict.confidence):
            self.verdict = Verdict(who, confidence, _seconds(self._frame), self.evidence)
        return self.verdict

    def _speech(self, level: float) -> None:
        told, pauses, speech = self.evidence, self.evidence.pauses, self.evidence.speech
        if self._is_near(level):
            pauses += told.speech > 0 and _seconds(self._frame - self._near) > GAP_S
            speech += _seconds(1)
            self._began = self._frame if self._began is None else self._began
            self._near, self._beep = self._frame, None
        stretch = self._stretch()
        if stretch and not self._signals.busy:
            breath = LONG_BREATH_S if stretch >= GREETING_S else BREATH_S
            if _seconds(self._frame - self._near) >= breath:
                self._over, self._began, stretch = stretch, None, 0.0
        if self._signals.sounding:
            self._beep = None
        self.evidence = replace(
            told,
            heard=_seconds(self._frame),
            first=told.first if pauses else stretch or told.first,
            stretch=stretch,
            longest=max(told.longest, stretch),
            speech=speech,
            quiet=_seconds(self._frame - self._near),
            pauses=pauses,
            alone=0.0 if self._beep is None else _seconds(self._frame - self._beep),
            faxes=self._signals.faxes,
            answer_tone=self._signals.answer_tone,
            no_service=self._signals.no_service,
        )

    def _is_near(self, level: float) -> bool:
        """As loud as speech that was noticed just before: voice activity, made to begin surely, misses syllables."""
        if self._signals.pure:
            return False
        self._levels.append(level)
        smooth = sorted(self._levels)[len(self._levels) // 2]
        if self._speaking:
            self._noticed = self._frame
        recent = self._noticed is not None and _seconds(self._frame - self._noticed) <= NOTICED_S
        usual = self._loud[len(self._loud) // 2] if self._loud else 0.0
        if not recent or smooth < max(FAR, NEAR * usual):
            return False
        if self._speaking:
            insort(self._loud, smooth)
        return True

    def _stretch(self) -> float:
        return 0.0 if self._began is None else _seconds(self._near + 1 - self._began)

    def _beeped(self, tone: Tone) -> None:
        """Machines announce their beep. What beeps long after speech, or again, stands in somebody's kitchen."""
        stretch, again = self._stretch() or self._over, self.evidence.beep_hz is not None and tone.began > self._near
        late = LATE_BEEP_S if stretch >= GREETING_S else BREATH_S
        announced = stretch if _seconds(tone.began - self._near) <= late else 0.0
        if again and self.evidence.announced <= HELLO_S:
            announced = 0.0
        self._beep = self._frame
        before = self.evidence.announced
        if not again or before <= HELLO_S:
            self.evidence = replace(self.evidence, beep_hz=tone.hz, announced=announced)


def _seconds(frames: int) -> float:
    return frames / FRAMES_A_SECOND
