"""Things of a room looked at closely: one number of the matrix, the exact words of a call, what an author changed."""

import copy
import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from deliberation import parts
from deliberation.models import Blob, Proposal
from deliberation.protocol.influence import moves
from deliberation.selectors import changes, influence
from deliberation.selectors.access import BLIND, OPEN
from tests import builders
from tests.builders import Table, opened

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def two_rounds(made_once: None) -> Table:
    table = opened(builders.person("reader")).staff()
    table.whole_round()
    return table.all_propose(("391", "391", "391"))


@pytest.fixture
def table(two_rounds: Table, db: None, monkeypatch: pytest.MonkeyPatch) -> Table:
    """One round is closed; the second has its proposals."""
    monkeypatch.setattr(parts, "sheets", parts.Sheets())  # of what a test before has undone
    return copy.deepcopy(two_rounds)


@pytest.fixture
def browser(table: Table) -> Client:
    client = Client()
    client.force_login(table.session.owner)
    return client


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())))


def look(client: Client, table: Table, query: str, *, htmx: bool = True, status: int = 200) -> str:
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.get(f"/sessions/{table.id}/?{query}", headers=headers)
    assert answer.status_code == status
    return text_of(answer)


def test_what_the_ballots_move_adds_up_to_the_net_support(table: Table) -> None:
    room = parts.fresh(table.id).room
    tally = room.outcomes[1].tally
    for seat, support in tally.net_support.items():
        moved = [moves(tally, voter, seat) for voter in tally.influence]
        assert sum(each for each in moved if each is not None) == pytest.approx(support)
    lines = influence.influence(room, audience=OPEN).lines
    assert sum(line.share or 0 for line in lines) == pytest.approx(1)
    assert [line.credits for line in lines] == pytest.approx([90] * 3)


@pytest.mark.parametrize(("rule", "costs", "adds_up"), [("median", True, False), ("linear", False, True)])
def test_what_a_rule_does_not_know_is_not_told(rule: str, costs: bool, adds_up: bool) -> None:
    """A median is no sum of parts; only roots cost their square."""
    table = builders.opened(builders.person("other"), max_rounds=1, rule=rule).staff()
    table.whole_round()
    room = parts.fresh(table.id).room
    a, _, c = table.agents
    lines = influence.influence(room, audience=OPEN).lines
    cell = influence.cell(room, f"1-{a}-{c}", audience=OPEN)
    assert cell is not None and cell.q is not None
    assert [each.credits is not None for each in (*lines, cell)] == [costs] * 4
    assert (cell.moves is not None, cell.without is not None) == (adds_up, adds_up)
    assert any(line.moves is not None for line in lines) == adds_up
    shown = parts.fresh(table.id).html("influence", OPEN)
    assert [shown.count(f'<td class="num">{each}</td>') for each in ("90", "-")] == (
        [3, 0] if costs else [0, 3]
    )


def test_a_struck_ballot_moves_nothing(table: Table) -> None:
    for seat in table.agents:
        table.review(seat, dict.fromkeys(set(table.agents) - {seat}, 40))
    table.strike(builders.person("judge"), table.agents[0], kind="ballot")
    first, *others = influence.influence(parts.fresh(table.id).room, audience=OPEN).lines
    assert (first.struck, first.share, first.moves) == (True, None, None)
    assert [line.share for line in others] == pytest.approx([0.5, 0.5])


def test_a_number_of_the_matrix_tells_what_it_does(table: Table, browser: Client) -> None:
    a, b, c = table.agents
    said = look(browser, table, f"cell=1-{a}-{c}")
    tally = parts.fresh(table.id).room.outcomes[1].tally
    other = tally.influence[b][c]
    assert "30.0 of 100 credits" in said
    assert f"without this ballot −{abs(other):.2f}".replace("−0", "−") in said
    assert "It says 381." in said
    assert "I checked it by hand." in said
    page = look(browser, table, f"cell=1-{a}-{c}", htmx=False)
    assert "30.0 of 100 credits" in page
    assert "Score matrix" in page


