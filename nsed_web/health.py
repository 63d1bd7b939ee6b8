"""For those who watch the site from outside: is the process alive, is the site ready."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse

from deliberation import live
from nsed_web import diagnosis


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else, so that a restart is never the answer to somebody else's
    failure.
    """
    return JsonResponse({"alive": True, "nudges_failed": live.failures})


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when a question could be asked now, else 503 with what is wrong."""
    results = diagnosis.run(diagnosis.SITE)
    wrong = {each.name: each.problem.what for each in results if each.problem}
    return JsonResponse({"ready": not wrong, "wrong": wrong}, status=503 if wrong else 200)
