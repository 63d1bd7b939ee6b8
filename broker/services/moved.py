"""What a form was opened on, and who changed the row since: so that nobody's change is undone unseen."""

import hashlib
import json

from django.db.models import Max, QuerySet
from django.db.models import Model as Row

from broker.models import Change, Role
from broker.selectors.registry import said
from broker.services.changes import FIELDS, KINDS, Refused, facts, subject

BESIDE = {"state", "version", "retired"}  # no form sets them, so none can undo them
VALUE_CHARS = 80


class Moved(Refused):
    """Somebody was quicker. `stamp`: of the row as it is now; whoever sends it saves over what is there."""

    def __init__(self, message: str, *, stamp: str) -> None:
        super().__init__(message)
        self.stamp = stamp


def stamp(row: Row) -> str:
    """Of what is stored of a row: the number of its newest line of history, and a digest of its values. Two queries."""
    now = current(row)
    newest = _history(now).aggregate(newest=Max("pk"))["newest"] or 0
    return f"{newest}-{_digest(now)}"


def current(row: Row) -> Row:
    """As it is stored now; of a role its newest version."""
    if isinstance(row, Role):
        return Role.objects.filter(name=row.name).order_by("-version")[0]
    return type(row)._default_manager.get(pk=row.pk)


def check_unmoved(row: Row, *, base: str) -> None:
    """Raises Moved where what is stored is no longer what it was, nor what it is to be. An empty `base` says nothing of
    what it was.
    """
    if not base:
        return
    began, _, digest = base.partition("-")
    now = current(row)
    if _digest(now) not in (digest, _digest(row)):
        raise Moved(_words(now, int(began) if began.isdecimal() else 0), stamp=stamp(now))


def _digest(row: Row) -> str:
    values = {name: value for name, value in facts(row).items() if name not in BESIDE}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _history(row: Row) -> "QuerySet[Change]":
    return Change.objects.filter(kind=KINDS[type(row)], subject=subject(row))


def _words(row: Row, began: int) -> str:
    """Who changed what since."""
    since = said(_history(row).filter(pk__gt=began).select_related("by").order_by("pk"))
    names = {name.replace("_", " ") for name in FIELDS[type(row)] if name not in BESIDE}
    told = []
    for each in since:
        values = [(name, _short(old), _short(new)) for name, old, new in each.values if name in names]
        if values and each.change.before is not None:
            who = each.change.by.get_username() if each.change.by else "the system"
            changed = ", ".join(f"{name} from {old} to {new}" for name, old, new in values)
            told.append(f"{who} changed {changed} ({each.change.at:%H:%M:%S} UTC)")
    found = "; ".join(told) or "it was changed, and the history does not say by whom"
    return (
        f"While this page was open, {found}. What you typed is kept: take over what you want to keep of theirs, "
        "then save over it."
    )


def _short(value: str) -> str:
    if value == "-":
        return "nothing"
    return value if len(value) <= VALUE_CHARS else f"{value[:VALUE_CHARS]}…"
