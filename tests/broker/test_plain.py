"""Rows by plain SQL are the rows that the ORM gives."""

import pytest
from django.forms.models import model_to_dict

from broker.models import Endpoint, Host, Model, plain

pytestmark = pytest.mark.django_db

JOINED = (
    "FROM broker_model AS model JOIN broker_endpoint AS endpoint ON endpoint.id = model.endpoint_id"
    " LEFT JOIN broker_host AS host ON host.id = endpoint.host_id WHERE model.alias = %s"
)


@pytest.fixture
def model() -> Model:
    lab = Endpoint.objects.create(name="lab", kind="simulated")
    traits = {"competence": 0.8, "words": ["a", None, "ü"]}
    return Model.objects.create(alias="m", served_name="m", endpoint=lab, traits=traits)


def found(alias: str) -> tuple[Model, Endpoint, Host | None, int]:
    ((model, endpoint, host, more),) = plain.rows(
        JOINED, [alias], more=("1 + 1",), model=Model, endpoint=Endpoint, host=Host
    )
    return model, endpoint, host, more


def test_instances_are_those_of_the_orm(model: Model) -> None:
    read, endpoint, _, more = found("m")
    assert read == model
    assert read.traits == model.traits
    assert model_to_dict(read) == model_to_dict(Model.objects.get())
    assert model_to_dict(endpoint) == model_to_dict(Endpoint.objects.get())
    assert more == 2


def test_a_row_of_nulls_is_nobody(model: Model) -> None:
    assert found("m")[2] is None
    Endpoint.objects.update(host=Host.objects.create(name="gpu-1"))
    assert found("m")[2] == Host.objects.get()


def test_what_is_read_can_be_saved_again(model: Model) -> None:
    read, *_ = found("m")
    read.family = "red"
    read.save()
    assert Model.objects.get().family == "red"
    assert Model.objects.get().traits == model.traits


def test_only_the_fields_that_are_named_are_written(model: Model) -> None:
    read, *_ = found("m")
    read.family, read.served_name, read.traits = "red", "other", {"competence": 0.5}
    plain.save(read, "family", "traits")
    now = Model.objects.get()
    assert (now.family, now.served_name, now.traits) == ("red", "m", {"competence": 0.5})
