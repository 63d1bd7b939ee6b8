"""One-time sign-in links, and the address at which this project's site is reached."""

import os
from pathlib import Path

import sesame.utils
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse

from nsed_web import state


def sign_in_link(user: AbstractBaseUser, *, address: str) -> str:
    """A link that signs this person in once, within settings.NSED.link_max_age_s."""
    return f"{address}{reverse('sign_in_link')}{sesame.utils.get_query_string(user)}"


def site_address() -> str:
    """Where browsers find the site: NSED_PUBLIC_URL, else where `up` listens now, else the default."""
    if "NSED_PUBLIC_URL" not in os.environ and address_note().exists():
        return address_note().read_text()
    return settings.NSED.public_url.rstrip("/")


def address_note() -> Path:
    """There while `up` runs: its address."""
    return state.state_directory() / "address"
