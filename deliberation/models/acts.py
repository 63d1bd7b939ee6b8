"""What people do besides voting: strike and guide."""

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

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "target", "kind"], name="one_standing_veto", condition=Q(withdrawn_at=None)
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="veto_has_reason"),
        ]

    def __str__(self) -> str:
        return f"veto {self.pk}"


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
