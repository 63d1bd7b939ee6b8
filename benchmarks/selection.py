"""The broker's rows: how its panels do on questions they were not chosen on, and how fast they are solved.

`python benchmarks/selection.py` prints one JSON line for each row; so does `make bench`.
"""

import gzip
import json
import math
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from benchmarks import peer_scores  # noqa: E402  the project is not installed
from broker.selection import prefilter, solver  # noqa: E402
from broker.selection.panel import Case, choose_panel  # noqa: E402
from broker.selection.receipt import Receipt, Team  # noqa: E402
from broker.selection.search import Pool, fill  # noqa: E402
from broker.selection.types import PanelRequest  # noqa: E402

RECORDS = Path(os.environ.get("NSED_REPLAY_DIR", PROJECT.parent / "shared" / "replay"))
VOTES, PEER_SCORES = RECORDS / "mmlu_pro_votes.json.gz", RECORDS / "dylan_mmlu_peer_scores.json.gz"
BUDGETS = (3.0, 6.0, 10.0, 16.0, 24.0)
# Made-up units for a round, by the size of the model: 12 of the 29, at most four may sit.
PRICES = {
    "gemini-1.5-pro-002": 8.0,
    "gemini-1.5-flash-002": 3.0,
    "Meta-Llama-3_1-70B-Instruct": 6.0,
    "Meta-Llama-3-70B": 6.0,
    "DeepSeek-Coder-V2": 5.5,
    "Qwen1.5-110B": 7.0,
    "jamba-1.5-large": 6.5,
    "Phi-3-mini-4k-instruct": 1.5,
    "Mixtral-8x7B-Instruct-v0.1": 2.0,
    "Meta-Llama-3_1-8B-Instruct": 1.0,
    "Yi-34B": 2.5,
    "gemma-7b": 0.75,
}
MOST_LOST = 0.005
WEAK = 0.02  # a crowd of weak models: its members are on average so much below the best affordable single
Row = dict[str, Any]


def main() -> None:
    for each in rows():
        print(json.dumps(each), flush=True)  # noqa: T201


def rows() -> Iterator[Row]:
    absent = [each for each in (VOTES, PEER_SCORES) if not each.exists()]
    yield from (row(each.name, asked="present", seen=f"{each} is absent", held=False, n=0) for each in absent)
    if not absent:
        yield from replay_rows()
        yield from own_rule_rows()
    yield from speed_rows()


def row(name: str, *, asked: str, seen: Any, held: bool, n: int) -> Row:
    return {"row": name, "asked": asked, "seen": seen, "held": held, "n": n}


# How the panels do: fitted on half of the questions, judged on the other half.


@dataclass(frozen=True)
class Votes:
    truth: str
    models: dict[str, str]

    def part(self, rows: list[int]) -> "Votes":
        def picked(text: str) -> str:
            return "".join(text[row] for row in rows)

        return Votes(picked(self.truth), {name: picked(answers) for name, answers in self.models.items()})

    def whole_rows(self) -> list[int]:
        """Questions that every model was asked: '.' is one that is missing from a model's file."""
        return [row for row, given in enumerate(zip(*self.models.values(), strict=True)) if "." not in given]

    def value(self, panel: tuple[str, ...]) -> float:
        """The share of the questions that the panel decides rightly."""
        return sum(
            map(self._is_won, self.truth, zip(*(self.models[name] for name in panel), strict=True))
        ) / len(self.truth)

    @staticmethod
    def _is_won(truth: str, given: tuple[str, ...]) -> bool:
        return given.count(truth) > max((given.count(each) for each in {*given} - {truth, "-"}), default=0)

    def request(self, prices: dict[str, float], budget: float) -> PanelRequest:
        """'-' is an answer that could not be read."""
        answers = {name: ["" if each == "-" else each for each in self.models[name]] for name in prices}
        return PanelRequest.from_json(
            {
                "candidates": [{"id": name, "cost": price} for name, price in prices.items()],
                "scenarios": {"truth": list(self.truth), "answers": answers},
                "limits": {"max_cost": budget, "max_size": 4},
                "breakpoints": False,
            }
        )


