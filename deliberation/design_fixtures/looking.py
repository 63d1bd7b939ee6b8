"""What opens in a dialog: one number of the matrix, and the exact words of a call with what its author changed."""

from dataclasses import replace

from deliberation.design_fixtures.base import ADA, SESSION, A, B, State, seen
from deliberation.design_fixtures.cards import FIRST_TEXT, TEXT, change, review
from deliberation.selectors.exchanges import Attempt, ExchangeView, Message
from deliberation.selectors.influence import CellView

CELL = CellView(
    key="2-2-1",
    round=2,
    reviewer=B,
    proposal=A,
    q=0.82,
    credits=67.24,
    weight=0.5,
    moves=0.29,
    net_support=0.54,
    without=0.31,
    provisional=True,
    struck=False,
    review=review(B, 0.82),
    session_id=SESSION,
    ballot="ballot-2-2",
)


def cells() -> tuple[State, ...]:
    by_hand = replace(CELL, key="2-6-1", reviewer=ADA, review=None, weight=1.0, ballot="ballot-2-6")
    struck = replace(CELL, struck=True, moves=None, weight=None, provisional=False, ballot=None)
    return (
        seen("cast", "An agent's ballot", CELL),
        seen("person", "A person's ballot", by_hand),
        seen(
            "unweighed", "No weight was given", replace(CELL, q=None, credits=None, moves=None, review=None)
        ),
        seen("struck", "The ballot is struck", struck),
    )


ATTEMPT = Attempt(
    number=1,
    seq=24,
    outcome="it counts",
    messages=(
        Message("system", "You are one of several experts who weigh each other's answers."),
        Message("user", "What is 17*23?"),
    ),
    reply='{"answer": "It is 391.", "final_answer": "391", "claims": []}',
    prompt_version="propose-4",
    prompt_sha256="4c1f" * 16,
    reply_sha256="b07a" * 16,
    tokens_in=812,
    tokens_out=164,
    latency_ms=2_310.0,
)
CALL = ExchangeView(
    key="2-1-propose", round=2, kind="propose", who=A, attempts=(ATTEMPT,), labels=(), change=None
)


def exchanges() -> tuple[State, ...]:
    lost = replace(
        ATTEMPT, seq=22, outcome="timed out", reply=None, reply_sha256=None, tokens_in=None, tokens_out=None,
        latency_ms=None, messages=(),
    )  # fmt: skip
    again = (lost, replace(ATTEMPT, number=2))
    labels = (("X", "B"), ("Y", "A"))
    second = replace(CALL, key="2-1-review", kind="review", attempts=again, labels=labels)
    return (
        seen("counts", "A call that counts", CALL),
        seen("changed", "What its author changed", replace(CALL, change=change(FIRST_TEXT, TEXT, final_answer="381"))),
        seen("again", "A second attempt, of a review", second),
    )  # fmt: skip
