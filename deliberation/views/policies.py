"""Policies: which there are, what each says and what it said before, and the form that publishes a new version."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from deliberation import charts
from deliberation.forms_policies import PolicyForm, typed
from deliberation.models import Policy
from deliberation.parts import figure_json
from deliberation.protocol.types import Rules
from deliberation.selectors import policies as policy_reads
from deliberation.selectors import policy_files, policy_history, policy_preview
from deliberation.services.acts import ActRefused, is_text
from deliberation.services.policies import PolicyMoved, bring_back_policy, publish_edit, retire_policy
from deliberation.trail import canonical

View = Callable[..., HttpResponse]
SHOWN_OR_SENT = require_http_methods(["GET", "HEAD", "POST"])


def may_publish(user: Any) -> bool:
    return bool(user.is_active and user.is_staff and user.has_perm("deliberation.add_policy"))


def publishers_only(view: View) -> View:
    """Others are told what they lack; in the place of a preview in a line, so that what they typed stays."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **given: Any) -> HttpResponse:
        if may_publish(request.user):
            return view(request, *args, **given)
        if request.htmx:  # type: ignore[attr-defined]
            lost = {"lost": True, **_figures(None, empty="nothing to draw")}
            return render(request, "deliberation/_policy_preview.html", lost, status=403)
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return page(request, "policy_edit", {"refused": True}, status=403)

    return guarded


