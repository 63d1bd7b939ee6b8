"""The design page shows every part in every state, by the templates of the room, and reaches no session."""

import re
from collections import Counter

import pytest
from django.template import Template
from django.test import Client
from django.test.signals import template_rendered

from deliberation import parts
from deliberation.design_fixtures import catalog, tokens
from deliberation.design_fixtures.base import SESSION
from tests import builders

SHOWN = {part.name: part for group in catalog.GROUPS.values() for part in group}
STATES = {
    "strip": "staffing proposing reviewing waiting paused stopping concluded failed degraded simulated capped blind",
    "actions": "running paused more stopping",
    "verdict": "none short long tie degraded failed simulated overturned",
    "rail": "before running blind ended",
    "people": "none seated blind",
    "panel": "choosing conflict receipt simulated blind",
    "proposal": "writing made long maths abstained missing struck won leads changed same blind person",
    "proposals": "staffing rounds empty",
    "tally": "early hidden provisional closed vetoed recount tie twelve",
    "matrix": "none hidden provisional closed vetoed twelve",
    "influence": "none hidden provisional closed twelve",
    "evidence": "early hidden running ended",
    "utility": "early running endless",
    "vetoes": "none standing asked confirmed blind ended",
    "guidance": "none left",
    "timeline": "first running",
    "offer": "open closed early",
    "ballot_form": "early open cast overtaken refused struck closed ended",
    "effect": "known refused",
    "veto_form": "proposal ballot two asked",
    "guidance_form": "empty in-prompt refused",
    "own_form": "empty refused",
    "overturn_form": "offered asked stands",
    "cell": "cast person unweighed struck",
    "exchange": "counts changed again",
}

INCLUDED = ("asked", "change", "due", "event", "happened", "judged", "your_turn")


@pytest.fixture(scope="module")
def shown() -> dict[str, catalog.Shown]:
    return {state.id: state for group in catalog.shown().values() for part in group for state in part.states}


def test_every_part_of_the_room_is_there() -> None:
    assert set(parts.VIEWS) <= set(SHOWN)
    assert set(parts.VIEWS) <= set(STATES)


@pytest.mark.parametrize("part", STATES)
def test_a_part_is_shown_in_every_state(part: str) -> None:
    names = [state.name for state in SHOWN[part].states()]

    assert set(STATES[part].split()) <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("part", sorted(SHOWN))
def test_the_states_of_a_part_look_different(part: str) -> None:
    rendered = [catalog.rendered(part, state) for state in SHOWN[part].states()]

    assert len(set(rendered)) == len(rendered)


def test_every_id_is_there_once_and_what_names_one_finds_it(shown: dict[str, catalog.Shown]) -> None:
    html = "".join(state.html for state in shown.values())
    frames = [state.plot for state in shown.values() if state.plot]
    ids = Counter([*re.findall(r'\bid="([^"]*)"', html), *shown, *frames])
    named = re.findall(r'\s(?:for|aria-labelledby|aria-describedby|data-figure)="([^"]*)"', html)

    assert [each for each, times in ids.items() if times > 1] == []
    assert {each for names in named for each in names.split()} <= set(ids)


def test_nothing_on_it_asks_the_server_or_leads_to_a_session(shown: dict[str, catalog.Shown]) -> None:
    for state in shown.values():
        assert str(SESSION) not in re.sub(r'id="[^"]*"', "", state.html), state.id
        assert not re.search(r"\shx-(?!disable)", state.html), state.id
        assert 'method="post"' not in state.html, state.id


@pytest.mark.parametrize("pair", tokens.contrasts(), ids=lambda pair: f"{pair.front} on {pair.back}")
def test_colours_that_meet_can_be_told_apart(pair: tokens.Contrast) -> None:
    assert min(pair.light, pair.dark) >= pair.least


def test_contrast_is_reckoned_as_wcag_says() -> None:
    black, white, grey = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0x77 / 255,) * 3

    assert tokens.ratio(black, white) == tokens.ratio(white, black) == pytest.approx(21)
    assert tokens.ratio(grey, white) == pytest.approx(4.48, abs=0.005)
    assert tokens.colour("surface", dark=False) == white
    assert tokens.colour("accent", dark=True) != tokens.colour("accent", dark=False)


@pytest.mark.django_db
def test_the_page_is_for_staff(client: Client) -> None:
    maker = builders.person("maker")
    client.force_login(maker)
    assert client.get("/design/").status_code == 403
    maker.is_staff = True
    maker.save()
    page = client.get("/design/").content.decode()
    for part in SHOWN:
        assert f'id="part-{part}"' in page
        assert f'href="#part-{part}"' in page
    assert 'id="tally-tie"' in page


def test_what_the_parts_include_is_seen_too() -> None:
    seen: set[str] = set()

    def note(*, template: Template, **_: object) -> None:
        seen.add(str(template.name).removeprefix("deliberation/_").removesuffix(".html"))

    template_rendered.connect(note)
    catalog.shown()
    template_rendered.disconnect(note)
    assert {*SHOWN, *INCLUDED} <= seen
