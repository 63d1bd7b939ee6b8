"""Requests in few words."""

from typing import Any

from broker.selection.panel import choose_panel
from broker.selection.receipt import Receipt
from broker.selection.types import PanelRequest


def model(name: str, **parts: Any) -> dict[str, Any]:
    return {"id": name, "cost": 0.001, "family": name, **parts}


def rows(**answers: str) -> dict[str, Any]:
    """Letters of a word for each model; the truth is R on every row."""
    count = len(next(iter(answers.values())))
    return {"truth": ["R"] * count, "answers": {name: list(row) for name, row in answers.items()}}


def chosen(**request: Any) -> Receipt:
    return choose_panel(PanelRequest.from_json({"breakpoints": False, **request}))


def reason(receipt: Receipt, name: str) -> str:
    return next(line.reason for line in receipt.candidates if line.id == name)


# Three whose errors never meet: together they are right on 48 of 48 rows, alone on 32.
TRIO = rows(a="R" * 32 + "x" * 16, b="x" * 16 + "R" * 32, c="R" * 16 + "y" * 16 + "R" * 16)
THREE = [model("a"), model("b"), model("c")]
FLOORLESS = {"floor_points": None}
