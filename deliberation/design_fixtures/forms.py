"""The forms of who takes part: the ballot with its effect, the veto, guidance; and what a form was told."""

from dataclasses import replace
from typing import Any

from django.utils import timezone

from deliberation.design_fixtures.base import ADA, ANOTHER, LEFT, SESSION, STARTED, A, B, C, State
from deliberation.design_fixtures.cards import TEXT
from deliberation.design_fixtures.steering import ASKED
from deliberation.models import OwnProposal, Veto
from deliberation.selectors.editing import BallotRow, BallotVersion, Editor, Effect, Shift, Target
from deliberation.selectors.steering import Happened, InPrompt, OverturnLine, Since
from deliberation.selectors.waiting import Asked, ToConfirm, Waiting, YourTurn

ROWS = tuple(
    BallotRow(seat=who.seat, who=who, final_answer=answer, answer=TEXT, votes=votes, struck=False)
    for who, answer, votes in ((A, "391", "5"), (B, "381", "-3"), (C, None, "0"))
)
EDITOR = Editor(
    session_id=SESSION,
    round=2,
    open=True,
    rows=ROWS,
    version=None,
    waits=True,
    effects=True,
    seq=26,
    more_time=True,
)
SHIFTS = (Shift(A, 0.53, 0.21), Shift(B, 0.11, 0.24), Shift(C, None, -0.05))
EFFECT = Effect("A leads by .42", "B leads by .03", 0.31, SHIFTS)
REFUSED = "That costs 109 of 100 credits. Take 9 votes or less for B."

VERSIONS = tuple(
    BallotVersion(number, words, STARTED, seq)
    for number, words, seq in ((2, "A +5, B −3", 27), (1, "A +3", 21))
)
SINCE = Happened(
    (Since("Grace Hopper struck the proposal of C in round 2: it is wrong", "2.0 s", 26),),
    "A leads by .31",
    26,
)


class Going:
    """Stands for a session that runs."""

    pk = SESSION
    ended = False


class Gone:
    pk = SESSION
    ended = True


def _ballot(name: str, words: str, editor: Editor, **more: Any) -> State:
    return State(name, words, {"editor": editor, "session": Going, **more})


def ballots() -> tuple[State, ...]:
    empty = replace(EDITOR, rows=(), open=False, waits=False)
    struck = replace(EDITOR, rows=(ROWS[0], replace(ROWS[1], struck=True), ROWS[2]))
    cast = replace(EDITOR, version=2, history=VERSIONS, more_time=False)
    overtaken = {"ballot_happened": SINCE}
    said = {"said": "Ballot cast: it counts in the tally", "said_seq": 27}
    return (
        _ballot("early", "Proposals come first", empty),
        _ballot("open", "Filled in, not cast", EDITOR, effect=EFFECT),
        _ballot("cast", "Cast a second time", cast, **said),
        _ballot("refused", "It was refused", EDITOR, ballot_refusal=REFUSED),
        _ballot("overtaken", "Something happened meanwhile", EDITOR, **overtaken),
        _ballot("struck", "One proposal is struck", struck),
        _ballot("closed", "The round takes none now", replace(EDITOR, open=False, waits=False)),
        _ballot("ended", "It has ended", empty, session=Gone),
    )


def effects() -> tuple[State, ...]:
    return (
        State("known", "Before and after", {"effect": EFFECT}),
        State("same", "Who leads stays in front", {"effect": replace(EFFECT, then=EFFECT.now)}),
        State("cast", "It is cast as it is", {"effect": replace(EFFECT, then=EFFECT.now, shifts=())}),
        State("refused", "It cannot be paid", {"effect_refusal": REFUSED}),
    )


