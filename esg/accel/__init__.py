"""The fast driver: asyncio and uvloop, llhttp, compiled by Cython."""
