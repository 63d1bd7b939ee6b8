"""Opening a session in the browser: what is started, and what a person reads when nothing is."""

import hashlib
import html as markup

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from broker.models import Price
from deliberation.models import Invitation, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.services.policies import publish_policy
from tests.deliberation import opening

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("solver_here")]
FORM = {"task": "What is 17*23?", "policy": "fast"}


@pytest.fixture
def owner() -> User:
    opening.demo()
    return opening.person("owner")


@pytest.fixture
def browser(owner: User) -> Client:
    return opening.client(owner)


def said(answer: HttpResponse) -> str:
    return markup.unescape(answer.content.decode())


def refused(browser: Client, **changes: str) -> str:
    """Sends the form with these changes; asserts that nothing was opened and that what was typed is there."""
    sent = {**FORM, **changes}
    answer = browser.post("/new/", sent)
    assert answer.status_code == 422
    assert not Session.objects.exists()
    text = said(answer)
    for value in sent.values():
        assert value.strip() in text
    return text


def test_a_question_alone_opens_a_session(browser: Client, owner: User) -> None:
    answer = browser.post("/new/", FORM)
    session = Session.objects.get()
    assert answer.headers["Location"] == f"/sessions/{session.pk}/"
    assert (session.task, session.policy.name, session.owner, session.state) == (
        "What is 17*23?",
        "fast",
        owner,
        "staffing",
    )
    assert not session.participants.exists()
    assert opening.kinds(session) == ["session.opened"]


def test_every_choice_reaches_the_session(browser: Client, owner: User) -> None:
    opening.person("ada")
    opening.person("bob")
    browser.post(
        "/new/",
        {
            **FORM,
            "policy": "thorough",
            "category": "arithmetic",
            "effort": "0.5",
            "max_rounds": "3",
            "human_window_s": "90",
            "max_cost_usd": "0.25",
            "seed": "7",
            "take_part": "on",
            "guests": "ada, bob, ada",
        },
    )
    session = Session.objects.get()
    rules = Rules.from_json(session.rules)
    assert (rules.effort, rules.max_rounds, rules.human_window_s, rules.max_cost_usd) == (0.5, 3, 90, 0.25)
    assert (session.seed, session.category) == (7, "arithmetic")
    assert session.participants.get().user == owner
    assert sorted(session.invitations.values_list("user__username", flat=True)) == ["ada", "bob"]
    assert opening.kinds(session) == [
        "session.opened",
        "participant.joined",
        "participant.invited",
        "participant.invited",
    ]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"task": "   "}, "Write the question first."),
        ({"policy": "hasty"}, "There is no policy named 'hasty'. Choose one of: fast, standard, thorough."),
        ({"effort": "1.5"}, "Effort must be a number from 0 to 1, not 1.5."),
        ({"effort": "much"}, "Enter a number."),
        ({"max_rounds": "0"}, "Rounds at most must be a whole number from 1 to 100, not 0."),
        ({"human_window_s": "-1"}, "Seconds for people must be a whole number from 0 to 604800, not -1."),
        ({"max_cost_usd": "-0.5"}, "Money cap in US dollars must be a number from 0 to 1e+09, not -0.5."),
        ({"seed": "-3"}, "A seed is a whole number from 0 to 2^53 - 1."),
        ({"category": "two words"}, "One word of letters, digits and hyphens"),
        ({"guests": "nobody"}, "Nobody here has the user name 'nobody'. Invite them by a link instead."),
        ({"guests": "owner"}, "You cannot invite yourself"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_keeps_what_was_typed(
    browser: Client, changes: dict[str, str], sentence: str
) -> None:
    assert sentence in refused(browser, **changes)


def test_a_question_that_is_too_long_says_how_long_it_is(browser: Client) -> None:
    limit = settings.NSED.max_task_chars
    text = refused(browser, task="x" * (limit + 5))
    assert f"The question has {limit + 5:,} characters; at most {limit:,} are allowed." in text


def test_a_refused_guest_opens_nothing_at_all(browser: Client) -> None:
    opening.person("ada")
    refused(browser, guests="ada, nobody")
    assert not Invitation.objects.exists()


def test_what_is_folded_is_open_when_it_is_wrong(browser: Client) -> None:
    assert '<details id="more" open>' in refused(browser, effort="2")
    assert '<details id="more">' in said(browser.get("/new/"))


def test_the_address_fills_the_form_and_starts_nothing(browser: Client) -> None:
    text = said(browser.get("/new/?task=Why%3F&policy=thorough"))
    assert "Why?</textarea>" in text
    assert 'value="thorough" required checked' in text
    assert not Session.objects.exists()


def test_the_cards_say_what_the_rules_say(browser: Client) -> None:
    rules = Rules.from_json({"panel_size": [2, 2], "max_rounds": 1, "human_window_s": 7200})
    publish_policy("duel", summary="", rules=rules)
    text = said(browser.get("/new/"))
    assert "2 agents." in text
    assert "1 round." in text
    assert "People who take part have 2 hours a round." in text
    assert "Now: 2 agents, simulated." in text


def test_an_estimate_is_made_of_known_prices_alone(browser: Client) -> None:
    assert "At most: none (simulated)" in said(browser.get("/new/?task=x"))
    Price.objects.filter(model__alias="abacus").delete()
    text = said(browser.get("/new/?task=x"))
    assert "At most: - " in text
    assert "no price is known for abacus" in text


def test_what_is_likely_is_learnt_from_sessions_of_the_same_kind(browser: Client, owner: User) -> None:
    assert "no session of this kind yet" in said(browser.get("/new/"))
    session = opening.opened(owner, policy="fast")
    opening.seat_agent(session)
    opening.call(session, cost_usd=0.5)
    opening.conclude(session)
    text = said(browser.get("/new/"))
    assert "Likely: 12 s, cost $0.50" in text
    assert "(median of 1 session)" in text


def test_a_policy_that_nobody_could_sit_for_says_so(browser: Client) -> None:
    publish_policy("crowd", summary="", rules=Rules.from_json({"panel_size": [9, 9]}))
    assert "Would not start now: the panel needs 9 models" in said(browser.get("/new/"))


def test_without_policies_the_form_says_what_to_run() -> None:
    text = said(opening.client(opening.person("early")).get("/new/"))
    assert "manage.py load_demo_panel" in text


def test_a_policy_page_gives_words_and_bytes_that_hash_to_its_name(browser: Client) -> None:
    policy = Policy.objects.get(name="thorough")
    text = said(browser.get("/policies/thorough/"))
    assert policy.sha256 in text
    assert "People who take part have 3 minutes a round." in text
    exact = browser.get("/policies/thorough/?version=1&format=json")
    assert exact.headers["Content-Type"] == "application/json"
    assert hashlib.sha256(exact.content).hexdigest() == policy.sha256


def test_an_older_version_stays_readable(browser: Client) -> None:
    publish_policy("fast", summary="", rules=Rules.from_json({"max_rounds": 9}))
    assert "1 to 2 rounds" in said(browser.get("/policies/fast/?version=1"))
    assert "2 to 9 rounds" in said(browser.get("/policies/fast/"))


@pytest.mark.parametrize("address", ["hasty/", "fast/?version=7", "fast/?version=x"])
def test_a_policy_that_is_not_there_is_not_found(browser: Client, address: str) -> None:
    assert browser.get(f"/policies/{address}").status_code == 404
