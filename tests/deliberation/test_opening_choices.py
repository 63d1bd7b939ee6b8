"""A new deliberation with a panel named by hand, budgets and text files; and who would sit, beside each policy."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from broker.models import Model
from deliberation import staffing
from deliberation.models import Event, Policy, Session
from deliberation.protocol.types import Rules
from deliberation.replaying import recompute
from deliberation.services.policies import publish_policy
from tests import builders
from tests.deliberation import opening
from tests.deliberation.reading import read

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("solver_here")]
FORM = {"task": "What is 17*23?", "policy": "fast"}


@pytest.fixture
def owner() -> User:
    opening.demo()
    return opening.person("owner")


@pytest.fixture
def browser(owner: User) -> Client:
    return opening.client(owner)


def numbers(*aliases: str) -> list[int]:
    return [Model.objects.get(alias=alias).pk for alias in aliases]


def sent(browser: Client, **fields: Any) -> Session:
    answer = browser.post("/new/", {**FORM, **fields})
    assert answer.status_code == 302, read(answer).words
    return Session.objects.get()


def refused(browser: Client, **fields: Any) -> str:
    answer = browser.post("/new/", {**FORM, **fields})
    assert answer.status_code == 422
    assert not Session.objects.exists()
    return read(answer).words


def file(content: bytes, name: str = "notes.md") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def told(session: Session) -> dict[str, Any]:
    return Event.objects.get(chain_id=str(session.pk), kind="session.opened").data  # type: ignore[no-any-return]


def test_named_models_sit_and_the_trail_and_the_receipt_say_so(browser: Client) -> None:
    session = sent(browser, panel="named", models=numbers("abacus", "lantern"))
    assert told(session)["panel"] == sorted(numbers("abacus", "lantern"))
    table = builders.Table(session).staff()
    seats = session.participants.filter(kind="model").values_list("model__alias", flat=True)
    assert sorted(seats) == ["abacus", "lantern"]
    assert table.session.selection.request["mode"] == "pinned"
    assert "named its 2 models" in read(browser.get(f"/sessions/{session.pk}/")).words


def test_without_a_word_the_broker_chooses(browser: Client) -> None:
    session = sent(browser)
    assert told(session)["panel"] is None
    assert builders.Table(session).staff().session.selection.request["mode"] == "dynamic"


def test_a_session_with_a_named_panel_recomputes(browser: Client) -> None:
    session = sent(browser, panel="named", models=numbers("abacus", "lantern"))
    table = builders.Table(session).staff()
    while table.state != "concluded":
        table.whole_round()
    assert recompute(session).mismatches == ()


def test_models_that_cannot_sit_together_are_refused_with_the_reason(browser: Client) -> None:
    Model.objects.filter(alias__in=["abacus", "lantern"]).update(family="one")
    words = refused(browser, panel="named", models=numbers("abacus", "lantern"))
    assert "These models cannot sit together now:" in words
    assert "family" in words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"panel": "named"}, "Name at least one model"),
        ({"panel": "named", "models": ["999999"]}, "cannot sit now"),
        ({"panel": "somebody"}, "Choose who sits"),
    ],
)
def test_a_panel_that_cannot_be_is_refused(browser: Client, fields: dict[str, Any], words: str) -> None:
    assert words in refused(browser, **fields)


def test_ticks_under_the_brokers_choice_are_refused(browser: Client) -> None:
    assert "it is unclear who sits" in refused(browser, panel="broker", models=numbers("abacus"))


def test_budgets_reach_the_rules(browser: Client) -> None:
    session = sent(browser, max_tokens="50000", max_minutes="2.5", max_cost_usd="0.005")
    rules = Rules.from_json(session.rules)
    assert (rules.max_tokens, rules.max_minutes, rules.max_cost_usd) == (50_000, 2.5, 0.005)


def test_a_browser_lets_half_a_cent_through(browser: Client) -> None:
    page = browser.get("/new/").content.decode()
    assert 'name="max_cost_usd" step="any"' in page


def test_a_budget_that_cannot_be_is_refused_at_its_field(browser: Client) -> None:
    assert "Token cap must be a whole number" in refused(browser, max_tokens="0")


def test_files_become_a_part_of_the_question(browser: Client) -> None:
    files = [file(b"\xef\xbb\xbfone\r\ntwo\r\n"), file("a, b\n1, é".encode(), "data.CSV")]
    session = sent(browser, files=files)
    assert session.task == (
        "What is 17*23?\n\nFile `notes.md`:\n\n```md\none\ntwo\n```\n\nFile `data.CSV`:\n\n```csv\na, b\n1, é\n```"
    )


def test_a_file_cannot_close_its_fence(browser: Client) -> None:
    session = sent(browser, files=[file(b"```py\nx\n```\n````")])
    assert session.task.endswith("`````md\n```py\nx\n```\n````\n`````")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"caf\xe9", "notes.md is no UTF-8 text (byte 4 is none)"),
        (b"a\x00b", "holds a NUL"),
        (b"x" * 20_000, "The question with its files has 20,0"),
        (b"x" * 1_000_001, "larger than a megabyte"),
        (b"", "empty"),
    ],
)
def test_what_is_no_text_or_too_long_is_refused(browser: Client, content: bytes, words: str) -> None:
    assert words in refused(browser, files=[file(content)])


def test_other_files_under_the_same_form_open_another_session(browser: Client) -> None:
    key = str(uuid4())
    for content in (b"one", b"one", b"two"):
        browser.post("/new/", {**FORM, "key": key, "files": [file(content)]})
    assert Session.objects.count() == 2


def estimated(browser: Client, policy: str, **fields: Any) -> str:
    number = Policy.objects.get(name=policy).pk
    address = reverse("estimate", args=[number, uuid4()])
    return read(browser.get(address, fields)).words


def test_who_would_sit_is_named_and_why_the_best_of_the_others_does_not(browser: Client) -> None:
    words = estimated(browser, "thorough")
    assert "Who would sit" in words and "abacus" in words
    assert "Best of the others: plumb (17 points below abacus" in words


def test_who_takes_part_blind_gets_counts_alone(browser: Client) -> None:
    words = estimated(browser, "thorough", take_part="on")
    assert "3 agents" in words and "abacus" not in words
    assert "named after your first ballot" in words
    assert "abacus" in estimated(browser, "fast", take_part="on")


def test_a_named_panel_and_a_budget_change_what_is_foreseen(browser: Client) -> None:
    named = {"panel": "named", "models": numbers("plumb")}
    words = estimated(browser, "thorough", **named)
    assert "plumb" in words and "sextant" not in words
    tight = estimated(browser, "thorough", max_tokens="10")
    assert "Would not start now" in tight


def test_rules_that_contradict_each_other_are_told(owner: User) -> None:
    policy = publish_policy("two", summary="", rules=Rules.from_json({"min_rounds": 2, "max_rounds": 4}))
    draft = staffing.Draft(policy.pk, rules={"max_rounds": -1})
    assert "max_rounds must be" in staffing.foreseen(draft)["conflict"]
