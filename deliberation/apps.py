from django.apps import AppConfig

from broker.selectors import secrecy


class DeliberationConfig(AppConfig):
    name = "deliberation"
    verbose_name = "Deliberation"

    def ready(self) -> None:
        secrecy.ask("deliberation.selectors.access.blind_in")
