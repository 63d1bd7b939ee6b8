"""The address of a filtered list: what it asks for in its shortest form, and the same without one of the filters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from deliberation.forms_sessions import FilterForm
from deliberation.selectors.asking import Wanted
from deliberation.selectors.sessions import FLAGS
from deliberation.selectors.trails import KINDS

NAMES = {"text": "q", "flags": "flag"}  # parameters that are not called like the field


@dataclass(frozen=True)
class Chip:
    """One filter that is set. address: of the list without it; loosens: whether something is found there."""

    name: str
    words: str
    address: str
    loosens: bool = False


def query(wanted: Wanted) -> str:
    """The parameters of the address; empty where everything is asked for."""
    pairs: list[tuple[str, Any]] = []
    for field, value in vars(wanted).items():
        name = NAMES.get(field, field)
        if value is True:
            pairs.append((name, "on"))
        elif isinstance(value, tuple):
            pairs += [(name, each) for each in value]
        elif value:
            pairs.append((name, value))
    return urlencode(pairs)


def address(wanted: Wanted) -> str:
    parameters = query(wanted)
    return reverse("sessions") + (f"?{parameters}" if parameters else "")


def page_address(wanted: Wanted, page: int) -> str:
    """The same, of a page of the list that is not the first."""
    here = address(wanted)
    if page == 1:
        return here
    return f"{here}{'&' if '?' in here else '?'}page={page}"


def alternatives(wanted: Wanted) -> dict[str, Wanted]:
    """Without one of the filters each, by the filter's name. A flag's name is "flag FLAG"."""
    single = ("text", "state", "policy", "category", "who", "since", "until", "kind", "actor")
    empty = Wanted()
    found = {
        name: replace(wanted, **{name: getattr(empty, name)}) for name in single if getattr(wanted, name)
    }
    for flag in wanted.flags:
        found[f"flag {flag}"] = replace(wanted, flags=tuple(each for each in wanted.flags if each != flag))
    return found


def chips(wanted: Wanted, form: FilterForm, *, loosening: Iterable[str] = ()) -> list[Chip]:
    """The filters that are set, in words."""
    loosens = set(loosening)
    return [
        Chip(name, _words(name, wanted, form), address(without), name in loosens)
        for name, without in alternatives(wanted).items()
    ]


def _words(name: str, wanted: Wanted, form: FilterForm) -> str:
    if name.startswith("flag "):
        return FLAGS[name.removeprefix("flag ")].word
    value = getattr(wanted, name)
    fixed: Mapping[str, str] = {
        "text": f"\u201c{value}\u201d",
        "state": str(value),
        "policy": f"policy {value}",
        "category": f"category {value}",
        "since": f"from {value}",
        "until": f"until {value}",
        "kind": KINDS.get(str(value), str(value)),
    }
    return fixed[name] if name in fixed else _choice(form, name, value)


def _choice(form: FilterForm, name: str, value: str) -> str:
    choices: Any = form.fields[name]
    return str(dict(choices.choices)[value]).lower().replace("i ", "I ", 1)
