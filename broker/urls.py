"""Which view answers which path of the registry: the one list of its addresses."""

from django.urls import URLPattern, path

from broker.views import endpoints, hosts, models, record, roles, smoke

MODEL, ENDPOINT, HOST, ROLE = (
    "models/<slug:alias>/",
    "endpoints/<slug:endpoint>/",
    "hosts/<slug:host>/",
    "roles/<slug:role>/",
)

urlpatterns: list[URLPattern] = [
    path("", models.models, name="registry_models"),
    path("add/model/", models.add_model, name="registry_add_model"),
    path(MODEL, models.model, name="registry_model"),
    path(f"{MODEL}change/", models.change_model, name="registry_change_model"),
    path(f"{MODEL}move/", models.move, name="registry_move"),
    path(f"{MODEL}smoke/", smoke.start, name="registry_smoke"),
    path(f"{MODEL}smoke/steps/", smoke.steps, name="registry_smoke_steps"),
    path(f"{MODEL}bench/", models.bench, name="registry_bench"),
    path(f"{MODEL}unbench/", models.unbench, name="registry_unbench"),
    path(f"{MODEL}price/", models.add_price, name="registry_add_price"),
    path(f"{MODEL}delete/", models.delete_model, name="registry_delete_model"),
    path("endpoints/", endpoints.endpoints, name="registry_endpoints"),
    path("add/endpoint/", endpoints.add_endpoint, name="registry_add_endpoint"),
    path(ENDPOINT, endpoints.endpoint, name="registry_endpoint"),
    path(f"{ENDPOINT}change/", endpoints.change_endpoint, name="registry_change_endpoint"),
    path(f"{ENDPOINT}probe/", endpoints.probe, name="registry_probe"),
    path(f"{ENDPOINT}discover/", endpoints.discover, name="registry_discover"),
    path(f"{ENDPOINT}adopt/", endpoints.adopt, name="registry_adopt"),
    path(f"{ENDPOINT}delete/", endpoints.delete_endpoint, name="registry_delete_endpoint"),
    path(f"{ENDPOINT}server/change/", hosts.change_server, name="registry_change_server"),
    path(f"{ENDPOINT}server/delete/", hosts.delete_server, name="registry_delete_server"),
    path("hosts/", hosts.hosts, name="registry_hosts"),
    path("add/host/", hosts.add_host, name="registry_add_host"),
    path(HOST, hosts.host, name="registry_host"),
    path(f"{HOST}change/", hosts.change_host, name="registry_change_host"),
    path(f"{HOST}delete/", hosts.delete_host, name="registry_delete_host"),
    path(f"{HOST}server/", hosts.add_server, name="registry_add_server"),
    path("roles/", roles.roles, name="registry_roles"),
    path("add/role/", roles.add_role, name="registry_add_role"),
    path(ROLE, roles.role, name="registry_role"),
    path(f"{ROLE}change/", roles.change_role, name="registry_change_role"),
    path(f"{ROLE}retire/", roles.retire_role, name="registry_retire_role"),
    path("file/", record.file, name="registry_file"),
    path("file/export/", record.export, name="registry_export"),
    path("file/import/", record.import_file, name="registry_import"),
    path("history/", record.history, name="registry_history"),
]
