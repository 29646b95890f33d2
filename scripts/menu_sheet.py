"""The main menu as the site has it: which of our conversations are offered, in which order, by which key.

    entries:
      - {key: "1", leads_to: results}
      - {key: "2", leads_to: book}

Refused: no entry or more than five, a key used twice or of the house, a conversation that there is not, or twice. The
sentences are `offer_<conversation>`. Without a menu of the site's own callers hear `main_menu`, one sentence.
"""

from __future__ import annotations

from collections.abc import Iterable

from scripts.yaml_lines import SourceFile

MOST = 5
KEYS = "123456"  # the others are the house's
SHIPPED = (("1", "appointments"), ("2", "results"), ("3", "information"), ("4", "care"), ("5", "other"))

# What a caller reaches through a conversation, beside itself.
REACHES: dict[str, tuple[str, ...]] = {
    "appointments": ("book", "my_appointments", "examination"),
    "results": (),
    "information": (),
    "care": (),
    "other": ("survey",),
    "book": (),
    "my_appointments": (),
    "examination": (),
    "survey": (),
}

Menu = tuple[tuple[str, str], ...]
"""Key and conversation, in the order in which they are said."""


def read_menu(file: SourceFile) -> Menu:
    """Raises `FileRefused` with all that is wrong."""
    top = file.top.mapping(("entries",), ())
    rows = top["entries"].items() if "entries" in top else []
    if "entries" in top and not 1 <= len(rows) <= MOST:
        top["entries"].wrong(f"has {len(rows)} choices", f"Give it 1 to {MOST}: more nobody keeps in mind.")
    menu: list[tuple[str, str]] = []
    for row in rows:
        parts = row.mapping(("key", "leads_to"), ())
        key = parts["key"].text() if "key" in parts else ""
        leads_to = parts["leads_to"].text() if "leads_to" in parts else ""
        if key and (len(key) != 1 or key not in KEYS):
            parts["key"].wrong(f"key {key!r} can't be a choice", "Use one key from 1 to 6; the others are the house's.")
        elif key in dict(menu):
            parts["key"].wrong(f"key {key} is used twice", "Give each choice its own key.")
        if leads_to and leads_to not in REACHES:
            parts["leads_to"].wrong(f"there is no conversation '{leads_to}'", f"Use one of {', '.join(REACHES)}.")
        elif leads_to in dict(map(reversed, menu)):  # type: ignore[arg-type]
            parts["leads_to"].wrong(f"'{leads_to}' is offered twice", "Take one of the two out.")
        menu.append((key, leads_to))
    file.finish()
    return tuple(menu)


def out_of_reach(menu: Menu) -> list[str]:
    """Conversations that no caller comes to any more."""
    reached = {one for _, leads_to in menu for one in (leads_to, *REACHES[leads_to])}
    parts = {part for whole in reached for part in REACHES[whole]}
    gone = [name for name in REACHES if name not in reached | parts]
    return [name for name in gone if not _all_of(REACHES[name], reached)]


def _all_of(parts: Iterable[str], reached: set[str]) -> bool:
    """A menu whose every choice is offered elsewhere is missed by nobody."""
    parts = tuple(parts)
    return bool(parts) and all(part in reached for part in parts)
