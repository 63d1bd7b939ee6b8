"""A session, its policy, and who sits in it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from broker.models import Model, Selection


class Policy(models.Model):
    """Named, versioned rules; `sha256` is that of their canonical JSON (protocol.md 1 [P]).

    A name is retired or in use with all of its versions.
    """

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    summary = models.CharField(max_length=200)
    rules = models.JSONField()
    sha256 = models.CharField(max_length=64)
    retired_at = models.DateTimeField(null=True, blank=True, help_text="null: new sessions may be opened")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "version"], name="one_policy_version")]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Claimable(models.Model):
    """A row that one worker at a time works on: see claims.py. `leased_until` is null when nobody holds it."""

    epoch = models.PositiveBigIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Session(Claimable):
    """One deliberation on one task, ending in one verdict. Its rules are a copy: old sessions re-compute exactly."""

    class State(models.TextChoices):
        DRAFT = "draft"
        STAFFING = "staffing"
        PROPOSING = "proposing"
        REVIEWING = "reviewing"
        HOLDING = "holding"
        TALLYING = "tallying"
        CONCLUDED = "concluded"
        FAILED = "failed"

    ENDED = (State.CONCLUDED, State.FAILED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.TextField()
    category = models.SlugField(max_length=60, blank=True)
    known_answer = models.TextField(
        blank=True, help_text="the right answer, kept from the agents; empty: unknown"
    )
    ruling = models.CharField(
        max_length=5,
        blank=True,
        choices=[("right", "right"), ("wrong", "wrong")],
        help_text="a person's, on the verdict",
    )
    ruled_answer = models.TextField(blank=True, help_text="the right answer, where the ruling says it")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="sessions"
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        related_name="forks",
        help_text="the session that it was forked from, with what was known after parent_round",
    )
    parent_round = models.PositiveIntegerField(null=True, help_text="0: its question alone")
    opening_key = models.UUIDField(null=True, help_text="of the form that opened it; null: no form did")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT)
    rules = models.JSONField()
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    round = models.PositiveIntegerField(default=0)
    seed = models.BigIntegerField(null=True)
    secret = models.BinaryField()
    paused_at = models.DateTimeField(null=True)
    stop_requested_at = models.DateTimeField(null=True)
    hold_until = models.DateTimeField(null=True)
    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, null=True)
    stop_reason = models.CharField(max_length=30, blank=True)
    failure = models.CharField(max_length=30, blank=True)
    failure_detail = models.TextField(blank=True)
    replaced_phase = models.PositiveIntegerField(
        default=0, help_text="the newest phase before which lost agents were looked at (protocol.phases)"
    )
    replacing_since = models.DateTimeField(null=True, help_text="when a replacement was asked of the solver")
    crashes = models.PositiveIntegerField(default=0, help_text="steps that ended in a fault of our own")
    verdict = models.JSONField(null=True)
    trail_hash = models.CharField(max_length=64, blank=True, help_text="the chain's head before the verdict")
    created_at = models.DateTimeField(auto_now_add=True)
    concluded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="concluded") | Q(verdict__isnull=False, concluded_at__isnull=False),
                name="concluded_has_verdict",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(failure=""), name="failed_has_reason"),
            models.CheckConstraint(
                condition=Q(parent=None, parent_round=None)
                | Q(parent__isnull=False, parent_round__isnull=False),
                name="fork_has_round",
            ),
            models.UniqueConstraint(fields=["owner", "opening_key"], name="one_session_a_form"),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="session_newest"),
            models.Index(
                fields=["due_at"],
                name="session_due",
                condition=~Q(state__in=["draft", "concluded", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def ended(self) -> bool:
        return self.state in self.ENDED


class Participant(models.Model):
    """A numbered seat: a model bound to a role, or a person. Both use the same ballot, rules and records."""

    class Kind(models.TextChoices):
        MODEL = "model"
        HUMAN = "human"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="participants")
    seat = models.PositiveIntegerField()
    kind = models.CharField(max_length=5, choices=Kind)
    model = models.ForeignKey(Model, on_delete=models.PROTECT, null=True, related_name="seats")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="seats"
    )
    family = models.CharField(max_length=60, blank=True)
    role = models.CharField(max_length=60, blank=True)
    persona = models.TextField(blank=True, help_text="as the role's version had it when it was seated")
    joined_phase = models.PositiveIntegerField(
        default=0, help_text="an agent in place of another: from this phase on (protocol.phases)"
    )
    left_phase = models.PositiveIntegerField(
        null=True, help_text="an agent that was replaced: no more from here"
    )
    reason = models.TextField(blank=True, help_text="why the broker chose it")
    simulated = models.BooleanField(default=False)
    asked = models.BooleanField(default=False, help_text="a person whom the hold waits for")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "seat"], name="one_seat_number"),
            models.UniqueConstraint(
                fields=["session", "user"], name="one_person_one_seat", condition=Q(user__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(kind="model", model__isnull=False, user__isnull=True)
                | Q(kind="human", model__isnull=True, user__isnull=False),
                name="seat_is_model_or_person",
            ),
        ]

    def __str__(self) -> str:
        return f"seat {self.seat}"

    @property
    def name(self) -> str:
        return self.model.alias if self.model else (self.user.get_full_name() or self.user.get_username())


class Invitation(models.Model):
    """A colleague asked to take part, by user name or by a link whose token is only stored hashed."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="invitations")
    name = models.CharField(max_length=150)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="invitations"
    )
    token_sha256 = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "user"], name="one_invitation", condition=Q(user__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} to {self.session_id}"
