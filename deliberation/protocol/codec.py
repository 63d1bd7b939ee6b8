"""Exact JSON round trips for frozen dataclasses, driven by their type hints.

`from_json(to_json(x)) == x`, floats bit for bit. A float field also reads a decimal string, because the trail
stores floats as `repr()` strings (architecture.md, "One log, many readers").
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Self, Union, get_args, get_origin


class CodecError(ValueError):
    """A JSON value that does not fit the type it is read as; the sentence names the place."""


class Json:
    """Gives a dataclass `to_json()` and `from_json()`: fields become an object, tuples arrays, integer keys
    strings, bytes hex.
    """

    def to_json(self) -> dict[str, Any]:
        """The value as JSON: dicts with string keys, lists, strings, booleans, null, integers and floats."""
        cls: Any = type(self)
        return {name: encode(getattr(self, name), hint) for name, hint in _fields(cls).items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """The dataclass that `value` stands for. Raises CodecError on an unknown or missing field or a wrong
        type.
        """
        return typing.cast(Self, _read_object(value, cls, where=cls.__name__))


def encode(value: Any, hint: Any) -> Any:
    """`value` as JSON, read as `hint` (an int in a float field becomes a float, so that equal values have
    equal JSON).
    """
    if value is None:
        return None
    hint = _without_none(hint)
    if dataclasses.is_dataclass(hint):
        return value.to_json()
    if isinstance(value, bytes):
        return value.hex()
    if get_origin(hint) is tuple:
        return [encode(item, part) for item, part in zip(value, _parts(hint, len(value)), strict=True)]
    if _is_mapping(hint):
        return {str(key): encode(item, get_args(hint)[1]) for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def decode(value: Any, hint: Any, *, where: str = "value") -> Any:
    """The Python value of type `hint` that the JSON `value` stands for. Raises CodecError."""
    if value is None and _allows_none(hint):
        return None
    hint = _without_none(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read_object(value, hint, where=where)
    if get_origin(hint) is tuple:
        return _read_tuple(value, hint, where=where)
    if _is_mapping(hint):
        return _read_mapping(value, hint, where=where)
    if get_origin(hint) is typing.Literal:
        return _read_literal(value, hint, where=where)
    return _read_scalar(value, hint, where=where)


def _read_object(value: Any, cls: Any, *, where: str) -> Any:
    _expect(value, Mapping, where=where)
    hints = _fields(cls)
    unknown = sorted(str(key) for key in value if key not in hints)
    if unknown:
        raise CodecError(f"{where} has no field {unknown[0]!r}.")
    given = {key: decode(item, hints[key], where=f"{where}.{key}") for key, item in value.items()}
    missing = [
        field.name for field in dataclasses.fields(cls) if field.name not in given and _is_required(field)
    ]
    if missing:
        raise CodecError(f"{where} needs the field {missing[0]!r}.")
    return cls(**given)


def _read_tuple(value: Any, hint: Any, *, where: str) -> tuple[Any, ...]:
    _expect(value, list, where=where)
    parts = _parts(hint, len(value))
    if len(parts) != len(value):
        raise CodecError(f"{where} needs {len(parts)} items, not {len(value)}.")
    return tuple(
        decode(item, part, where=f"{where}[{i}]")
        for i, (item, part) in enumerate(zip(value, parts, strict=True))
    )


def _read_mapping(value: Any, hint: Any, *, where: str) -> dict[Any, Any]:
    _expect(value, Mapping, where=where)
    key_type, item_type = get_args(hint)
    return {
        _read_key(key, key_type, where=where): decode(item, item_type, where=f"{where}.{key}")
        for key, item in value.items()
    }


def _read_key(key: Any, key_type: type, *, where: str) -> Any:
    if key_type is not int:
        return key
    try:
        return int(key)
    except ValueError:
        raise CodecError(f"{where} has the key {key!r}, which is not an integer.") from None


def _read_literal(value: Any, hint: Any, *, where: str) -> Any:
    if value not in get_args(hint):
        raise CodecError(f"{where} must be one of {', '.join(map(str, get_args(hint)))}, not {value!r}.")
    return value


def _read_scalar(value: Any, hint: Any, *, where: str) -> Any:
    readers: dict[Any, Callable[[Any], Any]] = {
        float: _float,
        bytes: bytes.fromhex,
        int: _same(int),
        bool: _same(bool),
        str: _same(str),
    }
    try:
        return readers[hint](value)
    except (TypeError, ValueError):
        raise CodecError(f"{where} must be of type {hint.__name__}, not {value!r}.") from None


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _same(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise TypeError
        return value

    return read


@functools.cache
def _fields(cls: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _is_mapping(hint: Any) -> bool:
    return isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping)


def _parts(hint: Any, length: int) -> tuple[Any, ...]:
    parts = get_args(hint)
    return (parts[0],) * length if len(parts) == 2 and parts[1] is Ellipsis else parts


def _allows_none(hint: Any) -> bool:
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def _without_none(hint: Any) -> Any:
    if not _allows_none(hint):
        return hint
    (rest,) = [part for part in get_args(hint) if part is not type(None)]
    return rest


def _expect(value: Any, kind: Any, *, where: str) -> None:
    if not isinstance(value, kind):
        wanted = "an array" if kind is list else "an object"
        raise CodecError(f"{where} must be {wanted}, not {value!r}.")
