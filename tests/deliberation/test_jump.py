"""Jumping to a session by a part of its task."""

import pytest
from django.test import Client

from tests import builders
from tests.builders import opened

pytestmark = pytest.mark.django_db


def test_only_what_a_person_may_see_is_found(client: Client) -> None:
    owner = builders.person("owner")
    table = opened(owner, task="What is <b>17*23</b>?")
    client.force_login(owner)
    found = client.get("/jump/?q=17*2").content.decode()
    assert f'href="/sessions/{table.id}/"' in found
    assert "<b>" not in found
    assert client.get("/jump/?q=").content.strip() == b""
    assert client.get("/jump/?q=%00").content.strip() == b""
    client.force_login(builders.person("stranger"))
    assert client.get("/jump/?q=17").content.strip() == b""


def test_the_words_are_explained(client: Client) -> None:
    client.force_login(builders.person("reader"))
    page = client.get("/words/").content.decode()
    assert 'id="conviction"' in page
