"""Forks from the form to the verdict: what goes along, who sits, and that a fork's own record recomputes."""

import json

import pytest
from django.contrib.auth.models import User

from broker.models import Model
from deliberation.models import Blob, Event, Session
from deliberation.protocol.types import RoundOutcome
from deliberation.replaying import recompute
from deliberation.selectors import prompting
from deliberation.selectors.carried import into
from tests import builders
from tests.commands.calling import called
from tests.deliberation.driving import drive, opened, register
from tests.replay.forks import forked, told

pytestmark = pytest.mark.django_db(transaction=True)
TRAITS = {"competence": 0.5, "discernment": 0.6, "herding": 0.3, "verbosity": 0.3, "min_s": 0, "max_s": 0.01}


@pytest.fixture
def owner() -> User:
    return builders.person()


@pytest.fixture
def parent(owner: User) -> Session:
    """Concluded, answered by simulated models."""
    register(["one", "two", "three", "four"], kind="simulated", **TRAITS)
    session = drive(opened(owner=owner, panel_size=[3, 3], min_rounds=2, max_rounds=2, blind=False))
    assert session.state == "concluded"
    return session


def prompts(session: Session, kind: str, number: int = 1) -> list[str]:
    made = Event.objects.filter(chain_id=str(session.pk), kind=kind, data__round=number)
    texts = [Blob.objects.get(pk=each.data["prompt"]["blob"]).content for each in made]
    return [json.loads(bytes(text))[1]["content"] for text in texts]


def test_a_fork_goes_on_from_a_closed_round_to_a_verdict_that_recomputes(
    owner: User, parent: Session
) -> None:
    child = drive(forked(owner, parent, round=1))

    assert child.state == "concluded"
    assert (child.parent_id, child.parent_round, child.seed) == (parent.pk, 1, parent.seed)
    assert child.task == parent.task and child.rules == parent.rules
    event = Event.objects.get(chain_id=str(parent.pk), seq=told(child)["event"])
    assert told(child)["hash"] == bytes(event.hash).hex()
    found = recompute(child)
    assert (found.first, found.broken) == (None, None)
    for command in ("verify_trail", "replay_session"):
        assert called(command, str(child.pk)).status == 0
    assert child.rounds.first().number == 1  # type: ignore[union-attr]


def test_its_first_round_reads_what_the_parents_next_would_have_read(owner: User, parent: Session) -> None:
    chosen = list(parent.participants.values_list("model_id", flat=True))
    child = drive(forked(owner, parent, round=1, panel="named", models=chosen))

    assert sorted(child.participants.values_list("model_id", flat=True)) == sorted(chosen)
    before = {
        each.id: each.text for each in RoundOutcome.from_json(parent.rounds.get(number=1).outcome).state.kept
    }
    carried = into(child)
    assert carried is not None and {each.id: each.text for each in carried.state} == before
    for text in prompts(child, "proposal.made"):
        assert text.startswith("Round 2. Phase: propose.")
        assert "Improve your proposal" in text and "net support" in text.lower()
        assert all(item.splitlines()[0][:40] in text for item in before.values())
    assert all(text.startswith("Round 2.") for text in prompts(child, "ballot.cast"))
    if child.rounds.count() > 1:
        assert all(text.startswith("Round 3.") for text in prompts(child, "proposal.made", 2))


def test_a_changed_proposal_goes_along_in_place_of_the_original(owner: User, parent: Session) -> None:
    made = parent.rounds.get(number=1).proposals.order_by("participant__seat").first()
    assert made is not None
    seat = made.participant.seat
    text = "It is 7777, by a new way.\r\nCheck it."
    child = drive(forked(owner, parent, round=1, **{f"edit-{seat}": text}))

    assert told(child)["edited"] == [seat]
    assert all("It is 7777, by a new way." in prompt for prompt in prompts(child, "proposal.made"))
    assert recompute(child).first is None


def test_from_round_0_the_question_alone_is_asked_again(owner: User, parent: Session) -> None:
    child = drive(forked(owner, parent, round=0))
    assert told(child)["carried"] is None
    assert all(text.startswith("Round 1. Phase: propose.") for text in prompts(child, "proposal.made"))
    assert all("Solve the task on your own" in text for text in prompts(child, "proposal.made"))
    assert recompute(child).first is None


def test_a_panel_that_cannot_sit_together_says_so(owner: User, parent: Session) -> None:
    Model.objects.update(family="one")
    chosen = list(parent.participants.values_list("model_id", flat=True))
    child = drive(forked(owner, parent, round=1, panel="named", models=chosen))
    assert (child.state, child.failure) == ("failed", "no_panel")
    assert "family" in child.failure_detail


def test_what_is_contested_in_the_parent_is_judged_again_in_the_fork(owner: User) -> None:
    """By claims that no proposal of the fork makes: they are asked about, and count in no tally."""
    table = builders.opened(owner, min_rounds=2, max_rounds=2).staff()
    table.all_propose()
    one, two, three = table.agents
    for seat in table.agents:
        table.review(seat, {one: 60, two: -30, three: 0}, verdict="contested")
    table.advance()
    child = builders.Table(forked(owner, table.session, round=1)).staff()
    carried = into(child.session)
    assert carried is not None and [each.status for each in carried.state if each.kind == "claim"] == [
        "contested"
    ]
    for seat in child.agents:
        child.propose(seat, claims=[{"text": "20 times 23 is 460"}])
    child.advance()
    turn = child.turn(child.agents[0], "review")
    asked = prompting.review_inputs(prompting.table(child.session), turn.participant).inputs
    assert [claim["text"] for claim in asked.contested] == [builders.CLAIM]
    assert asked.round == 2
    child.all_review()
    child.advance()
    child.session.refresh_from_db()
    assert recompute(child.session).first is None
