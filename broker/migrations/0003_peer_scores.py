import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("broker", "0002_broker_at_work")]

    operations = [
        migrations.CreateModel(
            name="PeerScore",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("question", models.CharField(help_text="SHA-256 of the question", max_length=64)),
                ("reference", models.UUIDField(help_text="the session it comes from")),
                ("weight", models.FloatField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores_received",
                        to="broker.model",
                    ),
                ),
                (
                    "voter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="scores_given",
                        to="broker.model",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reference", "question", "voter", "author"), name="one_score_an_answer"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("voter", models.F("author")), _negated=True),
                        name="nobody_scores_themselves",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__gte", -100), ("weight__lte", 100)),
                        name="score_in_credits",
                    ),
                ],
            },
        ),
    ]
