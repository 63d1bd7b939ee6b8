"""The registry as a file: written, and read back. An import adds and changes, and never deletes; a key is never in it.

A file that was exported, imported into an empty registry and exported again is the same file.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Model as Row

from broker.models import Change, Competence, Endpoint, Host, Model, Price, Role, Server
from broker.services import registry
from broker.services.changes import FIELDS, Act, Refused, facts
from broker.services.portable_json import BadFile, Document, Path, read
from broker.services.portable_values import WORDS, expected_of, fits

FORMAT = "nsed-registry/1"
SECTIONS: Mapping[str, type[Row]] = {
    "hosts": Host,
    "endpoints": Endpoint,
    "servers": Server,
    "models": Model,
    "roles": Role,
}
NESTED: Mapping[str, type[Row]] = {"prices": Price, "competences": Competence}
NAMED = {"host": Host, "endpoint": Endpoint}
NOTE = "import"


def export() -> str:
    """The whole registry but for keys, measurements and history, as JSON text with a line for each value."""
    document = {
        "format": FORMAT,
        "hosts": [facts(each) for each in Host.objects.order_by("name")],
        "endpoints": [facts(each) for each in Endpoint.objects.select_related("host").order_by("name")],
        "servers": [
            facts(each)
            for each in Server.objects.select_related("endpoint", "host").order_by("endpoint__name")
        ],
        "models": [_model(each) for each in _models()],
        "roles": [facts(each) for each in Role.objects.order_by("name", "version")],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _models() -> Any:
    found = Model.objects.select_related("endpoint").prefetch_related("prices", "competences")
    return found.order_by("alias")


def _model(model: Model) -> dict[str, Any]:
    prices = sorted(model.prices.all(), key=lambda each: each.valid_from)
    known = sorted(model.competences.all(), key=lambda each: each.category)
    return {
        **facts(model),
        "prices": [facts(each) for each in prices],
        "competences": [facts(each) for each in known],
    }


@dataclass(frozen=True)
class Plan:
    """What an import changes. `digest` tells one plan from another."""

    changes: Sequence[Change]
    digest: str


def preview(text: str, *, act: Act) -> Plan:
    """What an import would change. Nothing is: it is done, and rolled back. Raises BadFile."""
    with transaction.atomic():
        plan = _carry_out(text, act=act)
        transaction.set_rollback(True)
    return plan


@transaction.atomic
def import_text(text: str, *, act: Act, digest: str = "") -> Plan:
    """All of it or nothing. `digest`: of the plan that was shown; where another one would be carried out, nothing is,
    and Refused says so. Raises BadFile.
    """
    plan = _carry_out(text, act=act)
    if digest and plan.digest != digest:
        raise Refused("The registry or the file has changed since this was shown. Look again, then import.")
    return plan


def _carry_out(text: str, *, act: Act) -> Plan:
    document = read(text)
    _check_frame(document)
    hand = replace(act, note=act.note or NOTE)
    changes: list[Change] = []
    for section, kind in SECTIONS.items():
        seen: set[Any] = set()
        for place, item in enumerate(document.value.get(section, [])):
            entry = Entry(document, (section, place), item, hand)
            entry.check_once(kind, seen)
            changes += KEEP[kind](entry)
    return Plan(changes, _digest(changes))


def _check_frame(document: Document) -> None:
    if not isinstance(document.value, dict) or document.value.get("format") != FORMAT:
        raise document.bad(f'this is no export of a registry: its format is not "{FORMAT}".', ("format",))
    for section, value in document.value.items():
        if section != "format" and section not in SECTIONS:
            raise document.bad(f"there is no section {section!r}.", (section,))
        if section != "format" and not isinstance(value, list):
            raise document.bad("a section is a list.", (section,))


def _digest(changes: Sequence[Change]) -> str:
    told = [(each.kind, each.subject, each.action, each.before, each.after) for each in changes]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One row of the file: where it stands, what it holds, and whose hand imports it."""

    document: Document
    path: Path
    item: Any
    act: Act

    def check_once(self, kind: type[Row], seen: set[Any]) -> None:
        """Every row is an object of known fields, with a name of its own."""
        if not isinstance(self.item, dict):
            raise self.bad("this is no object.")
        allowed = {*FIELDS[kind], *(NESTED if kind is Model else ())}
        for name in self.item:
            if name not in allowed:
                raise self.bad(f"there is no field {name!r}.", name)
        key = tuple(str(self.item.get(name)) for name in KEYS[kind])
        if key in seen:
            raise self.bad(f"{' '.join(key)} stands here twice.", KEYS[kind][0])
        seen.add(key)

    def bad(self, message: str, *more: str | int) -> BadFile:
        return self.document.bad(message, (*self.path, *more))

    def name(self, field: str) -> str:
        value = self.item.get(field)
        if not isinstance(value, str) or not value:
            raise self.bad("this has to be a name.", field)
        return value

    def values(self, kind: type[Row]) -> dict[str, Any]:
        """The fields that the file holds, other rows looked up by their names."""
        given = {name: self.item[name] for name in FIELDS[kind] if name in self.item}
        for name, value in given.items():
            expected = expected_of(kind, name)
            if value is not None and not fits(value, expected):
                raise self.bad(f"this has to be {WORDS[expected]}.", name)
        for name, other in NAMED.items():
            if given.get(name) is not None:
                given[name] = other.objects.filter(name=self.name(name)).first()  # type: ignore[attr-defined]
                if given[name] is None:
                    raise self.bad(f"there is no {name} {self.item[name]!r}.", name)
        return given

    def tried(self, verb: Callable[[], Change | None]) -> list[Change]:
        """What the verb changed; a refusal is told with its line."""
        try:
            change = verb()
        except Refused as refusal:
            raise self.bad(str(refusal), *((refusal.field,) if refusal.field else ())) from refusal
        return [change] if change else []

    def nested(self, name: str) -> list["Entry"]:
        """The rows inside of this one."""
        items = self.item.get(name, [])
        if not isinstance(items, list):
            raise self.bad("this has to be a list.", name)
        entries = [
            replace(self, path=(*self.path, name, place), item=item) for place, item in enumerate(items)
        ]
        seen: set[Any] = set()
        for entry in entries:
            entry.check_once(NESTED[name], seen)
        return entries

    def keep(self, row: Row, kind: type[Row]) -> list[Change]:
        """Adds or changes the row with what the file holds of it; the state of one that is there is moved, not set."""
        for name, value in self.values(kind).items():
            if name != "state" or not row.pk:
                setattr(row, name, value)
        verb = registry.change if row.pk else registry.add
        return self.tried(lambda: verb(row, act=self.act))


