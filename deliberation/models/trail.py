"""The trail: chains of events, and the exact bytes of texts."""

import uuid

from django.db import models

from deliberation.models.sessions import Session


class Blob(models.Model):
    """Exact bytes of a text. The trail holds SHA-256(salt || bytes), so a text can go and the chain still verifies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, null=True, related_name="blobs", help_text="null: the system's"
    )
    salt = models.BinaryField()
    content = models.BinaryField()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def text(self) -> str:
        """For screens: undecodable bytes are shown as replacement characters."""
        return bytes(self.content).decode("utf-8", "replace")


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
        indexes = [models.Index(fields=["kind", "chain"], name="event_kind")]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.chain_id} {self.seq} {self.kind}"
