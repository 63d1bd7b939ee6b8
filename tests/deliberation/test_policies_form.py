"""The form has every rule, takes what the rules take, and gives back what it was given."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliberation import forms_policies
from deliberation.forms_policies import LAW, MOST, PolicyForm, allowed, options, typed
from deliberation.models import Policy
from deliberation.protocol.rules import CHECKS, EQUIVALENCES, PRESETS, RULES, RulesError
from deliberation.protocol.types import Rules
from deliberation.selectors import policy_files
from deliberation.selectors.policy_files import PolicyFileError
from deliberation.trail import canonical

WORDS = {"name": "careful", "summary": "For hard questions.", "base": "0"}
OTHER: dict[str, Any] = {
    "rule": "linear", "winner_by": "class", "equivalence": "number", "family_share": False, "weight_model": 2,
    "weight_human": 0.25, "reliability_weighting": True, "effort": 1 / 3, "min_rounds": 3, "max_rounds": 7,
    "preset": "custom", "p_g": 0.1, "k": 1e-05, "beta": 0, "settled_rounds": 4, "settled_conviction": 0.123456789,
    "max_cost_usd": 0.01, "max_tokens": 10**12, "max_minutes": 1.5, "force": True, "gamma": 0,
    "state_tokens": 0, "position_chars": 1, "guidance_rounds": 2, "final_rule": "last", "human_window_s": 604_800,
    "blind": False, "veto_quorum": 2, "panel_size": [1, 100], "roles": ["critic", "fact-checker"],
    "selection_mode": "deterministic", "floor_points": None, "max_per_family": 3, "replace_agents": False,
    "samples": 1, "turn_deadline_s": 1, "attempts": 10, "propose_max_tokens": 1, "review_max_tokens": 2,
    "peer_reasoning_chars": 0,
}  # fmt: skip


def form(rules: Rules | None = None, **changes: str) -> PolicyForm:
    return PolicyForm({**typed(rules or Rules()), **WORDS, **changes})


def errors(**changes: str) -> dict[str, str]:
    checked = form(**changes)
    assert not checked.is_valid()
    return {name: found[0] for name, found in checked.errors.items()}


def test_every_rule_is_on_the_form_once() -> None:
    shown = [each.name for section in form().sections for each in (*section.fields, *section.law)]
    assert sorted(shown) == sorted([*(field.name for field in fields(Rules)), MOST])
    assert all(each.help_text for section in form().sections for each in section.fields)


def test_the_other_rules_of_this_test_name_every_rule() -> None:
    rules = Rules.from_json(OTHER).to_json()
    assert set(OTHER) == set(rules)
    assert [name for name, value in Rules().to_json().items() if rules[name] == value] == []


@pytest.mark.parametrize(
    "rules", [Rules(), Rules.from_json(OTHER), Rules.from_json({"preset": "high_performance"})]
)
def test_what_the_form_is_filled_with_comes_back_to_the_last_bit(rules: Rules) -> None:
    sent = form(rules)
    assert sent.is_valid(), sent.errors
    assert sent.rules.sha256 == rules.sha256


@given(st.floats(0, 1), st.floats(-1, 1), st.floats(0.01, 100))
def test_a_number_comes_back_to_the_last_bit(effort: float, k: float, weight: float) -> None:
    rules = Rules.from_json({**OTHER, "effort": effort, "k": k, "weight_human": weight})
    sent = form(rules)
    assert sent.is_valid()
    assert sent.rules == rules


@pytest.mark.parametrize(
    "name", ["effort", "max_rounds", "max_cost_usd", "panel_size", MOST, "gamma", "attempts"]
)
@pytest.mark.parametrize("text", ["", "abc", "nan", "inf", "-1", "1e99", "9" * 30, "0x10", "<b>"])
def test_a_number_that_cannot_be_is_refused_at_its_field_in_the_rules_words(name: str, text: str) -> None:
    if (name, text) in (("max_cost_usd", ""),):
        return
    found = errors(**{name: text})
    assert list(found) == ["panel_size" if name == MOST else name]
    assert " must be " in next(iter(found.values()))
    assert name not in next(iter(found.values()))  # by the name on the screen


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert set(errors(effort="2", max_rounds="0", rule="dice", summary="", name="a b")) == {
        "effort", "max_rounds", "rule", "summary", "name",
    }  # fmt: skip


def test_rules_that_contradict_each_other_are_refused_at_their_field() -> None:
    assert errors(panel_size="5", **{MOST: "3"}) == {
        "panel_size": "The number of agents must not have a minimum over its maximum, as [5, 3] has."
    }


def test_a_preset_brings_its_numbers_and_custom_opens_them() -> None:
    named = form(preset="high_performance", p_g="0.1", k="nonsense", beta="")
    assert named.is_valid(), named.errors
    assert named.rules.law == PRESETS["high_performance"]
    own = form(preset="custom", p_g="0.1", k="0.2", beta="0.003")
    assert own.is_valid()
    assert (own.rules.p_g, own.rules.k, own.rules.beta) == (0.1, 0.2, 0.003)
    assert set(errors(preset="custom", p_g="", k="x")) == {"p_g", "k"}
    assert [each.name for section in own.sections for each in section.law] == list(LAW)


def test_an_old_form_is_told_so() -> None:
    assert "Load the page again" in errors(base="")["base"]


@pytest.mark.parametrize("name", ["new", "", "a b", "x" * 61])
def test_a_name_that_no_address_can_have_is_refused(name: str) -> None:
    assert "name" in errors(name=name)


def test_the_choices_are_what_the_rules_take_and_no_others() -> None:
    assert options("rule") == RULES
    assert options("equivalence") == EQUIVALENCES
    assert options("preset") == (*PRESETS, "custom")
    for name, kind in forms_policies.KINDS.items():
        if kind == "str":
            assert [CHECKS[name](name, each) for each in options(name)] == list(options(name))
            with pytest.raises(RulesError):
                CHECKS[name](name, "dice")


def test_a_range_is_that_of_the_rules() -> None:
    assert allowed("effort") == "a number from 0 to 1"
    assert "A number from 0 to 1." in form()["effort"].help_text
    assert "A whole number from 1 to 1,000,000,000,000." in form()["max_tokens"].help_text
    assert "A number from 0 to 1,000,000,000." in form()["max_cost_usd"].help_text


# files


def policy(rules: Rules) -> Policy:
    return Policy(
        name="careful", version=3, summary="Für “alle”.", rules=rules.to_json(), sha256=rules.sha256
    )


@pytest.mark.parametrize("rules", [Rules(), Rules.from_json(OTHER)])
def test_a_file_gives_the_very_rules_back(rules: Rules) -> None:
    found = policy_files.read(policy_files.exported(policy(rules)))
    assert found == policy_files.PolicyFile("careful", "Für “alle”.", rules, "")
    assert found.rules.sha256 == rules.sha256


def test_the_rules_alone_are_enough_also_as_exact_json() -> None:
    rules = Rules.from_json(OTHER)
    exact = canonical.canonical_bytes(canonical.encode(rules.to_json())).decode()
    for text in (json.dumps(rules.to_json()), exact, json.dumps({"rules": OTHER})):
        assert policy_files.read(text).rules.sha256 == rules.sha256
    assert policy_files.read("{}").rules == Rules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a file"),
        ("  ", "Choose a file"),
        ("effort: 1", "cannot be read as JSON"),
        ('{"effort": 1', "cannot be read as JSON"),
        ("[" * 50_000, "cannot be read as JSON"),
        ('{"max_tokens": ' + "9" * 5_000 + "}", "cannot be read as JSON"),
        ("[1]", "JSON object"),
        ("null", "JSON object"),
        ('{"rules": 3}', "must be a JSON object"),
        ('{"rules": {}, "colour": 1}', "'colour' is not a field"),
        ('{"speed": 1}', "'speed' is not a rule"),
        ('{"effort": 2}', "effort must be a number from 0 to 1, not 2"),
        ('{"effort": NaN}', "effort must be"),
        ('{"effort": "x"}', "effort must be"),
        ('{"blind": "true"}', "blind must be true or false"),
        ('{"effort": 0.1, "effort": 0.2}', "'effort' stands twice"),
        ('{"panel_size": [5, 3]}', "panel_size must not"),
        ('{"roles": ["a,b"]}', "names of letters, digits and hyphens"),
        ('{"roles": ["\\ud800"]}', "names of letters, digits and hyphens"),
        ('{"rules": {}, "policy": "\\ud800"}', "policy must be a text"),
        ('{"rules": {}, "summary": 3}', "summary must be a text"),
        (" " + "1" * 100_000, "at most 100,000 characters"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_policy_is_refused_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(PolicyFileError, match=said.replace("[", r"\[")):
        policy_files.read(text)


def test_a_file_that_was_changed_after_its_export_is_refused() -> None:
    text = policy_files.exported(policy(Rules())).replace('"effort": 0.6', '"effort": 0.7')
    with pytest.raises(PolicyFileError, match="was changed after it was exported"):
        policy_files.read(text)


def test_a_file_from_before_a_rule_was_made_says_which_defaults_it_takes() -> None:
    older = {name: value for name, value in Rules().to_json().items() if name != "samples"}
    found = policy_files.read(json.dumps({"rules": older, "sha256": "0" * 64}))
    assert found.rules == Rules()
    assert "does not name samples" in found.note
