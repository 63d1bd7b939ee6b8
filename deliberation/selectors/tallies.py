"""What the ballots came to: the tally and the score matrix."""

from dataclasses import dataclass

from deliberation import formats
from deliberation.models import Participant, Turn
from deliberation.protocol.types import RoundOutcome, Tally
from deliberation.selectors import answers, windows, words
from deliberation.selectors.access import BLIND
from deliberation.selectors.cards import seats_of
from deliberation.selectors.glance import conviction_of
from deliberation.selectors.reviews import influence_of
from deliberation.selectors.room import Room
from deliberation.selectors.words import Who, who


@dataclass(frozen=True)
class Bar:
    """note: what else is to say of it."""

    who: Who
    net_support: float | None
    note: str
    vetoed: bool
    winner: bool


@dataclass(frozen=True)
class PastTally:
    """A closed round in one line. recount: the winner under the vetoes in force now, where that differs."""

    number: int
    words: str
    conviction: float
    recount: str | None


@dataclass(frozen=True)
class TallyView:
    """number None: nothing was cast yet. hidden: the viewer has not cast yet; only who has cast is told. flags: what
    makes the answer frail; remarks: what only says which proposal of the answer is in front. by_answers: no ballots are
    used, so net support is a proposal's share of all answers.
    """

    hidden: bool
    number: int | None
    provisional: bool
    headline: str
    bars: tuple[Bar, ...]
    conviction: float | None
    tie: str | None
    cast: str
    notes: tuple[str, ...]
    flags: tuple[str, ...]
    recount: str | None
    past: tuple[PastTally, ...]
    remarks: tuple[str, ...] = ()
    by_answers: bool = False


def tally(room: Room, *, audience: str) -> TallyView:
    outcome = None if audience == BLIND else conviction_of(room)
    base = TallyView(audience == BLIND, None, False, "", (), None, None, _cast(room), (), (), None, ())
    if outcome is None:
        return base
    counted = outcome.tally
    return TallyView(
        hidden=False,
        number=outcome.number,
        provisional=outcome.provisional,
        headline=words.wins_by(counted.winner, margin=counted.margin, ended=not outcome.provisional),
        bars=tuple(_bar(room, outcome, seat) for seat in sorted(counted.net_support)),
        conviction=counted.conviction,
        tie=words.tie(counted),
        cast=_cast(room),
        notes=tuple(note.text for note in counted.notes),
        flags=_flags(room, outcome),
        remarks=_remarks(room, outcome),
        by_answers=counted.rule == "majority_answer",
        recount=_recount(room, outcome.number),
        past=tuple(_past(room, each) for n, each in room.outcomes.items() if n != outcome.number),
    )


def _bar(room: Room, outcome: RoundOutcome, seat: int) -> Bar:
    counted = outcome.tally
    vetoed, winner = seat in counted.vetoed, seat == counted.winner
    weighed = counted.weighed_by.get(seat, 0)
    notes = {
        "struck": vetoed,
        "nobody weighed this proposal": not vetoed and not weighed and counted.rule != "majority_answer",
        "weighed by too few to win": not vetoed and weighed and seat not in counted.eligible,
        ("leads" if outcome.provisional else "won"): winner,
    }
    said = [words_ for words_, holds in notes.items() if holds]
    same = [m for c in counted.classes if seat in c.members for m in c.members if m != seat]
    if same:
        all_agree = len(same) > 1 and len(same) + 1 == len(counted.net_support)
        said.append("same answer as " + ("all others" if all_agree else words.letters(same)))
    return Bar(who(room, seat, audience="open"), counted.net_support[seat], ", ".join(said), vetoed, winner)


def _flags(room: Room, outcome: RoundOutcome) -> tuple[str, ...]:
    """What makes the answer frail, in sentences."""
    counted = outcome.tally
    said = []
    if counted.median_differs and counted.median_winner is not None and not _same_by_median(counted):
        said.append(f"By the median of the ballots {words.letter(counted.median_winner)} would win.")
    if deciding := answers.deciding(room, outcome):
        said.append(f"{words.without(deciding)} another answer would win.")
    if outcome.degradation.lost_ballots and not outcome.provisional:
        lost = words.letters(outcome.degradation.lost_ballots)
        flip = answers.could_flip_round(room, outcome)
        said.append(f"No ballot from {lost}. Could it have changed the answer? {flip}.")
    return tuple(said)


def _remarks(room: Room, outcome: RoundOutcome) -> tuple[str, ...]:
    """What would put another proposal in front, but no other answer."""
    counted = outcome.tally
    said = []
    if counted.median_differs and counted.median_winner is not None and _same_by_median(counted):
        first = words.letter(counted.median_winner)
        said.append(f"By the median of the ballots {first} would win, with the same answer.")
    deciding = answers.deciding(room, outcome)
    if moved := [seat for seat in counted.pivotal or () if seat not in deciding]:
        said.append(f"{words.without(moved)} another proposal would win, with the same answer.")
    return tuple(said)


def _same_by_median(counted: Tally) -> bool:
    return answers.is_same(counted, counted.winner, counted.median_winner)


