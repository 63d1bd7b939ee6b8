"""Somebody of the staff who takes part in a blind deliberation learns its models nowhere before their first ballot."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from broker.models import Call, Model
from tests import builders
from tests.deliberation.acting import signed_in

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Place:
    """A blind deliberation in review, of which `keeper`, who may do everything, is a part."""

    table: builders.Table
    keeper: User

    @property
    def seated(self) -> list[str]:
        seats = self.table.session.participants.filter(kind="model").select_related("model")
        return sorted(seat.model.alias for seat in seats)

    @property
    def addresses(self) -> list[str]:
        self.table.session.refresh_from_db()
        number = self.table.session.selection_id
        return [
            reverse("broker_selections"),
            reverse("broker_selection", args=[number]),
            reverse("broker_selection", args=[number]) + "?budget=1",
            reverse("broker_selection", args=[number]) + "?points=1",
            reverse("admin:broker_selection_changelist"),
            reverse("admin:broker_selection_change", args=[number]),
            reverse("admin:broker_call_changelist"),
            reverse("receipt", args=[self.table.id]),
        ]

    def naming(self, user: User) -> list[str]:
        """The addresses that tell this person which models sit there."""
        browser = signed_in(user)
        texts = {address: main(browser, address) for address in self.addresses}
        return [address for address, text in texts.items() if any(name in text for name in self.seated)]


def main(browser: Client, address: str) -> str:
    return str(browser.get(address, follow=True).content.decode())


def staff(username: str) -> User:
    return User.objects.create_user(username, is_staff=True, is_superuser=True)


@pytest.fixture
def place(db: None) -> Place:
    keeper = staff("keeper")
    table = builders.opened(keeper, take_part=True, human_window_s=60, blind=True)
    table.staff().all_propose()
    return Place(table, keeper)


def test_nothing_is_named_before_the_first_ballot_and_everything_after_it(place: Place) -> None:
    assert place.naming(place.keeper) == []
    place.table.vote(place.keeper, dict.fromkeys(place.table.agents, 1))
    assert set(place.naming(place.keeper)) >= set(place.addresses[:4])


def test_who_does_not_sit_there_may_read_the_receipt(place: Place) -> None:
    assert set(place.naming(staff("another"))) >= set(place.addresses[:4])


def test_an_invited_keeper_waits_as_well(place: Place) -> None:
    invited = staff("invited")
    place.table.session.invitations.create(user=invited, name="invited", invited_by=place.keeper)
    assert place.naming(invited) == []


def test_the_receipt_says_when_it_will_be_shown(place: Place) -> None:
    answer = signed_in(place.keeper).get(place.addresses[1])
    assert answer.status_code == 403
    assert "after your first ballot there" in answer.content.decode()


def test_a_models_page_does_not_tell_that_it_sits_there(place: Place) -> None:
    model = Model.objects.get(alias=place.seated[0])
    Call.objects.create(reference=place.table.id, model=model, seat=2, round=1, exchange="propose", attempt=1)
    address, room = reverse("registry_model", args=[model.alias]), reverse("room", args=[place.table.id])
    assert room not in main(signed_in(place.keeper), address)
    assert room in main(signed_in(staff("another")), address)


def test_the_fleet_lists_the_selection_without_its_panel(place: Place) -> None:
    page = main(signed_in(place.keeper), reverse("broker"))
    assert "named to you after your first ballot there" in page
    assert "named to you after" not in main(signed_in(staff("another")), reverse("broker"))


def test_an_open_policy_hides_nothing(db: None) -> None:
    keeper = staff("keeper")
    table = builders.opened(keeper, take_part=True, blind=False).staff()
    assert set(Place(table, keeper).naming(keeper)) >= set(Place(table, keeper).addresses[:2])
