"""The queue of the solver for pages, without a worker: its tasks run at once, in the transaction of the test."""

import pytest
from celery import current_app


@pytest.fixture
def solver_here(monkeypatch: pytest.MonkeyPatch, redis_server: None) -> None:
    current_app.loader.import_default_modules()
    monkeypatch.setitem(current_app.conf, "task_always_eager", True)
    monkeypatch.setitem(current_app.conf, "task_eager_propagates", True)
