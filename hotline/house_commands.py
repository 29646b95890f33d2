"""`hotline up`, `down` and `status`, and `hotline run`, by which the house starts each of its processes."""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from hotline.settings import Settings

BANNER = "DEMO: made-up people, phones without sign-in, no call window and no cap. It lives on loopback only."


def up(settings: Settings, asked: argparse.Namespace) -> int:
    from hotline import free_ports, one_house
    from hotline.asterisk import AsteriskFailed
    from hotline.asterisk_root import RootNotBuilt
    from hotline.cannot_start import CannotStart
    from hotline.debian_mirror import NoMirror
    from hotline.places import places
    from hotline.postgres import PostgresFailed

    if asked.detach:
        return _detach(settings, asked)
    # No memory with patients in it goes to a disk. 1 byte: with 0 the kernel still feeds a program that collects cores.
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    known = (CannotStart, AsteriskFailed, RootNotBuilt, NoMirror, PostgresFailed, PermissionError)
    here = places(settings)
    try:  # before all is loaded; the supervisor asks both again, and keeps the lock
        here.data.mkdir(parents=True, exist_ok=True)
        with one_house.only_one(here):
            free_ports.check(settings)
    except known as problem:
        return _did_not_start(problem)
    line = _nursery(settings, asked)
    from hotline.supervisor import Supervisor

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger().setLevel(logging.WARNING)

    async def ready() -> None:
        _say(welcome(settings))

    try:
        asyncio.run(Supervisor(settings, _say, line).run(ready))
    except known as problem:
        return _did_not_start(problem)
    return 0


def _did_not_start(problem: Exception) -> int:
    print(f"The hotline did not start. {problem}", file=sys.stderr)
    return 1


def _say(said: str) -> None:
    """A full disk, or a terminal that was closed, ends no house."""
    with contextlib.suppress(OSError):
        print(said, flush=True)


def _nursery(settings: Settings, asked: argparse.Namespace) -> socket.socket | None:
    """What the house's own processes are forked from; with HOTLINE_NURSERY=no each is started as a program."""
    if os.environ.get("HOTLINE_NURSERY") == "no":
        return None
    from setproctitle import setproctitle
    from sqlalchemy.orm import configure_mappers

    from hotline import nursery, pulse, run_answers, run_core, run_ivr  # noqa: F401 -- the last three to be loaded
    from scripts.wording import HERE
    from scripts.wording_files import load_languages
    from scripts.yaml_lines import FileRefused

    configure_mappers()  # what each would do at its first row
    with contextlib.suppress(FileRefused):  # each would read them; and each tells what is wrong
        load_languages(HERE)

    def job(name: str, beat: Sequence[int]) -> int:
        asked.command = "run"  # what goes wrong from here on is no longer about `up`
        os.environ.update(pulse.asked(beat))
        setproctitle(f"hotline run {name}")
        return run(settings, name)

    return nursery.make(job)


def welcome(settings: Settings) -> str:
    """What a newcomer needs for a first call."""
    from hotline import demo, numbering
    from hotline.places import places, read_secrets

    lines = ["", f"The console:       {settings.console_url}"]
    if settings.demo:
        secrets = read_secrets(places(settings))
        signs = "   ".join(f"{name} / {password}" for name, password in demo.PASSWORDS.items())
        soft = numbering.SOFTPHONE
        lines = [
            "",
            BANNER,
            *lines,
            f"  sign in as:      {signs}",
            f"A patient's phone: {settings.console_url}/patient-phone",
            f"Text messages:     {places(settings).outbox / 'sent.jsonl'}",
            f"Any softphone:     {soft.username}@{settings.address}:{numbering.SIP_PORT} (UDP), password "
            f"{secrets.sip[soft.username]}; dial {numbering.HOTLINE_EXTENSION}",
        ]
    return "\n".join([*lines, "Ctrl-C stops it.", ""])


