"""What people type into the registry, read into rows. What a row must be like, its service says."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from broker.form_fields import NO_FILL, LinesField, NumbersField, PairsField, WordsField
from broker.models import Endpoint, Host, Model, Price, Role, Server
from broker.services.changes import Refused
from broker.services.moved import Moved, check_unmoved, stamp
from broker.services.registry import check_moment
from broker.services.rules import NAME_WORDS, check, lost_key

NOTE_CHARS = 300
NAMED = {"unique": "There is one of this name already.", "invalid": NAME_WORDS}


class RefusableForm(forms.ModelForm):
    """One whose service may say no.

    moved: because somebody was quicker; sent again as it is, it saves over theirs.
    """

    data: Any
    moved = False

    def _post_clean(self) -> None:
        super()._post_clean()
        if set(self.errors) <= {NON_FIELD_ERRORS}:
            constraints = self.errors.pop(NON_FIELD_ERRORS, None)  # the rules say more, and at which field
            if self.try_rules(self.check_rules) and constraints:
                self.errors[NON_FIELD_ERRORS] = constraints

    def check_rules(self) -> None:
        """Raises Refused. The fields are read into the row by now."""

    def try_rules(self, rule: Callable[[], Any]) -> bool:
        """Whether the rule let it pass; else its sentence stands at its field."""
        try:
            rule()
        except Refused as refusal:
            field = refusal.field if refusal.field in self.fields else None
            self.add_error(field, str(refusal))
            if isinstance(refusal, Moved):
                self.moved = True
                self.data = self.data.copy()
                self.data["base"] = refusal.stamp
            return False
        return True


class RowForm(RefusableForm):
    """A row of the registry. Its name can be typed once: it stands in receipts and in the history. `base`: the stamp
    of what it was opened on.
    """

    name_field = "name"
    base = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)
    note = forms.CharField(
        required=False,
        max_length=NOTE_CHARS,
        label="Note for the history",
        help_text="Why, in a few words. May stay empty.",
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        given.setdefault("label_suffix", "")
        super().__init__(*args, **given)
        self.fields["note"] = self.fields.pop("note")  # the last one
        if self.instance.pk and self.name_field in self.fields:
            self.fields[self.name_field].disabled = True
        if self.instance.pk and not self.is_bound:
            self.initial["base"] = stamp(self.instance)
        for field in self.fields.values():
            if isinstance(field.widget, forms.TextInput):
                field.widget.attrs.setdefault("autocomplete", "off")

    def check_rules(self) -> None:
        stored = self.stored()
        check(self.instance, stored=stored)
        if stored is not None:
            check_unmoved(self.instance, base=self.cleaned_data["base"])

    def stored(self) -> Any:
        """The row as it is in the database; None for a new one."""
        return type(self.instance)._default_manager.filter(pk=self.instance.pk).first()


class HostForm(RowForm):
    class Meta:
        model = Host
        fields = ["name", "mode", "total_mb"]
        error_messages = {"name": NAMED}
        labels = {"total_mb": "Video memory in MB"}
        help_texts = {
            "name": "Its worker consumes the queue calls.NAME.",
            "total_mb": "Empty: the host reports it, or it stays unknown.",
        }


class EndpointForm(RowForm):
    """The key goes in and never comes out."""

    base_url = forms.CharField(
        required=False,
        max_length=500,
        label="Base URL",
        widget=forms.TextInput(
            attrs={"inputmode": "url", "placeholder": "http://127.0.0.1:8000/v1", **NO_FILL}
        ),
        help_text="Ends in /v1. Empty for simulated experts.",
    )
    key = forms.CharField(
        required=False,
        max_length=1000,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Stored encrypted, for the host of this URL alone, and never shown again. Empty: as it is.",
    )
    remove_key = forms.BooleanField(required=False, label="Remove the key that is set")

    class Meta:
        model = Endpoint
        fields = [
            "name", "kind", "base_url", "host", "max_concurrency", "requests_per_minute", "tokens_per_minute",
            "structured_output", "key_variable", "enabled",
        ]  # fmt: skip
        error_messages = {"name": NAMED}
        labels = {
            "max_concurrency": "Calls at once",
            "key_variable": "Key from the environment",
            "structured_output": "Structured output",
        }
        help_texts = {
            "host": "Empty: its calls go through the shared queue.",
            "requests_per_minute": "Empty: no limit.",
            "tokens_per_minute": "Empty: no limit.",
            "key_variable": "The variable of the workers that holds the key, where none is stored here.",
            "enabled": "While it is off, no call goes there and its models take no seat.",
        }

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"].strip()
        if not key.isprintable() or not key.isascii():
            raise ValidationError("A key has letters, digits and signs, and no line breaks.")
        return key

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.errors:
            return
        cleaned = self.cleaned_data
        if cleaned["key"] and cleaned["remove_key"]:
            self.add_error("key", "Either a new key, or none: untick the box or empty this field.")
        elif cleaned["key"] and self.instance.simulated:
            self.add_error("key", "Simulated experts need no key.")
        elif not cleaned["key"] and not cleaned["remove_key"] and (lost := lost_key(self.instance)):
            self.add_error("key", f"Nothing was saved. {lost}, or tick the box to remove it.")

    @property
    def new_key(self) -> str | None:
        """The key to store, "" to remove it, None to leave it."""
        if self.cleaned_data["remove_key"]:
            return ""
        return self.cleaned_data["key"] or None


class AnyServerForm(RowForm):
    """A server on any host."""

    name_field = "endpoint"
    extra_args = LinesField(required=False, label="Further arguments", help_text="One a line.")
    environment = PairsField(
        required=False,
        help_text="Further variables, NAME=value, one a line. No secrets: everybody reads them.",
    )

    class Meta:
        model = Server
        fields = [
            "host", "endpoint", "model_path", "revision", "dtype", "max_model_len", "gpu_memory_share", "port",
            "extra_args", "environment",
        ]  # fmt: skip
        labels = {
            "model_path": "Model",
            "max_model_len": "Context in tokens",
            "gpu_memory_share": "Share of the card's memory",
        }
        help_texts = {
            "endpoint": "Where it will listen: an endpoint on its host.",
            "model_path": "A folder on the host, or a name on a model hub.",
            "max_model_len": "Empty: the model's own.",
            "gpu_memory_share": "From 0 to 1.",
        }


class ServerForm(AnyServerForm):
    """A server on the host whose page it is."""

    class Meta(AnyServerForm.Meta):
        fields = AnyServerForm.Meta.fields[1:]

    def __init__(self, *args: Any, host: Host, **given: Any) -> None:
        given["instance"] = given.get("instance") or Server(host=host)
        super().__init__(*args, **given)
        endpoint: Any = self.fields["endpoint"]
        endpoint.queryset = Endpoint.objects.filter(host=host).order_by("name")


class ModelForm(RowForm):
    name_field = "alias"
    tags = WordsField(required=False, help_text="What it can do, with commas between: code, math, vision.")
    traits = NumbersField(
        required=False,
        label="Traits of a simulated expert",
        help_text="An object of competence, discernment, herding and verbosity; empty for a real model.",
    )

    class Meta:
        model = Model
        fields = [
            "alias", "served_name", "endpoint", "family", "size_b", "vram_mb", "context_tokens", "tags", "traits",
        ]  # fmt: skip
        labels = {
            "alias": "Name here",
            "served_name": "Name at the server",
            "size_b": "Parameters in billions",
            "vram_mb": "Video memory in MB",
            "context_tokens": "Context in tokens",
        }
        error_messages = {"alias": NAMED}
        help_texts = {
            "alias": "Letters, digits and hyphens. It stays as it is.",
            "served_name": "As the server lists it.",
            "family": "Models of one family share one vote.",
            "size_b": "Empty: unknown.",
            "vram_mb": "Empty: unknown.",
            "context_tokens": "Empty: unknown.",
        }


class PriceForm(RefusableForm):
    """A price from a moment on. An empty price is unknown, never free."""

    note = forms.CharField(required=False, max_length=NOTE_CHARS, label="Note for the history")
    valid_from = forms.DateTimeField(
        required=False,
        label="From (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Empty: from now on. What was called before keeps its cost.",
    )

    class Meta:
        model = Price
        fields = ["input_usd", "output_usd", "valid_from"]
        labels = {"input_usd": "US$ per million tokens in", "output_usd": "US$ per million tokens out"}
        help_texts = {"input_usd": "Empty: unknown.", "output_usd": "Empty: unknown. 0 is free."}

    def __init__(self, *args: Any, **given: Any) -> None:
        given.setdefault("label_suffix", "")
        super().__init__(*args, **given)

    def check_rules(self) -> None:
        check(self.instance)
        check_moment(self.instance)


class RoleForm(RowForm):
    """What is saved is a new version; the old ones stay."""

    tags = WordsField(required=False, help_text="A model needs all of these to play it; commas between.")

    class Meta:
        model = Role
        fields = ["name", "summary", "persona", "tags", "minimum", "maximum", "floor_points"]
        error_messages = {"name": NAMED}
        labels = {
            "minimum": "At least",
            "maximum": "At most",
            "floor_points": "Points below the best",
        }
        widgets = {"persona": forms.Textarea(attrs={"rows": 5})}
        help_texts = {
            "floor_points": "How far below the best candidate's accuracy it may be. Empty: as the policy says.",
            "maximum": "Empty: no limit.",
            "persona": "What the model is told of its perspective.",
            "minimum": "So many of a panel, where a policy asks for the role. A policy that names roles gives each "
            "seat one of them: with this role alone, only models that can play it sit.",
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not self.instance.pk and Role.objects.filter(name=name).exists():
            raise ValidationError(f"There is a role {name} already: change that one.")
        return name
