"""The words of `hotline discharges` and `hotline patients`, which read lists."""

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """To the parser's subcommands."""
    discharges = commands.add_parser("discharges", help="take a list of discharges, operations and visits over: CSV")
    discharges.add_argument("task", choices=["preview", "import"], help="what an import would do, or the import")
    _file(discharges, "its heading names event, record, name, phone, discharged, …")
    patients = commands.add_parser("patients", help="enrol the patients of a list, or put them into a campaign: CSV")
    patients.add_argument("task", choices=["enrol", "campaign"], help="into a plan, or into a campaign")
    patients.add_argument("name", help="the plan's id, or the campaign's name")
    _file(patients, "its heading names record, or it has one record number a line")
    patients.add_argument("--by", required=True, metavar="USERNAME", help="in whose name: an account that may do it")


def _file(parser: argparse.ArgumentParser, told: str) -> None:
    parser.add_argument("file", type=Path, help=told)
    parser.add_argument("--rejected", type=Path, metavar="FILE", help="write every refused row's line and reason here")
    parser.add_argument("--json", action="store_true")
