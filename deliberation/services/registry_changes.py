"""The registry's changes, told in the system's chain: each once, in their order. The broker knows no trail, so it
writes them down (broker.services.changes), and from there they are taken up.
"""

from collections.abc import Sequence

from django.db import transaction

from broker.models import Change
from broker.services import changes
from deliberation import events
from deliberation.models import Blob, Chain

AT_ONCE = 200


@transaction.atomic
def tell_changes() -> int:
    """Tells what was not told, and says of how many. Those who tell stand in line at the chain, so that no later change
    comes before an earlier one; what is told is marked in the same transaction.
    """
    events.open_chain(events.SYSTEM)
    Chain.objects.select_for_update().get(pk=events.SYSTEM)
    untold = changes.take_untold(AT_ONCE)
    if untold:
        texts = events.keep_all(None, *map(changes.text_of, untold))
        events.append(events.SYSTEM, _facts(untold, texts))
        changes.mark_told(untold)
    return len(untold)


def _facts(untold: Sequence[Change], texts: Sequence[Blob]) -> list[events.Fact]:
    return [_fact(change, text) for change, text in zip(untold, texts, strict=True)]


def _fact(change: Change, text: Blob) -> events.Fact:
    """Numbers, and words of the registry's own; names and notes are in the text."""
    payload = {
        "change": change.pk,
        "kind": change.kind,
        "action": change.action,
        "ids": change.ids,
        "details": events.reference(text),
    }
    who = f"user:{change.by_id}" if change.by_id else "system"
    return events.Fact("registry.changed", who, payload)
