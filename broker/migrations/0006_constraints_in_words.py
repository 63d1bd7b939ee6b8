from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """What is said where a row breaks one: nothing changes in the database."""

    dependencies = [("broker", "0005_smoke_selections")]

    operations = [
        migrations.AlterConstraint(
            model_name="endpoint",
            name="endpoint_concurrency_positive",
            constraint=models.CheckConstraint(
                condition=Q(max_concurrency__gte=1),
                name="endpoint_concurrency_positive",
                violation_error_message="Calls at once: 1 at least. To stop all calls, switch the endpoint off.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="price",
            name="price_not_negative",
            constraint=models.CheckConstraint(
                condition=(Q(input_usd__isnull=True) | Q(input_usd__gte=0))
                & (Q(output_usd__isnull=True) | Q(output_usd__gte=0)),
                name="price_not_negative",
                violation_error_message="A price is not below 0. 0 is free; leave it empty where it is unknown.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="role",
            name="role_minimum_to_maximum",
            constraint=models.CheckConstraint(
                condition=Q(maximum=None) | Q(maximum__gte=F("minimum")),
                name="role_minimum_to_maximum",
                violation_error_message="At most: not less than at least.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="server",
            name="gpu_share_is_a_share",
            constraint=models.CheckConstraint(
                condition=Q(gpu_memory_share__gt=0, gpu_memory_share__lte=1),
                name="gpu_share_is_a_share",
                violation_error_message="Share of the card's memory: above 0 and at most 1.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="server",
            name="server_port_is_a_port",
            constraint=models.CheckConstraint(
                condition=Q(port__gte=1, port__lte=65535),
                name="server_port_is_a_port",
                violation_error_message="Port: a number from 1 to 65535.",
            ),
        ),
    ]
