"""Two people change the same row of the registry: neither undoes unseen what the other saved."""

import re

import pytest
from django.test import Client

from broker.models import Endpoint, Host, Model, Role, Server
from broker.services import registry
from broker.services.changes import Act
from broker.services.moved import Moved, stamp
from tests.broker.keeping import at, keeper, page, signed_in, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def first() -> Client:
    return signed_in(keeper(username="ada"))


@pytest.fixture
def second() -> Client:
    return signed_in(keeper(username="bob"))


def opened(browser: Client, path: str) -> dict[str, str]:
    """What the form at `path` would send, as it was opened."""
    form = browser.get(path).context["form"]
    typed = {bound.name: bound.value() for bound in form}
    return {name: str(value) for name, value in typed.items() if value is not None and value is not False}


def base_in(text: str) -> str:
    found = re.search(r'name="base" value="([^"]+)"', text)
    assert found
    return found[1]


def test_an_old_page_does_not_undo_what_was_saved_since(first: Client, second: Client, model: Model) -> None:
    path = at("change_model", "m")
    one, two = opened(first, path), opened(second, path)
    first.post(path, {**one, "family": "delta"})

    answer = second.post(path, {**two, "size_b": "8"})

    text = answer.content.decode()
    assert answer.status_code == 409
    assert "ada changed family from nothing to delta" in text
    assert 'value="8"' in text
    assert "Save over it" in text
    assert (Model.objects.get().family, Model.objects.get().size_b) == ("delta", None)

    second.post(path, {**two, "size_b": "8", "base": base_in(text)})
    assert (Model.objects.get().family, Model.objects.get().size_b) == ("", 8)
    assert told("model", "m") == ["changed", "changed"]


def test_a_third_save_is_seen_again(first: Client, second: Client, model: Model) -> None:
    path = at("change_model", "m")
    two = opened(second, path)
    first.post(path, {**opened(first, path), "family": "delta"})
    base = base_in(second.post(path, {**two, "size_b": "8"}).content.decode())
    first.post(path, {**opened(first, path), "family": "gamma"})

    answer = second.post(path, {**two, "size_b": "8", "base": base})

    assert answer.status_code == 409
    assert "ada changed family from delta to gamma" in answer.content.decode()


def test_what_both_typed_alike_needs_no_word(first: Client, second: Client, model: Model) -> None:
    path = at("change_model", "m")
    two = opened(second, path)
    first.post(path, {**opened(first, path), "family": "delta"})

    answer = second.post(path, {**two, "family": "delta"}, follow=True)

    assert "Nothing differs" in answer.content.decode()


def test_a_state_that_moved_meanwhile_is_not_undone_and_asks_nothing(
    first: Client, second: Client, model: Model
) -> None:
    path = at("change_model", "m")
    two = opened(second, path)
    first.post(at("move", "m"), {"state": "shadow", "note": "to be watched"})

    second.post(path, {**two, "size_b": "8"})

    assert (Model.objects.get().state, Model.objects.get().size_b) == ("shadow", 8)


def test_what_was_changed_beside_the_history_is_refused_too(second: Client, model: Model) -> None:
    path = at("change_model", "m")
    two = opened(second, path)
    Model.objects.update(family="delta")

    text = second.post(path, {**two, "size_b": "8"}).content.decode()

    assert "the history does not say by whom" in text


def test_every_form_knows_what_it_was_opened_on(first: Client, second: Client, lab: Endpoint) -> None:
    host = Host.objects.create(name="gpu")
    lab.host = host
    lab.save()
    Server.objects.create(host=host, endpoint=lab, model_path="/m", port=1)
    Role.objects.create(name="critic")
    forms = {
        at("change_host", "gpu"): ({"total_mb": "10"}, {"mode": "swapped"}),
        at("change_endpoint", "lab"): ({"max_concurrency": "3"}, {"tokens_per_minute": "9"}),
        at("change_server", "lab"): ({"revision": "main"}, {"dtype": "half"}),
        at("change_role", "critic"): ({"summary": "It doubts."}, {"minimum": "1"}),
    }
    for path, (ours, theirs) in forms.items():
        one, two = opened(first, path), opened(second, path)
        assert first.post(path, {**one, **ours}).status_code == 302, path
        answer = second.post(path, {**two, **theirs})
        assert answer.status_code == 409, path
        assert "ada changed" in answer.content.decode(), path


def test_the_admin_pages_refuse_it_too(first: Client, second: Client, model: Model) -> None:
    path = f"/admin/broker/model/{model.pk}/change/"
    base = base_in(page(second, path))
    inlines = {
        f"{kind}-{name}": "0"
        for kind in ("prices", "competences")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    typed = {"served_name": "stub", "endpoint": str(model.endpoint_id), "base": base, **inlines}
    first.post(at("change_model", "m"), {**opened(first, at("change_model", "m")), "family": "delta"})

    answer = second.post(path, {**typed, "size_b": "8"})

    assert "ada changed family from nothing to delta" in answer.content.decode()
    assert Model.objects.get().family == "delta"


def test_who_saves_at_the_same_moment_is_refused_by_the_service(model: Model) -> None:
    """Both forms were found good before either was saved."""
    base = stamp(model)
    one, two = Model.objects.get(), Model.objects.get()
    one.family, two.family = "delta", "gamma"
    registry.change(one, act=Act(), base=base)

    with pytest.raises(Moved, match="the system changed family from nothing to delta") as moved:
        registry.change(two, act=Act(), base=base)

    assert registry.change(two, act=Act(), base=moved.value.stamp)
    assert Model.objects.get().family == "gamma"


def test_a_role_that_got_a_version_meanwhile_is_refused_by_the_service(db: None) -> None:
    registry.add_role_version(Role(name="critic"), act=Act())
    base = stamp(Role.objects.get())
    registry.add_role_version(Role(name="critic", summary="It doubts."), act=Act(), base=base)

    with pytest.raises(Moved):
        registry.add_role_version(Role(name="critic", persona="You doubt."), act=Act(), base=base)
    assert Role.objects.count() == 2
