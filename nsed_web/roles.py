"""The two roles of the database: the owner changes tables, the app works with their rows."""

from typing import Any

import dj_database_url
from django.conf import settings
from django.db import connections


def let_the_app_in(*, using: str, **_: Any) -> None:
    """Before migrations: what the owner makes from now on, the app may use. Narrower rules (events) are the
    migrations'. Does nothing where one role does both.
    """
    app = dj_database_url.parse(settings.DATABASE_URL)["USER"]
    connection = connections[using]
    if app == connection.settings_dict["USER"]:
        return
    role = connection.ops.quote_name(app)
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}")
        cursor.execute(f"ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO {role}")
