"""Which values of JSON a field of the registry takes."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Model as Row

WORDS: Mapping[Any, str] = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    (int, float): "a number",
    (str, int, float): "a number",
    object: "something else",
}


def expected_of(kind: type[Row], name: str) -> Any:
    """What JSON has to hold for a field."""
    match kind._meta.get_field(name):
        case models.BooleanField():
            return bool
        case models.IntegerField():
            return int
        case models.FloatField():
            return (int, float)
        case models.DecimalField():
            return (str, int, float)
        case models.JSONField():
            return object
    return str


def fits(value: Any, expected: Any) -> bool:
    """A truth value is no number, although Python takes it for one."""
    is_odd = isinstance(value, bool) and expected not in (bool, object)
    return isinstance(value, expected) and not is_odd
