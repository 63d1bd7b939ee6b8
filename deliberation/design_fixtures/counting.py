"""What ballots come to: the tally, the score matrix, each participant's influence."""

from dataclasses import replace

from deliberation import formats
from deliberation.design_fixtures.base import ADA, AGENTS, SESSION, TWELVE, A, B, C, D, E, State, blind, seen
from deliberation.selectors.influence import InfluenceLine, InfluenceView
from deliberation.selectors.tallies import Bar, Cell, Matrix, MatrixRow, PastTally, TallyView
from deliberation.selectors.words import Who

CAST = "A, B, C and F have cast in round 2."
BARS = (
    Bar(A, 0.54, "leads, same answer as C", False, True),
    Bar(B, -0.21, "", False, False),
    Bar(C, 0.12, "same answer as A", False, False),
    Bar(D, 0.0, "weighed by too few to win", False, False),
    Bar(E, None, "nobody weighed this proposal", False, False),
)
COUNTED = TallyView(
    hidden=False,
    number=2,
    provisional=True,
    headline="A leads by .42",
    bars=BARS,
    conviction=0.47,
    tie=None,
    cast=CAST,
    notes=(),
    flags=(),
    recount=None,
    past=(PastTally(1, "B wins by .08", 0.12, None),),
)
NOTHING = replace(COUNTED, number=None, provisional=False, headline="", bars=(), conviction=None, past=())
WON = (replace(BARS[0], note="won"), *BARS[1:])
CLOSED = replace(COUNTED, provisional=False, headline="A wins by .42", cast="", bars=WON)


REMARKS = ("Without the ballot of F another proposal would win, with the same answer.",)


def tallies() -> tuple[State, ...]:
    struck = (replace(BARS[0], note="struck", vetoed=True, winner=False), *BARS[1:])
    equal = (replace(WON[0], net_support=0.33), replace(BARS[1], net_support=0.33), *BARS[2:])
    flags = (
        "By the median of the ballots C would win.",
        "Without the ballot of F another answer would win.",
        "No ballot from C. Could it have changed the answer? No.",
    )
    tied = replace(
        CLOSED,
        headline="A wins on a tie",
        tie="A and B stood equal; the lower controversy decided.",
        bars=equal,
    )
    again = (PastTally(1, "B wins by .08", 0.12, "A wins by .20"),)
    twelve = tuple(
        Bar(who, (who.seat * 5 % 19 - 9) / 10, "leads" if who.seat == 11 else "", False, who.seat == 11)
        for who in TWELVE
    )
    return (
        seen("early", "Nobody has cast", replace(NOTHING, cast="Nobody has cast a ballot in round 1 yet.")),
        seen("hidden", "The viewer has not cast yet", replace(NOTHING, hidden=True)),
        seen("provisional", "The round is open", COUNTED),
        seen("closed", "The round is closed", CLOSED),
        seen("vetoed", "The winner is struck", replace(COUNTED, bars=struck, headline="C leads by .33")),
        seen("recount", "A later veto changes a closed round", replace(CLOSED, recount="C wins by .12", past=again)),
        seen("tie", "Two stood equal", tied),
        seen("frail", "Little would change it", replace(CLOSED, flags=flags, notes=("A weight above 100 was cut.",))),
        seen("same", "Another proposal, the same answer", replace(CLOSED, remarks=REMARKS)),
        seen("alone", "One model answered several times", replace(CLOSED, by_answers=True)),
        seen("nobody", "No proposal is eligible", replace(COUNTED, headline="Nobody leads yet", bars=BARS[3:])),
        seen("twelve", "Twelve participants", replace(COUNTED, bars=twelve, headline="K leads by .10", past=())),
    )  # fmt: skip


def influence_of(voter: int, seat: int) -> float:
    """A number between -1 and 1 that looks cast."""
    return ((voter * 7 + seat * 11) % 21 - 10) / 10


def cell(voter: Who, column: Who, *, struck: bool = False) -> Cell:
    if voter.seat == column.seat:
        return Cell("own", None, "own", "", "its own proposal", False)
    q = influence_of(voter.seat, column.seat)
    title = f"{voter.letter} on {column.letter}: {formats.signed(q)}"
    return Cell("number", q, formats.tone(q), f"2-{voter.seat}-{column.seat}", title, struck)


