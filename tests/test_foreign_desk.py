"""The dialogues with slots that another system owns: tests/foreign_desk.py behind the `BookingDesk` Protocol.

It answers; it says that a time has been taken meanwhile; it can't be reached, breaks off or is slow. The caller hears
other times, or what is known and a person; no hold stays, and nobody is told what may not be true. Transcripts are in
tests/golden_desk/.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from hospital.booking import BookingDesk, DeskUnreachable
from hospital.calls import Call as CallRow
from hospital.database import Database
from hotline import postgres, wiring
from hotline.caller_joints import SqlJournal
from hotline.settings_file import DEMO, build
from ivr.call import Call
from ivr.desk_on_the_line import DeskOnTheLine
from ivr.dialogues.welcome import inbound
from ivr.front_desk import FrontDesk
from ivr.terminal import Transcript, rehearse, scripted
from scripts import wording
from tests.characters import LUCIA
from tests.conftest import renewed
from tests.foreign_desk import ForeignDesk
from tests.moments import NOON
from tests.test_dialogues import words
from tests.transcripts import Said, in_each, is_golden, pressed, there

__all__ = ["words"]

BOOKS = f"2,1,1,{LUCIA.birth_keys},1"
UNREACHABLE = DeskUnreachable("of Lucía Fernández")
NO_ANSWER = TimeoutError("of Lucía Fernández")
SILENT_S, PATIENCE_S = 0.1, 0.5  # a caller's seconds, shortened


@dataclass(frozen=True)
class Scene:
    """`desk` as it is on that day; `keeps`: how many appointments stand afterwards. `slow`: with shortened seconds."""

    presses: str
    desk: Callable[[], ForeignDesk] = ForeignDesk
    keeps: int = 0
    slow: bool = False
    only: str | None = None


def fails(method: str, how: Exception = UNREACHABLE) -> Callable[[], ForeignDesk]:
    return lambda: ForeignDesk(raises={method: how})


SCENES = {
    "books_hears_it_moves_it_and_cancels": Scene(f"{BOOKS},1,1,1,2,1,2,1,1,2,2,1", keeps=0),
    "was_taken_before_it_was_held": Scene(
        f"{BOOKS},1,1,1",
        lambda: ForeignDesk(before={"hold": ForeignDesk.somebody_takes_the_first}),
        keeps=1,
    ),
    "was_taken_between_offer_and_confirmation": Scene(
        f"{BOOKS},1,1,1,1",
        lambda: ForeignDesk(before={"confirm": ForeignDesk.somebody_takes_all_held}),
        keeps=1,
    ),
    "cannot_be_reached": Scene(BOOKS, fails("departments")),
    "is_lost_before_the_times": Scene(BOOKS, fails("openings", NO_ANSWER), only="es"),
    "is_lost_at_the_hold": Scene(f"{BOOKS},1", fails("hold"), only="es"),
    "breaks_off_at_the_hold": Scene(f"{BOOKS},1", lambda: ForeignDesk(breaks_off={"hold"}), only="es"),
    "refuses_the_confirmation": Scene(f"{BOOKS},1,1", fails("confirm"), only="es"),
    "breaks_off_at_the_confirmation": Scene(f"{BOOKS},1,1", lambda: ForeignDesk(breaks_off={"confirm"}), keeps=1),
    "breaks_off_before_the_confirmation": Scene(f"{BOOKS},1,1", fails("confirm", NO_ANSWER), only="es"),
    "breaks_off_when_it_cancels": Scene(f"{BOOKS},1,1,1,2,2,1", lambda: ForeignDesk(breaks_off={"cancel"}), only="es"),
    "cannot_give_the_hold_back": Scene(f"{BOOKS},1,1", fails("release"), keeps=1, only="es"),
    "is_slow": Scene(f"{BOOKS},1,1", lambda: ForeignDesk(slow={"openings": 0.2}), keeps=1, slow=True),
    "is_too_slow_to_offer": Scene(BOOKS, lambda: ForeignDesk(slow={"openings": 3}), slow=True, only="es"),
    "is_too_slow_to_confirm": Scene(f"{BOOKS},1,1", lambda: ForeignDesk(slow={"confirm": 3}), slow=True, only="es"),
}


@pytest.fixture
def front(cluster: postgres.Cluster, demo_template: str, words: wording.Wording) -> Iterator[FrontDesk]:
    with renewed(cluster, demo_template) as url, closing(Database(url, connections=4)) as database:
        yield replace(wiring.front_desk(build(DEMO), database, words), now=lambda: NOON)


async def played(scene: Scene, desk: ForeignDesk, front: FrontDesk, said: Said, language: str = "es") -> Transcript:
    journal = SqlJournal(front.database, "terminal-1", "terminal", LUCIA.numbers[0], lambda: NOON)
    await journal.begin()
    owner: BookingDesk = desk

    async def dialogue(call: Call) -> None:
        await wiring.DIALOGUES["inbound"](call, replace(front, desk=owner))

    async def shortened(call: Call) -> None:
        await inbound(call, replace(front, desk=DeskOnTheLine(owner, call, SILENT_S, PATIENCE_S)))

    return await rehearse(
        shortened if scene.slow else dialogue,
        said,
        scripted(pressed(scene.presses, language, chooses=True)),
        language=language,
        caller_number=LUCIA.numbers[0],
        journal=journal,
        house=wiring.house_keys(front),
    )


@pytest.mark.covers("H5", "I1", "I7", "H1")
@pytest.mark.parametrize(("language", "name"), in_each(SCENES))
async def test_the_transcript_is_the_golden_one(
    language: str, name: str, front: FrontDesk, words: wording.Wording, caplog: pytest.LogCaptureFixture
) -> None:
    """And no hold stays, what stands in the other system is what the caller heard, and no log has a name."""
    scene, said = SCENES[name], Said(words)
    desk = scene.desk()
    with caplog.at_level(logging.INFO):
        transcript = await played(scene, desk, front, said, language)
    is_golden(said.under(transcript), "golden_desk", language, name)
    assert "terminal-1" not in desk.held.values()
    assert len(desk.booked) == scene.keeps
    assert LUCIA.name not in caplog.text


def test_every_golden_transcript_has_its_scene() -> None:
    assert there("golden_desk") == set(in_each(SCENES))


@pytest.mark.covers("H5", "H1")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cannot_be_reached", "desk_unreachable"),
        ("refuses_the_confirmation", "desk_unreachable"),
        ("breaks_off_at_the_confirmation", "desk_undecided"),
        ("breaks_off_before_the_confirmation", "desk_undecided"),
    ],
)
async def test_whoever_takes_over_knows_what_is_known(
    name: str, reason: str, front: FrontDesk, words: wording.Wording
) -> None:
    transcript = await played(SCENES[name], SCENES[name].desk(), front, Said(words))
    assert f"journal: transfer queue=reception reason={reason}" in transcript.lines
    assert not any(words.text("booked", "es") in line for line in transcript.lines)
    with front.database.transaction() as session:
        assert session.get_one(CallRow, "terminal-1").patient_id is not None
