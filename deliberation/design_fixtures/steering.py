"""What people do: vetoes, guidance; and what happened, event by event."""

from dataclasses import replace
from datetime import timedelta

from deliberation.design_fixtures.base import SESSION, STARTED, State, seen
from deliberation.selectors.requests import Request
from deliberation.selectors.steering import GuidanceLine, GuidanceView, Vetoes, VetoLine
from deliberation.selectors.telling import Line, Timeline

STRUCK = VetoLine(
    id=1,
    what="proposal of C, round 2",
    by="Grace Hopper",
    code="Unsafe",
    reason="It names a person.",
    time=STARTED,
    seq=31,
    withdrawn=False,
    withdrawn_by=None,
)

ASKED = Request(
    id=3,
    kind="ballot",
    round=2,
    seat=6,
    by="Grace Hopper",
    user_id=7,
    code="The ballot was not cast in good faith",
    reason="It repeats another one to the vote.",
    time=STARTED,
    seq=34,
    lapsed=False,
)


def vetoes() -> tuple[State, ...]:
    back = replace(STRUCK, id=2, what="ballot of B, round 1", withdrawn=True, withdrawn_by="Ada Byron")
    hidden = replace(STRUCK, by=None)
    return (
        seen("none", "Nothing is struck", Vetoes(SESSION, True, ())),
        seen("standing", "One stands, one was taken back", Vetoes(SESSION, True, (STRUCK, back))),
        seen("asked", "A second person has to decide", Vetoes(SESSION, True, (), (ASKED,))),
        seen(
            "confirmed", "Two people struck it", Vetoes(SESSION, True, (replace(STRUCK, second="Ada Byron"),))
        ),
        seen("blind", "Names are hidden", Vetoes(SESSION, True, (hidden,))),
        seen("ended", "It ended: nothing can be taken back", Vetoes(SESSION, False, (STRUCK,))),
    )


LEFT = GuidanceLine(
    id=1,
    to="all agents",
    by="Ada Byron",
    text="Please show each step.",
    round=1,
    state="in the prompts now",
    seq=19,
    withdrawable=True,
)


def guidance() -> tuple[State, ...]:
    lines = (
        LEFT,
        replace(LEFT, id=2, to="agent C", state="in the prompts of round 3", round=2, seq=33),
        replace(LEFT, id=3, state="withdrawn", withdrawable=False, seq=20),
        replace(LEFT, id=4, by=None, state="was in the prompts of round 2 to 3", withdrawable=False, seq=8),
    )
    return (
        seen("none", "Nobody left any", GuidanceView(SESSION, ())),
        seen("left", "In force, ahead, withdrawn, past", GuidanceView(SESSION, lines)),
    )


TOLD = (
    ("Ada Byron opened the deliberation", False),
    ("The broker seated A, B and C", False),
    ("Round 1 opened", False),
    ("Agent A proposed", False),
    ("Attempt 1 of agent B: its reply could not be read, twice", True),
    ("Agent C gave no proposal: timed out", True),
    ("Ballot of agent A in round 1: B −36, C +64", False),
    ("Grace Hopper struck the proposal of C in round 1: unsafe", True),
    ("Round 1: B wins by .08", False),
)


def timelines() -> tuple[State, ...]:
    lines = tuple(
        Line(number, STARTED + timedelta(seconds=7 * number), words, loss)
        for number, (words, loss) in enumerate(TOLD, 1)
    )
    return (
        seen("first", "It was opened just now", Timeline(lines[:1])),
        seen("running", "Losses and strikes stand out", Timeline(lines)),
    )
