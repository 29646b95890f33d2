"""What holds in every call, whatever it is about: looked at in each scene of every folder of golden transcripts, where
they are made (`tests.transcripts.Said.under`). That each of these rules can be broken is in tests/test_manners.py."""

from collections.abc import Iterator, Mapping, Sequence

from ivr.house import MOST_CHOICES
from ivr.terminal import Transcript, Turn
from ivr.turn import Keys, Nothing, Notice
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
FORMS = ("text", "short", "other")
ASKED_AS_IT_IS = {
    "outgoing_neutral": "who has said nothing hears whom to call back; after a key the greeting comes again",
    "oncall_flag": "one sentence, known at once by whoever is rung in the night; without a key nothing is taken",
    "oncall_late": "as the one before",
    "too_many_calls": "one sentence turns the caller away; a wrong key hears it again",
    "too_many_withheld": "as the one before",
    "language_not_spoken": "a language without a voice has one sentence, in which English names it",
    "did_you_say": "a read-back: no answer to it is a no, and the question itself comes again in another form",
    **dict.fromkeys(
        ("heard_birth_date", "heard_day", "heard_day_afternoon", "heard_day_morning", "heard_digits", "heard_earliest"),
        "as the one before",
    ),
}
"""Questions that have no shorter form and no different one, and why."""
OWN_WORDS = {"survey_statement", "survey_choices", "another_language", "house_keys", "slower", "voice_hint"}
"""A question of a questionnaire, its options, and what is added where it is asked again: nothing can be left out."""


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


def asked_in_three_ways(turns: Sequence[Turn], words: Wording) -> None:
    """Silence and wrong keys are answered by a shorter wording, then by a different one: of the whole question, as it
    is heard. What was asked again in one of them already is not looked at twice."""
    for turn in turns:
        names = [prompt.key for prompt in turn.said]
        again = any("." in name for name in names)
        if isinstance(turn.expect, Nothing | Notice) or again or not names or ASKED_AS_IT_IS.keys() & set(names):
            continue
        text, short, other = (_worded(turn, form, words) for form in FORMS)
        assert set(names) <= OWN_WORDS or len(short) < len(text), f"{names} has no shorter form in {turn.language}"
        assert other not in (text, short), f"{names} has no different form in {turn.language}"


def _worded(turn: Turn, form: str, words: Wording) -> str:
    """What a caller hears of a question in one of its forms."""
    prompts = turn.said if form == "text" else [prompt.in_form(form) for prompt in turn.said]
    tags = [prompt.language or turn.language for prompt in prompts]
    return " ".join(
        words.sentence(prompt.key, tag, prompt.params, can_speak=tag in words.spoken).text
        for prompt, tag in zip(prompts, tags, strict=True)
    )


def _values(params: Mapping[str, Value]) -> Iterator[str]:
    """Names of the values of a sentence and of its rows."""
    for name, value in params.items():
        yield name
        if name == "choices" and isinstance(value, Sequence) and not isinstance(value, str):
            for row in value:
                yield from row
