"""Whether the answer hangs on a ballot, and not only which proposal of that answer is shown: as every screen tells."""

from dataclasses import replace

from deliberation import state_words
from deliberation.protocol import answers
from deliberation.protocol.types import RoundInput, RoundOutcome, Spent, Tally, Verdict
from deliberation.selectors.room import Room


def could_flip(room: Room, found: Verdict) -> str:
    """Whether lost ballots could have made the verdict another answer: Yes; No; or why neither."""
    recorded = found.degradation.could_flip
    if recorded is False:
        return state_words.could_flip(False, answer=False)
    return state_words.could_flip(recorded, answer=could_change(room))


def could_change(room: Room) -> bool | None:
    """Of the verdict; None: not known."""
    rounds = [(_then(room, number), outcome) for number, outcome in room.outcomes.items()]
    return answers.verdict_could_change(rounds, rules=room.rules, vetoes=room.facts.vetoes())


def could_flip_round(room: Room, outcome: RoundOutcome) -> str:
    """The same of one round and its winner."""
    recorded = outcome.degradation.could_flip
    if recorded is False:
        return state_words.could_flip(False, answer=False)
    changes = answers.could_change(inputs_of(room, outcome), outcome.tally, rules=room.rules)
    return state_words.could_flip(recorded, answer=changes)


def deciding(room: Room, outcome: RoundOutcome) -> tuple[int, ...]:
    """The voters without whose ballot another answer would win."""
    if not outcome.tally.pivotal:
        return ()
    return answers.deciding(inputs_of(room, outcome), outcome.tally, rules=room.rules)


def is_same(tally: Tally, one: int | None, other: int | None) -> bool:
    """Whether two proposals of a round give the same answer."""
    if one is None or other is None:
        return one == other
    return other in answers.same_answer(tally, one)


def inputs_of(room: Room, outcome: RoundOutcome) -> RoundInput:
    """What the round was counted from: an open one, a closed one, or one that later vetoes had counted again."""
    if outcome.number not in room.outcomes:
        return room.facts.round_input(outcome.number, spent=Spent())
    then = _then(room, outcome.number)
    return replace(then, vetoes=room.facts.vetoes()) if outcome.provisional else then


def _then(room: Room, number: int) -> RoundInput:
    """As it stood when the round was closed."""
    closing = next(each for each in room.facts.closings if each.data["round"] == number)
    return room.facts.until(closing.seq).round_input(number, spent=Spent())
