"""The answer of apps.JSON_OBJECT in Starlette."""

from apps import JSON_OBJECT
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def answer(_request: Request) -> JSONResponse:
    """Answer as JSON."""
    return JSONResponse(JSON_OBJECT)


app = Starlette(routes=[Route("/", answer)])
