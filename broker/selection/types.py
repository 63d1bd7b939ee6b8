"""The question put to the broker. Unknown is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from broker.selection.own_rule import OwnRule as OwnRule
from broker.selection.reading import Fields, RequestError, distinct, is_number, mapping, number
from broker.selection.recorded import Answer as Answer
from broker.selection.recorded import Scenarios as Scenarios

FLOOR_POINTS = 15.0
# Means of 406 pairs of 29 models on MMLU-Pro: how errors go together inside a family, and across.
FAMILY_PHI, COMMON_PHI = 0.4, 0.35
MODES = ("deterministic", "dynamic", "pinned", "replay")
NEEDED = {"pinned": "required", "replay": "previous"}  # who sits, where nothing is chosen
VALUES = ("team", "additive")
KINDS_OF_HOST = ("resident", "swapped")


@dataclass(frozen=True)
class Candidate:
    """A registered model as the broker sees it at one moment.

    cost, latency_ms (p95), tokens: of one round. accuracy: share right in the task's category, in [0, 1]; asked: on
    how many checks it rests, right: how many of them it passed; interval: 90 %; declared: a claim and no measurement.
    healthy: None where it was never probed. state_note: why it is unhealthy, in words that follow "is".
    """

    id: str
    value: float | None = None
    accuracy: float | None = None
    cost: float | None = None
    latency_ms: float | None = None
    tokens: float | None = None
    vram_mb: float | None = None
    host: str | None = None
    family: str | None = None
    tags: frozenset[str] = frozenset()
    healthy: bool | None = None
    asked: float | None = None
    right: float | None = None
    interval: tuple[float, float] | None = None
    declared: bool = False
    simulated: bool = False
    state_note: str | None = None
    reading_age_s: float | None = None

    KNOWN = (
        "id", "value", "accuracy", "cost", "latency_ms", "tokens", "vram_mb", "host", "family", "tags", "healthy",
        "asked", "right", "interval", "declared", "simulated", "state_note", "reading_age_s",
    )  # fmt: skip

    @classmethod
    def read(cls, value: Any, where: str) -> Candidate:
        of = Fields(value, where=where, known=cls.KNOWN)
        asked, right = of.number("asked"), of.number("right")
        if right is not None and (asked is None or right > asked):
            raise RequestError(f"{of.at('right')} must not be more than {of.at('asked')}.")
        return cls(
            id=of.id("id"),
            value=of.number("value", least=None),
            accuracy=of.number("accuracy", most=1.0),
            cost=of.number("cost"),
            latency_ms=of.number("latency_ms"),
            tokens=of.number("tokens"),
            vram_mb=of.number("vram_mb"),
            host=of.text("host"),
            family=of.text("family"),
            tags=frozenset(of.texts("tags")),
            healthy=of.flag("healthy"),
            asked=asked,
            right=right,
            interval=_interval(of.record.get("interval"), where=of.at("interval")),
            declared=bool(of.flag("declared")),
            simulated=bool(of.flag("simulated")),
            state_note=of.text("state_note"),
            reading_age_s=of.number("reading_age_s"),
        )


def _interval(value: Any, *, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(is_number(each) for each in value):
        raise RequestError(f"{where} must be a list of two numbers.")
    return (value[0], value[1])


@dataclass(frozen=True)
class Resource:
    """Anything else that is limited: the uses of those who sit add up to at most `capacity`."""

    name: str
    capacity: float
    use: Mapping[str, float]

    @classmethod
    def read(cls, name: str, value: Any, where: str) -> Resource:
        of = Fields(value, where=where, known=("capacity", "use"))
        capacity = of.number("capacity")
        if capacity is None:
            raise RequestError(f"{where} needs the field 'capacity'.")
        use = mapping(of.record.get("use") or {}, where=of.at("use"))
        return cls(
            name, capacity, {id_: number(each, where=f"{of.at('use')}.{id_}") for id_, each in use.items()}
        )


@dataclass(frozen=True)
class Limits:
    """max_cost and max_tokens: for all rounds; max_latency_ms: for a phase of one round. floor_points: how far below
    the best affordable candidate a member's accuracy may lie, in points of a hundred.
    """

    max_cost: float | None = None
    max_tokens: float | None = None
    max_latency_ms: float | None = None
    min_size: int = 1
    max_size: int | None = None
    max_per_family: int | None = 1
    floor_points: float | None = FLOOR_POINTS
    resources: tuple[Resource, ...] = ()

    KNOWN = (
        "max_cost", "max_tokens", "max_latency_ms", "min_size", "max_size", "max_per_family", "floor_points",
        "resources",
    )  # fmt: skip

    @classmethod
    def read(cls, value: Any, *, additive: bool) -> Limits:
        of = Fields({} if value is None else value, where="limits", known=cls.KNOWN)
        floor = of.number("floor_points")
        return cls(
            max_cost=of.number("max_cost"),
            max_tokens=of.number("max_tokens"),
            max_latency_ms=of.number("max_latency_ms"),
            min_size=of.whole("min_size", least=1) or 1,
            max_size=of.whole("max_size", least=1),
            max_per_family=of.whole("max_per_family", least=1) if of.has("max_per_family") else 1,
            floor_points=floor if of.has("floor_points") or additive else FLOOR_POINTS,
            resources=of.named("resources", read=Resource.read),
        )


@dataclass(frozen=True)
class Host:
    """A machine with its free memory; its models all stay loaded (resident) or take turns (swapped)."""

    name: str
    free_mb: float | None
    mode: str = "resident"

    @classmethod
    def read(cls, name: str, value: Any, where: str) -> Host:
        of = Fields(value, where=where, known=("free_mb", "mode"))
        return cls(name, of.number("free_mb"), of.one_of("mode", allowed=KINDS_OF_HOST))


@dataclass(frozen=True)
class Role:
    """A function at the table: how many seats it has, and who may take one."""

    name: str
    min: int = 0
    max: int | None = None
    tags: frozenset[str] = frozenset()
    floor_points: float | None = None

    @classmethod
    def read(cls, value: Any, where: str) -> Role:
        of = Fields(value, where=where, known=("name", "min", "max", "tags", "floor_points"))
        role = cls(
            name=of.id("name"),
            min=of.whole("min", least=0) or 0,
            max=of.whole("max", least=0),
            tags=frozenset(of.texts("tags")),
            floor_points=of.number("floor_points"),
        )
        if role.max is not None and role.max < role.min:
            raise RequestError(f"{of.at('max')} must not be less than {of.at('min')}.")
        return role


@dataclass(frozen=True)
class PanelRequest:
    """One selection: who there is, what limits hold, and the evidence about them."""

    candidates: tuple[Candidate, ...]
    scenarios: Scenarios | None = None
    own_rule: OwnRule = OwnRule()
    limits: Limits = field(default_factory=Limits)
    rounds: int = 1
    hosts: tuple[Host, ...] = ()
    roles: tuple[Role, ...] = ()
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    previous: tuple[str, ...] | None = None
    previous_age_s: float | None = None
    mode: str = MODES[0]
    value: str = VALUES[0]
    seed: int = 0
    time_limit_s: float = 10.0
    breakpoints: bool = True
    family_phi: float | Mapping[str, float] = FAMILY_PHI
    common_phi: float = COMMON_PHI

    KNOWN = (
        "candidates", "scenarios", "own_rule", "limits", "rounds", "hosts", "roles", "required", "excluded",
        "previous", "previous_age_s", "mode", "value", "seed", "time_limit_s", "breakpoints", "family_phi",
        "common_phi",
    )  # fmt: skip

    @classmethod
    def from_json(cls, value: Any) -> PanelRequest:
        """The request as docs/broker.md writes it. Raises RequestError."""
        of = Fields(value, where="", known=cls.KNOWN)
        if not of.has("candidates"):
            raise RequestError("The input needs the field 'candidates'.")
        kind = of.one_of("value", allowed=VALUES)
        request = cls(
            candidates=of.items("candidates", read=Candidate.read),
            scenarios=Scenarios.read(of.record.get("scenarios")),
            own_rule=OwnRule.read(of.record.get("own_rule")),
            limits=Limits.read(of.record.get("limits"), additive=kind == "additive"),
            rounds=of.whole("rounds", least=1) or 1,
            hosts=of.named("hosts", read=Host.read),
            roles=of.items("roles", read=Role.read),
            required=of.texts("required"),
            excluded=of.texts("excluded"),
            previous=of.texts("previous") or None,
            previous_age_s=of.number("previous_age_s"),
            mode=of.one_of("mode", allowed=MODES),
            value=kind,
            seed=of.whole("seed", least=0) or 0,
            time_limit_s=_or(of.number("time_limit_s", least=0.01, most=3600.0), 10.0),
            breakpoints=of.flag("breakpoints") is not False,
            family_phi=_family_phi(of),
            common_phi=_or(of.number("common_phi", most=0.99), COMMON_PHI),
        )
        request._check_names()
        return request

    def _check_names(self) -> None:
        for mode, field_name in NEEDED.items():
            if self.mode == mode and not getattr(self, field_name):
                raise RequestError(f"mode {mode} needs the field {field_name!r}.")
        ids = [each.id for each in self.candidates]
        distinct(ids, what="candidates", where="candidates")
        distinct([each.name for each in self.roles], what="roles", where="roles")
        mentioned = [(f"required[{n}]", name) for n, name in enumerate(self.required)]
        for each in self.limits.resources:
            mentioned += [(f"limits.resources.{each.name}.use", name) for name in each.use]
        mentioned += [
            ("scenarios.answers", name) for name in (self.scenarios.answers if self.scenarios else ())
        ]
        known = set(ids)
        for where, name in mentioned:
            if name not in known:
                raise RequestError(f"{where}: there is no candidate {name!r}.")

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads back as the same request."""
        record = asdict(self)
        record["candidates"] = [{**each, "tags": sorted(each["tags"])} for each in record["candidates"]]
        record["roles"] = [{**each, "tags": sorted(each["tags"])} for each in record["roles"]]
        record["hosts"] = {each.pop("name"): each for each in record["hosts"]}
        record["limits"]["resources"] = {each.pop("name"): each for each in record["limits"]["resources"]}
        return record


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _family_phi(of: Fields) -> float | dict[str, float]:
    value = of.record.get("family_phi")
    if value is None:
        return FAMILY_PHI
    if is_number(value):
        return number(value, where="family_phi", most=0.99)
    record = mapping(value, where="family_phi")
    return {name: number(each, where=f"family_phi.{name}", most=0.99) for name, each in record.items()}
