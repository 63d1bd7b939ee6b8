"""What a call is told of its endpoint's limits where several processes call it."""

from dataclasses import replace

import pytest
from django.conf import settings as site
from pytest_django.fixtures import Settings

from broker.models import Endpoint, Host
from broker.services.calls import endpoint_spec

pytestmark = pytest.mark.django_db


def test_rates_are_whole_and_counted_together_and_calls_at_once_are_shared_out(
    lab: Endpoint, settings: Settings
) -> None:
    settings.NSED = replace(settings.NSED, call_workers=3)
    lab.max_concurrency, lab.requests_per_minute, lab.tokens_per_minute = 8, 60, None
    spec = endpoint_spec(lab)
    assert (spec.max_concurrency, spec.requests_per_minute, spec.tokens_per_minute) == (2, 60, None)
    assert (spec.rates_at, spec.callers) == (site.REDIS_URL, 3)
    assert site.REDIS_URL not in repr(spec)
    lab.max_concurrency = 1
    assert endpoint_spec(lab).max_concurrency == 1


def test_the_calls_of_a_host_are_counted_before_they_are_taken(lab: Endpoint, settings: Settings) -> None:
    settings.NSED = replace(settings.NSED, call_workers=3)
    lab.host = Host.objects.create(name="gpu-1")
    spec = endpoint_spec(lab)
    assert (spec.max_concurrency, spec.callers) == (32, 1)
