"""The fleet: hosts, endpoints with their load and health, benched models, what the broker chose last."""

import json
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from broker import charts
from broker.models import Endpoint
from broker.selectors import fleet as reads
from broker.selectors import secrecy
from broker.selectors.receipts import newest
from broker.views.access import page, part

CHART_MIN = 15
NEWEST = 8


@part
@vary_on_headers("HX-Request")
@require_safe
def fleet(request: HttpRequest) -> HttpResponse:
    """The page, or for htmx the part that refreshes itself; the charts stand outside of it and carry on."""
    found = reads.fleet()
    context = {
        "fleet": found,
        "now": timezone.now(),
        "figures": [figure for card in found.endpoints for figure in _figures(card.endpoint)],
        "selections": newest(NEWEST, kept=secrecy.kept_from(request.user)),
        "place": "broker",
        "chart_min": CHART_MIN,
    }
    return page(request, "_fleet" if request.htmx else "fleet", context)  # type: ignore[attr-defined]


def _figures(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Of each served name that was read: its two charts, each with the id of its place on the page."""
    if endpoint.simulated:
        return []
    now = timezone.now()
    span = (now - timedelta(minutes=CHART_MIN), now)
    return [
        {
            "endpoint": endpoint,
            "name": line.served_name,
            "load_id": f"load-{endpoint.pk}-{number}",
            "latency_id": f"latency-{endpoint.pk}-{number}",
            "load": _json(
                charts.load_figure(
                    line.times,
                    span=span,
                    running=line.figures["running"],
                    waiting=line.figures["waiting"],
                    kv_cache_share=line.figures["kv_cache_share"],
                )
            ),
            "latency": _json(charts.latency_figure(line.times, line.figures, span=span)),
        }
        for number, line in enumerate(reads.series(endpoint, minutes=CHART_MIN))
    ]


def _json(figure: charts.Figure) -> SafeString:
    """For a <script type="application/json">: no tag can end in it."""
    text = json.dumps(figure, separators=(",", ":"))
    return mark_safe(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S308
