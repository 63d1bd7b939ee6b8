"""The filter bar of the list, and the form that takes a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from broker.form_fields import NO_FILL
from broker.models import Model
from broker.selectors.registry import Wanted


class FilterForm(forms.Form):
    """The filter bar of the list; its fields are the parameters of its address."""

    STATES = (*((state.value, state.value.capitalize()) for state in Model.State), ("benched", "Benched"))
    q = forms.CharField(required=False, max_length=200, strip=True)
    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *STATES])
    tag = forms.ChoiceField(required=False)
    endpoint = forms.ChoiceField(required=False)

    def __init__(
        self, data: Mapping[str, Any] | None, *, tags: Sequence[str], endpoints: Sequence[str]
    ) -> None:
        super().__init__(data)
        for name, words in (("tag", tags), ("endpoint", endpoints)):
            choices = [("", f"Any {name}"), *((word, word) for word in words)]
            self.fields[name].choices = choices  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What was asked for; a value that cannot be is left out, and the form says so."""
        self.is_valid()
        cleaned = self.cleaned_data
        return Wanted(
            text=cleaned.get("q", ""),
            state=cleaned.get("state", ""),
            tag=cleaned.get("tag", ""),
            endpoint=cleaned.get("endpoint", ""),
        )


class ImportForm(forms.Form):
    """A file, or its text. `digest`: of what was shown to be changed, when it is confirmed."""

    file = forms.FileField(required=False, label="A file of an export")
    text = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 8, **NO_FILL}), label="Or its text"
    )
    digest = forms.CharField(required=False, max_length=64)

    def document(self) -> str:
        """The text to import; ValidationError where there is none, or where it is no text."""
        given = self.files.get("file")
        if given is None:
            return str(self.data.get("text", ""))
        try:
            return str(given.read().decode())
        except UnicodeDecodeError as error:
            raise ValidationError("The file is no UTF-8 text. Nothing was changed.") from error
