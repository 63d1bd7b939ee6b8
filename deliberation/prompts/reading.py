"""From the bytes of a reply to its JSON: strict, fenced, inside prose, repaired, in this order
(exchanges.md "Reading").

Every stage refuses deep nesting before it parses and works in time linear in the reply, with small factors.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import json_repair

from deliberation.prompts.base import MalformedReply
from deliberation.prompts.fields import Record, folded_key
from deliberation.prompts.texts import clean

STRING = r'"(?:[^"\\]++|\\.)*+"?'
TOKEN = re.compile(STRING + r"|[\[\]{}]", re.DOTALL)
START = re.compile(r'\{\s*["\'}]|\[\s*\{')
ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')
CUT_NUMBER = re.compile(r"(?<=[:\s])[-+0-9.][-+0-9.eE]*$")
FINISHED_TEXT = re.compile(r"(?<!\\)[\"'][\s,}\]]*$")


@dataclass(frozen=True)
class Limits:
    """What a reply may be: bytes in all, depth of nesting, characters handed to the repair library, and how
    many of its parts are.
    """

    bytes: int = 1_000_000
    depth: int = 40
    repair_chars: int = 300_000
    repairs: int = 3


@dataclass(frozen=True)
class Document:
    """The JSON of a reply: every value that was asked for, in order; most replies hold one.

    cut_key: the key whose text the end of the reply cut off, None where none was.
    """

    found: tuple[object, ...]
    notes: tuple[str, ...]
    cut_key: str | None = None

    @property
    def value(self) -> object:
        return self.found[-1]


Wanted = Callable[[object], bool]


def read(body: bytes, *, wanted: Wanted, limits: Limits | None = None) -> Document:
    """The JSON values of a reply for which `wanted` holds. Raises MalformedReply where there is none."""
    limits = limits or Limits()
    text, notes = decoded(body, limits=limits)
    spoken, thought = without_thinking(text)
    for candidate, said in ((text, ()), (spoken, thought)):
        value = whole(candidate, limits=limits)
        if wanted(value):
            return Document((value,), (*notes, *said))
    notes, spans = (*notes, *thought), tuple(spans_in(spoken, limits=limits))
    found = tuple(span.value for span in spans if wanted(span.value))
    if found:
        return Document(found, (*notes, "the JSON object was taken out of the text around it"))
    value, cut = repaired(spoken, spans, wanted=wanted, limits=limits)
    return Document((value,), (*notes, "the JSON was damaged and was repaired"), cut)


def decoded(body: bytes, *, limits: Limits) -> tuple[str, tuple[str, ...]]:
    if len(body) > limits.bytes:
        raise MalformedReply(f"the reply has {len(body):,} bytes; at most {limits.bytes:,} are read.")
    text = body.decode("utf-8", errors="replace").removeprefix("\ufeff").strip().strip("\0")
    if not text:
        raise MalformedReply("the reply is empty.")
    return text, ("bytes that are not UTF-8 were replaced",) if "\ufffd" in text else ()


def without_thinking(text: str) -> tuple[str, tuple[str, ...]]:
    """The text without what a reasoning model thinks aloud before it answers, and the note that says so.

    The part ends at the last closing tag that JSON follows, or else at the last one. One that is opened and
    never closed takes everything.
    """
    opened = text[:12].lower().startswith(("<think>", "<thinking>"))
    ends = [match.end() for match in re.finditer(r"</think(?:ing)?>", text, re.IGNORECASE)]
    if not ends:
        return ("", ("the reply ends inside its thinking part",)) if opened else (text, ())
    last = max((match.start() for match in START.finditer(text)), default=0)
    end = max((end for end in ends if end <= last), default=ends[-1] if opened else 0)
    return (text[end:].strip(), ("a thinking part was set aside",)) if end else (text, ())


def whole(text: str, *, limits: Limits) -> object:
    """The text as one JSON value, a JSON text inside a JSON string unpacked once; None where it is not
    JSON.
    """
    value = load(text, limits=limits) if text[:1] in ("{", "[", '"') else None
    return load(value.strip(), limits=limits) if isinstance(value, str) else value


def load(text: str, *, limits: Limits) -> object:
    """Strict JSON, then JSON in which raw control characters and lone backslashes are taken as meant; else
    None.
    """
    if depth_end(text, limits=limits)[1] == "deep":
        return None
    for version in (text, ESCAPE.sub(doubled, text)):
        try:
            return json.loads(
                version, strict=False, object_pairs_hook=as_record, parse_int=as_number, parse_float=float
            )
        except json.JSONDecodeError:
            continue
    return None


def doubled(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) > 1 else "\\\\"


def as_number(digits: str) -> int | float:
    """Integers beyond 18 digits as floats (infinite past 1e308): no weight or rating needs them exactly."""
    return int(digits) if len(digits) <= 18 else float(digits)


def as_record(pairs: list[tuple[str, object]]) -> Record:
    record = Record(pairs)
    if len(record) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        record.repeated = frozenset(key for key, count in counts.items() if count > 1)
    return record


def depth_end(text: str, *, start: int = 0, limits: Limits) -> tuple[int, str]:
    """Where the JSON value that begins at start ends, and how: "closed", "open" (never) or "deep" (too
    deep).
    """
    depth = 0
    for token in TOKEN.finditer(text, start):
        first = token[0][0]
        if first in "{[":
            depth += 1
        elif first in "]}":
            depth -= 1
            if depth <= 0:
                return token.end(), "closed"
        if depth > limits.depth:
            return token.end(), "deep"
    return len(text), "open"


@dataclass(frozen=True)
class Span:
    """A stretch of the reply that looks like one JSON value; value None where it cannot be read as it
    stands.
    """

    start: int
    end: int
    value: object


def spans_in(text: str, *, limits: Limits) -> Iterator[Span]:
    """The JSON values inside prose or code fences, in their order, and what looks like one. Never what lies
    inside one of them: a claim of a damaged proposal is no proposal.
    """
    position = 0
    while (match := START.search(text, position)) is not None:
        end, how = depth_end(text, start=match.start(), limits=limits)
        value = load(text[match.start() : end], limits=limits) if how == "closed" else None
        position = end if how == "closed" else len(text)
        yield Span(match.start(), position, value)


def repaired(
    text: str, spans: tuple[Span, ...], *, wanted: Wanted, limits: Limits
) -> tuple[object, str | None]:
    """What the repair library makes of the longest of the unread spans that it can mend, and the key that
    the end cut off. Raises MalformedReply where it can mend none, with the reason that stands for the
    longest.
    """
    unread = sorted((span for span in spans if span.value is None), key=lambda span: span.start - span.end)
    reason = None
    for span in [*unread[: limits.repairs - 1], *rest_of(text, spans)]:
        broken = text[span.start : span.end]
        try:
            value = mend(broken, wanted=wanted, limits=limits)
        except MalformedReply as refused:
            reason = reason or refused
            continue
        return value, cut_key(value) if is_cut(broken, limits=limits) else None
    raise reason or MalformedReply(nothing_in(text, spans))


def rest_of(text: str, spans: tuple[Span, ...]) -> list[Span]:
    """Everything from the first brace on, for JSON whose quotes are so broken that no span has its true
    end.
    """
    start = text.find("{")
    whole = Span(start, len(text), None)
    known = any((span.start, span.end) == (start, len(text)) or span.value is not None for span in spans)
    return [] if start < 0 or known else [whole]


def nothing_in(text: str, spans: tuple[Span, ...]) -> str:
    if spans:
        return unlike(spans[-1].value)
    return f"the reply holds no JSON object, only {'text' if text else 'a thinking part'}."


def mend(broken: str, *, wanted: Wanted, limits: Limits) -> object:
    """What the repair library makes of damaged JSON. Raises MalformedReply where that is not what is wanted.

    A number at the very end may be half a number, so it goes. Doubled keys are refused: the library keeps one
    of them without saying which.
    """
    if len(broken) > limits.repair_chars:
        raise MalformedReply("the reply is not valid JSON and too long to be repaired.")
    source = CUT_NUMBER.sub("", ESCAPE.sub(doubled, broken))
    try:
        mended = json_repair.loads(source, skip_json_loads=True, logging=True)
    except ValueError as refused:
        raise MalformedReply("the reply is not valid JSON and could not be repaired.") from refused
    value, log = mended if isinstance(mended, tuple) else (mended, [])
    if any("duplicate key" in entry["text"] for entry in log):
        raise MalformedReply("the reply is not valid JSON, and one of its objects holds a key twice.")
    records = as_records(value, depth=limits.depth)
    if not wanted(records):
        raise MalformedReply(unlike(records))
    return records


def as_records(value: object, *, depth: int) -> object:
    """The library's dicts as Records; what lies deeper than `depth` becomes None."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return Record({str(key): as_records(item, depth=depth - 1) for key, item in value.items()})
    if isinstance(value, list):
        return [as_records(item, depth=depth - 1) for item in value]
    return value


