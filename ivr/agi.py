"""The AGI protocol without I/O: bytes in, events out; commands as bytes. What is sent when is not decided here.

Source: Asterisk 22's res_agi.c as it behaves on the wire (docs/decisions/0003-agi.md). Rules kept here:
- One command at a time. While a prompt plays, a second command would abort it without any reply.
- What Asterisk says is bounded: a line, the environment, a text of several lines. Over the bound is a
  `ProtocolError`.
- A bare `HANGUP` line may come before any reply; it is an event of its own, never a reply.
- An argument is always quoted. CR, LF and NUL, which would begin a second command, are refused; so is a
  command of more bytes than Asterisk reads at once (the rest would be taken for another command).
- Bytes that are no UTF-8 become U+FFFD: a caller's name may be in any encoding, and no log may break of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_LINE = 16 * 1024  # bytes of one reply, and of a usage text
MOST_ENVIRONMENT = 16 * 1024  # bytes; a real one has about 700
MOST_COMMAND = 8191  # bytes with the line's end; Asterisk 22 takes what is over for another command

_VERB = re.compile(r"[A-Z]+(?: [A-Z]+)*")
_FORBIDDEN = re.compile(r"[\r\n\0]")
_PLAIN = re.compile(r"200 result=(\S*)")  # nearly every reply
_REPLY = re.compile(r"(\d{3})(?:([ -])(.*))?", re.DOTALL)
_RESULT = re.compile(r"result=(\S*)(?: \((.*)\))?(?: endpos=(\d+))?(?: (?!\().*)?", re.DOTALL)


class ProtocolError(Exception):
    """The peer does not speak AGI. The text names what was wrong, never what it said."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What Asterisk tells first: `agi_uniqueid`, `agi_callerid`, … Of a name that comes twice the first counts."""

    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command. `result` is text ("" for none, "-1" for a failure or a hang-up), `data` stood
    in parentheses, `endpos` counts samples from the beginning of the sound."""

    code: int
    result: str = field(default="", repr=False)
    data: str | None = field(default=None, repr=False)
    endpos: int | None = None

    @property
    def dead(self) -> bool:
        """511: the channel is gone, and this command needs one."""
        return self.code == 511


@dataclass(frozen=True, slots=True)
class Hangup:
    """The bare HANGUP line. A reply to the command under way comes all the same."""


Event = Environment | Reply | Hangup


@dataclass(frozen=True, slots=True)
class Command:
    """One line to Asterisk, and how long its reply may take (seconds)."""

    verb: str
    line: bytes = field(repr=False)
    may_take_s: float


class Wire:
    """One connection's bytes, both ways. Raises `ProtocolError`, after which it must not be fed again."""

    def __init__(self) -> None:
        self._rest = b""
        self._environment: dict[str, str] | None = {}
        self._environment_size = 0
        self._block: list[str] = []  # the lines so far of a reply that has several
        self._block_size = 0
        self._awaited = False

    def sending(self, command: Command) -> bytes:
        """The bytes to send. Raises `RuntimeError` while another command's reply is awaited."""
        if self._awaited:
            raise RuntimeError("one AGI command at a time: a second one would abort the first without a reply")
        self._awaited = True
        return command.line

    def feed(self, data: bytes) -> list[Event]:
        """Takes what came, in pieces of any size, and returns the events that it completed."""
        events: list[Event] = []
        *lines, self._rest = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        for line in lines:
            if len(line) > MOST_LINE:
                raise ProtocolError("a line is too long")
            event = self._line(line.rstrip(b"\r").decode("utf-8", "replace"))
            if event is not None:
                events.append(event)
        if len(self._rest) > MOST_LINE:
            raise ProtocolError("a line is too long")
        return events

    def _line(self, line: str) -> Event | None:
        if self._environment is not None:
            return self._environment_line(self._environment, line)
        if self._block:
            return self._block_line(line)
        if line == "HANGUP":
            return Hangup()
        if not self._awaited:
            raise ProtocolError("a line that nothing was asked for")
        return self._reply_line(line)

    def _environment_line(self, environment: dict[str, str], line: str) -> Event | None:
        if not line:
            self._environment = None
            return Environment(environment)
        self._environment_size += len(line) + 1
        if self._environment_size > MOST_ENVIRONMENT:
            raise ProtocolError("the environment is too long")
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            raise ProtocolError("the environment has a line that is no variable")
        environment.setdefault(name, value.strip())
        return None

    def _reply_line(self, line: str) -> Event | None:
        plain = _PLAIN.fullmatch(line)
        if plain is not None:
            self._awaited = False
            return Reply(200, plain[1])
        match = _REPLY.fullmatch(line)
        if match is None:
            raise ProtocolError("a reply has no code")
        code, separator, rest = int(match[1]), match[2], match[3] or ""
        if code == 100:  # "100 result=0 Trying...": the real reply is still to come
            return None
        # A usage text goes on until "520 End of proper usage."; a variable's value may have line ends in it.
        result = _RESULT.fullmatch(rest)
        if separator == "-" or (result is None and rest.startswith("result=1 (")):
            self._block, self._block_size = [line], len(line)
            return None
        self._awaited = False
        if result is None:
            if code == 200:
                raise ProtocolError("a reply has no result")
            return Reply(code)
        endpos = int(result[3]) if result[3] else None
        return Reply(code, result[1], result[2], endpos)

    def _block_line(self, line: str) -> Event | None:
        self._block.append(line)
        self._block_size += len(line) + 1
        if self._block_size > MOST_LINE:
            raise ProtocolError("a reply is too long")
        first = self._block[0]
        if first[3] == "-":
            if not line.startswith(first[:3] + " "):
                return None
            self._block, self._awaited = [], False
            return Reply(int(first[:3]))
        if not line.endswith(")"):
            return None
        whole = "\n".join(self._block)
        self._block = []
        return self._reply_line(whole)


