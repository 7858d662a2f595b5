"""A FastAPI application that is bound to asyncio: it hands notes on through a queue of asyncio's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel


class Note(BaseModel):
    """What is posted."""

    text: str
    stars: int = 0


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, object]]:
    """Keep notes, and tell one reader of new ones."""
    yield {"notes": {}, "news": asyncio.Queue()}


app = FastAPI(lifespan=lifespan)


@app.put("/notes/{name}")
async def keep(name: str, note: Note, request: Request) -> Note:
    """Keep a note under a name."""
    request.state.notes[name] = note
    request.state.news.put_nowait(name)
    return note


@app.get("/notes/{name}")
async def show(name: str, request: Request) -> Note:
    """Show a note."""
    note: Note | None = request.state.notes.get(name)
    if note is None:
        raise HTTPException(404, "there is no such note")
    return note


@app.get("/news")
async def news(request: Request) -> str:
    """Wait for the next new note and return its name."""
    name: str = await request.state.news.get()
    return name


@app.get("/thread")
def in_thread() -> str:
    """Run in a worker thread."""
    return "threaded"
