"""The rules of a session: every number and choice that the protocol reads, with the defaults of protocol.md.

Rules are identified by the SHA-256 of their canonical JSON (protocol.md 1, policy [P]).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Self

RULES = (
    "quadratic", "quadratic_sdk", "quadratic_unsigned", "linear", "median", "mean_score", "borda", "copeland",
    "plurality", "approval", "majority_answer",
)  # fmt: skip
EQUIVALENCES = ("exact", "number", "latex_math", "choice", "json", "none")


class RulesError(ValueError):
    """A rule that cannot be; the sentence names the field and what is allowed."""


@dataclass(frozen=True)
class Law:
    """The numbers of the efficiency-fatigue law (protocol.md 5 [P]): p_g, k = Lambda (p_v - p_g), beta."""

    p_g: float
    k: float
    beta: float


# protocol.md 5 [O]: fitted to the published end points; a named preset is replaced under a new name, never
# edited.
PRESETS: Mapping[str, Law] = MappingProxyType(
    {
        "consumer": Law(p_g=0.540, k=0.2768, beta=0.00202),
        "high_performance": Law(p_g=0.727, k=0.2648, beta=0.00123),
    }
)


@dataclass(frozen=True)
class Rules:
    """One field per rule; units in the names. Outside values come in by `from_json`, checked."""

    # ballots and tally (protocol.md 3, 4)
    rule: str = "quadratic"
    winner_by: str = "proposal"
    equivalence: str = "exact"
    family_share: bool = True
    weight_model: float = 1.0
    weight_human: float = 1.0
    reliability_weighting: bool = False
    # stop test (5)
    effort: float = 0.6
    min_rounds: int = 2
    max_rounds: int = 6
    preset: str = "consumer"
    p_g: float = 0.540
    k: float = 0.2768
    beta: float = 0.00202
    settled_rounds: int = 2
    settled_conviction: float = 0.9
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    max_minutes: float | None = None
    force: bool = False
    # consensus state (6)
    gamma: float = 0.7
    state_tokens: int = 1500
    position_chars: int = 1200
    guidance_rounds: int = 1
    # verdict (7)
    final_rule: str = "best"
    # people (2, 4)
    human_window_s: int = 0
    blind: bool = True
    veto_quorum: int = 1
    # panel and turns (2, 8)
    panel_size: tuple[int, int] = (3, 5)
    roles: tuple[str, ...] = ()
    selection_mode: str = "dynamic"
    floor_points: float | None = 15.0
    max_per_family: int = 1
    replace_agents: bool = True
    samples: int = 5
    turn_deadline_s: int = 120
    attempts: int = 2
    propose_max_tokens: int = 4096
    review_max_tokens: int = 4096
    peer_reasoning_chars: int = 4000

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Checked rules from a JSON object; absent fields take their default, a named preset brings its p_g,
        k and beta.

        Raises RulesError: unknown field, wrong type, out of range, or fields that contradict each other.
        """
        if not isinstance(value, Mapping):
            raise RulesError("rules must be a JSON object of rule fields.")
        known = {field.name for field in fields(cls)}
        for key in value:
            if key not in known:
                raise RulesError(f"{key!r} is not a rule. Known rules: {', '.join(sorted(known))}.")
        given = {key: CHECKS[key](key, item) for key, item in value.items()}
        return cls(**_with_preset(given))._checked_together()

    def to_json(self) -> dict[str, Any]:
        """All fields, defaults included, as JSON values."""
        return {**asdict(self), "panel_size": list(self.panel_size), "roles": list(self.roles)}

    @property
    def law(self) -> Law:
        """The law's numbers in force."""
        return Law(p_g=self.p_g, k=self.k, beta=self.beta)

    @property
    def least_rounds(self) -> int:
        """`min_rounds`, but never more than `max_rounds` (protocol.md 5: 1 if max_rounds is 1)."""
        return min(self.min_rounds, self.max_rounds)

    @property
    def sha256(self) -> str:
        """SHA-256 in hex of the canonical JSON: keys sorted, no white space, floats as their repr() in a
        string.
        """
        text = json.dumps(_floats_as_text(self.to_json()), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def for_panel_of_one(self) -> Self:
        """One round, `majority_answer`, no reviews (protocol.md 2, panel of one [O])."""
        return replace(self, rule="majority_answer", max_rounds=1, min_rounds=1)

    def _checked_together(self) -> Self:
        if self.panel_size[0] > self.panel_size[1]:
            raise RulesError(
                f"panel_size must not have a minimum over its maximum, as {list(self.panel_size)} has."
            )
        return self


def _with_preset(given: dict[str, Any]) -> dict[str, Any]:
    preset = given.get("preset", "consumer")
    law_fields = ("p_g", "k", "beta")
    if preset == "custom":
        missing = [name for name in law_fields if name not in given]
        if missing:
            raise RulesError(f"{missing[0]} must be given, because preset is custom.")
        return given
    law = asdict(PRESETS[preset])
    for name in law_fields:
        if given.get(name, law[name]) != law[name]:
            raise RulesError(
                f"{name} is {law[name]} in preset {preset}; for another value set preset to custom."
            )
    return {**given, **law}


def _floats_as_text(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {key: _floats_as_text(item) for key, item in value.items()}
    return [_floats_as_text(item) for item in value] if isinstance(value, list) else value


Check = Callable[[str, Any], Any]


def _choice(*allowed: str) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise RulesError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
        return value

    return check


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise RulesError(f"{name} must be true or false, not {value!r}.")
    return value


def _whole(low: int, high: int) -> Check:
    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise RulesError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
        return value

    return check


def _number(low: float, high: float) -> Check:
    def check(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise RulesError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
        if not low <= value <= high:
            raise RulesError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
        return float(value)

    return check


def _or_none(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _size(name: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise RulesError(f"{name} must be two whole numbers, the minimum and the maximum, not {value!r}.")
    low, high = (_whole(1, 100)(name, item) for item in value)
    return low, high


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,60}", value) is not None


def _names(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(_is_name(item) for item in value):
        raise RulesError(f"{name} must be a list of names of letters, digits and hyphens, not {value!r}.")
    if len(set(value)) != len(value):
        raise RulesError(f"{name} must not name one twice, as {list(value)!r} does.")
    return tuple(value)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "rule": _choice(*RULES),
        "winner_by": _choice("proposal", "class"),
        "equivalence": _choice(*EQUIVALENCES),
        "family_share": _flag,
        "weight_model": _number(0.01, 100),
        "weight_human": _number(0.01, 100),
        "reliability_weighting": _flag,
        "effort": _number(0, 1),
        "min_rounds": _whole(1, 100),
        "max_rounds": _whole(1, 100),
        "preset": _choice(*PRESETS, "custom"),
        "p_g": _number(0, 1),
        "k": _number(-1, 1),
        "beta": _number(0, 1),
        "settled_rounds": _whole(1, 100),
        "settled_conviction": _number(0, 1),
        "max_cost_usd": _or_none(_number(0, 1e9)),
        "max_tokens": _or_none(_whole(1, 10**12)),
        "max_minutes": _or_none(_number(0, 1e6)),
        "force": _flag,
        "gamma": _number(0, 1),
        "state_tokens": _whole(0, 1_000_000),
        "position_chars": _whole(1, 1_000_000),
        "guidance_rounds": _whole(1, 100),
        "final_rule": _choice("best", "last"),
        "human_window_s": _whole(0, 604_800),
        "blind": _flag,
        "veto_quorum": _whole(1, 2),
        "panel_size": _size,
        "roles": _names,
        "selection_mode": _choice("dynamic", "deterministic"),
        "floor_points": _or_none(_number(0, 100)),
        "max_per_family": _whole(1, 100),
        "replace_agents": _flag,
        "samples": _whole(1, 100),
        "turn_deadline_s": _whole(1, 86_400),
        "attempts": _whole(1, 10),
        "propose_max_tokens": _whole(1, 1_000_000),
        "review_max_tokens": _whole(1, 1_000_000),
        "peer_reasoning_chars": _whole(0, 1_000_000),
    }
)
