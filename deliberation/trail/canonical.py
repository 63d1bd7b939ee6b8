"""The one byte form of an event body (RFC 8785 on a subset in which nothing is left to interpretation)."""

import math
from collections.abc import Mapping
from typing import Any

import rfc8785

INTEGER_LIMIT = 2**53


def canonical_bytes(value: object) -> bytes:
    """Canonical JSON as UTF-8: sorted keys, no white space.

    Takes strings, booleans, None, integers of magnitude below 2^53, lists (or tuples) and dicts with ASCII
    keys. Raises TypeError for anything else (a float among it: encode() it first), ValueError for an
    integer out of range, a key that is not ASCII, or a lone surrogate.
    """
    refuse_ambiguous(value, where="$")
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # refuse_ambiguous() has just established it


def refuse_ambiguous(value: object, *, where: str) -> None:
    """Raises as canonical_bytes() says, naming the place as a path."""
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        refuse_surrogates(value, where=where)
    elif isinstance(value, int):
        refuse_large(value, where=where)
    elif isinstance(value, dict):
        refuse_in_dict(value, where=where)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            refuse_ambiguous(item, where=f"{where}[{index}]")
    else:
        raise TypeError(f"{where}: {type(value).__name__} has no canonical form in an event")


def refuse_in_dict(value: Mapping[Any, object], *, where: str) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{where}: a key is {type(key).__name__}, not a string")
        if not key.isascii():
            raise ValueError(f"{where}: the key {ascii(key)} is not ASCII")
        refuse_ambiguous(item, where=f"{where}.{key}")


def refuse_large(value: int, *, where: str) -> None:
    if abs(value) >= INTEGER_LIMIT:
        raise ValueError(f"{where}: an integer of 2^53 or more; write it as a string")


def refuse_surrogates(value: str, *, where: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: a lone surrogate; events hold no free text, put it in a blob") from error


def encode(value: object) -> Any:
    """The value with every float as the decimal string of repr(), tuples as lists; float() gives it back
    exactly.

    Raises ValueError for NaN and infinities: an unknown number is None.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} has no decimal form; an unknown number is None")
        return repr(float(value))
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value
