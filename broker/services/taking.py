"""take(): of several workers that are woken for a thing, one does it."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet


def take(due: "QuerySet[Any]", **mark: Any) -> list[int]:
    """The due rows that nobody is taking at this moment, marked so that they are due no more. Two statements."""
    with transaction.atomic():
        taken = list(due.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
        if taken:
            due.model._default_manager.filter(pk__in=taken).update(**mark)
    return taken
