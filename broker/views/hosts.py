"""Hosts, and the servers that each of them starts and keeps up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from broker.forms import HostForm, ServerForm
from broker.models import Host, Server
from broker.selectors import registry as reads
from broker.services import registry
from broker.services.changes import Act
from broker.views.access import needs, page
from broker.views.editing import Sheet, at, edit, press, typed
from broker.views.models import SHOWN, saver


@require_safe
def hosts(request: HttpRequest) -> HttpResponse:
    return page(request, "hosts", {"hosts": reads.hosts(), "now": timezone.now(), "tab": "hosts"})


def found(name: str) -> Host:
    return get_object_or_404(Host, name=name)


@require_safe
def host(request: HttpRequest, host: str) -> HttpResponse:
    return shown(request, found(host))


def shown(request: HttpRequest, row: Host, *, refusal: str = "") -> HttpResponse:
    context = {
        "host": row,
        "servers": row.servers.select_related("endpoint").order_by("port"),
        "endpoints": row.endpoint_set.order_by("name"),
        "history": reads.history(kinds=("host",), subject=row.name),
        "refusal": refusal,
        "now": timezone.now(),
        "tab": "hosts",
    }
    return page(request, "host", context, status=422 if refusal else 200)


@needs("add_host")
@SHOWN
def add_host(request: HttpRequest) -> HttpResponse:
    form = HostForm(typed(request), instance=Host())
    lede = "A machine whose own worker calls the model servers beside it."
    sheet = Sheet("Add a host", "Add host", at("hosts"), lede, tab="hosts")

    def save(act: Act) -> str:
        registry.add(form.instance, act=act)
        return f"Added: {form.instance.name}. On it, run manage.py gpu_host {form.instance.name}."

    return edit(request, form, sheet, save=save)


@needs("change_host")
@SHOWN
def change_host(request: HttpRequest, host: str) -> HttpResponse:
    form = HostForm(typed(request), instance=found(host))
    return edit(
        request, form, Sheet(f"Change {host}", "Save", at("host", host), tab="hosts"), save=saver(form)
    )


@needs("delete_host")
@require_POST
def delete_host(request: HttpRequest, host: str) -> HttpResponse:
    row = found(host)

    def verb(act: Act) -> str:
        registry.delete(row, act=act)
        return f"Deleted: {host}."

    return press(
        request, verb, to=at("hosts"), refused=lambda words: shown(request, found(host), refusal=words)
    )


@needs("add_server")
@SHOWN
def add_server(request: HttpRequest, host: str) -> HttpResponse:
    form = ServerForm(typed(request), host=found(host))
    lede = "A vllm serve process. The host starts it within seconds and keeps it up."
    sheet = Sheet(f"Add a server on {host}", "Add server", at("host", host), lede, tab="hosts")

    def save(act: Act) -> str:
        registry.add(form.instance, act=act)
        return f"Added: {form.instance.model_path} on port {form.instance.port}."

    return edit(request, form, sheet, save=save)


def server_of(endpoint: str) -> Server:
    return get_object_or_404(Server.objects.select_related("host", "endpoint"), endpoint__name=endpoint)


@needs("change_server")
@SHOWN
def change_server(request: HttpRequest, endpoint: str) -> HttpResponse:
    row = server_of(endpoint)
    form = ServerForm(typed(request), host=row.host, instance=row)
    sheet = Sheet(f"Change the server of {endpoint}", "Save", at("host", row.host.name), tab="hosts")
    return edit(request, form, sheet, save=saver(form))


@needs("delete_server")
@require_POST
def delete_server(request: HttpRequest, endpoint: str) -> HttpResponse:
    row = server_of(endpoint)

    def verb(act: Act) -> str:
        registry.delete(row, act=act)
        return f"Deleted: the server of {endpoint}. Its host stops it."

    return press(
        request,
        verb,
        to=at("host", row.host.name),
        refused=lambda words: shown(request, row.host, refusal=words),
    )
