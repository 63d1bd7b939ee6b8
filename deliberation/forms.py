"""What people type in the room, read into the values that the verbs take. A refusal is one sentence."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django import forms

from deliberation.services.acts import ActRefused
from deliberation.services.people import OLD_FORM, Against, Own, Strike, Vote
from deliberation.services.rulings import Ruling

VOTES = "votes-"
MOST_VOTES = 10  # their square is all the credits of a ballot (protocol.md 3)
SEAT_DIGITS = 6


def first_error(form: forms.Form) -> str:
    """What is wrong with a form that is not valid, in one sentence."""
    return str(next(iter(form.errors.values()))[0])


def _number(*, required: bool = True) -> forms.IntegerField:
    return forms.IntegerField(
        required=required,
        min_value=0,
        max_value=1_000_000,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), OLD_FORM),
    )


class SeenForm(forms.Form):
    """`seen`: the number of the newest event that the person acted upon; a script need not say."""

    seen = _number(required=False)

    def checked(self) -> dict[str, Any]:
        """The values. ActRefused with the first thing that is wrong."""
        if not self.is_valid():
            raise ActRefused(first_error(self))
        return self.cleaned_data


class StopForm(SeenForm):
    """Why it is stopped, in words; nobody has to say."""

    reason = forms.CharField(required=False, strip=False)


class ActForm(SeenForm):
    """`key`: made with the form, so that pressing twice counts once."""

    key = forms.UUIDField(error_messages={"required": OLD_FORM, "invalid": OLD_FORM})


class BallotForm(ActForm):
    """`round` and one field `votes-SEAT` for each proposal on the screen."""

    round = _number()

    def typed(self) -> dict[int, str]:
        """The votes as they were typed, by seat."""
        return typed_votes(self.data)

    def votes(self) -> dict[int, int]:
        """Whole votes by seat; an emptied field is 0. ActRefused names the field that is wrong."""
        if any(name.startswith(VOTES) and not _is_seat(name.removeprefix(VOTES)) for name in self.data):
            raise ActRefused(OLD_FORM)
        return {seat: _whole_votes(text) for seat, text in self.typed().items()}

    def vote(self) -> Vote:
        values = self.checked()
        return Vote(round=values["round"], votes=self.votes(), key=values["key"], seen=values["seen"])


def typed_votes(data: Mapping[str, Any]) -> dict[int, str]:
    """`votes-SEAT` fields of a submitted form, whatever is in them."""
    fields = ((name.removeprefix(VOTES), text) for name, text in data.items() if name.startswith(VOTES))
    return {int(seat): str(text).strip() for seat, text in fields if _is_seat(seat)}


def _is_seat(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= SEAT_DIGITS


def _whole_votes(text: str) -> int:
    if not text:
        return 0
    try:
        votes = int(text)
    except ValueError:
        raise ActRefused(
            f"Votes are whole numbers, and {text[:20]!r} is none. The ballot was not cast."
        ) from None
    if abs(votes) > MOST_VOTES:
        raise ActRefused(
            f"{text[:20]} votes are more than a ballot can pay: {MOST_VOTES} votes cost all its credits. "
            "The ballot was not cast."
        )
    return votes


class DoneForm(SeenForm):
    """What the person says of their window in a round: `answer` is done, more_time or withdraw."""

    round = _number()
    answer = forms.ChoiceField(
        required=False,
        choices=[(each, each) for each in ("done", "more_time", "withdraw")],
        error_messages={"invalid_choice": OLD_FORM},
    )

    def said(self) -> tuple[str, int, int | None]:
        """The answer, the round, and what was seen."""
        values = self.checked()
        return values["answer"] or "done", values["round"], values["seen"]


class VetoForm(ActForm):
    """What is struck, and why. The reason's rules are the verb's. `request`: another person's, which is answered."""

    kind = forms.CharField(max_length=8, error_messages={"required": OLD_FORM, "max_length": OLD_FORM})
    round = _number()
    seat = _number()
    code = forms.CharField(required=False)
    reason = forms.CharField(required=False, widget=forms.Textarea, strip=False)
    request = _number(required=False)
    answer = forms.CharField(required=False)

    def strike(self) -> Strike:
        values = self.checked()
        names = ("round", "kind", "seat", "code", "reason", "key", "seen")
        return Strike(**{name: values[name] for name in names})


class AgainstForm(ActForm):
    """Why a verdict does not stand. `overturn`: another person's request, which is answered."""

    reason = forms.CharField(required=False, widget=forms.Textarea, strip=False)
    overturn = _number(required=False)
    answer = forms.CharField(required=False)

    def against(self) -> Against:
        values = self.checked()
        return Against(reason=values["reason"], key=values["key"], seen=values["seen"])


class OwnForm(ActForm):
    """A person's own proposal. Its rules are the verb's."""

    answer = forms.CharField(required=False, widget=forms.Textarea, strip=False)
    final_answer = forms.CharField(required=False, strip=False)

    def own(self) -> Own:
        values = self.checked()
        return Own(answer=values["answer"], final_answer=values["final_answer"], key=values["key"])


class RulingForm(forms.Form):
    """Whether the verdict is right, and what would be. The answer's rules are the verb's."""

    right = forms.ChoiceField(
        choices=[("yes", "yes"), ("no", "no")],
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), "Say whether the verdict is right or wrong."
        ),
    )
    answer = forms.CharField(required=False, strip=False)

    def ruling(self) -> Ruling:
        if not self.is_valid():
            raise ActRefused(next(iter(self.errors.values()))[0])
        return Ruling(right=self.cleaned_data["right"] == "yes", answer=self.cleaned_data["answer"])


class GuidanceForm(ActForm):
    """Words for the next prompts. `to`: a seat, or empty for all agents."""

    text = forms.CharField(required=False, widget=forms.Textarea, strip=False)
    to = _number(required=False)


def new_key() -> UUID:
    return uuid4()
