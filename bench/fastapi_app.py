"""The answer of apps.JSON_OBJECT in FastAPI, whose model checks it."""

from apps import JSON_OBJECT
from fastapi import FastAPI
from pydantic import BaseModel


class Answer(BaseModel):
    """What is answered."""

    message: str
    items: list[int]
    ok: bool


app = FastAPI()


@app.get("/", response_model=Answer)
async def answer() -> object:
    """Answer as JSON, through the model."""
    return JSON_OBJECT
