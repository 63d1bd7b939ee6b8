"""The file that stands alone: everything in it, nothing loaded, nothing that runs."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from deliberation.inline_style import style
from tests import builders
from tests.builders import Table

pytestmark = pytest.mark.django_db

NASTY = '</script><script>alert(1)</script><img src=https://evil.example/x onerror="alert(1)"> [x](https://e.example/)'
LOADS = {"src", "srcset", "data", "poster", "action", "formaction", "background", "xlink:href", "style"}


class Loads(HTMLParser):
    """Elements and attributes by which a file would load, run or send something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "link", "iframe", "object", "embed", "base", "form", "img", "use"):
            self.found.append(f"<{tag}>")
        self.found += [
            f"{tag} {name}" for name in given if name in LOADS or name.startswith(("on", "hx-get"))
        ]
        if tag == "a":
            self.links.append(given.get("href") or "")


def fetched(table: Table) -> str:
    browser = Client()
    browser.force_login(table.session.owner)
    answer = browser.get(reverse("verdict_file", args=[table.id]))
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="verdict-')
    return answer.content.decode()


@pytest.fixture
def table(db: None) -> Table:
    found = builders.opened(max_rounds=1, task=f"What is 17*23? {NASTY}").staff()
    found.propose(found.agents[0], "391", answer=NASTY, reasoning=NASTY, claims=[{"text": NASTY}])
    for seat in found.agents[1:]:
        found.propose(seat, "381", answer=f"A formula $x^2$ and {NASTY}")
    found.advance()
    found.all_review()
    found.advance()
    return found


def test_nothing_in_it_is_loaded_or_runs(table: Table) -> None:
    loads = Loads(html := fetched(table))

    assert loads.found == []
    assert [each for each in loads.links if not each.startswith(("#", "https://e.example/"))] == []
    assert "url(" not in html
    assert "@import" not in html


def test_its_policy_allows_its_own_style_and_nothing_else(table: Table) -> None:
    html = fetched(table)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)

    assert policy
    allowed = policy[1].replace("&#x27;", "'")
    assert allowed == f"default-src 'none'; style-src {style().source}; base-uri 'none'; form-action 'none'"
    assert str(style().element) in html


def test_every_property_that_its_style_uses_is_in_it() -> None:
    text = str(style().element)

    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", text)) - {"--strip-height"} <= set(
        re.findall(r"[{; ](--[a-z0-9-]+):", text)
    )


def test_it_holds_the_numbers_the_matrix_and_every_proposal_with_its_reviews(table: Table) -> None:
    html = fetched(table)
    table.session.refresh_from_db()

    assert table.session.trail_hash in html
    assert 'id="round-1"' in html
    assert html.count('class="matrix"') == 1
    for seat in table.agents:
        assert f'id="proposal-1-{seat}"' in html
    assert "It says 381." in html  # a review's own words
    assert "<math" in html


def test_its_anchors_lead_somewhere_in_it(table: Table) -> None:
    html = fetched(table)
    ids = set(re.findall(r' id="([^"]+)"', html))

    assert {each[1:] for each in Loads(html).links if each.startswith("#")} <= ids
    assert len(ids) == html.count(' id="')


def test_no_text_can_stand_where_the_file_states_its_size() -> None:
    table = builders.opened(max_rounds=1, task="What is @SIZE@?").staff()
    table.stop(table.session.owner)
    html = fetched(table)

    assert "What is @SIZE@?" in html
    assert "\0" not in html


def test_it_states_its_size_and_the_same_trail_gives_the_same_file(table: Table) -> None:
    html = fetched(table)
    stated = re.search(r"One file of ([\d,]+) kB", html)

    assert stated
    assert abs(int(stated[1].replace(",", "")) - len(html.encode()) / 1000) <= 1
    assert fetched(table) == html
