"""The page of a verdict answers what people ask of it: the answer, how sure, why, and what it cost."""

import re
from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from broker.models import Call
from deliberation import formats
from deliberation.selectors import decisive, ending
from deliberation.selectors.access import OPEN
from deliberation.services import people
from tests import builders
from tests.builders import Table
from tests.deliberation.verdict_pages import concluded, look, page_of, room_of

pytestmark = pytest.mark.django_db


def decided_by_one() -> Table:
    """A and B stand for 391, C for 381. Without the ballot of A the answer is B's or C's."""
    table = builders.opened(max_rounds=1, equivalence="none").staff()
    table.all_propose(("391", "390", "381"))
    first, second, third = table.agents
    table.review(first, {second: 90, third: -40})
    table.review(second, {first: 20, third: 60})
    table.review(third, {first: 30, second: -10})
    table.advance()
    return table


def test_the_answer_stands_first_with_how_sure_it_is() -> None:
    words = look(concluded()).words.split("of a deliberation")[1]

    assert words.index("What is 17*23?") < words.index("Answer 391") < words.index("How sure, and why")
    numbers = r"Net support \+\d*\.\d\d .* Margin \d*\.\d\d .* Conviction \+\d*\.\d\d .* Coverage 100 %"
    assert re.search(rf"{numbers} .* Why it won A wins by \d*\.\d\d in round", words)


def test_the_margin_is_the_lead_over_the_best_other_answer() -> None:
    table = concluded(max_rounds=1)
    verdict = ending.verdict(room_of(table), audience=OPEN).verdict
    tally = room_of(table).outcomes[1].tally

    assert verdict is not None and tally.winner is not None and tally.runner_up is not None
    lead = (tally.net_support[tally.winner] or 0) - (tally.net_support[tally.runner_up] or 0)
    assert verdict.margin == pytest.approx(lead)
    assert any(
        each.startswith("Its net support is +") and "the best other answer" in each for each in verdict.sure
    )


def test_the_ballot_that_mattered_most_is_named_with_who_wins_without_it() -> None:
    table = decided_by_one()
    room = room_of(table)
    ballots = decisive.without_each(room)
    winner = room.outcomes[1].tally.winner

    flips = {each.seats[0] for each in ballots if each.flips}
    assert flips == set(room.verdict.pivotal or ()) if room.verdict else False
    assert ballots[0].flips
    said = decisive.mattered(room, ballots)
    assert said is not None
    assert re.fullmatch(r"The ballot of agent [ABC] mattered most: without it [ABC] wins by [\d.]+\.", said)
    assert f"without it {'_ABC'[winner or 0]} wins" not in said
    assert said in look(table).words


def test_the_ballot_that_mattered_most_is_struck_in_what_if_by_a_link_with_the_same_winner() -> None:
    table = decided_by_one()
    browser = Client()
    browser.force_login(table.session.owner)
    html = browser.get(reverse("verdict", args=[table.id])).content.decode()
    (link,) = re.findall(r'<a class="to-act" href="([^"]+)">Strike it in What if</a>', html)
    first = page_of(table).first
    told = browser.get(f"{link}&format=json")

    assert first is not None
    assert link == f"{reverse('what_if', args=[table.id])}?ballot=1-{first.seats[0]}"
    assert told.status_code == 200
    winner = told.json()["what_if"]["proposal"]
    assert first.words.startswith(f"{'_ABC'[winner]} wins")


def test_a_ballot_that_decides_it_alone_is_never_denied() -> None:
    table = builders.opened(max_rounds=1, panel_size=[2, 2], equivalence="none").staff()
    first, second = table.agents
    table.propose(first, "391").propose(second, "381")
    table.advance()
    table.review(first, {second: 20}).review(second, {first: 60})
    table.advance()
    words = look(table).words

    assert room_of(table).outcomes[1].tally.pivotal is None  # two ballots are too few to tell
    assert "mattered most: without it B wins" in words
    assert "What speaks against it A single ballot decided it." in words
    assert "no ballot that alone decided it" not in words


def test_where_the_largest_class_wins_the_lead_is_told_in_its_sums() -> None:
    table = concluded(max_rounds=1, winner_by="class")
    tally = room_of(table).outcomes[1].tally
    verdict = ending.verdict(room_of(table), audience=OPEN).verdict

    assert verdict is not None and verdict.margin is not None and tally.runner_up is not None
    sums = [sum(tally.net_support[each] or 0 for each in group.members) for group in tally.classes]
    assert verdict.margin == pytest.approx(max(sums) - min(sums))
    said = " ".join(verdict.sure)
    assert (
        f"together have {formats.signed(max(sums))}; those of C's, the best other, {formats.signed(min(sums))}."
        in said
    )
    assert "Its net support is" not in said


def test_where_no_ballot_decides_it_says_so_and_still_names_one() -> None:
    room = room_of(concluded(max_rounds=1))
    said = decisive.mattered(room, decisive.without_each(room))

    assert said is not None
    assert re.fullmatch(
        r"No single ballot decided the answer\. That of agent [ABC] mattered most: without it [ABC] wins by [\d.]+\.",
        said,
    )


def test_leaving_nobody_out_counts_the_same_round_again() -> None:
    room = room_of(decided_by_one())
    tally = room.outcomes[1].tally
    again = decisive.without(room, tally, seats=())

    assert again.lead == tally.margin
    assert not again.flips


