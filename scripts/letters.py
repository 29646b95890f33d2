"""A letter as words: the paragraphs of `languages/*/letters.yaml` with their values, in the language of who gets it.

No paragraph has a placeholder for a department, a doctor or a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from scripts import verbalise
from scripts.placeholders import NAME_LENGTH, harmless
from scripts.wording import Wording
from scripts.wording_files import REFERENCE

ADDRESS_LENGTH = 600  # letters of an address: more than any window holds, so that nothing of it is cut off unseen
LETTERS: Mapping[str, Sequence[str]] = {
    "questions": ("letter_greeting", "letter_questions", "letter_identity", "letter_done", "letter_close"),
}
"""Which letter → the keys of its paragraphs, in order."""
SUBJECT = "letter_subject"


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands on the page. `sender` is the hospital's name and its address, `to` a name and the lines below it."""

    language: str
    sender: tuple[str, ...]
    to: tuple[str, ...] = field(repr=False)
    date: str
    subject: str = field(repr=False)
    paragraphs: tuple[str, ...] = field(repr=False)
    telephone: str


def compose(
    words: Wording, key: str, language: str, name: str, address: str, sender: Sequence[str], on: date
) -> Letter:
    """`address` and `sender` in lines; `on`: the day that it is dated. A language that is not there is English."""
    language = language if language in words.languages else REFERENCE
    lines = (harmless(line, ADDRESS_LENGTH) for line in address.splitlines())
    return Letter(
        language=language,
        sender=(words.site.hospital, *sender),
        to=tuple(line for line in (harmless(name, NAME_LENGTH), *lines) if line),
        date=verbalise.written_date(on, language),
        subject=words.message(SUBJECT, language, name=name),
        paragraphs=tuple(words.message(one, language, name=name) for one in LETTERS[key]),
        telephone=words.site.number,
    )
