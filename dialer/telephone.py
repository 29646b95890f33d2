"""What the dialer needs of the rest of the house; `cti` and `recordings` satisfy it; `hotline/run_core.py` joins
them, with what stands in `hotline/joints.py`."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Telephone(Protocol):
    """Legs by channel id. ConnectionError: the order was not sent or not taken, and nothing happened. TimeoutError:
    its fate is unknown. ValueError: this number must not be dialled. LookupError: the leg is not up.

    Who hangs up a leg that was ordered and is not up yet gets False, and the leg ends when it appears."""

    async def ring_staff(self, sip_username: str, channel_id: str, quiet: bool = False) -> None:
        """`quiet`: she waits in silence, for one call after the other."""

    async def dial(
        self,
        number_or_endpoint: str,
        channel_id: str,
        nurse_channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        """Who answers is joined to the nurse's leg; where it has ended by then, hears in `language` who called."""

    async def dial_alone(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """Without a nurse: who answers hears the ivr."""

    async def dial_pooled(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """For whichever nurse is free: who answers waits two seconds for `join`, then hears who called."""

    async def join(self, channel_id: str, nurse_channel_id: str) -> None:
        """A leg that was answered and the nurse's leg."""

    async def leave_message(self, channel_id: str) -> None:
        """On a leg that a machine has answered: who called, after its beep, without the nurse."""

    async def hang_up(self, channel_id: str) -> bool: ...

    async def start_recording(self, channel_id: str, path: str) -> None: ...

    async def stop_recording(self, channel_id: str) -> None:
        """Before the leg ends. What is not recorded is no error."""

    async def was_dialled(self, channel_id: str, since: datetime | None = None) -> bool | None:
        """Whether Asterisk ever made this leg; None where that can't be told."""

    def is_up(self) -> bool:
        """Whether Asterisk can be given an order now."""

    def live_channel_ids(self) -> dict[str, bool]:
        """Channel id → answered, of all legs that are up now."""

    def is_ending(self, channel_id: str) -> bool:
        """Whether its end has been heard and is still being told: it is not up, and what became of it comes yet."""


class Recorder(Protocol):
    """The spool and the shelf."""

    def full(self) -> str | None:
        """A sentence for the nurse where there is no room to record (then nothing is dialled), else None."""

    def begin(self, recording_id: UUID) -> str:
        """Where Asterisk is to write."""

    async def finish(self, recording_id: UUID) -> None:
        """The call has ended: seal it."""