def replay_rows() -> Iterator[Row]:
    record = json.loads(gzip.decompress(VOTES.read_bytes()))
    votes = Votes(record["truth"], record["models"])
    questions = votes.whole_rows()
    fit, judged = votes.part(questions[::2]), votes.part(questions[1::2])
    for name, prices, budgets in price_lists(sorted(votes.models)):
        for budget in budgets:
            yield replayed(
                f"panel on unseen questions, {name}, budget {budget:g}", fit.request(prices, budget), judged
            )


def price_lists(names: list[str]) -> Iterator[tuple[str, dict[str, float], tuple[float, ...]]]:
    yield "prices by size", PRICES, BUDGETS
    for number in range(10):
        chance = random.Random(number)
        prices = {name: round(chance.lognormvariate(1, 0.8), 2) for name in chance.sample(names, 12)}
        yield f"random prices {number}", prices, (round(sum(sorted(prices.values())[-4:]) / 2, 2),)


def replayed(name: str, request: PanelRequest, judged: Votes) -> Row:
    """Not more than half a point below the single that the fit half chooses; above a crowd of weak models."""
    receipt = choose_panel(request)
    chosen, single, crowd = (
        judged.value(receipt.chosen),
        judged.value(_team(receipt.best_single)),
        judged.value(_team(receipt.additive)),
    )
    members = [judged.value((each,)) for each in _team(receipt.additive)]
    is_weak_crowd = len(members) > 1 and sum(members) / len(members) < single - WEAK
    held = chosen >= single - MOST_LOST and (not is_weak_crowd or chosen > crowd)
    seen = {"chosen": round(chosen, 3), "members": len(receipt.chosen), "single": round(single, 3)}
    seen |= {"additive": round(crowd, 3), "additive_is_a_weak_crowd": is_weak_crowd}
    return row(
        name,
        asked="chosen >= single - .005, > a crowd of weak models",
        seen=seen,
        held=held,
        n=len(judged.truth),
    )


def _team(team: Team | None) -> tuple[str, ...]:
    return () if team is None else team.chosen


# How panels do that are ranked by their own ballots: public peer scores of 4 and of 7 agents.


def own_rule_rows() -> Iterator[Row]:
    for each in peer_scores.compared(PEER_SCORES):
        seen = {"ranked by ballots": each.by_ballots, "ranked by votes": each.by_votes}
        held = each.by_ballots["own rule"] >= each.by_votes["own rule"] - MOST_LOST
        name = f"panel ranked by its own ballots on unseen questions, {each.agents} agents"
        yield row(name, asked="V by the own rule >= ranked by votes - .005", seen=seen, held=held, n=each.n)


# How fast they are solved: roles, families, three budgets, 300 questions.

LIMITS = {20: (0.1, 0.5), 200: (1.0, 10.0), 2000: (3.0, 15.0)}
GAP = 0.02
SOLVING = 0.8  # of the time asked for; the rest is for the receipt
NORMAL = NormalDist()


