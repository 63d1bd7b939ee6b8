"""What full-text search reads."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from deliberation.models.sessions import Session


class SearchDocument(models.Model):
    """The words of one text of a session, written once. The text itself stays in its own row.

    `row`: that row's key in its table, 0 for the question. `seat`: whose text it is, in `round`; null for what people
    say from outside the ballots. `about`: the seat that a review, a veto or guidance is about; null: of no one seat.
    """

    class Source(models.TextChoices):
        TASK = "task"
        PROPOSAL = "proposal"
        REVIEW = "review"
        PROPOSAL_VETO = "proposal_veto"
        BALLOT_VETO = "ballot_veto"
        GUIDANCE = "guidance"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="documents")
    source = models.CharField(max_length=16, choices=Source)
    row = models.BigIntegerField()
    round = models.PositiveIntegerField(null=True)
    seat = models.PositiveIntegerField(null=True)
    about = models.PositiveIntegerField(null=True)
    words = SearchVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "source", "row"], name="one_document_a_text")
        ]
        indexes = [GinIndex(fields=["words"], name="document_words")]

    def __str__(self) -> str:
        return f"{self.source} {self.row} of {self.session_id}"


class SessionWords(models.Model):
    """Every word of a session's documents, without places: which sessions hold all of several words, whichever of
    their texts each stands in, is read off this row alone.
    """

    session = models.OneToOneField(Session, on_delete=models.CASCADE, primary_key=True, related_name="+")
    words = SearchVectorField()

    class Meta:
        verbose_name_plural = "session words"
        indexes = [GinIndex(fields=["words"], name="session_words")]

    def __str__(self) -> str:
        return f"words of {self.session_id}"
