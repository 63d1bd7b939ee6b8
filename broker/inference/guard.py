"""The address guard: which servers this deployment may call. Asked when a URL is saved and at every connect.

Allowed: loopback (as a literal address or as `localhost`), the deployment's networks, and https to a listed
host whose addresses are public. Never: link-local, metadata services, multicast, unspecified, reserved, IPv6
forms that carry an IPv4 address, and every spelling but the plain one (not 2130706433, 0x7f.1, 127.1).
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from broker.inference.base import AddressRefused, EndpointSpec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Lookup = Callable[[str], Sequence[str]]

# Facts of the outside world, not settings: no deployment has a reason to call one of these.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # most clouds; link-local as well
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's wire server
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
    )
)
NEVER = tuple(
    (ipaddress.ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "is unspecified"),
        ("240.0.0.0/4", "is reserved"),
        ("::ffff:0:0/96", "carries an IPv4 address"),
        ("64:ff9b::/96", "carries an IPv4 address"),
        ("64:ff9b:1::/48", "carries an IPv4 address"),
        ("2002::/16", "carries an IPv4 address"),
        ("2001::/32", "carries an IPv4 address"),
        ("fec0::/10", "is site-local"),
    )
)
LOOPBACK_V6 = ipaddress.IPv6Address("::1")
NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9A-Fa-f]*)$")
NAME = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Target:
    """Where a URL points: what the guard needs to know of it."""

    host: str  # lower case, no brackets
    port: int
    https: bool


@dataclass(frozen=True)
class Guard:
    """The deployment's rule. `networks` in CIDR notation; `hosts` are names that https may reach."""

    networks: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    def check(self, address: Address, *, target: Target) -> None:
        """Raises AddressRefused unless `target` may be called at this address."""
        reason = always_refused(address)
        if reason is not None:
            raise AddressRefused(f"{address} {reason} and is never called.")
        if address.is_loopback:
            if target.host == "localhost" or literal(target.host) == address:
                return
            raise AddressRefused(f"{target.host} is this machine; write 127.0.0.1 or localhost to mean it.")
        if not self._permits(address, target=target):
            raise AddressRefused(
                f"{address} is in no allowed network, {target.host} no listed https host. "
                "The settings NSED_ENDPOINT_NETWORKS and NSED_ENDPOINT_HOSTS say which are."
            )

    def _permits(self, address: Address, *, target: Target) -> bool:
        if any(address in ipaddress.ip_network(network) for network in self.networks):
            return True
        return self.lists(target) and address.is_global

    def lists(self, target: Target) -> bool:
        return target.https and target.host in {host.lower() for host in self.hosts}


def check_url(
    url: str,
    *,
    allowed_networks: Iterable[str] = (),
    allowed_hosts: Iterable[str] = (),
    lookup: Lookup | None = None,
) -> None:
    """Raises AddressRefused, with a sentence for the person who typed it, unless the URL may be saved.

    A name is looked up (`lookup`, the system's by default), except a listed one over https: it may be saved
    while the network is away, since every connect checks it again.
    """
    guard = Guard(tuple(allowed_networks), tuple(allowed_hosts))
    target = parse(url)
    address = literal(target.host)
    if address is not None:
        guard.check(address, target=target)
    elif not guard.lists(target):
        for text in (lookup or system_lookup)(target.host):
            guard.check(ipaddress.ip_address(text), target=target)


def check_literal(endpoint: EndpointSpec) -> Target:
    """The part of the check that needs no network: the spelling, and the address where the URL holds one."""
    target = parse(endpoint.base_url)
    address = literal(target.host)
    if address is not None:
        Guard(endpoint.allowed_networks, endpoint.allowed_hosts).check(address, target=target)
    return target


def parse(url: str) -> Target:
    """The URL's target, or AddressRefused for anything but plain http(s)://host[:port][/path]."""
    if not url.isascii() or re.search(r"[\x00-\x20\x7f\\]", url):
        raise AddressRefused("The address holds characters that no plain URL has.")
    parts = split(url)
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("The address must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise AddressRefused("The address must not hold a user name or a key.")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise AddressRefused("The address must end with its path: no query, no fragment.")
    host = (parts.hostname or "").lower()
    check_spelling(host, bracketed="[" in parts.netloc)
    return Target(host, port_of(parts), parts.scheme == "https")


def split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressRefused("The address is not a URL.") from None


def port_of(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("The address's port is not a number from 1 to 65535.") from None
    if port == 0:
        raise AddressRefused("The address's port is not a number from 1 to 65535.")
    return port or (443 if parts.scheme == "https" else 80)


def check_spelling(host: str, *, bracketed: bool) -> None:
    """Raises AddressRefused for a host that a resolver could read as an address that we did not see."""
    if not host:
        raise AddressRefused("The address names no host.")
    if bracketed:
        if not isinstance(literal(host), ipaddress.IPv6Address) or "%" in host:
            raise AddressRefused("What stands in brackets is not a plain IPv6 address.")
    elif not NAME.fullmatch(host):
        raise AddressRefused("The host is not a plain name or address.")
    elif NUMERIC_END.search(host) and literal(host) is None:
        raise AddressRefused("Write an IPv4 address as four decimal numbers without leading zeros.")


def literal(host: str) -> Address | None:
    """The address that the host is, None where it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def always_refused(address: Address) -> str | None:
    """Why no setting can allow this address, None where a setting may."""
    if address in METADATA:
        return "is a metadata service"
    if address.is_link_local:
        return "is link-local"
    if address.is_multicast:
        return "is multicast"
    if address.is_unspecified:
        return "is unspecified"
    if isinstance(address, ipaddress.IPv6Address) and address != LOOPBACK_V6 and int(address) < 1 << 32:
        return "carries an IPv4 address"
    return next((why for network, why in NEVER if address in network), None)


def system_lookup(host: str) -> list[str]:
    """Every address of a name. Raises AddressRefused where it has none."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise AddressRefused(f"{host} has no address here and is not a listed https host.") from None
    return [str(entry[4][0]) for entry in found]


class GuardedResolver(AbstractResolver):
    """Looks a name up once, checks all its addresses, and hands out exactly those that were checked."""

    def __init__(self, *, target: Target, guard: Guard) -> None:
        self._target = target
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError where the name is unknown, AddressRefused where any of its addresses is refused."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for entry in found:
            self._guard.check(ipaddress.ip_address(entry[4][0]), target=self._target)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""
