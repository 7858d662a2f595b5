"""Django, by its WSGI handler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.http import require_POST

from tests.ecosystem.sites import django_project, stage
from tests.ecosystem.sites.stage import tell

gate = stage.ThreadGate()
django_project.set_up(__name__)


def item(request: Any, number: int) -> Any:
    url = request.build_absolute_uri()
    return JsonResponse({"number": number, "q": request.GET.get("q"), "url": url})


@require_POST
def json(request: Any) -> Any:
    return HttpResponse(stage.json_again(request.body), content_type="application/json")


def form(request: Any) -> Any:
    return JsonResponse({"name": request.POST["name"]})


def upload(request: Any) -> Any:
    file = request.FILES["upload"]
    digest = stage.digest(file.file)
    return JsonResponse({"name": request.POST["name"], "filename": file.name, "sha256": digest})


def count(request: Any) -> Any:
    size = 0
    while piece := request.read(65536):
        size += len(piece)
    return JsonResponse(size, safe=False)


def stream(request: Any) -> Any:
    def pieces() -> Iterator[str]:
        for piece in stage.PIECES:
            yield piece
            gate.wait()

    return StreamingHttpResponse(pieces(), content_type="text/plain")


def open_gate(request: Any) -> Any:
    gate.open()
    return HttpResponse("opened")


def file(request: Any) -> Any:
    return FileResponse(stage.FILE.open("rb"))


def cookies(request: Any) -> Any:
    answer = JsonResponse(request.COOKIES)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


def error(request: Any) -> None:
    raise ValueError(stage.MISTAKE)


def broken(request: Any) -> Any:
    def pieces() -> Iterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return StreamingHttpResponse(pieces())


def endless(request: Any) -> Any:
    def ticks() -> Iterator[str]:
        try:
            while True:
                yield "tick\n"
                time.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return StreamingHttpResponse(ticks())


urlpatterns = [
    path("items/<int:number>", item),
    path("json", json),
    path("form", form),
    path("upload", upload),
    path("count", count),
    path("stream", stream),
    path("open", open_gate),
    path("file", file),
    path("cookies", cookies),
    path("error", error),
    path("broken", broken),
    path("endless", endless),
]
app = get_wsgi_application()
