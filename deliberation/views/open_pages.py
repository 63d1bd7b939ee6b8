"""What a page that stands open is told when its presses come from its person no more: htmx would swap a whole sign-in
page into the form that was sent, and what was typed there would be gone. The answer is a sentence, and is not swapped.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.views.csrf import csrf_failure as csrf_page

SIGNED_OUT = (
    "You are signed out, so this was not sent. Sign in in another tab, then press again here: nothing that you typed "
    "is lost."
)
ANOTHER = (
    "Somebody else is signed in in this browser now, so this was not sent under their name. Sign in as before in "
    "another tab, then press again here: nothing that you typed is lost."
)
MADE_FOR = "X-Made-For"  # who was signed in when the page was made: base.html sends it along


class SignInRequired(LoginRequiredMiddleware):
    """Django's, but for what an open page sends."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        if request.htmx and _is_of_another(request):  # type: ignore[attr-defined]
            return _told(ANOTHER)
        return super().process_view(request, view_func, view_args, view_kwargs)  # type: ignore[no-any-return]

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponse:
        if request.htmx:  # type: ignore[attr-defined]
            return _told(SIGNED_OUT)
        return super().handle_no_permission(request, view_func)  # type: ignore[no-any-return]


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The token of a page goes with its sign-in: without one, or with a newer one, it is refused."""
    if request.htmx:  # type: ignore[attr-defined]
        return _told(SIGNED_OUT)
    return csrf_page(request, reason=reason)


def _is_of_another(request: HttpRequest) -> bool:
    made_for = request.headers.get(MADE_FOR, "")
    return bool(made_for) and request.user.is_authenticated and made_for != str(request.user.pk)


def _told(words: str) -> HttpResponse:
    return HttpResponse(words, status=HTTPStatus.UNAUTHORIZED, content_type="text/plain; charset=utf-8")
