"""What a person who has not cast is not to be told of a running session, and where it is told all the same."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from broker.models import Model
from deliberation.protocol.types import RoundOutcome
from deliberation.selectors import room
from tests.builders import Table
from tests.live.watching import element

# utility: follows from the policy and the round's number, and is full of numbers; the others: who may sit elsewhere.
PUBLIC = ("utility", "choices", "panel-choice")
RANKED = re.compile(r"(wins by|leads by|won round|>leads<|proposal winner)")
DECIMAL = re.compile(r"(?<![\w#.])(\d*\.\d+)(?![\w.])(?! s\b)")  # 0.4 s is a time, whatever the tally says
PERCENT = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?%")

SEARCHES = ("391", "checked", "multiplied", "wrong", "name")


@dataclass(frozen=True)
class Secrets:
    """names: of models. numbers: magnitudes of what the tally says. weights: of the agents' ballots, in credits."""

    names: frozenset[str]
    numbers: frozenset[float]
    weights: frozenset[int]

    def told(self, html: str) -> set[str]:
        """Those that stand anywhere in the HTML, in its words or in its attributes."""
        names = {name for name in self.names if name in html.lower()}
        signed = "|".join(str(weight) for weight in self.weights) or "none"
        weights = set(re.findall(rf"[+\u2212-](?:{signed})(?![\w.])", html))
        seen = decimals(html)
        numbers = {f"{each:.4f}" for each in self.numbers if near(each, seen)}
        return names | weights | numbers | set(RANKED.findall(html))


def decimals(html: str) -> set[float]:
    shares = {float(each) / 100 for each in PERCENT.findall(html)}
    return shares | {float(each) for each in DECIMAL.findall(html)}


def near(number: float, seen: Collection[float]) -> bool:
    """To the two digits that screens show."""
    return any(abs(number - each) < 0.005 for each in seen)


def secrets(table: Table, *, public: Collection[float]) -> Secrets:
    """Of the session as it stands. `public`: numbers that stood there before there was anything to hide."""
    found = room.load(table.id)
    outcomes = [*found.outcomes.values(), *filter(None, [found.provisional])]
    numbers = {abs(number) for outcome in outcomes for number in _numbers(outcome)}
    weights = {
        round(abs(weight))
        for (_, seat), ballot in found.ballots.items()
        for weight in ballot.weights.values()
        if seat in found.agents and weight
    }
    return Secrets(
        names=frozenset(Model.objects.values_list("alias", flat=True)),
        numbers=frozenset(each for each in numbers if not near(each, {0.0, 1.0, *public})),
        weights=frozenset(weights),
    )


def _numbers(outcome: RoundOutcome) -> Iterator[float]:
    tally = outcome.tally
    yield tally.conviction
    yield tally.margin or 0.0
    yield outcome.evidence.total
    yield from (each for each in tally.net_support.values() if each is not None)
    for influence in tally.influence.values():
        yield from (q for q in influence.values() if q is not None)


def without_public(html: str) -> str:
    """A page or a message without the parts that hang on no ballot."""
    for name in PUBLIC:
        if f'id="{name}"' in html:
            html = html.replace(element(html, name), "")
    return html


def documents(client: Client, table: Table, known: Mapping[str, Any]) -> dict[str, str]:
    """Everything that can be fetched about a session, by its address, without what hangs on no ballot."""
    parts = [
        reverse("sessions"),
        *_queries(table),
    ]  # what htmx asks for; without it a query adds its form to the page
    asked = [(each, {}) for each in (*_addresses(known), parts[-1])]
    asked += [(each, {"HX-Request": "true"}) for each in parts]
    return {
        f"{address} {headers}": without_public(client.get(address, headers=headers).content.decode())
        for address, headers in asked
    }


def _addresses(known: Mapping[str, Any]) -> Iterator[str]:
    for name, parameters in _routes(get_resolver()):
        if name.startswith(("registry_", "broker", "estimate")):
            continue  # which models exist, and who would sit elsewhere; who sits here, the broker's pages tell to staff
        yield reverse(name, kwargs={each: known[each] for each in parameters})


def _routes(resolver: URLResolver) -> Iterator[tuple[str, list[str]]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield str(each.name), list(each.pattern.converters)
        elif each.namespace != "admin":
            yield from _routes(each)


def _queries(table: Table) -> Iterator[str]:
    """The forms of the room and what it shows closely, its past, its comparison, its recount, and the search in it."""
    here = reverse("room", kwargs={"session_id": table.id})
    found = room.load(table.id)
    yield f"{here}?ballot={found.session.round}"
    yield from (f"{here}?strike=proposal-{number}-{seat}" for number, seat in found.proposals)
    yield from (f"{here}?strike=ballot-{number}-{seat}" for number, seat in found.ballots)
    voters = [seat for _, seat in found.ballots]
    yield from (f"{here}?cell={number}-{v}-{seat}" for number, seat in found.proposals for v in voters)
    yield from (f"{here}?exchange={number}-{seat}-propose" for number, seat in found.proposals)
    yield from (f"{here}?exchange={number}-{seat}-review" for number, seat in found.ballots)
    yield from (f"{here}replay/?at={seq}" for seq in range(0, found.seq + 1, 3))
    yield f"{reverse('compare')}?a={table.id}&b={table.id}&all=1"
    yield f"{here}what-if/?format=json"
    yield from (f"{reverse('sessions')}?q={text}" for text in SEARCHES)
    yield from (f"{reverse('sessions')}?q={text}&trails=on&order=best" for text in SEARCHES)
    yield from (f"{reverse('sessions')}?trails=on&actor={who}" for who in ("person", "agent", "system"))
    yield from (f"{reverse('jump')}?q={text}" for text in SEARCHES)
