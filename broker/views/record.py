"""The registry's history, and the registry as a file: out, and in."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from broker.forms_reading import ImportForm
from broker.selectors import registry as reads
from broker.services import portable
from broker.services.changes import KINDS, Refused
from broker.services.portable_json import BadFile
from broker.views.access import needs, page
from broker.views.editing import act, at

LINES = 200  # of history on one page
MOST_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE - 10_000  # it is sent once more, as a field, to confirm it


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """?kind= and ?subject= narrow it down."""
    kind, subject = request.GET.get("kind", ""), request.GET.get("subject", "")
    kinds = (kind,) if kind in KINDS.values() else ()
    context = {
        "history": reads.history(kinds=kinds, subject=subject, limit=LINES),
        "kinds": list(KINDS.values()),
        "kind": kind,
        "most": LINES,
        "subject": subject,
        "tab": "history",
    }
    return page(request, "history", context)


@require_safe
def file(request: HttpRequest) -> HttpResponse:
    return _file(request, ImportForm())


def _file(request: HttpRequest, form: ImportForm, *, status: int = 200, **more: Any) -> HttpResponse:
    return page(request, "file", {"form": form, "tab": "file", **more}, status=status)


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The file, to be kept."""
    name = f"nsed-registry-{timezone.now():%Y-%m-%d}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(portable.export(), content_type="application/json", headers=headers)


@needs("add_model")
@require_POST
def import_file(request: HttpRequest) -> HttpResponse:
    """First shows what would change; with the digest of what was shown, changes it."""
    form = ImportForm(request.POST, request.FILES)
    try:
        return _imported(request, form)
    except (BadFile, Refused) as refusal:
        return _file(request, form, status=422, refusal=f"Nothing was changed. {refusal}")
    except ValidationError as error:
        return _file(request, form, status=422, refusal=error.messages[0])


def _imported(request: HttpRequest, form: ImportForm) -> HttpResponse:
    text, digest = form.document(), request.POST.get("digest", "")
    if len(text.encode()) > MOST_BYTES:
        raise Refused(
            f"The file has more than {MOST_BYTES:,} bytes: import it in parts, one section at a time."
        )
    if not digest:
        plan = portable.preview(text, act=act(request))
        return _file(request, ImportForm({"text": text}), plan=plan, history=reads.said(plan.changes))
    plan = portable.import_text(text, act=act(request), digest=digest)
    messages.success(request, f"Imported. Changes in the history: {len(plan.changes)}.")
    return redirect(at("history"))
