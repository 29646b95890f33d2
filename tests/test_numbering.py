"""docs/NUMBERING.md and hotline/numbering.py say the same."""

from pathlib import Path

import phonenumbers

from hotline import numbering

TEXT = (Path(__file__).parent.parent / "docs" / "NUMBERING.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its first two lines."""
    section = TEXT.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_ports() -> None:
    first, last = numbering.RTP_PORTS
    expected = [[name, str(port), kind, use] for name, (port, kind, use) in numbering.PORTS.items()]
    assert rows("Ports") == [*expected, ["RTP", f"{first}–{last}", "udp", "voice streams"]]


def test_contexts_and_queues() -> None:
    assert rows("Contexts") == [[name, use] for name, use in numbering.CONTEXTS.items()]
    assert rows("Queues") == [[name, use] for name, use in numbering.QUEUES.items()]


def test_accounts() -> None:
    expected = [
        [a.username, a.extension, a.context, a.person, a.number or "–", a.language] for a in numbering.DEMO_ACCOUNTS
    ]
    assert rows("Extensions and accounts") == expected


def test_demo_numbers_can_be_dialled_and_are_unique() -> None:
    numbers = [a.number for a in numbering.DEMO_ACCOUNTS if a.number]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    extensions = [a.extension for a in numbering.DEMO_ACCOUNTS]
    assert len({*numbers, *extensions, numbering.HOTLINE_EXTENSION}) == len(numbers) + len(extensions) + 1
