"""API keys at rest: encrypted together with the host they were given for, so that a changed URL cannot take them."""

import json
import os
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from broker.models import Endpoint


class KeyUnusable(Exception):
    """The stored key cannot be used; the message says why and what to do, and never holds the key."""


def seal(endpoint: Endpoint, key: str) -> None:
    """Stores the key for the endpoint's present host; an empty one removes it. The caller saves the row."""
    if not key:
        endpoint.sealed_key = None
        return
    bound = json.dumps({"host": _host(endpoint), "key": key}).encode()
    endpoint.sealed_key = Fernet(settings.KEY_ENCRYPTION_KEY).encrypt(bound)


def key_for(endpoint: Endpoint) -> str:
    """The key to send: the stored one, else that of the environment variable, else "". Raises KeyUnusable."""
    if endpoint.sealed_key is not None:
        return _unseal(endpoint)
    if not endpoint.key_variable:
        return ""
    key = os.environ.get(endpoint.key_variable)
    if not key:
        raise KeyUnusable(f"{endpoint.name}: set {endpoint.key_variable} in the environment of the workers")
    return key


def _unseal(endpoint: Endpoint) -> str:
    try:
        bound = json.loads(Fernet(settings.KEY_ENCRYPTION_KEY).decrypt(bytes(endpoint.sealed_key)))
    except InvalidToken:
        raise KeyUnusable(
            f"{endpoint.name}: its key was encrypted with another key-encryption key; enter it again"
        ) from None
    if bound["host"] != _host(endpoint):
        raise KeyUnusable(
            f"{endpoint.name}: its key was given for {bound['host']}, not for {_host(endpoint)}; enter it again"
        )
    return str(bound["key"])


def _host(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.base_url)
    return f"{parts.scheme}://{parts.netloc}"