def _keep_host(entry: Entry) -> list[Change]:
    name = entry.name("name")
    return entry.keep(Host.objects.filter(name=name).first() or Host(), Host)


def _keep_endpoint(entry: Entry) -> list[Change]:
    name = entry.name("name")
    return entry.keep(Endpoint.objects.filter(name=name).first() or Endpoint(), Endpoint)


def _keep_server(entry: Entry) -> list[Change]:
    name = entry.name("endpoint")
    entry.name("host")
    return entry.keep(Server.objects.filter(endpoint__name=name).first() or Server(), Server)


def _keep_model(entry: Entry) -> list[Change]:
    alias = entry.name("alias")
    entry.name("endpoint")
    model = Model.objects.filter(alias=alias).first() or Model()
    changes = entry.keep(model, Model)
    state = entry.item.get("state", model.state)
    if state != model.state:
        changes += entry.tried(lambda: registry.move(model, state, act=entry.act))
    for each in sorted(entry.nested("prices"), key=_moment):
        changes += _keep_price(each, model)
    for each in entry.nested("competences"):
        changes += _keep_competence(each, model)
    return changes


def _moment(entry: Entry) -> datetime:
    try:
        moment = datetime.fromisoformat(entry.name("valid_from"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise entry.bad(
            "this has to be a time with its zone, such as 2026-11-26T12:00:00+00:00.", "valid_from"
        )
    return moment.astimezone(UTC)


def _keep_price(entry: Entry, model: Model) -> list[Change]:
    values = {**entry.values(Price), "valid_from": _moment(entry)}
    stored = model.prices.filter(valid_from=values["valid_from"]).first()
    if stored is None:
        return entry.tried(lambda: registry.add_price(Price(model=model, **values), act=entry.act))
    before = facts(stored)
    for name, value in values.items():
        setattr(stored, name, value)
    entry.tried(lambda: registry.checked(stored))
    if facts(stored) != before:
        raise entry.bad("from this time on another price holds, and history is not changed.", "valid_from")
    return []


def _keep_competence(entry: Entry, model: Model) -> list[Change]:
    category = entry.item.get("category", "")
    known = model.competences.filter(category=category).first() if isinstance(category, str) else None
    return entry.keep(known or Competence(model=model), Competence)


def _keep_role(entry: Entry) -> list[Change]:
    name, version = entry.name("name"), entry.item.get("version", 1)
    row = Role(**entry.values(Role))
    stored = Role.objects.filter(name=name, version=version).first() if isinstance(version, int) else None
    if stored is not None:
        if facts(stored) != facts(row):
            raise entry.bad(
                f"version {version} of {name} is another one here; give yours the next number.", "version"
            )
        return []
    changes = entry.tried(lambda: registry.add_role_version(row, act=entry.act))
    if not changes:
        raise entry.bad(f"it says what version {row.version} of {name} says, so it is no new one.", "version")
    if row.version != version:
        raise entry.bad(f"the next version of {name} is {row.version}, not {version!r}.", "version")
    return changes


KEYS: Mapping[type[Row], tuple[str, ...]] = {
    Host: ("name",),
    Endpoint: ("name",),
    Server: ("endpoint",),
    Model: ("alias",),
    Role: ("name", "version"),
    Price: ("valid_from",),
    Competence: ("category",),
}
KEEP: Mapping[type[Row], Callable[[Entry], list[Change]]] = {
    Host: _keep_host,
    Endpoint: _keep_endpoint,
    Server: _keep_server,
    Model: _keep_model,
    Role: _keep_role,
}
