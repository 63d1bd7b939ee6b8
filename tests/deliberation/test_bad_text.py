"""Text that means harm or is no text: NUL, lone surrogates, markup, too much of it, in every field and address."""

from urllib.parse import quote_from_bytes

import pytest
from django.conf import settings
from django.test import Client

from deliberation.models import Session
from deliberation.services.acts import ActRefused
from deliberation.services.sessions import Opening, open_session
from tests import builders
from tests.deliberation import opening
from tests.deliberation.acting import Scene, key, signed_in
from tests.deliberation.reading import Page, read

pytestmark = pytest.mark.django_db
MARKUP = (
    "<script>alert(1)</script></script><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a>"
    "<iframe src='//evil.example'></iframe><svg onload=alert(1)><b hx-post='/x' style='color:red'>b</b>"
    "![i](https://evil.example/p.png) [l](javascript:alert(1)) </textarea></title> {% csrf_token %} $\\href{x}{y}$"
)
NO_TEXT = {
    "NUL": b"a%00b",
    "a lone surrogate": quote_from_bytes("a\ud800b".encode("utf-8", "surrogatepass")).encode(),
    "bytes that are no UTF-8": b"a%FF%FEb",
}
FORMS = {
    "new": ("task", "policy", "category", "seed", "effort", "max_rounds", "guests"),
    "ballot": ("round", "key", "votes-3"),
    "done": ("round",),
    "veto": ("kind", "round", "seat", "code", "reason", "key"),
    "guidance": ("text", "to", "key"),
    "invite": ("how", "name"),
    "answer": ("answer", "display_name"),
}


def whole(room: Scene, form: str) -> dict[str, str]:
    """What would be accepted."""
    act = {"round": "1", "key": key()}
    bodies = {
        "new": {"task": "Why?", "policy": "test", "category": "", "seed": "7"},
        "ballot": {**act, **room.votes(1, 0, 0)},
        "done": {"round": "1"},
        "veto": {**act, "kind": "proposal", "seat": str(room.agents[0]), "code": "wrong", "reason": "Off."},
        "guidance": {**act, "text": "Go slow.", "to": ""},
        "invite": {"how": "link", "name": "a friend"},
        "answer": {"answer": "accept"},
    }
    return bodies[form]


def test_the_forms_here_are_accepted_when_nothing_is_wrong(room: Scene) -> None:
    for form in FORMS:
        before = room.head
        answer = posted(room, form, b"", field="")
        assert answer.status_code in (200, 302)
        assert form == "new" or room.since(before)


def posted(room: Scene, form: str, bad: bytes, *, field: str) -> object:
    fields = {**{name.encode(): value.encode() for name, value in whole(room, form).items()}}
    if field:
        fields[field.encode()] = bad
    body = b"&".join(name + b"=" + value.replace(b" ", b"+") for name, value in fields.items())
    address = "/new/" if form == "new" else f"/sessions/{room.table.id}/{form}/"
    user = room.guest if form == "answer" else room.owner
    return signed_in(user).post(address, body, content_type="application/x-www-form-urlencoded")


@pytest.mark.parametrize("bad", NO_TEXT.values(), ids=NO_TEXT)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_text_is_answered_in_every_field(room: Scene, form: str, bad: bytes) -> None:
    """Refused with a sentence, or kept with the bad part replaced: never an error page."""
    for field in FORMS[form]:
        answer = posted(room, form, bad, field=field)
        assert answer.status_code in (200, 302, 422), (form, field)  # type: ignore[attr-defined]
    assert room.look(room.owner).dangers == []


