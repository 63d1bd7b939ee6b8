"""The pages of policies: who reads, who publishes, and that a version, once published, stays."""

import html as markup
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from deliberation.forms_policies import typed
from deliberation.models import Event, Policy
from deliberation.protocol.types import Rules
from deliberation.services import policies as services
from deliberation.services.policies import Edit, PolicyMoved, load_built_in, publish_edit, publish_policy
from deliberation.trail import canonical
from tests.deliberation import opening

pytestmark = pytest.mark.django_db
EDIT, NEW = "/policies/thorough/edit/", "/policies/new/"
HTMX = {"HX-Request": "true"}


def publisher(username: str = "ada") -> User:
    user = opening.person(username, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_policy"))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def ada() -> User:
    load_built_in()
    return publisher()


@pytest.fixture
def browser(ada: User) -> Client:
    return opening.client(ada)


def newest(name: str = "thorough") -> Policy:
    return Policy.objects.filter(name=name).latest("version")


def sent(act: str = "publish", *, base: int = 1, name: str = "", **changes: Any) -> dict[str, Any]:
    """The form of `thorough` as a browser sends it, with these changes."""
    filled = typed(Rules.from_json(Policy.objects.get(name="thorough", version=1).rules))
    return {**filled, "summary": "As it was.", "base": base, "name": name, "act": act, **changes}


def said(answer: HttpResponse) -> str:
    return markup.unescape(answer.content.decode())


# reading


def test_the_list_has_the_newest_versions_and_the_sessions_one_may_see(browser: Client, ada: User) -> None:
    opening.opened(ada, policy="fast")
    opening.opened(opening.person("bob"), policy="standard")
    publish_policy("fast", summary="Quicker still.", rules=Rules.from_json({"max_rounds": 1}))
    text = said(browser.get("/policies/"))
    assert "Quicker still." in text and "1 round." in text
    assert text.count('<th scope="row">') == 3
    assert 'href="/?policy=fast">1</a>' in text  # bob's session is not ada's to count
    assert text.count('data-label="Sessions" class="num">0<') == 2


def test_without_a_policy_the_list_says_what_to_do(ada: User) -> None:
    Policy.objects.all().delete()
    assert "load_demo_panel" in said(opening.client(ada).get("/policies/"))


def test_a_page_tells_each_version_by_whom_and_what_it_changed(browser: Client, ada: User) -> None:
    edit = Edit("fast", "Slower.", Rules.from_json({"max_rounds": 9, "effort": 0.9}), base=1)
    publish_edit(edit, by=ada)
    text = " ".join(said(browser.get("/policies/fast/")).split())
    assert "version 2" in text and "Slower." in text
    assert "ada, <time" in text and "the system, <time" in text
    assert "<code>max_rounds</code> <del>2</del>" in text and "<ins>9</ins>" in text
    assert "2 to 9 rounds" in text and "1 to 2 rounds" in text  # the sentences, now and before
    old = said(browser.get("/policies/fast/?version=1"))
    assert "A later version is in force" in old and "Edit from this version" in old
    assert "Use it for a new deliberation" not in old


def test_a_reader_sees_what_the_numbers_do_and_no_way_to_change_them(ada: User) -> None:
    browser = opening.client(opening.person("reader"))
    text = said(browser.get("/policies/thorough/"))
    assert 'data-figure="law-plot"' in text and 'data-figure="stops-plot"' in text
    assert "1:18:00 in turns" in text
    for page in (text, said(browser.get("/policies/"))):
        assert "/edit/" not in page and NEW not in page


def test_a_version_whose_publisher_the_trail_does_not_know_says_so(browser: Client) -> None:
    Policy.objects.create(name="lost", version=1, summary="", rules=Rules().to_json(), sha256=Rules().sha256)
    assert "nobody knows who published it" in said(browser.get("/policies/lost/"))


# who may


@pytest.mark.parametrize("path", [EDIT, NEW])
@pytest.mark.parametrize("kind", ["nobody special", "staff", "permitted, no staff"])
def test_others_are_refused_and_told_what_they_lack(ada: User, path: str, kind: str) -> None:
    user = opening.person("bob", is_staff=kind == "staff")
    if kind.startswith("permitted"):
        user.user_permissions.add(Permission.objects.get(codename="add_policy"))
    browser = opening.client(user)
    for answer in (browser.get(path), browser.post(path, sent(name="mine"))):
        assert answer.status_code == 403
        assert "staff who may add a policy" in said(answer)
    assert Policy.objects.count() == 3


def test_nobody_edits_without_signing_in(ada: User) -> None:
    for path in (EDIT, NEW, "/policies/"):
        assert Client().get(path).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("who", ["signed out", "no publisher"])
def test_a_preview_that_is_refused_is_a_line_in_its_place(ada: User, who: str) -> None:
    browser = Client() if who == "signed out" else opening.client(opening.person("bob"))
    answer = browser.post(EDIT, sent("preview"), headers=HTMX)
    assert answer.status_code == 403
    assert said(answer).strip().startswith('<div class="stack" id="policy-preview">')
    assert "What you typed is still in the form" in said(answer)


@pytest.mark.parametrize("path", [EDIT, NEW])
def test_another_method_is_refused(browser: Client, path: str) -> None:
    assert browser.put(path).status_code == 405
    assert browser.post("/policies/").status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/policies/none/edit/", f"{EDIT}?version=9", f"{NEW}?from=none", f"{NEW}?from=%00", f"{EDIT}?version=x"],
)
def test_what_there_is_not_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404


