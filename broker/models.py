"""What the broker knows: where models run, what they cost, how good they are, and what it chose.

Nothing here knows of sessions: a Call and a Selection carry the caller's reference as a plain UUID.
"""

from django.db import models
from django.db.models import F, Q


class Host(models.Model):
    """A machine whose worker consumes the queue `calls.<name>`."""

    name = models.SlugField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class Endpoint(models.Model):
    """A model server. Without a host, its calls go through the shared queue `calls`."""

    class Kind(models.TextChoices):
        OPENAI_COMPATIBLE = "openai_compatible", "OpenAI-compatible server"
        SIMULATED = "simulated", "simulated experts"

    class StructuredOutput(models.TextChoices):
        JSON_SCHEMA = "json_schema", "JSON schema"
        JSON_OBJECT = "json_object", "JSON object"
        NONE = "none", "none"

    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    base_url = models.URLField(
        max_length=500, blank=True, help_text="ends in /v1; empty for simulated experts"
    )
    host = models.ForeignKey(Host, on_delete=models.PROTECT, null=True, blank=True)
    max_concurrency = models.PositiveIntegerField(default=32)
    structured_output = models.CharField(
        max_length=12, choices=StructuredOutput, default=StructuredOutput.JSON_SCHEMA
    )
    key_variable = models.CharField(
        max_length=100, blank=True, help_text="environment variable of the workers that holds the API key"
    )
    sealed_key = models.BinaryField(
        null=True, blank=True, editable=False, help_text="the API key, encrypted together with its host"
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="simulated") | ~Q(base_url=""),
                name="endpoint_has_url",
                violation_error_message="A model server needs a base URL, for example http://127.0.0.1:8000/v1.",
            ),
            models.CheckConstraint(condition=Q(max_concurrency__gte=1), name="endpoint_concurrency_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def simulated(self) -> bool:
        return self.kind == self.Kind.SIMULATED


class Model(models.Model):
    """A language model at an endpoint. One that has sat in a session is retired, never deleted."""

    class State(models.TextChoices):
        ACTIVE = "active"
        RETIRED = "retired"

    alias = models.SlugField(max_length=80, unique=True)
    served_name = models.CharField(max_length=200, help_text="the name that the server knows")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="models")
    family = models.CharField(max_length=60, blank=True, help_text="models of one family share one vote")
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    traits = models.JSONField(
        default=dict, blank=True, help_text="simulated experts: competence, discernment, herding, verbosity"
    )

    def __str__(self) -> str:
        return self.alias


class Price(models.Model):
    """US dollars per million tokens from a moment on. No row, or an empty column, means unknown, never free."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="prices")
    input_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    output_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    valid_from = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "valid_from"], name="one_price_at_a_time"),
            models.CheckConstraint(
                condition=(Q(input_usd__isnull=True) | Q(input_usd__gte=0))
                & (Q(output_usd__isnull=True) | Q(output_usd__gte=0)),
                name="price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} from {self.valid_from:%Y-%m-%d}"


class Competence(models.Model):
    """How often a model was right in a category, by outside checks. `declared` is a claim, not a measurement."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="competences")
    category = models.SlugField(max_length=60, blank=True, help_text="empty: any category")
    right = models.FloatField()
    asked = models.FloatField()
    declared = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["model", "category"], name="one_competence_per_category"),
            models.CheckConstraint(
                condition=Q(asked__gt=0) & Q(right__gte=0) & Q(right__lte=F("asked")), name="right_of_asked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.category or 'any'}: {self.right:g} of {self.asked:g}"


class Selection(models.Model):
    """One decision of the broker: the request and its receipt, both as JSON."""

    request = models.JSONField()
    receipt = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"selection {self.pk}"


class Call(models.Model):
    """One call of a model, whatever came of it. Unknown tokens and cost stay null."""

    reference = models.UUIDField(db_index=True, help_text="the session that asked")
    model = models.ForeignKey(Model, on_delete=models.PROTECT, related_name="calls")
    seat = models.PositiveIntegerField()
    round = models.PositiveIntegerField()
    exchange = models.CharField(max_length=10)
    attempt = models.PositiveIntegerField()
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    queued_ms = models.FloatField(null=True)
    first_token_ms = models.FloatField(null=True)
    latency_ms = models.FloatField(null=True)
    error = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.exchange} r{self.round} seat {self.seat} attempt {self.attempt}"
