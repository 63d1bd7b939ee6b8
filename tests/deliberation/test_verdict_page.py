"""The page of a verdict answers what people ask of it, for every way in which a session can end."""

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from broker.models import Call
from deliberation import events, formats
from deliberation.models import Session
from deliberation.selectors import decisive, ending
from deliberation.selectors.access import OPEN
from deliberation.selectors.room import Room, load
from deliberation.selectors.verdict_page import VerdictPage, verdict_page
from deliberation.services import people, rulings
from tests import builders
from tests.builders import Table
from tests.deliberation.reading import Page, read
from tests.replay.forks import forked

pytestmark = pytest.mark.django_db


def finished(table: Table) -> Table:
    while table.state not in ("concluded", "failed"):
        table.whole_round()
    return table


def concluded(owner: User | None = None, **rules: Any) -> Table:
    return finished(builders.opened(owner, **{"max_rounds": 2, **rules}).staff())


def page_of(table: Table) -> VerdictPage:
    return verdict_page(load(table.id))


def room_of(table: Table) -> Room:
    return load(table.id)


def look(table: Table, *, name: str = "verdict", status: int = 200) -> Page:
    browser = Client()
    browser.force_login(table.session.owner)
    answer = browser.get(reverse(name, args=[table.id]))
    assert answer.status_code == status
    return read(answer)


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
    (link,) = re.findall(r'<a href="([^"]+)">Strike it in What if</a>', html)
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


@pytest.mark.parametrize("outcome", ["expired", "declined"])
def test_a_window_that_brought_no_ballot_says_how_it_ended(outcome: str) -> None:
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
    assert me.ends == (f"Round 1: {outcome}",)
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


def test_a_lost_agent_is_named_with_what_it_left_out() -> None:
    table = builders.opened(max_rounds=1).staff()
    first, second, third = table.agents
    table.propose(first).propose(second, "381").abstain(third, "propose", "timed_out")
    table.advance()
    table.review(first, {second: -40}).review(second, {first: 60}).abstain(third, "review", "server_error")
    table.advance()
    lost = page_of(table).parts[-1]

    assert lost.ends == ("Round 1: no proposal (timed out)", "Round 1: no ballot (its server failed)")
    assert "Could they have flipped it?" in look(table).words


def test_vetoes_stand_before_the_answer_withdrawn_ones_too() -> None:
    owner, colleague = builders.person("owner"), builders.person("colleague")
    table = builders.opened(owner, max_rounds=1, human_window_s=60, take_part=True).staff()
    people.take_seat(table.session, colleague, asked=False)
    table.all_propose().all_review()
    table.advance()
    table.strike(owner, table.agents[0])
    table.strike(colleague, table.agents[1])
    people.withdraw_veto(table.id, colleague, table.session.vetoes.latest("pk").pk)
    table.end_hold()
    words = look(table).words

    said = words.index("struck by owner, it is wrong. The product is off by ten.")
    assert said < words.index("Answer 3")
    assert "taken back by colleague" in words
    assert "Struck by people: " in words


def overturn(table: Table) -> int:
    against = people.Against("The question was another.", uuid4())
    return int(people.overturn(table.id, table.session.owner, against))


def test_an_overturned_verdict_says_so_first_and_why() -> None:
    table = concluded()
    overturn(table)
    words = look(table).words

    said = words.index("Overturned: the answer below does not stand. owner overturned the verdict.")
    assert said < words.index("The question was another.") < words.index("Answer 391")
    assert (
        "Overturned. owner overturned the verdict. The question was another."
        in look(table, name="room").words
    )


def test_an_overturn_that_waits_for_a_second_person_is_a_doubt() -> None:
    table = concluded(veto_quorum=2)
    overturn(table)
    asked = look(table).words
    people.confirm_overturn(table.id, builders.person("second"), table.session.overturns.get().pk)

    assert (
        "owner asks to overturn it: The question was another. It stands until a second person confirms."
        in asked
    )
    assert "Overturned:" not in asked
    assert "owner and second overturned the verdict." in look(table).words


def test_a_veto_that_nobody_confirmed_is_told_and_counted_for_nothing() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, veto_quorum=2, max_rounds=1, human_window_s=60, take_part=True).staff()
    table.all_propose().all_review()
    table.advance()
    table.strike(owner, table.agents[0])
    table.end_hold()
    page = page_of(table)

    assert (page.vetoes, len(page.requests)) == ((), 1)
    assert "owner asked to strike it, it is wrong." in look(table).words
    assert "Nobody confirmed it before the end, so it counted." in look(table).words