def person_decides() -> Table:
    owner = builders.person("owner")
    table = builders.opened(
        owner, take_part=True, human_window_s=60, max_rounds=1, equivalence="none", weight_human=3
    ).staff()
    table.all_propose(("391", "390", "381"))
    first, second, third = table.agents
    table.review(first, {second: 60, third: -30}).review(second, {first: 30, third: -30})
    table.review(third, {first: 30, second: 40})
    table.advance()
    table.vote(owner, {first: -6, second: -5, third: 6})
    people.done(table.id, owner, round_number=1)
    table.advance()
    return table


def test_what_people_did_to_the_verdict_is_said() -> None:
    table = person_decides()
    page = page_of(table)

    assert page.ending.verdict is not None
    assert page.people is not None
    assert page.people.startswith("People decided it: without their ballots ")
    me = next(each for each in page.parts if each.who.kind == "human")
    assert (me.ballots, me.rounds, me.ends) == (1, "1", ("Round 1: cast",))
    assert me.share is not None and 0 < me.share < 1
    assert sum(each.share or 0 for each in page.parts) == pytest.approx(1)
    assert "By the policy a person weighs 3.00" in look(table).words


@pytest.mark.parametrize(
    ("outcome", "words"), [("expired", "expired without a ballot"), ("declined", "declined")]
)
def test_a_window_that_brought_no_ballot_says_how_it_ended(outcome: str, words: str) -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, take_part=True, human_window_s=60, max_rounds=1).staff()
    table.all_propose().all_review()
    table.advance()
    if outcome == "declined":
        people.done(table.id, owner, round_number=1)
        table.advance()
    else:
        table.end_hold()
    page = page_of(table)

    me = next(each for each in page.parts if each.who.kind == "human")
    assert me.ends == (f"Round 1: {words}",)
    assert (me.ballots, me.share, me.without) == (0, None, None)
    assert page.people is None


def test_the_course_tells_who_led_in_each_round() -> None:
    table = concluded(max_rounds=2, min_rounds=2, effort=1.0)
    page = page_of(table)

    assert [each.number for each in page.rounds] == [1, 2]
    for each in page.rounds:
        assert each.answer == "391"
        assert each.ballots == 3
        assert len(each.rows) == len(each.columns) == 3
        assert [score.text for score in each.rows[0].scores][0] == "own"
    assert look(table).words.count("100 %") >= 2


def test_a_veto_after_the_close_is_in_the_numbers_of_the_verdict() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, equivalence="none").staff()
    table.whole_round()
    closed = room_of(table).outcomes[1].tally
    assert closed.winner is not None
    table.strike(owner, closed.winner, round_number=1)
    table.stop(owner)
    room, page = room_of(table), page_of(table)
    again = room.recounts[1].tally

    assert page.ending.verdict is not None
    assert page.ending.verdict.author.seat == again.winner != closed.winner
    assert page.ending.verdict.margin == again.margin
    assert page.rounds[0].recount is not None
    assert all(each.flips == (each.seats[0] in (again.pivotal or ())) for each in decisive.without_each(room))
    words = look(table).words
    assert words.index("struck by owner") < words.index("How sure, and why", words.index("of a deliberation"))
    assert "A later veto changed the count of round 1; the verdict uses the recount." in words


def test_an_open_answer_stands_by_its_first_line() -> None:
    table = builders.opened(max_rounds=1, equivalence="none").staff()
    for seat in table.agents:
        table.propose(seat, None, answer=f"## Do **this** {seat}\n\nIt is the smallest change.")  # type: ignore[arg-type]
    table.advance()
    table.all_review()
    table.advance()
    (told,) = page_of(table).rounds

    assert told.answer == f"Do this {room_of(table).outcomes[1].tally.winner}"
    assert "Answer Do this" in look(table).words


@pytest.mark.parametrize(("margin", "said"), [(0.004, "< .01"), (0.0, ".00"), (0.314, ".31"), (None, "-")])
def test_a_tiny_lead_is_no_tie(margin: float | None, said: str) -> None:
    verdict = ending.verdict(room_of(concluded(max_rounds=1)), audience=OPEN).verdict

    assert verdict is not None
    assert replace(verdict, margin=margin).lead == said


def test_cost_stands_against_the_estimate() -> None:
    owner = builders.person("owner")
    first = concluded(owner)
    second = concluded(owner)
    Call.objects.filter(reference=second.id).update(cost_usd=None)
    money, tokens, time = page_of(first).account.lines

    assert money.at_most == money.actual == "none (simulated)"
    assert tokens.likely == "-"  # nothing had ended before
    assert int(tokens.actual.replace(",", "")) <= int(tokens.at_most.replace(",", ""))
    assert tokens.share.endswith("of the most")
    assert time.at_most != "-"
    later = page_of(second).account
    assert later.learned_from == 1
    assert later.lines[1].likely == tokens.actual
    assert later.lines[0].actual == "-"  # unknown is no zero


def test_the_room_and_the_page_name_the_same_most() -> None:
    table = concluded()
    table.session.participants.update(simulated=False)
    selection = table.session.selection
    for line in selection.receipt["candidates"]:
        line["cost"], line["simulated"] = 0.25, False
    selection.save()
    page = page_of(table)

    assert page.ending.expected_usd is not None
    assert page.account.lines[0].at_most == f"${page.ending.expected_usd:,.2f}"
    assert page.ending.expected_usd > 0.25 * 3 * 2  # three agents in two rounds, and their further attempts


def test_a_price_that_is_not_known_leaves_the_most_unknown_and_says_why() -> None:
    table = concluded()
    selection = table.session.selection
    for line in selection.receipt["candidates"]:
        line["cost"] = None
    selection.save()
    account = page_of(table).account

    assert account.lines[0].at_most == "-"
    assert "no price is known for" in account.why_unknown
    assert "Money at most is not known: no price is known for" in look(table).words
