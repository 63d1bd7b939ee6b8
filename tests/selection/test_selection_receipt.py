"""What a receipt says: reasons, the guard, hysteresis, unknown prices, budgets, draws."""

import json
import subprocess
import sys
from typing import Any

import pytest

from broker.selection.panel import choose_panel
from broker.selection.receipt import Receipt
from broker.selection.types import PanelRequest
from tests.selection.asking import FLOORLESS, THREE, TRIO, chosen, model, reason, rows


class TestTheGuard:
    def test_a_team_sits_where_its_gain_is_certain(self) -> None:
        receipt = chosen(candidates=THREE, scenarios=TRIO)
        assert (receipt.chosen, receipt.value) == (("a", "b", "c"), 1.0)
        assert receipt.guard is not None
        assert (receipt.guard.over, receipt.guard.gain) == (("a",), pytest.approx(1 / 3))
        assert receipt.guard.lower > 0.2
        assert receipt.words.startswith(
            "A panel of 3: it gains 33.3 points over a alone on 48 rows, at least "
        )

    def test_a_single_sits_where_it_is_not(self) -> None:
        short = rows(a="RRx", b="xRR", c="RyR")
        receipt = chosen(candidates=THREE, scenarios=short)
        assert (receipt.solved, receipt.chosen) == (("a", "b", "c"), ("a",))
        assert receipt.words.startswith(
            "a sits alone: the best team of 3 gains 33.3 points over a alone on 3 rows, "
        )
        assert (receipt.objective, receipt.value) == (1.0, pytest.approx(2 / 3))

    def test_a_dominant_model_sits_alone(self) -> None:
        receipt = chosen(
            candidates=THREE, scenarios=rows(a="R" * 9 + "x", b="Rx" * 5, c="xR" * 5), limits=FLOORLESS
        )
        assert receipt.chosen == ("a",)
        assert receipt.words == "a sits alone: no team is worth more."

    def test_it_counts_rows_where_all_were_asked(self) -> None:
        """Half of c's answers are drawn: the gain rests on the other half."""
        twice = {
            "truth": TRIO["truth"] * 2,
            "answers": {name: row * 2 for name, row in TRIO["answers"].items()},
        }
        twice["answers"]["c"] = TRIO["answers"]["c"] + [None] * 48
        receipt = chosen(candidates=THREE, scenarios=twice)
        assert receipt.chosen == ("a", "b", "c")
        assert receipt.guard is not None
        assert (receipt.guard.rows, receipt.rows.source) == (48, "completed")


class TestReasons:
    def test_limits_that_bind(self) -> None:
        receipt = chosen(
            candidates=[
                model("qwen3-8b", cost=0.005),
                model("qwen3-4b", family="qwen3-8b"),
                model("dear", cost=0.009),
                model("ill", healthy=False, state_note="unhealthy since 13:10"),
                model("shut", healthy=False),
                model("banned"),
                model("weak", accuracy=0.5),
                model("toy", simulated=True),
                model("huge", cost=0.0141),
                model("nobody-knows", cost=None),
            ],
            scenarios={
                "truth": ["R"] * 40,
                "answers": {
                    "qwen3-8b": ["R"] * 40,
                    "qwen3-4b": ["R"] * 36 + ["x"] * 4,
                    "dear": ["R"] * 38 + ["x"] * 2,
                },
            },
            excluded=["banned"],
            limits={"max_cost": 0.01},
        )
        assert receipt.chosen == ("qwen3-8b",)
        assert reason(receipt, "qwen3-4b") == "same family as qwen3-8b"
        assert reason(receipt, "dear") == "over budget by $0.004"
        assert reason(receipt, "ill") == "unhealthy since 13:10"
        assert reason(receipt, "shut") == "unhealthy"
        assert reason(receipt, "banned") == "excluded by the request"
        assert reason(receipt, "weak") == "50 points below qwen3-8b, the best affordable; the floor is 15"
        assert reason(receipt, "toy") == "simulated, and real models are registered"
        assert reason(receipt, "huge") == "over budget by $0.0041 alone"
        assert reason(receipt, "nobody-knows") == "its price is unknown and the session has a money cap"

    def test_what_the_team_would_be(self) -> None:
        receipt = chosen(
            candidates=[*THREE, model("d")],
            scenarios=rows(
                **{name: "".join(row) for name, row in TRIO["answers"].items()}, d="R" * 24 + "z" * 24
            ),
            limits={"floor_points": None, "max_size": 3},
        )
        assert receipt.chosen == ("a", "b", "c")
        assert reason(receipt, "d").startswith("V would be .")
        assert " in place of " in reason(receipt, "d")
        assert reason(receipt, "a").startswith("with it V is 1.00, without it ")

    def test_adding_nothing(self) -> None:
        receipt = chosen(candidates=THREE[:2], scenarios=rows(a="RRRRR", b="RRRRR"), limits=FLOORLESS)
        assert reason(receipt, "b") == "adds nothing to the team: V stays 1.00"

    def test_every_candidate_has_one(self) -> None:
        receipt = chosen(candidates=THREE, scenarios=TRIO)
        assert all(line.reason for line in receipt.candidates)
        assert receipt.runner_up is not None
        assert receipt.best_single is not None
        assert receipt.best_single.chosen == ("a",)


