"""The trail read back as the protocol's values: what a tally, a provisional tally, what-if and replay all start from.

Nothing here reads the working tables; a recount therefore rests on hashed facts alone.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from broker.models import plain
from deliberation.models import Session
from deliberation.protocol.phases import phase_number
from deliberation.protocol.types import (
    Ballot,
    CategoryScore,
    Claim,
    ClaimVerdict,
    Guidance,
    Participant,
    Proposal,
    RoundInput,
    Rules,
    Spent,
    Veto,
)

COUNTED = (
    "panel.chosen",
    "seat.replaced",
    "participant.joined",
    "proposal.made",
    "ballot.cast",
    "proposal.vetoed",
    "ballot.vetoed",
    "veto.withdrawn",
    "guidance.left",
    "guidance.withdrawn",
    "human.done",
    "session.stop_requested",
    "round.asked",
    "round.unasked",
    "round.closed",
)


@dataclass(frozen=True)
class Fact:
    """One event as a recount reads it."""

    seq: int
    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """The facts of one session up to a moment, with the texts they name."""

    facts: Sequence[Fact]
    texts: Mapping[str, bytes]
    rules: Rules
    secret: bytes

    def until(self, seq: int) -> "Record":
        """The record as it stood before event `seq`."""
        return Record([fact for fact in self.facts if fact.seq < seq], self.texts, self.rules, self.secret)

    def of(self, *kinds: str, round: int | None = None) -> list[Mapping[str, Any]]:
        return [
            fact.data
            for fact in self.facts
            if fact.kind in kinds and (round is None or fact.data.get("round") == round)
        ]

    def goes_on(self, number: int) -> bool:
        """Whether one more round is asked for after round `number`, and that was not taken back."""
        kinds = ("round.asked", "round.unasked")
        told = [each.kind for each in self.facts if each.kind in kinds and each.data["round"] == number]
        return told[-1:] == ["round.asked"]

    @cached_property
    def closings(self) -> list[Fact]:
        """The `round.closed` events, in order."""
        return [fact for fact in self.facts if fact.kind == "round.closed"]

    def round_input(self, number: int, *, spent: Spent) -> RoundInput:
        """All that close_round() reads, for round `number`."""
        ballots = self._ballots(number)
        return RoundInput(
            number=number,
            participants=self._participants(number),
            proposals=tuple(self._proposal(data) for data in self.of("proposal.made", round=number)),
            ballots=tuple(_ballot(data) for data in ballots),
            vetoes=self.vetoes(),
            required=self._required(number),
            claim_verdicts=tuple(verdict for data in ballots for verdict in _claim_verdicts(data)),
            category_scores=tuple(score for data in ballots for score in _category_scores(data)),
            guidance=self.guidance(),
            secret=self.secret,
            spent=spent,
            stop_requested=bool(self.of("session.stop_requested")),
            more_requested=self.goes_on(number),
            panel_of_one=any(data["panel_of_one"] for data in self.of("panel.chosen")),
        )

    def _required(self, number: int) -> tuple[int, ...]:
        """The people whom the policy requires: asked for their ballot, until they withdraw."""
        left = {data["seat"] for data in self.of("human.done") if data.get("leaves")}
        joined = [each for each in self.of("participant.joined") if each["asked"] and each["round"] <= number]
        return tuple(data["seat"] for data in joined if data["seat"] not in left)

    def _participants(self, number: int) -> tuple[Participant, ...]:
        """The people, and the agents that are asked in a phase of this round."""
        people = [Participant(seat=data["seat"], kind="human") for data in self.of("participant.joined")]
        agents = [each for each in self._agents(number) if each.proposes or each.reviews]
        return tuple(sorted(agents + people, key=lambda each: each.seat))

    def _agents(self, number: int) -> list[Participant]:
        replaced = self.of("seat.replaced")
        seats = [seat for data in self.of("panel.chosen") for seat in data["seats"]]
        seats += [data["by"] for data in replaced]
        joined = {data["by"]["seat"]: data["phase"] for data in replaced}
        left = {data["seat"]: data["phase"] for data in replaced}

        def is_asked(seat: int, exchange: str) -> bool:
            phase = phase_number(number, exchange)
            return joined.get(seat, 0) <= phase < left.get(seat, phase + 1)

        return [
            Participant(
                seat=each["seat"],
                kind="model",
                family=each["family"],
                proposes=is_asked(each["seat"], "propose"),
                reviews=is_asked(each["seat"], "review"),
            )
            for each in seats
        ]

    def _proposal(self, data: Mapping[str, Any]) -> Proposal:
        text = self.json(data["text"])
        return Proposal(
            id=data["seat"],
            author=data["seat"],
            final_answer=text["final_answer"],
            answer=text["answer"],
            claims=tuple(Claim(id=claim["id"], text=claim["text"]) for claim in text["claims"]),
        )

    def _ballots(self, number: int) -> list[Mapping[str, Any]]:
        """The newest version of each voter's ballot."""
        newest = {data["seat"]: data for data in self.of("ballot.cast", round=number)}
        return [newest[seat] for seat in sorted(newest)]

    def vetoes(self) -> tuple[Veto, ...]:
        """Those that stand, of every round."""
        standing: dict[tuple[str, int, int], Veto] = {}
        for fact in self.facts:
            data = fact.data
            if fact.kind in ("proposal.vetoed", "ballot.vetoed"):
                target = fact.kind.removesuffix(".vetoed")
                key = (target, data["seat"], data["round"])
                standing[key] = Veto(target=target, id=data["seat"], round=data["round"])  # type: ignore[arg-type]
            elif fact.kind == "veto.withdrawn":
                standing.pop((data["target"], data["seat"], data["round"]), None)
        return tuple(standing.values())

    def guidance(self) -> tuple[Guidance, ...]:
        """What people have said and not withdrawn."""
        gone = {data["guidance"] for data in self.of("guidance.withdrawn")}
        return tuple(
            Guidance(
                id=data["guidance"],
                text=self.text(data["text"]),
                round=data["round"],
                to_seat=data["seat"],
            )
            for data in self.of("guidance.left")
            if data["guidance"] not in gone
        )

    def text(self, reference: Mapping[str, str]) -> str:
        return self.texts[reference["blob"]].decode("utf-8", "replace")

    def json(self, reference: Mapping[str, str]) -> Any:
        return json.loads(self.texts[reference["blob"]])


