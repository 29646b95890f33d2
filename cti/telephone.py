"""Call control: what the dialer and the console may ask of the telephone.

Rules:
- A number leaves the house only by the routes or the allow-list; anything else is refused before Asterisk hears.
- Whoever dials chooses the leg's channel id beforehand and has written it down. Errors then say what is known:
  ConnectionError (AmiDown): not sent. TimeoutError (AmiUnanswered): fate unknown, ask `was_dialled`, never repeat.
- Numbers are in no error text.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from cti.ami import AmiRefused
from cti.events import Event, LegAnswered, LegRinging
from cti.live import Leg
from cti.switchboard import Switchboard

_NUMBER = re.compile(r"\+?[0-9]{5,15}")  # shorter ones are emergency and service numbers
_PHONE = re.compile(r"PJSIP/[A-Za-z][A-Za-z0-9_-]{0,39}")
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_CHANNEL_ID = re.compile(r"[a-z][a-z0-9]*-[0-9a-f]{32}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_PATH = re.compile(r"/[A-Za-z0-9/._-]+\.wav")
# Phones that know this header answer by themselves. Asterisk runs the function before it sends the INVITE.
_ANSWER_BY_ITSELF = "PJSIP_HEADER(add,Call-Info)=<sip:hotline.invalid>;answer-after=0"
_SETTLED = 3.0  # seconds after which an Originate that was sent has a leg or never will
_TAIL = 4 << 20  # bytes of the call records that are searched, from their end


class NumberRefused(ValueError):
    """This number must not be dialled: no route leads to it and the allow-list does not name it."""


class LegGone(LookupError):
    """The leg that something is to be done with is not up (any more)."""


class Telephone:
    """One node's telephone. `routes`: E.164 number → dial string (`PJSIP/joao`), the demo's phones.
    `allowed_outside`: Asterisk patterns (`_+57XXXXXXXXXX`) of what may go over the trunk.
    `call_records`: the calls.csv that Asterisk writes (cdr_custom), channel id first."""

    def __init__(
        self,
        board: Switchboard,
        routes: Mapping[str, str],
        allowed_outside: Sequence[str],
        call_records: Path,
    ) -> None:
        self._board = board
        self._routes = dict(routes)
        self._allowed = [asterisk_pattern(p) for p in allowed_outside]
        self._records = call_records
        board.on(Event, self._hang_up_late)

    async def ring_staff(self, sip_username: str, channel_id: str, quiet: bool = False) -> None:
        """Ring a member of staff who has just asked for it: the phone may answer by itself. Once answered the leg waits
        in [nurse-leg]; `quiet`: in silence, for one call after the other. Errors as for `dial`."""
        if not _USERNAME.fullmatch(sip_username):
            raise NumberRefused("no such account: a SIP user name is letters, digits, - and _")
        await self._originate(
            f"PJSIP/{sip_username}",
            channel_id,
            45.0,
            False,
            Context="nurse-leg",
            Exten="stint" if quiet else "s",
            CallerID="hotline <600>",
            Variable=[_ANSWER_BY_ITSELF],
        )

    async def dial(
        self,
        number_or_endpoint: str,
        channel_id: str,
        nurse_channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        """Dial a patient's number; answered within `timeout_s`, the leg is joined to the nurse's leg, which is up.
        Where that has ended by then, Asterisk says in `language` who calls and where to call back.

        Returns when Asterisk has taken the order; what becomes of it are LegRinging, LegAnswered, LegEnded or
        OriginateFailed of `channel_id`. Raises NumberRefused, LegGone (the nurse's), AmiRefused: not dialled;
        AmiDown: not dialled; AmiUnanswered: fate unknown.
        """
        target, nurse = self._resolve(number_or_endpoint), self._live_name(nurse_channel_id)
        await self._dial_into("bridge", target, channel_id, timeout_s, caller_id, language, f"HL_NURSE={nurse}")

    async def dial_pooled(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """Dial a patient's number; answered, the leg waits two seconds for `join`, and then Asterisk says in `language`
        who called. Returns and raises as `dial`."""
        target = self._resolve(number_or_endpoint)
        await self._dial_into("pooled", target, channel_id, timeout_s, caller_id, language)

    async def join(self, channel_id: str, nurse_channel_id: str) -> None:
        """Bridge a patient's leg that was answered to a nurse's; raises LegGone."""
        nurse, patient = self._live_name(nurse_channel_id), self._live_name(channel_id)
        await self._order("Setvar", Channel=patient, Variable="HL_NURSE", Value=nurse)
        await self._order("Redirect", Channel=patient, Context="dialer", Exten="bridge", Priority=1)

    async def leave_message(self, channel_id: str) -> None:
        """Take a patient's leg away from the nurse's: the ivr waits for the machine's beep and leaves who called
        ([dialer] message). Her leg waits for the next, as after every call. Raises LegGone."""
        await self._on_leg("Redirect", channel_id, Context="dialer", Exten="message", Priority=1)

    async def dial_alone(
        self, number_or_endpoint: str, channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """Dial a patient's number; answered, the leg is spoken to by the ivr ([dialer] automatic). What Asterisk itself
        may have to say is said in `language`. Returns and raises as `dial`."""
        target = self._resolve(number_or_endpoint)
        await self._dial_into("automatic", target, channel_id, timeout_s, caller_id, language)

    async def ring_on_call(
        self,
        number: str | None,
        sip_username: str | None,
        channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
    ) -> None:
        """Ring who is on call: the number that was given for it, else their extension. It rings like any call; who
        answers hears the ivr ([dialer] oncall). Returns and raises as `dial`."""
        if number is not None:
            target = self._resolve(number)
        elif sip_username is not None and _USERNAME.fullmatch(sip_username):
            target = f"PJSIP/{sip_username}", False
        else:
            raise NumberRefused("there is neither a number nor an extension to ring")
        await self._dial_into("oncall", target, channel_id, timeout_s, caller_id, language)

    async def ring_interpreter(
        self, number: str, channel_id: str, talk_channel_id: str, timeout_s: float, caller_id: str, language: str
    ) -> None:
        """Ring who interprets; answered, they hear both sides of the talk that the leg is in, and are heard by both,
        until it ends. Returns and raises as `dial`; LegGone: the talk is over."""
        target, talk = self._resolve(number), self._live_name(talk_channel_id)
        await self._dial_into("interpreter", target, channel_id, timeout_s, caller_id, language, f"HL_TALK={talk}")

    async def hang_up(self, channel_id: str) -> bool:
        """End a leg; False if it is not up. A leg that we dialled and that is not up yet ends when it appears."""
        self._board.live.cancel(channel_id)
        name = self._board.live.channel(channel_id)
        if name is None:
            return False
        try:
            await self._board.ami.action("Hangup", Channel=name, Cause=16)
        except AmiRefused:
            return False  # it ended by itself in between
        return True

    async def start_recording(self, channel_id: str, path: str) -> None:
        """Record both directions of the leg's call into `path` inside Asterisk's root; raises LegGone."""
        if not _PATH.fullmatch(path):  # after a comma Asterisk would take a program to run
            raise ValueError("a recording's path is letters, digits, / . _ and -, and ends with .wav")
        await self._on_leg("MixMonitor", channel_id, File=path)

    async def stop_recording(self, channel_id: str) -> None:
        """What is not recorded is no error; raises LegGone."""
        try:
            await self._board.ami.action("StopMixMonitor", Channel=self._live_name(channel_id))
        except AmiRefused:
            return

    def live_channels(self) -> list[Leg]:
        """All legs that are up now, in this node."""
        return self._board.live.legs()

    def is_ending(self, channel_id: str) -> bool:
        """Whether this leg's end has been heard and not everybody has been told yet."""
        return self._board.is_ending(channel_id)

    async def caller_shown(self, channel_id: str) -> str | None:
        """The number of a caller's leg as the line brought it; None if it is withheld, unknown, or the leg is gone."""
        name = self._board.live.channel(channel_id)
        if name is None:
            return None
        try:
            number, presentation = [
                (await self._board.ami.action("Getvar", Channel=name, Variable=f"CALLERID({part})")).get("Value", "")
                for part in ("num", "pres")
            ]
        except AmiRefused:
            return None  # it ended in between
        return number if number and presentation.startswith("allowed") else None

    async def was_dialled(self, channel_id: str, since: datetime | None = None) -> bool | None:
        """Whether Asterisk ever made this leg: from its live channels, else from its call records.

        None: cannot be told. `since` is when the Originate was (at the earliest) sent; without it, or when
        Asterisk was started after it (records of calls that it died with are lost) or it is only seconds ago, a
        missing leg proves nothing. Raises AmiDown, AmiUnanswered.
        """
        rows = await self._board.ami.listing("CoreShowChannels")
        if self._board.live.seen(channel_id) or any(row["Uniqueid"] == channel_id for row in rows):
            return True
        recorded = await asyncio.to_thread(_in_records, self._records, channel_id)
        if recorded:
            return True
        if recorded is None or since is None:
            return None
        sent = since.timestamp()
        told = self._board.ami.asterisk_since + 1 < sent < time.time() - _SETTLED
        return False if told else None

    async def collect_callbacks(self) -> list[tuple[str, str]]:
        """(origin's channel id, number typed) of callers who asked for a call back while the ivr was down."""
        rows = await self._board.ami.listing("DBGetTree", Family="hl_callback")
        return [(row["Key"].rpartition("/")[2], row["Val"]) for row in rows if row.get("Key") and row.get("Val")]

    async def forget_callback(self, origin: str) -> None:
        """Call this once the wish is in the database. What is gone already is no error."""
        try:
            await self._board.ami.action("DBDel", Family="hl_callback", Key=origin)
        except AmiRefused:
            return

    def _resolve(self, number: str) -> tuple[str, bool]:
        """Dial string, and whether it goes over the trunk."""
        if number in self._routes:
            return self._routes[number], False
        if _PHONE.fullmatch(number) and number in self._routes.values():
            return number, False
        if _NUMBER.fullmatch(number) and any(p.fullmatch(number) for p in self._allowed):
            return f"PJSIP/{number}@trunk", True
        raise NumberRefused("this number may not be dialled: add it to the allow-list in hotline.toml [trunk]")

    async def _dial_into(
        self,
        exten: str,
        target: tuple[str, bool],
        channel_id: str,
        timeout_s: float,
        caller_id: str,
        language: str,
        *variables: str,
    ) -> None:
        """Dial; answered, the leg enters [dialer] at `exten`."""
        if not _NUMBER.fullmatch(caller_id):
            raise NumberRefused("the caller id to show is not a number")
        if not _LANGUAGE.fullmatch(language):
            raise ValueError("a language is a tag such as en or pt-BR")
        dial_string, over_trunk = target
        await self._originate(
            dial_string,
            channel_id,
            timeout_s,
            over_trunk,
            Context="dialer",
            Exten=exten,
            CallerID=f"<{caller_id}>",
            Variable=[*variables, f"CHANNEL(language)={language}"],
        )

    async def _originate(
        self, target: str, channel_id: str, seconds: float, over_trunk: bool, **headers: str | list[str]
    ) -> None:
        if not _CHANNEL_ID.fullmatch(channel_id):
            raise ValueError("a channel id is the node's name, - and 32 hexadecimal digits")
        self._board.live.expect(channel_id, over_trunk, seconds)
        await self._order(
            "Originate",
            Channel=target,
            ChannelId=channel_id,
            Priority=1,
            Timeout=round(seconds * 1000),
            **headers,
        )

    def _live_name(self, channel_id: str) -> str:
        name = self._board.live.channel(channel_id)
        if name is None:
            raise LegGone("this leg is not up: ring the phone again first")
        return name

    async def _on_leg(self, action: str, channel_id: str, **headers: str | int) -> None:
        await self._order(action, Channel=self._live_name(channel_id), **headers)

    async def _order(self, action: str, **headers: str | int | list[str]) -> None:
        """Raises AmiRefused, AmiDown, AmiUnanswered."""
        await self._board.ami.action(action, **headers)

    async def _hang_up_late(self, event: Event) -> None:
        """A leg that was given up before Asterisk had made it."""
        if isinstance(event, (LegRinging, LegAnswered)) and self._board.live.is_cancelled(event.channel_id):
            await self.hang_up(event.channel_id)


def asterisk_pattern(text: str) -> re.Pattern[str]:
    """An Asterisk extension pattern (`_+57XXXXXXXXXX`, `_0X.`, or plain digits) as a regular expression for digits."""
    if not text.startswith("_"):
        return re.compile(re.escape(text))
    words = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": "[0-9]+", "!": "[0-9]*", "+": r"\+"}
    parts = re.findall(r"\[[0-9-]+\]|.", text[1:])
    return re.compile("".join(part if part.startswith("[") else words.get(part, re.escape(part)) for part in parts))


def _in_records(path: Path, channel_id: str) -> bool | None:
    """Whether the records' last megabytes name the leg; None if there is nothing to read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            return f'"{channel_id}"'.encode() in file.read()
    except FileNotFoundError:
        return False if path.parent.is_dir() else None
    except OSError:
        return None
