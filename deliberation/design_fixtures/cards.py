"""Proposals: every state of a card, the rounds they stand in, and the offer of a ballot."""

from dataclasses import replace

from deliberation.design_fixtures.base import ADA, GRACE, SESSION, A, B, C, State, blind, seen
from deliberation.selectors.cards import Asked, Card, CardRound, Cards, ClaimLine, Offer
from deliberation.selectors.changes import Change, compared
from deliberation.selectors.reviews import ReviewLine, StruckBy
from deliberation.selectors.words import Who

FIRST_TEXT = "17 times 23 is 381, since 17 times 20 is 340 and 17 times 3 is 41."
TEXT = "17 times 23 is **391**, since 17 times 20 is 340 and 17 times 3 is 51."
MATHS = r"""The sum of the first $n$ odd numbers is $n^2$, by induction:

$$\sum_{k=1}^{n} (2k - 1) = n^2$$

```python
def odd_sum(n: int) -> int:
    return sum(2 * k - 1 for k in range(1, n + 1))
```

| n | sum |
|---|---:|
| 3 | 9 |
| 10 | 100 |"""
STEP = "A step of a long argument, which builds on the one before and says why it holds."
LONG = "\n\n".join(f"{number}. {STEP}" for number in range(1, 18))
CLAIMS = (
    ClaimLine("c1", "17 times 20 is 340", "verified", "3 verified"),
    ClaimLine("c2", "17 times 3 is 51", "contested", "1 contested, 2 verified"),
    ClaimLine("c3", "381 is a multiple of 17", "refuted", "2 refuted"),
    ClaimLine("c4", "The product is odd", None, ""),
)
JUDGED = (
    {
        "verdict": "verified",
        "grounded": True,
        "reason": "I multiplied it out.",
        "quote": "17 times 20 is 340",
    },
    {"verdict": "refuted", "grounded": False, "reason": "This is said nowhere.", "quote": "17 times 3 is 50"},
)


def review(reviewer: Who, influence: float | None, **more: object) -> ReviewLine:
    line = ReviewLine(
        reviewer=reviewer,
        anchor=f"review-2-{reviewer.seat}-1",
        influence=influence,
        stance="agree",
        justification="Each step can be checked, and the last one is right.",
        claims=JUDGED,
        struck=False,
        ballot=f"ballot-2-{reviewer.seat}",
    )
    return replace(line, **more)  # type: ignore[arg-type]


REVIEWS = (
    review(B, 0.82),
    review(C, -0.31, stance="disagree", justification="The second product is not shown.", claims=()),
    review(ADA, 0.5, stance="", claims=(), struck=True, ballot=None),
)
CARD = Card(
    key="2-1",
    round=2,
    seat=1,
    who=A,
    role="",
    state="made",
    missing="",
    answer=TEXT,
    final_answer="391",
    reasoning="I split 23 into 20 and 3.",
    claims=CLAIMS,
    reviews=REVIEWS,
    net_support=0.54,
    provisional=True,
    hidden=False,
    standing="",
    struck=None,
    change=None,
    asked=(Asked("2-1-propose", "agent A was asked for a proposal"),),
    notes=(),
    seq=24,
    votable=True,
    session_id=SESSION,
)
BARE = replace(CARD, answer="", final_answer=None, reasoning="", claims=(), reviews=(), net_support=None)


def change(old: str, new: str, *, final_answer: str | None = None) -> Change:
    pieces = compared(old, new) or ()
    added, taken = (
        sum(len(each.text.split()) for each in pieces if each.kind == kind) for kind in ("added", "taken")
    )
    return Change(1, final_answer, added, taken, pieces)


def proposal_cards() -> tuple[State, ...]:
    struck = StruckBy(by="Grace Hopper", code="Unsafe", reason="It names a person.", seq=31)
    quiet = tuple(
        replace(each, influence=None, stance="", reviewer=blind(each.reviewer)) for each in REVIEWS[:2]
    )
    hidden = replace(CARD, who=blind(A), hidden=True, net_support=None, asked=(), reviews=quiet)
    lost = "No proposal: its reply could not be read, twice."
    long = replace(CARD, final_answer="Seventeen steps, each of them sound", answer=LONG)
    over = "The session ended before it was written."
    noted = replace(CARD, notes=("A claim was cut after 300 characters.",), net_support=None)
    by_hand = replace(CARD, who=GRACE, seat=7, claims=(), reviews=(), asked=(), net_support=0.0)
    unnamed = replace(BARE, state="writing", who=blind(A), hidden=True)
    return (
        seen("writing", "It is being written", replace(BARE, state="writing")),
        seen("made", "It is there", CARD),
        seen("long", "A long text, folded", long),
        seen("maths", "Maths, code and a table", replace(CARD, final_answer=None, answer=MATHS, claims=())),
        seen("leads", "It leads", replace(CARD, standing="leads", role="critic")),
        seen("won", "It won its round", replace(CARD, standing="won", provisional=False, votable=False)),
        seen("changed", "Its author changed it", replace(CARD, change=change(FIRST_TEXT, TEXT, final_answer="381"))),
        seen("same", "Its author kept it", replace(CARD, change=change(TEXT, TEXT))),
        seen("struck", "A person struck it", replace(CARD, standing="vetoed", struck=struck)),
        seen("noted", "Its reply had faults", noted),
        seen("person", "A person wrote it", by_hand),
        seen("abstained", "Its author gave none", replace(BARE, state="abstained", missing=lost)),
        seen("missing", "It was never written", replace(BARE, state="missing", missing=over)),
        seen("blind", "The viewer has not cast yet", hidden),
        seen("blind-writing", "It is written, names are hidden", unnamed),
    )  # fmt: skip


IN_ROUNDS = {
    "2-1": replace(CARD, reviews=(), claims=()),
    "1-1": replace(CARD, key="1-1", round=1, answer=FIRST_TEXT, final_answer="381", reviews=(), claims=()),
}


def rounds() -> tuple[State, ...]:
    both = Cards((CardRound(2, True, ("2-1",)), CardRound(1, False, ("1-1",))), False, False)
    return (
        seen("staffing", "The panel is being chosen", Cards((), True, False)),
        seen("rounds", "Two rounds, the earlier one folded", both),
        seen("empty", "It ended before any round", Cards((), False, True)),
    )


def offers() -> tuple[State, ...]:
    there = Offer(SESSION, 2, True, "A, B and C", 3, (1, 2, 3))
    return (
        seen("open", "Something can be weighed", there),
        seen("closed", "No ballot is taken now", replace(there, open=False)),
        seen("early", "Nothing is there yet", Offer(SESSION, 0, False, "", 0, ())),
    )
