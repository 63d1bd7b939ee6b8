"""A person's own proposal: a candidate of this round while agents propose, else of the next; weighed like any other."""

import pytest

from deliberation import parts
from deliberation.models import OwnProposal
from deliberation.replaying import recompute
from tests import builders
from tests.deliberation.acting import Answer, Scene, key, scene

pytestmark = pytest.mark.django_db


def own(
    room: Scene, who: str = "owner", answer: str = "It is 391.", final: str = "391", **more: str
) -> Answer:
    body = {"answer": answer, "final_answer": final, "key": key(), **more}
    return room.press(getattr(room, who), "own_proposal", body)


@pytest.fixture
def proposing() -> Scene:
    """The first round is open, and no agent has proposed."""
    owner, colleague = builders.person("p-owner"), builders.person("p-colleague")
    table = builders.opened(owner, take_part=True, human_window_s=60).staff()
    builders.people.take_seat(table.session, colleague, asked=True)
    return Scene(table, owner, colleague, builders.person("p-guest"))


def holds(room: Scene) -> bool:
    session = room.table.session
    return recompute(session).first is None


def test_while_agents_propose_it_is_a_candidate_of_this_round_and_is_weighed(proposing: Scene) -> None:
    room = proposing
    seat = room.seat_of(room.owner)
    told = own(room)
    assert (told.status, told.kinds) == (200, ["proposal.made"])
    assert "Proposed: it is a candidate of round 1" in told.words
    assert "It is 391." in room.look(room.colleague).words
    room.table.all_propose()
    for agent in room.agents:
        room.table.review(agent, {seat: 60})
    vote = {"round": "1", "key": key(), f"votes-{seat}": "5"}
    assert room.press(room.colleague, "ballot", vote).kinds == ["ballot.cast"]
    refused = room.press(room.owner, "ballot", {**vote, "key": key()})
    assert "Nobody votes on their own proposal." in refused.words
    assert room.counted().tally.winner == seat
    room.table.advance()
    room.go_on()
    assert holds(room)


def test_later_it_is_a_candidate_of_the_next_round(room: Scene) -> None:
    told = own(room)
    assert (told.status, told.kinds) == (200, ["proposal.offered"])
    assert "it is a candidate of round 2" in told.words
    newer = own(room, answer="It is 392.", final="")
    assert newer.kinds == ["proposal.offered"]
    room.table.all_review()
    room.table.advance()
    before = room.head
    room.go_on()
    made = [data for kind, data in room.since(before) if kind == "proposal.made"]
    assert [(data["round"], data["seat"]) for data in made] == [(2, room.seat_of(room.owner))]
    proposal = room.table.session.rounds.get(number=2).proposals.get()
    assert (proposal.answer, proposal.final_answer) == ("It is 392.", None)
    assert OwnProposal.objects.filter(waits=True).count() == 0
    assert holds(room)


def test_a_second_one_in_a_proposing_round_is_for_the_next(proposing: Scene) -> None:
    own(proposing)
    assert own(proposing, answer="Better.").kinds == ["proposal.offered"]


def test_twice_is_once(room: Scene) -> None:
    press = key()
    own(room, key=press)
    again = own(room, key=press)
    assert again.kinds == []
    assert "it is a candidate of round 2" in again.words


def test_what_waits_is_shown_to_its_author_alone_and_taken_back(room: Scene) -> None:
    own(room, answer="It is 392.", final="392")
    waits = "Your proposal waits for round 2. 392"
    assert waits in room.look(room.owner).words
    assert waits not in room.look(room.colleague).words
    newer = own(room)
    assert "it takes the place of the one that waited" in newer.words
    seat = room.seat_of(room.owner)
    told = room.press(room.owner, "withdraw_own_proposal", htmx=True)
    assert told.told == [("proposal.withdrawn", {"round": 2, "seat": seat})]
    assert "Taken back: your proposal is a candidate of no round" in told.words
    assert "waits for round 2" not in told.words + room.look(room.owner).words
    assert "owner took back a proposal for round 2" in room.look(room.colleague).words
    assert room.press(room.owner, "withdraw_own_proposal").kinds == []
    room.table.all_review()
    room.table.advance()
    room.go_on()
    assert not room.table.session.rounds.get(number=2).proposals.filter(participant__seat=seat).exists()
    assert holds(room)


def test_it_is_answered_in_its_place_and_the_rest_of_the_page_stays(room: Scene) -> None:
    body = {"answer": "It is 392.", "final_answer": "", "key": key()}
    told = room.press(room.owner, "own_proposal", body, htmx=True)
    assert (told.status, told.kinds) == (200, ["proposal.offered"])
    assert "Your proposal waits for round 2. It is 392." in told.words
    assert "<html" not in told.http.content.decode()
    empty = room.press(room.owner, "own_proposal", {**body, "answer": " ", "key": key()}, htmx=True)
    assert (empty.status, "it is empty" in empty.words, empty.kinds) == (422, True, [])


def test_in_the_last_round_it_would_reach_nobody(db: None) -> None:
    room = scene(prefix="last-", max_rounds=1)
    refused = own(room)
    assert (refused.status, refused.kinds) == (422, [])
    assert "This is the last round and its proposals are in" in refused.words
    assert refused.page.fields["answer"].strip() == "It is 391."


@pytest.mark.parametrize(
    ("answer", "final", "sentence"),
    [
        (" ", "391", "Write your proposal first: it is empty."),
        ("x" * 20_001, "", "at most 20,000 characters"),
        ("x", "y" * 2_001, "its short answer 2,000"),
    ],
)
def test_what_cannot_be_a_proposal_is_refused(room: Scene, answer: str, final: str, sentence: str) -> None:
    refused = own(room, answer=answer, final=final)
    assert (refused.status, refused.kinds) == (422, [])
    assert sentence in refused.words


def test_who_has_no_seat_gets_one_that_no_hold_waits_for(room: Scene) -> None:
    told = own(room, "guest")
    assert told.kinds == ["invitation.answered", "participant.joined", "proposal.offered"]
    assert not room.table.session.participants.get(user=room.guest).asked


def test_who_votes_blind_reads_no_name_in_the_proposal_of_somebody_who_knows_them() -> None:
    room = scene(prefix="knowing-", blind=True)
    room.press(room.colleague, "ballot", {"round": "1", "key": key(), **room.votes(1, 0, 0)})
    names = [each.model.alias for each in room.table.session.participants.filter(kind="model")]
    body = {"answer": f"It is not what {' and '.join(names)} say.", "final_answer": f"not {names[0]}"}
    room.press(room.colleague, "own_proposal", {**body, "key": key()})
    room.table.all_review()
    room.table.advance()
    room.go_on()
    seat = room.seat_of(room.colleague)
    card = parts.fresh(room.table.id).html("proposal", "blind", f"2-{seat}")
    ballot = room.look(room.owner, "?ballot=2", htmx=True).words
    assert "It is not what a participant and a participant" in card
    assert not [name for name in names if name in card or name in ballot]
    assert names[0] in room.look(room.colleague).words
