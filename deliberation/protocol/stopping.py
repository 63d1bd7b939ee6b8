"""The efficiency-fatigue law and the stop test (protocol.md 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deliberation.protocol.outcomes import Failure, StopReason
from deliberation.protocol.phases import proposals_needed
from deliberation.protocol.types import Evidence, Law, RoundInput, RoundOutcome, Rules, Tally


def utility(t: float, law: Law) -> float:
    """U(t) = 1 - (1 - p_g) exp(-k t) - beta t^2 (protocol.md 5 [P])."""
    return 1 - (1 - law.p_g) * math.exp(-law.k * t) - law.beta * t * t


def marginal(t: float, law: Law) -> float:
    """u'(t) = (1 - p_g) k exp(-k t) - 2 beta t (protocol.md 5 [P])."""
    return (1 - law.p_g) * law.k * math.exp(-law.k * t) - 2 * law.beta * t


def t_opt(law: Law) -> float | None:
    """T_opt, the root of u'; 0 where k <= 0 or nothing is to be gained; None without fatigue (beta 0): no
    optimum (protocol.md 5 [P]).

    u' falls strictly for k > 0, so the root is one; it is halved in to the last bit, which is the same on
    every machine.
    """
    if law.k <= 0 or marginal(0.0, law) <= 0:
        return 0.0
    if law.beta == 0:
        return None
    low, high = 0.0, (1 - law.p_g) * law.k / (2 * law.beta)  # u'(high) < 0, because exp(-k t) < 1
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if marginal(middle, law) > 0 else (low, middle)
    return low


def utility_table(law: Law, *, rounds: int) -> list[tuple[int, float, float]]:
    """Rows (t, U(t), u'(t)) for t = 0..rounds."""
    return [(t, utility(t, law), marginal(t, law)) for t in range(rounds + 1)]


def discount(number: int, law: Law) -> float:
    """u = U(r) / U(T_opt), 1 for k <= 0 (protocol.md 7 [O]). Never below 1e-9, so that a law under which U
    falls to 0 or below still ranks proposals by their support; without an optimum U's limit 1 stands for
    U(T_opt).
    """
    best = t_opt(law)
    if law.k <= 0 or best == 0:
        return 1.0
    peak = 1.0 if best is None else utility(best, law)
    if peak <= 0:  # p_g is 0, and what k adds is lost in rounding
        return 1.0
    return max(utility(number, law) / peak, 1e-9)


def effort_budget(rules: Rules) -> float:
    """B = sum over r = 1..max_rounds of max(u'(r), 0) (protocol.md 5 [P])."""
    return math.fsum(max(marginal(r, rules.law), 0.0) for r in range(1, rules.max_rounds + 1))


def may_start(rules: Rules) -> str | None:
    """None when a session may start; else the sentence why not (protocol.md 5: k <= 0 needs `force`)."""
    if rules.k > 0 or rules.force:
        return None
    return (
        f"These rules expect no gain from deliberating (k = {rules.k:g}: verifying is no better than "
        "generating). Set force to run one round anyway."
    )


def evidence(tally: Tally, *, number: int, rules: Rules, history: Sequence[RoundOutcome]) -> Evidence:
    """The terms of the stop test after round `number` (protocol.md 5).

    de(r) = max(w_r, 0) max(u'(r), 0), 0 in a round without ballots; E(r) = sum de; target = min(effort /
    coverage, 1) B.
    """
    slope = marginal(number, rules.law)
    gain = max(tally.conviction, 0.0) * max(slope, 0.0) if tally.influence else 0.0
    budget = effort_budget(rules)
    share = min(rules.effort / tally.coverage, 1.0) if tally.coverage else 1.0
    return Evidence(
        conviction=tally.conviction,
        coverage=tally.coverage,
        marginal=slope,
        gain=gain,
        total=math.fsum([*(outcome.evidence.gain for outcome in history), gain]),
        budget=budget,
        target=share * budget,
        utility=utility(number, rules.law),
        t_opt=t_opt(rules.law),
    )


def stop_reason(
    inputs: RoundInput, now: Evidence, *, rules: Rules, calm: Sequence[tuple[int, float]]
) -> StopReason | None:
    """Why the session ends with this round, the first that holds in the order of protocol.md 1; None: the
    next round follows. A person who asked for one more round puts off what the rules say, never a cap or a stop.

    `calm`: (new classes, conviction) of each round so far, this one last.
    """
    more = inputs.more_requested and not inputs.panel_of_one
    if rules.k <= 0 and not more:
        return "no_expected_gain"
    reasons: list[tuple[StopReason, bool]] = [
        ("evidence", inputs.number >= rules.least_rounds and now.budget > 0 and now.total >= now.target),
        ("settled", is_settled(calm, rules=rules)),
        ("t_opt", now.t_opt is not None and inputs.number >= math.ceil(now.t_opt)),
        ("max_rounds", inputs.number >= rules.max_rounds),
        ("money", inputs.spent.money_short or _reached(inputs.spent.cost_usd, rules.max_cost_usd)),
        ("tokens", _reached(inputs.spent.tokens, rules.max_tokens)),
        ("time", _reached(inputs.spent.seconds, rules.max_minutes, unit=60)),
        ("person", inputs.stop_requested),
    ]
    put_off = PUT_OFF if more else ()
    return next((reason for reason, holds in reasons if holds and reason not in put_off), None)


PUT_OFF: tuple[StopReason, ...] = ("evidence", "settled", "t_opt", "max_rounds")


def is_settled(calm: Sequence[tuple[int, float]], *, rules: Rules) -> bool:
    """`settled_rounds` (2) without a new class while w > `settled_conviction` (.9) (protocol.md 5)."""
    last = calm[-rules.settled_rounds :]
    return len(last) == rules.settled_rounds and all(
        new == 0 and w > rules.settled_conviction for new, w in last
    )


def _reached(used: float | None, cap: float | None, *, unit: int = 1) -> bool:
    """True when a known use has reached its cap; what is not known cannot stop a session."""
    return used is not None and cap is not None and used >= cap * unit


def failure(
    tally: Tally, *, stop: StopReason | None, history: Sequence[RoundOutcome], panel_of_one: bool
) -> Failure | None:
    """Why a round that was closed leaves nothing to go on with (protocol.md 1, 2, 4); None where the session
    goes on or concludes.

    `no_proposals` in any round. Without an eligible proposal in the last round: `no_ballots` where none was
    cast, else `no_eligible_proposal`; but what a person, or the end of the money, stops after a tally with a winner is
    concluded.
    """
    if len(tally.weighed_by) < proposals_needed(panel_of_one=panel_of_one):
        return "no_proposals"
    earlier = stop in ("person", "money") and any(each.tally.eligible for each in history)
    if stop is None or tally.eligible or earlier:
        return None
    silent = not tally.influence and not tally.struck and tally.rule != "majority_answer"
    return "no_ballots" if silent else "no_eligible_proposal"
