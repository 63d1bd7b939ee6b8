"""JSON that remembers on which line each value stands, so that a refusal can say where."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from json.decoder import JSONDecodeError, scanstring
from typing import Any

DEEPEST = 12  # nesting that a registry has is five
SPACE = " \t\n\r"
Path = tuple[str | int, ...]


class BadFile(Exception):
    """The file cannot be imported. The message names the field, where there is one, and the line."""

    def __init__(self, message: str, *, line: int, where: str = "") -> None:
        super().__init__(f"Line {line}{', ' if where else ''}{where}: {message}")
        self.line = line


@dataclass(frozen=True)
class Document:
    """The values, and the line of each by its path: ("models", 0, "alias")."""

    value: Any
    lines: Mapping[Path, int]

    def bad(self, message: str, path: Path) -> BadFile:
        """The refusal for the value at this path, or at the nearest one around it."""
        around = path
        while around and around not in self.lines:
            around = around[:-1]
        return BadFile(message, line=self.lines.get(around, 1), where=written(path))


def written(path: Path) -> str:
    """models[1].alias, counted from 0 as the file's own tools do."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def read(text: str) -> Document:
    """Raises BadFile for what is no JSON, and for a name that stands twice in one object."""
    reader = Reader(text)
    try:
        value, end = reader.value(reader.skip(0), ())
        if reader.skip(end) != len(text):
            raise JSONDecodeError("Something stands after the end", text, reader.skip(end))
    except JSONDecodeError as error:
        raise BadFile(f"this is no JSON. {error.msg}.", line=error.lineno) from None
    return Document(value, reader.lines)


@dataclass
class Reader:
    text: str
    lines: dict[Path, int] = field(default_factory=dict)
    plain: json.JSONDecoder = field(default_factory=lambda: json.JSONDecoder(parse_constant=_no_constant))

    def value(self, at: int, path: Path) -> tuple[Any, int]:
        """The value that begins at `at`, and where it ends."""
        self.lines[path] = self.text.count("\n", 0, at) + 1
        if len(path) > DEEPEST:
            raise JSONDecodeError("It is nested too deeply", self.text, at)
        if self.text[at : at + 1] == "{":
            return self.members(at + 1, path)
        if self.text[at : at + 1] == "[":
            return self.items(at + 1, path)
        return self.plain.raw_decode(self.text, at)

    def members(self, at: int, path: Path) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        at = self.skip(at)
        if self.text[at : at + 1] == "}":
            return found, at + 1
        while True:
            self.expect('"', at)
            name, end = scanstring(self.text, at + 1)
            if name in found:
                raise JSONDecodeError(f"The name {name!r} stands twice", self.text, at)
            end = self.skip(end)
            self.expect(":", end)
            found[name], end = self.value(self.skip(end + 1), (*path, name))
            at = self.skip(end)
            if self.text[at : at + 1] == "}":
                return found, at + 1
            self.expect(",", at)
            at = self.skip(at + 1)

    def items(self, at: int, path: Path) -> tuple[list[Any], int]:
        found: list[Any] = []
        at = self.skip(at)
        if self.text[at : at + 1] == "]":
            return found, at + 1
        while True:
            item, end = self.value(at, (*path, len(found)))
            found.append(item)
            at = self.skip(end)
            if self.text[at : at + 1] == "]":
                return found, at + 1
            self.expect(",", at)
            at = self.skip(at + 1)

    def skip(self, at: int) -> int:
        while self.text[at : at + 1] and self.text[at] in SPACE:
            at += 1
        return at

    def expect(self, sign: str, at: int) -> None:
        if self.text[at : at + 1] != sign:
            raise JSONDecodeError(f"Expected {sign}", self.text, at)


def _no_constant(name: str) -> Any:
    raise JSONDecodeError(f"{name} is no number of JSON", name, 0)
