import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from broker.inference.base import AddressRefused
from broker.inference.guard import Guard, GuardedResolver, Target, check_url
from tests.inference.calls import endpoint, error_of, reply_of, request
from tests.stub_server import StubServer

PUBLIC = "93.184.216.34"
NETWORKS = ("10.1.0.0/16", "fd12:3456::/32", "0.0.0.0/0", "::/0")
HOSTS = ("api.example.com",)

REFUSED = [
    # unspecified, link-local, multicast, broadcast, reserved
    "http://0.0.0.0/v1",
    "http://0.0.0.1/v1",
    "http://[::]/v1",
    "http://169.254.1.1/v1",
    "http://[fe80::1]/v1",
    "http://[fe80::1%25eth0]/v1",
    "http://224.0.0.1/v1",
    "http://[ff02::1]/v1",
    "http://255.255.255.255/v1",
    "http://240.0.0.1/v1",
    "http://[fec0::1]/v1",
    # metadata services
    "http://169.254.169.254/v1",
    "https://169.254.169.254/v1",
    "http://100.100.100.200/v1",
    "http://168.63.129.16/v1",
    "http://192.0.0.192/v1",
    "http://[fd00:ec2::254]/v1",
    "http://[fd20:ce::254]/v1",
    # IPv6 forms that carry an IPv4 address
    "http://[::ffff:127.0.0.1]/v1",
    "http://[::ffff:7f00:1]/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[::127.0.0.1]/v1",
    "http://[::a9fe:a9fe]/v1",
    "http://[64:ff9b::7f00:1]/v1",
    "http://[64:ff9b:1::7f00:1]/v1",
    "http://[2002:7f00:1::]/v1",
    "http://[2001:0:7f00:1::]/v1",
    # other spellings of an address
    "http://2130706433/v1",
    "http://0x7f000001/v1",
    "http://0x7f.0.0.1/v1",
    "http://0177.0.0.1/v1",
    "http://017700000001/v1",
    "http://127.1/v1",
    "http://127.0.1/v1",
    "http://127.0.0.01/v1",
    "http://127.0.0.0x1/v1",
    "http://127.0.0.1./v1",
    "http://1.2.3.4.5/v1",
    "http://256.0.0.1/v1",
    "http://127.0.0.1%00/v1",
    "http://%31%32%37.0.0.1/v1",
    "http://\uff11\uff12\uff17.0.0.1/v1",
    "http://127\u30020.0.1/v1",
    "http://[127.0.0.1]/v1",
    "http://localhost./v1",
    "http://LOCALHOST%2f@evil.example/v1",
    # URLs that are no plain address of a server
    "",
    "127.0.0.1:8000/v1",
    "ftp://127.0.0.1/v1",
    "file:///etc/passwd",
    "gopher://127.0.0.1/v1",
    "http:///v1",
    "http://:8000/v1",
    "http://user:secret@127.0.0.1/v1",
    "http://127.0.0.1@evil.example/v1",
    "http://127.0.0.1\\@evil.example/v1",
    "http://127.0.0.1 /v1",
    "http://127.0.0.1\r\n/v1",
    "http://127.0.0.1:0/v1",
    "http://127.0.0.1:99999/v1",
    "http://127.0.0.1:port/v1",
    "http://127.0.0.1/v1?next=http://evil.example",
    "http://127.0.0.1/v1#x",
    "http://[::1/v1",
    "http://a..b/v1",
]
ALLOWED = [
    "http://127.0.0.1:8000/v1",
    "http://127.9.9.9/v1",
    "https://127.0.0.1/v1",
    "http://[::1]:8000/v1",
    "http://localhost:11434/v1",
    "HTTP://LocalHost/v1/",
]


def lookup_of(**addresses: str) -> Callable[[str], list[str]]:
    """A name service that knows these names, a dot written as _."""
    return lambda host: [addresses[host.replace(".", "_")]]


nobody = lookup_of()


def test_the_matrix_is_wide() -> None:
    assert len(set(REFUSED)) >= 60


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_is_refused_even_where_every_network_is_allowed(url: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        check_url(url, allowed_networks=NETWORKS, allowed_hosts=HOSTS, lookup=lambda host: ["127.0.0.1"])
    assert str(refused.value).endswith(".")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ALLOWED)
