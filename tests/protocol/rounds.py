"""Small rounds for the protocol's tests, by hand and by hypothesis."""

from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from deliberation.protocol.types import Ballot, Claim, ClaimVerdict, Participant, Proposal, RoundInput

SECRET = bytes(range(32))
LAWS = settings(max_examples=25, deadline=None, derandomize=True, database=None)
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


@st.composite
def rounds(
    draw: st.DrawFn, *, least: int = 2, most: int = 5, weights: st.SearchStrategy[Any] = credits
) -> RoundInput:
    """A round of `least`..`most` seats in up to three families, some ballots and weights left out."""
    seats = draw(st.integers(least, most))
    families = st.sampled_from([None, "red", "blue"])
    participants = tuple(
        Participant(seat, draw(st.sampled_from(["model", "model", "human"])), draw(families))
        for seat in range(1, seats + 1)
    )
    answers = {seat: draw(st.sampled_from(["x", "y", "z"])) for seat in range(1, seats + 1)}
    given = {
        voter: {each: draw(st.one_of(weights, st.none())) for each in range(1, seats + 1) if each != voter}
        for voter in range(1, seats + 1)
        if draw(st.booleans()) or voter <= 2
    }
    return a_round(given, participants=participants, answers=answers)
