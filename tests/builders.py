"""Sessions for tests, walked to any state through the services, without a worker: every reply is read by the real
parser and settled by the real verb, so rows and trail are those of a real session."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User

from broker.inference.base import EndpointSpec, Reply, Request
from broker.inference.simulated import DEMO_PANEL
from broker.services.panels import load_simulated_panel
from deliberation import orchestrator, staffing
from deliberation.claims import claimed
from deliberation.models import Session, Turn
from deliberation.prompts import propose, review
from deliberation.prompts.base import Prompt
from deliberation.protocol.types import Rules
from deliberation.selectors import prompting
from deliberation.services import people, sessions, turns
from deliberation.services.exchanges import Answer, Exchange, Held, hold
from deliberation.services.policies import publish_policy
from deliberation.services.rounds import begin_tally

TASK = "What is 17*23?"
CLAIM = "17 times 20 is 340"
SPEC = EndpointSpec(
    name="test", kind="simulated", base_url="", api_key="", max_concurrency=8, structured_output="json_schema"
)


def person(username: str = "owner", *, full_name: str = "") -> User:
    first, _, last = full_name.partition(" ")
    return User.objects.create_user(
        username, password="correct horse battery", first_name=first, last_name=last
    )


@dataclass
class Table:
    """A session that a test moves on. Seats of agents follow those of people who sat down before staffing."""

    session: Session

    def __post_init__(self) -> None:
        self.id = self.session.pk

    @property
    def agents(self) -> list[int]:
        return list(
            self.session.participants.filter(kind="model").order_by("seat").values_list("seat", flat=True)
        )

    @property
    def state(self) -> str:
        self.session.refresh_from_db()
        return str(self.session.state)

    def staff(self) -> "Table":
        """Seats the panel and opens the first round."""
        staffing.staff(self.id)
        self.session.refresh_from_db()
        return self

    def advance(self) -> str:
        """What a worker's wake-up does. Returns the state that it led to."""
        orchestrator.advance(self.id)
        return self.state

    def propose(self, seat: int, final: str = "391", **more: Any) -> "Table":
        """The agent's proposal, with one claim unless `claims` says otherwise."""
        with self.taken(self.turn(seat, "propose")) as held:
            turns.settle([self.answer(held, final, **more)])
        return self

    def answer(self, held: Held, final: str = "391", **more: Any) -> Answer:
        """A proposal that was read and is not settled yet."""
        prompt = propose.build(prompting.propose_inputs(self._prompts(), held.turn.participant))
        body = {
            "reasoning": "I multiplied in parts.",
            "answer": f"It is **{final}**.",
            "final_answer": final,
            "claims": [{"text": CLAIM}],
            "confidence": 0.8,
            "addressed": [],
            **more,
        }
        exchange = _exchange(held.turn, prompt, body)
        return Answer(held, exchange, propose.parse(exchange.reply.body))

    def review(self, seat: int, weights: Mapping[int, float], *, verdict: str = "verified") -> "Table":
        """The agent's ballot, by proposal seat, with a verdict on each proposal's first claim."""
        turn = self.turn(seat, "review")
        asked = prompting.review_inputs(self._prompts(), turn.participant)
        prompt = review.build(asked.inputs)
        reviews = [
            _review(candidate, weights.get(asked.labels[candidate.label]), verdict=verdict)
            for candidate in asked.inputs.candidates
        ]
        exchange = _exchange(turn, prompt, {"reviews": reviews, "missed": None})
        read = review.parse(exchange.reply.body, inputs=asked.inputs)
        with self.taken(turn) as held:
            turns.settle([Answer(held, exchange, read, labels=asked.labels)])
        return self

    def abstain(self, seat: int, kind: str, reason: str = "timed_out") -> "Table":
        with self.taken(self.turn(seat, kind)) as held:
            turns.abstain(held, reason)
        return self

    def settle_late(self, turn: Turn) -> None:
        """An answer that comes when the session has gone on without it."""
        with self.taken(turn) as held:
            turns.settle([self.answer(held, answer="too late", claims=[])])

    def begin(self, kind: str) -> "Table":
        """A worker takes every open turn of this kind."""
        open_turns = self.session.turns.filter(round__number=self.session.round, kind=kind, state="open")
        agents = open_turns.filter(endpoint__isnull=False).select_related("participant")
        turns.take(self.session, list(agents.order_by("participant__seat")))
        return self

    def all_propose(self, answers: Sequence[str] = ("391", "391", "381")) -> "Table":
        """Every agent proposes, and the reviews open."""
        for index, seat in enumerate(self.agents):
            self.propose(seat, answers[index % len(answers)])
        self.advance()
        return self

    def all_review(self) -> "Table":
        """Every agent gives 60 credits to the first proposal that is not its own and takes 30 from the last."""
        for seat in self.agents:
            others = [each for each in self._authors() if each != seat]
            self.review(seat, {**dict.fromkeys(others, 0), others[-1]: -30, others[0]: 60})
        return self

    def whole_round(self) -> str:
        """Proposals, reviews, and what a worker does then: a hold, the next round, or the end."""
        self.all_propose()
        self.all_review()
        return self.advance()

    def vote(self, user: User, votes: Mapping[int, int]) -> int:
        vote = people.Vote(round=self.session.round, votes=votes, key=uuid4())
        self.session.refresh_from_db()
        return people.cast_ballot(self.id, user, vote)

    def strike(
        self, user: User, seat: int, *, kind: str = "proposal", round_number: int | None = None
    ) -> int:
        strike = people.Strike(
            round=round_number or self.session.round,
            kind=kind,
            seat=seat,
            code="wrong",
            reason="The product is off by ten.",
            key=uuid4(),
        )
        return people.veto(self.id, user, strike)

    def guide(self, user: User, text: str = "Show the carry.") -> int:
        return people.leave_guidance(self.id, user, text, key=uuid4())

    def stop(self, user: User) -> str:
        sessions.stop(self.id, user)
        return self.advance()

    def end_hold(self) -> str:
        """The window is over: what a worker does at `hold_until`."""
        with claimed(Session.objects.filter(pk=self.id)) as claims:
            begin_tally(claims[0])
        return self.advance()

    def _authors(self) -> list[int]:
        rows = self.session.rounds.get(number=self.session.round).proposals
        return list(rows.order_by("participant__seat").values_list("participant__seat", flat=True))

    def _prompts(self) -> prompting.Table:
        self.session.refresh_from_db()
        return prompting.table(self.session)

    def turn(self, seat: int, kind: str) -> Turn:
        self.session.refresh_from_db()
        return self.session.turns.select_related("participant__model", "round").get(
            round__number=self.session.round, participant__seat=seat, kind=kind
        )

    @contextmanager
    def taken(self, turn: Turn) -> Iterator[Held]:
        """What a worker holds that takes the turn now."""
        with claimed(Turn.objects.filter(pk=turn.pk)) as claims:
            if turn.attempts == 0:
                turns.take(self.session, [turn])
            yield hold(claims[0])


