"""How good models are known to be: posterior means with their intervals, by category. Never a bare number."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from broker.selection.competence import INTERVAL, TOO_FEW_CHECKS
from broker.selectors import competences
from broker.views.access import page


@require_safe
def ranking(request: HttpRequest) -> HttpResponse:
    """?category=math; without one, all categories together."""
    category = request.GET.get("category", "").replace("\x00", "")
    context = {
        "category": category,
        "categories": [each for each in competences.categories() if each],
        "ranked": competences.ranking(category),
        "interval": f"{INTERVAL:.0%}".replace("%", " %"),
        "too_few": TOO_FEW_CHECKS,
        "place": "broker",
    }
    return page(request, "ranking", context)
