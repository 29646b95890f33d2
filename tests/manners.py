"""What holds in every call, whatever it is about: looked at in each scene of every folder of golden transcripts, where
they are made (`tests.transcripts.Said.under`). That each of these rules can be broken is in tests/test_manners.py."""

from collections.abc import Iterator, Mapping, Sequence

from ivr.house import MOST_CHOICES
from ivr.terminal import Transcript, Turn
from ivr.turn import Keys
from scripts.placeholders import Value
from scripts.wording import Wording

PROVED = "journal: identified "
CLINICAL_VALUES = {"answer", "asked", "department", "doctor", "given", "unit"}
CLINICAL_FILES = {"appointments", "moves", "reminders", "results", "survey", "suspended"}
"""Of scripts/languages/*/prompts: what is said there is about one patient's care, also without a value in it."""
BEFORE_IDENTITY = {
    "triage_suggestion": "the department follows from the keys of this very call; nobody is known, nothing looked up",
}
"""Prompts that may name one of those to whoever calls, and why."""


def five_choices_at_most(turns: Sequence[Turn]) -> None:
    """Keys of the house are the same everywhere and do not count. Languages may be more: each is offered in its own
    words. Where nothing is said nothing is offered: any key of somebody at a machine's side is waited for."""
    for turn in turns:
        names = [prompt.key.partition(".")[0] for prompt in turn.said]
        if isinstance(turn.expect, Keys) and names and "choose_language" not in names:
            assert len(set(turn.expect.keys)) <= MOST_CHOICES, f"{names} offers {turn.expect.keys}"


def nothing_clinical_before_identity(transcript: Transcript, words: Wording) -> None:
    """Two identifiers first. `recognised` greets whom they have found, by their first name."""
    proved = next((at for at, line in enumerate(transcript.lines) if line.startswith(PROVED)), len(transcript.lines))
    for turn in transcript.turns:
        for prompt in turn.said if turn.at <= proved else ():
            name = prompt.key.partition(".")[0]
            told = set(_values(prompt.params)) & CLINICAL_VALUES
            clinical = bool(told) or words.dialogue(name) in CLINICAL_FILES
            assert not clinical or name in BEFORE_IDENTITY, f"{name} is said to nobody knows whom"


def _values(params: Mapping[str, Value]) -> Iterator[str]:
    """Names of the values of a sentence and of its rows."""
    for name, value in params.items():
        yield name
        if name == "choices" and isinstance(value, Sequence) and not isinstance(value, str):
            for row in value:
                yield from row
