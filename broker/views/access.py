"""Who may do what in the registry: staff, each with the permissions that Django's groups and users carry."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRedirect

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Keeper:
    """What a user may do; in templates `may.change_model`."""

    user: Any

    def __getitem__(self, permission: str) -> bool:
        return self.keeps and bool(self.user.has_perm(f"broker.{permission}"))

    @property
    def keeps(self) -> bool:
        """Whether the user belongs to those who keep the registry at all."""
        return bool(self.user.is_active and self.user.is_staff)


def needs(permission: str) -> Callable[[View], View]:
    """A view for staff with this permission of the app `broker`; others are told what they lack."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
            if Keeper(request.user)[permission]:
                return view(request, *args, **given)
            words = permission.replace("_", " a ", 1).replace("a endpoint", "an endpoint")
            return page(request, "refused", {"permission": words}, status=403)

        return guarded

    return guard


def part(view: View) -> View:
    """For a part that refreshes itself: htmx goes to the sign-in page, and does not swap it in."""

    @login_not_required
    @wraps(view)
    def signed_in(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **given)
        response = redirect_to_login(request.get_full_path())
        return HttpResponseClientRedirect(response.url) if request.htmx else response  # type: ignore[attr-defined]

    return signed_in


def page(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the registry, or with a leading underscore a part of one."""
    shared = {"place": "registry", "may": Keeper(request.user)}
    return render(request, f"broker/{name}.html", {**shared, **context}, status=status)
