"""What the numbers of a policy do: the curve, when the evidence stops, the most that a session can take.

Everything of the stop test is asked of the protocol's own functions; nothing is computed a second time here.
"""

from dataclasses import dataclass
from itertools import count
from math import ceil

from broker.models import Role
from deliberation import formats, rule_words
from deliberation.protocol import stopping
from deliberation.protocol.types import (
    Degradation,
    Diagnostics,
    Evidence,
    RoundInput,
    RoundOutcome,
    Rules,
    StateUpdate,
    Tally,
)
from deliberation.selectors.words import STOP_REASONS

CONVICTIONS = tuple(step / 10 for step in range(1, 11))
MOST_ROUNDS_DRAWN = 30


@dataclass(frozen=True)
class Stop:
    """With this conviction in every round: after which round it ends and why. `calm_*`: where no round but the
    first brings a new answer.
    """

    conviction: float
    round: int
    reason: str
    calm_round: int
    calm_reason: str


@dataclass(frozen=True)
class Step:
    """One round: U and u' there, the evidence gathered by then with a conviction of 1, and what ends it."""

    number: int
    utility: float
    marginal: float
    total: float
    target: float

    @property
    def cells(self) -> tuple[str, ...]:
        """The numbers after the round's, as a table shows them."""
        return tuple(
            formats.number(each, digits=4) for each in (self.utility, self.marginal, self.total, self.target)
        )


@dataclass(frozen=True)
class Sentence:
    """One topic of rule_words. `before`: how the compared rules said it, None where they say the same."""

    topic: str
    text: str
    before: str | None


@dataclass(frozen=True)
class Difference:
    """One rule that differs, with both values as people write them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """points: (t, U(t)), empty where no gain is expected. t_opt None: no fatigue, so no optimum. `refusals`: why
    no session would start under these rules.
    """

    sentences: tuple[Sentence, ...]
    differences: tuple[Difference, ...]
    refusals: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    t_opt: float | None
    max_rounds: int
    stops: tuple[Stop, ...]
    steps: tuple[Step, ...]
    at_most: tuple[tuple[str, str], ...]


def preview(rules: Rules, *, before: Rules | None = None) -> Preview:
    """`before`: the rules that differences are told against. One query."""
    return Preview(
        sentences=sentences(rules, before=before),
        differences=differences(before, rules) if before else (),
        refusals=refusals(rules),
        points=curve(rules),
        t_opt=stopping.t_opt(rules.law),
        max_rounds=rules.max_rounds,
        stops=stops(rules),
        steps=steps(rules),
        at_most=at_most(rules),
    )


def sentences(rules: Rules, *, before: Rules | None = None) -> tuple[Sentence, ...]:
    """All that rule_words says, and what it said before where that is another thing."""
    now = rule_words.in_full(rules)
    old = {said.topic: said.text for said in rule_words.in_full(before or rules)}
    return tuple(
        Sentence(said.topic, said.text, old[said.topic] if old[said.topic] != said.text else None)
        for said in now
    )


def differences(before: Rules, after: Rules) -> tuple[Difference, ...]:
    """Field by field, in the order of rule_words."""
    old, new = before.to_json(), after.to_json()
    order = [name for said in rule_words.in_full(after) for name in said.fields]
    return tuple(
        Difference(name, written(old[name]), written(new[name])) for name in order if old[name] != new[name]
    )


def written(value: object) -> str:
    """A rule's value: yes, none, 0.6, "3 to 5", "critic, checker"."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return (" to " if isinstance(value[0], int) else ", ").join(map(str, value))
    return str(value)


def refusals(rules: Rules) -> tuple[str, ...]:
    """Why no session would start, whatever the models. One query where the rules name roles."""
    found = [stopping.may_start(rules)]
    if rules.roles:
        known = set(Role.objects.filter(name__in=rules.roles).values_list("name", flat=True))
        found += [f"The registry has no role named {name}." for name in rules.roles if name not in known]
    return tuple(each for each in found if each)


def curve(rules: Rules, *, pieces: int = 10) -> tuple[tuple[float, float], ...]:
    """U(t) in `pieces` a round, one round past the last and past the optimum, at most MOST_ROUNDS_DRAWN."""
    if rules.k <= 0:
        return ()
    best = stopping.t_opt(rules.law)
    last = min(max(rules.max_rounds, ceil(best or 0)) + 1, max(rules.max_rounds + 1, MOST_ROUNDS_DRAWN))
    times = [i / pieces for i in range(last * pieces + 1)]
    return tuple((t, round(stopping.utility(t, rules.law), 6)) for t in times)


