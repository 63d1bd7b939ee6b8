"""Reading a JSON request: every value is checked, and an error is one sentence that names its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
LARGEST = 1e12  # what is larger would not survive the scaling to integers


class RequestError(ValueError):
    """A request that cannot be read; one sentence that names the place."""


class Pairs(dict[str, Any]):
    """A JSON object that remembers a key it held twice."""

    doubled: str | None = None

    @classmethod
    def of(cls, pairs: list[tuple[str, Any]]) -> Pairs:
        found = cls(pairs)
        if len(found) != len(pairs):
            keys = [key for key, _ in pairs]
            found.doubled = min(key for key in found if keys.count(key) > 1)
        return found


def load(data: bytes) -> Any:
    """The JSON value of a file. Raises RequestError."""
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=Pairs.of)
    except UnicodeDecodeError:
        raise RequestError("The input is not UTF-8 text.") from None
    except RecursionError:
        raise RequestError("The input is nested too deeply.") from None
    except ValueError as error:
        raise RequestError(f"The input is not JSON: {error}.") from None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class Fields:
    """One JSON object and its place. A field that is absent or null gives the default."""

    def __init__(self, value: Any, *, where: str, known: tuple[str, ...]) -> None:
        self.where = where
        self.record = mapping(value, where=where or "The input")
        unknown = sorted(set(self.record) - set(known))
        if unknown:
            raise RequestError(
                f"{where or 'The input'} has the unknown field {unknown[0]!r}; known are {', '.join(known)}."
            )

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def has(self, name: str) -> bool:
        return name in self.record

    def text(self, name: str) -> str | None:
        value = self.record.get(name)
        return None if value is None else text(value, where=self.at(name))

    def id(self, name: str) -> str:
        if self.record.get(name) is None:
            raise RequestError(f"{self.where or 'The input'} needs the field {name!r}.")
        return text(self.record[name], where=self.at(name))

    def number(self, name: str, *, least: float | None = 0.0, most: float = LARGEST) -> float | None:
        value = self.record.get(name)
        return None if value is None else number(value, where=self.at(name), least=least, most=most)

    def whole(self, name: str, *, least: int) -> int | None:
        value = self.record.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise RequestError(f"{self.at(name)} must be a whole number from {least} up.")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.record.get(name)
        if value is not None and not isinstance(value, bool):
            raise RequestError(f"{self.at(name)} must be true or false.")
        return value

    def one_of(self, name: str, *, allowed: tuple[str, ...]) -> str:
        value = self.record.get(name)
        if value is None:
            return allowed[0]
        if not isinstance(value, str) or value not in allowed:
            raise RequestError(f"{self.at(name)} must be {' or '.join(allowed)}.")
        return value

    def items(self, name: str, *, read: Callable[[Any, str], T]) -> tuple[T, ...]:
        value = self.record.get(name)
        if value is None:
            return ()
        if not isinstance(value, list | tuple):
            raise RequestError(f"{self.at(name)} must be a list.")
        return tuple(read(item, f"{self.at(name)}[{index}]") for index, item in enumerate(value))

    def texts(self, name: str) -> tuple[str, ...]:
        return self.items(name, read=lambda value, where: text(value, where=where))

    def named(self, name: str, *, read: Callable[[str, Any, str], T]) -> tuple[T, ...]:
        """An object of named things; `read` gets the name, the value and the place."""
        value = self.record.get(name)
        if value is None:
            return ()
        record = mapping(value, where=self.at(name))
        return tuple(read(key, item, f"{self.at(name)}.{key}") for key, item in record.items())


def mapping(value: Any, *, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RequestError(f"{where} must be a JSON object.")
    doubled = getattr(value, "doubled", None)
    if doubled is not None:
        raise RequestError(f"{where} has the key {doubled!r} twice.")
    return value


def text(value: Any, *, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise RequestError(f"{where} must be a text that is not empty.")
    return value


def number(value: Any, *, where: str, least: float | None = 0.0, most: float = LARGEST) -> float:
    lowest = -most if least is None else least
    if not is_number(value) or not lowest <= value <= most:
        raise RequestError(f"{where} must be a number from {lowest:g} to {most:g}.")
    return value  # type: ignore[no-any-return]  # an integer stays one


def distinct(names: list[str], *, what: str, where: str) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise RequestError(f"{where}[{index}]: two {what} are called {name!r}.")
