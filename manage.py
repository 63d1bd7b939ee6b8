#!/usr/bin/env python
"""The command line: the embedded servers where a command needs them, then Django."""

import os
import sys

from django.core.management import execute_from_command_line

from nsed_web import services


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nsed_web.settings")
    try:
        services.prepare(sys.argv[1:])
        execute_from_command_line(sys.argv)
    except services.FAILURES as error:
        sys.exit(f"{error}\nWhat is wrong, and what mends it: python manage.py doctor")


if __name__ == "__main__":
    main()
