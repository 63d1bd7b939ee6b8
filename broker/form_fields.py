"""Fields whose value is a list or an object, and that people fill in as plain text."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

NO_FILL = {"autocomplete": "off", "spellcheck": "false"}


class WordsField(forms.CharField):
    """Words with commas between, as a list without repetitions."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        words = (word.strip() for word in super().to_python(value).split(","))
        return list(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial or [])) != self.to_python(data or "")


class LinesField(forms.CharField):
    """One argument a line, as a list."""

    widget = forms.Textarea(attrs={"rows": 3, **NO_FILL})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        return [line.strip() for line in super().to_python(value).splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(self.prepare_value(initial or [])) != self.to_python(data or "")


class PairsField(forms.CharField):
    """NAME=value, one a line, as an object of texts."""

    widget = forms.Textarea(attrs={"rows": 3, **NO_FILL})

    def prepare_value(self, value: Any) -> Any:
        return (
            "\n".join(f"{name}={text}" for name, text in value.items()) if isinstance(value, dict) else value
        )

    def to_python(self, value: Any) -> dict[str, str]:  # type: ignore[override]
        lines = [line.strip() for line in super().to_python(value).splitlines() if line.strip()]
        wrong = next((line for line in lines if not line.partition("=")[0].strip() or "=" not in line), None)
        if wrong is not None:
            raise ValidationError(f"Write NAME=value, one a line; {wrong!r} is not.")
        return {name.strip(): text.strip() for name, _, text in (line.partition("=") for line in lines)}

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial or {}) != (data or ""))


class NumbersField(forms.JSONField):
    """An object of numbers, shown readably."""

    widget = forms.Textarea(attrs={"rows": 3, **NO_FILL})

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, indent=1, sort_keys=True) if isinstance(value, dict) else value

    def clean(self, value: Any) -> Any:
        return super().clean(value) or {}
