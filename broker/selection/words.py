"""Amounts and names in words, for reasons and conflicts."""

from __future__ import annotations

from collections.abc import Sequence

from broker.selection.limits import Budget

MOST_NAMES = 5


def amount(budget: Budget, value: int) -> str:
    """What a limit counts, for "over ... ": "budget by $0.0040", "memory of host a by 300 MB"."""
    number = value / budget.scale
    if budget.name == "max_cost":
        return f"budget by ${money(number)}"
    if budget.name == "max_tokens":
        return f"the token limit by {number:g} tokens"
    if budget.name == "max_latency_ms":
        return f"the time of a phase by {number:g} ms"
    if budget.name.startswith("host "):
        return f"the memory of {budget.name} by {number:g} MB"
    return f"the capacity of {budget.name} by {number:g}"


def money(number: float) -> str:
    """At least three decimals, at most six."""
    text = f"{number:.6f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(3, '0')}"


def capacity(budget: Budget) -> str:
    number = budget.given
    if budget.name == "max_cost":
        return f"all rounds together may cost ${money(number)}"
    if budget.name == "max_tokens":
        return f"all rounds together may use {number:g} tokens"
    if budget.name == "max_latency_ms":
        return f"a phase may take {number:g} ms"
    if budget.name.startswith("host "):
        return f"{budget.name} has {number:g} MB free"
    return f"{budget.name} has a capacity of {number:g}"


def unknown_amount(name: str) -> tuple[str, str]:
    """(reason, clause) of a candidate whose use of a limited thing nobody knows."""
    kind, limit = {
        "max_cost": ("price", "the session has a money cap"),
        "max_tokens": ("number of tokens", "the session has a token limit"),
        "max_latency_ms": ("latency", "the session has a time limit"),
    }.get(name, ("need of memory", f"the memory of {name} is limited"))
    return f"its {kind} is unknown and {limit}", f"has no known {kind}, and {limit}"


def points(value: float) -> str:
    number = f"{value:.1f}".removesuffix(".0")
    return f"{number} point{'s' * (number != '1')}"


def share(value: float | None) -> str:
    """.71, as an accuracy or V is written."""
    if value is None:
        return "unknown"
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return (text if "." in text else f"{value:.2f}").removeprefix("0")


def number_of(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' * (count != 1)}"


def listed(names: Sequence[str]) -> str:
    """a, b and c; at most five by name."""
    if len(names) > MOST_NAMES:
        return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
