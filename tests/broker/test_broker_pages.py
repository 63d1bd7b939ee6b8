"""The broker's pages: the fleet, past selections, a receipt and what other budgets would seat."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from broker.models import Competence, Endpoint, Host, Model, Selection, Telemetry
from tests import builders
from tests.broker.keeping import keeper, signed_in
from tests.broker.selecting import selected_of_three

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("solver_here")]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(db: None) -> Client:
    return signed_in(keeper())


@pytest.fixture
def server(db: None) -> Endpoint:
    host = Host.objects.create(name="gpu-1", total_mb=24_000, free_mb=20_000)
    return Endpoint.objects.create(
        name="lab",
        kind="openai_compatible",
        base_url="http://127.0.0.1:1/v1",
        host=host,
        healthy=True,
        checked_at=timezone.now(),
    )


@pytest.fixture
def chosen(server: Endpoint) -> Selection:
    return selected_of_three(server)


def read(server: Endpoint, **figures: object) -> Telemetry:
    return Telemetry.objects.create(
        endpoint=server, served_name="strong", source="metrics", **{"read_at": timezone.now(), **figures}
    )


def text(browser: Client, address: str, **headers: object) -> str:
    answer = browser.get(address, **headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_fleet_shows_load_health_memory_and_the_age_of_each_reading(
    browser: Client, server: Endpoint
) -> None:
    read(server, running=3, waiting=2, kv_cache_share=0.25, ttft_p50_ms=120.4, e2e_p95_ms=900.0)
    page = text(browser, reverse("broker"))
    for words in ("healthy", ">3<", ">2<", "25 %", "120 ms", "900 ms", "s ago", "of <span", "gpu-1"):
        assert words in page
    assert page.count("data-figure=") == 2


def test_a_stale_reading_is_unknown_and_says_how_old_it_is(browser: Client, server: Endpoint) -> None:
    read(server, running=7, read_at=timezone.now() - timedelta(seconds=40))
    page = text(browser, reverse("broker"))
    assert ">7<" not in page
    assert "too old to count" in page


def test_htmx_gets_the_part_that_refreshes_itself(browser: Client, server: Endpoint) -> None:
    read(server, running=1)
    part = text(browser, reverse("broker"), headers=HTMX)
    assert part.startswith('<div class="stack" id="fleet"')
    assert "data-figure=" in part and "chart-plot" not in part


def test_benched_models_come_with_their_timer_and_a_way_back(browser: Client, server: Endpoint) -> None:
    until = timezone.now() + timedelta(minutes=4)
    Model.objects.create(
        alias="slow",
        served_name="slow",
        endpoint=server,
        benched_until=until,
        bench_min=5,
        bench_reason="it timed out",
    )
    page = text(browser, reverse("broker"))
    assert "data-due" in page and "it timed out (one success ends it)" in page
    assert reverse("registry_unbench", args=["slow"]) in page


def test_who_does_not_keep_the_registry_sees_the_fleet_and_no_selection(chosen: Selection) -> None:
    guest = signed_in(User.objects.create_user("guest"))
    page = text(guest, reverse("broker"))
    main = page.partition("<main")[2].partition("</main>")[0]
    assert "lab" in main and "strong" not in main
    assert guest.get(reverse("broker_selections")).status_code == 403
    assert guest.get(reverse("broker_selection", args=[chosen.pk])).status_code == 403


def test_a_receipt_says_of_every_candidate_why(browser: Client, chosen: Selection) -> None:
    page = text(browser, reverse("broker_selection", args=[chosen.pk]))
    for words in ("Runner-up", "Best single", "Additive panel", "200 checks", "bound", "over the"):
        assert words in page
    for line in chosen.receipt["candidates"]:
        assert line["reason"] in page.replace("&#x27;", "'")
    assert text(browser, reverse("broker_selections")).count("<tr>") == 2


def test_another_budget_is_solved_anew_and_says_who_comes_and_goes(
    browser: Client, chosen: Selection
) -> None:
    assert chosen.receipt["chosen"] == ["strong"]
    address = reverse("broker_selection", args=[chosen.pk])
    part = text(browser, f"{address}?budget=0.06", headers=HTMX)
    assert part.startswith('<div id="resolved"')
    assert "fair" in part and "Goes: strong." in part
    assert "The same panel as recorded." in text(browser, f"{address}?budget=2", headers=HTMX)
    assert "no panel" in text(browser, f"{address}?budget=0.001", headers=HTMX)
    chosen.refresh_from_db()
    assert chosen.receipt["chosen"] == ["strong"]


@pytest.mark.parametrize("typed", ["much", "-1", "nan", "inf", "1e99"])
def test_a_budget_that_is_none_is_refused_in_words(browser: Client, chosen: Selection, typed: str) -> None:
    address = reverse("broker_selection", args=[chosen.pk])
    assert "A budget is a number of US dollars" in text(browser, f"{address}?budget={typed}", headers=HTMX)


def test_the_budgets_at_which_the_panel_changes(browser: Client, chosen: Selection) -> None:
    part = text(browser, f"{reverse('broker_selection', args=[chosen.pk])}?points=1", headers=HTMX)
    assert part.index("cheap") < part.index("fair") < part.index("strong")
    assert "from $0.01" in part and "from $0.05" in part and "from $0.50" in part
    assert "One cent more than the recorded budget would change nothing." in part
    assert part.count("<option") == 3


def test_a_panel_that_was_named_has_no_other_budget(browser: Client, chosen: Selection) -> None:
    named = {**chosen.request, "mode": "pinned", "required": ["fair"]}
    Selection.objects.filter(pk=chosen.pk).update(request=named)
    part = text(browser, f"{reverse('broker_selection', args=[chosen.pk])}?points=1", headers=HTMX)
    assert "The panel was named, so no budget changes it." in part


def test_the_ranking_shows_means_with_intervals_and_what_they_rest_on(
    browser: Client, chosen: Selection
) -> None:
    few = Model.objects.create(alias="new", served_name="new", endpoint=Endpoint.objects.get(), family="new")
    Competence.objects.create(model=few, category="math", right=2, asked=3)
    Model.objects.create(alias="blank", served_name="blank", endpoint=few.endpoint, family="blank")
    page = text(browser, reverse("broker_ranking"))
    assert page.index(">strong<") < page.index(">fair<") < page.index(">cheap<")
    assert "200 checks" in page and "nothing is known of it yet" in page
    assert re.search(r"90 %</td> <td[^>]*>86 % to 93 %", page)

    maths = text(browser, reverse("broker_ranking") + "?category=math")
    assert "3 checks: too few" in maths
    assert browser.get(reverse("broker_ranking") + "?category=%00").status_code == 200


def test_without_script_the_page_answers_too(browser: Client, chosen: Selection) -> None:
    address = reverse("broker_selection", args=[chosen.pk])
    assert "Goes: strong." in text(browser, f"{address}?budget=0.06")
    assert "Where the panel changes" in text(browser, f"{address}?points=1")


def test_a_session_shows_its_receipt_once_names_may_be_seen() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, take_part=True, blind=True, human_window_s=60).staff().all_propose()
    browser = signed_in(owner)
    refused = browser.get(f"/sessions/{table.id}/receipt/")
    assert refused.status_code == 403
    assert "after your first ballot" in refused.content.decode()

    one, two, _ = table.agents
    table.vote(owner, {one: 3, two: -2})
    assert "The decision" in text(browser, f"/sessions/{table.id}/receipt/")


def test_a_session_that_could_not_be_staffed_shows_the_receipt_that_says_why() -> None:
    owner = builders.person("owner")
    table = builders.opened(owner, panel_size=[90, 90]).staff()
    page = text(signed_in(owner), f"/sessions/{table.id}/receipt/")
    assert "No panel was possible." in page and "The panel needs 90 models" in page
