"""manage.py sign_in_link: a way in for somebody without a password, once."""

from io import StringIO

import pytest
import sesame.utils
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from nsed_web import links
from nsed_web.management.commands import up


@pytest.fixture
def link(db: None) -> str:
    User.objects.create_user("ada")
    out = StringIO()
    call_command("sign_in_link", "ada", stdout=out)
    return out.getvalue().strip()


def test_it_leads_to_the_site_and_names_the_person_once(link: str) -> None:
    address, token = link.split("/sign-in/link/?sesame=")
    assert address == links.site_address()
    assert sesame.utils.get_user(token).get_username() == "ada"
    assert sesame.utils.get_user(token) is None


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nobody", "gone"])
def test_who_is_not_here_gets_none(name: str) -> None:
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(CommandError, match=f"no active user is called '{name}'"):
        call_command("sign_in_link", name)


@pytest.mark.django_db
def test_the_owner_stays_the_same_and_has_no_password() -> None:
    owner = up.ensure_owner()
    assert owner.is_superuser
    assert not owner.has_usable_password()
    owner.first_name = "Ada"
    owner.save()
    assert up.ensure_owner() == owner
    assert up.ensure_owner().first_name == "Ada"


def test_the_address_is_that_of_the_site_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    links.address_note().write_text("http://127.0.0.1:8123")
    try:
        assert links.site_address() == "http://127.0.0.1:8123"
    finally:
        links.address_note().unlink()
    assert links.site_address() == "http://127.0.0.1:8000"
