"""What a round holds for the consensus state: positions and judged claims (protocol.md 6 [O])."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from deliberation.protocol.diagnostics import countable
from deliberation.protocol.types import AnswerClass, Proposal, RoundInput, StateItem, Tally


def position_items(inputs: RoundInput, tally: Tally, *, chars: int) -> list[StateItem]:
    """The winner, the runner-up class and every further class as a minority, each by its best weighed,
    unvetoed proposal; s = |ns|, the text is the answer cut at `chars`.
    """
    proposals = {proposal.id: proposal for proposal in _standing(inputs, tally)}
    items = []
    for group in tally.classes:
        best = _best_of(group, tally)
        if best is not None:
            items.append(_position(proposals[best], group, tally, number=inputs.number, chars=chars))
    return items


def _best_of(group: AnswerClass, tally: Tally) -> int | None:
    """The member that stands for its class: the winner or runner-up if it is one, else the one with most
    support.
    """
    standing = [
        each for each in group.members if tally.net_support[each] is not None and each not in tally.vetoed
    ]
    named = [each for each in (tally.winner, tally.runner_up) if each in standing]
    return (
        named[0]
        if named
        else min(standing, key=lambda each: (-(tally.net_support[each] or 0.0), each), default=None)
    )


def _position(proposal: Proposal, group: AnswerClass, tally: Tally, *, number: int, chars: int) -> StateItem:
    statuses = {tally.winner: "winner", tally.runner_up: "runner_up"}
    text = proposal.answer or proposal.final_answer or ""
    return StateItem(
        id=_position_id(group.key if group.key is not None else text),
        kind="position",
        status=statuses.get(proposal.id, "minority"),
        text=text[:chars],
        round=number,
        age=0,
        support=abs(tally.net_support[proposal.id] or 0.0),
        relevance=1.0,
        g=0.0,
        tokens=0,
        proposals=(proposal.id,),
        authors=(proposal.author,),
        made_in=number,
    )


def _standing(inputs: RoundInput, tally: Tally) -> list[Proposal]:
    """The unvetoed proposals that were tallied, by id; of a doubled one the first, as in the tally."""
    first = {proposal.id: proposal for proposal in reversed(inputs.proposals)}
    return [first[each] for each in sorted(first) if each in tally.net_support and each not in tally.vetoed]


def _position_id(key: str) -> str:
    """The same answer keeps its id from round to round; the prefix keeps positions and claims apart."""
    return hashlib.sha256(b"position\0" + key.encode("utf-8", "surrogatepass")).hexdigest()[:6]


def claim_items(inputs: RoundInput, tally: Tally, *, previous: Sequence[StateItem]) -> list[StateItem]:
    """The claims that this round's verdicts settle or contest; s is the share of verdicts that agree with the
    status."""
    verdicts = _verdicts_by_claim(inputs, tally, previous=previous)
    holders = {item.id: _held_before(item) for item in previous if item.kind == "claim"}
    for proposal in _standing(inputs, tally):
        for claim in proposal.claims:
            holders[claim.id] = _held_by(
                proposal, claim.text, also=holders.get(claim.id), number=inputs.number
            )
    items = []
    for claim_id in sorted(verdicts):
        counts = Counter(verdicts[claim_id])
        status = claim_status(counts)
        if status is not None:
            items.append(
                _claim(claim_id, status, counts=counts, held=holders[claim_id], number=inputs.number)
            )
    return items


def claim_status(counts: Counter[str]) -> str | None:
    """verified or refuted with more than half of the verdicts; else contested where at least one contests or
    refutes; else None.
    """
    for status in ("verified", "refuted"):
        if 2 * counts[status] > counts.total():
            return status
    return "contested" if counts["contested"] or counts["refuted"] else None


def _verdicts_by_claim(
    inputs: RoundInput, tally: Tally, *, previous: Sequence[StateItem]
) -> dict[str, list[str]]:
    """Verdicts on claims of unvetoed proposals, and those that re-judge a contested claim which no proposal
    makes any more.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    standing = {proposal.id for proposal in _standing(inputs, tally)}
    for each in countable(inputs):
        if each.proposal in standing:
            found[each.claim_id].append(each.verdict)
    made = {claim.id for proposal in inputs.proposals for claim in proposal.claims}
    open_claims = {item.id: item for item in previous if item.status == "contested" and item.id not in made}
    rejudged = {
        (verdict.claim_id, verdict.reviewer): verdict.verdict
        for verdict in sorted(
            inputs.claim_verdicts, key=lambda each: (each.claim_id, each.reviewer, each.proposal)
        )
        if verdict.grounded and verdict.claim_id in open_claims
    }
    for (claim, reviewer), verdict in rejudged.items():
        if reviewer not in open_claims[claim].authors:
            found[claim].append(verdict)
    return found


@dataclass(frozen=True)
class _Held:
    """Who makes a claim, in proposals of round `made_in`. A claim that no proposal makes any more keeps the
    makers it had.
    """

    text: str
    proposals: tuple[int, ...]
    authors: tuple[int, ...]
    made_in: int | None


def _held_before(item: StateItem) -> _Held:
    return _Held(item.text, item.proposals, item.authors, item.made_in)


def _held_by(proposal: Proposal, text: str, *, also: _Held | None, number: int) -> _Held:
    """One more maker in this round; makers of an earlier round give way."""
    if also is None or also.made_in != number:
        return _Held(text, (proposal.id,), (proposal.author,), number)
    return _Held(also.text, (*also.proposals, proposal.id), (*also.authors, proposal.author), number)


def _claim(claim_id: str, status: str, *, counts: Counter[str], held: _Held, number: int) -> StateItem:
    return StateItem(
        id=claim_id,
        kind="claim",
        status=status,
        text=held.text,
        round=number,
        age=0,
        support=counts[status] / counts.total(),
        relevance=1.0,
        g=0.0,
        tokens=0,
        proposals=held.proposals,
        authors=held.authors,
        made_in=held.made_in,
    )
