"""All receipts of one deliberation can be read in its room: the panel's, and each of those that replaced a seat."""

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from broker.models import Selection
from broker.selectors.decisions import decisions
from tests import builders
from tests.broker.keeping import signed_in

pytestmark = pytest.mark.django_db


def with_a_replacement(table: builders.Table) -> tuple[Selection, Selection]:
    first = table.session.selection
    assert first is not None
    second = Selection.objects.create(
        kind="replacement", reference=table.id, request=first.request, receipt={**first.receipt, "seed": 4711}
    )
    return first, second


def test_the_room_shows_each_receipt_of_its_deliberation() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner).staff()
    first, second = with_a_replacement(table)
    browser, address = signed_in(owner), reverse("receipt", args=[table.id])

    def shown(query: str) -> object:
        return browser.get(f"{address}{query}").context["selection"]

    assert shown("") == shown(f"?selection={first.pk}") == first
    assert shown(f"?selection={second.pk}") == second
    assert "seed 4711" in browser.get(f"{address}?selection={second.pk}").content.decode()
    assert f'href="{address}?selection={second.pk}"' in browser.get(address).content.decode()
    context = browser.get(address).context
    assert [each.selection for each in context["decisions"]] == [first, second]


@pytest.mark.parametrize("wanted", ["0", "x", "-1", "9" * 30, "\u0663", "1 OR 1"])
def test_what_is_no_receipt_of_this_deliberation_is_not_found(wanted: str) -> None:
    owner = builders.person("owner")
    table = builders.opened(owner).staff()

    assert signed_in(owner).get(reverse("receipt", args=[table.id]), {"selection": wanted}).status_code == 404


def test_the_receipt_of_another_deliberation_is_not_found() -> None:
    owner, other = builders.person("owner"), builders.person("other")
    table, theirs = builders.opened(owner).staff(), builders.opened(other).staff()
    _, second = with_a_replacement(theirs)
    address = reverse("receipt", args=[table.id])

    assert signed_in(owner).get(address, {"selection": second.pk}).status_code == 404
    assert signed_in(owner).get(address, {"selection": theirs.session.selection.pk}).status_code == 404


def test_who_votes_blind_is_told_of_no_replacement_either() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, take_part=True, blind=True, human_window_s=60).staff().all_propose()
    _, second = with_a_replacement(table)

    answer = signed_in(owner).get(reverse("receipt", args=[table.id]), {"selection": second.pk})

    assert answer.status_code == 403
    assert "4711" not in answer.content.decode()


def test_one_receipt_needs_no_list_and_two_name_the_one_that_is_shown() -> None:
    table = builders.opened(builders.person("owner")).staff()
    part = "broker/_session_selections.html"
    alone = {"decisions": decisions(table.id), "address": "/r/"}
    assert "href" not in render_to_string(part, alone)

    _, second = with_a_replacement(table)
    text = render_to_string(part, {"decisions": decisions(table.id), "address": "/r/", "selection": second})
    assert f'href="/r/?selection={second.pk}" aria-current="true"' in text
    assert "a seat that fell out" in text and text.count("aria-current") == 1
