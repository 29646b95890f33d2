"""Settings of what a caller meets: who they are asked to be, what is held for them, what they are told of results."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hospital.identifier_kinds import FINDABLE, Identifier


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Booking(Frozen):
    """How long a slot is held for a caller who is deciding."""

    hold_seconds: Annotated[int, Field(ge=30, le=900)] = 120


class Lock(Frozen):
    """Wrong birth dates: after so many tries the machine asks a calling number nothing for so long."""

    tries: Annotated[int, Field(ge=1, le=10)] = 3
    seconds: Annotated[int, Field(ge=60)] = 3600


class Throttle(Frozen):
    """Numbers that call too often hear a sentence instead of the menu; 9 and 0 lead where they always do."""

    calls_per_hour: Annotated[int, Field(ge=5, le=100_000)] = 30
    """Of one number; they come back evenly."""
    withheld_per_hour: Annotated[int, Field(ge=5, le=100_000)] = 600
    """Of all callers together who withhold their number."""
    at_once: Annotated[int, Field(ge=1, le=1000)] = 10
    """Calls of one number at the same moment."""
    exempt: tuple[Annotated[str, Field(pattern=r"^\+[0-9]{6,15}$")], ...] = ()
    """Numbers that many people call from: a trusted PBX, a care home."""


class Identity(Frozen):
    """What a caller is asked: the first with the calling number, both without one that is known. Two make sure."""

    by: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=2)] = ("birth_date",)

    @model_validator(mode="after")
    def _somebody_can_be_found(self) -> Self:
        if len(set(self.by)) < len(self.by):
            raise ValueError("identity.by names one identifier twice")
        if len(self.by) > 1 and FINDABLE.isdisjoint(self.by):
            raise ValueError(f"identity.by needs one by which a record is found: {', '.join(sorted(FINDABLE))}")
        return self


class Results(Frozen):
    """What is told of results by telephone. Values are never told: the hotline does not have them."""

    say_doctor_calls: bool = False
    """Whether a caller hears that a doctor will call about a result. It discloses bad news."""


class Speech(Frozen):
    """Whether callers may answer by voice, and which engine listens."""

    ears: Literal["off", "whisper", "vosk"] = "off"
    models: Path | None = None
    """Where the engines' models are; without it where they are installed."""
    workers: Annotated[int, Field(ge=1, le=32)] = 1
    """Recognisers at work at a time; whisper's take a processor each while they listen."""
    patience_seconds: Annotated[int, Field(ge=1, le=20)] = 4
    """How long they may take after the end of speech; then the question is asked by key."""
