"""The exact words of a turn: what was asked, byte for byte, and what came back, attempt by attempt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deliberation.models import Blob, Turn
from deliberation.selectors import words
from deliberation.selectors.access import BLIND
from deliberation.selectors.changes import Change, change
from deliberation.selectors.room import Moment, Room, numbers_in
from deliberation.selectors.words import Who, who

KINDS = {Turn.Kind.PROPOSE.value: "proposal.made", Turn.Kind.REVIEW.value: "ballot.cast"}
LOST = ("attempt.failed", "turn.abstained")


@dataclass(frozen=True)
class Message:
    role: str
    text: str


@dataclass(frozen=True)
class Attempt:
    """One call. reply None: nothing came back, `outcome` says why. tokens and time as the server reported them."""

    number: int
    seq: int
    outcome: str
    messages: tuple[Message, ...]
    reply: str | None
    prompt_version: str | None
    prompt_sha256: str | None
    reply_sha256: str | None
    tokens_in: int | None
    tokens_out: int | None
    latency_ms: float | None


@dataclass(frozen=True)
class ExchangeView:
    """labels: what the reviewer knew each proposal as, by its letter in the room."""

    key: str
    round: int
    kind: str
    who: Who
    attempts: tuple[Attempt, ...]
    labels: tuple[tuple[str, str], ...]
    change: Change | None


def exchange(room: Room, key: str, *, audience: str) -> ExchangeView | None:
    """`key` = "ROUND-SEAT-KIND", kind propose or review. None: there is no such call of a model, or the viewer may not
    see it yet. One query.
    """
    place, _, kind = key.rpartition("-")
    numbers = numbers_in(place)
    if audience == BLIND or len(numbers) != 2:
        return None
    number, seat = numbers
    seen = [each for each in room.moments if _is_about(each, number, seat, kind)]
    if not seen:
        return None
    refs = [each.data[name]["blob"] for each in seen for name in ("prompt", "reply") if each.data.get(name)]
    rows = Blob.objects.filter(session=room.session, pk__in=refs).values_list("pk", "content")
    blobs = {str(pk): bytes(content) for pk, content in rows}
    return ExchangeView(
        key=key,
        round=number,
        kind=kind,
        who=who(room, seat, audience=audience),
        attempts=tuple(_attempt(each, blobs, number=i) for i, each in enumerate(seen, 1)),
        labels=_labels(seen[-1].data),
        change=change(room, (number, seat), audience=audience) if kind == Turn.Kind.PROPOSE else None,
    )


def _is_about(moment: Moment, number: int, seat: int, kind: str) -> bool:
    """Calls of models alone: a person's ballot is no exchange."""
    told = (KINDS.get(kind), *LOST)
    return moment.kind in told and moment.place == (number, seat) and moment.data.get("exchange") == kind


def _attempt(moment: Moment, blobs: Mapping[str, bytes], *, number: int) -> Attempt:
    data = moment.data
    prompt, reply = (data.get(name) or {} for name in ("prompt", "reply"))
    call = data.get("call") or {}
    lost = data.get("code") or data.get("reason") if moment.kind in LOST else None
    return Attempt(
        number=data.get("attempt") or number,
        seq=moment.seq,
        outcome=words.reason(lost) if lost else "it counts",
        messages=_messages(blobs.get(prompt.get("blob", ""))),
        reply=_text(blobs.get(reply.get("blob", ""))),
        prompt_version=data.get("prompt_version"),
        prompt_sha256=prompt.get("sha256"),
        reply_sha256=reply.get("sha256"),
        tokens_in=call.get("tokens_in"),
        tokens_out=call.get("tokens_out"),
        latency_ms=call.get("latency_ms"),
    )


def _messages(body: bytes | None) -> tuple[Message, ...]:
    if body is None:
        return ()
    said = json.loads(body.decode("utf-8", "surrogatepass"))
    return tuple(Message(each["role"], _clean(each["content"])) for each in said)


def _text(body: bytes | None) -> str | None:
    return None if body is None else body.decode("utf-8", "replace")


def _clean(text: str) -> str:
    """Lone surrogates cannot leave as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _labels(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    labels: Mapping[str, int] = data.get("labels") or {}
    return tuple((label, words.letter(seat)) for label, seat in labels.items())
