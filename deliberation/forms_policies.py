"""The form of a policy: a field for each rule, in the order of rule_words. What is allowed is asked of the rules."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField

from deliberation import rule_words
from deliberation.protocol.rules import CHECKS, PRESETS
from deliberation.protocol.types import Law, Rules, RulesError
from deliberation.services.acts import is_text
from deliberation.services.people import OLD_FORM
from deliberation.services.policies import Edit

KINDS: Mapping[str, str] = {field.name: str(field.type) for field in fields(Rules)}
LAW = tuple(field.name for field in fields(Law))
MOST = "panel_size_most"  # panel_size is two numbers: the fewest agents stand in its own field
RESERVED = ("new",)
NUMBER_CHARS = 40

# The rule's name on the screen, and what it does.
SAID: Mapping[str, tuple[str, str]] = {
    "panel_size": ("Fewest agents", "With fewer models that can sit, nothing is started."),
    MOST: ("Most agents", "The broker seats no more, and fewer where more would not help."),
    "samples": ("Answers of one model", "So often a model that sits alone answers; the commonest answer wins."),
    "selection_mode": (
        "Choice of the panel",
        "dynamic tries models that little is known of; deterministic gives the same panel for the same readings.",
    ),
    "floor_points": (
        "Points below the best",
        "A model that is known to be worse than the best affordable one by more than this cannot sit. "
        "Empty: any may.",
    ),
    "max_per_family": ("Models of one family", "Models of a family make the same mistakes."),
    "roles": (
        "Roles",
        "Names from the registry with commas between. Each seat then has one of them, so critic alone seats only "
        "critics. Empty: all agents are asked alike.",
    ),
    "replace_agents": ("Replace lost agents", "An agent whose model goes down gives its place to another one."),
    "turn_deadline_s": ("Seconds for a turn", "An agent that has not answered by then abstains."),
    "attempts": ("Attempts", "So often an agent is asked in a turn before it abstains."),
    "propose_max_tokens": ("Tokens of a proposal", "A reply that is cut at this length cannot be used."),
    "review_max_tokens": ("Tokens of the reviews", "One reply reviews all proposals of the others."),
    "human_window_s": (
        "Seconds for people",
        "So long a round waits for the people who take part. 0: it does not wait.",
    ),
    "blind": ("People vote blind", "They see names and totals once they have cast a ballot of their own."),
    "rule": ("Ballots count by", "quadratic is the rule of sessions with people; others serve comparison."),
    "winner_by": ("Winner by", "class adds up the support of all proposals with the same final answer."),
    "equivalence": ("Same answer", "How two final answers are found to be one."),
    "weight_human": ("Weight of a person", "One ballot of a person counts as so many."),
    "weight_model": ("Weight of an agent", "One ballot of an agent counts as so many."),
    "family_share": ("Families share a vote", "Copies of one model cannot outvote the others."),
    "reliability_weighting": (
        "Weigh by reliability",
        "Agents that were right in outside checks weigh more; agreement teaches nothing.",
    ),
    "min_rounds": ("Rounds at least", "Evidence ends nothing before this round."),
    "max_rounds": ("Rounds at most", "After this round it ends."),
    "effort": ("Effort", "The share of all possible evidence that is enough to stop. More: it goes on for longer."),
    "settled_rounds": ("Settled after", "So many rounds without a new answer end it, if conviction is high."),
    "settled_conviction": ("Settled above", "The conviction that all of these rounds must be over."),
    "preset": ("Law", "Brings the three numbers of the law of effort and fatigue; custom opens them."),
    "p_g": ("p_g", "The chance that one answer is right: where the curve begins."),
    "k": ("k", "How quickly a round helps. 0 or less: no gain is expected, and no session starts."),
    "beta": ("beta", "Fatigue: what a further round costs. 0: every round helps."),
    "force": ("Run without expected gain", "One round is run even where the law expects nothing of it."),
    "max_cost_usd": ("Money cap in US dollars", "With a cap, models without a known price cannot sit. Empty: none."),
    "max_tokens": ("Token cap", "It ends with the round in which so many were used. Empty: none."),
    "max_minutes": ("Time cap in minutes", "It ends with the round in which they are over. Empty: none."),
    "gamma": ("Memory", "What is not taken up again keeps this share of its weight from round to round."),
    "state_tokens": ("Tokens of memory", "So much of what is agreed and disputed the next round sees."),
    "position_chars": ("Characters of a position", "An answer in the memory is cut there."),
    "peer_reasoning_chars": ("Characters of reasoning", "The reasoning of others is cut there for reviewers."),
    "guidance_rounds": ("Guidance holds for", "So many rounds the words of a person stay in the prompts."),
    "final_rule": ("Verdict", "best weighs the winners of all rounds; last takes that of the last round."),
    "veto_quorum": ("People for a veto", "With 2, one person asks and another one confirms; until then it counts."),
}  # fmt: skip


@dataclass(frozen=True)
class Section:
    """The fields of one topic of rule_words. `law`: those that only a preset of `custom` reads."""

    topic: str
    fields: tuple[BoundField, ...]
    law: tuple[BoundField, ...]


class PolicyForm(forms.Form):
    """`base`: the version that the person began with, 0 for a new name. Valid, it has `rules`."""

    rules: Rules
    name = forms.SlugField(
        max_length=60,
        help_text="Letters, digits and hyphens. Sessions and people refer to it.",
        error_messages={
            "required": "Give the policy a name.",
            "invalid": "A name is one word of letters, digits and hyphens, such as careful-two.",
        },
    )
    summary = forms.CharField(
        max_length=200,
        strip=True,
        help_text="One sentence for those who choose.",
        error_messages={"required": "Say in a sentence what the policy is for."},
    )
    base = forms.IntegerField(
        min_value=0,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid", "min_value"), OLD_FORM),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, name: str = "", **given: Any) -> None:
        """`name`: of the policy that gets a new version; without one the form asks for it."""
        super().__init__(data, label_suffix="", **given)
        self.of = name
        if name:
            del self.fields["name"]
        for rule in SAID:
            self.fields[rule] = _field(rule)

    @property
    def sections(self) -> Iterator[Section]:
        """Every rule once, as rule_words groups them."""
        for said in rule_words.in_full(Rules()):
            names = [
                each for name in said.fields for each in ((name, MOST) if name == "panel_size" else (name,))
            ]
            shown = tuple(self[name] for name in names if name not in LAW)
            yield Section(said.topic, shown, tuple(self[name] for name in names if name in LAW))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name in RESERVED:
            raise ValidationError(f"{name} is an address of this site. Choose another name.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        values = self._values(cleaned)
        for rule, value in values.items():
            self._try(rule, partial(CHECKS[rule], rule, value))
        if not any(rule in self.errors for rule in SAID):
            self._try("", partial(self._keep, values))
        return cleaned

    def _values(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The rules as JSON; a number that is none stays the text that was typed, for the rules to refuse."""
        values = {rule: read(rule, cleaned[rule]) for rule in KINDS if rule in cleaned}
        if "panel_size" in values:
            values["panel_size"] = [number(cleaned[each]) for each in ("panel_size", MOST) if each in cleaned]
        if values.get("preset") != "custom":
            values = {rule: value for rule, value in values.items() if rule not in LAW}
        return values

    def _keep(self, values: Mapping[str, Any]) -> None:
        self.rules = Rules.from_json(values)

    def _try(self, rule: str, check: Callable[[], object]) -> None:
        """The rules' own sentence at the field that it begins with, by the field's name on the screen."""
        try:
            check()
        except RulesError as error:
            named = rule or str(error).partition(" ")[0]
            label = "The number of agents" if named == "panel_size" else SAID[named][0]
            self.add_error(named, str(error).replace(named, label, 1))

    def edit(self) -> Edit:
        """What the service is asked for."""
        cleaned = self.cleaned_data
        return Edit(self.of or cleaned["name"], cleaned["summary"], self.rules, base=cleaned["base"])


