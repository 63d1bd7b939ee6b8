"""Where models run: hosts, the servers that a host starts, endpoints with their health, and their readings."""

from django.db import models
from django.db.models import Q


class Host(models.Model):
    """A machine whose worker consumes the queue `calls.<name>`. What it did not report is null."""

    class Mode(models.TextChoices):
        RESIDENT = "resident", "all of its models stay in memory"
        SWAPPED = "swapped", "one of its models is in memory at a time"

    class State(models.TextChoices):
        UNKNOWN = "unknown", "has not reported"
        UP = "up"
        DRAINING = "draining", "finishes its calls and takes no new ones"
        DOWN = "down"

    name = models.SlugField(max_length=60, unique=True)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.RESIDENT)
    total_mb = models.PositiveIntegerField(null=True, blank=True, help_text="video memory in all")
    free_mb = models.PositiveIntegerField(null=True, blank=True, help_text="video memory not in use")
    state = models.CharField(max_length=8, choices=State, default=State.UNKNOWN, editable=False)
    detail = models.CharField(max_length=300, blank=True, editable=False)
    reported_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name


class Endpoint(models.Model):
    """A model server. Without a host, its calls go through the shared queue `calls`.

    healthy: null where it was never looked at. Its breaker is open where it is False: nothing is to be asked of it
    but, from `retry_at` on, one check. `failures` counts failed calls and checks in a row.
    """

    class Kind(models.TextChoices):
        OPENAI_COMPATIBLE = "openai_compatible", "OpenAI-compatible server"
        SIMULATED = "simulated", "simulated experts"

    class StructuredOutput(models.TextChoices):
        JSON_SCHEMA = "json_schema", "JSON schema"
        JSON_OBJECT = "json_object", "JSON object"
        NONE = "none", "none"

    name = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    base_url = models.CharField(
        max_length=500, blank=True, help_text="ends in /v1; empty for simulated experts"
    )
    host = models.ForeignKey(Host, on_delete=models.PROTECT, null=True, blank=True)
    max_concurrency = models.PositiveIntegerField(default=32)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="empty: no limit")
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="empty: no limit")
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

    healthy = models.BooleanField(null=True, blank=True, editable=False)
    healthy_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when `healthy` last changed"
    )
    checked_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when its health was last learnt of"
    )
    check_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when its next check is due; null: now"
    )
    read_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="when a worker last took it to read it"
    )
    has_metrics = models.BooleanField(
        null=True, blank=True, editable=False, help_text="null: it was not yet asked for /metrics"
    )
    failure = models.CharField(
        max_length=40, blank=True, editable=False, help_text="code of the newest failure"
    )
    failure_detail = models.CharField(max_length=300, blank=True, editable=False)
    failed_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    open_s = models.PositiveIntegerField(
        default=0, editable=False, help_text="for how long the breaker last opened"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="simulated") | ~Q(base_url=""),
                name="endpoint_has_url",
                violation_error_message="A model server needs a base URL, for example http://127.0.0.1:8000/v1.",
            ),
            models.CheckConstraint(
                condition=Q(max_concurrency__gte=1),
                name="endpoint_concurrency_positive",
                violation_error_message="Calls at once: 1 at least. To stop all calls, switch the endpoint off.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def simulated(self) -> bool:
        return self.kind == self.Kind.SIMULATED


class Server(models.Model):
    """A `vllm serve` process that the worker of a host starts and keeps up; its endpoint says where it listens."""

    class State(models.TextChoices):
        STOPPED = "stopped"
        STARTING = "starting"
        UP = "up"
        FAILED = "failed", "ended; it is started again after a pause"

    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="servers")
    endpoint = models.OneToOneField(Endpoint, on_delete=models.CASCADE, related_name="server")
    model_path = models.CharField(max_length=300, help_text="a folder, or a name on a model hub")
    revision = models.CharField(max_length=100, blank=True)
    dtype = models.CharField(max_length=20, default="auto")
    max_model_len = models.PositiveIntegerField(
        null=True, blank=True, help_text="tokens; empty: the model's own"
    )
    gpu_memory_share = models.FloatField(default=0.9, help_text="of the card's memory, from 0 to 1")
    extra_args = models.JSONField(default=list, blank=True, help_text="a list of further arguments")
    environment = models.JSONField(
        default=dict, blank=True, help_text="further environment variables; no secrets"
    )
    port = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.STOPPED, editable=False)
    restarts = models.PositiveIntegerField(default=0, editable=False)
    detail = models.CharField(max_length=300, blank=True, editable=False)
    reported_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "port"], name="one_server_a_port"),
            models.CheckConstraint(
                condition=Q(gpu_memory_share__gt=0, gpu_memory_share__lte=1),
                name="gpu_share_is_a_share",
                violation_error_message="Share of the card's memory: above 0 and at most 1.",
            ),
            models.CheckConstraint(
                condition=Q(port__gte=1, port__lte=65535),
                name="server_port_is_a_port",
                violation_error_message="Port: a number from 1 to 65535.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_path} on {self.host_id}:{self.port}"


class Telemetry(models.Model):
    """One reading of an endpoint, of one of its models where the server tells them apart. What is unknown is null.

    Times in ms, over what was answered in the last minute or so (settings.NSED.telemetry_window_s), as the server
    (source `metrics`) or our own calls (source `calls`) tell them. Of our own calls, running and waiting are the most
    at once in that time, and nothing is known of the server's KV cache.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="readings")
    served_name = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=7, choices=[("metrics", "metrics"), ("calls", "calls")])
    read_at = models.DateTimeField()
    running = models.PositiveIntegerField(null=True)
    waiting = models.PositiveIntegerField(null=True)
    kv_cache_share = models.FloatField(null=True)
    preemptions = models.PositiveIntegerField(null=True, help_text="in that time")
    finished = models.PositiveIntegerField(null=True, help_text="requests answered in that time")
    ttft_p50_ms = models.FloatField(null=True)
    ttft_p95_ms = models.FloatField(null=True)
    e2e_p50_ms = models.FloatField(null=True)
    e2e_p95_ms = models.FloatField(null=True)
    queue_p50_ms = models.FloatField(null=True)
    queue_p95_ms = models.FloatField(null=True)
    totals = models.JSONField(
        default=dict, help_text="the counters as read, for the differences of later readings"
    )

    class Meta:
        indexes = [models.Index(fields=["endpoint", "-read_at"], name="telemetry_newest")]
        verbose_name_plural = "telemetry"

    def __str__(self) -> str:
        return f"{self.endpoint_id} at {self.read_at:%H:%M:%S}"
