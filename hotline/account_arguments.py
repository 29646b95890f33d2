"""The words of `hotline account`."""

from typing import Any

ROLES = ("agent", "nurse", "doctor", "supervisor", "administrator", "speaker", "screen")
ORDERS = {"disable": 2, "enable": 2, "password": 2, "role": 3}  # → how many words it has


def add(commands: Any) -> None:
    """To the parser's subcommands."""
    account = commands.add_parser(
        "account",
        help="the staff's accounts; the hotline must be running",
        usage="hotline account USERNAME --name NAME --role ROLE\n"
        "       hotline account disable|enable|password USERNAME\n"
        "       hotline account role USERNAME ROLE",
        description="Adds an account; closes one, or opens it again; gives it a new password, or another role.",
    )
    account.add_argument("words", nargs="+", metavar="USERNAME", help="whose, behind what is to be done")
    account.add_argument("--name", help="as it is shown; of a new account")
    account.add_argument("--role", choices=ROLES, help="of a new account")
    account.set_defaults(refuse=account.error)


def order(asked: Any) -> tuple[str, str, str]:
    """("add" or one of ORDERS, the user name, the role or ""). What is no order ends the program, with its usage."""
    words: list[str] = asked.words
    if len(words) == 1:
        if not asked.name or not asked.role:
            asked.refuse("a new account needs --name and --role")
        return "add", words[0], asked.role
    if ORDERS.get(words[0]) != len(words):
        asked.refuse(f"{' '.join(words)!r} is no order")
    if asked.name or asked.role:
        asked.refuse("--name and --role are those of a new account")
    role = words[2] if len(words) == 3 else ""
    if role and role not in ROLES:
        asked.refuse(f"{role!r} is no role; there are: {', '.join(ROLES)}")
    return words[0], words[1], role
