"""Where one model answers alone there is one round and no ballots: an act that would reach nobody is refused."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from deliberation.services import people, people_steering
from deliberation.services.acts import ActRefused
from tests import builders
from tests.builders import Table
from tests.deliberation.acting import signed_in

pytestmark = pytest.mark.django_db
Act = Callable[[Table, User], object]


def seated(owner: User) -> Table:
    rules = {"panel_size": [1, 1], "samples": 3, "max_rounds": 3, "human_window_s": 60}
    table = builders.opened(owner, take_part=True, **rules).staff()
    for seat in table.agents:
        table.propose(seat)
    assert table.advance() == "holding"
    return table


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda table, owner: table.vote(owner, {table.agents[0]: 3}), "no ballots are counted"),
        (lambda table, owner: table.guide(owner), "This is the last round"),
        (
            lambda table, owner: people.propose(table.id, owner, people.Own("391", "391", uuid4())),
            "This is the last round",
        ),
        (lambda table, owner: people_steering.ask_for_more(table.id, owner), "One model alone answers"),
    ],
    ids=["ballot", "guidance", "proposal", "more"],
)
def test_what_would_count_for_nothing_is_refused(act: Act, sentence: str) -> None:
    owner = builders.person()
    table = seated(owner)
    with pytest.raises(ActRefused, match=sentence):
        act(table, owner)


def test_no_preview_promises_what_would_not_come() -> None:
    owner = builders.person()
    table, browser = seated(owner), signed_in(owner)
    here, htmx = f"/sessions/{table.id}/", {"HX-Request": "true"}
    votes = {"preview": "1", "round": "1", f"votes-{table.agents[0]}": "3"}
    effect = browser.post(f"{here}ballot/", votes, headers=htmx).content.decode()
    assert "no ballots are counted" in effect and "influence" not in effect
    words = {"preview": "1", "text": "Show the carry.", "key": str(uuid4())}
    prompt = browser.post(f"{here}guidance/", words, headers=htmx)
    assert prompt.status_code == 422
    assert "This is the last round" in prompt.content.decode()
