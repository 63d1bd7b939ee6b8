"""The question to the broker: who is registered, as it stands now, and what a session allows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from statistics import fmean

from django.db.models import QuerySet
from django.utils import timezone

from broker.models import Host, Model, Role, Selection
from broker.selection import types
from broker.selection.competence import TOO_FEW_CHECKS, phi
from broker.selectors.competences import Known, competences
from broker.selectors.prices import cost_usd, current_price
from broker.selectors.recorded import RIGHT, recorded_questions
from broker.selectors.standing import Standing, standings

RECORDED_LEAST = 30  # recorded questions below which panels are judged on drawn ones
UNTRIED_PANEL = 3  # where nothing is known of any model, so many sit, so that answers can be compared


@dataclass(frozen=True)
class Wanted:
    """What a session asks for. tokens_*: of one model in one round; max_phase_s: a phase's share of the time.

    group: selections of one group follow each other; a panel that did well stays. required and excluded: aliases.
    own_rule: how the session counts ballots; None: the broker counts votes.
    """

    category: str
    tokens_in: int
    tokens_out: int
    rounds: int
    size: tuple[int, int]
    max_cost_usd: float | None = None
    max_tokens: int | None = None
    max_phase_s: float | None = None
    max_per_family: int = 1
    floor_points: float | None = types.FLOOR_POINTS
    roles: tuple[str, ...] = ()
    mode: str = "deterministic"
    seed: int = 0
    group: str = ""
    required: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    own_rule: types.OwnRule | None = None
    time_limit_s: float = 5.0


@dataclass(frozen=True)
class Question:
    """A request, and a sentence about it that its receipt should carry, "" where there is none."""

    request: types.PanelRequest
    note: str


def seatable_models() -> "QuerySet[Model]":
    """Models that can be weighed, at enabled endpoints. Two queries."""
    return (
        Model.objects.filter(state__in=[Model.State.ACTIVE, Model.State.SHADOW], endpoint__enabled=True)
        .select_related("endpoint__host")
        .prefetch_related("prices")
        .order_by("alias")
    )


def question(wanted: Wanted) -> Question:
    """What choose_panel() is asked. Ten queries at most, whatever the number of models."""
    models = list(seatable_models())
    known = competences(models, category=wanted.category)
    stand = standings(models)
    candidates = tuple(
        _candidate(model, wanted, known=known[model.alias], standing=stand[model.alias]) for model in models
    )
    simulated = all(model.endpoint.simulated for model in models)
    by_ballots = wanted.own_rule is not None
    recorded = None if simulated else recorded_questions(wanted.category, models, with_ballots=by_ballots)
    if recorded is not None and len(recorded.truth) < RECORDED_LEAST:
        recorded = None
    low, note = _least(wanted, candidates, has_rows=recorded is not None)
    previous = _previous(wanted)
    request = types.PanelRequest(
        candidates=candidates,
        scenarios=recorded,
        own_rule=wanted.own_rule or types.OwnRule(),
        limits=_limits(wanted, candidates, least=low),
        rounds=wanted.rounds,
        hosts=_hosts(models),
        roles=_roles(wanted.roles),
        required=wanted.required,
        excluded=wanted.excluded,
        previous=tuple(previous.receipt["chosen"]) if previous else None,
        previous_age_s=(timezone.now() - previous.created_at).total_seconds() if previous else None,
        mode=wanted.mode,
        seed=wanted.seed if _explores(wanted, candidates) else 0,
        time_limit_s=wanted.time_limit_s,
        breakpoints=False,
        # Simulated experts err by lots of their own; real models err together.
        family_phi=0.0 if simulated else _family_phi(models, recorded),
        common_phi=0.0 if simulated else types.COMMON_PHI,
    )
    return Question(request, note)


def _explores(wanted: Wanted, candidates: Sequence[types.Candidate]) -> bool:
    """Whether there is a model to be tried. Without one, the same fleet has the same panel in every session."""
    cold = (each for each in candidates if not each.declared and (each.asked or 0) < TOO_FEW_CHECKS)
    return wanted.mode == "dynamic" and any(cold)


def _candidate(model: Model, wanted: Wanted, *, known: Known, standing: Standing) -> types.Candidate:
    cost = cost_usd(current_price(model), tokens_in=wanted.tokens_in, tokens_out=wanted.tokens_out)
    is_shadow = model.state == Model.State.SHADOW
    return types.Candidate(
        id=model.alias,
        accuracy=known.mean,
        asked=known.asked,
        right=known.right,
        interval=None if known.mean is None or known.made else known.interval,
        declared=known.declared,
        cost=None if cost is None else float(cost),
        tokens=float(wanted.tokens_in + wanted.tokens_out),
        latency_ms=standing.latency_ms,
        reading_age_s=standing.reading_age_s,
        vram_mb=_vram_to_load(model),
        host=model.endpoint.host.name if model.endpoint.host else None,
        family=model.family or None,
        tags=frozenset(model.tags),
        healthy=False if is_shadow else standing.healthy,
        state_note="in shadow: weighed, never seated" if is_shadow else standing.note or None,
        simulated=model.endpoint.simulated,
    )


def _vram_to_load(model: Model) -> float | None:
    """Memory that it would take; a model whose server answers, or starts by itself, has taken it already."""
    return model.vram_mb if model.endpoint.healthy is False else 0.0


def _family_phi(models: Sequence[Model], recorded: types.Scenarios | None) -> dict[str, float]:
    """By family: how its members' errors go together where both answered, each pair shrunk to the prior."""
    rows = recorded.answers if recorded else {}
    right = {alias: [None if each is None else each == RIGHT for each in row] for alias, row in rows.items()}
    families: dict[str, list[str]] = {}
    for model in models:
        families.setdefault(model.family, []).append(model.alias)
    return {
        family: fmean(
            [
                phi(right[one], right[other], prior=types.FAMILY_PHI)
                for one, other in combinations(aliases, 2)
                if one in right and other in right
            ]
            or [types.FAMILY_PHI]
        )
        for family, aliases in families.items()
        if family
    }


