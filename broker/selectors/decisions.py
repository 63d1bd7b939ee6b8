"""What the broker decided for one session: its panel, and who took the place of agents that fell out."""

from uuid import UUID

from broker.models import Selection
from broker.selectors.receipts import Line, lines, rows


def decisions(reference: UUID) -> list[Line]:
    """The first one first. One query."""
    return lines(rows().filter(reference=reference).order_by("pk"), kept=())


def decision(reference: UUID, number: str) -> Selection | None:
    """The one of this number, where it was made for that session. One query."""
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        return None
    return Selection.objects.filter(reference=reference, pk=int(number)).first()
