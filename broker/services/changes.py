"""The registry's record: who changed what, when, and what stood there before. Written with the change itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model as Row
from django.db.models.functions import Now

from broker.models import Change, Competence, Endpoint, Host, Model, Price, Role, Server

# What a person may set, by kind of row. A key is never among it: only whether there is one.
FIELDS: Mapping[type[Row], tuple[str, ...]] = {
    Host: ("name", "mode", "total_mb"),
    Endpoint: (
        "name", "kind", "base_url", "host", "max_concurrency", "requests_per_minute", "tokens_per_minute",
        "structured_output", "key_variable", "enabled",
    ),
    Server: (
        "endpoint", "host", "model_path", "revision", "dtype", "max_model_len", "gpu_memory_share", "extra_args",
        "environment", "port",
    ),
    Model: (
        "alias", "served_name", "endpoint", "family", "state", "size_b", "vram_mb", "context_tokens", "tags",
        "traits",
    ),
    Price: ("input_usd", "output_usd", "valid_from"),
    Role: ("name", "version", "summary", "persona", "tags", "minimum", "maximum", "floor_points", "retired"),
    Competence: ("category", "right", "asked", "declared", "claimed"),
}  # fmt: skip
KINDS: Mapping[type[Row], str] = {
    Host: "host",
    Endpoint: "endpoint",
    Server: "server",
    Model: "model",
    Price: "price",
    Role: "role",
    Competence: "competence",
}


class Refused(Exception):
    """A write that cannot be. The message is a sentence for the person; `field` names what to change, if one does."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Act:
    """Whose hand it is (None: the system's), and the words left with it."""

    by: Any = None
    note: str = ""


def facts(row: Row) -> dict[str, Any]:
    """What a person may set of the row, as JSON values; other rows by their names."""
    return {name: _value(getattr(row, name)) for name in FIELDS[type(row)]}


def subject(row: Row) -> str:
    """The name under which the row's history is found: a price's is its model's, a server's its endpoint's."""
    match row:
        case Model():
            return row.alias
        case Price() | Competence():
            return row.model.alias
        case Server():
            return row.endpoint.name
    return str(row.name)  # type: ignore[attr-defined]


def numbers(row: Row) -> dict[str, int]:
    """Which rows a change of this one is about, by number: a price's model, a model's endpoint, an endpoint's host."""
    related = {name: getattr(row, f"{name}_id", None) for name in ("model", "endpoint", "host")}
    found = {**related, KINDS[type(row)]: row.pk}
    return {name: number for name, number in found.items() if number is not None}


def record(
    row: Row, action: str, *, act: Act, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> Change:
    """One line of history; of what was there before and after, only what differs where both are known."""
    if before is not None and after is not None:
        changed = [name for name in after if before.get(name) != after[name]]
        before, after = ({name: side.get(name) for name in changed} for side in (before, after))
    return Change.objects.create(
        by=act.by,
        kind=KINDS[type(row)],
        subject=subject(row),
        ids=numbers(row),
        action=action,
        before=before,
        after=after,
        note=act.note,
    )


def any_untold() -> bool:
    """Whether the audit trail has some to take up. One indexed query."""
    return Change.objects.filter(told_at=None).exists()


def take_untold(most: int) -> list[Change]:
    """The oldest of them, locked for this transaction; those that somebody else has locked are left out."""
    untold = Change.objects.select_for_update(skip_locked=True).filter(told_at=None)
    return list(untold.order_by("pk")[:most])


def mark_told(changes: Sequence[Change]) -> None:
    """They were taken up: in the same transaction, so that none is told twice."""
    Change.objects.filter(pk__in=[each.pk for each in changes], told_at=None).update(told_at=Now())


def text_of(change: Change) -> bytes:
    """All that the history says of it, names and notes too, as JSON. A key was never among it."""
    said = {
        "at": change.at.isoformat(),
        "kind": change.kind,
        "subject": change.subject,
        "action": change.action,
        "before": change.before,
        "after": change.after,
        "note": change.note,
    }
    return json.dumps(said, sort_keys=True, ensure_ascii=False).encode()


def _value(value: Any) -> Any:
    if isinstance(value, Row):
        return subject(value)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else f"{value.normalize():f}"
