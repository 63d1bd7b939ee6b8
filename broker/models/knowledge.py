"""How good models are, by outside checks, and what the broker chose."""

from django.db import models
from django.db.models import F, Q

from broker.models.registry import Model


class Check(models.Model):
    """One outside check of one answer of a model: a known answer, a test run or a person's ruling. Never a peer's vote.

    question: what tells equal questions apart; answer: the answer's key, so that equal wrong answers are seen as such.
    """

    class Source(models.TextChoices):
        KNOWN_ANSWER = "known_answer", "a known answer"
        TEST_RUN = "test_run", "a test run"
        RULING = "ruling", "a person's ruling"
        IMPORT = "import", "imported results"

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="checks")
    category = models.SlugField(max_length=60, blank=True)
    question = models.CharField(max_length=64, help_text="SHA-256 of the question")
    answer = models.CharField(
        max_length=64, blank=True, help_text="SHA-256 of the answer's key; empty: unknown"
    )
    right = models.BooleanField()
    source = models.CharField(max_length=12, choices=Source)
    reference = models.UUIDField(null=True, help_text="the session it comes from")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model", "question", "reference"], name="one_check_an_answer", nulls_distinct=False
            )
        ]
        indexes = [models.Index(fields=["category", "question"], name="check_scenario")]

    def __str__(self) -> str:
        return f"{self.model_id}: {'right' if self.right else 'wrong'}"


class PeerScore(models.Model):
    """What one model's ballot gave to another's answer, where both answers were checked. It says nothing of how good
    either is: it tells how a panel of them would have decided.
    """

    voter = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="scores_given")
    author = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="scores_received")
    question = models.CharField(max_length=64, help_text="SHA-256 of the question")
    reference = models.UUIDField(help_text="the session it comes from")
    weight = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "question", "voter", "author"], name="one_score_an_answer"
            ),
            models.CheckConstraint(condition=~Q(voter=F("author")), name="nobody_scores_themselves"),
            models.CheckConstraint(condition=Q(weight__gte=-100, weight__lte=100), name="score_in_credits"),
        ]

    def __str__(self) -> str:
        return f"{self.voter_id} of {self.author_id}: {self.weight:+g}"


class Competence(models.Model):
    """How often a model was right in a category, by outside checks. `declared` is a claim, not a measurement: the first
    check takes its place, and what was claimed is kept as the belief to begin with.
    """

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="competences")
    category = models.SlugField(max_length=60, blank=True, help_text="empty: all categories together")
    right = models.FloatField()
    asked = models.FloatField()
    declared = models.BooleanField(default=False)
    claimed = models.FloatField(
        null=True, blank=True, help_text="the share right that was claimed before the first check; null: none"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "category"], name="one_competence_per_category"),
            models.CheckConstraint(
                condition=Q(asked__gt=0) & Q(right__gte=0) & Q(right__lte=F("asked")), name="right_of_asked"
            ),
            models.CheckConstraint(
                condition=Q(claimed=None) | Q(claimed__gte=0, claimed__lte=1), name="claim_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.category or 'any'}: {self.right:g} of {self.asked:g}"


class Selection(models.Model):
    """One decision of the broker: the request and its receipt, both as JSON."""

    class Kind(models.TextChoices):
        START = "start", "a session's panel"
        REPLACEMENT = "replacement", "a seat that fell out"
        SMOKE = "smoke", "a smoke test"

    kind = models.CharField(max_length=11, choices=Kind, default=Kind.START)
    reference = models.UUIDField(null=True, db_index=True, help_text="the session it was made for")
    category = models.SlugField(max_length=60, blank=True)
    group = models.CharField(
        max_length=130, blank=True, help_text="selections that follow each other: of one policy and category"
    )
    note = models.CharField(
        max_length=300, blank=True, help_text="what was decided before the question was put"
    )
    request = models.JSONField()
    receipt = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at"], name="selection_newest"),
            models.Index(fields=["group", "-created_at"], name="selection_of_group"),
        ]

    def __str__(self) -> str:
        return f"selection {self.pk}"
