"""Reading hotline.toml: once at the start, whole or not at all.

What is wrong is told with its key, its value (never a password) and what is allowed, and nothing starts half.
Without a file the demo runs."""

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from hotline import numbering
from hotline.settings import Settings
from scripts.languages import TAGS

FILE = Path("hotline.toml")
LONGEST = 100  # letters of a value that are told


class SettingsRefused(ValueError):
    """The settings can't be used; the text names each key, its value and what is allowed."""


DEMO: dict[str, Any] = {
    "demo": True,
    "site": {
        "name": "San Rafael Hospital",
        "emergency_number": "112",
        "time_zone": "America/Bogota",
        "country": "co",
        "languages": list(TAGS),
        "callback_number": numbering.HOTLINE_EXTENSION,
    },
    "interpreters": {"numbers": {"zh-CN": numbering.SOFTPHONE.number, "Wayuunaiki": numbering.SOFTPHONE.number}},
    "calling": {"window": "open", "per_day": None, "per_week": None},
    "identity": {"by": ["birth_date", "document_last4"]},
    "letters": {"sender": ["Calle 1 # 2-34", "Bogotá"]},
}
"""The settings of a start without a file."""


def load(path: Path | None = None) -> Settings:
    """The settings of `path`, of HOTLINE_SETTINGS or ./hotline.toml; the demo's when none of them is there.

    Raises SettingsRefused."""
    named = path or (Path(os.environ["HOTLINE_SETTINGS"]) if os.environ.get("HOTLINE_SETTINGS") else None)
    chosen = named or FILE
    if not chosen.exists():
        if named:
            raise SettingsRefused(f"{chosen} isn't there. Copy hotline.toml.example to it, or name another file.")
        return build(DEMO, source="The demo's settings")
    try:
        values = tomllib.loads(chosen.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsRefused(f"{chosen} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsRefused(f"{chosen} is not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsRefused(f"{chosen} is not valid TOML: {error}") from error
    held = [key for key in SECRETS if _holds(values, key)]
    if held and chosen.stat().st_mode & 0o077:
        raise SettingsRefused(
            f"{chosen} holds a password ({', '.join(held)}) and others may read it. Run: chmod 600 {chosen} "
            f"(or give the password as HOTLINE_{held[0].replace('.', '__').upper()})."
        )
    return build(values, source=str(chosen))


def build(values: dict[str, Any], *, source: str = "settings") -> Settings:
    """Settings from plain values; the environment overrides them. Raises SettingsRefused."""
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsRefused(_explain(error, source)) from None
    except SettingsError as error:  # a whole table in one variable of the environment
        raise SettingsRefused(f"{error}: JSON is expected, or a variable for each key; nothing was started.") from None


def _explain(error: ValidationError, source: str) -> str:
    lines = [f"{source} can't be used; nothing was started."]
    problems = error.errors(include_url=False)
    for problem in problems:
        if any(other["loc"][: len(problem["loc"])] == problem["loc"] != other["loc"] for other in problems):
            continue  # a part of it is wrong, and that is told
        key = ".".join(str(part) for part in problem["loc"] if "[" not in str(part)) or "settings"
        said = problem["msg"].removeprefix("Value error, ")
        secret = any(key == one or key.startswith(f"{one}.") for one in SECRETS)
        shown = problem.get("input")
        if problem["type"] == "missing":
            lines.append(f"  {key}: missing")
        elif problem["type"] == "extra_forbidden":
            lines.append(f"  {key}: there is no such key")
        elif problem["type"] == "model_type":
            lines.append(f"  {key}: a table is expected: [{key}]")
        elif secret or isinstance(shown, dict):
            lines.append(f"  {key}: {said}")
        else:
            value = repr(shown)
            lines.append(f"  {key} = {value if len(value) <= LONGEST else value[:LONGEST] + ' …'}: {said}")
    return "\n".join(lines)


def _holds(values: Any, key: str) -> bool:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return bool(values)


def _secret_keys(kind: object, key: str = "") -> Iterator[str]:
    """Where a SecretStr is, in `kind` (a class, a union, a tuple of one) and all that it holds."""
    if kind is SecretStr:
        yield key
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from _secret_keys(field.annotation, f"{key}.{name}" if key else name)
    else:
        for part in get_args(kind):
            yield from _secret_keys(part, key)


SECRETS = tuple(_secret_keys(Settings))
"""The keys whose value is told to nobody."""