def test_a_ruling_and_a_known_answer_are_told() -> None:
    table = concluded()
    Session.objects.filter(pk=table.id).update(known_answer="391")
    rulings.rule(table.id, table.session.owner, rulings.Ruling(right=False, answer="392"))
    words = look(table).words

    assert "Known answer 391" in words
    assert "The verdict is wrong; right would be: 392." in words
    assert "owner ruled that the verdict is wrong" in words


def test_a_fork_says_what_it_began_from() -> None:
    owner = builders.person("owner")
    parent = concluded(owner, max_rounds=1)
    assert "of another session" not in look(parent).words
    child = finished(Table(forked(owner, parent.session, round=1)).staff())

    said = "owner went on from round 1 of another session; no ballot from there counts here."
    assert said in look(child).words
    assert said in look(child, name="verdict_file").words


def test_guidance_is_told_with_what_became_of_it() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, max_rounds=2, min_rounds=2, effort=1.0).staff()
    table.guide(owner)
    finished(table)

    assert re.search(
        r"owner to all agents, round 1: Show the carry\. was in the prompts of round 2", look(table).words
    )


def test_a_panel_of_one_has_no_ballots_and_says_what_it_rests_on() -> None:
    table = builders.opened(panel_size=[1, 1], samples=3).staff()
    for seat, answer in zip(table.agents, ("391", "391", "381"), strict=True):
        table.propose(seat, answer)
    while table.state not in ("concluded", "failed"):
        table.advance()
    page = page_of(table)

    assert page.ending.verdict is not None
    assert page.mattered is None
    assert page.rounds[0].rows == ()
    words = look(table).words
    assert "A wins by .33 in round 1." in words
    assert "All proposals of its answer together have +.67; those of C's, the best other, +.33." in words
    assert "this proposal's share of all answers" in words
    assert "Nothing in the count: no tie." in words
    assert "Self-consistency, no peer review" in words
    assert "No ballots are used by this rule." in words


def test_a_session_that_failed_shows_what_is_there() -> None:
    table = builders.opened(max_rounds=1).staff()
    table.stop(table.session.owner)
    page = look(table)

    assert "No verdict" in page.words
    assert "No round was closed, so nothing was counted." in page.words
    assert "Who took part" in page.words
    assert page.dangers == []
    assert "No verdict" in look(table, name="verdict_file").words


def test_a_session_without_a_panel_has_a_page_too() -> None:
    table = builders.opened(panel_size=[90, 90])
    table.staff()

    assert "Nobody had a seat." in look(table).words
    assert page_of(table).account.lines[0].at_most == "-"


@pytest.mark.parametrize(("name", "status"), [("verdict", 200), ("verdict_file", 404)])
def test_while_it_runs_there_is_no_verdict_and_nothing_of_it(name: str, status: int) -> None:
    table = builders.opened(blind=True, take_part=True, human_window_s=60).staff()
    table.whole_round()
    page = look(table, name=name, status=status)

    assert "No verdict yet" in page.words
    assert "To the room" in page.words
    assert not re.search(r"391|381|wins by|leads by|\.\d\d", page.words)


@pytest.mark.parametrize("name", ["verdict", "verdict_file"])
def test_a_stranger_finds_nothing_and_nothing_is_changed_by_looking(name: str) -> None:
    table = concluded()
    browser = Client()
    browser.force_login(builders.person("stranger"))
    path, seq = reverse(name, args=[table.id]), room_of(table).seq

    assert browser.get(path).status_code == 404
    browser.force_login(table.session.owner)
    assert browser.post(path).status_code == 405
    assert browser.get(path).status_code == 200
    assert room_of(table).seq == seq


def test_the_trail_is_named_with_how_to_check_it() -> None:
    table = concluded()
    table.session.refresh_from_db()
    page = page_of(table)
    hashes = {
        bytes(each.hash).hex(): each.seq for each in events.Chain.objects.get(pk=str(table.id)).events.all()
    }

    assert hashes[page.trail.hash or ""] == page.trail.hashed
    assert hashes[page.trail.head] == page.trail.events
    assert f"python manage.py verify_trail {table.id}" in look(table).words


def test_the_page_costs_the_same_queries_however_long_the_session_was(
    django_assert_max_num_queries: Any,
) -> None:
    short, long = concluded(builders.person("a"), max_rounds=1), concluded(builders.person("b"), max_rounds=4)
    for table in (short, long):
        room = room_of(table)
        with django_assert_max_num_queries(5):
            verdict_page(room)
