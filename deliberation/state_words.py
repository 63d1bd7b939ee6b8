"""States, stop reasons and failures of a session in the words of every screen (protocol.md 1)."""

from collections.abc import Mapping
from types import MappingProxyType

from deliberation.models import Session
from deliberation.protocol.types import Rules

PHASES: Mapping[str, str] = MappingProxyType(
    {
        "draft": "draft",
        "staffing": "choosing the panel",
        "proposing": "proposing",
        "reviewing": "reviewing",
        "holding": "waiting for people",
        "tallying": "tallying",
        "concluded": "concluded",
        "failed": "failed",
    }
)
STOP_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "evidence": "enough evidence",
        "settled": "settled: no new answers",
        "t_opt": "more rounds would not help",
        "max_rounds": "all rounds used",
        "money": "the money was used up",
        "tokens": "the tokens were used up",
        "time": "the time was used up",
        "person": "stopped by a person",
        "no_expected_gain": "no gain expected",
    }
)
FAILURES: Mapping[str, str] = MappingProxyType(
    {
        "no_panel": "no panel could be seated",
        "no_proposals": "too few agents answered",
        "no_ballots": "no round was tallied",
        "no_eligible_proposal": "no proposal was eligible",
        "internal": "a fault of the system",
    }
)

# Whether the lost could have changed the answer.
COULD_FLIP = MappingProxyType({True: "Yes", False: "No", None: "unknown (a draw at best, or not computed)"})
SAME_ANSWER = "No: another proposal could have won, but with the same answer"


def could_flip(proposal: bool | None, *, answer: bool | None) -> str:
    """Whether the lost could have changed the answer; `proposal`: whether they could have changed which one won."""
    return SAME_ANSWER if proposal and answer is False else COULD_FLIP[answer]


def phase(session: Session) -> str:
    """What it does now, in two or three words; "paused" and "stopping" come before the phase."""
    if session.ended:
        return PHASES[session.state]
    if session.stop_requested_at is not None:
        return "stopping"
    return "paused" if session.paused_at is not None else PHASES[session.state]


def reason(session: Session) -> str:
    """Why it ended; empty while it runs."""
    if session.state == Session.State.CONCLUDED:
        return STOP_REASONS.get(session.stop_reason, session.stop_reason)
    return FAILURES.get(session.failure, session.failure) if session.failure else ""


def rounds(session: Session, rules: Rules) -> str:
    """ "2 of 4" while it runs, "2" at the end; "-" before the first round."""
    if not session.round:
        return "-"
    most = max(session.round, rules.max_rounds)  # people may have asked for one more
    return str(session.round) if session.ended else f"{session.round} of {most}"
