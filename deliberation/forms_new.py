"""The form of a new deliberation. What a rule allows is asked of the rules."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from django import forms
from django.conf import settings

from broker.models import Model
from deliberation.forms_files import TextFilesField
from deliberation.forms_panel import BROKER, NAMED, PanelForm
from deliberation.protocol.types import Rules, RulesError
from deliberation.selectors.policies import Card
from deliberation.services.acts import ActRefused
from deliberation.services.policies import in_use
from deliberation.services.rulings import ANSWER_CHARS
from deliberation.services.sessions import SEED_LIMIT, Opening

RULE_FIELDS = ("effort", "max_rounds", "human_window_s", "max_cost_usd", "max_tokens", "max_minutes")
FORESEE = {"data-foresee": True}  # the estimates depend on it


class PolicyField(forms.ChoiceField):
    """One of those that sessions may be opened under. Why another one is not, the service says."""

    def validate(self, value: str) -> None:
        if value and not self.valid_value(value):
            try:
                in_use(value)
            except ActRefused as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        super().validate(value)


class EstimateForm(forms.Form):
    """What the estimates of a form depend on. What cannot be is left out, since somebody still types it."""

    category = forms.SlugField(required=False)
    task_chars = forms.IntegerField(
        required=False, min_value=0, max_value=settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    )
    take_part = forms.BooleanField(required=False)
    panel = forms.CharField(required=False)
    models = forms.ModelMultipleChoiceField(queryset=Model.objects.all(), required=False)
    max_rounds = forms.IntegerField(required=False)
    human_window_s = forms.IntegerField(required=False)
    max_cost_usd = forms.FloatField(required=False)
    max_tokens = forms.IntegerField(required=False)
    max_minutes = forms.FloatField(required=False)

    def known(self) -> Mapping[str, Any]:
        """The values that can be."""
        self.is_valid()
        return self.cleaned_data

    def rules(self) -> dict[str, Any]:
        given = {name: self.known().get(name) for name in RULE_FIELDS}
        return {name: value for name, value in given.items() if value is not None and not wrong(name, value)}

    def named(self) -> list[int]:
        """The models that are to sit; none where the broker chooses."""
        known = self.known()
        return sorted(each.pk for each in known.get("models", ())) if known.get("panel") == NAMED else []


def wrong(rule: str, value: Any) -> str:
    """The rules' own sentence about a value that cannot be; else empty."""
    try:
        Rules.from_json({rule: value})
    except RulesError as error:
        return str(error)
    return ""


