"""A host with one model in memory at a time: one of its servers is started, the others are not seated."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broker.management.commands.gpu_host import chosen
from broker.models import Endpoint, Host, Model, Server
from broker.selectors.candidates import seatable_models
from broker.selectors.fleet import fleet
from broker.selectors.servers import loaded
from broker.selectors.standing import standings
from tests.broker.gpu_hosts import served

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair() -> list[Server]:
    """Two servers of a host that swaps, with the models m0 and m1."""
    servers = [served(names=[name]) for name in ("m0", "m1")]
    Host.objects.update(mode=Host.Mode.SWAPPED)
    return servers


def heard_of(server: Server, state: Server.State) -> None:
    Server.objects.filter(pk=server.pk).update(state=state, reported_at=timezone.now())


@pytest.mark.parametrize("server", ["", "on-nothing"])
def test_it_has_to_be_said_which_server_is_to_start(pair: list[Server], server: str) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("gpu_host", "gpu-1", server=server)
    said = "host gpu-1 has one model in memory at a time: say which with --server X; it has: "
    assert str(refusal.value).startswith(said)
    assert all(each.endpoint.name in str(refusal.value) for each in pair)
    assert refusal.value.returncode == 2


def test_a_server_is_named_only_where_they_take_turns() -> None:
    name = served(names=[]).endpoint.name
    with pytest.raises(CommandError, match="all models of host gpu-1 stay in memory: leave --server out"):
        call_command("gpu_host", "gpu-1", server=name)
    assert chosen("gpu-1", "") == ""
    Host.objects.update(mode=Host.Mode.SWAPPED)
    assert (chosen("gpu-1", ""), chosen("gpu-1", name)) == (name, name)  # it has only this one


def test_one_of_them_runs() -> None:
    def rows(mode: Host.Mode) -> list[Server]:
        host = Host(name="gpu-1", mode=mode)
        return [Server(pk=pk, host=host, endpoint=Endpoint(name=name)) for pk, name in enumerate("ab", 1)]

    together, in_turns = rows(Host.Mode.RESIDENT), rows(Host.Mode.SWAPPED)
    assert loaded(together, chosen="") == together
    assert loaded(in_turns, chosen="b") == in_turns[1:]
    assert loaded(in_turns, chosen="") == in_turns[:1]
    assert loaded(in_turns, chosen="gone") == []
    assert loaded([], chosen="") == []


def test_a_model_that_is_not_loaded_cannot_sit_and_says_so(pair: list[Server]) -> None:
    heard_of(pair[0], Server.State.STOPPED)
    heard_of(pair[1], Server.State.UP)
    Endpoint.objects.update(healthy=True, checked_at=timezone.now())
    models = list(seatable_models())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        stands = standings(models)
    assert (stands["m0"].healthy, stands["m0"].note) == (False, "not loaded on gpu-1")
    assert (stands["m1"].healthy, stands["m1"].note) == (True, "")
    assert len(queries) == 3
    with CaptureQueriesContext(connection) as queries:
        cards = {card.endpoint.name: (card.note, card.is_asleep) for card in fleet().endpoints}
    assert cards[pair[0].endpoint.name] == ("not loaded on gpu-1", True)
    assert cards[pair[1].endpoint.name] == ("", False)
    assert len(queries) == 5


def test_where_all_stay_in_memory_a_stopped_server_is_judged_by_its_checks(pair: list[Server]) -> None:
    heard_of(pair[0], Server.State.STOPPED)
    Host.objects.update(mode=Host.Mode.RESIDENT)
    assert standings(Model.objects.select_related("endpoint__host"))["m0"].note == "not checked yet"


def test_the_pages_say_which_is_not_loaded(pair: list[Server], admin_client: Client) -> None:
    heard_of(pair[0], Server.State.STOPPED)
    heard_of(pair[1], Server.State.UP)
    for path in (reverse("registry_host", args=["gpu-1"]), "/broker/"):
        assert admin_client.get(path).content.decode().count(">not loaded</span>") == 1