class TestUnknownPrices:
    def test_without_a_cap_it_sits_and_the_sum_is_unknown(self) -> None:
        receipt = chosen(candidates=[model("a", cost=None), *THREE[1:]], scenarios=TRIO)
        assert receipt.chosen == ("a", "b", "c")
        assert receipt.cost is None
        assert chosen(candidates=THREE, scenarios=TRIO, rounds=2).cost == pytest.approx(0.006)

    def test_of_two_equals_the_known_price_sits(self) -> None:
        same = rows(a="RRRx", b="RRRx")
        assert chosen(candidates=[model("a", cost=None), model("b", cost=9)], scenarios=same).chosen == ("b",)


class TestHysteresis:
    # b is right on two rows more than a, of 40: better, and not certainly.
    CLOSE = rows(a="R" * 28 + "x" * 12, b="x" * 2 + "R" * 28 + "R" * 2 + "x" * 8)
    PAIR = [model("a"), model("b")]

    def kept(self, **parts: Any) -> Receipt:
        return chosen(**{"candidates": self.PAIR, "scenarios": self.CLOSE, "mode": "dynamic", **parts})

    def test_the_previous_panel_stays_until_another_is_certainly_better(self) -> None:
        assert self.kept().chosen == ("b",)
        receipt = self.kept(previous=["a"])
        assert receipt.chosen == ("a",)
        assert receipt.previous is not None
        assert (receipt.previous.chosen, receipt.previous.over) == (("b",), ("a",))
        assert receipt.words.startswith("The previous panel stays: ")

    def test_not_where_a_member_cannot_sit(self) -> None:
        assert self.kept(previous=["a"], excluded=["a"]).chosen == ("b",)
        assert self.kept(previous=["a", "gone"]).chosen == ("b",)

    def test_not_in_deterministic_mode(self) -> None:
        assert self.kept(previous=["a"], mode="deterministic").chosen == ("b",)

    def test_one_change_in_five_minutes(self) -> None:
        better = rows(a="R" * 10 + "x" * 30, b="R" * 38 + "x" * 2)
        free = {"floor_points": None}
        asked: dict[str, Any] = {"scenarios": better, "previous": ["a"], "limits": free}
        assert self.kept(**asked, previous_age_s=299).chosen == ("a",)
        assert self.kept(**asked, previous_age_s=300).chosen == ("b",)


class TestModes:
    def test_pinned(self) -> None:
        receipt = chosen(candidates=THREE, scenarios=TRIO, mode="pinned", required=["a", "c"])
        assert (receipt.chosen, receipt.words) == (("a", "c"), "As pinned.")
        receipt = chosen(candidates=THREE, mode="pinned", required=["a", "c"], limits={"max_cost": 0.001})
        assert (receipt.chosen, receipt.conflict is None) == ((), False)

    def test_replay_seats_what_was_recorded(self) -> None:
        ill = model("a", healthy=False)
        receipt = chosen(candidates=[ill, model("b")], mode="replay", previous=["a"])
        assert (receipt.chosen, receipt.words) == (("a",), "As recorded.")


