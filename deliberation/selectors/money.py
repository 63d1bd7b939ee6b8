"""What a session spent of its cap, as a value and in words."""

from typing import Any

from broker.selectors import budgets
from broker.selectors.budgets import Standing
from deliberation import formats
from deliberation.models import Session


def budget(session: Session) -> Standing | None:
    """None where the session has no cap. Two queries, none without a cap."""
    return budgets.standing(session.pk) if session.rules.get("max_cost_usd") is not None else None


def as_json(found: Standing | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "cap_usd": float(found.cap_usd),
        "spent_usd": float(found.spent_usd),
        "assumed_usd": float(found.assumed_usd),
        "overrun_usd": float(found.overrun_usd),
    }


def sentences(found: Standing | None) -> list[str]:
    """What people should know of it; nothing where the cap held and every cost is known."""
    said = []
    if found is not None and found.overrun_usd:
        said.append(
            f"A server charged more than it was asked for: {formats.money(float(found.spent_usd))} were spent, "
            f"{formats.money(float(found.overrun_usd))} above the cap. No call followed."
        )
    if found is not None and found.assumed_usd:
        said.append(
            f"Nobody knows what some calls cost; {formats.money(float(found.assumed_usd))}, the most that they may "
            "have cost, count as spent."
        )
    return said
