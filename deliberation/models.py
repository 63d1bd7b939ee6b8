"""The rows of a deliberation. Constraints hold the invariants; the trail (Chain, Event, Blob) holds the facts.

State lives here and nowhere else: Redis only carries wake-ups. Session and Turn are claimed (claims.py).
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from broker.models import Endpoint, Model, Selection


class Policy(models.Model):
    """Named, versioned rules; `sha256` is that of their canonical JSON (protocol.md 1 [P])."""

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    summary = models.CharField(max_length=200)
    rules = models.JSONField()
    sha256 = models.CharField(max_length=64)

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


class Round(models.Model):
    """One round. `outcome` is what close_round() returned, as JSON; null while it is open."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["session", "number"], name="one_round_number")]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"round {self.number}"


class Turn(Claimable):
    """What one participant is asked for in one phase. Settled once; a late second answer is discarded."""

    class Kind(models.TextChoices):
        PROPOSE = "propose"
        REVIEW = "review"

    class State(models.TextChoices):
        OPEN = "open"
        SETTLED = "settled"
        ABSTAINED = "abstained"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="turns")
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="turns")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="turns")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, null=True)
    kind = models.CharField(max_length=8, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(
        max_length=40, blank=True, help_text="why it abstained, or how a person ended it"
    )
    attempts = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    busy_ms = models.FloatField(null=True, help_text="time in model calls, summed over the attempts")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "participant", "kind"], name="one_turn"),
        ]
        indexes = [models.Index(fields=["due_at"], name="turn_due", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"{self.kind} turn of {self.participant_id}"


class Blob(models.Model):
    """Exact bytes of a text. The trail holds SHA-256(salt || bytes), so a text can go and the chain still verifies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="blobs")
    salt = models.BinaryField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def text(self) -> str:
        """For screens: undecodable bytes are shown as replacement characters."""
        return bytes(self.content).decode("utf-8", "replace")


class Proposal(models.Model):
    """An answer in a round. Its number in the protocol is the author's seat."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="proposals")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="proposals")
    answer = models.TextField()
    reasoning = models.TextField(blank=True)
    final_answer = models.TextField(null=True)  # noqa: DJ001  null: an open task; "" never
    claims = models.JSONField(default=list)
    confidence = models.FloatField(null=True)
    notes = models.JSONField(default=list)
    prompt = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    reply = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["round", "participant"], name="one_proposal")]

    def __str__(self) -> str:
        return f"proposal {self.pk}"


class Ballot(models.Model):
    """One version of one voter's weights in a round, keyed by proposal seat. The newest version counts."""

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="ballots")
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="ballots")
    version = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=True)
    weights = models.JSONField()
    missed = models.TextField(blank=True)
    notes = models.JSONField(default=list)
    key = models.UUIDField(
        unique=True, null=True, help_text="made by the browser: the same press counts once"
    )
    prompt = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    reply = models.ForeignKey(Blob, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "participant", "version"], name="one_ballot_version"),
            models.UniqueConstraint(
                fields=["round", "participant"], name="one_current_ballot", condition=Q(current=True)
            ),
        ]

    def __str__(self) -> str:
        return f"ballot {self.pk}"


class Review(models.Model):
    """One reviewer's critique of one proposal."""

    ballot = models.ForeignKey(Ballot, on_delete=models.CASCADE, related_name="reviews")
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="reviews")
    label = models.CharField(max_length=4, help_text="what this reviewer knew the proposal as")
    weight = models.FloatField(null=True)
    justification = models.TextField(blank=True)
    stance = models.CharField(max_length=20, blank=True)
    claims = models.JSONField(default=list)
    categories = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ballot", "proposal"], name="one_review")]

    def __str__(self) -> str:
        return f"review {self.pk}"


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


class Chain(models.Model):
    """A hash chain: one per session (its id) and one for the system. The row is the lock that orders events."""

    id = models.CharField(primary_key=True, max_length=40)
    seq = models.PositiveBigIntegerField(default=0)
    head = models.BinaryField()

    def __str__(self) -> str:
        return self.id


class Event(models.Model):
    """One fact. `body` is exactly the hashed bytes; `data` is a copy of its payload for queries, never hashed."""

    chain = models.ForeignKey(Chain, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField()
    kind = models.CharField(max_length=40)
    actor = models.CharField(max_length=60)
    time = models.DateTimeField()
    data = models.JSONField()
    body = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="one_event_number")]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.seq} {self.kind}"
