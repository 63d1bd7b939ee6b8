"""Random requests with every kind of limit, for the laws."""

import os
from typing import Any

from hypothesis import strategies as st

# Few and the same ones in every run, which takes seconds; a night's run: NSED_EXAMPLES=2000 pytest tests/selection
EXAMPLES = int(os.environ.get("NSED_EXAMPLES", "60"))
TAGS = ["code", "math"]
LETTERS = ["A", "B", "C", "D"]


def amounts(most: int, *, decimals: int = 0) -> st.SearchStrategy[float]:
    return st.integers(0, most * 10**decimals).map(lambda n: n / 10**decimals if decimals else n)


def maybe(strategy: st.SearchStrategy[Any], *, chance: int = 3) -> st.SearchStrategy[Any]:
    """None in one of `chance` cases."""
    return st.one_of(*([strategy] * (chance - 1)), st.none())


@st.composite
def candidates(draw: st.DrawFn, *, most: int) -> list[dict[str, Any]]:
    count = draw(st.integers(1, most))
    return [
        {
            "id": f"m{index:02d}",
            "accuracy": draw(maybe(st.integers(50, 90).map(lambda n: n / 100), chance=8)),
            "value": draw(st.integers(-3, 20)),
            "cost": draw(maybe(amounts(1, decimals=3), chance=10)),
            "latency_ms": draw(maybe(amounts(5), chance=10)),
            "tokens": draw(amounts(9)),
            "vram_mb": draw(maybe(amounts(9), chance=10)),
            "host": draw(st.sampled_from(["gpu", "shelf", None])),
            "family": draw(st.sampled_from(["f", "g", "h", None, None])),
            "tags": draw(st.lists(st.sampled_from(TAGS), unique=True)),
            "healthy": draw(st.sampled_from([True, True, None, True, True, True, False])),
            "simulated": draw(st.sampled_from([False] * 12 + [True])),
        }
        for index in range(count)
    ]


@st.composite
def scenarios(draw: st.DrawFn, *, ids: list[str]) -> dict[str, Any]:
    rows = draw(st.integers(1, 25))
    truth = [LETTERS[0]] * rows
    weights = st.sampled_from([*LETTERS[:1] * 4, *LETTERS, ""])
    return {"truth": truth, "answers": {name: [draw(weights) for _ in range(rows)] for name in ids}}


@st.composite
def limits(draw: st.DrawFn, *, ids: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "min_size": draw(st.sampled_from([1, 1, 1, 2, 3])),
        "max_size": draw(st.sampled_from([None, 2, 3, 4, 5])),
        "max_per_family": draw(st.sampled_from([1, 1, 2, None])),
    }
    if draw(st.booleans()):
        found["floor_points"] = draw(maybe(st.integers(0, 30)))
    if draw(st.booleans()):
        found["max_cost"] = draw(amounts(4, decimals=2))
    if draw(st.booleans()):
        found["max_tokens"] = draw(amounts(60))
    if draw(st.sampled_from([False, False, True])):
        found["max_latency_ms"] = draw(amounts(5))
    if draw(st.sampled_from([False, True])):
        use = {name: draw(amounts(5)) for name in ids if draw(st.booleans())}
        found["resources"] = {"licences": {"capacity": draw(amounts(12)), "use": use}}
    return found


@st.composite
def role_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for name in draw(
        st.sampled_from([[], [], ["author"], ["author", "critic"], ["author", "critic", "judge"]])
    ):
        least = draw(st.integers(0, 1))
        found.append(
            {
                "name": name,
                "min": least,
                "max": draw(maybe(st.integers(max(1, least), 3))),
                "tags": draw(st.sampled_from([[], [], ["code"], ["math"], TAGS])),
                "floor_points": draw(st.sampled_from([None, None, 5, 20])),
            }
        )
    return found


@st.composite
def requests(draw: st.DrawFn, *, value: str, most: int = 12) -> dict[str, Any]:
    pool = draw(candidates(most=most))
    ids = [each["id"] for each in pool]
    request = {
        "candidates": pool,
        "limits": draw(limits(ids=ids)),
        "rounds": draw(st.integers(1, 3)),
        "roles": draw(role_lists()),
        "required": draw(st.sampled_from([[], [], [], ids[:1]])),
        "excluded": draw(st.sampled_from([[], [], ids[-1:]])),
        "hosts": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "gpu": st.fixed_dictionaries(
                        {"free_mb": maybe(amounts(20)), "mode": st.just("resident")}
                    ),
                    "shelf": st.fixed_dictionaries({"free_mb": amounts(9), "mode": st.just("swapped")}),
                },
            )
        ),
        "value": value,
        "seed": draw(st.integers(0, 3)),
        "breakpoints": False,
    }
    if value == "team":
        request["scenarios"] = draw(scenarios(ids=ids))
    return request
