"""What the rules of a policy mean, in sentences of a colleague. Every number in them is read from them."""

from dataclasses import dataclass
from math import ceil

from deliberation import formats
from deliberation.protocol.stopping import t_opt
from deliberation.protocol.types import Rules


@dataclass(frozen=True)
class Said:
    """One thing that the rules say. `fields`: the rules it was read from."""

    topic: str
    text: str
    fields: tuple[str, ...]


def brief(rules: Rules) -> tuple[str, ...]:
    """The three lines of a policy's card: who sits, how long it may go on, what people can do."""
    return (f"{_panel_size(rules)}.", f"{_rounds(rules)}.", f"{_window(rules)}.")


def in_full(rules: Rules) -> tuple[Said, ...]:
    """Everything that shapes a session, in the order in which it happens."""
    return (
        Said("Panel", f"{_panel_size(rules)}. {_single(rules)}", ("panel_size", "samples")),
        Said("Choice", _choice(rules), ("selection_mode", "floor_points", "max_per_family", "roles")),
        Said("Replacement", _replacement(rules), ("replace_agents",)),
        Said(
            "Turns",
            _turns(rules),
            ("turn_deadline_s", "attempts", "propose_max_tokens", "review_max_tokens"),
        ),
        Said("People", f"{_window(rules)}. {_blind(rules)}", ("human_window_s", "blind")),
        Said("Ballots", _ballots(rules), ("rule", "winner_by", "equivalence")),
        Said(
            "Weights",
            _weights(rules),
            ("weight_human", "weight_model", "family_share", "reliability_weighting"),
        ),
        Said("End", f"{_rounds(rules)}. {_evidence(rules)}", ("min_rounds", "max_rounds", "effort")),
        Said("Settled", _settled(rules), ("settled_rounds", "settled_conviction")),
        Said("Fatigue", _fatigue(rules), ("preset", "p_g", "k", "beta", "force")),
        Said("Caps", _caps(rules), ("max_cost_usd", "max_tokens", "max_minutes")),
        Said("Memory", _memory(rules), ("gamma", "state_tokens", "position_chars", "peer_reasoning_chars")),
        Said("Guidance", _guidance(rules), ("guidance_rounds",)),
        Said("Verdict", _verdict(rules), ("final_rule", "veto_quorum")),
    )


def _panel_size(rules: Rules) -> str:
    low, high = rules.panel_size
    if high == 1:
        return "1 agent"
    return f"{low} agents" if low == high else f"{low} to {high} agents"


def _single(rules: Rules) -> str:
    if rules.panel_size[0] > 1:
        return "With fewer models that can sit, nothing is started."
    return f"One model alone answers {rules.samples} times, and the commonest answer wins."


def _choice(rules: Rules) -> str:
    """protocol.md 8: the mode, the floor, families and roles."""
    mode = "The broker may try a model that it knows little of, and keeps a panel that did well."
    if rules.selection_mode == "deterministic":
        mode = "The same models, prices and readings give the same panel."
    floor = "Any known accuracy may sit."
    if rules.floor_points is not None:
        floor = f"A model more than {rules.floor_points:g} points below the best affordable one cannot sit."
    family = (
        "One model of a family"
        if rules.max_per_family == 1
        else f"At most {rules.max_per_family} of a family"
    )
    roles = f" Roles to fill: {', '.join(rules.roles)}." if rules.roles else ""
    return f"{mode} {floor} {family} sits at a time.{roles}"


def _replacement(rules: Rules) -> str:
    if rules.replace_agents:
        return "An agent whose model goes down is replaced from the next phase on; the result names the loss."
    return "An agent whose model goes down is not replaced; the result names the loss."


def _turns(rules: Rules) -> str:
    tries = "once" if rules.attempts == 1 else f"at most {rules.attempts} times"
    return (
        f"An agent has {_span(rules.turn_deadline_s)} for a turn and is asked {tries}; without a usable "
        f"answer it abstains. It writes up to {rules.propose_max_tokens:,} tokens for a proposal and "
        f"{rules.review_max_tokens:,} for its reviews."
    )


def _window(rules: Rules) -> str:
    if not rules.human_window_s:
        return "A round closes without waiting for people"
    return f"People who take part have {_span(rules.human_window_s)} a round"


def _blind(rules: Rules) -> str:
    if rules.blind:
        return "They see no names and no totals until they have cast a ballot of their own."
    return "They see names and totals from the start."


