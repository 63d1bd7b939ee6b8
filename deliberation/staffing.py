"""What the solver's queue does: choose and seat the panel, and find others for agents whose models went down."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from broker.models import Model, Selection
from broker.selection.own_rule import RULES, OwnRule
from broker.selection.panel import choose_panel
from broker.selectors.budgets import standing
from broker.selectors.candidates import Wanted, question
from broker.services.selections import select_panel
from deliberation.claims import Claim, claimed
from deliberation.guarding import FAILURES, guarded
from deliberation.models import Participant, Policy, Session, Turn
from deliberation.protocol.stopping import may_start
from deliberation.protocol.types import Rules, RulesError
from deliberation.selectors.carried import named, pinned
from deliberation.selectors.policies import tokens_a_round
from deliberation.services import rounds, seats, sessions
from deliberation.services.spending import for_a_new_session

SOLVER_S = 5.0  # time for the panel's solver; where it ends before the proof, the receipt says so
ESTIMATE_S = 0.3  # the same while somebody looks at the form
# Reasons to abstain that say that the model, its server or its host is gone.
DOWN = (
    "refused",
    "unreachable",
    "dns_failed",
    "tls_failed",
    "engine_dead",
    "server_error",
    "stream_cut",
    "timed_out",
    "model_gone",
    "unauthorized",
    "payment_required",
    "key_unusable",
    "breaker_open",
    "no_worker",
)


@dataclasses.dataclass(frozen=True)
class Draft:
    """A session that is thought of. rules: changes to the policy's; panel: the numbers of the models that are to sit,
    none where the broker chooses.
    """

    policy_id: int
    category: str = ""
    task_chars: int = 0
    rules: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    panel: Sequence[int] = ()


def staff(session_id: Any) -> None:
    """Chooses and seats the panel, and opens the first round. The one step that runs on the solver queue."""
    with claimed(
        Session.objects.filter(pk=session_id, state=Session.State.STAFFING, paused_at=None)
    ) as claims:
        for claim in claims:
            with guarded(claim):
                _staff(claim)


def _staff(claim: Claim) -> None:
    session = Session.objects.get(pk=claim.pk)
    rules = Rules.from_json(session.rules)
    if session.stop_requested_at is not None:
        sessions.fail(claim, "no_ballots", detail=FAILURES["no_ballots"])
        return
    refusal = may_start(rules)
    if refusal is not None:
        sessions.fail(claim, "no_panel", detail=refusal)
        return
    if session.selection is None:
        selection = select_panel(wanted(session, rules), reference=session.pk)
        if not selection.receipt["chosen"]:
            sessions.fail(claim, "no_panel", detail=selection.receipt["conflict"], selection=selection)
            return
        seats.seat_panel(claim, selection)
    rounds.open_round(claim)


def replace(session_id: Any) -> None:
    """Finds others for the agents that went down in the phase that ends, the rest pinned (protocol.md 8)."""
    running = Session.objects.filter(pk=session_id, paused_at=None, replacing_since__isnull=False)
    with claimed(running.exclude(state__in=Session.ENDED)) as claims:
        for claim in claims:
            with guarded(claim):
                session = Session.objects.get(pk=claim.pk)
                gone = list(gone_down(session))
                asked = wanted(session, Rules.from_json(session.rules), instead_of=gone)
                selection = select_panel(asked, reference=session.pk, kind=Selection.Kind.REPLACEMENT)
                seats.replace(claim, gone, selection)


def gone_down(session: Session) -> "QuerySet[Turn]":
    """The newest turns of this round whose agents went down and still have their seat, one for each seat."""
    turns = Turn.objects.filter(
        session=session,
        round__number=session.round,
        participant__kind=Participant.Kind.MODEL,
        participant__left_phase=None,
    )
    newest = turns.order_by("participant__seat", "-pk").distinct("participant__seat").values("pk")
    return (
        Turn.objects.filter(pk__in=newest, state=Turn.State.ABSTAINED, reason__in=DOWN)
        .select_related("session", "endpoint", "participant__model")
        .order_by("participant__seat")
    )


def wanted(
    session: Session, rules: Rules, *, instead_of: Sequence[Turn] = (), time_limit_s: float = SOLVER_S
) -> Wanted:
    """The session's limits as a question to the broker, at the most tokens that the rules let an agent use.
    instead_of: the lost turns of agents for which others are looked for, beside those who stay.
    """
    tokens_in, tokens_out = tokens_a_round(rules, task_chars=len(session.task))
    common = Wanted(
        category=session.category,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        rounds=rules.max_rounds,
        size=rules.panel_size,
        max_cost_usd=for_a_new_session(rules),
        max_tokens=rules.max_tokens,
        max_phase_s=None if rules.max_minutes is None else 60 * rules.max_minutes / (2 * rules.max_rounds),
        max_per_family=rules.max_per_family,
        floor_points=rules.floor_points,
        roles=rules.roles,
        mode=rules.selection_mode if session.seed is None else "deterministic",
        seed=sessions.sampling_seed(session) if session.secret else 0,
        group=f"{session.policy.name} {session.category}".strip() if session.policy_id else "",
        own_rule=_own_rule(rules),
        time_limit_s=time_limit_s,
    )
    if instead_of:
        return _beside_the_rest(common, session, rules, instead_of)
    return _pinned(common, pinned(session))


def _pinned(common: Wanted, names: Sequence[str]) -> Wanted:
    return dataclasses.replace(common, mode="pinned", required=tuple(names)) if names else common


def foreseen(draft: Draft) -> dict[str, Any]:
    """What the broker would answer if a session were opened now: who would sit, or why nobody would; and the best of
    those who would not.
    """
    policy = Policy.objects.get(pk=draft.policy_id)
    try:
        rules = Rules.from_json({**policy.rules, **draft.rules})
    except RulesError as error:
        return {"candidates": [], "conflict": str(error).rstrip("."), "best_left_out": None}
    task = "." * draft.task_chars  # of the task, its length alone counts
    session = Session(policy=policy, task=task, category=draft.category)
    asked = _pinned(wanted(session, rules, time_limit_s=ESTIMATE_S), named(draft.panel))
    receipt = choose_panel(question(asked).request).to_json()
    seated = [line for line in receipt["candidates"] if line["chosen"]]
    return {"candidates": seated, "conflict": receipt["conflict"], "best_left_out": _best_left_out(receipt)}


def _best_left_out(receipt: Mapping[str, Any]) -> dict[str, Any] | None:
    """The most accurate one that does not sit; None where all do."""
    others = [line for line in receipt["candidates"] if not line["chosen"]]
    return min(others, key=lambda each: (-(each["accuracy"] or 0.0), each["id"]), default=None)


def _own_rule(rules: Rules) -> OwnRule | None:
    """How the session counts ballots; None for a rule that the broker does not count by, so that it counts votes."""
    if rules.rule not in RULES:
        return None
    return OwnRule(rule=rules.rule, winner_by=rules.winner_by, family_share=rules.family_share)


def _beside_the_rest(common: Wanted, session: Session, rules: Rules, lost: Sequence[Turn]) -> Wanted:
    """Those who stay are pinned, and the money and tokens are what is left; the panel grows to its old size at most."""
    gone = {turn.participant_id for turn in lost}
    seats = session.participants.filter(kind=Participant.Kind.MODEL, left_phase=None).select_related("model")
    stay = [each for each in seats if each.pk not in gone]
    spent, budget = rounds.spent_so_far(session), standing(session.pk)
    rounds_left = max(rules.max_rounds - session.round + 1, 1)
    return dataclasses.replace(
        common,
        rounds=rounds_left,
        size=(max(len(stay), 1), len(stay) + len(gone)),
        max_cost_usd=float(budget.left_usd) if budget else common.max_cost_usd,
        max_tokens=None if rules.max_tokens is None else max(rules.max_tokens - (spent.tokens or 0), 0),
        floor_points=None,
        roles=(),
        mode="deterministic",
        required=tuple(sorted({each.model.alias for each in stay if each.model})),
        excluded=_out_of_reach(lost),
    )


def _out_of_reach(lost: Sequence[Turn]) -> tuple[str, ...]:
    """The models that went down, and all of a host without a worker."""
    models = {turn.participant.model.alias for turn in lost if turn.participant.model}
    hosts = {turn.endpoint.host_id for turn in lost if turn.endpoint and turn.reason == "no_worker"}
    models |= set(Model.objects.filter(endpoint__host__in=hosts - {None}).values_list("alias", flat=True))
    return tuple(sorted(models))
