"""What the registry's pages show. Keys never leave here: only whether there is one, and for which host."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from broker import keys
from broker.models import Call, Change, Endpoint, Host, Model, Price, Role, SmokeTest, Telemetry
from broker.selectors.competences import Known, competences
from broker.selectors.prices import current_price
from broker.selectors.servers import is_asleep
from broker.selectors.standing import Reading, health_of_endpoint, newest_readings, reading

HISTORY = 50  # lines of it on a page
SESSIONS = 20
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
TONES = {Model.State.ACTIVE: "good", Model.State.SHADOW: "act", Model.State.DRAFT: "dashed"}


@dataclass(frozen=True)
class Wanted:
    """What the filter bar asks for; empty fields ask for everything."""

    text: str = ""
    state: str = ""
    tag: str = ""
    endpoint: str = ""

    @property
    def everything(self) -> bool:
        return not (self.text or self.state or self.tag or self.endpoint)


@dataclass(frozen=True)
class Health:
    """How an endpoint is, in a word and a sentence."""

    word: str
    tone: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Line:
    """One model in the list."""

    model: Model
    tone: str
    price: Price | None
    health: Health
    known: Known | None = None


def models(wanted: Wanted) -> list[Line]:
    """The models that are asked for, by alias. Three queries."""
    found = (
        _wanted(wanted)
        .select_related("endpoint__host", "endpoint__server")
        .prefetch_related("prices")
        .order_by("alias")
    )
    known = competences(found, category="")
    return [line(each, known[each.alias]) for each in found]


def _wanted(wanted: Wanted) -> "QuerySet[Model]":
    found = Model.objects.all()
    if wanted.text:
        text = wanted.text
        found = found.filter(
            Q(alias__icontains=text) | Q(served_name__icontains=text) | Q(family__icontains=text)
        )
    if wanted.state == "benched":
        found = found.filter(benched_until__gt=timezone.now())
    elif wanted.state:
        found = found.filter(state=wanted.state)
    if wanted.tag:
        found = found.filter(tags__contains=[wanted.tag])
    return found.filter(endpoint__name=wanted.endpoint) if wanted.endpoint else found


def line(model: Model, known: Known | None = None) -> Line:
    return Line(
        model=model,
        tone=TONES.get(Model.State(model.state), ""),
        price=current_price(model),
        health=health(model.endpoint),
        known=known,
    )


def health(endpoint: Endpoint) -> Health:
    """From what was last seen of it. No query."""
    if not endpoint.enabled:
        return Health("switched off", "", "No call goes there until it is switched on.")
    if endpoint.simulated:
        return Health("simulated", "dashed", "Simulated experts need no server.")
    healthy, note = health_of_endpoint(endpoint)
    if healthy is None:
        return Health("unknown", "wait", note)
    if is_asleep(endpoint):
        return Health("not loaded", "dashed", note)
    return (
        Health("healthy", "good") if healthy else Health("unhealthy", "loss", note.removeprefix("unhealthy "))
    )


def by_category(model: Model) -> list[tuple[str, Known]]:
    """What is known of it, all categories together first. One query for each category, and one."""
    found = model.competences.values_list("category", flat=True).order_by("category")
    return [(each, competences([model], category=each)[model.alias]) for each in found]


def tags() -> list[str]:
    """All tags that some model has. One query."""
    found = Model.objects.exclude(tags=[]).values_list("tags", flat=True)
    return sorted({tag for each in found for tag in each})


def endpoint_names() -> list[str]:
    return list(Endpoint.objects.order_by("name").values_list("name", flat=True))


def key_words(endpoint: Endpoint) -> str:
    """Whether there is a key, and for which host; never the key."""
    if endpoint.sealed_key is not None:
        try:
            keys.key_for(endpoint)
        except keys.KeyUnusable as error:
            return f"A key is set that cannot be used: {error}."
        return f"A key is set for {_origin(endpoint)}."
    if endpoint.key_variable:
        return f"The workers take it from their environment: {endpoint.key_variable}."
    return "None."


def _origin(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.base_url)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True)
class Served:
    """One endpoint in the list."""

    endpoint: Endpoint
    health: Health
    models: int


def endpoints() -> list[Served]:
    """All endpoints with how they are. One query."""
    found = Endpoint.objects.select_related("host", "server").annotate(many=Count("models")).order_by("name")
    return [Served(each, health(each), each.many) for each in found]


def names_read(endpoint: Endpoint) -> list[str]:
    """The models that the server told its own host of. One query."""
    names = Telemetry.objects.filter(endpoint=endpoint).exclude(served_name="").order_by("served_name")
    return list(names.values_list("served_name", flat=True).distinct())


def hosts() -> "QuerySet[Host]":
    return Host.objects.annotate(
        many_endpoints=Count("endpoint", distinct=True), many_servers=Count("servers", distinct=True)
    ).order_by("name")


def roles() -> list[Role]:
    """The newest version of each role. One query."""
    return list(Role.objects.order_by("name", "-version").distinct("name"))


def role_versions(name: str) -> list[Role]:
    """All versions of a role, newest first."""
    return list(Role.objects.filter(name=name).order_by("-version"))


@dataclass(frozen=True)
class Said:
    """One line of the history: what was set, as (name, before, after)."""

    change: Change
    values: Sequence[tuple[str, str, str]]


def history(*, kinds: Iterable[str] = (), subject: str = "", limit: int = HISTORY) -> list[Said]:
    """The newest changes, of all or of one subject. One query."""
    found = Change.objects.select_related("by").order_by("-at", "-pk")
    if kinds:
        found = found.filter(kind__in=kinds)
    if subject:
        found = found.filter(subject=subject)
    return said(found[:limit])


def said(changes: Iterable[Change]) -> list[Said]:
    """The changes with their values side by side."""
    return [Said(each, _values(each)) for each in changes]


def _values(change: Change) -> list[tuple[str, str, str]]:
    before, after = change.before or {}, change.after or {}
    if change.before is None and change.after is not None:
        after = {name: value for name, value in after.items() if value not in (None, "", [], {})}
    names = after or before
    return [(name.replace("_", " "), in_words(before.get(name)), in_words(after.get(name))) for name in names]


def in_words(value: Any) -> str:
    """A value of the history as people read it."""
    match value:
        case None | "" | [] | {}:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name} {each}" for name, each in value.items())
        case str() if MOMENT.fullmatch(value):
            return f"{value[:19].replace('T', ' ')} UTC"
    return str(value)


@dataclass(frozen=True)
class Sat:
    """What a model did in one session. Which seats were its own is not told: a person there may vote blind."""

    reference: Any
    seats: int
    calls: int
    failed: int
    cost_usd: Any
    unpriced: int


def sessions(model: Model, *, kept: Collection[UUID]) -> list[Sat]:
    """The sessions that called the model last, but for those whose models are not told. One query."""
    found = (
        Call.objects.filter(model=model)
        .exclude(reference__in=kept)
        .values("reference")
        .annotate(
            many=Count("pk"),
            seats=Count("seat", distinct=True),
            failed=Count("pk", filter=~Q(error="")),
            cost=Sum("cost_usd"),
            unpriced=Count("pk", filter=Q(error="", cost_usd=None)),
            newest=Max("pk"),
        )
        .order_by("-newest")
    )
    return [_sat(each) for each in found[:SESSIONS]]


def _sat(row: dict[str, Any]) -> Sat:
    return Sat(row["reference"], row["seats"], row["many"], row["failed"], row["cost"], row["unpriced"])


def readings(endpoint: Endpoint) -> list[tuple[str, Reading]]:
    """The newest reading of each model that the server tells apart. One query."""
    now = timezone.now()
    newest = newest_readings([endpoint.pk]).get(endpoint.pk, {})
    return [(name or "All its models", reading(row, now)) for name, row in sorted(newest.items())]


def smoke_tests(model: Model, *, limit: int = 5) -> list[SmokeTest]:
    """The newest first. One query."""
    return list(model.smoke_tests.select_related("by").order_by("-pk")[:limit])
