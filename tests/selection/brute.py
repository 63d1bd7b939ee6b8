"""The broker's choice by trying every set of candidates: written apart from the package, in its plainest form."""

from collections import Counter
from fractions import Fraction
from itertools import combinations, product
from typing import Any

Request = dict[str, Any]


def number(value: float) -> Fraction:
    return Fraction(str(value))


def sits(request: Request) -> list[dict[str, Any]]:
    """Those who can sit, by id."""
    limits, hosts, rounds = request["limits"], request.get("hosts", {}), request.get("rounds", 1)
    real = any(not each.get("simulated") for each in request["candidates"])

    def is_fit(each: dict[str, Any]) -> bool:
        if each["id"] in request.get("excluded", []) or each.get("healthy") is False:
            return False
        if each.get("simulated") and real:
            return False
        amounts = [
            (each.get("cost"), limits.get("max_cost"), rounds),
            (each.get("tokens"), limits.get("max_tokens"), rounds),
            (each.get("latency_ms"), limits.get("max_latency_ms"), 1),
        ]
        if each.get("host") in hosts:
            amounts.append((each.get("vram_mb"), hosts[each["host"]].get("free_mb"), 1))
        amounts += [
            (resource["use"].get(each["id"], 0), resource["capacity"], 1)
            for resource in limits.get("resources", {}).values()
        ]
        return all(
            cap is None or (use is not None and number(use) * times <= number(cap))
            for use, cap, times in amounts
        )

    fit = [each for each in request["candidates"] if is_fit(each)]
    known = [a for each in fit if (a := accuracy(request, each)) is not None]
    floor = limits.get("floor_points", None if request.get("value") == "additive" else 15)
    if floor is not None and known:
        fit = [each for each in fit if is_within(request, each, floor, max(known))]
    fit = [each for each in fit if not request.get("roles") or roles_of(request, each, known)]
    return sorted(fit, key=lambda each: each["id"])


def accuracy(request: Request, each: dict[str, Any]) -> Fraction | None:
    """As given, else the share right of the recorded rows."""
    if each.get("accuracy") is not None:
        return number(each["accuracy"])
    scenarios = request.get("scenarios")
    if scenarios is None:
        return None
    given = scenarios["answers"][each["id"]]
    return Fraction(sum(map(str.__eq__, given, scenarios["truth"])), len(given))


def is_within(request: Request, each: dict[str, Any], floor: float, best: Fraction) -> bool:
    found = accuracy(request, each)
    return found is not None and (best - found) * 100 <= number(floor)


def roles_of(request: Request, each: dict[str, Any], known: list[Fraction]) -> list[int]:
    def is_open(role: dict[str, Any]) -> bool:
        floor = role.get("floor_points")
        has_tags = set(role.get("tags", [])) <= set(each.get("tags", []))
        return has_tags and (floor is None or not known or is_within(request, each, floor, max(known)))

    return [index for index, role in enumerate(request["roles"]) if is_open(role)]


def panels(request: Request) -> list[tuple[dict[str, Any], ...]]:
    """Every set that keeps every limit."""
    able = sits(request)
    known = [a for each in able if (a := accuracy(request, each)) is not None]
    limits = request["limits"]
    most = min(len(able), limits.get("max_size") or len(able))
    sizes = range(limits.get("min_size", 1), most + 1)
    return [
        team
        for size in sizes
        for team in combinations(able, size)
        if _keeps_sums(request, team) and _keeps_names(request, team) and _has_roles(request, team, known)
    ]


def _keeps_names(request: Request, team: tuple[dict[str, Any], ...]) -> bool:
    names = {each["id"] for each in team}
    families = Counter(each["family"] for each in team if each.get("family"))
    most = request["limits"].get("max_per_family", 1)
    return set(request.get("required", [])) <= names and (
        most is None or max(families.values(), default=0) <= most
    )


def _keeps_sums(request: Request, team: tuple[dict[str, Any], ...]) -> bool:
    limits, rounds = request["limits"], request.get("rounds", 1)

    def total(values: list[float]) -> Fraction:
        return sum(map(number, values), Fraction(0))

    if (cap := limits.get("max_cost")) is not None and total(
        [each["cost"] for each in team]
    ) * rounds > number(cap):
        return False
    cap = limits.get("max_tokens")
    if cap is not None and total([each["tokens"] for each in team]) * rounds > number(cap):
        return False
    for name, host in request.get("hosts", {}).items():
        need = [each["vram_mb"] for each in team if each.get("host") == name]
        if (
            host.get("free_mb") is not None
            and host.get("mode") != "swapped"
            and total(need) > number(host["free_mb"])
        ):
            return False
    return all(
        total([resource["use"].get(each["id"], 0) for each in team]) <= number(resource["capacity"])
        for resource in limits.get("resources", {}).values()
    )


def _has_roles(request: Request, team: tuple[dict[str, Any], ...], known: list[Fraction]) -> bool:
    roles = request.get("roles")
    if not roles:
        return True
    for binding in product(*(roles_of(request, each, known) for each in team)):
        counts = Counter(binding)
        if all(
            role.get("min", 0) <= counts[index] and (role.get("max") is None or counts[index] <= role["max"])
            for index, role in enumerate(roles)
        ):
            return True
    return False


def won(request: Request, team: tuple[dict[str, Any], ...]) -> list[bool]:
    """For each row, whether the right answer has strictly more votes than every wrong one."""
    scenarios = request["scenarios"]
    found = []
    for row, truth in enumerate(scenarios["truth"]):
        votes = Counter(scenarios["answers"][each["id"]][row] for each in team)
        wrong = max((count for answer, count in votes.items() if answer not in (truth, "")), default=0)
        found.append(votes[truth] > wrong)
    return found


def key(request: Request, team: tuple[dict[str, Any], ...]) -> tuple[Any, ...]:
    """Smaller is better: V in half points, cost, latency, V in full. An unknown amount weighs more than all known."""
    right, rows = sum(won(request, team)), len(request["scenarios"]["truth"])
    half_points = int(Fraction(right, rows) * 200 + Fraction(1, 2))
    return (-half_points, *thrift(team), -right)


def thrift(team: tuple[dict[str, Any], ...]) -> tuple[Any, ...]:
    costs, waits = [each.get("cost") for each in team], [each.get("latency_ms") for each in team]
    return (
        costs.count(None),
        sum(number(each) for each in costs if each is not None),
        None in waits,
        0 if None in waits else max(waits),
    )


def worth(team: tuple[dict[str, Any], ...]) -> Fraction:
    return sum((number(each["value"]) for each in team), Fraction(0))