class NewForm(PanelForm):
    """A new deliberation. Rules left empty are the policy's; without a word the broker chooses who sits."""

    task = forms.CharField(
        label="Question",
        widget=forms.Textarea(attrs={"rows": 5}),
        strip=True,
        error_messages={"required": "Write the question first."},
        help_text="Markdown, code and $formulas$ are welcome. Agents and people read exactly this.",
    )
    files = TextFilesField(
        label="Text files",
        help_text="UTF-8 texts, appended to the question under their names: agents and people read them with it.",
    )
    policy = PolicyField(
        label="Policy", widget=forms.RadioSelect, error_messages={"required": "Choose a policy."}
    )
    category = forms.SlugField(
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "categories", **FORESEE}),
        help_text="Picks models by what is known of them in this field. Empty: any field.",
        error_messages={"invalid": "One word of letters, digits and hyphens, such as arithmetic."},
    )
    effort = forms.FloatField(
        required=False,
        widget=forms.NumberInput(attrs={"step": "0.05", "min": 0, "max": 1}),
        help_text="From 0 to 1: how much evidence is enough to stop.",
    )
    max_rounds = forms.IntegerField(
        required=False, label="Rounds at most", widget=forms.NumberInput(attrs={"min": 1, **FORESEE})
    )
    human_window_s = forms.IntegerField(
        required=False,
        label="Seconds for people",
        widget=forms.NumberInput(attrs={"min": 0, **FORESEE}),
        help_text="How long each round waits for those who take part. 0: it does not wait.",
    )
    max_cost_usd = forms.FloatField(
        required=False,
        label="Money cap in US dollars",
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, **FORESEE}),
        help_text="With a cap, models without a known price cannot sit.",
    )
    max_tokens = forms.IntegerField(
        required=False,
        label="Token cap",
        widget=forms.NumberInput(attrs={"min": 1, **FORESEE}),
        help_text="It ends with the round in which so many were used.",
    )
    max_minutes = forms.FloatField(
        required=False,
        label="Time cap in minutes",
        widget=forms.NumberInput(attrs={"step": "any", "min": 0, **FORESEE}),
        help_text="It ends with the round in which they are over.",
    )
    known_answer = forms.CharField(
        required=False,
        max_length=ANSWER_CHARS,
        label="Right answer, if you know it",
        help_text="Kept from the agents and from the page until the end; then the broker learns who was right.",
    )
    take_part = forms.BooleanField(required=False, label="I take part")
    guests = forms.CharField(
        required=False,
        label="Invite by user name",
        help_text="Several with commas between. A link for somebody without an account is made in the room.",
    )
    seed = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=SEED_LIMIT - 1,
        help_text="For repeatable runs: the labels of proposals become predictable, and the record says so.",
        error_messages={
            "min_value": "A seed is a whole number from 0 to 2^53 - 1.",
            "max_value": "A seed is a whole number from 0 to 2^53 - 1.",
        },
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, cards: Sequence[Card], **given: Any) -> None:
        super().__init__(data, **given)
        self.cards = {card.policy.name: card for card in cards}
        self.fields["panel"].required = False
        self.fields["policy"].choices = [(name, name) for name in self.cards]  # type: ignore[attr-defined]

    def clean_task(self) -> str:
        task: str = self.cleaned_data["task"]
        limit = settings.NSED.max_task_chars
        if len(task) > limit:
            raise forms.ValidationError(
                f"The question has {len(task):,} characters; at most {limit:,} are allowed. Shorten it."
            )
        return task

    def clean_guests(self) -> tuple[str, ...]:
        """User names, each once, in the order typed."""
        names = (name.strip() for name in self.cleaned_data["guests"].split(","))
        return tuple(dict.fromkeys(name for name in names if name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, value in self._changes(cleaned).items():
            self._check_rule(name, value)
        self._check_length(cleaned)
        return cleaned

    def _check_length(self, cleaned: Mapping[str, Any]) -> None:
        chars, limit = len(self._whole(cleaned)), settings.NSED.max_task_chars
        if cleaned.get("task") and cleaned.get("files") and chars > limit:
            self.add_error(
                "files",
                f"The question with its files has {chars:,} characters; at most {limit:,} are allowed."
                " Shorten or leave out a file.",
            )

    @staticmethod
    def _whole(cleaned: Mapping[str, Any]) -> str:
        """The question as agents and people read it: what was typed, and the files."""
        return "\n\n".join([cleaned.get("task", ""), *cleaned.get("files", ())])

    def clean_panel(self) -> str:
        return self.cleaned_data["panel"] or BROKER

    def once(self) -> UUID | None:
        """Other files make another question."""
        key = super().once()
        return key and uuid5(key, "".join(self.cleaned_data["files"]))

    def _check_rule(self, name: str, value: Any) -> None:
        """The rules' own sentence, with the field's name as it stands on the screen."""
        if words := wrong(name, value):
            self.add_error(name, words.replace(name, str(self[name].label), 1))

    @staticmethod
    def _changes(cleaned: Mapping[str, Any]) -> dict[str, Any]:
        return {name: cleaned[name] for name in RULE_FIELDS if cleaned.get(name) is not None}

    def opening(self) -> Opening:
        """What the service is asked for."""
        cleaned = self.cleaned_data
        return Opening(
            task=self._whole(cleaned),
            policy=cleaned["policy"],
            category=cleaned["category"],
            seed=cleaned["seed"],
            rules=self._changes(cleaned),
            take_part=cleaned["take_part"],
            known_answer=cleaned["known_answer"],
            panel=self.chosen(),
            key=self.once(),
        )

    @property
    def lost_files(self) -> list[str]:
        """The names of those that were sent and that a page cannot put back into their field."""
        return [each.name for each in self.files.getlist("files")] if self.is_bound else []

    @property
    def more_is_wrong(self) -> bool:
        """Whether something in the folded part of the form has to be shown."""
        return self.is_bound and any(
            name in self.errors
            for name in (*RULE_FIELDS, "category", "seed", "known_answer", "panel", "models")
        )