# publishing


def test_publishing_makes_a_new_version_and_touches_no_old_one(browser: Client, ada: User) -> None:
    before = list(Policy.objects.filter(name="thorough").values())
    answer = browser.post(EDIT, sent(effort="0.35", panel_size="2"), follow=True)
    assert answer.redirect_chain == [("/policies/thorough/", 302)]
    assert "Published: thorough, version 2." in said(answer)
    made = newest()
    assert (made.version, made.summary) == (2, "As it was.")
    assert (made.rules["effort"], made.rules["panel_size"]) == (0.35, [2, 7])
    assert list(Policy.objects.filter(name="thorough", version=1).values()) == before
    event = Event.objects.filter(chain_id="system").latest("seq")
    assert (event.kind, event.actor) == ("policy.published", f"user:{ada.pk}")
    assert event.data == {"policy": made.pk, "version": 2, "sha256": made.sha256}


def test_a_session_keeps_the_rules_it_was_opened_under(browser: Client, ada: User) -> None:
    session = opening.opened(ada, policy="thorough")
    browser.post(EDIT, sent(effort="0.35"))
    session.refresh_from_db()
    assert session.rules["effort"] == 0.8
    assert opening.opened(ada, policy="thorough").rules["effort"] == 0.35


def test_the_same_rules_are_no_new_version_and_it_is_said(browser: Client) -> None:
    events = Event.objects.count()
    answer = browser.post(EDIT, sent(summary="Other words."), follow=True)
    assert "Nothing was published: these are the very rules of thorough, version 1." in said(answer)
    assert newest().version == 1
    assert Event.objects.count() == events


def test_pressing_twice_publishes_once(browser: Client) -> None:
    form = sent(effort="0.35")
    browser.post(EDIT, form)
    answer = browser.post(EDIT, form, follow=True)
    assert "these are the very rules of thorough, version 2" in said(answer)
    assert newest().version == 2


def test_the_second_publisher_sees_what_happened_and_loses_nothing(browser: Client, ada: User) -> None:
    other = opening.client(publisher("grace"))
    other.post(EDIT, sent(effort="0.2", max_rounds="4"))
    answer = browser.post(EDIT, sent(effort="0.35", summary="Mine."))
    text = " ".join(said(answer).split())
    assert answer.status_code == 409
    assert "Version 2 was published by grace while you were writing." in text
    assert "<code>effort</code> <del>0.8</del>" in text and "<ins>4</ins>" in text
    assert 'value="0.35"' in text and 'value="Mine."' in text
    assert newest().version == 2 and newest().rules["effort"] == 0.2
    assert '<input type="hidden" name="base" value="2"' in text  # the next press knows what it stands on
    browser.post(EDIT, sent(effort="0.35", base=2))
    assert (newest().version, newest().rules["effort"]) == (3, 0.35)


def test_what_cannot_be_is_refused_and_kept(browser: Client) -> None:
    answer = browser.post(EDIT, sent(effort="2", beta="odd", preset="custom", summary="Mine."))
    text = said(answer)
    assert answer.status_code == 422
    assert "Effort must be a number from 0 to 1, not 2." in text
    assert "beta must be a number from 0 to 1, not 'odd'." in text
    assert 'value="odd"' in text and 'value="Mine."' in text
    assert newest().version == 1


