"""Public peer scores: agents answered the same questions and scored each other's answers (DyLAN's logs on MMLU)."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from broker.selection.panel import Case, choose_panel
from broker.selection.types import PanelRequest

LOWEST, MIDDLE, HIGHEST = 1, 3, 5
CREDITS_A_STEP = 50  # scores from 1 to 5 are weights from -100 to 100
Question = dict[str, Any]
Shares = Mapping[str, float]


@dataclass(frozen=True)
class Compared:
    """Panels chosen on half of the questions, judged on the other n: how many sit, V by the own rule and by votes."""

    agents: str
    by_ballots: Shares
    by_votes: Shares
    n: int


def compared(file: Path) -> Iterator[Compared]:
    """Ranked once by own ballots and once by votes alone."""
    for agents, questions in json.loads(gzip.decompress(file.read_bytes()))["sets"].items():
        request, judged = request_of(questions[::2]), Case.of(request_of(questions[1::2]))
        votes = replace(request, scenarios=replace(request.scenarios, ballots=()))
        by_ballots, by_votes = (shares(judged, choose_panel(each).chosen) for each in (request, votes))
        yield Compared(agents, by_ballots, by_votes, n=judged.seen.every.rows)


def shares(judged: Case, panel: tuple[str, ...]) -> Shares:
    members = [index for index, each in enumerate(judged.field.candidates) if each.id in panel]
    boards = {"own rule": judged.seen.judged, "votes": judged.seen.every}
    values = {name: round(board.share(members) or 0.0, 3) for name, board in boards.items()}
    return {"members": len(panel), **values}


def request_of(questions: list[Question]) -> PanelRequest:
    """A null answer could not be read."""
    names = [f"agent-{number}" for number in range(len(questions[0]["answers"]))]
    answers = zip(*(each["answers"] for each in questions), strict=True)
    return PanelRequest.from_json(
        {
            "candidates": [{"id": name} for name in names],
            "scenarios": {
                "truth": [each["truth"] for each in questions],
                "answers": {
                    name: [letter or "" for letter in given]
                    for name, given in zip(names, answers, strict=True)
                },
                "ballots": [ballots(each["scores"], names) for each in questions],
            },
            "limits": {"floor_points": None},
            "breakpoints": False,
        }
    )


def ballots(scores: Mapping[str, list[int] | None], names: list[str]) -> dict[str, dict[str, int]]:
    """A list that could not be read is no ballot; a score outside the steps is none, nor is one of the own answer."""
    return {
        names[int(voter)]: {
            name: CREDITS_A_STEP * (score - MIDDLE)
            for name, score in zip(names, given, strict=True)
            if name != names[int(voter)] and LOWEST <= score <= HIGHEST
        }
        for voter, given in scores.items()
        if given is not None
    }