def _least(wanted: Wanted, candidates: Sequence[types.Candidate], *, has_rows: bool) -> tuple[int, str]:
    """The smallest panel. The guard for single models needs evidence; where there is none, answers are compared."""
    low, high = wanted.size
    able = [each for each in candidates if each.healthy is not False and each.id not in wanted.excluded]
    if has_rows or wanted.mode != "dynamic" or any(each.accuracy is not None for each in able):
        return low, ""
    families = {each.family or each.id for each in able}
    least = min(UNTRIED_PANEL, high, len(families) if wanted.max_per_family == 1 else len(able))
    if least <= low:
        return low, ""
    return least, f"Nothing is known of these models yet, so {least} sit: their answers can be compared."


def _limits(wanted: Wanted, candidates: Sequence[types.Candidate], *, least: int) -> types.Limits:
    """A limit on time is put where some latency is known: else nobody could sit."""
    is_timed = wanted.max_phase_s is not None and any(each.latency_ms is not None for each in candidates)
    return types.Limits(
        max_cost=wanted.max_cost_usd,
        max_tokens=wanted.max_tokens,
        max_latency_ms=2000 * wanted.max_phase_s if is_timed and wanted.max_phase_s is not None else None,
        min_size=least,
        max_size=wanted.size[1],
        max_per_family=wanted.max_per_family,
        floor_points=wanted.floor_points,
    )


def _hosts(models: Sequence[Model]) -> tuple[types.Host, ...]:
    hosts: Mapping[str, Host] = {
        model.endpoint.host.name: model.endpoint.host for model in models if model.endpoint.host
    }
    return tuple(types.Host(name, host.free_mb, host.mode) for name, host in sorted(hosts.items()))


def newest_personas(names: Iterable[str]) -> dict[str, str]:
    """What models are told that play these roles, by the role's name. One query, none without a name."""
    return {name: role.persona for name, role in _newest(names).items()}


def _newest(names: Iterable[str]) -> dict[str, Role]:
    """The newest version of each role that is registered. One query, none without a name."""
    wanted = set(names)
    if not wanted:
        return {}
    rows = Role.objects.filter(name__in=wanted).order_by("name", "-version").distinct("name")
    return {role.name: role for role in rows}


def _roles(names: Sequence[str]) -> tuple[types.Role, ...]:
    """Those that are retired are not asked for; one that is not registered asks for one model of any kind."""
    known = _newest(names)
    return tuple(
        _role(name, known.get(name)) for name in names if name not in known or not known[name].retired
    )


def _role(name: str, role: Role | None) -> types.Role:
    if role is None:
        return types.Role(name, min=1)
    return types.Role(
        name, min=role.minimum, max=role.maximum, tags=frozenset(role.tags), floor_points=role.floor_points
    )


def _previous(wanted: Wanted) -> Selection | None:
    """The newest selection of the group that seated somebody, within a day. One query, in dynamic mode alone."""
    if wanted.mode != "dynamic" or not wanted.group:
        return None
    since = timezone.now() - timedelta(days=1)
    rows = Selection.objects.filter(group=wanted.group, kind=Selection.Kind.START, created_at__gte=since)
    newest = rows.order_by("-created_at").defer("request").first()
    return newest if newest is not None and newest.receipt["chosen"] else None
