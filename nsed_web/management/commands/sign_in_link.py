"""manage.py sign_in_link USERNAME: a new one-time link."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from nsed_web import links


class Command(BaseCommand):
    help = "Prints a link that signs USERNAME in, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username, is_active=True).first()
        if user is None:
            raise CommandError(f"no active user is called {username!r}")
        self.stdout.write(links.sign_in_link(user, address=links.site_address()))
