"""What a session is said to take before it starts: likely, and at most; what is unknown stays unknown."""

from collections.abc import Mapping
from typing import Any

import pytest

from broker.models import Call
from deliberation.models import Policy
from deliberation.protocol.types import Rules
from deliberation.selectors.policies import Estimate, Past, estimate, past
from tests.deliberation import opening

RULES = {
    "max_rounds": 2,
    "attempts": 1,
    "turn_deadline_s": 60,
    "panel_size": [1, 3],
    "peer_reasoning_chars": 400,
}
CALLS = 4  # an ordinary one, one asked anew and one that was cut, both with half as much room again


def estimated(
    usd: Mapping[str, float | None], *, known: Any = None, task_chars: int | None = 100, **rules: Any
) -> Estimate:
    """For a panel of these models, with what each costs in a round."""
    policy = Policy(pk=5, name="p", version=1, rules=Rules.from_json({**RULES, **rules}).to_json())
    seated = [{"id": name, "cost": cost, "simulated": False, "chosen": True} for name, cost in usd.items()]
    passed_over = {"id": "z", "cost": None, "simulated": True, "chosen": False}
    receipt = {"candidates": [*seated, passed_over], "conflict": None}
    return estimate(policy, receipt, known=known or {}, task_chars=task_chars)


def test_at_most_counts_every_round_and_all_attempts_of_every_turn() -> None:
    said = estimated({"a": 0.25, "b": 0.5})
    assert said.at_most_usd == 0.75 * 2 * CALLS
    assert said.at_most_tokens == 2 * 2 * (2 * ((100 + 3 * 400) // 4 + 1500) + 2 * 4096) * CALLS
    assert said.at_most_s == 2 * 2 * 60


def test_a_cap_on_money_is_at_most() -> None:
    assert estimated({"a": 0.25, "b": 0.5}, max_cost_usd=1.5).at_most_usd == 1.5
    assert estimated({"a": 0.001, "b": 0.001}, max_cost_usd=1.5).at_most_usd < 1.5


def test_one_model_is_asked_several_times_in_one_round_without_reviews() -> None:
    said = estimated({"a": 0.25}, samples=3)
    assert said.agents == 3
    assert said.at_most_usd == 0.25 * 3 * CALLS
    assert said.at_most_s == 60


def test_the_window_for_people_is_in_the_time() -> None:
    assert estimated({"a": 1, "b": 1}, human_window_s=600).at_most_s == 2 * (2 * 60 + 600)


def test_an_unknown_price_leaves_the_money_unknown_and_the_rest_known() -> None:
    said = estimated({"a": 0.25, "b": None})
    assert said.at_most_usd is None
    assert said.why_unknown == "no price is known for b"
    assert said.at_most_tokens is not None


def test_without_a_question_the_tokens_are_unknown() -> None:
    assert estimated({"a": 1, "b": 1}, task_chars=None).at_most_tokens is None


@pytest.mark.parametrize(("seated", "found"), [({"a": 1.0, "b": 1.0}, True), ({}, False)])
def test_what_is_likely_comes_from_sessions_of_the_same_policy(
    seated: dict[str, float | None], found: bool
) -> None:
    past = Past(n=3, cost_usd=None, tokens=1200, wall_s=9.0)
    assert estimated(seated, known={(5, False): past}).likely == (past if found else None)
    assert estimated(seated, known={(6, False): past}).likely is None


@pytest.mark.django_db
def test_likely_tokens_are_learnt_from_what_servers_counted() -> None:
    session = opening.opened(opening.person("owner"), policy="fast")
    opening.seat_agent(session)
    call = opening.call(session, cost_usd=0.5)
    opening.conclude(session)
    assert past()[session.policy_id, True].tokens is None
    Call.objects.filter(pk=call.pk).update(tokens_in=1000, tokens_out=234)
    assert past()[session.policy_id, True] == Past(n=1, cost_usd=0.5, tokens=1234, wall_s=12.0)
