"""The list's filters: each narrows, stands in the address, can be taken away alone, and is kept from page to page."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from deliberation import events
from deliberation.models import Event, Session
from deliberation.selectors import paging
from deliberation.selectors.asking import FLAGS as CONDITIONS
from deliberation.selectors.asking import Wanted
from deliberation.selectors.sessions import FLAGS, listing
from deliberation.services import people
from deliberation.services.invitations import invite_by_name
from deliberation.views import filtering
from tests import builders
from tests.deliberation import opening

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return opening.person("owner", first_name="Olga")


@pytest.fixture
def browser(owner: User) -> Client:
    return opening.client(owner)


def page(browser: Client, address: str = "/", **headers: str) -> str:
    return browser.get(address, headers=headers).content.decode()


def tasks(browser: Client, address: str) -> list[str]:
    """The questions of the rows, from above."""
    return re.findall(r'id="link-[^"]*" href="[^"]*">([^<]*)</a>', page(browser, address))


def test_category_and_days_narrow(browser: Client, owner: User) -> None:
    opening.opened(owner, task="Old algebra", category="algebra")
    opening.opened(owner, task="New algebra", category="algebra")
    opening.opened(owner, task="New code", category="code")
    Session.objects.filter(task="Old algebra").update(created_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    assert tasks(browser, "/?category=algebra") == ["New algebra", "Old algebra"]
    assert tasks(browser, "/?until=2026-03-01") == ["Old algebra"]
    assert tasks(browser, "/?until=2026-02-28") == []
    assert tasks(browser, "/?since=2026-03-02") == ["New code", "New algebra"]
    assert tasks(browser, "/?since=2026-03-01&until=2026-03-01") == ["Old algebra"]
    assert tasks(browser, "/?category=algebra&order=oldest") == ["Old algebra", "New algebra"]


def test_whose_it_is(owner: User) -> None:
    opening.opened(owner, task="Owned")
    other = opening.person("other")
    seated = opening.opened(other, task="Seated")
    builders.people.take_seat(seated, owner, asked=True)
    invited = opening.opened(other, task="Invited")
    invite_by_name(invited.pk, other, "owner")
    browser = opening.client(owner)
    assert tasks(browser, "/?who=owner") == ["Owned"]
    assert tasks(browser, "/?who=member") == ["Seated"]
    assert tasks(browser, "/?who=invited") == ["Invited"]
    assert len(tasks(browser, "/")) == 3


def test_every_flag_is_a_filter_and_a_row_shows_what_it_is_found_by(owner: User) -> None:
    assert list(FLAGS) == list(CONDITIONS)
    table = builders.opened(owner, max_rounds=1, human_window_s=0).staff()
    first, second, third = table.agents
    table.propose(first).propose(second, "381").abstain(third, "propose")
    table.advance()
    table.review(first, {second: -40}).review(second, {first: 60}).review(third, {first: 10, second: 0})
    table.strike(opening.person("judge"), second)
    table.advance()
    Session.objects.filter(pk=table.id).update(
        ruling="wrong",
        verdict={
            **Session.objects.get().verdict,
            "median_differs": True,
            "no_support": True,
            "pivotal": [2],
            "minority": {},
        },
    )
    people.overturn(table.id, opening.person("reviewer"), people.Against("It is off by ten.", uuid4()))
    plain = opening.opened(owner)
    for name, flag in FLAGS.items():
        rows = listing(owner, Wanted(flags=(name,))).rows
        assert [each.id for each in rows] == [table.id], name
        assert flag in rows[0].flags
    assert not next(each for each in listing(owner, Wanted()).rows if each.id == plain.pk).flags
    assert len(listing(owner, Wanted(flags=tuple(FLAGS))).rows) == 1


@pytest.mark.parametrize(
    "address",
    [
        "/?state=nonsense",
        "/?policy=nonsense",
        "/?category=nonsense",
        "/?flag=nonsense",
        "/?since=yesterday",
        "/?until=2026-13-01",
        "/?order=upwards",
        "/?who=%00",
        "/?q=%00",
        "/?trails=on&kind=nonsense&q=safer",
        "/?actor=",
        "/?page=-1",
        "/?page=99999999999999999999",
        "/?page=%C2%B2",
        f"/?q={'long+' * 39}",
        "/?q=%22%22+-+or+or+%27%3A%2A%26%7C%21%28%29%3C-%3E%5C",
    ],
)
def test_what_cannot_be_is_left_out(browser: Client, owner: User, address: str) -> None:
    opening.opened(owner)
    answer = browser.get(address)
    assert answer.status_code == 200
    left_out = not re.search("page|actor|long|%22", address)
    assert ("it was left out" in answer.content.decode()) == left_out
    if "page" in address or (left_out and "trails" not in address):
        assert opening.TASK in answer.content.decode()


def test_what_was_left_out_is_named_in_words(browser: Client, owner: User) -> None:
    opening.opened(owner)
    asked = f"/?q={'a' * 201}&since=yesterday&state=nonsense"
    assert "asks for a text, a state, a first day that cannot be" in page(browser, asked)


def test_each_filter_is_a_chip_that_takes_itself_away(browser: Client, owner: User) -> None:
    opening.opened(owner, task="Alpha", category="algebra")
    asked = (
        "q=alpha&state=running&category=algebra&flag=simulated&flag=degraded&since=2026-01-01&order=oldest"
    )
    html = page(browser, f"/?{asked}")
    chips = dict(re.findall(r'id="(chip-[^"]*)" href="([^"]*)"', html))
    assert list(chips) == [
        "chip-text", "chip-state", "chip-category", "chip-since", "chip-flag-simulated", "chip-flag-degraded",
    ]  # fmt: skip
    whole = parse_qs(asked)
    for chip, address in chips.items():
        left = parse_qs(urlsplit(address.replace("&amp;", "&")).query)
        gone = sum(map(len, whole.values())) - sum(map(len, left.values()))
        assert gone == 1, chip
        assert all(set(values) <= set(whole[name]) for name, values in left.items())


def test_nothing_found_says_which_filter_to_loosen(browser: Client, owner: User) -> None:
    opening.opened(owner, task="Alpha")
    html = page(browser, "/?q=alpha&state=failed&policy=standard")
    assert re.findall(r'id="(loosen-[^"]*)"', html) == ["loosen-state", "loosen-all"]
    assert "Look without failed" in html
    assert "no letter and no digit" in page(browser, "/?q=%25")


def test_pages_keep_all_that_was_asked_for(browser: Client, owner: User) -> None:
    for number in range(30):
        opening.opened(owner, task=f"Question {number:02}", category="code")
    html = page(browser, "/?q=question&state=&category=code&who=owner&order=oldest&page=")
    assert 'href="?q=question&amp;category=code&amp;who=owner&amp;order=oldest&amp;page=2"' in html
    assert tasks(browser, "/?q=question&category=code&who=owner&order=oldest&page=2")[0] == "Question 25"


def test_counting_stops_where_nobody_reads_on(
    browser: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        opening.opened(owner, task=f"Question {number}")
    rows = Session.objects.order_by("-created_at", "pk")
    found = paging.of_rows(rows, 2, per_page=3, most=6)
    assert (found.start, found.end, found.total, found.next) == (4, 6, "more than 6", None)
    assert paging.of_rows(rows, 9, per_page=3, most=6).number == 2
    assert paging.of_rows(rows, 3, per_page=3).total == "8"
    monkeypatch.setattr(paging, "FOUND", 6)
    searched = paging.of_hits(rows, 2, per_page=3)
    assert (searched.keys, searched.total) == (found.keys, "more than 6")
    assert "4 to 6" not in page(browser, "/?q=question")
    assert "more than 6 found" in page(browser, "/?q=question")


def test_the_bar_gets_the_list_and_a_short_address(browser: Client, owner: User) -> None:
    opening.opened(owner, task="Alpha")
    headers = {"HX-Request": "true", "HX-Target": "sessions", "HX-Trigger": "filters"}
    answer = browser.get("/?q=alpha&state=&who=&order=&since=", headers=headers)
    assert answer.headers["HX-Push-Url"] == "/?q=alpha"
    assert 'hx-get="/?q=alpha"' in answer.content.decode()
    assert 'id="filters"' not in answer.content.decode()
    refreshed = browser.get("/?q=alpha", headers={**headers, "HX-Trigger": "sessions"})
    assert "HX-Push-Url" not in refreshed.headers


def test_an_address_says_only_what_is_asked_for() -> None:
    assert filtering.address(Wanted()) == "/"
    assert (
        filtering.page_address(Wanted(flags=("simulated",), trails=True), 3)
        == "/?flag=simulated&trails=on&page=3"
    )


@pytest.mark.parametrize("query", ["q=multiplied", "trails=on&q=multiplied", "trails=on&kind=proposal.made"])
def test_thirty_hits_cost_the_queries_of_three(browser: Client, owner: User, query: str) -> None:
    def queries(until: int) -> int:
        while Session.objects.count() < until:
            table = builders.opened(owner).staff()
            table.propose(table.agents[0])
        with CaptureQueriesContext(connection) as captured:
            assert 'id="row-' in page(browser, f"/?{query}")
        return len(captured)

    assert queries(until=3) == queries(until=30)


def test_trails_show_the_events_that_tell_of_a_text(browser: Client, owner: User) -> None:
    table = builders.opened(owner).staff()
    table.propose(table.agents[1], "zugzwang")
    number = events.Chain.objects.get(pk=str(table.id)).seq
    html = page(browser, "/?trails=on&q=zugzwang")
    assert f'href="/sessions/{table.id}/#e-{number}">event {number}</a>' in html
    assert "proposal made, round 1 <span" in html
    assert "by agent B" in html
    assert "<mark>zugzwang</mark>" in html
    assert html.count('id="event-') == 1


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("kind=proposal.made", True),
        ("kind=proposal.made&actor=agent", True),
        ("actor=agent", True),
        ("kind=proposal.made&actor=person", False),
        ("actor=me", False),
        ("actor=system", False),
        ("kind=session.opened", False),  # its text is the question
        ("kind=round.opened", False),  # no text of it is searched
    ],
)
def test_trails_with_words_list_a_session_only_with_an_event_that_tells_of_them(
    browser: Client, owner: User, asked: str, there: bool
) -> None:
    table = builders.opened(owner).staff()
    table.propose(table.agents[1], "zugzwang")
    html = page(browser, f"/?trails=on&q=zugzwang&{asked}")
    assert html.count('id="event-') == html.count('<article id="row-') == int(there)
    assert ("No session fits this" in html) is not there


def test_trails_tell_who_asked_the_question_and_nothing_of_words_that_are_absent(
    browser: Client, owner: User
) -> None:
    opening.opened(owner, task="A safer bridge")
    assert page(browser, "/?trails=on&q=safer&actor=me&kind=session.opened").count("by you") == 1
    assert page(browser, "/?trails=on&q=safer&actor=system").count('id="event-') == 0
    assert "No session fits this" in page(browser, "/?trails=on&q=-nowhere")


def test_every_session_of_a_page_shows_its_first_events_and_counts_the_others(
    browser: Client, owner: User
) -> None:
    for _ in range(2):
        builders.opened(owner).staff().all_propose()
    html = page(browser, "/?trails=on&actor=agent")
    number = Session.objects.count()
    assert html.count('id="event-') == 3 * number
    assert "more</a>" not in html  # three proposals each
    html = page(browser, "/?trails=on&actor=system")
    for session in Session.objects.all():
        told = Event.objects.filter(chain_id=str(session.pk)).exclude(actor__regex="^(user|seat):")
        assert f'id="more-{session.pk}">and {told.count() - 3} more</a>' in html


def test_trails_show_the_events_of_a_kind_and_by_whom(browser: Client, owner: User) -> None:
    table = builders.opened(owner).staff()
    table.all_propose()
    opening.opened(owner, task="No proposal here")
    html = page(browser, "/?trails=on&kind=proposal.made")
    assert html.count('id="event-') == 3
    assert "No proposal here" not in html
    assert page(browser, "/?trails=on&kind=session.opened&actor=me").count("by you") == 2
    assert page(browser, "/?trails=on&kind=proposal.made&actor=person").count('id="event-') == 0
    assert "Say which events you look for" in page(browser, "/?trails=on")


def test_trails_tell_who_votes_blind_of_no_text(owner: User) -> None:
    table = builders.opened(owner, blind=True, human_window_s=900).staff()
    table.propose(table.agents[0], "zugzwang")
    browser = opening.client(owner)
    assert "zugzwang</mark>" not in page(browser, "/?trails=on&q=zugzwang")
    assert page(browser, "/?trails=on&q=zugzwang").count('id="event-') == 0
    html = page(browser, "/?trails=on&kind=proposal.made")
    assert html.count('id="event-') == 1
    assert not [
        seat.model.alias
        for seat in table.session.participants.filter(kind="model")
        if seat.model.alias in html
    ]


def test_a_refresh_of_the_list_keeps_its_page(browser: Client, owner: User) -> None:
    for number in range(26):
        opening.opened(owner, task=f"Question {number:02}")
    assert 'hx-get="/?page=2"' in page(browser, "/?page=2", **{"HX-Request": "true"})
