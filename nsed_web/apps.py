from django.apps import AppConfig, apps
from django.db.models.signals import pre_migrate

from nsed_web import celery, roles


class NsedWebConfig(AppConfig):
    name = "nsed_web"

    def ready(self) -> None:
        """Our Celery application is the current one in every process, so that a task is sent to our
        broker.
        """
        celery.app.set_default()
        pre_migrate.connect(roles.let_the_app_in, sender=apps.get_app_config("deliberation"))
