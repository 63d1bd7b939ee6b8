"""Every screen speaks of the answer: where only another proposal of the same answer could win, nothing is at stake."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from deliberation.models import Session
from deliberation.selectors import ending, influence, room, tallies, words
from deliberation.selectors.access import OPEN
from deliberation.selectors.asking import Wanted
from deliberation.selectors.report import report
from deliberation.selectors.sessions import DEGRADED, PIVOTAL, listing
from deliberation.services.people_seats import take_seat
from tests import builders
from tests.builders import Table
from tests.deliberation import opening
from tests.deliberation.verdict_pages import look, room_of

pytestmark = pytest.mark.django_db

SAME_ANSWER = "No: another proposal could have won, but with the same answer"


def closed(*answers: str, asked: bool = False, owner: User | None = None) -> Table:
    """Three agents with these answers; C is needed for the proposal of A to win. `asked`: a person did not vote."""
    table = builders.opened(owner, max_rounds=1, human_window_s=60 if asked else 0).staff()
    if asked:
        take_seat(table.session, opening.person("silent"), asked=True)
    table.all_propose(answers)
    first, second, third = table.agents
    table.review(first, {second: 40, third: 10})
    table.review(second, {first: 30, third: 36})
    table.review(third, {first: 60, second: 20})
    table.advance()
    if asked:
        table.end_hold()
    return table


def told(table: Table) -> dict[str, str]:
    """Whether the lost could have changed the answer, by who says so."""
    session = Session.objects.get(pk=table.id)
    browser = opening.client(session.owner)
    what_if = browser.get(reverse("what_if", args=[table.id]), {"format": "json"}).json()
    now = room.load(table.id)
    verdict = ending.verdict(now, audience=OPEN).verdict
    assert verdict is not None and verdict.degraded is not None
    return {
        "verdict": verdict.degraded,
        "strip": parts_of(browser.get(reverse("room", args=[table.id])).content.decode()),
        "tally": " ".join(tallies.tally(now, audience=OPEN).flags),
        "json": " ".join(report(session)["degraded"]),
        "what if": " ".join(what_if["limits"]),
        "page": look(table).words,
    }


def parts_of(html: str) -> str:
    return html[html.index('class="wide degraded"') :].partition("</dd>")[0]


@pytest.mark.parametrize(
    ("answers", "says"), [(("64", "64", "64"), SAME_ANSWER), (("64", "64", "63"), "Yes")]
)
def test_a_silent_person_could_have_flipped_it_only_where_there_is_another_answer(
    answers: tuple[str, ...], says: str
) -> None:
    for place, text in told(closed(*answers, asked=True)).items():
        assert f"? {says}" in text, place


def test_a_ballot_that_moves_only_the_proposal_is_no_alarm() -> None:
    now = room_of(closed("64", "64", "63"))
    tally, lines = tallies.tally(now, audience=OPEN), influence.influence(now, audience=OPEN).lines
    assert now.outcomes[1].tally.pivotal == (3,)
    assert not any("would win" in each for each in tally.flags)
    assert "Without the ballot of C another proposal would win, with the same answer." in tally.remarks
    assert [(each.pivotal, each.same_answer) for each in lines] == [(False, False)] * 2 + [(False, True)]


def test_a_ballot_that_moves_the_answer_is_one() -> None:
    table = closed("64", "63", "63")
    now = room_of(table)
    tally, lines = tallies.tally(now, audience=OPEN), influence.influence(now, audience=OPEN).lines
    assert "Without the ballot of C another answer would win." in tally.flags
    assert not tally.remarks
    assert [each.pivotal for each in lines] == [False, False, True]
    verdict = ending.verdict(now, audience=OPEN).verdict
    assert verdict is not None
    assert "Without the ballot of C another answer would have won." in verdict.doubts


def test_the_verdict_says_it_as_no_doubt_and_its_json_names_both() -> None:
    table = closed("64", "64", "63")
    verdict = ending.verdict(room_of(table), audience=OPEN).verdict
    assert verdict is not None
    said = "Without the ballot of C another proposal would have won, with the same answer."
    assert said in verdict.sure and said not in verdict.doubts
    found = report(Session.objects.get(pk=table.id))["verdict"]
    assert (found["pivotal"], found["deciding"]) == ([3], [])


def test_a_tie_of_equals_is_no_doubt() -> None:
    table = builders.opened(max_rounds=1, human_window_s=0).staff()
    table.all_propose(("100", "100", "100"))
    for seat in table.agents:
        table.review(seat, {each: 50 for each in table.agents if each != seat})
    table.advance()
    verdict = ending.verdict(room_of(table), audience=OPEN).verdict
    assert verdict is not None
    assert any("stood equal, with the same answer" in each for each in verdict.sure)
    assert not any("stood equal" in each for each in verdict.doubts)
    assert "There is no other answer" in look(table).words
    browser = opening.client(table.session.owner)
    assert "Strike it in What if" not in browser.get(reverse("verdict", args=[table.id])).content.decode()


def test_the_list_is_not_alarmed_where_there_is_no_other_answer() -> None:
    table = closed("64", "64", "64")
    assert room_of(table).outcomes[1].tally.pivotal == (3,)
    owner = table.session.owner
    assert not listing(owner, Wanted(flags=("pivotal",))).rows
    other = closed("64", "63", "63", owner=owner)
    rows = listing(owner, Wanted(flags=("pivotal",))).rows
    assert [each.id for each in rows] == [other.id] and PIVOTAL in rows[0].flags


def test_a_person_who_was_asked_and_did_not_vote_is_a_loss_in_the_list_too() -> None:
    table = closed("64", "64", "64", asked=True)
    rows = listing(table.session.owner, Wanted(flags=("degraded",))).rows
    assert [each.id for each in rows] == [table.id] and DEGRADED in rows[0].flags


def test_where_all_agree_a_proposal_is_alike_all_others_and_twelve_are_a_to_l() -> None:
    assert words.letters(range(1, 13)) == "A to L"
    assert words.letters([1, 3, 4, 5, 6, 7]) == "A and C to G"
    assert words.letters([1, 2, 3, 4]) == "A, B, C and D"
