"""Forms of the list and of invitations, and what every form has that opens a session."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4, uuid5

from django import forms

from deliberation.selectors.asking import STATES, Wanted
from deliberation.selectors.sessions import FLAGS
from deliberation.selectors.trails import KINDS
from deliberation.services.acts import OLD_FORM

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


class OnceForm(forms.Form):
    """`key`: made with the page, so that pressing twice opens one session; a script need not send one."""

    key = forms.UUIDField(
        required=False,
        initial=uuid4,
        widget=forms.HiddenInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": OLD_FORM},
    )

    def once(self) -> UUID | None:
        """The same for what is sent again as it was; another one where something was changed before that."""
        key: UUID | None = self.cleaned_data["key"]
        typed = {name: value for name, value in dict(self.data).items() if name != "csrfmiddlewaretoken"}
        return key and uuid5(key, json.dumps(typed, sort_keys=True))


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
