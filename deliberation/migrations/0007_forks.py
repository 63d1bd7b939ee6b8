"""A session may be forked from another one after one of its rounds."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliberation", "0006_search")]

    operations = [
        migrations.AddField(
            model_name="session",
            name="parent",
            field=models.ForeignKey(
                help_text="the session that it was forked from, with what was known after parent_round",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="forks",
                to="deliberation.session",
            ),
        ),
        migrations.AddField(
            model_name="session",
            name="parent_round",
            field=models.PositiveIntegerField(help_text="0: its question alone", null=True),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", None), ("parent_round", None))
                | models.Q(("parent__isnull", False), ("parent_round__isnull", False)),
                name="fork_has_round",
            ),
        ),
    ]
