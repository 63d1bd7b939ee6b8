"""The consensus state and the semantic forget gate (protocol.md 6 [O])."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from deliberation.protocol.ballots import is_number
from deliberation.protocol.holdings import claim_items, position_items
from deliberation.protocol.types import Guidance, RoundInput, Rules, StateItem, StateUpdate, Tally, Veto

CHARS_PER_TOKEN = 4  # protocol.md 6: tokens = ceil(characters / 4)


def claim_id(text: str) -> str:
    """6 hex digits of SHA-256 of the normalised text: NFKC, lower case, white space collapsed, no closing
    full stop.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def active_guidance(guidance: Sequence[Guidance], *, number: int, rules: Rules) -> tuple[Guidance, ...]:
    """The guidance in force in round `number`, newest first."""
    active = [each for each in guidance if each.round < number <= each.round + _life(each, rules=rules)]
    return tuple(sorted(active, key=lambda each: (each.round, each.id), reverse=True))


def unvetoed(items: Iterable[StateItem], vetoes: Sequence[Veto]) -> tuple[StateItem, ...]:
    """The items that still stand under `vetoes`: a vetoed text leaves the consensus state at once
    (protocol.md 4), so whoever shows a stored state filters it through this.
    """
    struck: set[tuple[int | None, int]] = {
        (veto.round, veto.id) for veto in vetoes if veto.target == "proposal"
    }
    return tuple(item for item in items if not _is_vetoed(item, struck=struck))


def update_state(
    inputs: RoundInput, tally: Tally, *, rules: Rules, previous: Sequence[StateItem]
) -> StateUpdate:
    """The consensus state after round `inputs.number`, from what the round held and the state before it
    (protocol.md 6).
    """
    fresh = [
        *position_items(inputs, tally, chars=rules.position_chars),
        *claim_items(inputs, tally, previous=previous),
        *_guidance_items(inputs, rules=rules),
    ]
    known = {item.id for item in fresh}
    carried = [_carry(item, inputs=inputs) for item in previous if item.id not in known]
    rated = [_rate(item, inputs=inputs, gamma=rules.gamma) for item in (*fresh, *carried)]
    return _gate(rated, tokens=rules.state_tokens)


def _life(guidance: Guidance, *, rules: Rules) -> int:
    return rules.guidance_rounds if guidance.rounds is None else guidance.rounds


def _guidance_items(inputs: RoundInput, *, rules: Rules) -> list[StateItem]:
    active = active_guidance(inputs.guidance, number=inputs.number + 1, rules=rules)
    return [
        StateItem(
            id=f"g{each.id}",
            kind="guidance",
            status="active",
            text=each.text,
            round=each.round,
            age=0,
            support=1.0,
            relevance=1.0,
            g=1.0,
            tokens=0,
            to_seat=each.to_seat,
        )  # fmt: skip
        for each in active
    ]


def _carry(item: StateItem, *, inputs: RoundInput) -> StateItem:
    """An item that this round did not support: one round older, or out for a reason other than g."""
    struck: set[tuple[int | None, int]] = {
        (veto.round, veto.id) for veto in inputs.vetoes if veto.target == "proposal"
    }
    older = replace(item, age=item.age + 1)
    if item.kind == "guidance":
        still_there = any(f"g{each.id}" == item.id for each in inputs.guidance)
        return replace(older, fate="expired" if still_there else "withdrawn")
    if _is_vetoed(item, struck=struck):
        return replace(older, fate="vetoed")
    return replace(older, fate="withdrawn") if _is_given_up(item, inputs=inputs) else older


def _is_vetoed(item: StateItem, *, struck: set[tuple[int | None, int]]) -> bool:
    return bool(item.proposals) and all((item.made_in, proposal) in struck for proposal in item.proposals)


def _is_given_up(item: StateItem, *, inputs: RoundInput) -> bool:
    """A contested claim is withdrawn when each of its authors says so and nobody makes it any more."""
    if item.status != "contested":
        return False
    makers = {
        proposal.author for proposal in inputs.proposals for claim in proposal.claims if claim.id == item.id
    }
    given_up = {proposal.author for proposal in inputs.proposals if item.id in proposal.withdrawn}
    return not makers and bool(item.authors) and set(item.authors) <= given_up


def _rate(item: StateItem, *, inputs: RoundInput, gamma: float) -> StateItem:
    """g = gamma ^ age * s * rel with 0^0 = 1; 1 for contested claims and guidance (protocol.md 6)."""
    relevance = inputs.relevance.get(item.id, 1.0)
    relevance = float(min(1, max(0, relevance))) if is_number(relevance) else 1.0
    g = 1.0 if _is_reserved(item) else gamma**item.age * item.support * relevance
    return replace(item, relevance=relevance, g=g, tokens=-(-len(item.text) // CHARS_PER_TOKEN))


def _is_reserved(item: StateItem) -> bool:
    return item.kind == "guidance" or item.status == "contested"


def _gate(rated: Sequence[StateItem], *, tokens: int) -> StateUpdate:
    """What is disputed first, newest first, in at most half of the budget; then the largest g while they fit
    (protocol.md 6).
    """
    out = [item for item in rated if item.fate != "kept"]
    alive = [item for item in rated if item.fate == "kept"]
    reserved = sorted((item for item in alive if _is_reserved(item)), key=_newest)
    ranked = sorted(
        (item for item in alive if not _is_reserved(item)), key=lambda item: (-item.g, *_newest(item))
    )
    faded = [replace(item, fate="faded") for item in ranked if item.g == 0 and item.age > 0]
    held, crowded_out, used = _fill(reserved, tokens=tokens // 2)
    kept, too_many, more = _fill(
        [item for item in ranked if item.g > 0 or item.age == 0], tokens=tokens - used
    )
    return StateUpdate(
        kept=tuple(sorted(held + kept, key=_prompt_order)),
        dropped=tuple(sorted(out + faded + crowded_out + too_many, key=_prompt_order)),
        tokens=used + more,
    )


def _fill(items: Iterable[StateItem], *, tokens: int) -> tuple[list[StateItem], list[StateItem], int]:
    """In order, each item that still fits; a shorter one may follow one that did not."""
    kept: list[StateItem] = []
    dropped: list[StateItem] = []
    used = 0
    for item in items:
        if used + item.tokens <= tokens:
            kept.append(item)
            used += item.tokens
        else:
            dropped.append(replace(item, fate="room"))
    return kept, dropped, used


def _newest(item: StateItem) -> tuple[int, int, int, str]:
    number = int(item.id.removeprefix("g")) if item.kind == "guidance" else 0
    return -item.round, item.kind != "guidance", -number, item.id


_KINDS = ("position", "claim", "guidance")
_STATUSES = ("winner", "runner_up", "minority", "contested", "verified", "refuted", "active")


def _prompt_order(item: StateItem) -> tuple[int, int, float, str]:
    return _KINDS.index(item.kind), _STATUSES.index(item.status), -item.g, item.id