def is_cut(broken: str, *, limits: Limits) -> bool:
    """Whether the reply ends inside a text: its structure is open and no closing quote stands at its end."""
    return depth_end(broken, limits=limits)[1] == "open" and FINISHED_TEXT.search(broken[-200:]) is None


def cut_key(value: object) -> str | None:
    """The key of the last text in the value, in the order of writing."""
    key = None
    while isinstance(value, Record | list) and value:
        if isinstance(value, Record):
            key = next(reversed(value))
            value = value[key]
        else:
            value = value[-1]
    return folded_key(key) if key is not None else None


def unlike(value: object) -> str:
    """The sentence about JSON that has none of the fields that were asked for."""
    if not isinstance(value, Record):
        return "the reply holds no JSON object of the shape that was asked for."
    keys = ", ".join(f'"{clean(key[:30])}"' for key in list(value)[:8]) or "no field at all"
    return f"the JSON object has none of the fields that were asked for; it has {keys}."


def unwrapped(value: object, *, name: str) -> object:
    """The object that holds the field `name`, where a reply wraps it: in a list of one, or under a key of
    its own.
    """
    for _ in range(3):
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        inner = wrapped(value, name=name)
        if inner is None:
            break
        value = inner
    return value


def wrapped(value: object, *, name: str) -> Record | None:
    if not isinstance(value, Record) or (name in value and not isinstance(value[name], Record)):
        return None
    return next((item for item in value.values() if isinstance(item, Record) and name in item), None)
