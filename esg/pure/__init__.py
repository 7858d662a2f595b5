"""The pure driver: anyio sockets, h11 for content, the rules; on asyncio, uvloop and trio."""
