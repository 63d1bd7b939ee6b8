"""What the broker is asked for a session: who is registered, as it stands now, and what the session allows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from broker.models import Call, Check, Competence, Endpoint, Model, Price, Role, Selection, Telemetry
from broker.selection.panel import choose_panel
from broker.selection.types import FAMILY_PHI
from broker.selectors.candidates import RECORDED_LEAST, Wanted, newest_personas, question
from broker.services.competences import Answered, record_checks
from broker.services.selections import select_panel

pytestmark = pytest.mark.django_db
WANTED = Wanted(category="", tokens_in=2000, tokens_out=1000, rounds=3, size=(1, 5))


@pytest.fixture
def server(db: None) -> Endpoint:
    return Endpoint.objects.create(
        name="lab",
        kind="openai_compatible",
        base_url="http://127.0.0.1:1/v1",
        healthy=True,
        checked_at=timezone.now(),
    )


@pytest.fixture
def models(server: Endpoint) -> list[Model]:
    return [
        Model.objects.create(alias=alias, served_name=alias, endpoint=server, family=alias, tags=["math"])
        for alias in ("ada", "bea", "cid", "dora")
    ]


def priced(model: Model, usd: float) -> None:
    Price.objects.create(model=model, input_usd=usd, output_usd=2 * usd, valid_from=timezone.now())


def lines(receipt: Any) -> dict[str, str]:
    return {line.id: line.reason for line in receipt.candidates}


def checked(models: list[Model], *, questions: int, category: str = "math") -> None:
    """ada is always right, the others in turn."""
    for number in range(questions):
        answers = [
            Answered(each, place == 0 or number % (place + 1) == 0) for place, each in enumerate(models)
        ]
        record_checks(answers, category=category, question=f"{number:064}", source=Check.Source.IMPORT)


def test_a_candidate_carries_its_price_its_standing_and_what_its_accuracy_rests_on(
    models: list[Model],
) -> None:
    priced(models[0], 1.0)
    checked(models[:1], questions=4)
    ada, bea, *_ = question(replace(WANTED, category="math")).request.candidates

    assert ada.cost == pytest.approx((2000 * 1 + 1000 * 2) / 1e6)
    assert (ada.right, ada.asked, ada.declared) == (4, 4, False)
    assert ada.interval is not None and ada.interval[0] < (ada.accuracy or 0) < ada.interval[1]
    assert (ada.tokens, ada.family, ada.tags, ada.healthy) == (3000, "ada", {"math"}, True)
    assert (bea.cost, bea.accuracy, bea.asked) == (None, None, 0)


def test_where_nothing_is_known_three_sit_and_the_receipt_says_why(models: list[Model]) -> None:
    asked = question(replace(WANTED, mode="dynamic"))
    assert asked.request.limits.min_size == 3
    assert asked.note.startswith("Nothing is known of these models yet, so 3 sit")
    assert len(select_panel(replace(WANTED, mode="dynamic")).receipt["chosen"]) >= 3

    assert question(WANTED).request.limits.min_size == 1  # deterministic: as the policy says
    checked(models, questions=1, category="")
    assert question(replace(WANTED, mode="dynamic")).note == ""


def test_families_bound_how_many_untried_ones_sit(models: list[Model]) -> None:
    Model.objects.update(family="one")
    assert question(replace(WANTED, mode="dynamic")).request.limits.min_size == 1


def test_recorded_questions_are_used_once_there_are_enough(models: list[Model]) -> None:
    checked(models, questions=RECORDED_LEAST - 1)
    assert question(replace(WANTED, category="math")).request.scenarios is None
    Check.objects.all().delete()
    Competence.objects.all().delete()
    checked(models, questions=RECORDED_LEAST)
    receipt = choose_panel(question(replace(WANTED, category="math")).request)
    assert receipt.rows.source == "recorded"
    assert receipt.chosen == ("ada",)


def test_a_shadow_is_weighed_and_never_seated(models: list[Model]) -> None:
    Model.objects.filter(alias="ada").update(state=Model.State.SHADOW)
    Model.objects.filter(alias="bea").update(state=Model.State.DRAFT)
    receipt = choose_panel(question(replace(WANTED, size=(2, 2))).request)
    assert set(receipt.chosen) == {"cid", "dora"}
    assert lines(receipt)["ada"] == "in shadow: weighed, never seated"
    assert "bea" not in lines(receipt)


def test_a_benched_model_and_a_dead_server_say_until_when(models: list[Model]) -> None:
    until = timezone.now() + timedelta(minutes=5)
    Model.objects.filter(alias="ada").update(benched_until=until, bench_min=5, bench_reason="it timed out")
    receipt = choose_panel(question(WANTED).request)
    assert lines(receipt)["ada"] == f"benched until {until:%H:%M} UTC: it timed out"

    Endpoint.objects.update(healthy=False, healthy_since=timezone.now(), failure="refused")
    receipt = choose_panel(question(WANTED).request)
    assert receipt.chosen == ()
    assert "nothing listens there" in (receipt.conflict or "")


def test_under_a_cap_a_model_of_unknown_price_cannot_sit(models: list[Model]) -> None:
    priced(models[1], 1.0)
    receipt = choose_panel(question(replace(WANTED, max_cost_usd=5.0)).request)
    assert receipt.chosen == ("bea",)
    assert lines(receipt)["ada"] == "its price is unknown and the session has a money cap"


def test_time_limits_somebody_only_where_some_latency_is_known(models: list[Model], server: Endpoint) -> None:
    timed = replace(WANTED, max_phase_s=2.0)
    assert question(timed).request.limits.max_latency_ms is None

    Telemetry.objects.create(
        endpoint=server, served_name="ada", source="metrics", read_at=timezone.now(), e2e_p95_ms=5000.0
    )
    asked = question(timed).request
    assert asked.limits.max_latency_ms == 4000.0  # two phases make a round
    assert next(each for each in asked.candidates if each.id == "ada").latency_ms == 10_000.0
    assert Call.objects.count() == 0


def test_roles_take_their_newest_version_and_their_persona(models: list[Model]) -> None:
    Role.objects.create(name="critic", version=1, persona="old", minimum=1, tags=["vision"])
    Role.objects.create(name="critic", version=2, persona="You doubt.", minimum=1, maximum=1, tags=["math"])
    (role,) = question(replace(WANTED, roles=("critic",))).request.roles
    assert (role.min, role.max, role.tags) == (1, 1, {"math"})
    assert newest_personas(["critic", "critic"]) == {"critic": "You doubt."}

    receipt = choose_panel(question(replace(WANTED, roles=("critic",), size=(2, 2))).request)
    assert receipt.chosen == () and "critic" in (receipt.conflict or "")  # one seat, and two are asked for
    (role,) = question(replace(WANTED, roles=("poet",))).request.roles
    assert (role.min, role.tags) == (1, frozenset())


def test_a_retired_role_is_not_asked_for(models: list[Model]) -> None:
    Role.objects.create(name="critic", version=1, minimum=1, tags=["vision"])
    Role.objects.create(name="critic", version=2, minimum=1, tags=["vision"], retired=True)
    assert question(replace(WANTED, roles=("critic",))).request.roles == ()


def test_how_errors_of_a_family_go_together_is_learned_from_questions_that_both_answered(
    models: list[Model],
) -> None:
    Model.objects.filter(alias__in=["bea", "cid"]).update(family="twins")
    assert question(WANTED).request.family_phi["twins"] == FAMILY_PHI  # nothing is known
    for number in range(60):
        answers = [Answered(each, bool(number % 2)) for each in models[1:3]]
        record_checks(answers, category="", question=f"{number:064}", source=Check.Source.IMPORT)
    assert question(WANTED).request.family_phi["twins"] > 0.75


def test_in_dynamic_mode_the_last_panel_of_the_group_is_put_to_the_broker(models: list[Model]) -> None:
    checked(models, questions=3, category="")
    group = replace(WANTED, mode="dynamic", group="standard math")
    first = select_panel(group)
    assert question(group).request.previous == tuple(first.receipt["chosen"])
    assert question(replace(group, group="other")).request.previous is None
    assert question(replace(group, mode="deterministic")).request.previous is None
    Selection.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert question(group).request.previous is None


def test_only_a_fleet_with_models_to_be_tried_differs_from_session_to_session(models: list[Model]) -> None:
    dynamic = replace(WANTED, mode="dynamic", seed=41)
    assert question(dynamic).request.seed == 41
    assert question(replace(dynamic, mode="deterministic")).request.seed == 0
    checked(models, questions=10, category="")
    assert question(dynamic).request.seed == 0


def test_simulated_experts_err_apart_and_are_what_they_are_made_to_be(db: None) -> None:
    endpoint = Endpoint.objects.create(name="simulated", kind="simulated")
    model = Model.objects.create(alias="sim", served_name="sim", endpoint=endpoint)
    Competence.objects.create(model=model, right=80, asked=100, declared=True)
    request = question(WANTED).request
    assert (request.common_phi, request.family_phi) == (0.0, 0.0)
    (sim,) = request.candidates
    assert (sim.asked, sim.interval, sim.declared, sim.simulated) == (0, None, True, True)
    assert sim.accuracy == pytest.approx(0.8)


def test_the_number_of_queries_does_not_grow_with_the_models(
    models: list[Model], server: Endpoint, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        Model.objects.create(alias=f"m{number}", served_name=f"m{number}", endpoint=server)
    with django_assert_max_num_queries(9):
        question(replace(WANTED, mode="dynamic", group="g", category="math"))
