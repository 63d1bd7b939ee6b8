"""Every address of the site, asked by everybody. A new one without a line here fails.

Outcomes: ok (200, or a redirect into the site), sign-in (sent to the sign-in page), else the status.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from broker.models import Host, Role
from deliberation.models import Guidance, Veto
from deliberation.services import invitations, people
from nsed_web.links import sign_in_link
from tests import builders

pytestmark = pytest.mark.django_db
ROLES = ("anonymous", "stranger", "participant", "owner")


@dataclass(frozen=True)
class Who:
    """Outcomes for anonymous, stranger, participant and owner."""

    get: str
    post: str

    def expected(self, method: str) -> dict[str, str]:
        return dict(zip(ROLES, getattr(self, method).split(), strict=True))


NO_POST = "sign-in 405 405 405"
NO_GET = "sign-in 405 405 405"
PEOPLE = "sign-in ok ok ok"
TABLE = "sign-in 404 ok ok"
OWNER = "sign-in 404 403 ok"
STAFF = "sign-in 403 403 403"
EVERYBODY = "ok ok ok ok"
KEEPERS = (
    "sign-in 403 403 403"  # nobody here is staff: tests/broker/test_registry_pages.py asks as those who are
)
NOT_READY = "503 503 503 503"  # no worker runs here, and anybody may ask

REGISTRY_READ = "models model endpoints endpoint hosts host roles role history file export smoke_steps"
REGISTRY_KEPT = (
    "add_model change_model move bench unbench add_price delete_model smoke add_endpoint change_endpoint probe discover"
    " adopt delete_endpoint change_server delete_server add_host change_host delete_host add_server add_role"
    " change_role retire_role import"
)
ROUTES = {
    "healthz": Who(EVERYBODY, EVERYBODY),
    "readyz": Who(NOT_READY, NOT_READY),
    "sessions": Who(PEOPLE, "405 405 405 405"),
    "new": Who(PEOPLE, PEOPLE),
    "estimate": Who(PEOPLE, NO_POST),
    "room": Who(TABLE, NO_POST),
    "ballot": Who(NO_GET, TABLE),
    "done": Who(NO_GET, TABLE),
    "veto": Who(NO_GET, TABLE),
    "withdraw_veto": Who(NO_GET, TABLE),
    "guidance": Who(NO_GET, TABLE),
    "withdraw_guidance": Who(NO_GET, TABLE),
    "pause": Who(NO_GET, OWNER),
    "resume": Who(NO_GET, OWNER),
    "stop": Who(NO_GET, OWNER),
    "take_seat": Who(NO_GET, TABLE),
    "receipt": Who("sign-in 404 ok ok", NO_POST),
    "what_if": Who(TABLE, NO_POST),
    "verdict": Who(TABLE, NO_POST),
    "verdict_file": Who("sign-in 404 404 404", NO_POST),  # nothing is concluded here
    "replay": Who(TABLE, NO_POST),
    "recompute": Who(NO_GET, "sign-in 404 409 409"),  # it runs
    "fork": Who(TABLE, "sign-in 404 422 422"),  # nothing is chosen here
    "compare": Who(PEOPLE, NO_POST),
    "jump": Who(PEOPLE, NO_POST),
    "glossary": Who(PEOPLE, NO_POST),
    "design": Who(STAFF, NO_POST),
    "no_more_round": Who(NO_GET, "sign-in 404 403 422"),  # none is asked for here
    "one_more_round": Who(NO_GET, OWNER),
    "own_proposal": Who(NO_GET, "sign-in 404 422 422"),  # nothing is typed here
    "withdraw_own_proposal": Who(NO_GET, "sign-in 404 422 422"),  # nothing waits here
    "overturn": Who(NO_GET, "sign-in 404 422 422"),
    "rule": Who(NO_GET, "sign-in 404 403 422"),  # nothing is concluded here
    "invite": Who(NO_GET, OWNER),
    "answer_invitation": Who(NO_GET, TABLE),
    "invitation": Who(EVERYBODY, EVERYBODY),
    "policies": Who(PEOPLE, NO_POST),
    "policy": Who(PEOPLE, STAFF),
    "new_policy": Who(STAFF, STAFF),
    "edit_policy": Who(STAFF, STAFF),
    "sign_in": Who(EVERYBODY, EVERYBODY),
    "sign_in_link": Who(EVERYBODY, EVERYBODY),
    "sign_out": Who(NO_GET, PEOPLE),
    "broker": Who(PEOPLE, NO_POST),
    "broker_ranking": Who(PEOPLE, NO_POST),
    "broker_selections": Who(KEEPERS, KEEPERS),
    "broker_selection": Who(KEEPERS, KEEPERS),
    **{f"registry_{name}": Who(PEOPLE, NO_POST) for name in REGISTRY_READ.split()},
    **{f"registry_{name}": Who(KEEPERS, KEEPERS) for name in REGISTRY_KEPT.split()},
    "admin:index": Who("admin-sign-in " * 4, "admin-sign-in " * 4),
}


@dataclass(frozen=True)
class World:
    """A running round with everything in it that an address can name, and who asks for it."""

    table: builders.Table
    users: dict[str, User | None]
    veto: Veto
    guidance: Guidance
    token: str

    def browser(self, role: str, *, strict: bool = False) -> Client:
        browser = Client(enforce_csrf_checks=strict)
        user = self.users[role]
        if user is not None:
            browser.force_login(user)
        return browser

    def address(self, name: str) -> str:
        known = {
            "session_id": self.table.id,
            "veto_id": self.veto.pk,
            "guidance_id": self.guidance.pk,
            "token": self.token,
            "policy_id": self.table.session.policy_id,
            "page": uuid4(),
            "name": "test",
            "selection_id": 1,
            "alias": "abacus",
            "endpoint": "simulated",
            "host": "gpu",
            "role": "critic",
        }
        path = reverse(name, kwargs={key: known[key] for key in routes()[name]})
        return self.link() if name == "sign_in_link" else path

    def link(self) -> str:
        """A link of the owner that works now: read anew, because a sign-in before makes it void."""
        return sign_in_link(User.objects.get(username="owner"), address="")

    def body(self, name: str) -> dict[str, object]:
        """What a browser would send, so that only the person decides."""
        one, two, three = self.table.agents
        act = {"key": str(uuid4()), "round": 1}
        bodies: dict[str, dict[str, object]] = {
            "new": {"task": "Why?", "policy": "test"},
            "ballot": {**act, f"votes-{one}": 3, f"votes-{two}": 0, f"votes-{three}": 0},
            "done": {"round": 1},
            "veto": {**act, "kind": "proposal", "seat": two, "code": "wrong", "reason": "It is off by ten."},
            "guidance": {**act, "text": "Show the carry.", "to": ""},
            "invite": {"how": "link", "name": ""},
            "answer_invitation": {"answer": "accept"},
            "invitation": {"answer": "accept", "display_name": "Mary"},
            "sign_in": {"username": "stranger", "password": "correct horse battery"},
            "sign_in_link": {"sesame": self.link().partition("sesame=")[2]},
        }
        return bodies.get(name, {})


@pytest.fixture
def world() -> World:
    owner, participant = builders.person("owner"), builders.person("participant")
    table = builders.opened(owner, take_part=True, human_window_s=60)
    people.take_seat(table.session, participant, asked=True)
    table.staff().all_propose()
    one = table.agents[0]
    table.strike(participant, one)
    table.guide(participant)
    invitations.invite_by_name(table.id, owner, builders.person("guest").username)
    Host.objects.create(name="gpu")
    Role.objects.create(name="critic")
    users = {
        "anonymous": None,
        "stranger": builders.person("stranger"),
        "participant": participant,
        "owner": owner,
    }
    token = invitations.invite_by_link(table.id, owner).token or ""
    return World(table, users, Veto.objects.get(), Guidance.objects.get(), token)


def routes() -> dict[str, list[str]]:
    """The names of all addresses, each with its parameters; of Django's admin only the first page."""
    return {**dict(_walk(get_resolver())), "admin:index": []}


