"""A Django project in one module, served by its ASGI handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

from tests.apps import django_project
from tests.apps.stage import tell

django_project.set_up(__name__)


def sync_view(request: Any, number: int) -> Any:
    """Answer from a worker thread."""
    return JsonResponse({"number": number, "q": request.GET.get("q"), "scheme": request.scheme})


async def async_view(request: Any) -> Any:
    """Answer from the loop."""
    await asyncio.sleep(0)
    return HttpResponse("asynchronous", content_type="text/plain")


async def form(request: Any) -> Any:
    """Give back a form and the size of its file."""
    upload = request.FILES["upload"]
    return JsonResponse({"name": request.POST["name"], "file": upload.name, "size": upload.size})


async def stream(request: Any) -> Any:
    """Stream a hundred lines."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d\n" % number

    return StreamingHttpResponse(lines(), content_type="text/plain")


async def endless(request: Any) -> Any:
    """Stream until the client leaves."""

    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                await asyncio.sleep(0.02)
        finally:
            tell("django: stream ended")

    return StreamingHttpResponse(ticks())


async def patient(request: Any) -> Any:
    """Wait, which Django cuts short when the client leaves."""
    tell("django: waiting")
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        tell("django: cancelled")
        raise
    return HttpResponse("nobody reads this")


def error(request: HttpRequest) -> None:
    """Raise."""
    raise ValueError("django on purpose")


urlpatterns = [
    path("items/<int:number>", sync_view),
    path("async", async_view),
    path("form", form),
    path("stream", stream),
    path("endless", endless),
    path("patient", patient),
    path("error", error),
]
app = get_asgi_application()