@pytest.mark.parametrize(
    "field", ["name", "summary", "base", "effort", "roles", "rule", "preset", "blind", "act", "pasted"]
)
@pytest.mark.parametrize("text", ["\x00", "\ufffe", "<script>", "x" * 5_000])
def test_what_is_no_text_is_answered_in_every_field(browser: Client, field: str, text: str) -> None:
    for act in ("publish", "preview", "read"):
        answer = browser.post(NEW, {**sent(act, name="odd", base=0), field: text})
        assert answer.status_code in (200, 302, 422)
        assert "<script>" not in answer.content.decode()


def test_an_old_version_can_be_published_anew_as_the_newest(browser: Client) -> None:
    browser.post(EDIT, sent(effort="0.35"))
    text = said(browser.get(f"{EDIT}?version=1"))
    assert '<input type="hidden" name="base" value="2"' in text
    browser.post(f"{EDIT}?version=1", sent(base=2))
    assert newest().version == 3
    assert newest().sha256 == Policy.objects.get(name="thorough", version=1).sha256


def test_a_copy_gets_a_name_of_its_own(browser: Client) -> None:
    text = said(browser.get(f"{NEW}?from=thorough&version=1"))
    assert 'name="effort" value="0.8"' in text
    assert "errorlist" not in text  # the empty name is no mistake yet
    answer = browser.post(NEW, sent(name="careful", base=0))
    assert answer.headers["Location"] == "/policies/careful/"
    assert newest("careful").sha256 == newest().sha256
    assert newest("careful").version == 1


def test_a_name_that_is_taken_is_refused(browser: Client) -> None:
    answer = browser.post(NEW, sent(name="fast", base=0))
    assert answer.status_code == 409
    assert "There is a policy named fast already." in said(answer)
    assert newest("fast").version == 1


def test_a_name_is_asked_for(browser: Client) -> None:
    answer = browser.post(NEW, sent(base=0))
    assert answer.status_code == 422
    assert "Give the policy a name." in said(answer)


def test_a_service_compares_before_it_sets(ada: User) -> None:
    rules = [Rules.from_json({"max_rounds": n}) for n in (2, 3, 4)]
    assert publish_edit(Edit("duel", "", rules[0], base=0), by=ada)[1]
    assert publish_edit(Edit("duel", "", rules[0], base=0), by=ada) == (newest("duel"), False)
    with pytest.raises(PolicyMoved) as refused:
        publish_edit(Edit("duel", "", rules[1], base=0), by=ada)
    assert refused.value.newest == newest("duel")
    assert publish_edit(Edit("duel", "", rules[2], base=1), by=ada)[0].version == 2


def test_a_built_in_policy_is_published_by_the_system_once(ada: User) -> None:
    events = Event.objects.count()
    load_built_in()
    assert Event.objects.count() == events
    assert set(Event.objects.filter(kind="policy.published").values_list("actor", flat=True)) == {"system"}


def test_what_a_person_published_is_not_undone_by_loading_again(browser: Client) -> None:
    browser.post(EDIT, sent(effort="0.35"))
    assert [each.version for each in load_built_in()] == [1, 1, 2]
    assert (newest().version, newest().rules["effort"]) == (2, 0.35)


