"""No panel: an irreducible set of limits in conflict, in words."""

from typing import Any

from tests.selection.asking import THREE, chosen, model


class TestConflicts:
    def test_the_only_one_is_benched(self) -> None:
        receipt = chosen(
            candidates=[
                model("qwen-14b", tags=["code"], healthy=False, state_note="benched until 13:20"),
                model("phi", accuracy=0.6),
            ],
            roles=[{"name": "critic", "min": 1, "tags": ["code"]}, {"name": "author"}],
        )
        words = "role critic needs 1 model with tag code; the only one, qwen-14b, is benched until 13:20"
        assert receipt.conflict == words
        assert "health" in receipt.conflict_limits
        assert (receipt.status, receipt.chosen) == ("infeasible", ())

    def test_all_of_several_are_out(self) -> None:
        ill = [
            model(name, tags=["code"], healthy=False, state_note=f"benched until 13:{name}")
            for name in ("20", "30")
        ]
        roles = [{"name": "critic", "min": 1, "tags": ["code"]}, {"name": "author"}]
        assert chosen(candidates=[*ill, model("phi")], roles=roles).conflict == (
            "role critic needs 1 model with tag code; 20 is benched until 13:20; 30 is benched until 13:30"
        )
        many = [model(f"m{n}", tags=["code"], healthy=False) for n in range(9)]
        words = chosen(candidates=[*many, model("phi")], roles=roles).conflict or ""
        assert words.startswith(
            "role critic needs 1 model with tag code; 9 of the 9 that could take it cannot sit; "
            "m0, m1, m2, m3, m4 and 4 more are "
        )

    def test_nobody_has_the_tag(self) -> None:
        receipt = chosen(
            candidates=THREE, roles=[{"name": "critic", "min": 1, "tags": ["code"]}, {"name": "author"}]
        )
        assert receipt.conflict == "role critic needs 1 model with tag code; no candidate has it"

    def test_too_little_money(self) -> None:
        receipt = chosen(candidates=THREE, limits={"max_cost": 0.005, "min_size": 2}, rounds=3)
        assert receipt.conflict == (
            "the panel needs 2 models; "
            "all rounds together may cost $0.005, and the cheapest panel that keeps the rest costs $0.006"
        )
        assert receipt.conflict_limits == ("max_cost", "min_size")

    def test_many_below_the_floor_are_named_together(self) -> None:
        weak = [model(f"w{n}", accuracy=0.4) for n in range(4)]
        receipt = chosen(candidates=[model("best", accuracy=0.9), *weak], limits={"min_size": 2})
        assert receipt.conflict == (
            "the panel needs 2 models and 1 of 5 can sit; "
            "w0, w1, w2 and w3 are more than 15 points below best, the best affordable"
        )

    def test_one_family(self) -> None:
        twins = [model("a", family="f"), model("b", family="f")]
        receipt = chosen(candidates=twins, limits={"min_size": 2})
        assert receipt.conflict == "the panel needs 2 models; at most 1 model of a family may sit"

    def test_a_required_model_that_cannot_sit(self) -> None:
        ill = model("a", healthy=False, state_note="benched until 13:20")
        receipt = chosen(candidates=[ill, model("b")], required=["a"])
        assert receipt.conflict == "a is required and is benched until 13:20"

    def test_memory(self) -> None:
        big = [model(name, host="gpu-a", vram_mb=20000) for name in "ab"]
        receipt = chosen(candidates=big, hosts={"gpu-a": {"free_mb": 24000}}, limits={"min_size": 2})
        assert receipt.conflict == "the panel needs 2 models; host gpu-a has 24000 MB free"
        swapped = {"gpu-a": {"free_mb": 24000, "mode": "swapped"}}
        assert chosen(candidates=big, hosts=swapped, limits={"min_size": 2}).chosen == ("a", "b")

    def test_nothing_is_registered(self) -> None:
        assert "no model is registered" in (chosen(candidates=[]).conflict or "")

    def test_no_limit_of_the_conflict_can_be_left_out(self) -> None:
        """Left out one by one, each makes a panel possible."""
        request: dict[str, Any] = {
            "candidates": THREE,
            "limits": {"max_cost": 0.001, "min_size": 2, "max_size": 2},
        }
        assert set(chosen(**request).conflict_limits) == {"max_cost", "min_size"}
        for name in ("max_cost", "min_size"):
            limits = {key: value for key, value in request["limits"].items() if key != name}
            assert chosen(candidates=THREE, limits=limits).chosen