def synthetic(count: int, *, seed: int = 1, time_limit_s: float = 15.0) -> PanelRequest:
    """Models of families whose errors go together, dearer where they are better; nine wrong answers."""
    chance = random.Random(f"{count}/{seed}")
    families = max(6, count // 8)
    common = [chance.gauss(0, 1) for _ in range(300)]
    inside = [[chance.gauss(0, 1) for _ in range(300)] for _ in range(families)]
    candidates, answers = [], {}
    for number in range(count):
        family, skill = chance.randrange(families), chance.uniform(0.6, 0.8)
        reach = NORMAL.inv_cdf(skill)
        hardness = zip(common, inside[family], strict=True)
        errs = [0.6 * c + 0.35 * f + 0.72 * chance.gauss(0, 1) > reach for c, f in hardness]
        name = f"model-{number:04d}"
        answers[name] = [f"w{min(8, int(chance.expovariate(0.6)))}" if wrong else "right" for wrong in errs]
        candidates.append(_candidate(name, family, skill, chance))
    return PanelRequest.from_json(
        {
            "candidates": candidates,
            "scenarios": {"truth": ["right"] * 300, "answers": answers},
            "limits": {
                "max_cost": 0.12,
                "max_tokens": 24000,
                "max_latency_ms": 20000,
                "max_size": 5,
                "min_size": 1,
            },
            "hosts": {
                "gpu-a": {"free_mb": 48000, "mode": "resident"},
                "gpu-b": {"free_mb": 80000, "mode": "swapped"},
            },
            "roles": [
                {"name": "author", "min": 1, "max": 3},
                {"name": "critic", "min": 1, "max": 2, "tags": ["code"]},
            ],
            "rounds": 3,
            "time_limit_s": time_limit_s,
            "breakpoints": False,
        }
    )


def _candidate(name: str, family: int, skill: float, chance: random.Random) -> Row:
    return {
        "id": name,
        "family": f"family-{family}",
        "cost": round(0.03 * skill**4 * math.exp(chance.gauss(0, 0.5)), 5),
        "tokens": chance.randrange(800, 3200),
        "latency_ms": chance.randrange(2000, 21000),
        "vram_mb": chance.randrange(6000, 40000),
        "host": chance.choice(["gpu-a", "gpu-b", None]),
        "tags": ["code"] if chance.random() < 0.4 else [],
    }


def speed_rows() -> Iterator[Row]:
    choose_panel(synthetic(12, time_limit_s=1.0))  # imports OR-tools
    for count, (first_s, proof_s) in LIMITS.items():
        request = synthetic(count, time_limit_s=SOLVING * proof_s)
        spent = seconds(lambda request=request: searched(request))
        held = spent <= first_s
        yield row(
            f"s to a feasible panel, {count} candidates", asked=f"<= {first_s:g}", seen=spent, held=held, n=1
        )
        yield proof_row(count, choose_panel(request), limit_s=proof_s)
    for count in (20, 60):
        yield prefilter_row(count)


def seconds(work: Any) -> float:
    began = time.monotonic()
    work()
    return round(time.monotonic() - began, 3)


def searched(request: PanelRequest) -> Pool:
    """What the search alone finds, from the request on."""
    case = Case.of(request)
    kept = prefilter.kept_of(case.field.rules, case.seen.used, case.seen.accuracy)
    pool = Pool(case.field.rules, case.seen.used)
    fill(pool, kept)
    if not pool.keys:
        raise SystemExit("the search found no panel")
    return pool


def proof_row(count: int, receipt: Receipt, *, limit_s: float) -> Row:
    gap = receipt.gap if receipt.gap is not None else 1.0
    seen = {"s": receipt.time_s, "gap": round(gap, 4), "status": receipt.status, "kept": receipt.kept}
    held = receipt.time_s <= limit_s and (receipt.status == "optimal" or gap <= GAP)
    return row(f"s to proof or 2 %, {count} candidates", asked=f"<= {limit_s:g}", seen=seen, held=held, n=1)


def prefilter_row(count: int) -> Row:
    """What leaving candidates out costs in V, where the full model can still be solved: all that can sit, those that
    the prefilter keeps, and a prefilter of half of them.
    """
    case = Case.of(synthetic(count))
    rules, board = case.field.rules, case.seen.used
    everyone = tuple(sorted(rules.able))
    kept = prefilter.kept_of(rules, board, case.seen.accuracy)
    half = prefilter.kept_of(rules, board, case.seen.accuracy, most=max(4, len(everyone) // 2))
    solved = {
        name: _optimum(rules, who, board)
        for name, who in (("full", everyone), ("kept", kept), ("half", half))
    }
    seen = {name: _v(each, board) for name, each in solved.items()}
    seen |= {"status": solved["full"].status, "able": len(everyone), "kept_n": len(kept), "half_n": len(half)}
    return row(f"V of the full model, {count} candidates", asked="reported", seen=seen, held=True, n=1)


def _optimum(rules: Any, kept: Any, board: Any) -> solver.Solved:
    pool = Pool(rules, board)
    fill(pool, kept)
    hint = next(iter(pool.best(1)), None)
    return solver.best_team(rules, kept, board=board, effort=solver.Effort(60.0), hint=hint)


def _v(solved: solver.Solved, board: Any) -> float | None:
    return None if solved.members is None else round(board.share(solved.members), 4)


if __name__ == "__main__":
    main()
