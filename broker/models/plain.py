"""Rows by plain SQL, as instances of their models: for what every step of every session reads and writes, and for
nothing else. To build and compile such a statement takes Django five to ten times as long as to have it answered.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field, JSONField, Model


def read(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that any statement gives, as the driver gives them: JSON is text. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def write(sql: str, params: Sequence[Any] = ()) -> None:
    """One statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def rows(
    rest: str, params: Sequence[Any] = (), *, more: Sequence[str] = (), **kinds: type[Model]
) -> list[tuple[Any, ...]]:
    """SELECT the columns of `kinds`, each a table of `rest` by its name there, then `more`; FROM and so on as `rest`
    has it. Gives an instance of each kind, None for a row of nulls, then the values of `more`. One statement.
    """
    wanted = ", ".join([*(_columns(kind, name) for name, kind in kinds.items()), *more])
    return [_cut(tuple(kinds.values()), row) for row in read(f"SELECT {wanted} {rest}", params)]


def save(row: Model, *names: str) -> None:
    """Writes these fields of a row that is there. One statement."""
    fields = [row._meta.get_field(name) for name in names]
    pk = row._meta.pk
    given = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [_stored(field, getattr(row, field.attname)) for field in (*fields, pk)]
    write(f'UPDATE "{row._meta.db_table}" SET {given} WHERE "{pk.column}" = %s', values)


def _stored(field: Field, value: Any) -> Any:
    return field.get_db_prep_save(value, connection)


def _cut(kinds: Sequence[type[Model]], row: Sequence[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    start = 0
    for kind in kinds:
        end = start + len(kind._meta.concrete_fields)
        found.append(_made(kind, row[start:end]))
        start = end
    return (*found, *row[start:])


def _made(kind: type[Model], values: Sequence[Any]) -> Any:
    """The instance that these columns are of; None where its key is null."""
    names, key, of_json = _shape(kind)
    if values[key] is None:
        return None
    values = list(values)
    for place, field in of_json:
        values[place] = field.from_db_value(values[place], None, connection)
    return kind.from_db(connection.alias, names, values)


@cache
def _columns(kind: type[Model], name: str) -> str:
    """Of the table that is called `name` in the statement, in the order in which _made() takes them."""
    return ", ".join(f'"{name}"."{field.column}"' for field in kind._meta.concrete_fields)


@cache
def _shape(kind: type[Model]) -> tuple[list[str], int, list[tuple[int, Any]]]:
    """The names of its fields, the place of its key, and the places of JSON."""
    fields = kind._meta.concrete_fields
    of_json = [(place, field) for place, field in enumerate(fields) if isinstance(field, JSONField)]
    return [field.attname for field in fields], fields.index(kind._meta.pk), of_json