@pytest.mark.parametrize("bad", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_is_answered_in_every_address(room: Scene, bad: bytes) -> None:
    text = bad.decode()
    addresses = [
        *(f"/?{name}={text}" for name in ("q", "state", "policy", "page")),
        *(f"/new/?{name}={text}" for name in ("task", "policy")),
        f"/policies/{text}/",
        f"/policies/test/?version={text}",
        f"/invitations/{text}/",
        f"/sign-in/?next={text}",
        f"/sign-in/link/?sesame={text}",
        *(f"/sessions/{room.table.id}/?{name}={text}" for name in ("strike", "votes-3", "round", text)),
        f"/sessions/{text}/",
    ]
    for address in addresses:
        assert signed_in(room.owner).get(address).status_code in (200, 302, 404, 410), address


@pytest.mark.parametrize("bad", NO_TEXT.values(), ids=NO_TEXT)
def test_what_is_no_text_signs_nobody_in(db: None, bad: bytes) -> None:
    for body in (b"username=" + bad + b"&password=x", b"username=x&password=" + bad):
        answer = Client().post("/sign-in/", body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 200
        assert "_auth_user_id" not in answer.client.session


OPENINGS = {
    "an empty task": ({"task": " \n"}, "Write the question first: the task is empty."),
    "half a character": ({"task": "Why \ud800?"}, "The question holds characters that are no text"),
    "an unknown policy": (
        {"policy": "hasty"},
        "There is no policy named 'hasty'. Choose one of: fast, standard",
    ),
    "a policy of no text": ({"policy": "\udcff"}, "There is no policy named"),
    "a category of two words": ({"category": "two words"}, "A category is one word"),
    "a category of no text": ({"category": "\udcff"}, "A category is one word"),
    "an endless category": ({"category": "x" * 61}, "A category is one word"),
    "a negative seed": ({"seed": -1}, "A seed is a whole number from 0 to 2^53 - 1."),
    "an endless seed": ({"seed": 2**53}, "A seed is a whole number from 0 to 2^53 - 1."),
    "too much effort": ({"rules": {"effort": 1.5}}, "effort must be a number from 0 to 1, not 1.5."),
    "no number": ({"rules": {"effort": float("nan")}}, "effort must be a number from 0 to 1, not nan."),
    "no rounds": ({"rules": {"max_rounds": 0}}, "max_rounds must be a whole number from 1 to 100, not 0."),
    "an unknown rule": ({"rules": {"haste": 1}}, "haste"),
}


@pytest.mark.parametrize(("changes", "sentence"), OPENINGS.values(), ids=OPENINGS)
def test_a_session_that_cannot_be_is_not_opened(db: None, changes: dict[str, object], sentence: str) -> None:
    opening.demo()
    before = Session.objects.count()
    with pytest.raises(ActRefused) as refusal:
        open_session(Opening(**{"task": "Why?", "policy": "fast", **changes}))  # type: ignore[arg-type]
    assert sentence in str(refusal.value)
    assert Session.objects.count() == before


def test_a_task_may_have_just_as_many_characters_as_allowed(db: None) -> None:
    opening.demo()
    limit = settings.NSED.max_task_chars
    assert open_session(Opening("x" * limit, "fast")).task == "x" * limit
    with pytest.raises(ActRefused, match=f"{limit + 1:,} characters; at most {limit:,} are allowed"):
        open_session(Opening("x" * (limit + 1), "fast"))


# Markup


def pages(table: builders.Table, *users: object) -> list[Page]:
    """Every page on which the words of others are shown."""
    found = []
    for user in users:
        browser = signed_in(user)  # type: ignore[arg-type]
        for address in ("/", f"/sessions/{table.id}/", f"/sessions/{table.id}/?strike=proposal-1-3"):
            http = browser.get(address)
            assert http.status_code == 200
            found.append(read(http))
    return found


def test_markup_in_every_text_is_inert_on_every_page(db: None) -> None:
    owner = builders.person("eve", full_name=f"Eve {MARKUP[:100]}")
    guest = builders.person("mallory", full_name=MARKUP[:100])
    table = builders.opened(owner, task=MARKUP, take_part=True, human_window_s=60)
    builders.people.take_seat(table.session, guest, asked=True)
    table.staff()
    for seat in table.agents:
        said = {"answer": MARKUP, "reasoning": MARKUP, "claims": [{"text": MARKUP}]}
        table.propose(seat, MARKUP[:120], **said)
    table.advance()
    table.all_review()
    table.guide(guest, MARKUP)
    strike = builders.people.Strike(
        round=1, kind="proposal", seat=table.agents[1], code="wrong", reason=MARKUP, key=builders.uuid4()
    )
    builders.people.veto(table.id, guest, strike)
    table.vote(owner, {table.agents[0]: 5})
    running = pages(table, owner, guest)
    table.advance()
    table.end_hold()
    table.stop(owner)
    assert table.state == "concluded"
    for page in [*running, *pages(table, owner, guest)]:
        assert page.dangers == []
        assert not [each for each in page.htmx if each.endswith("=/x")]
    assert "alert(1)" in running[1].words
    assert "{% csrf_token %}" in running[1].words


def test_markup_that_is_refused_comes_back_as_text(room: Scene) -> None:
    votes = dict.fromkeys(room.votes(0, 0, 0), '"><script>alert(1)</script>')
    answers = [
        room.press(room.owner, "ballot", {"round": "1", "key": key(), **votes}),
        room.press(room.owner, "guidance", {"text": MARKUP + "x" * 4000, "key": key()}),
        room.press(
            room.owner,
            "veto",
            {"kind": "proposal", "round": "1", "seat": "3", "code": MARKUP, "reason": MARKUP, "key": key()},
        ),
        room.press(room.owner, "invite", {"how": "name", "name": MARKUP[:140]}),
    ]
    for answer in answers:
        assert (answer.status, answer.kinds) == (422, [])
        assert answer.page.dangers == []
    assert answers[1].page.fields["text"].strip() == MARKUP + "x" * 4000
    assert answers[2].page.fields["reason"].strip() == MARKUP
    http = signed_in(room.owner).post("/new/", {"task": MARKUP, "policy": MARKUP, "category": MARKUP})
    page = read(http)
    assert (http.status_code, page.dangers) == (422, [])
    assert page.fields["task"].strip() == MARKUP