def row(voter: Who, columns: tuple[Who, ...], *, struck: bool = False) -> MatrixRow:
    return MatrixRow(
        voter, struck, None if struck else 1.0, tuple(cell(voter, each, struck=struck) for each in columns)
    )


def same_in(voter: Who, columns: tuple[Who, ...], there: Cell) -> MatrixRow:
    own = cell(voter, voter)
    return MatrixRow(voter, False, None, tuple(own if each.seat == voter.seat else there for each in columns))


PENDING = Cell("pending", None, "pending", "", "not cast yet", False)
ABSTAINED = Cell("abstained", None, "abstained", "", "abstained: timed out", False)
UNWEIGHED = Cell("unknown", None, "unknown", "", "this ballot gives it no weight", False)
UNSHOWN = Cell("cast", None, "pending", "", "cast; shown after your own ballot", False)


def matrices() -> tuple[State, ...]:
    full = tuple(row(each, AGENTS) for each in (*AGENTS, ADA))
    net = (0.54, -0.21, 0.12, 0.0, None)
    closed = Matrix(2, False, False, AGENTS, full, net)
    partly = MatrixRow(B, False, 1.0, (*(cell(B, each) for each in AGENTS[:4]), UNWEIGHED))
    rows = (
        full[0],
        partly,
        same_in(C, AGENTS, ABSTAINED),
        same_in(D, AGENTS, PENDING),
        same_in(E, AGENTS, PENDING),
    )
    vetoed = tuple(
        replace(each, cells=(replace(each.cells[0], vetoed=each.cells[0].kind == "number"), *each.cells[1:]))
        for each in full
    )
    hidden = tuple(blind(each) for each in AGENTS)
    cast = (same_in(hidden[0], hidden, UNSHOWN), same_in(hidden[1], hidden, PENDING))
    table = tuple(row(each, TWELVE) for each in TWELVE)
    twelve = Matrix(2, False, False, TWELVE, table, tuple(influence_of(0, each.seat) for each in TWELVE))
    struck = replace(closed, rows=(*vetoed[:4], row(E, AGENTS, struck=True), vetoed[5]))
    return (
        seen("none", "There are no proposals", Matrix(None, False, False, (), (), ())),
        seen("hidden", "The viewer has not cast yet", Matrix(2, True, True, hidden, cast, ())),
        seen("provisional", "One abstained, two have not cast", Matrix(2, True, False, AGENTS, rows, net)),
        seen("closed", "The round is closed", closed),
        seen("vetoed", "A proposal and a ballot are struck", struck),
        seen("twelve", "Twelve participants", twelve),
    )  # fmt: skip


def line(
    who: Who, credits: float, share: float, moves: float | None, *, pivotal: bool | None = False
) -> InfluenceLine:  # noqa: PLR0913
    return InfluenceLine(who, credits, share, moves, pivotal, False)


LINES = (
    line(A, 64, 0.22, None),
    line(B, 81, 0.31, 0.29),
    line(C, 9, 0.12, -0.05),
    InfluenceLine(D, 100, None, None, None, True),
    line(ADA, 100, 0.35, 0.33, pivotal=True),
)


def influences() -> tuple[State, ...]:
    closed = InfluenceView(SESSION, False, 2, False, "A", LINES)
    twelve = tuple(
        line(each, 100 * each.seat / 12, each.seat / 78, influence_of(each.seat, 1) / 12) for each in TWELVE
    )
    return (
        seen("none", "Nobody has cast", InfluenceView(SESSION, False, None, False, None, ())),
        seen("hidden", "The viewer has not cast yet", InfluenceView(SESSION, True, None, False, None, ())),
        seen("provisional", "The round is open", replace(closed, provisional=True)),
        seen("closed", "One decides, one is struck", closed),
        seen("headless", "Nobody leads", replace(closed, front=None, lines=LINES[:1])),
        seen("twelve", "Twelve participants", replace(closed, lines=twelve)),
    )
