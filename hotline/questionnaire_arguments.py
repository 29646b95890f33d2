"""The words of `hotline questionnaire`, apart from what obeys them: the command line starts without the house."""

from pathlib import Path
from typing import Any

from scripts.languages import TAGS


def add(commands: Any) -> None:
    """The words of the command line."""
    tasks = commands.add_parser("questionnaire", help="FHIR in and out; ask one at the terminal").add_subparsers(
        dest="task", required=True
    )
    import_ = tasks.add_parser("import", help="a FHIR R4 Questionnaire; what is left out is listed")
    import_.add_argument("file", type=Path)
    ask = tasks.add_parser("ask", help="answer one here; it prints the id of the response")
    ask.add_argument("id", nargs="?", default="")
    how = ask.add_mutually_exclusive_group()
    how.add_argument("--voice", action="store_true", help="as a telephone call, by key (this is the default)")
    how.add_argument("--sms", action="store_true", help="as texts; each line of the input is a reply")
    how.add_argument("--form", action="store_true", help="as the nurse's form; ! fills in all that is normal")
    ask.add_argument("--press", help="the keys of --voice, one row for each question; without it you type them")
    ask.add_argument("--as", dest="caller", default="lucia", help="which demo patient answers")
    ask.add_argument("--patient", help="the id of a patient's record")
    ask.add_argument("--language", choices=TAGS, help="the patient's without it")
    ask.add_argument("--resume", help="go on with a response that was cut off")
    export = tasks.add_parser("export", help="a response as FHIR R4 QuestionnaireResponse")
    export.add_argument("response")
    export.add_argument("--by", required=True, metavar="USERNAME", help="in whose name: an account that may do it")
    for one in (import_, ask, export):
        one.add_argument("--json", action="store_true", help="for programs")
