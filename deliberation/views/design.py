"""The design page: every part of the room in every state, and the tokens and controls that all pages share."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliberation.design_fixtures import catalog, tokens
from deliberation.design_fixtures.base import TWELVE
from deliberation.glossary import TERMS

SIZES = ("t-1", "t-2", "t-3", "t-4", "t-5")


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """For those who make the pages. It is about no session and reads no table."""
    if not request.user.is_staff:
        raise PermissionDenied
    context = {
        "place": "design",
        "groups": catalog.shown(),
        "colours": tokens.colours(),
        "contrasts": tokens.contrasts(),
        "spaces": [(name, tokens.declared()[name]) for name in tokens.own("s-")],
        "sizes": [(name, tokens.declared()[name]) for name in SIZES],
        "icons": tokens.icons(),
        "participants": TWELVE,
        "terms": tuple(TERMS),
    }
    return render(request, "deliberation/design.html", context)
