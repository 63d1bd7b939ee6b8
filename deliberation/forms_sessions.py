"""Forms of the list, of a new deliberation and of invitations. What a rule allows is asked of the rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings

from deliberation.protocol.types import Rules, RulesError
from deliberation.selectors.asking import STATES, Wanted
from deliberation.selectors.policies import Card
from deliberation.selectors.sessions import FLAGS
from deliberation.selectors.trails import KINDS
from deliberation.services.acts import ActRefused
from deliberation.services.policies import in_use
from deliberation.services.rulings import ANSWER_CHARS
from deliberation.services.sessions import SEED_LIMIT, Opening

RULE_FIELDS = ("effort", "max_rounds", "human_window_s", "max_cost_usd")


CALLED = {"q": "a text", "flag": "a mark", "who": "a person", "since": "a first day", "until": "a last day",
          "order": "an order", "kind": "a kind of event", "actor": "an author of events"}  # fmt: skip


class FilterForm(forms.Form):
    """The filter bar; its fields are the parameters of the list's address."""

    q = forms.CharField(required=False, max_length=200, strip=True)
    state = forms.ChoiceField(
        required=False, choices=[("", "Any state"), *((state, state.capitalize()) for state in STATES)]
    )
    policy = forms.ChoiceField(required=False)
    category = forms.ChoiceField(required=False)
    who = forms.ChoiceField(
        required=False,
        choices=[
            ("", "Anybody’s"),
            ("owner", "Mine"),
            ("member", "I take part"),
            ("invited", "I was invited"),
        ],
    )
    flag = forms.MultipleChoiceField(
        required=False, choices=[(name, each.word) for name, each in FLAGS.items()]
    )
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)
    order = forms.ChoiceField(
        required=False,
        choices=[("", "Newest first"), ("oldest", "Oldest first"), ("best", "Best match first")],
    )
    trails = forms.BooleanField(required=False)
    kind = forms.ChoiceField(required=False, choices=[("", "Any event"), *KINDS.items()])
    actor = forms.ChoiceField(
        required=False,
        choices=[("", "By anybody"), ("me", "By me"), ("person", "By a person"), ("agent", "By an agent"),
                 ("system", "By the system")],
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None, *, policies: Sequence[str], categories: Sequence[str] = ()
    ) -> None:
        super().__init__(data)
        for name, word, values in (
            ("policy", "Any policy", policies),
            ("category", "Any category", categories),
        ):
            self.fields[name].choices = [("", word), *((value, value) for value in values)]  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What was asked for; a value that cannot be is left out, and the form says so."""
        self.is_valid()
        cleaned = self.cleaned_data
        words = ("state", "policy", "category", "who", "order")
        trails = bool(cleaned.get("trails"))
        return Wanted(
            **{name: cleaned.get(name, "") for name in words},
            text=cleaned.get("q", ""),
            flags=tuple(cleaned.get("flag", ())),
            since=cleaned.get("since"),
            until=cleaned.get("until"),
            trails=trails,
            kind=cleaned.get("kind", "") if trails else "",
            actor=cleaned.get("actor", "") if trails else "",
        )

    @property
    def left_out(self) -> str:
        """What was asked for and cannot be: a text, a state."""
        return ", ".join(CALLED.get(name, f"a {name}") for name in self.errors)


class PolicyField(forms.ChoiceField):
    """One of those that sessions may be opened under. Why another one is not, the service says."""

    def validate(self, value: str) -> None:
        if value and not self.valid_value(value):
            try:
                in_use(value)
            except ActRefused as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        super().validate(value)


class NewForm(forms.Form):
    """A new deliberation. Rules left empty are the policy's."""

    task = forms.CharField(
        label="Question",
        widget=forms.Textarea(attrs={"rows": 5}),
        strip=True,
        error_messages={"required": "Write the question first."},
        help_text="Markdown, code and $formulas$ are welcome. Agents and people read exactly this.",
    )
    policy = PolicyField(
        label="Policy", widget=forms.RadioSelect, error_messages={"required": "Choose a policy."}
    )
    category = forms.SlugField(
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"list": "categories"}),
        help_text="Picks models by what is known of them in this field. Empty: any field.",
        error_messages={"invalid": "One word of letters, digits and hyphens, such as arithmetic."},
    )
    effort = forms.FloatField(
        required=False,
        widget=forms.NumberInput(attrs={"step": "0.05", "min": 0, "max": 1}),
        help_text="From 0 to 1: how much evidence is enough to stop.",
    )
    max_rounds = forms.IntegerField(
        required=False, label="Rounds at most", widget=forms.NumberInput(attrs={"min": 1})
    )
    human_window_s = forms.IntegerField(
        required=False,
        label="Seconds for people",
        widget=forms.NumberInput(attrs={"min": 0}),
        help_text="How long each round waits for those who take part. 0: it does not wait.",
    )
    max_cost_usd = forms.FloatField(
        required=False,
        label="Money cap in US dollars",
        widget=forms.NumberInput(attrs={"step": "0.01", "min": 0}),
        help_text="With a cap, models without a known price cannot sit.",
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
        super().__init__(data, label_suffix="", **given)
        self.cards = {card.policy.name: card for card in cards}
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
        return cleaned

    def _check_rule(self, name: str, value: Any) -> None:
        """The rules' own sentence, with the field's name as it stands on the screen."""
        try:
            Rules.from_json({name: value})
        except RulesError as error:
            self.add_error(name, str(error).replace(name, str(self[name].label), 1))

    @staticmethod
    def _changes(cleaned: Mapping[str, Any]) -> dict[str, Any]:
        return {name: cleaned[name] for name in RULE_FIELDS if cleaned.get(name) is not None}

    def opening(self) -> Opening:
        """What the service is asked for."""
        cleaned = self.cleaned_data
        return Opening(
            task=cleaned["task"],
            policy=cleaned["policy"],
            category=cleaned["category"],
            seed=cleaned["seed"],
            rules=self._changes(cleaned),
            take_part=cleaned["take_part"],
            known_answer=cleaned["known_answer"],
        )

    @property
    def more_is_wrong(self) -> bool:
        """Whether something in the folded part of the form has to be shown."""
        return self.is_bound and any(
            name in self.errors for name in (*RULE_FIELDS, "category", "seed", "known_answer")
        )


class InviteForm(forms.Form):
    """One colleague: `how` is name or link. For a link the name is only a note."""

    how = forms.ChoiceField(
        choices=[("name", "by user name"), ("link", "by link")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Choose whether to invite by user name or by a link."
        ),
    )
    name = forms.CharField(
        required=False,
        max_length=150,
        strip=True,
        error_messages={"max_length": "A name has at most 150 characters; nobody was invited."},
    )


class AnswerForm(forms.Form):
    """Yes or no to an invitation; a visitor says by which name the others shall know them."""

    answer = forms.ChoiceField(
        choices=[("accept", "accept"), ("decline", "decline")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Say whether you accept or decline the invitation."
        ),
    )
    display_name = forms.CharField(required=False, max_length=80, label="Your name")
