"""The whole answer as JSON, for scripts: the numbers themselves, not as they are written on the page."""

from typing import Any

from deliberation.protocol.types import RoundOutcome
from deliberation.protocol.what_if import Change, Recount
from deliberation.selectors.what_if.address import address, pairs
from deliberation.selectors.what_if.case import Case
from deliberation.selectors.what_if.compare import Comparison
from deliberation.selectors.what_if.flips import Firmness

Told = dict[str, Any]


def told(case: Case, change: Change, now: Recount, *, shown: Comparison, firm: Firmness) -> Told:
    """Seats are numbers. `address` says the change, and is all that is needed to ask for this again. influence: what
    the winner of the round has without the ballot of a voter, and by how much that is another number.
    """
    return {
        "session": str(case.session.pk),
        "address": address(case, change),
        "change": [list(each) for each in pairs(change)],
        "flipped": shown.flipped,
        "headline": shown.headline,
        "limits": list(shown.limits),
        "record": _side(case.base),
        "what_if": _side(now),
        "flips": [
            {
                "round": each.number,
                "ballots": None if each.ballots is None else list(each.ballots),
                "winner": each.winner,
                "bound": each.bound,
                "words": each.words,
            }
            for each in firm.flips
        ],
        "votes": [
            {"round": firm.number, "voter": each.voter, "proposal": each.proposal, "winner": each.winner}
            for each in firm.votes
        ],
        "influence": [
            {
                "round": firm.number,
                "voter": each.who.seat,
                "net_support": each.net_support,
                "net_support_change": each.support,
                "margin": each.margin,
                "margin_change": each.lead,
            }
            for each in firm.influence
        ],
    }


def _side(found: Recount) -> Told:
    verdict = found.verdict
    tally = found.tally(verdict.round) if verdict is not None and verdict.round is not None else None
    return {
        "round": verdict.round if verdict else None,
        "proposal": verdict.proposal if verdict else None,
        "final_answer": verdict.final_answer if verdict else None,
        "net_support": verdict.net_support if verdict else None,
        "margin": tally.margin if tally else None,
        "conviction": verdict.conviction if verdict else None,
        "coverage": verdict.coverage if verdict else None,
        "end": found.end,
        "stop": found.stop,
        "failure": found.failure,
        "not_reached": list(found.not_reached),
        "rules": found.rules.sha256,
        "rounds": [_round(outcome) for _, outcome in found.rounds],
    }


def _round(outcome: RoundOutcome) -> Told:
    return {
        "number": outcome.number,
        "provisional": outcome.provisional,
        "winner": outcome.tally.winner,
        "margin": outcome.tally.margin,
        "conviction": outcome.tally.conviction,
        "coverage": outcome.tally.coverage,
        "net_support": {str(seat): value for seat, value in outcome.tally.net_support.items()},
        "evidence": outcome.evidence.total,
        "target": outcome.evidence.target,
    }
