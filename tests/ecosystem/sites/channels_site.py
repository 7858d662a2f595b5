"""Channels: Django's handler for HTTP, a consumer for WebSocket."""

from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from tests.ecosystem.sites import django_site, stage
from tests.ecosystem.sites.stage import tell


class Echo(AsyncWebsocketConsumer):
    """Send every message back."""

    async def connect(self) -> None:
        offered = self.scope["subprotocols"]
        await self.accept(stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if text_data == "close":
            await self.close(4001)
        else:
            await self.send(text_data, bytes_data)

    async def disconnect(self, code: int) -> None:
        tell(f"socket closed {code}")


class Refusal(AsyncWebsocketConsumer):
    """Let nobody in."""

    async def connect(self) -> None:
        await self.close()


sockets: list[Any] = [path("ws", Echo.as_asgi()), path("refused", Refusal.as_asgi())]
app = ProtocolTypeRouter({"http": django_site.app, "websocket": URLRouter(sockets)})