class TestDraws:
    MANY = [model(f"m{n}", accuracy=0.7, asked=40, family=None) for n in range(5)]

    def test_accuracies_alone_are_enough(self) -> None:
        receipt = chosen(candidates=self.MANY, limits={"min_size": 3}, common_phi=0, family_phi=0)
        assert (receipt.rows.source, receipt.rows.used) == ("drawn", 300)
        assert len(receipt.chosen) == 5
        assert receipt.value == pytest.approx(0.837, abs=0.06)  # five of .7 by majority, errors apart

    def test_errors_that_go_together_make_a_team_worth_less(self) -> None:
        apart = chosen(candidates=self.MANY, limits={"min_size": 5}, common_phi=0, family_phi=0).value
        together = chosen(candidates=self.MANY, limits={"min_size": 5}, common_phi=0.8, family_phi=0.8).value
        assert (together or 0) < (apart or 0) - 0.04

    def test_a_drawn_accuracy_is_the_given_one(self) -> None:
        receipt = chosen(candidates=[model("a", accuracy=0.43, asked=9)])
        assert receipt.value == pytest.approx(0.43)
        line = receipt.candidates[0]
        assert (line.too_few, line.drawn) == (True, None)
        assert line.interval is not None
        assert line.interval[0] < 0.43 < line.interval[1]

    def test_only_dynamic_mode_explores_and_says_so(self) -> None:
        cold = [model("a", accuracy=0.6, asked=2), model("b", accuracy=0.65, asked=200)]
        receipt = chosen(candidates=cold, mode="dynamic", seed=5)
        assert receipt.candidates[0].drawn is not None
        assert receipt.candidates[1].drawn is None
        assert chosen(candidates=cold, mode="dynamic", seed=5) == receipt
        assert (
            chosen(candidates=cold, mode="dynamic", seed=6).candidates[0].drawn != receipt.candidates[0].drawn
        )
        assert chosen(candidates=cold, seed=5).candidates[0].drawn is None

    def test_a_model_that_nobody_ever_checked_gets_its_chance(self) -> None:
        """Above the floor or below it as its draw falls; the floor itself hangs from what is known."""
        fleet = [*(model(name, accuracy=0.7, asked=50) for name in ("a", "b", "c", "d")), model("new")]
        receipts = [
            chosen(candidates=fleet, mode="dynamic", seed=seed, common_phi=0.0, limits={"min_size": 3})
            for seed in range(12)
        ]
        drawn = [receipt.candidates[4].drawn for receipt in receipts]
        assert len(set(drawn)) == 12 and min(drawn) < 0.3 and max(drawn) > 0.8
        for receipt in receipts:
            new = receipt.candidates[4]
            assert new.accuracy is None
            assert ("the floor is 15" in new.reason) == (new.drawn < 0.55)
            assert ("new is tried" in receipt.words) == new.chosen
        assert {"new" in receipt.chosen for receipt in receipts} == {True, False}
        assert "unknown" in chosen(candidates=fleet).candidates[4].reason

    def test_a_model_that_is_tried_does_not_sit_alone(self) -> None:
        fleet = [model("known", accuracy=0.4, asked=50), model("new"), model("newer")]
        for seed in range(12):
            receipt = chosen(candidates=fleet, mode="dynamic", seed=seed, limits={"max_size": 3})
            assert "known" in receipt.chosen
            assert receipt.best_single is not None
            assert receipt.best_single.chosen == ("known",)
        receipt = chosen(candidates=fleet[1:], mode="dynamic")
        assert receipt.chosen

    def test_nothing_known_at_all(self) -> None:
        receipt = chosen(candidates=THREE, limits={"min_size": 2, "max_size": 2})
        assert len(receipt.chosen) == 2
        assert receipt.candidates[0].accuracy is None

    def test_others_do_not_change_a_draw(self) -> None:
        alone = chosen(candidates=self.MANY[:1], scenarios=None).value
        assert chosen(candidates=self.MANY, excluded=[f"m{n}" for n in range(1, 5)]).value == alone