def test_this_machine_is_allowed(url: str) -> None:
    check_url(url, lookup=lookup_of(localhost="127.0.0.1"))


@pytest.mark.parametrize("host", [PUBLIC, "10.1.2.3", "192.168.1.5", "[fd12:3456::1]"])
def test_an_address_elsewhere_needs_its_network(host: str) -> None:
    url = f"http://{host}/v1"
    with pytest.raises(AddressRefused, match="in no allowed network"):
        check_url(url)
    check_url(url, allowed_networks=("10.1.0.0/16", "192.168.1.0/24", "fd12:3456::/32", f"{PUBLIC}/32"))


def test_a_listed_host_needs_https_and_no_network_to_be_saved() -> None:
    check_url("https://api.example.com/v1", allowed_hosts=("API.example.com",), lookup=nobody)
    with pytest.raises(AddressRefused):
        check_url("http://api.example.com/v1", allowed_hosts=HOSTS, lookup=lookup_of(api_example_com=PUBLIC))


def test_a_listed_name_covers_no_other() -> None:
    for name in ("evil-api.example.com", "api.example.com.evil.example", "x.api.example.com"):
        with pytest.raises(AddressRefused):
            check_url(f"https://{name}/v1", allowed_hosts=HOSTS, lookup=lambda host: [PUBLIC])


def test_a_name_in_an_allowed_network_is_allowed() -> None:
    check_url("http://gpu.lab/v1", allowed_networks=("10.1.0.0/16",), lookup=lookup_of(gpu_lab="10.1.0.9"))


def test_a_name_that_means_this_machine_is_refused() -> None:
    with pytest.raises(AddressRefused, match="write 127.0.0.1 or localhost"):
        check_url("http://rebind.example/v1", allowed_networks=NETWORKS, lookup=lambda host: ["127.0.0.1"])


def test_one_bad_address_of_a_name_is_enough() -> None:
    with pytest.raises(AddressRefused, match="metadata"):
        check_url(
            "http://gpu.lab/v1",
            allowed_networks=("10.1.0.0/16",),
            lookup=lambda host: ["10.1.0.9", "169.254.169.254"],
        )


def test_a_name_without_an_address_cannot_be_vouched_for() -> None:
    with pytest.raises(AddressRefused, match="has no address"):
        check_url("http://nowhere.invalid/v1")


def resolve(target: Target, addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the resolver hands to the connector, where the one look-up gives these addresses."""
    waiting = iter([addresses])

    async def getaddrinfo(self: object, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in next(waiting)
        ]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    found = asyncio.run(GuardedResolver(target=target, guard=GUARD).resolve(target.host, target.port))
    assert next(waiting, None) is None, "it must look up once"
    return [entry["host"] for entry in found]


LISTED = Target("api.example.com", 443, https=True)
GUARD = Guard(networks=("10.1.0.0/16",), hosts=HOSTS)


def test_the_connector_gets_exactly_the_addresses_that_were_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve(LISTED, [PUBLIC, "2606:2800::1"], monkeypatch) == [PUBLIC, "2606:2800::1"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.169.254", "192.168.0.1", "::ffff:10.1.0.1", "0.0.0.0", "fe80::1"]
)
def test_a_listed_name_rebound_inwards_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AddressRefused):
        resolve(LISTED, [PUBLIC, address], monkeypatch)


def test_a_name_that_was_rebound_after_it_was_saved_is_not_called(
    stub: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://gpu.lab:{stub.port}/v1"
    check_url(url, allowed_networks=("10.1.0.0/16",), lookup=lookup_of(gpu_lab="10.1.0.9"))

    async def to_loopback(self: object, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", to_loopback)
    error = error_of(request(endpoint(url, allowed_networks=("10.1.0.0/16",))))
    assert isinstance(error, AddressRefused)
    assert stub.seen() == []


@pytest.mark.parametrize("url", [url for url in REFUSED if url.isascii()])
def test_a_refused_address_that_was_saved_all_the_same_is_not_called(url: str) -> None:
    error = error_of(request(endpoint(url, allowed_networks=NETWORKS, allowed_hosts=HOSTS), deadline_s=2.0))
    assert isinstance(error, AddressRefused)


def test_localhost_is_looked_up_and_called(stub: StubServer) -> None:
    assert reply_of(request(endpoint(f"http://localhost:{stub.port}/v1"))).body
