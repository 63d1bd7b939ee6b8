"""The sessions among which one jumps, by a part of their task."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from deliberation.selectors import access

MOST = 8


@require_safe
def jump(request: HttpRequest) -> HttpResponse:
    """The newest whose task holds the text ?q=."""
    wanted = request.GET.get("q", "").replace("\0", "").strip()
    found = access.visible_sessions(request.user).filter(task__icontains=wanted).order_by("-created_at")
    return render(request, "_jump_sessions.html", {"sessions": found[:MOST] if wanted else ()})
