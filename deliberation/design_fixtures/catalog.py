"""The design page's list of parts: each with its states, rendered by the very template of the room."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from deliberation import parts
from deliberation.design_fixtures import (
    cards,
    charting,
    counting,
    ending,
    forms,
    glancing,
    looking,
    steering,
    taking_part,
)
from deliberation.design_fixtures.base import ANOTHER, SESSION, State
from deliberation.selectors.access import OPEN


@dataclass(frozen=True)
class Part:
    """width: narrow as the room's left column, side as its right one, text as its middle, full as the page."""

    name: str
    title: str
    width: str
    states: Callable[[], tuple[State, ...]]


GROUPS: Mapping[str, tuple[Part, ...]] = {
    "The session": (
        Part("strip", "Strip", "full", glancing.strips),
        Part("actions", "Actions", "text", glancing.actions),
        Part("verdict", "Verdict", "full", ending.verdicts),
        Part("rail", "Rounds", "narrow", glancing.rails),
        Part("timeline", "Events", "narrow", steering.timelines),
    ),
    "Who takes part": (
        Part("people", "People", "narrow", taking_part.people),
        Part("present", "Present", "narrow", taking_part.present),
        Part("panel", "Panel", "text", taking_part.panels),
    ),
    "Proposals": (
        Part("proposal", "Proposal", "text", cards.proposal_cards),
        Part("proposals", "Rounds of proposals", "text", cards.rounds),
        Part("guidance", "Guidance", "text", steering.guidance),
        Part("exchange", "Exact words of a call", "text", looking.exchanges),
    ),
    "Counting": (
        Part("tally", "Tally", "side", counting.tallies),
        Part("matrix", "Score matrix", "side", counting.matrices),
        Part("cell", "One number of the matrix", "side", looking.cells),
        Part("influence", "Influence", "side", counting.influences),
        Part("evidence", "Conviction and evidence", "side", charting.evidences),
        Part("utility", "Expected utility", "side", charting.utilities),
        Part("vetoes", "Vetoes", "side", steering.vetoes),
    ),
    "Taking part": (
        Part("waiting", "Your turn", "text", forms.turns),
        Part("offer", "Offer of a ballot", "side", cards.offers),
        Part("ballot_form", "My ballot", "side", forms.ballots),
        Part("effect", "Effect of a ballot", "side", forms.effects),
        Part("veto_form", "Veto", "text", forms.veto_forms),
        Part("guidance_form", "Guidance, being written", "text", forms.guidance_forms),
        Part("own_form", "My proposal", "text", forms.own_forms),
        Part("overturn_form", "Overturning", "text", forms.overturns),
        Part("stop_form", "Stop", "text", forms.stops),
        Part("said", "What a form was told", "text", forms.answers),
    ),
}
PLOTS = {"evidence": "evidence-plot", "utility": "utility-plot"}
BARE = ("proposal", "proposals", "verdict", "strip", "waiting")  # they bring their own frame
HERE = re.compile(r'(?<=\s)(id|for|aria-labelledby|aria-describedby|data-figure|form)="([^"]*)"')
ADDRESS = re.compile(rf'\b(href|action|formaction)="(?:[^"]*(?:{SESSION}|{ANOTHER})[^"]*|[?#][^"]*)"')
ACTS = re.compile(r"""\s(?:hx-(?!disable)[\w-]+|data-open|data-look)(?:=(?:"[^"]*"|'[^']*'))?(?=[\s>])""")


@dataclass(frozen=True)
class Shown:
    """A state as the page shows it. plot: id of the chart's frame, where there is one."""

    id: str
    words: str
    html: SafeString
    plot: str | None


@dataclass(frozen=True)
class ShownPart:
    name: str
    title: str
    width: str
    framed: bool
    states: tuple[Shown, ...]


def shown() -> dict[str, tuple[ShownPart, ...]]:
    """All of it, by group."""
    return {title: tuple(_part(each) for each in group) for title, group in GROUPS.items()}


def _part(part: Part) -> ShownPart:
    states = tuple(_state(part.name, each) for each in part.states())
    return ShownPart(part.name, part.title, part.width, part.name not in BARE, states)


def _state(part: str, state: State) -> Shown:
    key = f"{part}-{state.name}"
    plot = f"{PLOTS[part]}--{key}" if part in PLOTS else None
    return Shown(key, state.words, apart(rendered(part, state), key), plot)


def rendered(part: str, state: State) -> SafeString:
    """By the room's own template."""
    view = state.context.get("view")
    more = parts.EXTRAS[part](_Cards(), view, OPEN) if part in parts.EXTRAS else {}  # type: ignore[arg-type]
    context = {"csrf_token": "none", **state.context, **more}
    return render_to_string(f"deliberation/_{part}.html", context)


class _Cards:
    """Stands for the sheet of a room: the cards of its rounds are fixtures too."""

    def html(self, part: str, audience: str, key: str) -> SafeString:
        return rendered(part, State(key, "", {"view": cards.IN_ROUNDS[key]}))


def apart(html: str, key: str) -> SafeString:
    """A part beside others of its name: its ids are its own, its links and forms lead to itself, it asks no server."""
    alone = ADDRESS.sub(rf'\1="#{key}"', ACTS.sub("", html)).replace('method="post"', 'method="get"')
    return mark_safe(HERE.sub(lambda found: _own(found, key), alone))  # noqa: S308  a rendered template


def _own(found: re.Match[str], key: str) -> str:
    names: Any = (f"{name}--{key}" for name in found[2].split())
    return f'{found[1]}="{" ".join(names)}"'