def quoted(argument: str | int) -> str:
    """One argument as Asterisk's parser takes it. CR, LF or NUL: `ValueError`, which does not repeat it."""
    text = str(argument)
    if _FORBIDDEN.search(text):
        raise ValueError("an AGI argument may not hold a line's end or a NUL")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def command(verb: str, *arguments: str | int, may_take_s: float = 5.0) -> Command:
    """Any command; `verb` is one of Asterisk's own, such as `SET VARIABLE`. Raises `ValueError`."""
    if not _VERB.fullmatch(verb):
        raise ValueError("an AGI verb is words of capital letters")
    line = " ".join([verb, *map(quoted, arguments)]).encode("utf-8", "replace") + b"\n"
    if len(line) > MOST_COMMAND:
        raise ValueError(f"an AGI command may have {MOST_COMMAND} bytes, not {len(line)}")
    return Command(verb, line, may_take_s)


def stream_file(sound: str, escape_digits: str, offset: int = 0, lasts_s: float = 180.0) -> Command:
    """Plays `sound` (its name without extension) from sample `offset` until a key of `escape_digits`.

    Reply: `result` is the key's ASCII code or "0"; a sound that is missing is "0" with endpos 0.
    """
    return command("STREAM FILE", sound, escape_digits, offset, may_take_s=lasts_s + 5)


def wait_for_digit(wait_s: float) -> Command:
    """Reply: `result` is the key's ASCII code, or "0" after `wait_s`."""
    return command("WAIT FOR DIGIT", round(wait_s * 1000), may_take_s=wait_s + 5)


def get_data(wait_s: float, most: int) -> Command:
    """Collects at most `most` keys, each awaited for `wait_s`, without a prompt; `#` ends and is not among them.

    Reply: `result` is the keys; `data` is "timeout" after a pause.
    """
    return command("GET DATA", "", round(wait_s * 1000), most, may_take_s=wait_s * (most + 1) + 5)


def audio_socket(turn: str, where: str, lasts_s: float) -> Command:
    """The channel's sound goes to `where` (host:port) and comes from there until that side hangs up.

    Reply: `result` "0" after a hang-up or a lost connection, "-1" when there was none, or the caller left.
    """
    return command("EXEC", "AudioSocket", f"{turn},{where}", may_take_s=lasts_s + 5)


def record_file(path: str, escape_digits: str, most_s: float, silence_s: int) -> Command:
    """Records to `path` (without its extension) as 8 kHz WAV, until a key of `escape_digits`, `silence_s` of silence
    or `most_s`. Whether to beep is not Asterisk's: a key during its beep would end the recording.

    Reply: `result` is the key's ASCII code, "0" otherwise; -1 for a hang-up, and what was said is in the file.
    """
    arguments = (path, "wav", escape_digits, round(most_s * 1000), 0, f"s={silence_s}")
    return command("RECORD FILE", *arguments, may_take_s=most_s + 5)


def set_variable(name: str, value: str) -> Command:
    """`name` may be a function such as `CHANNEL(language)`."""
    return command("SET VARIABLE", name, value)


def noop() -> Command:
    return command("NOOP")


def key_pressed(reply: Reply) -> str | None:
    """The key that a media command returned, or None. A, B, C and D, which no telephone has, are None."""
    code = int(reply.result) if reply.result.isdecimal() else 0
    key = chr(code) if 0 < code < 128 else ""
    return key if key and key in "0123456789*#" else None
