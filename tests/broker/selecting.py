"""A selection to read: three priced models of which the best is the dearest."""

from django.utils import timezone

from broker.models import Competence, Endpoint, Model, Price, Selection
from broker.selectors.candidates import Wanted
from broker.services.selections import select_panel


def selected_of_three(server: Endpoint) -> Selection:
    for alias, share, usd in (("cheap", 0.5, 1), ("fair", 0.6, 5), ("strong", 0.9, 50)):
        model = Model.objects.create(alias=alias, served_name=alias, endpoint=server, family=alias)
        Price.objects.create(model=model, input_usd=usd, output_usd=usd, valid_from=timezone.now())
        Competence.objects.create(model=model, right=share * 200, asked=200)
    wanted = Wanted(
        category="",
        tokens_in=5000,
        tokens_out=5000,
        rounds=1,
        size=(1, 3),
        max_cost_usd=1.0,
        floor_points=None,
    )
    return select_panel(wanted)
