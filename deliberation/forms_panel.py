"""Who sits, in a form that opens a session: the broker's choice, or models that are ticked by name."""

from collections.abc import Mapping
from typing import Any

from django import forms

from broker.models import Model
from deliberation.forms_sessions import OnceForm

NOT_NOW = "One of these models cannot sit now. Choose again."
NOT_BOTH = (
    "Models are ticked and the broker is to choose, so it is unclear who sits. Choose \u201cExactly these models\u201d,"
    " or put the ticks back."
)
BROKER, NAMED = "broker", "named"


class PanelForm(OnceForm):
    """Ticks count for named models alone; where others are ticked than at first, the broker's choice is refused."""

    panel = forms.ChoiceField(
        choices=[(BROKER, "The broker chooses"), (NAMED, "These models")],
        initial=BROKER,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Choose who sits: the broker's choice or named models."
        ),
    )
    models = forms.ModelMultipleChoiceField(
        queryset=Model.objects.none(),
        required=False,
        error_messages=dict.fromkeys(("invalid_choice", "invalid_pk_value"), NOT_NOW),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, seatable: Any, **given: Any) -> None:
        super().__init__(data, label_suffix="", **given)
        self.fields["models"].queryset = seatable  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "models" in self.errors:
            return cleaned
        ticked, panel = {each.pk for each in cleaned.get("models", ())}, cleaned.get("panel")
        if panel == NAMED and not ticked:
            self.add_error("models", "Name at least one model, or let the broker choose.")
        if panel == BROKER and ticked and ticked != set(self.initial.get("models", ())):
            self.add_error("models", NOT_BOTH)
        return cleaned

    @property
    def ticked(self) -> set[str]:
        """The numbers of the models whose boxes are ticked, as the page compares them."""
        return {str(pk) for pk in self["models"].value() or ()}

    def chosen(self) -> list[int] | None:
        """The models that are to sit; None where the broker chooses."""
        cleaned = self.cleaned_data
        return sorted(each.pk for each in cleaned["models"]) if cleaned["panel"] == NAMED else None
