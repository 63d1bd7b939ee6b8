"""The form of a fork: who sits, under which rules, and what is put in place of a proposal."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from deliberation.forms_panel import PanelForm
from deliberation.models import Proposal
from deliberation.rendering import plain_text
from deliberation.selectors.policies import Card
from deliberation.services.acts import is_text

EDIT = "edit-"
EDIT_CHARS = 20_000
AS_IT_WAS = ""


class ForkForm(PanelForm):
    """`edit-SEAT`: the text of each proposal of the round; one that was changed goes along as it is here."""

    policy = forms.ChoiceField(required=False, label="Policy")
    take_part = forms.BooleanField(required=False, label="I take part")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        cards: Sequence[Card],
        proposals: Mapping[int, Proposal],
        **given: Any,
    ) -> None:
        super().__init__(data, **given)
        names = [card.policy.name for card in cards]
        policy: Any = self.fields["policy"]
        policy.choices = [(AS_IT_WAS, "The rules as they were"), *((name, name) for name in names)]
        policy.error_messages["invalid_choice"] = (
            f"There is no policy named %(value)r. Choose one of: {', '.join(names)}."
        )
        self.proposals = proposals

    def edits(self) -> dict[int, str]:
        """The texts that differ from what was proposed, by seat; line ends are no difference."""
        typed = {seat: self.data.get(f"{EDIT}{seat}") for seat in self.proposals}
        plain = {seat: _plain(text) for seat, text in typed.items() if text is not None}
        return {seat: text for seat, text in plain.items() if text != _plain(self.proposals[seat].answer)}

    def text_of(self, seat: int) -> str:
        """What the field of a proposal holds."""
        kept = self.data.get(f"{EDIT}{seat}") if self.is_bound else None
        return self.proposals[seat].answer if kept is None else str(kept)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for text in self.edits().values():
            self._check(text)
        return cleaned

    def _check(self, text: str) -> None:
        if not text:
            self.add_error(None, "A proposal cannot be empty. To leave it as it was, put its text back.")
        elif not is_text(text):
            self.add_error(None, "A proposal holds characters that are no text. Take them out.")
        elif len(text) > EDIT_CHARS:
            self.add_error(
                None,
                f"A proposal has {len(text):,} characters; at most {EDIT_CHARS:,} are allowed. Shorten it.",
            )


def _plain(text: str) -> str:
    """As a text field shows it and sends it back."""
    return plain_text(text).replace("\r\n", "\n").replace("\r", "\n").strip()
