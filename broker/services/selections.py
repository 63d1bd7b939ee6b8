"""What the broker decides, stored with its receipt."""

from typing import Any

from broker.models import Selection
from broker.selection.panel import choose_panel
from broker.selectors.candidates import Question, Wanted, question


def select_panel(wanted: Wanted, *, reference: Any = None, kind: str = Selection.Kind.START) -> Selection:
    """Puts the question as things stand now, and stores it with its receipt. reference: the session it is made for."""
    return keep(question(wanted), wanted, reference=reference, kind=kind)


def keep(
    asked: Question,
    wanted: Wanted,
    *,
    reference: Any = None,
    kind: str = Selection.Kind.START,
    agents_each: int = 1,
) -> Selection:
    """Solves and stores. agents_each: how many seats each of the chosen models gets."""
    receipt = choose_panel(asked.request).to_json()
    receipt["chosen"] = [name for name in receipt["chosen"] for _ in range(agents_each)]
    return Selection.objects.create(
        reference=reference,
        kind=kind,
        category=wanted.category,
        group=wanted.group,
        note=asked.note,
        request=asked.request.to_json(),
        receipt=receipt,
    )
