"""Reading a YAML file so that whatever is wrong in it can be told with file and line.

PyYAML's loader gives plain values and forgets where they stood; its composed nodes remember. A `Field` is
one node with typed readings. A reading that fails notes a problem on the file and gives an empty value,
so that one pass finds all that is wrong; `SourceFile.finish()` then refuses the file. Aliases are refused
(a few lines of them unfold to gigabytes), and so are repeated keys, of which YAML keeps the last one
silently.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_NOT_TEXT = {"Cc", "Cs", "Co", "Zl", "Zp"}  # Unicode categories: controls, halves of pairs, private, separators
LARGEST = 1_000_000  # bytes; the largest file of ours is under 30 kB


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file. `line` counts from 1; 0 is what was never a file, whose place is `where`: the
    names on the way to it. `do`: what to do, where `what` does not say it."""

    file: str
    line: int
    what: str
    where: tuple[str, ...] = field(default=(), compare=False)
    do: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line or ' '.join(('', *self.where))}: {self.what}"


class FileRefused(ValueError):
    """A file cannot be used; `problems` says all that is wrong in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is ten times as fast; wheels bring it


def _compose(text: str) -> yaml.Node | None:
    for event in yaml.parse(text, Loader=_LOADER) if "*" in text else ():  # an alias has a star
        if isinstance(event, yaml.AliasEvent):
            where: Any = event.start_mark  # of libyaml's own class
            raise yaml.MarkedYAMLError(None, None, "an alias (*name) is not allowed here: write it out", where)
    return yaml.compose(text, Loader=_LOADER)


def _is_text(sign: str) -> bool:
    no_character = ord(sign) & 0xFFFE == 0xFFFE  # the last two of each plane never will be; YAML refuses them, too
    return not no_character and unicodedata.category(sign) not in _NOT_TEXT


class SourceFile:
    """An open file: its top field, and the problems found in it so far."""

    def __init__(self, path: Path, content: bytes | None = None, name: str = "", node: yaml.Node | None = None) -> None:
        """Read and parse a file, or content that was kept under its name, or take what was parsed already (`node`, see
        `from_data`). `name` is what problems call it.

        Raises `FileRefused` if it is no YAML mapping in UTF-8.
        """
        self._begin(name or f"{path.parent.name}/{path.name}", lambda: node or self._compose(path, content))

    @classmethod
    def of(cls, data: Mapping[str, object], name: str) -> SourceFile:
        """What has the shape of a file and was never one: the plain values that JSON knows. The same readings refuse
        the same things in it, each by its `where`."""
        made = cls.__new__(cls)
        made._begin(name, lambda: _node(data))
        return made

    def _begin(self, name: str, compose: Callable[[], yaml.Node]) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self._places: dict[int, tuple[str, ...]] = {}
        self.top = Field(self, compose())
        if not isinstance(self.top.node, yaml.MappingNode):
            self.top.wrong("a mapping (lines of 'key: value') is expected")
            self.finish()

    def finish(self) -> None:
        """Raise `FileRefused` if anything was wrong."""
        if self.problems:
            raise FileRefused(sorted(self.problems, key=lambda problem: problem.line))

    def place(self, node: yaml.Node) -> tuple[str, ...]:
        """The names on the way from the top to a node; rows of a list count from 1."""
        if not self._places:
            self._note_places(self.top.node, ())
        return self._places.get(id(node), ())

    def _note_places(self, node: yaml.Node, way: tuple[str, ...]) -> None:
        self._places[id(node)] = way
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inside = (*way, str(key.value))
                self._places[id(key)] = inside
                self._note_places(value, inside)
        elif isinstance(node, yaml.SequenceNode):
            for number, row in enumerate(node.value, 1):
                self._note_places(row, (*way, str(number)))

    def _compose(self, path: Path, content: bytes | None) -> yaml.Node:
        try:
            raw = path.read_bytes() if content is None else content
            if len(raw) > LARGEST:
                raise self._refusal(1, f"is {len(raw)} bytes long; {LARGEST} are allowed")
            node = _compose(raw.decode("utf-8"))
        except OSError as error:
            raise self._refusal(1, f"cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise self._refusal(line, "is not UTF-8 text here: save the file as UTF-8") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._refusal(mark.line + 1 if mark else 1, f"{error.problem or error.context}") from error
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            # A control character, or thousands of nested brackets: PyYAML gives no line for these.
            raise self._refusal(1, f"is not YAML: {str(error).splitlines()[0]}") from error
        if node is None:
            raise self._refusal(1, "is empty")
        return node

    def _refusal(self, line: int, what: str) -> FileRefused:
        return FileRefused([Problem(self.name, line, what)])


def from_data(data: object) -> yaml.Node:
    """JSON values as the nodes of a file, all on line 1. Raises `ValueError` for what is no JSON value."""
    mark = yaml.Mark("", 0, 0, 0, None, 0)
    match data:
        case dict():
            pairs = [(from_data(str(key)), from_data(value)) for key, value in data.items()]
            return yaml.MappingNode("tag:yaml.org,2002:map", pairs, mark, mark)
        case list() | tuple():
            return yaml.SequenceNode("tag:yaml.org,2002:seq", [from_data(value) for value in data], mark, mark)
        case str():
            return yaml.ScalarNode("tag:yaml.org,2002:str", data, mark, mark)
        case bool():
            return yaml.ScalarNode("tag:yaml.org,2002:bool", "true" if data else "false", mark, mark)
        case int():
            return yaml.ScalarNode("tag:yaml.org,2002:int", str(data), mark, mark)
        case float():
            return yaml.ScalarNode("tag:yaml.org,2002:float", repr(data), mark, mark)
        case None:
            return yaml.ScalarNode("tag:yaml.org,2002:null", "null", mark, mark)
    raise ValueError(f"{type(data).__name__} is no JSON value")


@dataclass(frozen=True, slots=True)
class Field:
    """One value in a file, and where it stands."""

    file: SourceFile
    node: yaml.Node

    @property
    def line(self) -> int:
        return int(self.node.start_mark.line) + 1 if self.node.start_mark is not None else 0

    def wrong(self, what: str, do: str = "") -> None:
        """Note a problem at this field's line."""
        self.file.problems.append(Problem(self.file.name, self.line, what, self.file.place(self.node), do))

    @property
    def is_text(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:str"

    @property
    def is_null(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    def text(self) -> str:
        """A string that is not empty, in NFC; folded lines come as one."""
        if not self.is_text:
            self.wrong(f"text is expected, {self._kind()} found: put it in quotes")
            return ""
        signs = self.node.value.replace("\n", "")
        strange = set() if signs.isprintable() else {sign for sign in signs if not _is_text(sign)}
        if strange:
            self.wrong(f"holds the character U+{ord(min(strange)):04X}, which is no text")
        value = self._trimmed()
        if not value:
            self.wrong("is empty text")
        return value

    def text_or_null(self) -> str | None:
        return None if self.is_null else self.text()

    def flag(self) -> bool:
        """true or false."""
        value = self._scalar()
        if not isinstance(value, bool):
            self.wrong(f"true or false is expected, {self._kind()} found")
            return False
        return value

    def number(self) -> float:
        """A whole or decimal number that is finite."""
        value = self._scalar()
        if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
            self.wrong(f"a number is expected, {self._kind()} found")
            return 0.0
        return value

    def plain(self) -> str | int | float | bool:
        """Any single value."""
        value = self._scalar()
        if not isinstance(value, str | int | float | bool):
            self.wrong(f"a text, a number, or true or false is expected, {self._kind()} found")
            return ""
        return value

    def data(self) -> object:
        """All that is below as plain values (dict, list, text, number, true, false, None): ready for JSON."""
        if isinstance(self.node, yaml.MappingNode):
            return {str(key.value): Field(self.file, value).data() for key, value in self.node.value}
        if isinstance(self.node, yaml.SequenceNode):
            return [Field(self.file, node).data() for node in self.node.value]
        if self.is_text:
            return self._trimmed()
        return None if self.is_null else self.plain()

    def items(self) -> list[Field]:
        """The fields of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong(f"a list is expected, {self._kind()} found")
            return []
        return [Field(self.file, node) for node in self.node.value]

    def mapping(self, required: Iterable[str] = (), optional: Iterable[str] | None = None) -> dict[str, Field]:
        """The fields of a mapping. `optional=None` allows any key; a repeated or unknown key is a
        problem.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong(f"a mapping (key: value) is expected, {self._kind()} found")
            return {}
        found: dict[str, Field] = {}
        required = tuple(required)
        known = None if optional is None else {*required, *optional}
        for key_node, value_node in self.node.value:
            key = Field(self.file, key_node)
            name = key.text()
            if name in found:
                key.wrong(f"'{name}' stands here a second time; it was on line {found[name].line}")
            elif known is not None and name and name not in known:
                key.wrong(f"'{name}' is not known here; allowed: {', '.join(sorted(known))}")
            found[name] = Field(self.file, value_node)
        for name in required:
            if name not in found:
                self.wrong(f"'{name}' is missing")
        return found

    def _trimmed(self) -> str:
        return unicodedata.normalize("NFC", str(self.node.value)).strip()

    def _scalar(self) -> object:
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        # Only this one node, already composed without aliases; the safe constructor makes plain values.
        try:
            value: object = yaml.constructor.SafeConstructor().construct_object(self.node)
        except (yaml.YAMLError, ValueError):
            return None
        return value

    def _kind(self) -> str:
        if isinstance(self.node, yaml.ScalarNode):
            return "nothing" if self.is_null else f"'{self.node.value}' ({self.node.tag.rpartition(':')[2]})"
        return "a mapping" if isinstance(self.node, yaml.MappingNode) else "a list"


def _node(value: object) -> yaml.Node:
    """Plain values as PyYAML would compose them."""
    kind = "tag:yaml.org,2002:"
    match value:
        case Mapping():
            pairs = [(yaml.ScalarNode(f"{kind}str", str(key)), _node(inner)) for key, inner in value.items()]
            return yaml.MappingNode(f"{kind}map", pairs)
        case list() | tuple():
            return yaml.SequenceNode(f"{kind}seq", [_node(inner) for inner in value])
        case None:
            return yaml.ScalarNode(f"{kind}null", "null")
        case bool():
            return yaml.ScalarNode(f"{kind}bool", str(value).lower())
        case int() | float():
            return yaml.ScalarNode(f"{kind}{type(value).__name__}", str(value))
    return yaml.ScalarNode(f"{kind}str", str(value))
