"""The last resort for a damaged reply: a repair library, held to a bound on its work."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import SupportsIndex

import json_repair

from deliberation.prompts.base import MalformedReply
from deliberation.prompts.decoding import ESCAPE, Limits, depth_end, doubled
from deliberation.prompts.fields import Record

CUT_NUMBER = re.compile(r"(?<=[:\s])[-+0-9.][-+0-9.eE]*$")
KEY = re.compile(r"""["'](\w{1,60})["']\s*:|[{,]\s*(\w{1,60})\s*:""")
FINISHED_TEXT = re.compile(r"(?<!\\)[\"'][\s,}\]]*$")

# What the library raises on hostile texts: its refusals, and assertions and slips that random texts found.
LIBRARY_FAILURES = (ValueError, AssertionError, AttributeError, LookupError, TypeError, RecursionError)


class Exhausted(Exception):
    """The library has looked at the text as often as it may."""


class Metered(str):
    """A text that can be looked at so many times.

    The library looks ahead for every quote and bracket, so its time grows with the square of a hostile
    text: 100 kB took it 52 s, and no thread can be stopped. Its looks can.
    """

    looks_left = 0

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        self.looks_left -= 1 + (len(range(*key.indices(len(self)))) // 64 if isinstance(key, slice) else 0)
        if self.looks_left < 0:
            raise Exhausted
        return super().__getitem__(key)


def repaired(broken: str, *, limits: Limits) -> tuple[object, bool]:
    """What the library makes of a damaged JSON text, and whether its last text is only the beginning of
    one.

    Single-quoted or bare keys and values, unescaped quotes, missing commas, comments. Raises MalformedReply
    where the text is too long, too deep or too broken, and for doubled keys: the library keeps one of them
    without saying which.
    """
    how = depth_end(broken, limits=limits)[1]
    if len(broken) > limits.repair_chars or how == "deep":
        raise MalformedReply("the reply is not valid JSON, and too long or too deeply nested to be repaired.")
    value = as_records(looked_through(broken, limits=limits), depth=limits.depth)
    if holds_key_twice(broken, value):
        raise MalformedReply("the reply is not valid JSON, and one of its objects holds a key twice.")
    return value, how == "open" and not is_finished(broken)


def looked_through(broken: str, *, limits: Limits) -> object:
    """The library's value. A number at the very end may be half a number, so it goes."""
    text = Metered(CUT_NUMBER.sub("", ESCAPE.sub(doubled, broken)))
    text.looks_left = limits.repair_looks
    try:
        return json_repair.loads(text, skip_json_loads=True)
    except (Exhausted, *LIBRARY_FAILURES) as refused:
        raise MalformedReply("the reply is not valid JSON and could not be repaired.") from refused


def holds_key_twice(broken: str, value: object) -> bool:
    """Whether the text names one of the value's keys more often than the value does.

    The library keeps the last of two and says nothing. A text that quotes a key can be refused without
    need; the re-ask costs less than a weight that nobody meant.
    """
    kept = Counter(keys_in(value))
    named = Counter(match[1] or match[2] for match in KEY.finditer(broken))
    return any(named[key] > count for key, count in kept.items())


def keys_in(value: object) -> Iterator[str]:
    if isinstance(value, Record):
        yield from value
        for item in value.values():
            yield from keys_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys_in(item)


def is_finished(broken: str) -> bool:
    """Whether a closing quote stands at the end of the text, before nothing but brackets."""
    return FINISHED_TEXT.search(broken[-200:]) is not None


def as_records(value: object, *, depth: int) -> object:
    """The library's dicts as Records; what lies deeper than `depth` becomes None."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return Record({str(key): as_records(item, depth=depth - 1) for key, item in value.items()})
    if isinstance(value, list):
        return [as_records(item, depth=depth - 1) for item in value]
    return value
