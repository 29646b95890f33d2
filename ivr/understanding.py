"""How sure a line may be of what it heard. The rule, without a line.

The margin is how much better the best label fits than the next one (natural logarithm), so two labels that are close
have a small one. Each engine says from which margin on it is right often enough; a quarter of that is enough to ask
"did I understand: …?", less is not even that.
"""

from enum import Enum

from ivr.turn import Speech

WORTH_ASKING = 0.25  # of what is enough


class Certainty(Enum):
    SURE = "sure"  # it is taken
    DOUBTFUL = "doubtful"  # it is read back, and counts if the caller agrees
    UNCLEAR = "unclear"  # the question is asked again


def certainty(said: Speech) -> Certainty:
    if said.label is None or said.margin < WORTH_ASKING * said.enough:
        return Certainty.UNCLEAR
    return Certainty.SURE if said.margin >= said.enough else Certainty.DOUBTFUL
