"""What the room says of money, of those who are lost, and of an end without a round: the same everywhere."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from broker.models import Endpoint
from deliberation import parts
from deliberation.selectors import ending, evidence, glance, losses, seating, words
from deliberation.selectors.access import BLIND, OPEN
from deliberation.selectors.room import Room, load
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db


def client(user: User) -> Client:
    found = Client()
    found.force_login(user)
    return found


def finished(table: Table) -> Table:
    while table.state not in ("concluded", "failed"):
        table.whole_round()
    return table


def lost_two() -> Table:
    """Of three agents the last gives no proposal, and for another reason no ballot."""
    table = builders.opened(max_rounds=1).staff()
    first, second, third = table.agents
    table.propose(first).propose(second, "381").abstain(third, "propose", "timed_out")
    table.advance()
    table.review(first, {second: -40}).review(second, {first: 60}).abstain(third, "review", "server_error")
    return table


def room_of(table: Table) -> Room:
    return load(table.id)


@pytest.mark.usefixtures("solver_here")
def test_simulated_experts_have_no_price_on_any_page() -> None:
    owner = builders.person("owner")
    table = finished(builders.opened(owner, max_rounds=2).staff())
    browser = client(owner)

    pages = {path: browser.get(path).content.decode() for path in ("/", "/new/", f"/sessions/{table.id}/")}

    assert {path: page.count("$0.00") for path, page in pages.items()} == dict.fromkeys(pages, 0)
    assert ">none</span>" in pages["/"]
    assert "At most: none (simulated)" in pages["/new/"]
    assert pages[f"/sessions/{table.id}/"].count("none (simulated)") == 2  # the strip and the verdict


def test_models_that_cost_nothing_are_no_simulation() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, max_rounds=1).staff()
    table.session.participants.update(simulated=False)
    Endpoint.objects.update(kind=Endpoint.Kind.OPENAI_COMPATIBLE, base_url="http://127.0.0.1:9/v1")
    finished(table)

    page = client(owner).get(f"/sessions/{table.id}/").content.decode()

    assert "none (simulated)" not in page
    assert "$0.00" in page


def test_who_is_lost_is_lost_for_one_reason_on_every_screen() -> None:
    table = lost_two()
    running = losses.so_far(room_of(table))
    table.advance()
    verdict = ending.verdict(room_of(table), audience=OPEN).verdict

    assert running == "2 of 3 answered. Lost: agent C (timed out)."
    assert verdict is not None
    assert verdict.degraded is not None
    assert verdict.degraded.startswith(f"{running} Could they have flipped it? ")
    assert glance.strip(room_of(table), audience=OPEN).degraded == verdict.degraded


def test_the_receipt_says_what_each_adds_to_the_team_and_what_its_accuracy_rests_on() -> None:
    panel = seating.panel(room_of(builders.opened().staff()), audience=OPEN)

    assert {seat.reason for seat in panel.seats} == {line.reason for line in panel.lines if line.chosen}
    for line in panel.lines:
        if line.chosen:
            assert re.fullmatch(r"with it V is \.\d+, without it \.\d+", line.reason)
        assert line.accuracy is not None and (line.low, line.high) == (None, None)
        assert line.basis == "made so (simulated)"
        assert line.simulated


def test_before_the_first_closed_round_the_chart_says_what_it_waits_for() -> None:
    table = builders.opened(blind=True, effort=0.5).staff()
    waiting = evidence.evidence(room_of(table), audience=OPEN)
    hidden = evidence.evidence(room_of(table), audience=BLIND)
    table.session.refresh_from_db()

    assert (waiting.rounds, waiting.empty) == ((), "no round has closed yet")
    assert waiting.target is not None
    assert waiting.target > 0
    assert (hidden.rounds, hidden.empty, hidden.target) == (
        (),
        "shown after your first ballot",
        waiting.target,
    )
    figure = parts.Sheet(room_of(table)).html("evidence", OPEN)
    assert "no round has closed yet" in figure
    assert '"name":"threshold"' in figure


def test_the_first_closed_round_needs_what_the_chart_promised_where_everybody_cast() -> None:
    table = builders.opened(max_rounds=3, effort=0.5).staff()
    promised = evidence.evidence(room_of(table), audience=OPEN).target
    table.whole_round()

    (_, first), *_ = evidence.evidence(room_of(table), audience=OPEN).rounds
    assert first.coverage == 1
    assert first.target == pytest.approx(promised)


def test_an_end_without_a_panel_promises_nothing() -> None:
    table = builders.opened(panel_size=[90, 90])
    table.staff()
    sheet = parts.Sheet(room_of(table))

    said = {
        name: sheet.html(name, OPEN)
        for name in ("verdict", "rail", "panel", "proposals", "tally", "evidence")
    }

    assert table.state == "failed"
    assert "The panel needs 90 models and 5 of 5 can sit" in said["verdict"]
    assert "No round was opened." in said["rail"]
    assert "No panel could be seated: the panel needs 90 models" in said["panel"]
    assert "No round was opened" in said["proposals"]
    assert "There was nothing to count." in said["tally"]
    assert "no round was closed" in said["evidence"]


def test_a_verdict_of_an_earlier_round_says_who_won_the_last() -> None:
    table = builders.opened(max_rounds=2, effort=1).staff()
    table.whole_round()
    table.all_propose(("7", "8", "9"))
    for seat in table.agents:
        table.review(
            seat, {each: 4 if each == table.agents[-1] else -4 for each in table.agents if each != seat}
        )
    table.advance()
    found = ending.verdict(room_of(table), audience=OPEN).verdict

    assert found is not None
    assert found.round == 1
    assert "Round 2 was won by C; the verdict is the best supported of all rounds." in found.doubts


@pytest.mark.parametrize(
    ("winner", "margin", "ended", "said"),
    [
        (2, 0.314, True, "B wins by .31"),
        (2, 0.314, False, "B leads by .31"),
        (2, 0.0, True, "B wins on a tie"),
        (2, 0.004, False, "B leads by less than .01"),
        (2, 0.005, True, "B wins by .01"),
        (2, None, True, "B wins; there is no other answer"),
        (None, None, True, "Nobody won"),
        (None, None, False, "Nobody leads yet"),
    ],
)
def test_who_wins_and_by_how_much(winner: int | None, margin: float | None, ended: bool, said: str) -> None:
    assert words.wins_by(winner, margin=margin, ended=ended) == said


def test_a_verdict_after_a_tie_says_what_decided() -> None:
    table = builders.opened(max_rounds=1, equivalence="none").staff()
    table.all_propose(("1", "2", "3"))
    first, second, third = table.agents
    table.review(first, {second: 40, third: 40}).review(second, {first: 40, third: 40})
    table.review(third, {first: 40, second: 40})
    table.advance()
    found = ending.verdict(room_of(table), audience=OPEN).verdict

    assert found is not None
    assert found.sure[0].endswith("wins on a tie in round 1.")
    assert found.doubts[0].startswith("A, B and C stood equal; ")