def _detach(settings: Settings, asked: argparse.Namespace) -> int:
    from hotline.one_house import running
    from hotline.places import places

    here = places(settings)
    if running(here) is not None:
        print("It runs already: see `hotline status`.")
        return 0
    here.log.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hotline"]
    command += ["--settings", str(asked.settings)] if asked.settings else []
    with open(here.log / "up.log", "wb") as sink:
        child = subprocess.Popen(
            [*command, "up"], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
    while child.poll() is None:
        if running(here) is not None:
            print(welcome(settings).replace("Ctrl-C stops it.", "`hotline down` stops it."))
            return 0
        time.sleep(0.1)
    print((here.log / "up.log").read_text(errors="replace"), file=sys.stderr)
    return 1


def down(settings: Settings) -> int:
    from hotline.one_house import running
    from hotline.places import places

    here = places(settings)
    state = running(here)
    if state is None:
        print("It does not run.")
        return 0
    os.kill(int(str(state["supervisor"])), signal.SIGTERM)
    while running(here) is not None:
        time.sleep(0.1)
    print("Stopped.")
    return 0


def status(settings: Settings, as_json: bool) -> int:
    from hotline.one_house import running
    from hotline.places import places

    state = running(places(settings))
    if as_json:
        told_too = _told_too(settings) if state is not None else {}
        print(json.dumps({"running": state is not None, **told_too, **(state or {})}))
    elif state is None:
        print("It does not run. Start it with `hotline up`.")
    else:
        _tell(settings, state)
    return 0 if state is not None else 3


def _tell(settings: Settings, state: dict[str, object]) -> None:
    from hotline import ears_installed, link_watch
    from hotline.places import places

    here = places(settings)
    print(f"It runs. The console: {state['console']}")
    children = state["children"]
    for name, pid in children.items() if isinstance(children, dict) else ():
        print(f"  {name:10} {'process ' + str(pid) if pid else 'is being started again'}")
    print(f"  {'ears':10} {ears_installed.told(settings, here)}")
    print(f"  {'on call':10} {_on_call(settings)}")
    print(f"  {'link':10} {link_watch.told(link_watch.last(here))}")
    if settings.web.certificate is not None:
        from hotline import certificate_watch
        from hotline.opened import now

        print(f"  {'TLS':10} {certificate_watch.told(certificate_watch.last(here), now())}")
    left_out = state.get("left_out")
    for problem in left_out if isinstance(left_out, list) else ():
        print(f"  {'left out':10} {problem}")


def _told_too(settings: Settings) -> dict[str, object]:
    from hotline import link_watch
    from hotline.places import places

    here, certificate = places(settings), None
    if settings.web.certificate is not None:
        from hotline import certificate_watch

        certificate = certificate_watch.last(here)
    told = {"link": link_watch.last(here), "certificate": certificate}
    return {"ears": settings.speech.ears, "on_call": _on_call(settings), **told}


def _on_call(settings: Settings) -> str:
    from hotline import on_call
    from hotline.cannot_start import CannotStart
    from hotline.opened import now, open_database, zone
    from hotline.places import places

    try:
        database = open_database(settings, places(settings), patient=True)
    except CannotStart as problem:
        return f"not known: {problem}"
    try:
        return on_call.told(database, zone(settings), settings.site.country_code, now())
    finally:
        database.close()


def run(settings: Settings, process: str) -> int:
    gc.disable()  # until all is loaded, each process says when
    from hotline import logs, pulse
    from hotline.places import places

    logs.set_up(places(settings))
    if process == "ivr":
        from hotline.run_ivr import run_ivr

        asyncio.run(pulse.beside(run_ivr(settings)))
    elif process == "answers":
        from hotline.run_answers import run_answers

        asyncio.run(pulse.beside(run_answers(settings)))
    elif process == "voices":
        from hotline.run_voices import run_voices

        return asyncio.run(run_voices(settings))
    else:
        from hotline.run_core import run_core

        asyncio.run(pulse.beside(run_core(settings)))
    return 0
