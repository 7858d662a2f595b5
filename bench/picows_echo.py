"""The echo on picows, without ASGI: what a Python server cannot beat by much.

Usage: `python picows_echo.py PORT`. Compression is picows' own, where the client asks for it.
"""

from __future__ import annotations

import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

DATA = (WSMsgType.TEXT, WSMsgType.BINARY)


class Echo(WSListener):  # type: ignore[misc]
    """Send every message back."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Send a data frame back; picows itself answers the control frames it can."""
        if frame.msg_type in DATA:
            transport.send(frame.msg_type, frame.get_payload_as_bytes(), frame.fin)
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


async def serve(port: int) -> None:
    """Serve on 127.0.0.1 until the process is told to stop."""

    def listener(_request: WSUpgradeRequest) -> Echo:
        return Echo()

    server = await ws_create_server(listener, "127.0.0.1", port, max_frame_size=2**24)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
