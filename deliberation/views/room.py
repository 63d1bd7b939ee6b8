"""The room."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse


def room(request: HttpRequest, session_id: UUID) -> HttpResponse:
    return HttpResponse("room")
