"""What a row of the registry must be like beyond what the database holds: each check says what is wrong, and where."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Model as Row

from broker import keys
from broker.gpu_host import serving
from broker.gpu_host.serving import BadServer, Serving
from broker.inference.base import AddressRefused
from broker.inference.guard import check_url, port_of, split, system_lookup
from broker.models import Endpoint, Host, Model, Price, Role, Server
from broker.services.changes import FIELDS, Refused

MOST_PORT = 65535
LOOKUP_S = 3.0  # how long a host name may take to be found while somebody waits for the page
NAME = re.compile(r"[-a-zA-Z0-9_]+")
NAME_WORDS = "A name holds letters from a to z, digits, hyphens and underscores: no spaces and no dots."
NAMES = {Host: "name", Endpoint: "name", Model: "alias", Role: "name", Server: "endpoint"}
SECRETS = re.compile(r"KEY$|TOKEN$|SECRET|PASSW", re.IGNORECASE)


def check(row: Row, *, stored: Row | None = None) -> None:
    """Raises Refused. `stored`: the row as it was, where it is changed and not new."""
    name = NAMES.get(type(row))
    if stored is not None and name is not None and getattr(row, name) != getattr(stored, name):
        raise Refused("The name stands in receipts and in the history; it stays.", field=name)
    if stored is None and name is not None:
        _check_name(getattr(row, name), field=name)
    for each in FIELDS[type(row)]:
        _check_storable(getattr(row, each, None), field=each)
    match row:
        case Endpoint():
            _check_endpoint(row, stored=stored)
        case Model():
            _check_words(row.tags, field="tags")
            _check_object(row.traits, field="traits")
        case Role():
            _check_words(row.tags, field="tags")
            _check_how_many(row)
        case Price():
            _check_price(row)
        case Server():
            _check_server(row)


def _check_name(value: Any, *, field: str) -> None:
    if isinstance(value, str) and value and not NAME.fullmatch(value):
        raise Refused(NAME_WORDS, field=field)


def _check_how_many(role: Role) -> None:
    low, high = role.minimum, role.maximum
    if isinstance(low, int) and isinstance(high, int) and high < low:
        raise Refused(f"At most {high} cannot be: at least {low} are asked for.", field="maximum")


def _check_price(price: Price) -> None:
    for field in ("input_usd", "output_usd"):
        usd = getattr(price, field)
        if isinstance(usd, Decimal | int | float) and usd < 0:
            raise Refused(
                "A price is not below 0. 0 is free; leave it empty where it is unknown.", field=field
            )


def _check_endpoint(endpoint: Endpoint, *, stored: Row | None) -> None:
    if isinstance(endpoint.max_concurrency, int) and endpoint.max_concurrency < 1:
        raise Refused("1 at least. To stop all calls, switch the endpoint off.", field="max_concurrency")
    if endpoint.simulated:
        return
    if not endpoint.base_url:
        raise Refused(
            "A model server needs a base URL, for example http://127.0.0.1:8000/v1.", field="base_url"
        )
    if isinstance(stored, Endpoint) and stored.base_url == endpoint.base_url:
        return
    try:
        check_url(
            endpoint.base_url,
            allowed_networks=settings.NSED.endpoint_networks,
            allowed_hosts=settings.NSED.endpoint_hosts,
            lookup=_lookup,
        )
    except AddressRefused as refusal:
        raise Refused(str(refusal), field="base_url") from None


def _lookup(host: str) -> Sequence[str]:
    """The system's, given up after a while: its thread ends by itself."""
    pool = ThreadPoolExecutor(max_workers=1)
    try:
        return pool.submit(system_lookup, host).result(timeout=LOOKUP_S)
    except LateError:
        raise AddressRefused(
            f"{host} was not found within {LOOKUP_S:g} s. Nothing was saved; try again."
        ) from None
    finally:
        pool.shutdown(wait=False)


def lost_key(endpoint: Endpoint) -> str:
    """Why the stored key cannot be used with the endpoint as it is now; empty where it can, or where there is none."""
    if endpoint.sealed_key is None:
        return ""
    try:
        keys.key_for(endpoint)
    except keys.KeyUnusable as error:
        return str(error)
    return ""


def _check_server(server: Server) -> None:
    share, port = server.gpu_memory_share, server.port
    if isinstance(share, int | float) and not 0 < share <= 1:
        raise Refused("A share is above 0 and at most 1: 0.9 is nine tenths.", field="gpu_memory_share")
    if isinstance(port, int) and not 1 <= port <= MOST_PORT:
        raise Refused(f"A port is a number from 1 to {MOST_PORT}.", field="port")
    if not isinstance(server.extra_args, list) or not all(
        isinstance(each, str) for each in server.extra_args
    ):
        raise Refused("Further arguments are a list of texts.", field="extra_args")
    if server.endpoint.host_id != server.host_id:
        raise Refused(
            f"{server.endpoint} does not run on {server.host}: set the endpoint's host first.",
            field="endpoint",
        )
    if port_of(split(server.endpoint.base_url)) != server.port:
        raise Refused(
            f"{server.endpoint} says {server.endpoint.base_url}: the port has to be that one.", field="port"
        )
    _check_object(server.environment, field="environment")
    _check_environment(server)


def _check_environment(server: Server) -> None:
    secret = next((name for name in server.environment if SECRETS.search(name)), None)
    if secret is not None:
        raise Refused(
            f"{secret} sounds like a secret, and everybody here could read it. "
            "Set it in the environment of the host's worker.",
            field="environment",
        )
    as_started = Serving(
        server.endpoint.name,
        server.model_path,
        "",
        server.port,
        extra_args=tuple(server.extra_args),
        environment=server.environment,
    )
    try:
        serving.check(as_started)
    except BadServer as error:
        raise Refused(str(error), field="environment" if "variable" in str(error) else None) from error


def _check_storable(value: Any, *, field: str) -> None:
    """Texts that are no text, and numbers without end, the database takes neither alone nor inside of JSON."""
    try:
        text = (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, allow_nan=False, default=str)
        )
        text.encode()
    except ValueError:
        text = "\x00"
    if "\x00" in text or "\\u0000" in text:
        raise Refused("This holds a character that is no text, or a number without end.", field=field)


def _check_words(value: Any, *, field: str) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) and each.strip() for each in value):
        raise Refused(f"{field} must be a list of words.", field=field)
    if len(set(value)) != len(value):
        raise Refused(f"{field} names one twice.", field=field)


def _check_object(value: Any, *, field: str) -> None:
    if not isinstance(value, dict):
        raise Refused(f"{field} must be an object of names and values.", field=field)
