"""Small rounds for the protocol's tests, by hand and by hypothesis."""

import os
from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from deliberation.protocol.types import Ballot, Claim, ClaimVerdict, Participant, Proposal, RoundInput

SECRET = bytes(range(32))
# Few and the same ones in every run, which takes seconds; a night's run: NSED_EXAMPLES=5000 pytest tests/protocol
EXAMPLES = int(os.environ.get("NSED_EXAMPLES", "15"))
LAWS = settings(max_examples=EXAMPLES, derandomize=EXAMPLES == 15, database=None)
Weights = Mapping[int, float | None]


def a_round(
    weights: Mapping[int, Weights],
    *,
    seats: int = 3,
    answers: Mapping[int, str] | None = None,
    participants: tuple[Participant, ...] | None = None,
    **more: Any,
) -> RoundInput:
    """Seats 1..`seats` with a proposal each; `weights`: voter -> proposal -> weight. All else by name."""
    seated = participants or tuple(Participant(seat) for seat in range(1, seats + 1))
    made = tuple(
        Proposal(each.seat, each.seat, (answers or {}).get(each.seat), f"answer {each.seat}")
        for each in seated
    )
    fields: dict[str, Any] = {"number": 1, "participants": seated, "proposals": made, "secret": SECRET}
    fields["ballots"] = tuple(Ballot(voter, given) for voter, given in weights.items())
    return RoundInput(**{**fields, **more})


def with_claims(inputs: RoundInput, claims: Mapping[int, tuple[Claim, ...]]) -> tuple[Proposal, ...]:
    """The proposals of `inputs`, those named in `claims` making these claims."""
    return tuple(
        Proposal(each.id, each.author, each.final_answer, each.answer, claims.get(each.id, ()))
        for each in inputs.proposals
    )


def judged(claim: Claim, proposal: int, **verdicts: str) -> tuple[ClaimVerdict, ...]:
    """`judged(claim, 1, s2="verified", s3="refuted")`: what seats 2 and 3 say of a claim of proposal 1."""
    return tuple(
        ClaimVerdict(int(seat[1:]), proposal, claim.id, verdict)  # type: ignore[arg-type]
        for seat, verdict in verdicts.items()
    )


credits = st.one_of(
    st.integers(-100, 100).map(float), st.floats(-100, 100), st.sampled_from([0.0, 33.3, 50.0, -25.0])
)


KINDS = (("model", None), ("model", "red"), ("model", "blue"), ("human", None))


@st.composite
def rounds(
    draw: st.DrawFn, *, least: int = 2, most: int = 5, weights: st.SearchStrategy[Any] = credits
) -> RoundInput:
    """A round of `least`..`most` seats in up to three families, some ballots and weights left out.

    Few draws of long lists: hypothesis takes its time by the draw.
    """
    seats = draw(st.integers(least, most))
    numbers = range(1, seats + 1)
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=seats, max_size=seats))
    answers = draw(st.text("xyz", min_size=seats, max_size=seats))
    table = draw(st.lists(weights, min_size=seats * seats, max_size=seats * seats))
    silent = draw(st.sets(st.integers(3, 5)))
    missing = draw(st.sets(st.integers(0, seats * seats - 1), max_size=seats))
    given = {
        voter: {
            each: None if (at := (voter - 1) * seats + each - 1) in missing else table[at]
            for each in numbers
            if each != voter
        }
        for voter in numbers
        if voter not in silent
    }
    participants = tuple(Participant(seat, *kinds[seat - 1]) for seat in numbers)  # type: ignore[arg-type]
    return a_round(given, participants=participants, answers={seat: answers[seat - 1] for seat in numbers})
