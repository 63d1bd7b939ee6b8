"""Conviction and evidence of each round, and the curve of expected utility."""

from deliberation import formats
from deliberation.design_fixtures.base import State, seen
from deliberation.protocol import stopping
from deliberation.protocol.types import PRESETS, Evidence
from deliberation.selectors.evidence import EvidenceView, UtilityView

TARGET = 0.12


def of_round(conviction: float, total: float, *, coverage: float = 1.0) -> Evidence:
    return Evidence(
        conviction=conviction,
        coverage=coverage,
        marginal=0.1,
        gain=total,
        total=total,
        budget=0.15,
        target=TARGET / coverage,
        utility=0.7,
        t_opt=3.2,
    )


def evidences() -> tuple[State, ...]:
    two = ((1, of_round(-0.12, 0.02)), (2, of_round(0.47, 0.085, coverage=0.8)))
    three = (*two, (3, of_round(0.62, 0.131)))
    gathered = "Evidence .0850 of the .1500 that end it."
    ended = "It ended because enough evidence was gathered."
    early = "Each round that closes adds its conviction, weighed by what a further round can still bring."
    hidden = EvidenceView(True, "", (), 4, TARGET, "shown after your first ballot")
    return (
        seen("early", "No round has closed", EvidenceView(False, early, (), 4, TARGET, "no round has closed yet")),
        seen("hidden", "The viewer has not cast yet", hidden),
        seen("running", "Two rounds are closed", EvidenceView(False, gathered, two, 4, TARGET, "")),
        seen("ended", "Enough was gathered", EvidenceView(False, ended, three, 4, TARGET, "")),
    )  # fmt: skip


def utilities() -> tuple[State, ...]:
    law = PRESETS["consumer"]
    points = tuple((i / 10, round(stopping.utility(i / 10, law), 6)) for i in range(101))
    top = stopping.t_opt(law)
    best = f"By the policy's preset consumer, the gain of a further round is used up at {formats.number(top)} rounds."
    endless = "By this policy a further round always helps."
    return (
        seen("early", "Before the first round", UtilityView(best, points, None, top)),
        seen("running", "In the second round", UtilityView(best, points, 2, top)),
        seen("endless", "There is no fatigue", UtilityView(endless, points[:30], 2, None)),
    )  # fmt: skip
