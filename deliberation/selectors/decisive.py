"""Which ballot mattered most: the verdict's round counted again without each, by the code that closes rounds."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from deliberation.models import Participant
from deliberation.protocol.round import provisional_round
from deliberation.protocol.types import RoundInput, Spent, Tally
from deliberation.selectors import ending, words
from deliberation.selectors.room import Room


@dataclass(frozen=True)
class Without:
    """The verdict's round without the ballots of `seats`. lead: of the verdict's answer over the best other one, below
    0 where it loses, None where there is no other. flips: another answer wins, or none does.
    """

    seats: tuple[int, ...]
    words: str
    lead: float | None
    flips: bool


def without_each(room: Room) -> tuple[Without, ...]:
    """Of every ballot that counts, the one that mattered most first. Empty where no ballots are used."""
    found = room.verdict
    if found is None or found.round is None:
        return ()
    tally = ending.counted(room, found)
    if tally.rule == "majority_answer":
        return ()
    counted = [without(room, tally, seats=(voter,)) for voter in sorted(tally.influence)]
    return tuple(sorted(counted, key=lambda each: -_change(tally, each)))


def without_people(room: Room) -> Without | None:
    """The same without all ballots of people; None where none counts."""
    found = room.verdict
    if found is None or found.round is None:
        return None
    tally = ending.counted(room, found)
    people = tuple(
        seat for seat in sorted(tally.influence) if room.seats[seat].kind == Participant.Kind.HUMAN
    )
    return without(room, tally, seats=people) if people else None


def without(room: Room, tally: Tally, *, seats: Collection[int]) -> Without:
    """`tally`: the one that the verdict rests on."""
    inputs = _inputs(room)
    fewer = tuple(each for each in inputs.ballots if each.voter not in seats)
    history = [each for number, each in room.outcomes.items() if number < inputs.number]
    after = provisional_round(replace(inputs, ballots=fewer), room.rules, history).tally
    flips = not _same_answer(tally, after)
    lead = None if after.margin is None else -after.margin if flips else after.margin
    return Without(tuple(seats), _said(after), lead, flips)


def _said(after: Tally) -> str:
    if after.winner is None:
        return "no proposal is weighed by enough to win"
    return words.wins_by(after.winner, margin=after.margin, ended=True)


def _inputs(room: Room) -> RoundInput:
    """What the verdict's round was counted from, under the vetoes in force at the end."""
    number = room.verdict.round if room.verdict else None
    closing = next(each for each in room.facts.closings if each.data["round"] == number)
    then = room.facts.until(closing.seq).round_input(closing.data["round"], spent=Spent())
    return replace(then, vetoes=room.facts.vetoes())


def _same_answer(before: Tally, after: Tally) -> bool:
    if after.winner is None or before.winner is None:
        return after.winner == before.winner
    members = next((each.members for each in before.classes if before.winner in each.members), ())
    return after.winner in (before.winner, *members)


def _change(tally: Tally, each: Without) -> float:
    """By how much the lead falls or grows; whatever makes another answer win comes before all that does not."""
    moved = abs((tally.margin or 0.0) - each.lead) if each.lead is not None else 0.0
    return moved + (10.0 if each.flips else 0.0)


def mattered(room: Room, ballots: tuple[Without, ...]) -> str | None:
    """Which vote mattered most, as a sentence; None where no ballots are used."""
    if not ballots or room.verdict is None:
        return None
    tally, first = ending.counted(room, room.verdict), ballots[0]
    name = words.who(room, first.seats[0], audience="open").title
    if first.flips:
        return f"The ballot of {name} mattered most: without it {first.words}."
    if tally.margin is None:
        return "There is no other answer, so no single ballot decided it."
    return f"No single ballot decided the answer. That of {name} mattered most: without it {first.words}."


def people_decided(found: Without) -> str:
    """What the ballots of people did to the verdict."""
    if found.flips:
        return f"People decided it: without their ballots {found.words}."
    return f"Without the ballots of people the answer is the same: {found.words}."
