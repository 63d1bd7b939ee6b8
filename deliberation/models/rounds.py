"""What happens in a round: turns, proposals, ballots with their reviews."""

from django.db import models
from django.db.models import Q

from broker.models import Endpoint
from deliberation.models.sessions import Claimable, Participant, Session
from deliberation.models.trail import Blob


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