def stops(rules: Rules) -> tuple[Stop, ...]:
    """For each of CONVICTIONS; empty where no gain is expected, as then one round is all there is."""
    if rules.k <= 0:
        return ()
    return tuple(_stop(rules, conviction) for conviction in CONVICTIONS)


def _stop(rules: Rules, conviction: float) -> Stop:
    (number, reason), (calm_number, calm_reason) = ends(rules, conviction)
    return Stop(conviction, number, STOP_REASONS[reason], calm_number, STOP_REASONS[calm_reason])


def ends(rules: Rules, conviction: float) -> tuple[tuple[int, str], tuple[int, str]]:
    """The round after which a session ends, and the code of the reason (protocol.md 5): this conviction in every
    round, everybody casts a ballot, no cap is reached and nobody stops it. First where each round brings a new
    answer, then where none but the first does.
    """
    history: list[RoundOutcome] = []
    found: dict[int, tuple[int, str]] = {}  # by the new answers of a round after the first
    for number in count(1):  # the last round has a reason to end, whatever came before
        now = stopping.evidence(_tally(conviction), number=number, rules=rules, history=history)
        history.append(_outcome(number, now))
        for new in {0, 1} - set(found):
            calm = [(1, conviction), *[(new, conviction)] * (number - 1)]
            inputs = RoundInput(number=number, participants=(), proposals=())
            reason = stopping.stop_reason(inputs, now, rules=rules, calm=calm)
            if reason is not None:
                found[new] = (number, reason)
        if len(found) == 2:
            break
    return found[1], found[0]


def steps(rules: Rules) -> tuple[Step, ...]:
    """Each round with the most evidence that it can have; empty where no gain is expected."""
    if rules.k <= 0:
        return ()
    found: list[Step] = []
    history: list[RoundOutcome] = []
    for number in range(1, min(rules.max_rounds, MOST_ROUNDS_DRAWN) + 1):
        now = stopping.evidence(_tally(1.0), number=number, rules=rules, history=history)
        history.append(_outcome(number, now))
        found.append(Step(number, now.utility, now.marginal, now.total, now.target))
    return tuple(found)


def at_most(rules: Rules) -> tuple[tuple[str, str], ...]:
    """The worst case that follows from the rules alone, as (what, sentence)."""
    rounds, agents = last_round(rules), rules.panel_size[1]
    shapes = [(agents * rounds, agents * rounds)] if agents > 1 else []  # (proposals, ballots)
    if rules.panel_size[0] == 1:
        shapes.append((rules.samples, 0))
    calls = rules.attempts * max(proposals + ballots for proposals, ballots in shapes)
    tokens = rules.attempts * max(
        proposals * rules.propose_max_tokens + ballots * rules.review_max_tokens
        for proposals, ballots in shapes
    )
    phases = 2 * rounds if agents > 1 else 1
    seconds = phases * rules.turn_deadline_s + rounds * rules.human_window_s
    return (
        ("Rounds", f"{rounds if agents > 1 else 1}"),
        ("Calls", f"{calls:,}, if every turn takes all of its attempts"),
        ("Tokens", f"{tokens:,} written; what the agents read comes on top"),
        ("Time", f"{formats.duration(seconds)} in turns{_people(rules)}; choosing the panel comes on top"),
        ("Money", _money(rules)),
    )


def last_round(rules: Rules) -> int:
    """The round that no session under these rules gets past: with no conviction at all nothing ends it sooner."""
    return 1 if rules.k <= 0 else ends(rules, 0.0)[0][0]


def _people(rules: Rules) -> str:
    return " and in waiting for people" if rules.human_window_s else ""


def _money(rules: Rules) -> str:
    if rules.max_cost_usd is None:
        return "depends on the prices of the panel; there is no cap"
    return f"depends on the prices of the panel; the cap is {formats.money(rules.max_cost_usd)}"


def _tally(conviction: float) -> Tally:
    """A round in which everybody cast a ballot and the winner has this conviction."""
    return Tally(
        rule="quadratic",
        net_support={},
        influence={1: {2: conviction}},
        struck={},
        rho={},
        weighed_by={},
        eligible=(),
        vetoed=(),
        winner=None,
        runner_up=None,
        margin=None,
        conviction=conviction,
        controversy={},
        coverage=1.0,
        classes=(),
        ties=(),
        tie_break=None,
        median_net_support={},
        median_winner=None,
        median_differs=None,
        pivotal=None,
        notes=(),
    )


def _outcome(number: int, evidence: Evidence) -> RoundOutcome:
    return RoundOutcome(
        number=number,
        tally=_tally(evidence.conviction),
        evidence=evidence,
        state=StateUpdate((), (), 0),
        diagnostics=Diagnostics({}, None, None, None, {}, 0),
        degradation=Degradation((), (), None),
        stop=None,
        failure=None,
    )
