"""What people change in the registry, one function per verb. Each writes the row and a line of its history.

Columns that workers write (health, benches, reports of hosts) are left alone: only what a person may set is saved.
"""

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError
from django.db.models import Model as Row
from django.utils import timezone

from broker import keys
from broker.models import Call, Change, Endpoint, Model, Price, Role, Server
from broker.services import health
from broker.services.changes import FIELDS, Act, Refused, facts, record
from broker.services.moved import check_unmoved
from broker.services.rules import check

# From each state, where a person may move a model. Draft is for one that never sat.
MOVES: Mapping[str, tuple[str, ...]] = {
    Model.State.DRAFT: (Model.State.SHADOW, Model.State.ACTIVE, Model.State.RETIRED),
    Model.State.SHADOW: (Model.State.ACTIVE, Model.State.RETIRED),
    Model.State.ACTIVE: (Model.State.SHADOW, Model.State.RETIRED),
    Model.State.RETIRED: (Model.State.SHADOW, Model.State.ACTIVE),
}


@transaction.atomic
def add(row: Row, *, act: Act) -> Change:
    """A new host, endpoint, server or model."""
    checked(row)
    _insert(row)
    return record(row, "added", act=act, before=None, after=facts(row))


def _insert(row: Row) -> None:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused(
            "Somebody else added this at the same moment. Nothing was saved; look again."
        ) from error


@transaction.atomic
def change(row: Row, *, act: Act, base: str = "") -> Change | None:
    """Saves what a person may set of a row that exists. None: nothing differs, and nothing was written.

    base: the stamp of what was on the screen. Raises Moved where that is no longer what is stored.
    """
    stored = type(row)._default_manager.select_for_update().get(pk=row.pk)
    checked(row, stored=stored)
    before, after = facts(stored), facts(row)
    if before == after:
        return None
    check_unmoved(row, base=base)
    row.save(update_fields=[name for name in FIELDS[type(row)] if name != "state"])
    if isinstance(row, Endpoint):
        health.endpoint_changed(row)
    return record(row, "changed", act=act, before=before, after=after)


def checked(row: Row, *, stored: Row | None = None) -> None:
    """Raises Refused, or leaves the row with values of the right types."""
    check(row, stored=stored)
    try:
        row.full_clean()
    except ValidationError as error:
        name, texts = next(iter(error.message_dict.items()))
        raise Refused(texts[0], field=name if name in FIELDS[type(row)] else None) from error


@transaction.atomic
def move(model: Model, state: str, *, act: Act) -> Change:
    """Another state, with the reason for it."""
    stored = Model.objects.select_for_update().get(pk=model.pk)
    if state not in MOVES[stored.state]:
        raise Refused(f"{model.alias} is {stored.state} and cannot become {state or 'that'}.")
    if not act.note.strip():
        raise Refused("Say why in a few words: the note stands in the model's history.", field="note")
    before = facts(stored)
    stored.state = model.state = state
    stored.save(update_fields=["state"])
    return record(stored, _moved(before["state"], state), act=act, before=before, after=facts(stored))


def _moved(before: str, after: str) -> str:
    if after == Model.State.RETIRED:
        return "retired"
    return f"made {after}" if before != Model.State.RETIRED else f"back as {after}"


@transaction.atomic
def delete(row: Row, *, act: Act) -> Change:
    """Takes a row away that nothing rests on. Of models only a draft that was never called and never sat."""
    if isinstance(row, Model):
        _check_never_used(row)
    if isinstance(row, Endpoint) and Server.objects.filter(endpoint=row).exists():
        raise Refused(f"{row} stays, since its host keeps a server up for it. Delete the server first.")
    told = record(row, "deleted", act=act, before=facts(row), after=None)
    try:
        row.delete()
    except ProtectedError as error:
        resting = ", ".join(sorted({str(each._meta.verbose_name) for each in error.protected_objects}))
        instead = "Retire it instead." if isinstance(row, Model) else "Take that away first."
        raise Refused(f"{row} stays, since something rests on it: {resting}. {instead}") from error
    return told


def _check_never_used(model: Model) -> None:
    if Call.objects.filter(model=model).exists():
        raise Refused(f"{model.alias} was called before, so its record stays. Retire it instead.")
    if model.state != Model.State.DRAFT:
        raise Refused(f"Only a draft can be deleted; {model.alias} is {model.state}. Retire it instead.")


@transaction.atomic
def set_key(endpoint: Endpoint, key: str, *, act: Act) -> Change:
    """Stores the key, encrypted and bound to the present host; an empty one removes it. The key is told nowhere."""
    keys.seal(endpoint, key)
    endpoint.save(update_fields=["sealed_key"])
    health.endpoint_changed(endpoint)
    return record(endpoint, "key set" if key else "key removed", act=act, before=None, after=None)


@transaction.atomic
def add_price(price: Price, *, act: Act) -> Change:
    """A new row from a moment on. What came before stays: sessions are costed at the price of their time."""
    price.valid_from = price.valid_from or timezone.now()
    check_moment(price)
    return add(price, act=act)


def check_moment(price: Price) -> None:
    """Refused where a price is known from that moment on or from a later one."""
    last = price.model.prices.aggregate(last=Max("valid_from"))["last"]
    if last is not None and (price.valid_from or timezone.now()) <= last:
        words = f"There is a price from {last:%Y-%m-%d %H:%M} UTC on; a new one begins after it."
        raise Refused(words, field="valid_from")


@transaction.atomic
def add_role_version(role: Role, *, act: Act, base: str = "") -> Change | None:
    """A role as it is from now on: version 1, or the one after the newest. None: it is as the newest is. base: as with
    change().
    """
    newest = Role.objects.select_for_update().filter(name=role.name).order_by("-version").first()
    role.pk, role.version = None, newest.version + 1 if newest else 1
    before = facts(newest) if newest else None
    if newest is not None and {**facts(newest), "version": role.version} == facts(role):
        role.pk, role.version = newest.pk, newest.version
        return None
    if newest is not None:
        check_unmoved(role, base=base)
    checked(role)
    _insert(role)
    return record(role, _role_action(newest, role), act=act, before=before, after=facts(role))


def _role_action(newest: Role | None, role: Role) -> str:
    if newest is None:
        return "added"
    if role.retired != newest.retired:
        return "retired" if role.retired else "back"
    return "changed"


@transaction.atomic
def adopt(endpoint: Endpoint, served: Iterable[str], *, act: Act) -> list[Model]:
    """Adds the models of these names that are not registered at the endpoint yet, as drafts."""
    known = set(endpoint.models.values_list("served_name", flat=True))
    missing = [name for name in dict.fromkeys(served) if name and name not in known]
    return [_adopted(endpoint, name, act=act) for name in missing]


def _adopted(endpoint: Endpoint, served: str, *, act: Act) -> Model:
    model = Model(
        endpoint=endpoint, served_name=served[:200], alias=free_alias(served), state=Model.State.DRAFT
    )
    add(model, act=act)
    return model


def free_alias(served: str) -> str:
    """A short unique name for people: the last part of the served name, numbered where it is taken."""
    plain = "".join(c if c.isascii() and c.isalnum() or c in "-_" else "-" for c in served.rsplit("/", 1)[-1])
    plain = plain[:70] or "model"
    taken = set(Model.objects.filter(alias__startswith=plain).values_list("alias", flat=True))
    names = (plain if n == 1 else f"{plain}-{n}" for n in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
