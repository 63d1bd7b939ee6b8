"""Who comes to the table, and how: signing in and out, invitations and the answers to them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from sesame.settings import TOKEN_NAME

from deliberation.forms import first_error
from deliberation.forms_sessions import AnswerForm, InviteForm
from deliberation.models import Invitation, Session
from deliberation.selectors.access import access, visible_sessions
from deliberation.selectors.waiting import has_seat
from deliberation.services import invitations
from deliberation.services.acts import ActRefused
from deliberation.sign_in import SignInForm

sign_in = LoginView.as_view(
    template_name="sign_in.html", authentication_form=SignInForm, redirect_authenticated_user=True
)
sign_out = LogoutView.as_view()  # POST alone: a link to it in somebody's page must not sign anybody out


@login_not_required
@never_cache
@sensitive_post_parameters(TOKEN_NAME)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest) -> HttpResponse:
    """GET asks before the link is used, so that its preview in a chat does not burn it; POST signs in."""
    token = (request.POST if request.method == "POST" else request.GET).get(TOKEN_NAME, "")
    user = authenticate(request, sesame=token) if token else None
    if user is None:
        return render(request, "deliberation/sign_in_link.html", {"dead": True}, status=410)
    if request.method == "POST":
        login(request, user)  # sets last_login, which the token is bound to: it is used up now
        return redirect("sessions")
    context = {"person": user, "token": token, "token_name": TOKEN_NAME}
    return render(request, "deliberation/sign_in_link.html", context)


@never_cache
@require_POST
def invite(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """From the room: asks a colleague by name, or makes a link that is shown this once."""
    session = get_object_or_404(visible_sessions(request.user), pk=session_id)
    if not access(request.user, session).steer and not session.ended:
        raise PermissionDenied("only the owner invites")
    form = InviteForm(request.POST)
    context: dict[str, Any] = {"session": session, "form": form}
    try:
        context |= _invited(request, session, form)
    except ActRefused as refusal:
        context["refusal"] = str(refusal)
    template = "_invite.html" if request.htmx else "invited.html"  # type: ignore[attr-defined]
    status = 422 if "refusal" in context else 200
    return render(request, f"deliberation/{template}", context, status=status)


def _invited(request: HttpRequest, session: Session, form: InviteForm) -> dict[str, Any]:
    if not form.is_valid():
        raise ActRefused(first_error(form))
    name = form.cleaned_data["name"]
    if form.cleaned_data["how"] == "name":
        made = invitations.invite_by_name(session.pk, request.user, name)
        return {"invited": made.invitation}
    made = invitations.invite_by_link(session.pk, request.user, label=name)
    path = reverse("invitation", kwargs={"token": made.token})
    return {"invited": made.invitation, "link": request.build_absolute_uri(path)}


@require_POST
def answer_invitation(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """The answer of somebody who was invited by user name."""
    get_object_or_404(visible_sessions(request.user), pk=session_id)
    try:
        accepts = _accepts(AnswerForm(request.POST))
        invitations.answer_by_name(session_id, request.user, accepts=accepts)
    except ActRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("sessions")
    if accepts:
        return redirect("room", session_id=session_id)
    messages.info(request, "You declined. The session goes on without you.")
    return redirect("sessions")


def _accepts(form: AnswerForm) -> bool:
    if not form.is_valid():
        raise ActRefused(" ".join(str(text) for errors in form.errors.values() for text in errors))
    return bool(form.cleaned_data["answer"] == "accept")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET says who asks for what and changes nothing; POST accepts or declines."""
    found = invitations.find(token)
    if found is None:
        return render(request, "deliberation/invitation.html", {"unknown": True}, status=404)
    if request.method != "POST":
        return _invitation_page(request, found)
    try:
        return _answered(request, found, token=token)
    except ActRefused as refusal:
        return _invitation_page(request, found, refusal=str(refusal))


def _invitation_page(request: HttpRequest, found: Invitation, *, refusal: str = "") -> HttpResponse:
    user = _signed_in(request)
    closed = found.session.ended or found.accepted_at is not None or found.declined_at is not None
    context = {
        "invitation": found,
        "session": found.session,
        "refusal": refusal,
        "display_name": request.POST.get("display_name", ""),
        "seated": user is not None and has_seat(user, found.session),
    }
    status = 410 if closed else 422 if refusal else 200
    return render(request, "deliberation/invitation.html", context, status=status)


def _answered(request: HttpRequest, found: Invitation, *, token: str) -> HttpResponse:
    user = _signed_in(request)
    form = AnswerForm(request.POST)
    if not _accepts(form):
        invitations.decline_link(token, user)
        return render(request, "deliberation/invitation.html", {"declined": True})
    if user is None:
        user, _ = invitations.accept_link_as_visitor(token, form.cleaned_data["display_name"])
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    else:
        invitations.accept_link(token, user)
    return redirect("room", session_id=found.session_id)


def _signed_in(request: HttpRequest) -> Any | None:
    return request.user if request.user.is_authenticated else None
