"""What all forms of the registry have in common: shown, refused with what was typed kept, or saved and told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from broker.forms import RefusableForm
from broker.services.changes import Act, Refused
from broker.views.access import page


@dataclass(frozen=True)
class Sheet:
    """A form's page: its title, the word on its button, where it leads, a sentence above it, and its tab."""

    title: str
    button: str
    back: str
    lede: str = ""
    tab: str = "models"


def at(name: str, *args: Any) -> str:
    """The address of one of the registry's pages."""
    return reverse(f"registry_{name}", args=args)


def typed(request: HttpRequest) -> Any:
    """What was sent, None where the form is only looked at."""
    return request.POST if request.method == "POST" else None


def act(request: HttpRequest, note: str = "") -> Act:
    return Act(by=request.user, note=note)


def edit(
    request: HttpRequest, form: RefusableForm, sheet: Sheet, *, save: Callable[[Act], str]
) -> HttpResponse:
    """`save` writes and returns the words to say; where it refuses, its sentence stands in the form. What somebody else
    saved meanwhile is refused once: the same form sent again saves over it.
    """
    if request.method == "POST" and form.is_valid():
        said: list[str] = []
        hand = act(request, form.cleaned_data.get("note", ""))
        if form.try_rules(lambda: said.append(save(hand))):
            messages.success(request, said[0])
            return redirect(sheet.back)
    return page(
        request,
        "form",
        {"form": form, "sheet": sheet, "tab": sheet.tab},
        status=(409 if form.moved else 422) if form.is_bound else 200,
    )


def press(
    request: HttpRequest, verb: Callable[[Act], str], *, to: str, refused: Callable[[str], HttpResponse]
) -> HttpResponse:
    """A button: what was done is told at `to`; a refusal is told by the page that has the button."""
    try:
        said = verb(act(request, request.POST.get("note", "").strip()[:300]))
    except Refused as refusal:
        return refused(str(refusal))
    messages.success(request, said)
    return redirect(to)
