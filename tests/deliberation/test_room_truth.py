"""What the room says of who is waited for, of a weight, of a hold, of a struck column: each as it is."""

import pytest
from django.contrib.auth.models import User

from deliberation.selectors import glance, influence, room, tallies
from deliberation.selectors.access import OPEN
from deliberation.services.people_seats import done, take_seat
from tests import builders
from tests.builders import Table
from tests.deliberation import opening

pytestmark = pytest.mark.django_db


def held(*names: str, **rules: object) -> tuple[Table, list[User]]:
    """A round that waits for these people, with all reviews in."""
    table = builders.opened(**{"human_window_s": 600, "max_rounds": 2, **rules}).staff()
    users = [opening.person(name) for name in names]
    for user in users:
        take_seat(table.session, user, asked=True)
    table.all_propose()
    table.all_review()
    assert table.advance() == "holding"
    return table, users


def strip(table: Table) -> glance.Strip:
    return glance.strip(room.load(table.id), audience=OPEN)


def vote(table: Table, user: User) -> None:
    table.session.refresh_from_db()
    table.vote(user, dict.fromkeys(table.agents, 2))


def test_who_has_cast_is_waited_for_only_to_say_so() -> None:
    table, (ada, bob) = held("ada", "bob")
    assert strip(table).waiting == "people D and E (ballots)"
    assert strip(table).voted == ()
    vote(table, ada)
    assert strip(table).waiting == "person E (ballot), person D (to say “done”)"
    assert (strip(table).waiting_for, strip(table).voted) == ((4, 5), (4,))
    vote(table, bob)
    assert strip(table).waiting == "people D and E (to say “done”)"
    done(table.id, ada, round_number=1)
    assert strip(table).waiting == "person E (to say “done”)"


def test_the_page_has_a_call_for_those_who_voted_and_one_for_those_who_did_not() -> None:
    table, (ada,) = held("ada")
    html = opening.client(ada).get(f"/sessions/{table.id}/").content.decode()
    assert 'data-voted=""' in html
    vote(table, ada)
    html = opening.client(ada).get(f"/sessions/{table.id}/").content.decode()
    assert 'data-voted="4"' in html
    assert "Your ballot is in." in html and 'data-when-my-turn="voted"' in html


def test_the_weight_of_a_person_has_its_own_reason() -> None:
    table, (ada,) = held("ada", weight_human=2.0)
    vote(table, ada)
    now = room.load(table.id)
    by_person, by_agent = (influence.cell(now, f"1-{seat}-1", audience=OPEN) for seat in (4, 2))
    assert by_person is not None and by_agent is not None
    assert (by_person.weight, by_person.weighs) == (2.0, "by the policy a person weighs 2.00")
    assert (by_agent.weight, by_agent.weighs) == (1.0, "")


def phases(table: Table) -> list[list[str]]:
    rounds = glance.rail(room.load(table.id), audience=OPEN).rounds
    return [[phase.name for phase in each.phases] for each in rounds]


def test_a_hold_is_told_only_where_there_was_one() -> None:
    alone = builders.opened(human_window_s=600, max_rounds=1).staff()
    alone.whole_round()
    assert phases(alone) == [["propose", "review", "tally"]]


def test_a_hold_ahead_is_told_while_people_are_asked() -> None:
    table = builders.opened(human_window_s=600, max_rounds=1).staff()
    take_seat(table.session, opening.person("ada"), asked=True)
    table.all_propose()
    assert phases(table) == [["propose", "review", "hold", "tally"]]
    table.all_review().advance()
    table.end_hold()
    assert phases(table) == [["propose", "review", "hold", "tally"]]


def test_the_net_of_a_struck_proposal_is_struck() -> None:
    table, _ = held("ada")
    before = tallies.matrix(room.load(table.id), audience=OPEN)
    assert [struck for _, struck in before.net] == [False] * 3
    table.strike(opening.person("judge"), 2)
    after = tallies.matrix(room.load(table.id), audience=OPEN)
    assert [struck for _, struck in after.net] == [False, True, False]
    html = opening.client(table.session.owner).get(f"/sessions/{table.id}/").content.decode()
    foot = html[html.index("<tfoot>") : html.index("</tfoot>")]
    assert foot.count('class="vetoed"') == 1


def test_one_model_alone_is_weighed_by_nobody_and_nobody_says_so_beside_its_share() -> None:
    table = builders.opened(panel_size=[1, 1], samples=3, max_rounds=1, human_window_s=0).staff()
    table.all_propose(("391", "391", "381"))
    view = tallies.tally(room.load(table.id), audience=OPEN)
    assert view.by_answers
    assert not any("nobody weighed" in bar.note for bar in view.bars)


def test_where_all_agree_each_is_alike_all_others() -> None:
    table = builders.opened(max_rounds=1, human_window_s=0).staff()
    table.all_propose(("391", "391", "391"))
    table.all_review()
    notes = [bar.note for bar in tallies.tally(room.load(table.id), audience=OPEN).bars]
    assert all(note.endswith("same answer as all others") for note in notes)


def test_stopping_takes_the_question_back_and_says_no_more_than_that() -> None:
    table, (ada,) = held("ada")
    table.stop(table.session.owner)
    lost = strip(table).degraded
    assert lost is not None
    assert "person D (no longer asked, as the session ended)" in lost
    assert "withdrawn" not in lost