def test_a_built_in_policy_that_changed_is_published_where_nobody_edited_it(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(services.BUILT_IN, "fast", ("Faster.", {"max_rounds": 1}))
    load_built_in()
    assert (newest("fast").version, newest("fast").summary) == (2, "Faster.")


# the preview


def test_the_preview_is_the_page_without_scripts_and_writes_nothing(browser: Client) -> None:
    events = Event.objects.count()
    text = " ".join(said(browser.post(EDIT, sent("preview", effort="0.2"))).split())
    assert "<code>effort</code> <del>0.8</del>" in text
    assert "It stops once the evidence reaches 20 %" in text
    assert "Nothing was published" not in text
    assert (Policy.objects.count(), Event.objects.count()) == (3, events)


def test_for_htmx_it_is_the_part_alone(browser: Client) -> None:
    answer = browser.post(EDIT, sent("preview", effort="0.2"), headers=HTMX)
    text = said(answer)
    assert text.strip().startswith('<div class="stack" id="policy-preview">')
    assert "<form" not in text
    whole = said(browser.post(EDIT, sent("preview", effort="0.2")))
    assert text.strip() in whole


def test_the_figures_are_those_of_the_rules_as_typed(browser: Client) -> None:
    answer = browser.post(EDIT, sent("preview", effort="0", min_rounds="1"), headers=HTMX)
    assert figure(answer, "stops-plot")["data"][0]["y"] == [1] * 10
    full = browser.post(EDIT, sent("preview", effort="1", settled_conviction="1"), headers=HTMX)
    assert figure(full, "stops-plot")["data"][0]["y"] == [6] * 9 + [5]


def figure(answer: HttpResponse, name: str) -> Any:
    return json.loads(
        answer.content.decode().partition(f'data-figure="{name}">')[2].partition("</script>")[0]
    )


def test_a_preview_of_what_cannot_be_says_so(browser: Client) -> None:
    text = said(browser.post(EDIT, sent("preview", effort="2"), headers=HTMX))
    assert "These rules cannot be" in text
    assert '<a class="block" href="#id_effort">Effort must be a number from 0 to 1, not 2.</a>' in text
    assert "In words" not in text


def test_a_preview_tells_why_no_session_would_start(browser: Client) -> None:
    text = said(browser.post(EDIT, sent("preview", preset="custom", k="-1"), headers=HTMX))
    assert "No session would start: These rules expect no gain from deliberating" in text
    assert "no gain is expected of any round" in text
    text = said(browser.post(EDIT, sent("preview", roles="judge"), headers=HTMX))
    assert "The registry has no role named judge." in text


def test_a_form_sent_without_a_button_is_a_preview(browser: Client) -> None:
    assert browser.post(EDIT, sent("", effort="0.2")).status_code == 200
    assert newest().version == 1


# files


@pytest.mark.parametrize("way", ["pasted", "chosen"])
def test_a_policy_goes_out_and_comes_back_with_its_hash(browser: Client, way: str) -> None:
    out = browser.get("/policies/thorough/?format=file")
    assert out.headers["Content-Disposition"] == 'attachment; filename="policy-thorough-1.json"'
    file = out.content.decode()
    given = {"pasted": file} if way == "pasted" else {"file": SimpleUploadedFile("p.json", out.content)}
    answer = browser.post(NEW, {"act": "read", "name": "", "base": "0", **given})
    text = said(answer)
    assert answer.status_code == 200
    assert "The form holds the rules of the file. Nothing is published yet." in text
    assert 'name="name" value="thorough"' in text and 'name="effort" value="0.8"' in text
    assert Policy.objects.count() == 3
    browser.post(NEW, {**form_of(text), "name": "thorough-two", "act": "publish"})
    assert newest("thorough-two").sha256 == newest().sha256
    assert newest("thorough-two").summary == newest().summary


def form_of(text: str) -> dict[str, str]:
    """What a browser would send of the page: the fields' own values."""
    found: dict[str, str] = {}
    form = text.partition('id="policy-form"')[2]
    for tag in form.split("<input")[1:]:
        attributes = dict(pair.split('="', 1) for pair in tag.partition(">")[0].split('" ') if '="' in pair)
        name = attributes.get(" name", attributes.get("name", ""))
        kind = next((value for key, value in attributes.items() if key.strip() == "type"), "")
        value = next((value for key, value in attributes.items() if key.strip() == "value"), "").rstrip('"')
        if kind == "checkbox":
            value = "on" if " checked" in tag.partition(">")[0] else ""
        if kind != "file" and not (kind == "checkbox" and not value):
            found[name or next((v for k, v in attributes.items() if k.strip() == "name"), "")] = value
    for tag in form.split("<select")[1:]:
        name = tag.partition('name="')[2].partition('"')[0]
        found[name] = tag.partition(" selected")[0].rpartition('value="')[2].rstrip('"')
    return found


def test_a_file_that_cannot_be_read_changes_nothing(browser: Client) -> None:
    answer = browser.post(EDIT, sent("read", effort="0.35", pasted='{"effort": 2}'))
    text = said(answer)
    assert answer.status_code == 422
    assert "The file was not read: effort must be a number from 0 to 1, not 2." in text
    assert 'value="0.35"' in text and '{"effort": 2}</textarea>' in text
    blob = SimpleUploadedFile("p.json", b"\xff\xfe")
    assert "no text in UTF-8" in said(browser.post(EDIT, sent("read", file=blob)))


def test_the_exact_json_hashes_to_the_policys_hash(browser: Client) -> None:
    exact = browser.get("/policies/thorough/?format=json").content
    assert exact == canonical.canonical_bytes(canonical.encode(newest().rules))
    answer = browser.post(EDIT, sent("read", pasted=exact.decode()))
    assert "These are the rules of version 1." in said(answer)
