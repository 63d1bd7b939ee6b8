"""Which models exist, the roles they can be asked to play, and who changed what."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from broker.models.fleet import Endpoint


class Model(models.Model):
    """A language model at an endpoint. One that has sat in a session is retired, never deleted.

    It is benched while `benched_until` lies ahead: after failures, for `bench_min` minutes, longer each time; by a
    person where `bench_min` is 0.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "being set up; never seated"
        SHADOW = "shadow", "probed and weighed in receipts; never seated"
        ACTIVE = "active"
        RETIRED = "retired", "kept for the sessions it sat in; never seated again"

    alias = models.SlugField(max_length=80, unique=True)
    served_name = models.CharField(max_length=200, help_text="the name that the server knows")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="models")
    family = models.CharField(max_length=60, blank=True, help_text="models of one family share one vote")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    size_b = models.FloatField(null=True, blank=True, help_text="parameters in billions; empty: unknown")
    vram_mb = models.PositiveIntegerField(
        null=True, blank=True, help_text="video memory it needs; empty: unknown"
    )
    context_tokens = models.PositiveIntegerField(null=True, blank=True, help_text="empty: unknown")
    tags = models.JSONField(default=list, blank=True, help_text="what it can do: code, math, vision, ...")
    traits = models.JSONField(
        default=dict, blank=True, help_text="simulated experts: competence, discernment, herding, verbosity"
    )
    benched_until = models.DateTimeField(null=True, blank=True, editable=False)
    bench_min = models.PositiveIntegerField(default=0, editable=False)
    bench_reason = models.CharField(max_length=300, blank=True, editable=False)

    def __str__(self) -> str:
        return self.alias

    @property
    def is_benched(self) -> bool:
        return self.benched_until is not None and self.benched_until > timezone.now()


class Role(models.Model):
    """A functional role with its persona. Versions stay: a changed role is a new row, and the newest counts."""

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    summary = models.CharField(max_length=200, blank=True)
    persona = models.TextField(blank=True, help_text="what the model is told of its perspective")
    tags = models.JSONField(default=list, blank=True, help_text="a model needs all of them to play it")
    minimum = models.PositiveIntegerField(
        default=0, help_text="so many of a panel, where a policy asks for it"
    )
    maximum = models.PositiveIntegerField(null=True, blank=True)
    floor_points = models.FloatField(
        null=True, blank=True, help_text="how far below the best candidate's accuracy it may be, in points"
    )
    retired = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="one_role_version"),
            models.CheckConstraint(
                condition=Q(maximum=None) | Q(maximum__gte=models.F("minimum")),
                name="role_minimum_to_maximum",
                violation_error_message="At most: not less than at least.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Change(models.Model):
    """Who changed what in the registry, and when. Written with the change, never altered but for `told_at`."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        help_text="null: the system",
    )
    kind = models.CharField(max_length=20, help_text="host, endpoint, server, model, price, role")
    subject = models.CharField(max_length=100, help_text="the name of what was changed")
    action = models.CharField(max_length=30, help_text="added, changed, retired, benched, key set, ...")
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    note = models.CharField(max_length=300, blank=True)
    ids = models.JSONField(default=dict, help_text="numbers of the rows it is about: {model: 3, endpoint: 1}")
    told_at = models.DateTimeField(null=True, help_text="when the audit trail took it up; null: not yet")

    class Meta:
        indexes = [
            models.Index(fields=["kind", "subject", "-at"], name="change_of_subject"),
            models.Index(fields=["id"], name="change_untold", condition=Q(told_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.action}"


class SmokeTest(models.Model):
    """One run of the three steps (chat, schema, deliberation) on a model: how each ended, and why."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="smoke_tests")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    steps = models.JSONField(default=list, help_text="[{step, passed, detail, latency_ms}]")

    def __str__(self) -> str:
        return f"smoke test {self.pk} of {self.model_id}"
