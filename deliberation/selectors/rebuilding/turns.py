"""Turns and what they came to: proposals, ballots with their reviews, abstentions."""

from collections.abc import Mapping
from typing import Any

from deliberation.models import Ballot, Proposal, Review, Session, Turn
from deliberation.selectors.rebuilding.table import Table
from deliberation.selectors.room import Moment

T = Turn.State


def _turn_of(table: Table, data: Mapping[str, Any]) -> Turn | None:
    return table.turns.get((data["round"], data["seat"], data["exchange"]))


def taken(table: Table, moment: Moment) -> None:
    for each in moment.data["turns"]:
        turn = table.turns[moment.data["round"], each["seat"], each["exchange"]]
        turn.attempts += 1


def attempt_failed(table: Table, moment: Moment) -> None:
    turn = _turn_of(table, moment.data)
    if turn is not None:
        turn.attempts += 1


def end_turn(table: Table, moment: Moment, *, state: str, reason: str = "") -> None:
    turn = _turn_of(table, moment.data)
    if turn is None:
        return
    turn.state, turn.reason, turn.settled_at = state, reason, moment.time
    call = moment.data.get("call")
    turn.busy_ms = float(call["latency_ms"]) if call and call["latency_ms"] is not None else None


def proposed(table: Table, moment: Moment) -> None:
    data, text = moment.data, table.trail.json(moment.data["text"])
    table.proposals[data["round"], data["seat"]] = Proposal(
        round=table.rounds[data["round"]],
        participant=table.seats[data["seat"]],
        answer=text["answer"],
        reasoning=text["reasoning"],
        final_answer=text["final_answer"],
        claims=text["claims"],
        confidence=number(data["confidence"]),
        notes=text.get("notes", []),
    )
    end_turn(table, moment, state=T.SETTLED)


def cast(table: Table, moment: Moment) -> None:
    """A newer version takes the place of the older one, with its reviews."""
    data = moment.data
    place = (data["round"], data["seat"])
    text = table.trail.json(data["text"]) if "text" in data else {"missed": None, "reviews": []}
    for group in table.reviews.values():
        group[:] = [each for each in group if each.ballot is not table.ballots.get(place)]
    table.ballots[place] = ballot = Ballot(
        round=table.rounds[place[0]],
        participant=table.seats[place[1]],
        version=data["version"],
        weights={seat: number(weight) for seat, weight in data["weights"].items()},
        missed=text["missed"] or "",
        notes=text.get("notes", []),
        created_at=moment.time,
    )
    for said in text["reviews"]:
        _review(table, ballot, said, data=data)
    if data["exchange"] == Turn.Kind.REVIEW:
        end_turn(table, moment, state=T.SETTLED)


def _review(table: Table, ballot: Ballot, said: Mapping[str, Any], *, data: Mapping[str, Any]) -> None:
    place = (data["round"], said["proposal"])
    labels = {seat: label for label, seat in data["labels"].items()}
    scores = data.get("categories", {}).get(str(place[1]), {})
    review = Review(
        ballot=ballot,
        proposal=table.proposals[place],
        label=labels[place[1]],
        weight=ballot.weights[str(place[1])],
        justification=said["justification"],
        stance=said.get("stance") or "",
        claims=said["claims"],
        categories={name: number(score) for name, score in scores.items()},
    )
    table.reviews.setdefault(place, []).append(review)


def number(value: str | float | None) -> float | None:
    return None if value is None else float(value)


def person_done(table: Table, moment: Moment) -> None:
    """A person said so, or the round began to be tallied."""
    data = moment.data
    turn = table.turns.get((data["round"], data["seat"], Turn.Kind.REVIEW))
    if turn is not None:
        turn.state = T.SETTLED if data["outcome"] in ("cast", "declined") else T.ABSTAINED
        turn.reason, turn.settled_at = data["outcome"], moment.time
    if data["outcome"] == "withdrawn" and moment.actor != "orchestrator":
        table.seats[data["seat"]].asked = False
    if moment.actor == "orchestrator":
        table.session.state = Session.State.TALLYING


def abstained(table: Table, moment: Moment) -> None:
    end_turn(table, moment, state=T.ABSTAINED, reason=moment.data["reason"])
