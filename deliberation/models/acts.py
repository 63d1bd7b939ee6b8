"""What people do besides voting: strike, ask to strike, propose, guide, overturn."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from deliberation.models.rounds import Round
from deliberation.models.sessions import Participant, Session


class Veto(models.Model):
    """A person's reasoned exclusion of a proposal or of a ballot; withdrawn, never deleted."""

    class Code(models.TextChoices):
        WRONG = "wrong", "It is wrong"
        UNSAFE = "unsafe", "It is unsafe"
        OFF_TASK = "off_task", "It misses the task"
        MANIPULATION = "manipulation", "It tries to steer the reviewers"
        BAD_FAITH = "bad_faith", "The ballot was not cast in good faith"
        OTHER = "other", "Another reason"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="vetoes")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="vetoes")
    target = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=[("proposal", "proposal"), ("ballot", "ballot")])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=12, choices=Code)
    reason = models.TextField()
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "target", "kind"], name="one_standing_veto", condition=Q(withdrawn_at=None)
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="veto_has_reason"),
        ]

    def __str__(self) -> str:
        return f"veto {self.pk}"


class VetoRequest(models.Model):
    """A veto that one person asks for and that does nothing until another one confirms it; settled, never deleted."""

    class Outcome(models.TextChoices):
        OPEN = ""
        CONFIRMED = "confirmed"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="veto_requests")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="+")
    target = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=[("proposal", "proposal"), ("ballot", "ballot")])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=12, choices=Veto.Code)
    reason = models.TextField()
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "target", "kind"], name="one_open_veto_request", condition=Q(outcome="")
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="veto_request_has_reason"),
            models.CheckConstraint(
                condition=~Q(outcome="confirmed", settled_by=models.F("user")),
                name="second_person_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"veto request {self.pk}"


class Overturn(models.Model):
    """What a person says against a verdict after the end. `stands`: a second one has agreed, or none is asked for."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="overturns")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    stands = models.BooleanField()
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, help_text="a request that was taken back or refused")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session"], name="one_overturn", condition=Q(withdrawn_at=None)),
            models.CheckConstraint(condition=~Q(reason=""), name="overturn_has_reason"),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=models.F("user")),
                name="overturn_confirmed_by_another",
            ),
        ]

    def __str__(self) -> str:
        return f"overturn {self.pk}"


class OwnProposal(models.Model):
    """What a person proposed. `waits`: for the round `for_round` to open; it is made a candidate with it."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="own_proposals")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+")
    answer = models.TextField()
    final_answer = models.TextField(null=True)  # noqa: DJ001  null: an open answer; "" never
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    for_round = models.PositiveIntegerField()
    waits = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "participant", "for_round"],
                name="one_waiting_proposal",
                condition=Q(waits=True),
            )
        ]

    def __str__(self) -> str:
        return f"own proposal {self.pk}"


class Guidance(models.Model):
    """A person's words for the next prompts, to all agents or to one; withdrawn, never deleted."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="guidance")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(Participant, on_delete=models.CASCADE, null=True, related_name="+")
    round = models.PositiveIntegerField(help_text="given in this round; the next one's prompts carry it")
    text = models.TextField()
    key = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="guidance_has_text")]
        verbose_name_plural = "guidance"

    def __str__(self) -> str:
        return f"guidance {self.pk}"
