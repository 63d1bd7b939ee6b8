"""Public instances of the 0/1 knapsack with several constraints, and their known optima."""

from typing import Any

import pytest

from broker.selection.panel import choose_panel
from broker.selection.types import PanelRequest

# C. C. Petersen, "Computational experience with variants of the Balas algorithm applied to the selection of R&D
# projects", Management Science 13 (1967), problem 1, as in the OR-Library (J. E. Beasley), file mknap1.
PETERSEN_1 = {
    "profit": [100, 600, 1200, 2400, 500, 2000],
    "use": [
        [8, 12, 13, 64, 22, 41],
        [8, 12, 13, 75, 22, 41],
        [3, 6, 4, 18, 6, 4],
        [5, 10, 8, 32, 6, 12],
        [5, 13, 8, 42, 6, 20],
        [5, 13, 8, 48, 6, 20],
        [0, 0, 0, 0, 8, 0],
        [3, 0, 4, 0, 8, 0],
        [3, 2, 4, 0, 8, 4],
        [3, 2, 4, 8, 8, 4],
    ],
    "capacity": [80, 96, 20, 36, 44, 48, 10, 18, 22, 24],
    "optimum": 3800,
}
# Problem 2 of the same paper.
PETERSEN_2 = {
    "profit": [600.1, 310.5, 1800, 3850, 18.6, 198.7, 882, 4200, 402.5, 327],
    "use": [
        [20, 5, 100, 200, 2, 4, 60, 150, 80, 40],
        [20, 7, 130, 280, 2, 8, 110, 210, 100, 40],
        [60, 3, 50, 100, 4, 2, 20, 40, 6, 12],
        [60, 8, 70, 200, 4, 6, 40, 70, 16, 20],
        [60, 13, 70, 250, 4, 10, 60, 90, 20, 24],
        [60, 13, 70, 280, 4, 10, 70, 105, 22, 28],
        [5, 2, 20, 100, 2, 5, 10, 60, 0, 0],
        [45, 14, 80, 180, 6, 10, 40, 100, 20, 0],
        [55, 14, 80, 200, 6, 10, 50, 140, 30, 40],
        [65, 14, 80, 220, 6, 10, 50, 180, 30, 50],
    ],
    "capacity": [450, 540, 200, 360, 440, 480, 200, 360, 440, 480],
    "optimum": 8706.1,
}
# D. L. Kreher and D. R. Stinson, "Combinatorial Algorithms" (1998), one constraint: P07 of J. Burkardt's KNAPSACK_01.
P07 = {
    "profit": [135, 139, 149, 150, 156, 163, 173, 184, 192, 201, 210, 214, 221, 229, 240],
    "use": [[70, 73, 77, 80, 82, 87, 90, 94, 98, 106, 110, 113, 115, 118, 120]],
    "capacity": [750],
    "optimum": 1458,
}
# P08 of the same collection: 24 objects with large numbers.
P08 = {
    "profit": [
        825594, 1677009, 1676628, 1523970, 943972, 97426, 69666, 1296457, 1679693, 1902996, 1844992, 1049289,
        1252836, 1319836, 953277, 2067538, 675367, 853655, 1826027, 65731, 901489, 577243, 466257, 369261,
    ],
    "use": [[
        382745, 799601, 909247, 729069, 467902, 44328, 34610, 698150, 823460, 903959, 853665, 551830,
        610856, 670702, 488960, 951111, 323046, 446298, 931161, 31385, 496951, 264724, 224916, 169684,
    ]],
    "capacity": [6404180],
    "optimum": 13549094,
}  # fmt: skip


def request(instance: dict[str, Any], **parts: Any) -> PanelRequest:
    names = [f"item-{number:02d}" for number in range(len(instance["profit"]))]
    resources = {
        f"r{number}": {"capacity": capacity, "use": dict(zip(names, use, strict=True))}
        for number, (use, capacity) in enumerate(zip(instance["use"], instance["capacity"], strict=True))
    }
    candidates = [
        {"id": name, "value": profit} for name, profit in zip(names, instance["profit"], strict=True)
    ]
    return PanelRequest.from_json(
        {"candidates": candidates, "limits": {"resources": resources}, "value": "additive", **parts}
    )


@pytest.mark.parametrize(
    "instance", [PETERSEN_1, PETERSEN_2, P07, P08], ids=["Petersen 1", "Petersen 2", "P07", "P08"]
)
def test_the_known_optimum_is_proven(instance: dict[str, Any]) -> None:
    receipt = choose_panel(request(instance))
    assert receipt.objective == pytest.approx(instance["optimum"], abs=1e-6)
    assert (receipt.status, receipt.gap, receipt.bound) == ("optimal", 0.0, receipt.objective)
    assert receipt.kept == receipt.of


def test_one_unit_less_of_a_tight_resource_gives_another_answer() -> None:
    """The instance is not solved by a constraint that was forgotten."""
    tight = {**P07, "capacity": [749 - 1]}
    assert (choose_panel(request(tight)).objective or 0) < P07["optimum"]
