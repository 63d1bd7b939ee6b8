"""Which view answers which path of the broker's pages."""

from django.urls import URLPattern, path

from broker.views import fleet, ranking, selections

urlpatterns: list[URLPattern] = [
    path("", fleet.fleet, name="broker"),
    path("ranking/", ranking.ranking, name="broker_ranking"),
    path("selections/", selections.selections, name="broker_selections"),
    path("selections/<int:selection_id>/", selections.selection, name="broker_selection"),
]
