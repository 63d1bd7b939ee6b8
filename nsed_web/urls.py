"""The paths of the whole site."""

from django.contrib import admin
from django.urls import include, path

from nsed_web import health, smoke_views

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("registry/", include("broker.urls")),
    path("broker/", include("broker.fleet_urls")),
    path("registry/models/<slug:alias>/smoke/", smoke_views.start, name="registry_smoke"),
    path("registry/models/<slug:alias>/smoke/steps/", smoke_views.steps, name="registry_smoke_steps"),
    path("", include("deliberation.urls")),
]
