from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("broker", "0003_peer_scores"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="change",
            name="ids",
            field=models.JSONField(
                default=dict, help_text="numbers of the rows it is about: {model: 3, endpoint: 1}"
            ),
        ),
        migrations.AddField(
            model_name="change",
            name="told_at",
            field=models.DateTimeField(help_text="when the audit trail took it up; null: not yet", null=True),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(condition=models.Q(("told_at", None)), fields=["id"], name="change_untold"),
        ),
    ]
