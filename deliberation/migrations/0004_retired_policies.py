import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("deliberation", "0003_replacements")]

    operations = [
        migrations.AddField(
            model_name="policy",
            name="retired_at",
            field=models.DateTimeField(
                blank=True, help_text="null: new sessions may be opened", null=True
            ),
        ),
        migrations.AlterField(
            model_name="blob",
            name="session",
            field=models.ForeignKey(
                help_text="null: the system's",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="blobs",
                to="deliberation.session",
            ),
        ),
    ]
