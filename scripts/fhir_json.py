"""The bytes of a FHIR file as one object, with limits: JSON from outside is hostile until it has been read."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import Any

from scripts.fhir_parts import Part

LARGEST = 2_000_000  # bytes
DEEPEST = 80  # of the JSON


class ImportRefused(ValueError):
    """It cannot be used; `problems` says all that was found, each with its path."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problems))


def parsed(raw: bytes) -> Part:
    """A Questionnaire. Raises `ImportRefused`."""
    if len(raw) > LARGEST:
        raise ImportRefused([f"is {len(raw)} bytes long; {LARGEST} are allowed"])

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise ValueError(f"'{name[:60]}' stands twice in one object")
            found[name] = value
        return found

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    try:
        data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise ImportRefused([f"is not UTF-8 at byte {error.start}: save the file as UTF-8"]) from None
    except RecursionError:
        raise ImportRefused([f"stands more than {DEEPEST} deep in itself"]) from None
    except ValueError as error:
        if raw.removeprefix(BOM_UTF8).lstrip().startswith(b"<"):
            raise ImportRefused(["is XML: save the Questionnaire as FHIR JSON"]) from None
        raise ImportRefused([f"is no JSON that can be used: {error}"]) from None
    _check_depth(data)
    problems: list[str] = []
    top = Part(data, "Questionnaire", problems)
    if not isinstance(data, dict) or data.get("resourceType") != "Questionnaire":
        kind = data.get("resourceType") if isinstance(data, dict) else None
        told = f"resourceType is '{kind[:60]}'" if isinstance(kind, str) else "resourceType is missing"
        inside = "; take the Questionnaire out of it, into a file of its own" if kind == "Bundle" else ""
        raise ImportRefused([f"is no FHIR Questionnaire: {told}{inside}"])
    return top


def _check_depth(data: object) -> None:
    level, depth = [data], 0
    while level:
        if depth > DEEPEST:
            raise ImportRefused([f"stands more than {DEEPEST} deep in itself"])
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        depth += 1
