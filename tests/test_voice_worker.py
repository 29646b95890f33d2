"""A voice's process that dies, hangs, talks rubbish or does not start: told at once, ended, started again."""

import asyncio
import os
import signal
import struct
import sys
from pathlib import Path

import pytest

from speech.voices import VoiceFailed
from speech.voices.worker import Worker

HONEST = """
import json, sys, time
answers = sys.stdout.buffer
def tell(head, sound=b""):
    answers.write(json.dumps(head).encode() + b"\\n" + sound); answers.flush()
"""
READY = HONEST + 'tell({"ready": True})\n'
ECHO = (
    READY + 'for line in sys.stdin:\n    tell({"samples": 1, "heard": json.loads(line)["text"]}, b"\\0\\0\\x80\\x3f")\n'
)


def worker(folder: Path, program: str, **limits: object) -> Worker:
    path = folder / "voice.py"
    path.write_text(program)
    return Worker("the voice", (sys.executable, str(path)), **{"rests": (0.0, 600.0), **limits})  # type: ignore[arg-type]


async def test_a_question_and_its_answer(tmp_path: Path) -> None:
    asked = worker(tmp_path, ECHO)
    assert asked.process is None  # not before it is needed
    head, sound = await asked.ask({"text": "¿Qué tal, Lucía?\n"})
    assert head["heard"] == "¿Qué tal, Lucía?\n" and struct.unpack("<f", sound) == (1.0,)
    first = asked.process
    await asked.ask({"text": "again"})
    assert asked.process == first is not None
    await asked.close()
    assert asked.process is None and not alive(first)


async def test_questions_at_once_are_answered_one_after_the_other(tmp_path: Path) -> None:
    asked = worker(tmp_path, ECHO)
    answers = await asyncio.gather(*(asked.ask({"text": str(n)}) for n in range(20)))
    assert [head["heard"] for head, _ in answers] == [str(n) for n in range(20)]
    await asked.close()


@pytest.mark.covers("I7")
@pytest.mark.parametrize(
    ("program", "told"),
    [
        (READY + "sys.stdin.readline()\n", r"ended with -?\d+ when it was to answer"),
        (READY + "sys.stdin.readline(); print('Lucía', flush=True); time.sleep(600)\n", r"when it was to answer"),
        (READY + "sys.stdin.readline(); print('[1]', flush=True); time.sleep(600)\n", r"when it was to answer"),
        (READY + 'sys.stdin.readline(); tell({"samples": 10**12}); time.sleep(600)\n', r"when it was to answer"),
        (READY + 'sys.stdin.readline(); tell({"samples": 9}, b"12")\n', r"when it was to answer"),
        ("import sys; sys.exit(3)\n", r"ended with -?\d+ when it was to start"),
        ("print('hello', flush=True); import time; time.sleep(600)\n", r"when it was to start"),
        (HONEST + 'tell({"failed": "the model is damaged"})\n', "does not start: the model is damaged"),
        (READY + "sys.stdin.readline(); time.sleep(600)\n", r"took more than 0\.5 s to answer and was ended"),
    ],
    ids=["dies", "text", "list", "endless", "cut", "exits", "no-worker", "refuses", "hangs"],
)
async def test_what_goes_wrong_is_told_without_the_sentence(tmp_path: Path, program: str, told: str) -> None:
    asked = worker(tmp_path, program, answer_s=0.5 if "0\\.5 s" in told else 60)
    with pytest.raises(VoiceFailed, match=told) as caught:
        await asked.ask({"text": "Gracias, Lucía."})
    assert "Lucía" not in str(caught.value)
    assert asked.process is None


async def test_it_is_started_again_after_it_was_killed(tmp_path: Path) -> None:
    asked = worker(tmp_path, ECHO)
    await asked.ask({"text": "one"})
    first = asked.process
    assert first is not None
    os.kill(first, signal.SIGKILL)
    with pytest.raises(VoiceFailed):
        while True:  # until the kernel has closed its pipes
            await asked.ask({"text": "two"})
            assert asked.process == first
    head, _ = await asked.ask({"text": "three"})
    assert head["heard"] == "three" and asked.process != first
    await asked.close()


async def test_one_that_fails_again_and_again_rests(tmp_path: Path) -> None:
    program = f"open({str(tmp_path / 'starts')!r}, 'a').write('x')\n"
    asked = worker(tmp_path, program)
    for told in ("to start", "to start", "failed 2 times in a row and rests", "failed 2 times in a row and rests"):
        with pytest.raises(VoiceFailed, match=told):
            await asked.ask({"text": "one"})
    assert (tmp_path / "starts").read_text() == "xx"


async def test_who_leaves_in_the_middle_gets_no_other_s_answer(tmp_path: Path) -> None:
    program = ECHO.replace(
        '    tell({"samples"', "    open('asked', 'w'); time.sleep(600 * ('slow' in line))\n    tell({\"samples\""
    )
    asked = worker(tmp_path, program.replace("'asked'", repr(str(tmp_path / "asked"))))
    slow = asyncio.create_task(asked.ask({"text": "slow"}))
    while not (tmp_path / "asked").exists():  # noqa: ASYNC110  a file of another process has no event
        await asyncio.sleep(0.01)
    first = asked.process
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert not alive(first)
    head, _ = await asked.ask({"text": "quick"})
    assert head["heard"] == "quick"
    await asked.close()


def alive(process: int | None) -> bool:
    try:
        os.kill(process or 0, 0)
    except ProcessLookupError:
        return False
    return True