def opened(owner: User | None = None, *, task: str = TASK, take_part: bool = False, **rules: Any) -> Table:
    """A session in `staffing` with three simulated experts to choose from, unless the rules ask for another panel."""
    load_simulated_panel(DEMO_PANEL)
    usual = {"panel_size": [3, 3], "blind": False, "max_rounds": 3, "equivalence": "number"}
    chosen = {**usual, "replace_agents": False, **rules}
    publish_policy("test", summary="For tests.", rules=Rules.from_json(chosen))
    opening = sessions.Opening(task=task, policy="test", seed=7, take_part=take_part)
    return Table(sessions.open_session(opening, owner=owner or person()))


def _review(candidate: Any, weight: float | None, *, verdict: str) -> dict[str, Any]:
    claims = [
        {"claim_id": claim_id, "quote": text, "verdict": verdict, "reason": "I checked it by hand."}
        for claim_id, text in candidate.claims[:1]
    ]
    return {
        "candidate": candidate.label,
        "claims": claims,
        "justification": f"It says {candidate.final_answer}.",
        "stance": None,
        "categories": {},
        "weight": weight,
    }


def _exchange(turn: Turn, prompt: Prompt, body: Mapping[str, Any]) -> Exchange:
    """What a server would have answered, in a quarter of a second for 300 tokens."""
    reply = Reply(
        body=json.dumps(body).encode(),
        reasoning=None,
        tokens_in=200,
        tokens_out=100,
        finish_reason="stop",
        ttft_ms=20.0,
        latency_ms=250.0,
        served_model="test",
    )
    return Exchange(prompt, request_of(turn, prompt), reply)


def request_of(turn: Turn, prompt: Prompt | None = None) -> Request:
    """The call that asks for this turn."""
    return Request(
        endpoint=SPEC,
        model="test",
        messages=prompt.messages if prompt else (),
        schema=prompt.schema if prompt else None,
        schema_name=turn.kind,
        max_tokens=1000,
        temperature=None,
        seed=None,
        deadline_s=60.0,
        exchange=turn.kind,
        seat=turn.participant.seat,
        round=turn.round.number,
        attempt=1,
        inputs=prompt.inputs if prompt else {},
        traits={},
    )
