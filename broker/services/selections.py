"""What the broker decides, stored with its receipt."""

from broker.models import Selection
from broker.selection.ranking import choose_panel
from broker.selection.types import PanelRequest


def select_panel(request: PanelRequest) -> Selection:
    """Solves the request and stores it with its receipt."""
    receipt = choose_panel(request)
    return Selection.objects.create(request=request.to_json(), receipt=receipt.to_json())
