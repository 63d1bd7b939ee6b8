"""The ticks of a fork's form: they name the panel, and where the broker is to choose they must be as they were."""

import pytest
from django.contrib.auth.models import User

from broker.models import Model
from deliberation.models import Session
from tests import builders
from tests.deliberation.reading import read
from tests.replay.forks import forked, post, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return builders.person()


@pytest.fixture
def parent(owner: User) -> Session:
    table = builders.opened(owner, min_rounds=1, max_rounds=1).staff()
    assert table.whole_round() == "concluded"
    return table.session


def sat(parent: Session) -> list[int]:
    return list(parent.participants.filter(kind="model").values_list("model_id", flat=True))


def test_the_ticks_that_the_page_had_leave_the_choice_to_the_broker(owner: User, parent: Session) -> None:
    assert told(forked(owner, parent, models=sat(parent)))["panel"] is None


def test_other_ticks_under_the_brokers_choice_are_told_and_kept(owner: User, parent: Session) -> None:
    other = Model.objects.exclude(pk__in=sat(parent)).first()
    assert other is not None
    answer = post(owner, parent, models=[other.pk])
    assert answer.status_code == 422
    page = read(answer)
    assert "it is unclear who sits" in page.words
    html = answer.content.decode()
    assert f'value="{other.pk}" data-foresee checked' in html
    assert not Session.objects.filter(parent=parent).exists()


def test_other_ticks_count_for_named_models(owner: User, parent: Session) -> None:
    assert told(forked(owner, parent, panel="named", models=sat(parent)[:2]))["panel"] == sorted(
        sat(parent)[:2]
    )