def load(session: Session, kinds: Sequence[str] = COUNTED) -> Record:
    """The record of a session so far. Two queries."""
    rows = plain.read(
        "SELECT seq, kind, data FROM deliberation_event WHERE chain_id = %s AND kind = ANY(%s) ORDER BY seq",
        [str(session.pk), list(kinds)],
    )
    facts = [Fact(seq, kind, json.loads(data)) for seq, kind, data in rows]
    wanted = {data["text"]["blob"] for data in (fact.data for fact in facts) if "text" in data}
    return Record(
        facts=facts,
        texts=_texts(wanted),
        rules=Rules.from_json(session.rules),
        secret=bytes(session.secret),
    )


def _texts(ids: Collection[str]) -> dict[str, bytes]:
    if not ids:
        return {}
    found = plain.read("SELECT id, content FROM deliberation_blob WHERE id = ANY(%s::uuid[])", [list(ids)])
    return {str(pk): bytes(content) for pk, content in found}


def spent_of(data: Mapping[str, Any]) -> Spent:
    """What a `round.closed` event says had been used up by then."""
    return Spent(
        cost_usd=_float(data["spent"]["cost_usd"]),
        tokens=data["spent"]["tokens"],
        seconds=_float(data["spent"]["seconds"]),
        money_short=data["spent"].get("money_short", False),
    )


def _ballot(data: Mapping[str, Any]) -> Ballot:
    return Ballot(
        voter=data["seat"], weights={int(key): _float(value) for key, value in data["weights"].items()}
    )


def _claim_verdicts(data: Mapping[str, Any]) -> list[ClaimVerdict]:
    return [
        ClaimVerdict(
            reviewer=data["seat"],
            proposal=each["proposal"],
            claim_id=each["claim"],
            verdict=each["verdict"],
            grounded=each["grounded"],
        )
        for each in data["verdicts"]
        if each["claim"] is not None
    ]


def _category_scores(data: Mapping[str, Any]) -> list[CategoryScore]:
    return [
        CategoryScore(reviewer=data["seat"], proposal=int(proposal), category=category, score=float(score))
        for proposal, scores in data.get("categories", {}).items()
        for category, score in scores.items()
        if score is not None
    ]


def _float(value: str | float | None) -> float | None:
    return None if value is None else float(value)
