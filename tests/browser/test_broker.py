"""The broker in a browser: the budget slider re-solves, the fleet refreshes itself, everybody can use both."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from broker.models import Competence, Endpoint, Model, Price, Selection, Telemetry
from broker.selectors.candidates import Wanted
from broker.services.selections import select_panel
from tests.browser.people import Person
from tests.browser.test_usable import OPEN_FOLDS, complaints


@pytest.fixture
def keeper(clone: None, sit_down: Callable[..., Person]) -> Callable[..., Person]:
    def keeper(name: str, **options: object) -> Person:
        person = sit_down(reduced_motion="reduce", **options)
        person.sign_in(User.objects.create_superuser(name))
        return person

    return keeper


@pytest.fixture
def lab(clone: None) -> Endpoint:
    """A server that nobody has to reach here: its health was seen just now."""
    known = {"healthy": True, "checked_at": timezone.now(), "base_url": "http://127.0.0.1:9/v1"}
    Telemetry.objects.all().delete()
    return Endpoint.objects.update_or_create(name="lab", defaults=known | {"kind": "openai_compatible"})[0]


def chosen(lab: Endpoint) -> Selection:
    for alias, share, usd in (("cheap", 0.5, 1), ("fair", 0.6, 5), ("strong", 0.9, 50)):
        model, _ = Model.objects.update_or_create(
            alias=alias, defaults={"served_name": alias, "endpoint": lab, "family": alias, "state": "active"}
        )
        Price.objects.create(model=model, input_usd=usd, output_usd=usd, valid_from=timezone.now())
        Competence.objects.get_or_create(model=model, defaults={"right": share * 200, "asked": 200})
    selection = select_panel(
        Wanted(
            category="",
            tokens_in=5000,
            tokens_out=5000,
            rounds=1,
            size=(1, 3),
            max_cost_usd=1.0,
            floor_points=None,
        )
    )
    Model.objects.filter(endpoint=lab).update(
        state=Model.State.RETIRED
    )  # later sessions are not staffed with them
    return selection


def slide(page: Page, budget: str) -> None:
    page.locator("#budget").evaluate(
        "(each, value) => { each.value = value; each.dispatchEvent(new Event('input', {bubbles: true})) }",
        budget,
    )


def test_the_slider_solves_anew_and_the_changes_of_the_panel_can_be_pressed(
    keeper: Callable[..., Person], lab: Endpoint, start_workers: Callable[[], None]
) -> None:
    start_workers()
    page = keeper("ines").open(f"/broker/selections/{chosen(lab).pk}/")
    expect(page.locator("#points")).to_contain_text("from $0.05")  # all budgets were gone through

    slide(page, "0.07")
    expect(page.locator("#resolved")).to_contain_text("Goes: strong.")
    expect(page.locator("#resolved .chip")).to_have_text(["fair"])
    expect(page.get_by_label("Budget in US dollars")).not_to_have_value("")

    page.locator("#points").get_by_role("link", name="from $0.50").click()
    expect(page.get_by_label("Budget in US dollars")).to_have_value("0.5")
    expect(page).to_have_url(re.compile(r"\?budget=0\.5$"))
    expect(page.locator("#resolved")).to_contain_text("The same panel as recorded.")

    page.get_by_label("Budget in US dollars").fill("nothing")
    page.get_by_role("button", name="Solve").click()
    expect(page.locator("#resolved")).to_contain_text(
        "A budget is a number of US dollars, and 'nothing' is none."
    )


def test_the_fleet_refreshes_itself_and_draws_what_was_read(
    keeper: Callable[..., Person], lab: Endpoint
) -> None:
    read(lab, running=1)
    page = keeper("jana").open("/broker/")
    expect(page.locator(".fleet tbody tr", has_text="lab")).to_contain_text("healthy")
    expect(page.locator(".chart-plot .plot-container")).to_have_count(2)
    read(lab, running=8421)
    expect(page.locator(".fleet tbody tr", has_text="lab")).to_contain_text("8,421")
    expect(page.locator(".chart-plot .plot-container")).to_have_count(2)


def read(lab: Endpoint, *, running: int) -> None:
    Telemetry.objects.create(
        endpoint=lab,
        served_name="strong",
        source="metrics",
        read_at=timezone.now(),
        running=running,
        waiting=2,
        kv_cache_share=0.4,
        ttft_p50_ms=80.0,
        ttft_p95_ms=200.0,
        e2e_p50_ms=900.0,
        e2e_p95_ms=2000.0,
    )


def test_axe_finds_nothing_serious_and_nothing_is_wider_than_a_phone(
    keeper: Callable[..., Person], lab: Endpoint
) -> None:
    read(lab, running=1)
    person, found = keeper("kira"), {}
    selection = chosen(lab)
    Model.objects.filter(alias="fair").update(
        benched_until=timezone.now() + timedelta(minutes=4), bench_min=5, bench_reason="it timed out"
    )
    receipt = f"/broker/selections/{selection.pk}/"
    for path in (
        "/broker/",
        "/broker/ranking/",
        "/broker/selections/",
        receipt,
        f"{receipt}?budget=0.06&points=1",
    ):
        page = person.open(path)
        page.evaluate(OPEN_FOLDS)
        if findings := complaints(page, "body"):
            found[path] = findings
    assert found == {}
