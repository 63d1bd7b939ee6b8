"""The preview says what the protocol does: every number of it is checked against a session's own path."""

import json
from dataclasses import fields
from typing import Any

import pytest

from broker.models import Role
from deliberation import charts, rule_words
from deliberation.protocol import stopping
from deliberation.protocol.round import close_round
from deliberation.protocol.types import Ballot, Participant, Proposal, RoundInput, RoundOutcome, Rules
from deliberation.selectors import policy_preview
from deliberation.selectors.policy_preview import at_most, curve, differences, ends, preview, steps, stops

# protocol.md 5: a constant conviction of .6 stops at round 5, .7 at 4, .8 at 3, 1 at 2.
PUBLISHED = {0.6: 5, 0.7: 4, 0.8: 3, 1.0: 2}


def rules(**given: Any) -> Rules:
    return Rules.from_json(given)


def test_the_default_rules_stop_where_the_protocol_says() -> None:
    found = {each.conviction: each.round for each in stops(Rules())}
    assert {conviction: found[conviction] for conviction in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("effort", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("max_rounds", [1, 2, 6, 9])
def test_a_stop_is_the_first_round_in_which_evidence_reaches_its_target(
    effort: float, max_rounds: int
) -> None:
    given = rules(effort=effort, max_rounds=max_rounds)
    for each in stops(given):
        number, reason = ends(given, each.conviction)[0]
        gains = [each.conviction * max(stopping.marginal(r, given.law), 0) for r in range(1, number + 1)]
        target = effort * stopping.effort_budget(given)
        assert each.round == number
        assert (sum(gains) >= target - 1e-12) == (reason == "evidence")
        before = number - 1
        assert before < given.least_rounds or sum(gains[:before]) < target


@pytest.mark.parametrize("conviction", [0.1, 0.3, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("new_answers", [True, False])
def test_a_session_with_such_ballots_ends_in_that_round_for_that_reason(
    conviction: float, new_answers: bool
) -> None:
    given = rules(effort=0.8, settled_conviction=0.85)
    history: list[RoundOutcome] = []
    while not history or history[-1].stop is None:
        inputs = round_of(len(history) + 1, conviction, new_answers=new_answers)
        history.append(close_round(inputs, given, history))
        assert history[-1].tally.conviction == pytest.approx(conviction)
    expected = ends(given, conviction)[0 if new_answers else 1]
    assert (history[-1].number, history[-1].stop) == expected


def round_of(number: int, conviction: float, *, new_answers: bool) -> RoundInput:
    """Two propose and three review: the net support is w and w - 1, so the conviction is w."""
    name = number if new_answers else 1
    for_one, for_two = 100 * conviction**2, -100 * (1 - conviction) ** 2
    return RoundInput(
        number=number,
        participants=tuple(Participant(seat) for seat in (1, 2, 3)),
        proposals=tuple(Proposal(seat, seat, final_answer=f"{name} {seat}") for seat in (1, 2)),
        ballots=(Ballot(1, {2: for_two}), Ballot(2, {1: for_one}), Ballot(3, {1: for_one, 2: for_two})),
    )


def test_without_new_answers_a_high_conviction_settles_it() -> None:
    given = rules(effort=1.0, settled_rounds=3, settled_conviction=0.8)
    assert ends(given, 0.9)[1] == (4, "settled")  # the first round brings new ones
    assert ends(given, 0.8)[1][1] != "settled"  # it has to be over .8
    assert ends(given, 0.9)[0][1] != "settled"


def test_the_steps_are_the_terms_of_the_stop_test() -> None:
    given = rules(effort=0.5, max_rounds=4)
    found = steps(given)
    assert [each.number for each in found] == [1, 2, 3, 4]
    assert [each.utility for each in found] == [stopping.utility(r, given.law) for r in range(1, 5)]
    assert [each.marginal for each in found] == [stopping.marginal(r, given.law) for r in range(1, 5)]
    assert {each.target for each in found} == {0.5 * stopping.effort_budget(given)}
    assert found[-1].total == pytest.approx(stopping.effort_budget(given))


def test_the_curve_is_the_utility_and_goes_past_the_last_round_and_the_optimum() -> None:
    points = dict(curve(rules(max_rounds=3)))
    assert points[2.0] == pytest.approx(stopping.utility(2, Rules().law), abs=1e-6)
    assert max(points) == 7  # the optimum lies just below 6
    assert max(dict(curve(rules(max_rounds=9)))) == 10


def test_a_law_that_expects_nothing_is_refused_in_the_protocols_words_and_draws_nothing() -> None:
    given = rules(preset="custom", p_g=0.5, k=-1, beta=0, max_rounds=100)
    found = preview(given)
    assert found.refusals == (stopping.may_start(given),)
    assert (found.points, found.stops, found.steps) == ((), (), ())
    assert dict(found.at_most)["Rounds"] == "1"
    assert preview(rules(preset="custom", p_g=0.5, k=-1, beta=0, force=True)).refusals == ()


@pytest.mark.parametrize("k", [1e-9, 1])
@pytest.mark.parametrize("beta", [0, 1e-9, 1])
@pytest.mark.parametrize("p_g", [0, 0.999, 1])
def test_the_ends_of_the_ranges_can_be_drawn(k: float, beta: float, p_g: float) -> None:
    found = preview(rules(preset="custom", p_g=p_g, k=k, beta=beta, max_rounds=100))
    law = charts.law_figure(found.points, t_opt=found.t_opt, max_rounds=100)
    bars = charts.stops_figure([(each.conviction, each.round) for each in found.stops])
    for figure in (law, bars):
        assert json.loads(json.dumps(figure, allow_nan=False)) == figure
    assert len(found.points) <= 10 * 101 + 1


@pytest.mark.django_db
def test_a_role_that_the_registry_does_not_know_is_said() -> None:
    Role.objects.create(name="critic")
    assert preview(rules(roles=["critic", "judge"])).refusals == ("The registry has no role named judge.",)


def test_the_worst_case_counts_every_attempt_of_every_turn() -> None:
    given = rules(
        panel_size=[2, 3], max_rounds=2, attempts=2, propose_max_tokens=100, review_max_tokens=10,
        turn_deadline_s=60, human_window_s=30,
    )  # fmt: skip
    found = dict(at_most(given))
    assert found["Rounds"] == "2"
    assert found["Calls"].startswith("24,")  # 3 agents, 2 rounds, 2 turns, 2 attempts
    assert found["Tokens"].startswith("1,320 ")
    assert found["Time"].startswith("5:00 ")
    assert "no cap" in found["Money"]
    assert "$0.50" in dict(at_most(rules(max_cost_usd=0.5)))["Money"]


def test_the_worst_case_ends_with_the_optimum_and_knows_a_model_alone() -> None:
    assert dict(at_most(rules(max_rounds=50)))["Rounds"] == "6"
    alone = dict(at_most(rules(panel_size=[1, 1], samples=7, attempts=1, propose_max_tokens=100)))
    assert (alone["Rounds"], alone["Calls"].split(",")[0], alone["Tokens"].split(" ")[0]) == ("1", "7", "700")
    either = dict(at_most(rules(panel_size=[1, 2], samples=100, max_rounds=1, attempts=1)))
    assert either["Calls"].startswith("100,")


def test_only_what_is_said_otherwise_is_marked() -> None:
    found = preview(rules(effort=0.8), before=Rules())
    changed = [each for each in found.sentences if each.before is not None]
    assert [each.topic for each in changed] == ["End"]
    assert "60 %" in str(changed[0].before) and "80 %" in changed[0].text
    assert [(each.field, each.before, each.after) for each in found.differences] == [("effort", "0.6", "0.8")]
    assert preview(Rules(), before=Rules()).differences == ()


def test_values_are_written_as_people_write_them() -> None:
    found = differences(Rules(), rules(panel_size=[1, 2], roles=["a", "b"], floor_points=None, blind=False))
    assert {each.field: (each.before, each.after) for each in found} == {
        "panel_size": ("3 to 5", "1 to 2"),
        "roles": ("none", "a, b"),
        "floor_points": ("15.0", "none"),
        "blind": ("yes", "no"),
    }


def test_every_rule_is_told_in_words_once() -> None:
    told = [name for said in rule_words.in_full(Rules()) for name in said.fields]
    assert sorted(told) == sorted(field.name for field in fields(Rules))


def test_the_curve_marks_the_optimum_and_the_last_round() -> None:
    figure = charts.law_figure(curve(rules(max_rounds=3)), t_opt=5.9, max_rounds=3)
    assert [shape["x0"] for shape in figure["layout"]["shapes"]] == [5.9, 3]
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["optimum", "last round"]
    endless = charts.law_figure([(0.0, 0.5), (1.0, 0.6)], t_opt=None, max_rounds=1)
    assert [note["text"] for note in endless["layout"]["annotations"]] == ["last round"]
    nothing = charts.law_figure([], t_opt=0.0, max_rounds=1, empty="no gain")
    assert [note["text"] for note in nothing["layout"]["annotations"]] == ["no gain"]
    assert nothing["layout"]["height"] == figure["layout"]["height"]


def test_the_bars_are_the_rounds() -> None:
    figure = charts.stops_figure([(0.1, 6), (1.0, 2)])
    assert (figure["data"][0]["x"], figure["data"][0]["y"]) == ([0.1, 1.0], [6, 2])
    assert figure["data"][0]["text"] == ["6", "2"]
    assert charts.stops_figure([], empty="no gain")["layout"]["annotations"][0]["text"] == "no gain"


def test_nothing_of_the_stop_test_is_computed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the protocol's: another answer of it is another answer of the preview."""

    def third(inputs: RoundInput, *others: object, **given: object) -> str | None:
        return "person" if inputs.number == 3 else None

    monkeypatch.setattr(policy_preview.stopping, "stop_reason", third)
    assert ends(Rules(), 1.0)[0] == (3, "person")