def _recount(room: Room, number: int) -> str | None:
    """Beside a closed tally, where a later veto changes who wins it."""
    again = room.recounts.get(number)
    if again is None or again.tally.winner == room.outcomes[number].tally.winner:
        return None
    return words.wins_by(again.tally.winner, margin=again.tally.margin, ended=True)


def _past(room: Room, outcome: RoundOutcome) -> PastTally:
    counted = outcome.tally
    return PastTally(
        outcome.number,
        words.wins_by(counted.winner, margin=counted.margin, ended=True),
        counted.conviction,
        _recount(room, outcome.number),
    )


def _cast(room: Room) -> str:
    """Who has cast in the running round; this is no total, so blind people see it too."""
    number = room.session.round
    seats = [seat for round_, seat in room.ballots if round_ == number]
    if room.session.ended:
        return "" if room.outcomes else "There was nothing to count."
    if not number:
        return "There is nothing to count yet."
    if not seats:
        return f"Nobody has cast a ballot in round {number} yet."
    return f"Ballots cast in round {number}: {words.letters(seats)}."


@dataclass(frozen=True)
class Cell:
    """kind: number | own | abstained | pending | cast | unknown. tone: class of the diverging scale. key: of its page,
    where it has one: ROUND-REVIEWER-PROPOSAL.
    """

    kind: str
    q: float | None
    tone: str
    key: str
    title: str
    vetoed: bool


@dataclass(frozen=True)
class MatrixRow:
    who: Who
    struck: bool
    rho: float | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Matrix:
    number: int | None
    provisional: bool
    hidden: bool
    columns: tuple[Who, ...]
    rows: tuple[MatrixRow, ...]
    net_support: tuple[float | None, ...]
    vetoed: tuple[int, ...] = ()

    @property
    def net(self) -> tuple[tuple[float | None, bool], ...]:
        """Net support by column, and whether the proposal is struck."""
        struck = (column.seat in self.vetoed for column in self.columns)
        return tuple(zip(self.net_support, struck, strict=False))


def matrix(room: Room, *, audience: str) -> Matrix:
    """Reviewers in rows, proposals in columns, of the round that the tally shows; blind: who has cast."""
    blind = audience == BLIND
    outcome = None if blind else conviction_of(room)
    number = outcome.number if outcome else room.session.round
    columns = [seat for seat in seats_of(room, number) if (number, seat) in room.proposals]
    if not number or not columns:
        return Matrix(None, False, blind, (), (), ())
    voters = [
        seat for seat in room.seats if seat in room.reviewers_in(number) or (number, seat) in room.ballots
    ]
    return Matrix(
        number=number,
        provisional=bool(outcome and outcome.provisional),
        hidden=blind,
        columns=tuple(who(room, seat, audience=audience) for seat in columns),
        rows=tuple(_row(room, outcome, number, voter, columns=columns) for voter in voters)
        if outcome
        else tuple(_blind_row(room, number, voter, columns=columns) for voter in voters),
        net_support=tuple(outcome.tally.net_support.get(seat) for seat in columns) if outcome else (),
        vetoed=outcome.tally.vetoed if outcome else (),
    )


def _row(room: Room, outcome: RoundOutcome, number: int, voter: int, *, columns: list[int]) -> MatrixRow:  # noqa: PLR0913
    return MatrixRow(
        who=who(room, voter, audience="open"),
        struck=voter in outcome.tally.struck,
        rho=outcome.tally.rho.get(voter),
        cells=tuple(_cell(room, outcome, voter, seat) for seat in columns),
    )


def _cell(room: Room, outcome: RoundOutcome, voter: int, seat: int) -> Cell:
    number = outcome.number
    if voter == seat:
        return Cell("own", None, "own", "", "its own proposal", False)
    if (number, voter) not in room.ballots:
        return _without_ballot(room, number, voter)
    q = influence_of(outcome, voter, seat)
    struck = voter in outcome.tally.struck or seat in outcome.tally.vetoed
    if q is None:
        return Cell("unknown", None, "unknown", "", "this ballot gives it no weight", struck)
    title = f"{words.letter(voter)} on {words.letter(seat)}: {formats.signed(q)}"
    return Cell("number", q, formats.tone(q), f"{number}-{voter}-{seat}", title, struck)


def _without_ballot(room: Room, number: int, voter: int) -> Cell:
    turn = room.turns.get((number, voter, Turn.Kind.REVIEW))
    if turn is not None and turn.state == Turn.State.ABSTAINED:
        person = room.seats[voter].kind == Participant.Kind.HUMAN
        why = windows.outcome(room, (number, voter)) if person else words.reason(turn.reason)
        return Cell("abstained", None, "abstained", "", f"abstained: {why}", False)
    waiting = number == room.session.round and not room.session.ended
    return Cell("pending", None, "pending", "", "not cast yet" if waiting else "did not vote", False)


def _blind_row(room: Room, number: int, voter: int, *, columns: list[int]) -> MatrixRow:
    cast = (number, voter) in room.ballots
    there = Cell("cast", None, "pending", "", "cast; shown after your own ballot", False)
    own = Cell("own", None, "own", "", "its own proposal", False)
    absent = _without_ballot(room, number, voter)
    cells = tuple(own if voter == seat else there if cast else absent for seat in columns)
    return MatrixRow(who(room, voter, audience=BLIND), False, None, cells)
