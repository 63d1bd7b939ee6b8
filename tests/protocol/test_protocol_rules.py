"""The rules of a session, their checks and their identity."""

import hashlib
import json

import pytest

from deliberation.protocol.stopping import t_opt
from deliberation.protocol.types import PRESETS, Rules, RulesError


def test_defaults_are_those_of_the_protocol() -> None:
    rules = Rules.from_json({})
    assert rules == Rules()
    assert (rules.rule, rules.winner_by, rules.family_share) == ("quadratic", "proposal", True)
    assert (rules.effort, rules.min_rounds, rules.max_rounds, rules.final_rule) == (0.6, 2, 6, "best")
    assert (rules.gamma, rules.state_tokens, rules.guidance_rounds, rules.samples) == (0.7, 1500, 1, 5)
    assert (rules.weight_human, rules.reliability_weighting, rules.human_window_s) == (1.0, False, 0)


def test_a_named_preset_brings_its_law() -> None:
    for name, law in PRESETS.items():
        rules = Rules.from_json({"preset": name})
        assert rules.law == law
        assert round(t_opt(rules.law) or 0, 2) == 6.0
        assert Rules.from_json(rules.to_json()) == rules


def test_a_custom_law_is_given_whole() -> None:
    law = {"p_g": 0.5, "k": 0.3, "beta": 0.01}
    assert Rules.from_json({"preset": "custom", **law}).k == 0.3
    with pytest.raises(RulesError, match="beta must be given, because preset is custom"):
        Rules.from_json({"preset": "custom", "p_g": 0.5, "k": 0.3})
    with pytest.raises(RulesError, match=r"k is 0\.2768 in preset consumer"):
        Rules.from_json({"k": 0.3})


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"efort": 0.5}, "'efort' is not a rule. Known rules: attempts, "),
        ({"effort": 1.5}, "effort must be a number from 0 to 1, not 1.5"),
        ({"effort": "high"}, "effort must be a number from 0 to 1, not 'high'"),
        ({"effort": True}, "effort must be a number from 0 to 1, not True"),
        ({"effort": float("nan")}, "effort must be a number from 0 to 1, not nan"),
        ({"max_rounds": 0}, "max_rounds must be a whole number from 1 to 100, not 0"),
        ({"max_rounds": 2.0}, "max_rounds must be a whole number from 1 to 100, not 2.0"),
        ({"rule": "quadratik"}, "rule must be one of quadratic, quadratic_sdk, "),
        ({"rule": ["linear"]}, "rule must be one of "),
        ({"family_share": 1}, "family_share must be true or false, not 1"),
        ({"panel_size": [5, 3]}, "panel_size must not have a minimum over its maximum"),
        ({"roles": ["critic", "kritikér"]}, "roles must be a list of names of letters, digits and hyphens"),
        ({"roles": ["critic", "critic"]}, "roles must not name one twice"),
        ({"roles": "critic"}, "roles must be a list of names"),
        ({"selection_mode": "pinned"}, "selection_mode must be one of dynamic, deterministic"),
        ({"floor_points": 101}, "floor_points must be a number from 0 to 100"),
        ({"k": 2, "preset": "custom"}, "k must be a number from -1 to 1"),
        ({"panel_size": 3}, "panel_size must be two whole numbers"),
        ({"panel_size": [0, 3]}, "panel_size must be a whole number from 1 to 100, not 0"),
        ({"max_cost_usd": -1}, "max_cost_usd must be a number from 0 to 1e"),
        ([], "rules must be a JSON object"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(value: dict[str, object], sentence: str) -> None:
    with pytest.raises(RulesError) as refusal:
        Rules.from_json(value)
    assert sentence in str(refusal.value)


def test_a_cap_may_be_absent() -> None:
    rules = Rules.from_json({"max_cost_usd": None, "max_tokens": None, "max_minutes": None})
    assert (rules.max_cost_usd, rules.max_tokens, rules.max_minutes) == (None, None, None)
    assert Rules.from_json({"max_cost_usd": 1}).max_cost_usd == 1.0


def test_equal_rules_have_one_identity_and_different_ones_two() -> None:
    one, other = (
        Rules.from_json({"effort": 1, "rule": "linear"}),
        Rules.from_json({"rule": "linear", "effort": 1.0}),
    )
    assert one.sha256 == other.sha256 == Rules.from_json(one.to_json()).sha256
    assert len({one.sha256, Rules().sha256, Rules(effort=0.7).sha256, Rules(max_rounds=5).sha256}) == 4
    assert len(one.sha256) == 64


def test_the_identity_is_the_hash_of_the_canonical_json() -> None:
    """Keys sorted, no white space, floats as their repr() in a string: computable without this code."""
    value = Rules().to_json()
    texts = {key: repr(item) if isinstance(item, float) else item for key, item in value.items()}
    canonical = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    assert Rules().sha256 == hashlib.sha256(canonical.encode()).hexdigest()
    assert '"effort":"0.6"' in canonical


def test_one_round_asks_for_one_round_at_least() -> None:
    assert Rules(max_rounds=1).least_rounds == 1
    assert Rules(max_rounds=3).least_rounds == 2
