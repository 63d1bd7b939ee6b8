"""The verdict, with all that may have to be said beside it."""

from dataclasses import replace

from deliberation.design_fixtures.base import ENDED, SESSION, A, State, seen
from deliberation.design_fixtures.cards import LONG, TEXT
from deliberation.protocol.types import MinorityReport, OpenClaim
from deliberation.selectors.ending import Ending, Overturned, VerdictView

LOST = "4 of 5 answered. Lost: agent C (timed out). Could they have flipped it? No."
OTHER = MinorityReport(
    round=2, proposal=2, net_support=-0.21, final_answer="381", answer="17 times 23 is 381.", members=(2, 4)
)
VERDICT = VerdictView(
    overturned=None,
    answer=TEXT,
    final_answer="391",
    author=A,
    round=2,
    key="2-1",
    net_support=0.54,
    margin=0.42,
    conviction=0.47,
    coverage=1.0,
    stop_reason="It ended because enough evidence was gathered.",
    sure=("A wins by .42 in round 2.", "Its net support is +.54; C, the best other answer, has +.12."),
    doubts=(),
    minority=OTHER,
    open_claims=(),
    degraded=None,
    trail_hash="9f2c41d0a7",
)
CONCLUDED = Ending(
    session_id=SESSION,
    verdict=VERDICT,
    failure=None,
    simulated=False,
    tokens_in=48_210,
    tokens_out=9_377,
    calls=20,
    cost_usd=0.0412,
    expected_usd=0.0824,
    max_rounds=4,
    wall_s=401.0,
    critical_path_s=212.5,
    ended_at=ENDED,
)
DOUBTS = (
    "By the median of the ballots another proposal would have won its round.",
    "Without the ballot of F another proposal would have won.",
    "Struck by people: C of round 2.",
    "A later veto changed the count of round 1; the verdict uses the recount.",
)


def with_verdict(**more: object) -> Ending:
    return replace(CONCLUDED, verdict=replace(VERDICT, **more))  # type: ignore[arg-type]


def verdicts() -> tuple[State, ...]:
    running = replace(CONCLUDED, verdict=None, ended_at=None)
    failure = "Only one agent answered in round 1, and two are needed."
    by_hand = Overturned("Grace Hopper overturned the verdict", "It rests on a wrong premise.", ENDED, 51)
    tie = "A and B stood equal; the lower controversy decided."
    tied = with_verdict(sure=("A wins on a tie in round 2.",), doubts=(tie,), margin=0.0, conviction=0.2)
    claims = (OpenClaim("c2", "17 times 3 is 51", 2), OpenClaim("c4", "The product is odd", 1))
    long = with_verdict(
        final_answer="It depends on the base: 391 in base ten, and 187 in hexadecimal", answer=LONG
    )
    return (
        seen("none", "It runs: nothing is shown", running),
        seen("short", "A short answer", CONCLUDED),
        seen("long", "A long answer, folded", long),
        seen("sentence", "An answer that is a text alone", with_verdict(final_answer=None, minority=None)),
        seen(
            "tie",
            "Two stood equal",
            tied,
        ),
        seen("doubts", "Much speaks against it", with_verdict(doubts=DOUBTS, open_claims=claims)),
        seen("degraded", "An agent was lost", with_verdict(degraded=LOST, coverage=0.8)),
        seen(
            "simulated",
            "Simulated experts",
            replace(CONCLUDED, simulated=True, cost_usd=0.0, expected_usd=0.0),
        ),
        seen("unpriced", "Not every price is known", replace(CONCLUDED, cost_usd=None, expected_usd=None)),
        seen("overturned", "A person overturned it", with_verdict(overturned=by_hand)),
        seen("failed", "There is no verdict", replace(running, failure=failure)),
    )
