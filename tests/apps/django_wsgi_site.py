"""A Django project in one module, served by its WSGI handler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.apps import django_project
from tests.apps.stage import tell

django_project.set_up(__name__)


def item(request: Any, number: int) -> Any:
    """Answer with what was asked for."""
    url = request.build_absolute_uri()
    return JsonResponse({"number": number, "q": request.GET.get("q"), "url": url})


def raw(request: Any) -> Any:
    """Count the content, a piece at a time."""
    size = 0
    while piece := request.read(65536):
        size += len(piece)
    return JsonResponse({"size": size})


def form(request: Any) -> Any:
    """Give back a form and the size of its file."""
    return JsonResponse({"name": request.POST["name"], "size": request.FILES["upload"].size})


def stream(request: Any) -> Any:
    """Stream a hundred lines."""
    return StreamingHttpResponse(f"{number}\n" for number in range(100))


def endless(request: Any) -> Any:
    """Stream until the client leaves."""

    def ticks() -> Iterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                time.sleep(0.02)
        finally:
            tell("django: stream ended")

    return StreamingHttpResponse(ticks())


def cookies(request: Any) -> Any:
    """Give back the cookies, and set two."""
    answer = JsonResponse(request.COOKIES)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


def error(request: Any) -> None:
    """Raise."""
    raise ValueError("django on purpose")


urlpatterns = [
    path("items/<int:number>", item),
    path("raw", raw),
    path("form", form),
    path("stream", stream),
    path("endless", endless),
    path("cookies", cookies),
    path("error", error),
]
app = get_wsgi_application()
