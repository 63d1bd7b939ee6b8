"""Reasons of vetoes and guidance can be found."""

from importlib import import_module

from django.db import migrations, models

SEARCH = import_module("deliberation.migrations.0006_search")
JOIN = (
    "INSERT INTO deliberation_sessionwords AS known (session_id, words)"
    " SELECT session_id, deliberation_all_words(words) FROM deliberation_searchdocument"
    " WHERE source IN ('proposal_veto', 'ballot_veto', 'guidance') GROUP BY session_id"
    " ON CONFLICT (session_id) DO UPDATE SET words = deliberation_join_words(known.words, EXCLUDED.words)"
)


def fill(apps, schema_editor):
    """Those that are there already."""
    with schema_editor.connection.cursor() as cursor:
        for found in (vetoes(apps), guidance(apps)):
            for session, source, row, place, text in found:
                plain = SEARCH.plain_words(text)
                cursor.execute(SEARCH.INSERT, [session, source, row, *place, plain, plain, "C"])
        cursor.execute(JOIN)


def vetoes(apps):
    rows = apps.get_model("deliberation", "Veto").objects.select_related("round", "target")
    for each in rows.iterator():
        place = (each.round.number, None, each.target.seat)
        yield each.session_id, f"{each.kind}_veto", each.pk, place, each.reason


def guidance(apps):
    rows = apps.get_model("deliberation", "Guidance").objects.select_related("to")
    for each in rows.iterator():
        place = (each.round, None, each.to.seat if each.to else None)
        yield each.session_id, "guidance", each.pk, place, each.text


class Migration(migrations.Migration):
    dependencies = [("deliberation", "0009_opened_once")]

    operations = [
        migrations.AlterField(
            model_name="searchdocument",
            name="source",
            field=models.CharField(
                choices=[
                    ("task", "Task"),
                    ("proposal", "Proposal"),
                    ("review", "Review"),
                    ("proposal_veto", "Proposal Veto"),
                    ("ballot_veto", "Ballot Veto"),
                    ("guidance", "Guidance"),
                ],
                max_length=16,
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
