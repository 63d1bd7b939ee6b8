"""From the bytes of a reply to its JSON: strict, fenced, inside prose, cut off, repaired, in this order
(exchanges.md "Reading")."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from deliberation.prompts.base import MalformedReply
from deliberation.prompts.decoding import Limits, completed, depth_end, load
from deliberation.prompts.fields import Record, folded_key
from deliberation.prompts.repairing import repaired
from deliberation.prompts.texts import clean

START = re.compile(r'\{\s*["\'}]|\[\s*\{|\{\s*\w+\s*:')
Wanted = Callable[[object], bool]


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


@dataclass(frozen=True)
class Span:
    """A stretch of the reply that looks like one JSON value; value None where it is not, as it stands."""

    text: str
    value: object
    is_open: bool


def read(body: bytes, *, wanted: Wanted, limits: Limits | None = None) -> Document:
    """The JSON values of a reply for which `wanted` holds. Raises MalformedReply where there is none."""
    limits = limits or Limits()
    text, notes = decoded(body, limits=limits)
    spoken, thought = without_thinking(text)
    for candidate, said in ((text, ()), (spoken, thought)):
        value = whole(candidate, limits=limits)
        if wanted(value):
            return Document((value,), (*notes, *said))
    spans = tuple(spans_in(spoken, limits=limits))
    found = tuple(span.value for span in spans if wanted(span.value))
    if found:
        return Document(found, (*notes, *thought, "the JSON object was taken out of the text around it"))
    document = damaged(spoken, spans, wanted=wanted, limits=limits)
    return replace(document, notes=(*notes, *thought, *document.notes))


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
    """The text as one JSON value, JSON inside a JSON string unpacked once; None where it is not JSON."""
    value = load(text, limits=limits) if text[:1] in ("{", "[", '"') else None
    return load(value.strip(), limits=limits) if isinstance(value, str) else value


def spans_in(text: str, *, limits: Limits) -> Iterator[Span]:
    """What looks like JSON inside prose or code fences, in order. Never what lies inside one of them: a
    claim of a damaged proposal is no proposal.
    """
    position = 0
    while (match := START.search(text, position)) is not None:
        end, how = depth_end(text, start=match.start(), limits=limits)
        position = end if how == "closed" else len(text)
        part = text[match.start() : position]
        yield Span(part, load(part, limits=limits) if how == "closed" else None, how != "closed")


def damaged(text: str, spans: tuple[Span, ...], *, wanted: Wanted, limits: Limits) -> Document:
    """What can be had of the longest part that cannot be read as it stands. Raises MalformedReply."""
    unread = [span for span in spans if span.value is None]
    if not unread:
        raise MalformedReply(unlike(spans[-1].value) if spans else nothing_in(text))
    span = max(unread, key=lambda each: len(each.text))
    value, is_partial = completed(span.text, limits=limits) if span.is_open else (None, False)
    if wanted(value):
        return Document((value,), ("the reply was cut off",), cut_key(value) if is_partial else None)
    value, is_partial = repaired(span.text, limits=limits)
    if not wanted(value):
        raise MalformedReply(unlike(value))
    return Document(
        (value,), ("the JSON was damaged and was repaired",), cut_key(value) if is_partial else None
    )


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


def nothing_in(text: str) -> str:
    return f"the reply holds no JSON object, only {'text' if text else 'a thinking part'}."


def unlike(value: object) -> str:
    """The sentence about JSON that has none of the fields that were asked for."""
    if not isinstance(value, Record):
        return "the reply holds no JSON object of the shape that was asked for."
    keys = ", ".join(f'"{clean(key[:30])}"' for key in list(value)[:8]) or "no field at all"
    return f"the JSON object has none of the fields that were asked for; it has {keys}."


def unwrapped(value: object, *, name: str) -> object:
    """The object that holds the field `name`, where a reply wraps it in a list of one or under other keys."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return wrapped(value, name=name, levels=3) or value


def wrapped(value: object, *, name: str, levels: int) -> Record | None:
    if not isinstance(value, Record) or levels == 0:
        return None
    if name in value and not isinstance(value[name], Record):
        return value
    inner = (wrapped(item, name=name, levels=levels - 1) for item in value.values())
    return next((record for record in inner if record is not None), None)
