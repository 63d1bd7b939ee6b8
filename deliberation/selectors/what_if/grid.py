"""What can be struck: the ballots of each round, vote by vote, as the record has them."""

from dataclasses import dataclass

from deliberation import formats
from deliberation.protocol.types import RoundInput, Tally, Veto
from deliberation.protocol.what_if import Change
from deliberation.selectors.what_if.case import Case
from deliberation.selectors.words import Who


@dataclass(frozen=True)
class Box:
    """A box that can be ticked. name, value: what the address says then."""

    name: str
    value: str
    ticked: bool
    words: str


@dataclass(frozen=True)
class Cell:
    """One vote. box None: there is none to strike, and `text` says why."""

    box: Box | None
    text: str
    tone: str


@dataclass(frozen=True)
class Row:
    """One ballot. vetoed: in the record; its box lifts the veto."""

    who: Who
    box: Box
    vetoed: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    """One proposal, in the same way."""

    who: Who
    box: Box
    vetoed: bool


@dataclass(frozen=True)
class Grid:
    """One round. touched: something in it is otherwise."""

    number: int
    running: bool
    box: Box
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    touched: bool


def grids(case: Case, change: Change) -> tuple[Grid, ...]:
    """Every round that can be counted."""
    return tuple(_grid(case, change, each) for each in case.recorded.all_rounds)


def _grid(case: Case, change: Change, inputs: RoundInput) -> Grid:
    number = inputs.number
    tally = case.base.tally(number) if number in case.base.outcomes else None
    columns = tuple(
        _column(case, change, number, each.id)
        for each in sorted(inputs.proposals, key=lambda each: each.author)
    )
    seats = [each.who.seat for each in columns]
    rows = (
        tuple(
            _row(case, change, inputs, tally, each.voter, seats)
            for each in sorted(inputs.ballots, key=lambda each: each.voter)
        )
        if tally
        else ()
    )
    boxes = [each.box for each in columns] + [each.box for each in rows]
    boxes += [cell.box for row in rows for cell in row.cells if cell.box is not None]
    round_box = Box("round", str(number), number in change.rounds, f"Strike round {number}")
    return Grid(
        number=number,
        running=inputs is case.recorded.running,
        box=round_box,
        columns=columns,
        rows=rows,
        touched=any(each.ticked for each in (round_box, *boxes)),
    )


def _column(case: Case, change: Change, number: int, seat: int) -> Column:
    who, place = case.seats[seat], (number, seat)
    vetoed = Veto("proposal", seat, number) in case.recorded.vetoes
    words = f"proposal {who.letter} of round {number}"
    if vetoed:
        box = Box("lift", f"{number}-{seat}", place in change.lifted, f"Lift the veto on {words}")
    else:
        box = Box("veto", f"{number}-{seat}", place in change.vetoed, f"Strike {words}")
    return Column(who, box, vetoed)


def _row(  # noqa: PLR0913  a row is made of all of these
    case: Case, change: Change, inputs: RoundInput, tally: Tally, voter: int, seats: list[int]
) -> Row:
    who, number, place = case.seats[voter], inputs.number, (inputs.number, voter)
    vetoed = Veto("ballot", voter, number) in case.recorded.vetoes
    words = f"the ballot of {who.letter} in round {number}"
    if vetoed:
        box = Box(
            "lift-ballot", f"{number}-{voter}", place in change.lifted_ballots, f"Lift the veto on {words}"
        )
    else:
        box = Box("ballot", f"{number}-{voter}", place in change.ballots, f"Strike {words}")
    given = tally.influence.get(voter, tally.struck.get(voter, {}))
    cells = tuple(_cell(case, change, (number, voter, seat), given.get(seat)) for seat in seats)
    return Row(who, box, vetoed, cells)


def _cell(case: Case, change: Change, vote: tuple[int, int, int], q: float | None) -> Cell:
    number, voter, seat = vote
    if voter == seat:
        return Cell(None, "own", "own")
    if q is None:
        return Cell(None, formats.UNKNOWN, "unknown")
    text = formats.signed(q)
    words = f"Strike the vote of {case.seats[voter].letter} on {case.seats[seat].letter} in round {number}: {text}"
    return Cell(Box("vote", f"{number}-{voter}-{seat}", vote in change.votes, words), text, formats.tone(q))
