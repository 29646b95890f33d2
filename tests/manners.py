"""What holds in every call, whatever it is about: looked at in each scene of every folder of golden transcripts, where
they are made (`tests.transcripts.Said.under`). That each of these rules can be broken is in tests/test_manners.py."""

from collections.abc import Sequence

from ivr.house import MOST_CHOICES
from ivr.terminal import Turn
from ivr.turn import Keys


def five_choices_at_most(turns: Sequence[Turn]) -> None:
    """Keys of the house are the same everywhere and do not count. Languages may be more: each is offered in its own
    words. Where nothing is said nothing is offered: any key of somebody at a machine's side is waited for."""
    for turn in turns:
        names = [prompt.key.partition(".")[0] for prompt in turn.said]
        if isinstance(turn.expect, Keys) and names and "choose_language" not in names:
            assert len(set(turn.expect.keys)) <= MOST_CHOICES, f"{names} offers {turn.expect.keys}"
