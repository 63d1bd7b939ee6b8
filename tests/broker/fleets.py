"""Calls that went well, and time that passes, for the tests of health."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db.models import F

from broker.models import Call, Check, Endpoint, Model, Telemetry

TIMES = {
    Endpoint: ("healthy_since", "checked_at", "check_at", "read_at", "failed_at", "retry_at"),
    Model: ("benched_until",),
    Call: ("created_at",),
    Check: ("created_at",),
    Telemetry: ("read_at",),
}


def good_call(model: Model, **figures: Any) -> Call:
    return Call.objects.create(
        reference=uuid4(), model=model, seat=1, round=1, exchange="propose", attempt=1, **figures
    )


def wait(**duration: float) -> None:
    """Everything that is written down happened so much earlier: as if that time had passed."""
    earlier = timedelta(**duration)
    for kind, names in TIMES.items():
        kind.objects.update(**{name: F(name) - earlier for name in names})
