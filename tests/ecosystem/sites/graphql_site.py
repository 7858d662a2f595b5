"""Strawberry: queries, mutations, uploads and subscriptions of GraphQL."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from strawberry.asgi import GraphQL
from strawberry.file_uploads import Upload
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def item(self, number: int, q: str) -> str:
        return f"{number} {q}"

    @strawberry.field
    async def pool(self, info: strawberry.Info[Any, Any]) -> str:
        return str(info.context["request"].state.pool)

    @strawberry.field
    async def error(self) -> str:
        raise ValueError(stage.MISTAKE)


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def echo(self, text: str) -> str:
        return text

    @strawberry.mutation
    async def upload(self, file: Upload) -> str:
        return stage.digest(file.file)


@strawberry.type
class Subscription:
    """What can be followed."""

    @strawberry.subscription
    async def pieces(self) -> AsyncGenerator[str, None]:
        for piece in stage.PIECES:
            yield piece
            await gate.wait()

    @strawberry.subscription
    async def endless(self) -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "tick"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    @strawberry.subscription
    async def broken(self) -> AsyncGenerator[str, None]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("startup")
    yield {"pool": "open"}
    tell("shutdown")


async def open_gate(request: Request) -> Response:
    gate.open()
    return PlainTextResponse("opened")


schema = strawberry.Schema(Query, Mutation, Subscription)
graphql = GraphQL(
    schema,
    multipart_uploads_enabled=True,
    subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
)
app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/open", open_gate, methods=["POST"]),
        Mount("/graphql", graphql),
    ],
)
