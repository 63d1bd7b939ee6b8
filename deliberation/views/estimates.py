"""What a session would take and who would sit, beside each policy of the form that opens one. The solver's queue works
it out.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from broker import solving
from broker.solving import Question
from deliberation.forms_new import EstimateForm, NewForm
from deliberation.models import Policy
from deliberation.protocol.types import Rules, RulesError
from deliberation.selectors import policies
from deliberation.selectors.policies import Estimate
from deliberation.staffing import Draft

FORESEE = "deliberation.tasks.foresee"


@dataclass(frozen=True)
class Asked:
    """What the form says that an estimate depends on. page: each page asks anew, since the fleet changes."""

    category: str
    task_chars: int
    rules: Mapping[str, Any]
    panel: Sequence[int]
    take_part: bool
    page: UUID = field(default_factory=uuid4)

    @classmethod
    def of(cls, form: NewForm) -> "Asked":
        values = {name: form[name].value() for name in EstimateForm.base_fields if name in form.fields}
        return cls.read(EstimateForm({**values, "task_chars": len(str(form["task"].value() or ""))}))

    @classmethod
    def read(cls, form: EstimateForm, **given: Any) -> "Asked":
        known = form.known()
        return cls(
            category=known.get("category", ""),
            task_chars=known.get("task_chars") or 0,
            rules=form.rules(),
            panel=form.named(),
            take_part=known.get("take_part", False),
            **given,
        )

    def draft(self, policy: Policy) -> Draft:
        return Draft(policy.pk, self.category, self.task_chars, self.rules, self.panel)


@dataclass(frozen=True)
class Foreseen:
    """estimate: None while it is worked out, for ever if `is_given_up`. seated: the receipt's lines of those who would
    sit; left_out: that of the best of the others. is_kept: their names are not told to who votes blind there.
    """

    estimate: Estimate | None
    is_given_up: bool
    seated: Sequence[Mapping[str, Any]] = ()
    left_out: Mapping[str, Any] | None = None
    is_kept: bool = False


def foreseen(of: Sequence[Policy], asked: Asked) -> list[Foreseen]:
    """For each policy, what is known after a moment."""
    looks = solving.look([_question(policy, asked) for policy in of])
    known = policies.past() if any(look.answer for look in looks) and not asked.rules else {}
    return [
        _foreseen(policy, asked, look.answer, known=known)
        if look.answer
        else Foreseen(None, look.is_given_up)
        for policy, look in zip(of, looks, strict=True)
    ]


def _question(policy: Policy, asked: Asked) -> Question:
    draft = asdict(asked.draft(policy))
    digest = hashlib.sha256(json.dumps(draft, sort_keys=True).encode()).hexdigest()[:16]
    return Question(f"estimate/{asked.page}/{policy.pk}/{digest}", FORESEE, (draft,))


def _foreseen(policy: Policy, asked: Asked, answer: Mapping[str, Any], *, known: policies.Known) -> Foreseen:
    rules = _rules(policy, asked.rules)
    changed = Policy(pk=policy.pk, rules=rules.to_json())
    estimate = policies.estimate(changed, answer, known=known, task_chars=asked.task_chars)
    is_kept = rules.blind and asked.take_part
    return Foreseen(estimate, False, answer["candidates"], answer["best_left_out"], is_kept)


def _rules(policy: Policy, changes: Mapping[str, Any]) -> Rules:
    """The policy's own where the changes contradict them: the answer says so."""
    try:
        return Rules.from_json({**policy.rules, **changes})
    except RulesError:
        return Rules.from_json(policy.rules)


def refusal(policy: Policy, asked: Asked) -> str | None:
    """Why nobody would sit, where that is known after a moment."""
    (found,) = foreseen([policy], asked)
    return found.estimate.refusal if found.estimate else None


@require_safe
def estimate(request: HttpRequest, policy_id: int, page: UUID) -> HttpResponse:
    """The part of one policy, for a page that waits for it, or whose form has changed; 204 while nothing is known."""
    policy = get_object_or_404(Policy, pk=policy_id)
    asked = Asked.read(EstimateForm(request.GET), page=page)
    (found,) = foreseen([policy], asked)
    if found.estimate is None and not found.is_given_up and "again" in request.GET:
        return HttpResponse(status=204)
    context = {"policy": policy, "foreseen": found, "asked": asked}
    return render(request, "deliberation/_estimate.html", context)
