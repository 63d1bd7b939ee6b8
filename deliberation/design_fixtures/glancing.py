"""The strip, the buttons of who steers, and the rail of rounds."""

from dataclasses import replace

from django.utils import timezone

from deliberation.design_fixtures.base import (
    ADA,
    AGENTS,
    AGO,
    ENDED,
    LEFT,
    SESSION,
    STARTED,
    A,
    B,
    C,
    D,
    E,
    State,
    blind,
    seen,
)
from deliberation.selectors.glance import Actions, Phase, Rail, RailRound, Strip, TurnLine

LOST = "4 of 5 answered. Lost: agent C (timed out)."
RUNNING = Strip(
    state="Reviewing",
    ended=False,
    round=2,
    max_rounds=4,
    hidden=False,
    conviction=0.47,
    conviction_round=2,
    evidence=0.051,
    target=0.12,
    cost_usd=0.0412,
    cap_usd=None,
    started_at=STARTED,
    ended_at=None,
    coverage="3/5",
    waiting="reviewers D and E (ballots)",
    due=ENDED,
    waiting_for=(),
    simulated=False,
    degraded=None,
    announce="",
)
FIRST = replace(RUNNING, round=1, conviction=None, conviction_round=None, evidence=None, target=None)
OVER = replace(
    RUNNING, state="Concluded", ended=True, ended_at=ENDED, waiting="nobody", due=None, coverage="5/5"
)


def running(strip: Strip) -> Strip:
    """Begun a while ago and due soon, by the clock of whoever looks at it."""
    now = timezone.now()
    return strip if strip.ended else replace(strip, started_at=now - AGO, due=strip.due and now + LEFT)


def strips() -> tuple[State, ...]:
    staffing = replace(
        FIRST,
        state="Choosing the panel",
        round=0,
        coverage="-",
        cost_usd=None,
        waiting="the broker",
        due=None,
    )
    proposing = replace(FIRST, state="Proposing", coverage="0/5", waiting="agents C, D and E (proposals)")
    holding = replace(RUNNING, state="Waiting for people", coverage="5/6", waiting="person F (ballot)")
    paused = replace(RUNNING, state="Paused while reviewing", waiting="somebody to resume it", due=None)
    stopping = replace(RUNNING, state="Stopping", waiting="the system", due=None)
    failed = replace(
        FIRST, state="Failed", ended=True, ended_at=ENDED, waiting="nobody", due=None, coverage="1/5"
    )
    states = (
        seen("staffing", "The broker chooses the panel", staffing),
        seen("proposing", "Agents write", proposing),
        seen("reviewing", "Agents review", RUNNING),
        seen("waiting", "The round waits for a person", replace(holding, waiting_for=(6,))),
        seen(
            "voted",
            "Their ballot is in",
            replace(holding, waiting="person F (to say “done”)", waiting_for=(6,), voted=(6,)),
        ),
        seen("paused", "Somebody paused it", paused),
        seen("stopping", "It was told to stop", stopping),
        seen("concluded", "There is a verdict", OVER),
        seen("failed", "There is none", failed),
        seen("degraded", "An agent is lost", replace(RUNNING, degraded=LOST, coverage="4/5")),
        seen("simulated", "The experts are simulated", replace(RUNNING, simulated=True, cost_usd=0.0)),
        seen("capped", "Money is capped", replace(RUNNING, cap_usd=0.05)),
        seen("blind", "The viewer has not cast yet", replace(RUNNING, hidden=True, conviction=None)),
    )
    return tuple(replace(each, context={"view": running(each.context["view"])}) for each in states)


def actions() -> tuple[State, ...]:
    running = Actions(SESSION, pause=True, resume=False, stop=True, stopping=False, more=True)
    return (
        seen("running", "It runs", running),
        seen("paused", "It is paused", replace(running, pause=False, resume=True)),
        seen("more", "One more round was asked for", replace(running, more=False, more_asked=True)),
        seen("stopping", "It was told to stop", Actions(SESSION, False, False, False, True)),
    )


NAMES = ("propose", "review", "hold", "tally")


def _phases(at: int) -> tuple[Phase, ...]:
    marks = ("done", "now", "ahead")
    return tuple(Phase(name, marks[1 + (i > at) - (i < at)]) for i, name in enumerate(NAMES))


TURNS = (
    TurnLine(A, "settled", "reviewed"),
    TurnLine(B, "open", "reviewing"),
    TurnLine(C, "abstained", "abstained: timed out"),
    TurnLine(D, "open", "reviewing, attempt 2"),
    TurnLine(E, "open", "waits for a worker"),
    TurnLine(ADA, "settled", "cast, may change it"),
)
CLOSED = RailRound(1, "done", 0.31, _phases(4), ())
AHEAD = "Up to 4 rounds"


def rails() -> tuple[State, ...]:
    now = RailRound(2, "now", None, _phases(1), TURNS)
    written = tuple(TurnLine(each, "open", "writing") for each in AGENTS)
    unnamed = tuple(TurnLine(blind(each.who), each.state, each.words) for each in TURNS)
    done = RailRound(
        2, "done", 0.62, _phases(4), tuple(TurnLine(each, "settled", "reviewed") for each in AGENTS)
    )
    first = RailRound(1, "now", None, _phases(0), written)
    hidden = (replace(CLOSED, conviction=None), replace(now, turns=unnamed))
    early = "The first round opens when the panel has its seats."
    return (
        seen("before", "Before the first round", Rail((), AHEAD, early)),
        seen("first", "The first proposals", Rail((first,), AHEAD, "")),
        seen("running", "The second round", Rail((CLOSED, now), AHEAD, "")),
        seen("blind", "Names are hidden", Rail(hidden, AHEAD, "")),
        seen("ended", "It ended", Rail((CLOSED, done), None, "")),
        seen("none", "It ended before any round", Rail((), None, "No round was opened.")),
    )
