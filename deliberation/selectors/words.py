"""What the room calls things: participants by their mark, states, phases and reasons in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deliberation import formats, state_words
from deliberation.models import Participant, Turn
from deliberation.protocol import anonymity
from deliberation.protocol.types import Tally
from deliberation.selectors.access import BLIND
from deliberation.selectors.room import Room

STOP_REASONS = {
    "evidence": "enough evidence was gathered",
    "settled": "no new answer came up while conviction stayed high",
    "t_opt": "the expected gain of a further round was used up",
    "max_rounds": "the last round was reached",
    "money": "the money cap was reached",
    "tokens": "the token cap was reached",
    "time": "the time cap was reached",
    "person": "a person stopped it",
    "no_expected_gain": "no gain was to be expected from more than one round",
}
NO_LONGER_ASKED = "no longer asked, as the session ended"
REASONS = {
    "breaker_open": "its server is left alone until it answers a check",
    "no_worker": "no worker took the turn in time",
    "timed_out": "timed out",
    "key_unusable": "its API key cannot be used",
    "unreadable": "its reply could not be read, twice",
    "cut_at_length": "its reply was cut at the token limit",
    "unauthorized": "its server refused the key",
    "payment_required": "its server wants payment",
    "rate_limited": "its server limits the rate",
    "server_error": "its server failed",
    "engine_dead": "its server's engine is down",
    "model_gone": "its server does not know the model",
    "bad_request": "its server refused the request",
    "stream_cut": "its reply broke off",
    "refused": "its server does not answer",
    "dns_failed": "its server's name is not known",
    "too_large": "its reply was too large",
    "unreadable_answer": "its server answered something else",
    "cancelled": "it was stopped",
    "over_budget": "the money left would not have paid for it",
    "price_unknown": "its price is unknown and money is capped",
    "crashed": "the call failed in our own code",
    "expired": "the window ended",
    "declined": "declined",
    "cast": "cast",
    "withdrawn": NO_LONGER_ASKED,
}


TIE_BREAKS = {
    "min_q": "the higher minimum influence decided",
    "controversy": "the lower controversy decided",
    "hmac": "the lot drawn with the session's secret decided",
}


@dataclass(frozen=True)
class Who:
    """A participant as a viewer may know it. `name`: None for a blind viewer."""

    seat: int
    kind: str
    name: str | None

    @property
    def letter(self) -> str:
        return letter(self.seat)

    @property
    def title(self) -> str:
        """agent C; person F."""
        return f"{'person' if self.kind == Participant.Kind.HUMAN else 'agent'} {self.letter}"

    @property
    def full(self) -> str:
        """agent C (qwen3-8b)."""
        return f"{self.title} ({self.name})" if self.name else self.title


def letter(seat: int) -> str:
    """The mark of a seat: 1 is A."""
    return anonymity.label(seat - 1)


def who(room: Room, seat: int, *, audience: str) -> Who:
    participant = room.seats[seat]
    return Who(seat, participant.kind, None if audience == BLIND else participant.name)


def reason(code: str) -> str:
    """Why a turn ended without an answer."""
    return REASONS.get(code, code.replace("_", " "))


def why_lost(room: Room, seat: int, *, rounds: Iterable[int]) -> str:
    """The reason of the first turn that the seat gave no answer in, in the first of these rounds that has one."""
    kinds = (Turn.Kind.PROPOSE, Turn.Kind.REVIEW)
    asked = (room.turns.get((number, seat, kind)) for number in rounds for kind in kinds)
    lost = (turn.reason for turn in asked if turn is not None and _is_lost(turn))
    return reason(next(lost, "no answer"))


def _is_lost(turn: Turn) -> bool:
    return turn.state == Turn.State.ABSTAINED or turn.reason == "declined"


def letters(seats: Iterable[int]) -> str:
    """A, C and F; A to L; A and C to L: a run of more than four is told by its ends."""
    runs: list[list[int]] = []
    for seat in seats:
        if runs and seat == runs[-1][-1] + 1:
            runs[-1].append(seat)
        else:
            runs.append([seat])
    names = [name for run in runs for name in _run(run)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _run(run: Sequence[int]) -> list[str]:
    return [letter(seat) for seat in run] if len(run) < 5 else [f"{letter(run[0])} to {letter(run[-1])}"]


def without(pivotal: Sequence[int]) -> str:
    """Without the ballot of C; Without any one of the ballots of D and F: each of them alone is enough."""
    one_of = "the ballot" if len(pivotal) == 1 else "any one of the ballots"
    return f"Without {one_of} of {letters(pivotal)}"


def wins_by(winner: int | None, *, margin: float | None, ended: bool) -> str:
    """B wins by .31; B leads by less than .01; B wins on a tie; Nobody leads."""
    if winner is None:
        return "Nobody won" if ended else "Nobody leads yet"
    verb = "wins" if ended else "leads"
    if margin is None:
        return f"{letter(winner)} {verb}; there is no other answer"
    if margin == 0:
        return f"{letter(winner)} {verb} on a tie"
    by = "less than .01" if 0 < margin < 0.005 else formats.number(margin)
    return f"{letter(winner)} {verb} by {by}"


def tie(tally: Tally) -> str | None:
    """Who stood equal and what decided; None where nobody did."""
    if not tally.ties or tally.tie_break is None:
        return None
    same = ", with the same answer" if ties_one_answer(tally) else ""
    return f"{letters(tally.ties)} stood equal{same}; {TIE_BREAKS[tally.tie_break]}."


def ties_one_answer(tally: Tally) -> bool:
    """Whether all that stood equal say the same: the tie then decided nothing but which of them is shown."""
    return any(set(tally.ties) <= set(each.members) for each in tally.classes)


def state_of(room: Room) -> str:
    """Reviewing; Paused while reviewing; Stopping."""
    session = room.session
    words = state_words.phase(session)
    if words == "paused":
        words = f"paused while {state_words.PHASES[session.state]}"
    return words.capitalize()


def turn_words(turn: Turn | None, *, running: bool) -> str:
    """What a participant's turn is at."""
    if turn is None:
        return "not asked"
    if turn.state == Turn.State.ABSTAINED:
        return f"abstained: {reason(turn.reason)}" if turn.participant.kind == "model" else "did not vote"
    proposing = turn.kind == Turn.Kind.PROPOSE
    if turn.state == Turn.State.SETTLED:
        if turn.participant.kind == Participant.Kind.HUMAN:
            return "declined" if turn.reason == "declined" else "done"
        return "proposed" if proposing else "reviewed"
    if not running:
        return "not answered"
    if turn.participant.kind == Participant.Kind.HUMAN:
        return "may vote"
    if turn.attempts == 0:
        return "waits for a worker"
    again = f", attempt {turn.attempts}" if turn.attempts > 1 else ""
    return f"{'writing' if proposing else 'reviewing'}{again}"
