"""load_demo_panel and find_servers: who can be seated afterwards, however often they are run."""

import pytest

from broker.models import Endpoint, Model
from broker.selectors.candidates import seatable_models
from deliberation.models import Event, Policy
from tests.commands.calling import called
from tests.fixtures_processes import free_port
from tests.stub_server import StubServer

pytestmark = pytest.mark.django_db


def seatable() -> set[str]:
    return set(seatable_models().values_list("alias", flat=True))


def test_the_demo_panel_is_loaded_once_however_often_it_is_asked_for() -> None:
    first, again = called("load_demo_panel"), called("load_demo_panel")
    assert (first.status, first.err) == (0, "")
    assert first.out == "5 new simulated experts; policies fast, standard, thorough\n"
    assert again.out == "0 new simulated experts; policies fast, standard, thorough\n"
    assert len(seatable()) == Model.objects.count() == 5
    assert Policy.objects.count() == 3
    assert Event.objects.filter(chain_id="system", kind="policy.published").count() == 3


def test_what_an_admin_changed_of_a_simulated_expert_stays() -> None:
    called("load_demo_panel")
    Model.objects.filter(alias="abacus").update(state="retired")
    called("load_demo_panel")
    assert Model.objects.get(alias="abacus").state == "retired"


def test_quiet_says_nothing() -> None:
    assert called("load_demo_panel", "--verbosity", "0").out == ""


def test_a_server_that_runs_here_is_found_with_its_models_once() -> None:
    with StubServer() as stub:
        port = stub.base_url.rsplit(":", 1)[1].partition("/")[0]
        first, again = (called("find_servers", "--ports", port, str(free_port())) for _ in range(2))
        served = set(Model.objects.values_list("served_name", flat=True))
        assert served
        assert (first.status, first.err) == (0, "")
        assert first.out.startswith(f"found {stub.base_url}: ")
        assert all(name in first.out for name in served)
        assert again.out == first.out
        assert len(seatable()) == Model.objects.count() == len(served)
    gone = called("find_servers", "--ports", port)
    assert gone.out == "no model server found on this machine; the simulated experts will answer\n"
    assert seatable() == set()
    assert Endpoint.objects.get().enabled is False


@pytest.mark.parametrize("port", ["0", "-1", "70000", "99999999999999999999"])
def test_what_is_no_port_is_refused(port: str) -> None:
    ended = called("find_servers", f"--ports={port}")
    assert (ended.status, ended.out) == (2, "")
    assert f"{port} is no port: ports are from 1 to 65535." in ended.err
