"""A retired policy: nobody opens a deliberation under it, those that there are keep it, and it can come back."""

import html as markup

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client

from deliberation.events import SYSTEM
from deliberation.models import Event, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.selectors import policies as policy_reads
from deliberation.services.acts import ActRefused
from deliberation.services.policies import (
    Edit,
    bring_back_policy,
    in_use,
    load_built_in,
    names_in_use,
    publish_edit,
    publish_policy,
    retire_policy,
)
from deliberation.smoke_testing import deliberation as smoke_step
from tests.deliberation import opening

pytestmark = pytest.mark.django_db
PAGE, RETIRE, BACK = "/policies/thorough/", {"act": "retire"}, {"act": "bring_back"}


@pytest.fixture
def ada() -> User:
    opening.demo()
    user = opening.person("ada", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_policy"))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def browser(ada: User) -> Client:
    return opening.client(ada)


def said(answer: HttpResponse) -> str:
    return " ".join(markup.unescape(answer.content.decode()).split())


def told() -> list[tuple[str, str]]:
    rows = Event.objects.filter(chain_id=SYSTEM).exclude(kind="policy.published")
    return list(rows.order_by("seq").values_list("kind", "actor"))


# the page


def test_retiring_and_bringing_back_are_told_in_the_trail(browser: Client, ada: User) -> None:
    answer = browser.post(PAGE, RETIRE, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "thorough is retired: nobody can open a new deliberation under it." in said(answer)
    assert "it was retired by ada on <time" in said(answer)
    assert Policy.objects.get(name="thorough").retired_at is not None

    answer = browser.post(PAGE, BACK, follow=True)
    assert "thorough is back: deliberations can be opened under it again." in said(answer)
    assert "it was retired by" not in said(answer)
    assert told() == [("policy.retired", f"user:{ada.pk}"), ("policy.brought_back", f"user:{ada.pk}")]
    policy = Policy.objects.get(name="thorough")
    event = Event.objects.filter(chain_id=SYSTEM).latest("seq")
    assert event.data == {"policy": policy.pk, "version": 1, "sha256": policy.sha256}


def test_pressing_twice_tells_it_once(browser: Client) -> None:
    browser.post(PAGE, RETIRE)
    assert "thorough was retired before." in said(browser.post(PAGE, RETIRE, follow=True))
    browser.post(PAGE, BACK)
    assert "thorough was in use before." in said(browser.post(PAGE, BACK, follow=True))
    assert [kind for kind, _ in told()] == ["policy.retired", "policy.brought_back"]


def test_the_page_has_the_one_button_that_does_something(browser: Client) -> None:
    text = said(browser.get(PAGE))
    assert 'value="retire"' in text and 'value="bring_back"' not in text
    browser.post(PAGE, RETIRE)
    text = said(browser.get(PAGE))
    assert 'value="bring_back"' in text and 'value="retire"' not in text
    assert "Use it for a new deliberation" not in text


def test_the_list_shows_it_last_and_marked(browser: Client) -> None:
    browser.post("/policies/fast/", RETIRE)
    text = said(browser.get("/policies/"))
    places = [text.index(f'href="/policies/{name}/"') for name in ("standard", "thorough", "fast")]
    assert places == sorted(places)
    assert text.count('<span class="chip">retired</span>') == 1


def test_an_act_that_there_is_not_changes_nothing(browser: Client) -> None:
    answer = browser.post(PAGE, {"act": "burn"})
    assert answer.status_code == 422
    assert "Press one of the buttons here." in said(answer)
    assert told() == []
    assert browser.post("/policies/none/", RETIRE).status_code == 404
    assert browser.put(PAGE).status_code == 405


@pytest.mark.parametrize("kind", ["nobody special", "staff", "permitted, no staff"])
def test_others_may_not(ada: User, kind: str) -> None:
    user = opening.person("bob", is_staff=kind == "staff")
    if kind.startswith("permitted"):
        user.user_permissions.add(Permission.objects.get(codename="add_policy"))
    browser = opening.client(user)
    assert 'value="retire"' not in said(browser.get(PAGE))
    assert browser.post(PAGE, RETIRE).status_code == 403
    assert names_in_use() == ["fast", "standard", "thorough"]


def test_a_stranger_signs_in_first(ada: User) -> None:
    for answer in (Client().get(PAGE), Client().post(PAGE, RETIRE)):
        assert answer.headers["Location"].startswith("/sign-in/")
    assert told() == []


# the last one


def test_the_last_policy_in_use_stays(browser: Client) -> None:
    for name in ("fast", "thorough"):
        browser.post(f"/policies/{name}/", RETIRE)
    answer = browser.post("/policies/standard/", RETIRE)
    assert answer.status_code == 409
    assert "standard is the last policy in use: without it nobody could open a deliberation." in said(answer)
    assert names_in_use() == ["standard"]
    assert 'name="policy" value="standard"' in said(browser.get("/new/"))


# new sessions


def test_it_is_not_offered_for_new_sessions(browser: Client) -> None:
    browser.post("/policies/standard/", RETIRE)
    text = said(browser.get("/new/"))
    assert 'value="fast"' in text and 'value="standard"' not in text
    assert [card.policy.name for card in policy_reads.cards()] == ["fast", "thorough"]


def test_a_form_that_was_open_meanwhile_is_refused_and_kept(browser: Client) -> None:
    browser.post("/policies/standard/", RETIRE)
    answer = browser.post("/new/", {"task": "What is 17*23?", "policy": "standard"})
    assert answer.status_code == 422
    assert "The policy standard is retired. Choose one of: fast, thorough." in said(answer)
    assert "What is 17*23?</textarea>" in said(answer)
    assert not Session.objects.exists()


def test_whoever_asks_for_it_is_told_what_there_is(ada: User) -> None:
    assert in_use("fast").version == 1
    retire_policy("fast", by=ada)
    with pytest.raises(
        ActRefused, match=r"^The policy fast is retired\. Choose one of: standard, thorough\.$"
    ):
        in_use("fast")
    with pytest.raises(ActRefused, match=r"^There is no policy named 'none'\. Choose one of: standard"):
        in_use("none")
    with pytest.raises(ActRefused, match="There is no policy named"):
        in_use("\x00")


def test_no_session_is_opened_under_it(ada: User) -> None:
    retire_policy("fast", by=ada)
    with pytest.raises(
        ActRefused, match=r"^The policy fast is retired\. Choose one of: standard, thorough\.$"
    ):
        opening.opened(ada, policy="fast")
    assert not Session.objects.exists()


def test_a_smoke_test_takes_one_that_is_in_use(ada: User) -> None:
    retire_policy("fast", by=ada)
    assert names_in_use()[0] == "standard"
    Policy.objects.filter(name__in=("standard", "thorough")).delete()
    assert smoke_step(None).code == "no_policy"  # type: ignore[arg-type]


# what there is already


def test_old_sessions_keep_showing_it(browser: Client, ada: User) -> None:
    session = opening.opened(ada, policy="thorough")
    browser.post(PAGE, RETIRE)
    assert browser.get(f"/sessions/{session.pk}/").status_code == 200
    listed = said(browser.get("/?policy=thorough"))
    assert opening.TASK in listed
    assert "version=1" in said(browser.get(PAGE))


def test_a_new_version_of_it_stays_retired_until_it_is_brought_back(browser: Client, ada: User) -> None:
    retire_policy("fast", by=ada)
    publish_edit(Edit("fast", "Once.", Rules.from_json({"max_rounds": 1}), base=1), by=ada)
    assert "fast" not in names_in_use()
    assert "There is a later version" in said(browser.get("/policies/fast/?version=1"))
    bring_back_policy("fast", by=ada)
    assert in_use("fast").version == 2
    assert not Policy.objects.filter(name="fast").exclude(retired_at=None).exists()


def test_whoever_publishes_a_version_of_it_is_told_so(browser: Client) -> None:
    browser.post(PAGE, RETIRE)
    form = {"name": "", "summary": "As it was.", "base": 1, "act": "publish"}
    rules = Policy.objects.get(name="thorough").rules
    typed = {
        **rules,
        "panel_size": rules["panel_size"][0],
        "panel_size_most": 7,
        "roles": "",
        "effort": "0.3",
    }
    sent = {key: "" if value is None else value for key, value in typed.items() if value is not False}
    answer = browser.post(f"{PAGE}edit/", {**sent, **form}, follow=True)
    assert "version 2. It stays retired until somebody brings it back." in said(answer)


def test_loading_the_built_in_ones_brings_none_back(ada: User) -> None:
    retire_policy("fast", by=ada)
    load_built_in()
    publish_policy("fast", summary="Other.", rules=Rules.from_json({"max_rounds": 1}))
    assert names_in_use() == ["standard", "thorough"]