class TestUnseenRows:
    def test_v_is_given_for_the_rows_that_the_solver_did_not_see(self) -> None:
        many = rows(a="Rx" * 400, b="xR" * 400)
        receipt = chosen(candidates=THREE[:2], scenarios=many)
        assert (receipt.rows.used, receipt.rows.unseen) == (300, 500)
        assert receipt.value_all == 0.5
        whole = (receipt.value or 0) * 300 + (receipt.value_unseen or 0) * 500
        assert whole == pytest.approx(400)


class TestBreakpoints:
    LADDER = [model("a", cost=0.01), model("b", cost=0.02), model("c", cost=0.04)]
    ROWS = rows(a="R" * 10 + "x" * 10, b="R" * 14 + "x" * 6, c="R" * 18 + "x" * 2)

    def points(self, **parts: Any) -> Receipt:
        request = {"candidates": self.LADDER, "scenarios": self.ROWS, "breakpoints": True, **parts}
        return chosen(**request)

    def test_each_panel_from_its_own_budget_on(self) -> None:
        found = self.points(limits={"max_cost": 0.03, "floor_points": None}).breakpoints
        assert found is not None
        assert [(each.max_cost, each.chosen) for each in found.points] == [
            (0.01, ("a",)),
            (0.02, ("b",)),
            (0.04, ("c",)),
        ]
        assert found.complete

    def test_a_point_is_what_a_new_request_would_get(self) -> None:
        found = self.points(limits={"max_cost": 0.03, "floor_points": None}).breakpoints
        for point in found.points if found else ():
            again = self.points(limits={"max_cost": point.max_cost, "floor_points": None}, breakpoints=False)
            assert (again.chosen, again.value) == (point.chosen, point.value)

    def test_what_the_next_cent_buys(self) -> None:
        found = self.points(limits={"max_cost": 0.03, "floor_points": None}).breakpoints
        assert found is not None
        assert found.next_cent is not None
        assert (found.next_cent.chosen, found.next_cent.value) == (("c",), 0.9)
        found = self.points(limits={"max_cost": 0.021, "floor_points": None}).breakpoints
        assert found is not None
        assert found.next_cent is None

    def test_more_than_eight_are_cut_and_marked(self) -> None:
        ladder = [model(f"m{n:02d}", cost=0.001 * (n + 1)) for n in range(20)]
        answers = rows(**{f"m{n:02d}": "R" * (n + 1) + "x" * (20 - n) for n in range(20)})
        limits = {"max_cost": 0.01, "floor_points": None}
        found = self.points(candidates=ladder, scenarios=answers, limits=limits).breakpoints
        assert found is not None
        assert not found.complete
        assert 3 <= len(found.points) <= 10


def test_a_receipt_is_json() -> None:
    text = json.dumps(chosen(candidates=THREE, scenarios=TRIO).to_json(), allow_nan=False)
    assert json.loads(text)["chosen"] == ["a", "b", "c"]


def test_time_that_runs_out_leaves_the_best_found_its_bound_and_its_gap() -> None:
    hard = TestHardOne.request(time_limit_s=0.05)
    receipt = choose_panel(hard)
    assert receipt.chosen
    assert receipt.status == "feasible"
    assert receipt.bound is not None
    assert receipt.objective is not None
    assert receipt.bound >= receipt.objective
    assert receipt.gap == pytest.approx((receipt.bound - receipt.objective) / receipt.bound)


class TestHardOne:
    @staticmethod
    def request(**parts: Any) -> PanelRequest:
        """Forty models that err apart from one another: V grows with almost every choice."""
        many = [model(f"m{n:02d}", accuracy=0.6 + n / 400, asked=50, family=None) for n in range(40)]
        limits = {"max_size": 5, "min_size": 5, "max_cost": 0.006}
        record = {"candidates": many, "limits": limits, "common_phi": 0.1, "breakpoints": False, **parts}
        return PanelRequest.from_json(record)


def test_or_tools_is_not_imported_with_the_package() -> None:
    """It takes seconds; whoever only reads a receipt does not wait for it."""
    code = (
        "import sys, broker.selection.panel, broker.selection.types, broker.selection.competence;"
        "sys.exit(any(name.startswith('ortools') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
