"""A form that is sent twice opens one session."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("deliberation", "0008_people_acts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="opening_key",
            field=models.UUIDField(help_text="of the form that opened it; null: no form did", null=True),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(fields=("owner", "opening_key"), name="one_session_a_form"),
        ),
    ]
