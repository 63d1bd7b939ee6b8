import re
import unicodedata

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

CHARS = 50_000
ACCENT = re.compile("[\u0300-\u036f]")
UNSPACED = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff])")
NOT_WORD = re.compile(r"[\W_]+")
INSERT = (
    'INSERT INTO deliberation_searchdocument (session_id, source, "row", round, seat, about, words)'
    " VALUES (%s, %s, %s, %s, %s, %s, setweight(to_tsvector('simple', %s) || to_tsvector('english', %s), %s::\"char\"))"
)

# A session with more words than a tsvector holds keeps those that it has: no text of it is refused.
FUNCTIONS = """
CREATE FUNCTION deliberation_join_words(known tsvector, more tsvector) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN strip(known || more);
EXCEPTION WHEN program_limit_exceeded THEN
    RETURN known;
END $$;
CREATE AGGREGATE deliberation_all_words(tsvector) (
    SFUNC = deliberation_join_words, STYPE = tsvector, INITCOND = ''
);
"""
NO_FUNCTIONS = """
DROP AGGREGATE deliberation_all_words(tsvector);
DROP FUNCTION deliberation_join_words(tsvector, tsvector);
"""
JOIN = (
    "INSERT INTO deliberation_sessionwords (session_id, words)"
    " SELECT session_id, deliberation_all_words(words) FROM deliberation_searchdocument GROUP BY session_id"
)


def fill(apps, schema_editor):
    """The texts that are there already."""
    with schema_editor.connection.cursor() as cursor:
        for found in (tasks(apps), proposals(apps), reviews(apps)):
            for session, source, row, place, text, weight in found:
                plain = plain_words(text)
                cursor.execute(INSERT, [session, source, row, *place, plain, plain, weight])
        cursor.execute(JOIN)


def plain_words(text):
    folded = ACCENT.sub("", unicodedata.normalize("NFKD", text[:CHARS]).casefold())
    return NOT_WORD.sub(" ", UNSPACED.sub(r" \1 ", folded)).strip()[:CHARS]


def tasks(apps):
    for each in apps.get_model("deliberation", "Session").objects.only("task").iterator():
        yield each.pk, "task", 0, (None, None, None), each.task, "A"


def proposals(apps):
    rows = apps.get_model("deliberation", "Proposal").objects.select_related("round", "participant")
    for each in rows.iterator():
        claims = [claim["text"] for claim in each.claims]
        text = "\n".join(part for part in (each.final_answer, each.answer, each.reasoning, *claims) if part)
        place = (each.round.number, each.participant.seat, None)
        yield each.round.session_id, "proposal", each.pk, place, text, "B"


def reviews(apps):
    rows = apps.get_model("deliberation", "Review").objects
    for each in rows.select_related("ballot__round", "ballot__participant", "proposal__participant").iterator():
        text = "\n".join([each.justification, *(claim["reason"] or "" for claim in each.claims)])
        place = (each.ballot.round.number, each.ballot.participant.seat, each.proposal.participant.seat)
        yield each.ballot.round.session_id, "review", each.pk, place, text, "C"


class Migration(migrations.Migration):
    dependencies = [("deliberation", "0004_retired_policies")]

    operations = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        choices=[("task", "Task"), ("proposal", "Proposal"), ("review", "Review")], max_length=8
                    ),
                ),
                ("row", models.BigIntegerField()),
                ("round", models.PositiveIntegerField(null=True)),
                ("seat", models.PositiveIntegerField(null=True)),
                ("about", models.PositiveIntegerField(null=True)),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="documents",
                        to="deliberation.session",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("session", "source", "row"), name="one_document_a_text")
                ],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="document_words")
                ],
            },
        ),
        migrations.CreateModel(
            name="SessionWords",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="deliberation.session",
                    ),
                ),
                ("words", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={
                "verbose_name_plural": "session words",
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["words"], name="session_words")],
            },
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.AddIndex(
            model_name="event", index=models.Index(fields=["kind", "chain"], name="event_kind")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
