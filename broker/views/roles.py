"""Roles and their personas: each change is a new version, and the old ones stay readable."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from broker.forms import RoleForm
from broker.models import Role
from broker.selectors import registry as reads
from broker.services import registry
from broker.services.changes import Act
from broker.views.access import needs, page
from broker.views.editing import Sheet, at, edit, press, typed
from broker.views.models import SHOWN


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    return page(request, "roles", {"roles": reads.roles(), "tab": "roles"})


def found(name: str) -> list[Role]:
    """All versions, newest first."""
    versions = reads.role_versions(name)
    if not versions:
        raise Http404("no such role")
    return versions


@require_safe
def role(request: HttpRequest, role: str) -> HttpResponse:
    """The newest version, or ?version=N."""
    versions = found(role)
    wanted = request.GET.get("version", "")
    row = next((each for each in versions if wanted in ("", str(each.version))), None)
    if row is None:
        raise Http404("no such version")
    context = {
        "role": row,
        "versions": versions,
        "history": reads.history(kinds=("role",), subject=role),
        "tab": "roles",
    }
    return page(request, "role", context)


@needs("add_role")
@SHOWN
def add_role(request: HttpRequest) -> HttpResponse:
    form = RoleForm(typed(request), instance=Role())
    sheet = Sheet(
        "Add a role",
        "Add role",
        at("roles"),
        "What an agent is asked to be, and what it takes to be it.",
        tab="roles",
    )

    def save(act: Act) -> str:
        registry.add_role_version(form.instance, act=act)
        return f"Added: {form.instance.name}."

    return edit(request, form, sheet, save=save)


@needs("change_role")
@SHOWN
def change_role(request: HttpRequest, role: str) -> HttpResponse:
    """A new version."""
    newest = found(role)[0]
    form = RoleForm(typed(request), instance=newest)
    lede = f"Saving makes version {newest.version + 1}. Sessions that ran keep theirs."
    sheet = Sheet(f"Change {role}", "Save as a new version", at("role", role), lede, tab="roles")

    def save(act: Act) -> str:
        changed = registry.add_role_version(form.instance, act=act, base=form.cleaned_data["base"])
        return f"Saved: {form.instance}." if changed else f"Nothing differs: {role} is as it was."

    return edit(request, form, sheet, save=save)


@needs("change_role")
@require_POST
def retire_role(request: HttpRequest, role: str) -> HttpResponse:
    """Out of use, or back: a new version that says so."""
    newest = found(role)[0]
    newest.retired = "back" not in request.POST

    def verb(act: Act) -> str:
        registry.add_role_version(newest, act=act)
        return f"{role} is retired." if newest.retired else f"{role} can be used again."

    to = at("role", role)
    return press(
        request, verb, to=to, refused=lambda words: page(request, "refused", {"words": words}, status=422)
    )
