from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("broker", "0004_change_told")]

    operations = [
        migrations.AlterField(
            model_name="selection",
            name="kind",
            field=models.CharField(
                choices=[
                    ("start", "a session's panel"),
                    ("replacement", "a seat that fell out"),
                    ("smoke", "a smoke test"),
                ],
                default="start",
                max_length=11,
            ),
        ),
    ]
