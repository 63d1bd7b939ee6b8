"""The paths of the whole site."""

from django.contrib import admin
from django.urls import include, path

from nsed_web import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("registry/", include("broker.urls")),
    path("broker/", include("broker.fleet_urls")),
    path("", include("deliberation.urls")),
]
