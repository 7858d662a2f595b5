"""Prove that a server answers what a scenario asks, before it is measured."""

from __future__ import annotations

import contextlib
import http.client
import socket

import apps
from live_server import Place, ServerError
from scenarios import HttpScenario

REQUESTS_TO_CHECK = 3


def check(place: Place, scenario: HttpScenario) -> None:
    """Send the scenario's request a few times and compare the answers.

    Raises:
        ServerError: An answer was not 200 with the body that the scenario expects, or none came.
    """
    try:
        if scenario.streams:
            _check_stream(place, scenario)
            return
        with contextlib.ExitStack() as stack:
            client: socket.socket | None = None
            for _ in range(REQUESTS_TO_CHECK):
                if client is None:
                    client = stack.enter_context(contextlib.closing(place.connect()))
                response = _ask(client, scenario.request)
                body = response.read()
                if body != scenario.answer:
                    expected = len(scenario.answer)
                    raise ServerError(f"wrong body: {len(body)} bytes in place of {expected}")
                if response.will_close or scenario.closes:
                    client = None
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"no answer: {error!r}") from error


def _ask(client: socket.socket, request: bytes) -> http.client.HTTPResponse:
    """Send a request and read the head of its answer.

    Raises:
        ServerError: The answer is not a 200.
    """
    client.sendall(request)
    response = http.client.HTTPResponse(client)
    response.begin()
    if response.status != 200:
        raise ServerError(f"answered {response.status}")
    return response


def _check_stream(place: Place, scenario: HttpScenario) -> None:
    """Open a stream, publish, and read what comes.

    Raises:
        ServerError: No event comes, or the publisher has another answer than is expected.
    """
    with (
        contextlib.closing(place.connect()) as subscriber,
        contextlib.closing(place.connect()) as publisher,
    ):
        stream = _ask(subscriber, scenario.other_request)
        stream.readline()  # A comment: the application waits for events now.
        for _ in range(REQUESTS_TO_CHECK):
            if _ask(publisher, scenario.request).read() != scenario.answer:
                raise ServerError("the publisher has a wrong answer")
            if stream.readline() + stream.readline() != apps.EVENT:
                raise ServerError("the stream has something else than the event")
