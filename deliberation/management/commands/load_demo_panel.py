from typing import Any

from django.core.management.base import BaseCommand

from broker.inference.simulated import DEMO_PANEL
from broker.services.panels import load_simulated_panel
from deliberation.services.policies import load_built_in


class Command(BaseCommand):
    help = (
        "Registers the simulated experts and publishes the policies fast, standard and thorough. Repeatable."
    )

    def handle(self, *args: Any, verbosity: int = 1, **options: Any) -> None:
        new = load_simulated_panel(DEMO_PANEL)
        policies = load_built_in()
        if verbosity:
            names = ", ".join(policy.name for policy in policies)
            self.stdout.write(f"{new} new simulated experts; policies {names}")