def veto_forms() -> tuple[State, ...]:
    proposal = Target(SESSION, "proposal", 2, 1, A, Effect("A leads by .42", "C leads by .33", None, SHIFTS))
    more: dict[str, Any] = {"codes": Veto.Code.choices, "reason_chars": 1000}
    ballot = replace(proposal, kind="ballot", seat=2, who=B, effect=None)
    refused = {"veto_refusal": "A veto needs a reason that others can read.", "code": Veto.Code.choices[0][0]}
    asked = replace(ballot, seat=ADA.seat, who=ADA, request=ASKED, two=True)
    return (
        State(
            "two",
            "A person's ballot: two people are needed",
            {"target": replace(asked, request=None), **more},
        ),
        State("asked", "Another person asked for it", {"target": asked, **more}),
        State("proposal", "A proposal, with the effect", {"target": proposal, **more}),
        State("ballot", "A ballot, refused without a reason", {"target": ballot, **more, **refused}),
    )


def guidance_forms() -> tuple[State, ...]:
    context: dict[str, Any] = {"session_id": SESSION, "addressees": (1, 2, 3), "guidance_chars": 2000}
    refused = {"guidance_text": "", "guidance_refusal": "Guidance needs words."}
    sent = InPrompt("every agent", 3, "A person says:\n<<MARK\nShow each step.\nMARK>>")
    shown = {"guidance_text": "Show each step.", "in_prompt": sent}
    return (
        State("empty", "Nothing is written", context),
        State("in-prompt", "As the agents would read it", {**context, **shown}),
        State("refused", "It was refused", {**context, **refused}),
    )


def own_forms() -> tuple[State, ...]:
    typed = {"own_typed": {"answer": "", "final_answer": "391"}, "own_refusal": "A proposal needs an answer."}
    waits = {"own_waiting": OwnProposal(answer="It is 391.", final_answer="391", for_round=3)}
    return (
        State("empty", "Nothing is written", {"session": Going}),
        State("waiting", "One waits for the next round", {"session": Going, **waits}),
        State("refused", "It was refused", {"session": Going, **typed}),
    )


def stops() -> tuple[State, ...]:
    early = "Round 1 is still proposing, and no round is closed: stopping now ends without a result."
    late = "Round 3 is still being reviewed: what it found so far counts for nothing. "
    context: dict[str, Any] = {"session": Going, "reason_chars": 2000, "stop_seen": 26}
    return (
        State("early", "Nothing is closed yet", {**context, "stop_effect": early}),
        State(
            "late",
            "A closed round has a winner",
            {**context, "stop_effect": f"{late}It ends with what round 2 found: A wins by .31."},
        ),
    )


def overturns() -> tuple[State, ...]:
    asked = OverturnLine(
        id=1,
        by="Grace Hopper",
        user_id=7,
        second=None,
        reason="It rests on a wrong premise.",
        stands=False,
        time=STARTED,
        seq=51,
    )
    stands = replace(asked, stands=True, second="Ada Byron", seq=52)
    context: dict[str, Any] = {
        "session": Gone,
        "reason_chars": 1000,
        "may": {"steer": True},
        "editor": EDITOR,
    }
    return (
        State("offered", "Nobody overturned it", context),
        State("asked", "A second person has to confirm", {**context, "overturned": asked}),
        State("stands", "Two people overturned it", {**context, "overturned": stands}),
    )


def answers() -> tuple[State, ...]:
    return (
        State("done", "It was done, as event 27", {"said": "Paused", "said_seq": 27}),
        State("refused", "It was refused, and why", {"refusal": "It has ended; nothing was changed."}),
    )


def turns() -> tuple[State, ...]:
    turn = YourTurn(
        session_id=SESSION,
        task="What is 17*23?",
        round=2,
        until=timezone.now() + LEFT,
        voted=False,
        paused=False,
        urgent=True,
    )
    cast = replace(turn, session_id=ANOTHER, until=None, voted=True, urgent=False)
    asked = Asked(SESSION, "Which of two cooling liquids is safer for a rack?", "Grace Hopper", turn.until)
    veto = ToConfirm(SESSION, turn.task, "proposal-2-1", "the proposal of A in round 2", turn.until)
    now = {"now": timezone.now()}
    all_three = Waiting((turn, cast), (asked,), (veto,))
    return (
        State("none", "Nothing waits", {"waiting": Waiting((), ())}),
        State("waits", "A round waits, a vote is in, a veto and an invitation wait", {"waiting": all_three, **now}),
    )  # fmt: skip
