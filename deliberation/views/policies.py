"""What a policy says: in words, as JSON, and its hash."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliberation import rule_words
from deliberation.models import Policy
from deliberation.protocol.types import Rules
from deliberation.selectors import policies as policy_reads
from deliberation.trail import canonical


@require_safe
def policy(request: HttpRequest, name: str) -> HttpResponse:
    """The newest version, or ?version=N. ?format=json gives the canonical bytes: the hash is theirs."""
    versions = policy_reads.versions(name)
    shown = _version(versions, request.GET.get("version", ""))
    rules = Rules.from_json(shown.rules)
    exact = canonical.canonical_bytes(canonical.encode(rules.to_json()))
    if request.GET.get("format") == "json":
        return HttpResponse(exact, content_type="application/json")
    context = {
        "policy": shown,
        "versions": versions,
        "said": rule_words.in_full(rules),
        "rules": [(name, json.dumps(value)) for name, value in sorted(rules.to_json().items())],
    }
    return render(request, "deliberation/policy.html", context)


def _version(versions: list[Policy], wanted: str) -> Policy:
    for each in versions:
        if wanted in ("", str(each.version)):
            return each
    raise Http404("no such policy or version")