BALLOT_RULES = {
    "quadratic": "100 credits a ballot; influence is the square root of what is spent on a proposal",
    "quadratic_sdk": "100 credits a ballot, always spent in full; influence is the square root of that",
    "quadratic_unsigned": "100 credits a ballot, in favour only; influence is the square root of that",
    "linear": "100 credits a ballot; influence is what is spent on a proposal",
    "median": "the median of the weights decides",
    "mean_score": "the mean of the weights decides",
    "borda": "each ballot ranks the proposals, and the points of the ranks are added (Borda)",
    "copeland": "the proposal that wins most of the paired comparisons is ahead (Copeland)",
    "plurality": "each ballot counts for its first choice",
    "approval": "each ballot approves what it gives a positive weight",
    "majority_answer": "the commonest final answer wins; no reviews are used",
}
EQUIVALENCE = {
    "exact": "the same text after normalising",
    "number": "the same number",
    "latex_math": "the same formula",
    "choice": "the same choice",
    "json": "the same JSON value",
    "none": "never: each proposal stands alone",
}


def _ballots(rules: Rules) -> str:
    by = "the best supported proposal wins"
    if rules.winner_by == "class":
        by = "the answer with the most support over all its proposals wins"
    return (
        f"{BALLOT_RULES[rules.rule].capitalize()}; {by}. Nobody votes on their own proposal. "
        f"Final answers count as one by: {EQUIVALENCE[rules.equivalence]}."
    )


def _weights(rules: Rules) -> str:
    alike = rules.weight_human == rules.weight_model
    share = "A person's ballot counts as much as an agent's."
    if not alike:
        share = f"A person's ballot weighs {rules.weight_human:g}, an agent's {rules.weight_model:g}."
    family = "Models of one family share one vote." if rules.family_share else "Each model has a full vote."
    learned = " Agents that were right in outside checks weigh more." if rules.reliability_weighting else ""
    return f"{share} {family}{learned}"


def _rounds(rules: Rules) -> str:
    low, high = rules.least_rounds, rules.max_rounds
    if low == high:
        return "1 round" if high == 1 else f"{high} rounds"
    return f"{low} to {high} rounds"


def _evidence(rules: Rules) -> str:
    share = formats.percent(rules.effort)
    if rules.max_rounds == 1:
        return "There is nothing to stop early."
    return f"It stops once the evidence reaches {share} of what all {rules.max_rounds} rounds could give."


def _settled(rules: Rules) -> str:
    return (
        f"It stops too after {rules.settled_rounds} rounds that bring no new answer "
        f"while conviction is over {formats.number(rules.settled_conviction)}."
    )


def _fatigue(rules: Rules) -> str:
    if rules.k <= 0:
        gain = "These rules expect no gain from deliberating"
        return f"{gain}; one round is run anyway." if rules.force else f"{gain}, so no session is started."
    best = t_opt(rules.law)
    law = f"p_g {rules.p_g:g}, k {rules.k:g}, beta {rules.beta:g}"
    if best is None:
        return f"Every further round is expected to help ({law})."
    return f"It ends after round {ceil(best)}: more are expected to cost more than they give ({law})."


def _caps(rules: Rules) -> str:
    caps = (
        rules.max_cost_usd is not None and formats.money(rules.max_cost_usd),
        rules.max_tokens is not None and f"{rules.max_tokens:,} tokens",
        rules.max_minutes is not None and f"{rules.max_minutes:g} minutes",
    )
    set_caps = [cap for cap in caps if cap]
    if not set_caps:
        return "Nothing but its rounds limits it."
    return f"It ends when it has used {' or '.join(set_caps)}."


def _memory(rules: Rules) -> str:
    return (
        f"The next round sees at most {rules.state_tokens:,} tokens of what is agreed and disputed; what is not "
        f"taken up again keeps {formats.percent(rules.gamma)} of its weight a round, what is disputed all of it. "
        f"A position is cut at {rules.position_chars:,} characters, the reasoning of others at "
        f"{rules.peer_reasoning_chars:,}."
    )


def _guidance(rules: Rules) -> str:
    rounds = "the next round" if rules.guidance_rounds == 1 else f"the next {rules.guidance_rounds} rounds"
    return f"What a person tells the agents is in force in {rounds}."


def _verdict(rules: Rules) -> str:
    final = "The best supported proposal of all rounds, later rounds weighing more, is the verdict."
    if rules.final_rule == "last":
        final = "The winner of the last round is the verdict."
    return f"{final} {_vetoes(rules)}"


def _vetoes(rules: Rules) -> str:
    """protocol.md 4."""
    if rules.veto_quorum == 1:
        return (
            "A veto takes one person and a reason; against a person's ballot it takes two. The owner may overturn the "
            "verdict, with a reason."
        )
    return "A veto takes a reason and two people: one asks, another one confirms. So does overturning the verdict."


def _span(seconds: int) -> str:
    """60 seconds, 3 minutes, 2 hours, 90 seconds."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds > size and seconds % size == 0:
            return f"{seconds // size} {word}s"
    return f"{seconds} seconds"