def _walk(resolver: URLResolver) -> Iterator[tuple[str, list[str]]]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield str(each.name), list(each.pattern.converters)
        elif each.namespace != "admin":
            yield from _walk(each)


def outcome(answer: HttpResponse) -> str:
    if answer.status_code == 302:
        path = answer.headers["Location"].partition("?")
        if path[0] == "/admin/login/":
            return "admin-sign-in"
        return "sign-in" if path[0] == "/sign-in/" and path[2] else "ok"
    return "ok" if answer.status_code == 200 else str(answer.status_code)


def test_every_address_has_a_line_here() -> None:
    assert set(routes()) == set(ROUTES)


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_is_open_to_whom_it_should_be(world: World, method: str) -> None:
    found = {name: {role: asked(world, name, role, method=method) for role in ROLES} for name in ROUTES}
    assert found == {name: who.expected(method) for name, who in ROUTES.items()}


def asked(world: World, name: str, role: str, *, method: str) -> str:
    """The outcome, in a world that is as before afterwards."""
    with transaction.atomic():
        browser = world.browser(role)
        prepare(world, name)
        body = world.body(name) if method == "post" else {}
        found = outcome(getattr(browser, method)(world.address(name), body))
        transaction.set_rollback(True)
    return found


def prepare(world: World, name: str) -> None:
    """What has to have happened for the act to be possible at all."""
    if name == "resume":
        builders.sessions.pause(world.table.id, world.users["owner"])


TAKING = [name for name, who in ROUTES.items() if "ok" in who.post and name != "healthz"]


def test_nothing_is_taken_from_another_site(world: World) -> None:
    browser = world.browser("owner", strict=True)
    before = everything()
    for name in TAKING:
        answer = browser.post(world.address(name), world.body(name))
        assert (name, answer.status_code) == (name, 403)
        assert "This form is too old" in answer.content.decode()
    assert everything() == before


def everything() -> dict[str, str]:
    """A hash of all rows of every table."""
    hashes = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows = "\n".join(row[0] for row in cursor.fetchall())
            hashes[table] = hashlib.sha256(rows.encode()).hexdigest()
    return hashes


@pytest.mark.parametrize("role", ROLES)
def test_looking_changes_nothing(world: World, role: str) -> None:
    browser = world.browser(role)
    before = everything()
    for name in ROUTES:
        for part in ({}, {"HX-Request": "true"}):
            browser.get(world.address(name), headers=part)
        browser.head(world.address(name))
    assert everything() == before
