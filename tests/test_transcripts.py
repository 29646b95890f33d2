"""No sentence is unheard: every prompt is said in every language in a transcript that somebody can read.

What no transcript can have is named here, with why.
"""

import pytest

from hotline import wiring
from hotline.settings_file import DEMO, build
from scripts import wording
from speech.ears.languages import LANGUAGES as HEARD
from tests.test_voice_dialogues import READ_BACKS
from tests.transcripts import KEYS, TESTS, heard

IN_NONE = {
    # Asterisk plays them by itself, when no process of ours is there to be asked; real calls hear them in:
    "apology": "tests/test_outages.py",
    "callback_number": "tests/test_outages.py",
    "callback_thanks": "tests/test_outages.py",
    "ivr_down_menu": "tests/test_outages.py",
    "emergency": "tests/test_queue_calls.py",
    "outgoing_down": "tests/test_outgoing_calls.py",
}


@pytest.fixture(scope="module")
def words() -> wording.Wording:
    return wiring.words(build(DEMO))


@pytest.mark.covers("H11")
@pytest.mark.parametrize("language", KEYS)
def test_every_prompt_is_heard_in_every_language(language: str, words: wording.Wording) -> None:
    """Where a language has no ears nobody speaks to it, so what is asked by voice is not said."""
    unheard = words.languages[language].prompts.keys() - heard()[language] - IN_NONE.keys()
    assert unheard - (set() if language in HEARD else wording.VOICE_TURNS | READ_BACKS) == set()


def test_what_only_the_dialplan_says_is_heard_by_no_transcript() -> None:
    assert IN_NONE.keys() <= set(wording.STATIC_KEYS)
    assert [key for key in IN_NONE for said in heard().values() if key in said] == []
    for key, calls in IN_NONE.items():
        assert f'"{key}"' in (TESTS.parent / calls).read_text(encoding="utf-8"), key