def page(request: HttpRequest, name: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    shared = {"place": "policies", "may_publish": may_publish(request.user)}
    return render(request, f"deliberation/{name}.html", {**shared, **context}, status=status)


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    return page(request, "policies", {"listed": policy_history.listed(request.user)})


@SHOWN_OR_SENT
def policy(request: HttpRequest, name: str) -> HttpResponse:
    """The newest version, or ?version=N. ?format=json gives the canonical bytes: the hash is theirs; ?format=file a
    file that the editor reads. A POST retires the policy, or brings it back.
    """
    versions = policy_reads.versions(name)
    shown = _version(versions, request.GET.get("version", ""))
    if request.method == "POST":
        return _retire_or_bring_back(request, versions)
    if request.GET.get("format") == "json":
        exact = canonical.canonical_bytes(canonical.encode(Rules.from_json(shown.rules).to_json()))
        return HttpResponse(exact, content_type="application/json")
    if request.GET.get("format") == "file":
        return _file(shown)
    return _shown(request, shown, versions)


def _shown(
    request: HttpRequest, shown: Policy, versions: list[Policy], *, refusal: str = "", status: int = 200
) -> HttpResponse:
    rules = Rules.from_json(shown.rules)
    context = {
        "policy": shown,
        "newest": versions[0],
        "history": policy_history.history(versions, request.user),
        "retired": policy_history.retired(versions[0]),
        "rules": [(name, json.dumps(value)) for name, value in sorted(rules.to_json().items())],
        "refusal": refusal,
        **_preview(rules),
    }
    return page(request, "policy", context, status=status)


@publishers_only
def _retire_or_bring_back(request: HttpRequest, versions: list[Policy]) -> HttpResponse:
    """The same press twice changes nothing the second time, and it is said."""
    name, act = versions[0].name, request.POST.get("act", "")
    if act not in STANDING:
        return _shown(request, versions[0], versions, refusal="Press one of the buttons here.", status=422)
    verb, done, was_so = STANDING[act]
    try:
        changed = verb(name, by=request.user)
    except ActRefused as refusal:
        return _shown(request, versions[0], versions, refusal=str(refusal), status=409)
    if changed:
        messages.success(request, f"{name} {done}")
    else:
        messages.info(request, f"{name} {was_so}")
    return redirect("policy", name=name)


# By the button: the verb, what is said when it was done, and when it was so before.
STANDING: Mapping[str, tuple[Callable[..., bool], str, str]] = {
    "retire": (
        retire_policy,
        "is retired: nobody can open a new deliberation under it. Those that were opened keep its rules.",
        "was retired before.",
    ),
    "bring_back": (
        bring_back_policy,
        "is back: deliberations can be opened under it again.",
        "was in use before.",
    ),
}


def _version(versions: list[Policy], wanted: str) -> Policy:
    for each in versions:
        if wanted in ("", str(each.version)):
            return each
    raise Http404("no such policy or version")


def _file(shown: Policy) -> HttpResponse:
    name = f"policy-{shown.name}-{shown.version}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(policy_files.exported(shown), content_type="application/json", headers=headers)


@publishers_only
@SHOWN_OR_SENT
def new_policy(request: HttpRequest) -> HttpResponse:
    """A policy of a new name: from the defaults, from another one (?from=NAME&version=N), or from a file."""
    source = request.GET.get("from", "")
    rules = Rules()
    if source and not is_text(source):
        raise Http404("no such policy")
    if source:
        rules = Rules.from_json(_version(policy_reads.versions(source), request.GET.get("version", "")).rules)
    return _edit(request, Draft("", None, rules, summary=""))


@publishers_only
@SHOWN_OR_SENT
def edit_policy(request: HttpRequest, name: str) -> HttpResponse:
    """A new version of a policy, from the newest one or from ?version=N."""
    versions = policy_reads.versions(name)
    start = _version(versions, request.GET.get("version", ""))
    return _edit(request, Draft(name, versions[0], Rules.from_json(start.rules), summary=start.summary))


@dataclass(frozen=True)
class Draft:
    """What the form begins with. `name` is empty and `newest` None for a policy of a new name."""

    name: str
    newest: Policy | None
    rules: Rules
    summary: str

    def form(self, rules: Rules, *, summary: str, name: str = "") -> PolicyForm:
        """The form as if these rules had been typed."""
        base = self.newest.version if self.newest else 0
        words = {"summary": summary, "name": name, "base": str(base)}
        return PolicyForm({**typed(rules), **words}, name=self.name)


def _edit(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.method != "POST":
        return _sheet(request, draft, draft.form(draft.rules, summary=draft.summary), quiet=True)
    return ACTS.get(request.POST.get("act", ""), _look)(request, draft)


def _look(request: HttpRequest, draft: Draft) -> HttpResponse:
    """What the rules as typed would do; for htmx the preview alone. Nothing is written."""
    form = PolicyForm(request.POST, name=draft.name)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "deliberation/_policy_preview.html", _previewed(form, draft))
    return _sheet(request, draft, form)


def _publish(request: HttpRequest, draft: Draft) -> HttpResponse:
    form = PolicyForm(request.POST, name=draft.name)
    if not form.is_valid():
        return _sheet(request, draft, form, status=422)
    try:
        published, is_new = publish_edit(form.edit(), by=request.user)
    except PolicyMoved as moved:
        return _moved(request, draft, moved.newest)
    if is_new:
        stays = " It stays retired until somebody brings it back." if published.retired_at else ""
        messages.success(request, f"Published: {published.name}, version {published.version}.{stays}")
    else:
        messages.info(
            request,
            f"Nothing was published: these are the very rules of {published.name}, version {published.version}.",
        )
    return redirect("policy", name=published.name)


def _moved(request: HttpRequest, draft: Draft, newest: Policy) -> HttpResponse:
    """Somebody was quicker: what they changed is shown, and the next press publishes on top of theirs."""
    if not draft.name:
        form = PolicyForm(request.POST)
        form.add_error(
            "name", f"There is a policy named {newest.name} already. Choose another name, or edit that one."
        )
        return _sheet(request, draft, form, status=409)
    sent = request.POST.copy()
    began = policy_reads.versions(draft.name)
    base = next((each for each in began if str(each.version) == sent["base"]), None)
    sent["base"] = str(newest.version)
    theirs = (
        policy_preview.differences(Rules.from_json(base.rules), Rules.from_json(newest.rules)) if base else ()
    )
    told = policy_history.published([newest]).get(newest.pk)
    moved = {"newest": newest, "published": told, "differences": theirs}
    draft = Draft(draft.name, newest, draft.rules, summary=draft.summary)
    return _sheet(request, draft, PolicyForm(sent, name=draft.name), status=409, moved=moved)


def _read(request: HttpRequest, draft: Draft) -> HttpResponse:
    """Fills the form from a file; it is published by another press. What cannot be read changes nothing."""
    try:
        found = policy_files.read(_text(request))
    except policy_files.PolicyFileError as error:
        form = PolicyForm(request.POST, name=draft.name)
        return _sheet(request, draft, form, quiet=True, status=422, file_error=str(error))
    summary = found.summary or request.POST.get("summary", "")
    form = draft.form(found.rules, summary=summary, name=found.name or request.POST.get("name", ""))
    return _sheet(request, draft, form, quiet=True, file_read=True, file_note=found.note)


def _text(request: HttpRequest) -> str:
    """The file that was chosen, else what was pasted."""
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("pasted", "")
    try:
        return file.read(policy_files.MOST_BYTES + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise policy_files.PolicyFileError("This file is no text in UTF-8.") from None


ACTS: Mapping[str, Callable[[HttpRequest, Draft], HttpResponse]] = {"publish": _publish, "read": _read}


def _sheet(
    request: HttpRequest,
    draft: Draft,
    form: PolicyForm,
    *,
    status: int = 200,
    quiet: bool = False,
    **more: Any,
) -> HttpResponse:
    """The page of the form. `quiet`: what is not filled in yet is no mistake."""
    shown = _previewed(form, draft)
    if quiet:
        for name in ("name", "summary"):
            form.errors.pop(name, None)
    context = {"form": form, "draft": draft, "pasted": request.POST.get("pasted", ""), **shown, **more}
    return page(request, "policy_edit", context, status=status)


def _previewed(form: PolicyForm, draft: Draft) -> dict[str, Any]:
    """The preview of the rules as typed against the newest version, or what is wrong with them."""
    before = Rules.from_json(draft.newest.rules) if draft.newest else None
    form.is_valid()
    if not hasattr(form, "rules"):
        wrong = [form[name] for name in form.errors if name not in ("name", "summary", "base", "__all__")]
        return {"wrong": wrong, **_figures(None, empty="nothing to draw: a number cannot be")}
    return {"newest": draft.newest, **_preview(form.rules, before=before)}


def _preview(rules: Rules, *, before: Rules | None = None) -> dict[str, Any]:
    view = policy_preview.preview(rules, before=before)
    return {"view": view, **_figures(view, empty="no gain is expected of any round")}


def _figures(view: policy_preview.Preview | None, *, empty: str) -> dict[str, Any]:
    points, best, last = (view.points, view.t_opt, view.max_rounds) if view else ((), None, 1)
    stops = [(each.conviction, each.round) for each in view.stops] if view else []
    law = charts.law_figure(points, t_opt=best, max_rounds=last, empty=empty)
    return {
        "law_figure": figure_json(law),
        "stops_figure": figure_json(charts.stops_figure(stops, empty=empty)),
    }