def _field(rule: str) -> forms.Field:
    label, hint = SAID[rule]
    kind = KINDS.get(rule, "")
    given: dict[str, Any] = {"label": label, "required": False, "help_text": f"{hint} {_range(rule)}".strip()}
    if kind == "bool":
        return forms.BooleanField(**given)
    if kind == "str":
        return _Choice(choices=[(each, _choice_words(rule, each)) for each in options(rule)], **given)
    if rule == "roles":
        return _Text(max_length=2_000, **given)
    return _Text(max_length=NUMBER_CHARS, widget=forms.TextInput(attrs={"inputmode": "decimal"}), **given)


class _Text(forms.CharField):
    """What the database and the trail can keep."""

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not is_text(value):
            raise ValidationError("This holds characters that are no text.")


class _Choice(forms.ChoiceField):
    """What is not among the choices is refused by the rules, in their words."""

    def valid_value(self, value: str) -> bool:
        return True


def allowed(rule: str) -> str:
    """What the rule may be, in the words of its own refusal: "a number from 0 to 1", "one of best, last"."""
    try:
        CHECKS[rule](rule, object())
    except RulesError as error:
        return str(error).partition(" must be ")[2].rpartition(", not ")[0]
    raise AssertionError(f"{rule} takes anything")


def options(rule: str) -> tuple[str, ...]:
    """The words of a rule that is one of several."""
    return tuple(allowed(rule).removeprefix("one of ").split(", "))


def _range(rule: str) -> str:
    """The hint's last sentence, for numbers, which are written as everywhere: 1,000,000."""
    if rule in ("panel_size", MOST):
        return "A whole number from 1 to 100."
    words = allowed(rule)
    if not words.startswith(("a number", "a whole number")):
        return ""
    return re.sub(r"[0-9][0-9.e+]*", lambda found: f"{float(found[0]):,.15g}", f"A{words[1:]}") + "."


def _choice_words(rule: str, option: str) -> str:
    """A preset with its numbers; the kinds of ballots and answers as rule_words has them."""
    if rule == "preset" and option in PRESETS:
        law = PRESETS[option]
        return f"{option}: p_g {law.p_g:g}, k {law.k:g}, beta {law.beta:g}"
    words = {"rule": rule_words.BALLOT_RULES, "equivalence": rule_words.EQUIVALENCE}.get(rule, {})
    return f"{option}: {words[option]}" if option in words else option


def read(rule: str, value: Any) -> Any:
    """What was typed for a rule, as its JSON value."""
    kind = KINDS[rule]
    if kind in ("bool", "str"):
        return value
    if rule == "roles":
        return [name for each in str(value).split(",") if (name := each.strip())]
    return None if value == "" and "None" in kind else number(value)


def number(text: str) -> int | float | str:
    """The number that a text says, else the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def typed(rules: Rules) -> dict[str, Any]:
    """The rules as the form would send them."""
    values = rules.to_json()
    low, high = values.pop("panel_size")
    values |= {"panel_size": low, MOST: high, "roles": ", ".join(values["roles"])}
    sent = {rule: "" if value is None else value for rule, value in values.items()}
    return {rule: str(value) for rule, value in sent.items() if value is not False}