def test_the_exact_words_of_a_call_are_those_of_the_trail(table: Table, browser: Client) -> None:
    seat = table.agents[0]
    made = Proposal.objects.get(round__session=table.session, round__number=2, participant__seat=seat)
    shown = look(browser, table, f"exchange=2-{seat}-propose")
    for message in json.loads(bytes(made.prompt.content)):
        assert re.sub(r"\s+", " ", message["content"]).strip() in shown
    assert bytes(made.reply.content).decode() in shown
    assert "It knew the proposals by other letters" not in shown
    assert "It knew the proposals by other letters" in look(browser, table, f"exchange=1-{seat}-review")


def test_what_came_of_every_attempt_is_there_whatever_a_model_sent(table: Table, browser: Client) -> None:
    reply = Proposal.objects.get(round__session=table.session, round__number=2, participant__seat=1).reply
    Blob.objects.filter(pk=reply.pk).update(content=b"\xff\x00 <script>alert(1)</script> \xed\xa0\x80")
    answer = browser.get(f"/sessions/{table.id}/?exchange=2-1-propose", headers={"HX-Request": "true"})
    assert "<script>alert" not in answer.content.decode()
    assert "&lt;script&gt;alert(1)" in answer.content.decode()


def test_a_lost_turn_shows_why(table: Table, browser: Client) -> None:
    table.abstain(table.agents[0], "review", "unauthorized")
    said = look(browser, table, f"exchange=2-{table.agents[0]}-review")
    assert "its server refused the key" in said
    assert "Nothing came back" in said


@pytest.mark.parametrize(
    "query",
    [
        "cell=1-1-1-1",
        "cell=9-1-2",
        "cell=x",
        "cell=",
        "exchange=1-1-think",
        "exchange=1-99-propose",
        "cell=1-1-²",
    ],
)
def test_nothing_there_is_said_plainly(table: Table, browser: Client, query: str) -> None:
    assert "There is nothing at this place" in look(browser, table, query, status=404)
    assert "There is nothing at this place" in look(browser, table, query, htmx=False, status=404)


def test_a_blind_person_is_told_to_cast_first() -> None:
    blind = opened(blind=True, human_window_s=60).staff()
    blind.all_propose()
    guest = Client()
    guest.force_login(blind.session.owner)
    for query in (f"cell=1-{blind.agents[0]}-{blind.agents[1]}", f"exchange=1-{blind.agents[0]}-propose"):
        assert "after your first ballot" in look(guest, blind, query, status=403)
    assert influence.influence(parts.fresh(blind.id).room, audience=BLIND).lines == ()


def test_a_changed_answer_is_told_on_the_card_and_word_by_word(table: Table, browser: Client) -> None:
    last = table.agents[-1]  # it said 381 first
    page = text_of(browser.get(f"/sessions/{table.id}/"))
    assert "Its answer was 381 in round 1." in page
    assert "Word for word the same as in round 1." in page
    shown = browser.get(
        f"/sessions/{table.id}/?exchange=2-{last}-propose", headers={"HX-Request": "true"}
    ).content.decode()
    assert re.search(r"<del>[^<]*381", shown)
    assert re.search(r"<ins>[^<]*391", shown)


def test_two_texts_are_compared_by_words() -> None:
    pieces = changes.compared("It is 381. Carry on.", "It is 391.\nCarry on now.")
    assert pieces is not None
    assert [(each.kind, each.text.strip()) for each in pieces] == [
        ("kept", "It is"), ("taken", "381."), ("added", "391."),
        ("kept", "Carry"), ("taken", "on."), ("added", "on now."),
    ]  # fmt: skip
    assert "".join(each.text for each in pieces if each.kind != "taken") == "It is 391.\nCarry on now."
    assert changes.compared("word " * (changes.WORDS_MOST + 1), "word") is None


def test_the_depth_is_in_the_address(table: Table, browser: Client) -> None:
    for asked, given in (("summary", "summary"), ("raw", "raw"), ("nonsense", "debate"), ("", "debate")):
        page = browser.get(f"/sessions/{table.id}/?depth={asked}").content.decode()
        assert f'data-depth="{given}"' in page
