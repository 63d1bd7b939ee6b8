"""The site's settings, on servers, a database and a Redis number that are the tests' own.

Nothing of the environment that names a server is heeded: tests create and drop databases. Each process of
pytest holds a slot (tests/slots.py), so that processes, and whole runs, stand beside each other.
"""

import os

from nsed_web import state

for name in ("SECRET_KEY", "NSED_KEY_ENCRYPTION_KEY", "NSED_PUBLIC_URL", "NSED_DEBUG", "NSED_AS_OWNER"):
    os.environ.pop(name, None)
os.environ["NSED_STATE_DIR"] = os.environ.get("NSED_TEST_STATE_DIR", str(state.default_root("-tests")))

from tests import slots  # noqa: E402  takes its slot in the tests' state directory

os.environ.update(slots.OURS.environment())

from nsed_web.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # tests sign in often
DATABASES["default"].pop("OPTIONS", None)  # noqa: F405  a pool would hold on to a database that is dropped
