"""Acts."""

from typing import Any

from django.http import HttpRequest, HttpResponse


def ballot(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("ballot")


def done(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("done")


def veto(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("veto")


def withdraw_veto(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("withdraw_veto")


def guidance(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("guidance")


def withdraw_guidance(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("withdraw_guidance")


def pause(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("pause")


def resume(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("resume")


def stop(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("stop")


def take_seat(request: HttpRequest, session_id: Any, **more: Any) -> HttpResponse:
    return HttpResponse("take_seat")
