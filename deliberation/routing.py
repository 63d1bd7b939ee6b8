"""The WebSocket door: which consumer answers which path."""

from typing import Any

from django.urls import path

from deliberation.consumers import RoomConsumer

websocket_urlpatterns: list[Any] = [path("ws/sessions/<uuid:session_id>/", RoomConsumer.as_asgi())]
