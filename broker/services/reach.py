"""Which servers can be asked from where: a loopback address is that of the endpoint's own host, and of no other."""

import re

from django.db.models import Q

from broker.models import Endpoint

LOOPBACK = r"^https?://(localhost|127\.[0-9.]+|\[::1\])(:|/|$)"


def in_reach(here: str) -> Q:
    """Endpoints that a process on the host `here` can ask."""
    return Q(host=None) | Q(host__name=here) | ~Q(base_url__iregex=LOOPBACK)


def is_in_reach(endpoint: Endpoint, here: str) -> bool:
    elsewhere = endpoint.host is not None and endpoint.host.name != here
    return not elsewhere or re.match(LOOPBACK, endpoint.base_url, re.IGNORECASE) is None
