"""Django's settings. What a deployment chooses comes from the environment: DATABASE_URL, REDIS_URL,
SECRET_KEY and the NSED_* variables of deployment.py; everything works with none of them set."""

import os
import warnings
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF

from nsed_web import deployment, state

BASE_DIR = state.PROJECT
NSED = deployment.from_environment()

SECRET_KEY = os.environ.get("SECRET_KEY") or state.secret_key()
KEY_ENCRYPTION_KEY = os.environ.get("NSED_KEY_ENCRYPTION_KEY") or state.key_encryption_key()
DEBUG = NSED.debug

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "django_htmx",
    "csp",
    "nsed_web",
    "broker",
    "deliberation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "deliberation.views.open_pages.SignInRequired",  # a public view says so: @login_not_required
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "nsed_web.urls"
ASGI_APPLICATION = "nsed_web.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# The address, and what only an encrypted one allows

_public = urlsplit(NSED.public_url)
IS_HTTPS = _public.scheme == "https"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *filter(None, [_public.hostname])]
CSRF_FAILURE_VIEW = "deliberation.views.open_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"] if IS_HTTPS else []
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
)  # the proxy must set or drop it
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$"]  # probes ask the process itself, behind the proxy
SECURE_REFERRER_POLICY = "same-origin"
# W005, W021: that other names below this host are encrypted too, and for good, is not ours to promise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# The first hash is the empty style element that Plotly fills, the second the sheet that it adds at load.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [
            SELF,
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
        ],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# People

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "sessions"
LOGOUT_REDIRECT_URL = "sign_in"
SESAME_ONE_TIME = True
SESAME_MAX_AGE = NSED.link_max_age_s
SESAME_INVALIDATE_ON_EMAIL_CHANGE = True

# Data

_addresses = state.addresses()
DATABASE_URL, DATABASE_OWNER_URL, REDIS_URL = _addresses.database, _addresses.owner, _addresses.redis
_url = DATABASE_OWNER_URL if NSED.as_owner else DATABASE_URL  # only migrations run as the owner of the tables
DATABASES = {"default": dj_database_url.parse(_url, conn_health_checks=True)}
if NSED.database_pool and not NSED.as_owner:
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 0, "max_size": NSED.database_pool, "timeout": 10}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": deployment.channel_prefix(REDIS_URL)},
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Workers. Rows and the sweeper are what counts: acknowledge early, keep no results, reserve one.

CELERY_BROKER_URL = deployment.broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "steps"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "nsed_web.celery:SeenScheduler"
CELERY_BEAT_SCHEDULE = {
    name: {
        "task": task,
        "schedule": every_s,
        "options": {"queue": "steps", "expires": 5 * every_s},  # without a worker they do not pile up
    }
    for name, task, every_s in (
        ("sweep", "deliberation.tasks.sweep", NSED.sweep_s),
        ("read_fleet", "broker.tasks.read_fleet", NSED.telemetry_s),
        ("check_fleet", "broker.tasks.check_fleet", NSED.telemetry_s),
        ("check_lists", "broker.tasks.check_lists", NSED.health_check_s),
    )
}

# Static files: served from where they lie; collected ones get hashed names and are sent compressed.

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
_plotly = Path(
    str(distribution("plotly").locate_file("plotly/package_data"))
)  # importing it takes half a second
STATICFILES_DIRS = [BASE_DIR / "static", (f"vendor/plotly-{distribution('plotly').version}", _plotly)]
warnings.filterwarnings("ignore", message="No directory at")  # whitenoise, where nothing is collected
_is_collected = (STATIC_ROOT / "staticfiles.json").exists()
WHITENOISE_USE_FINDERS = not _is_collected
WHITENOISE_IMMUTABLE_FILE_TEST = r"/vendor/[^/]+-[0-9.]+/|\.[0-9a-f]{12}\."  # a version or a hash in the name
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if _is_collected
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "nsed_web.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"level": "INFO", "handlers": ["stderr"], "propagate": False}
        for name in ("broker", "deliberation", "nsed_web", "django")
    },
}
