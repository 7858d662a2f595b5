"""The cost that ESG sets itself, as ratios of server CPU per request in one run."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios import CPU, WEBSOCKET_SCENARIOS


@dataclass(frozen=True)
class Target:
    """`row` costs at most `factor` times what `other` costs in `scenario`."""

    scenario: str
    row: str
    other: str
    factor: float


FAST = "esg-fast-uvloop"

UVICORN_ROWS = ("uvicorn-httptools", "uvicorn-uvloop0.22")

# How many times what the fast driver costs each peer is to cost, by scenario.
FAST_RATIOS: dict[str, dict[str, float]] = {
    "hello": {"uvicorn": 1.9, "granian-rust": 2.1, "fastpysgi": 1.8, "h2corn": 1.8},
    "headers": {"uvicorn": 2.2, "granian-rust": 2.2, "fastpysgi": 1.9, "h2corn": 2.0},
    "pipelined": {"uvicorn": 9, "granian-rust": 7, "fastpysgi": 8, "h2corn": 7},
    "post1k": {"uvicorn": 2.2, "granian-rust": 3, "fastpysgi": 2, "h2corn": 2},
    "post64k": {"uvicorn": 2, "granian-rust": 3, "fastpysgi": 2, "h2corn": 3},
    "large": {"uvicorn": 1.15, "granian-rust": 1.6, "fastpysgi": 1.3, "h2corn": 1.2},
    "connections-1000": {"uvicorn": 3, "granian-rust": 2, "fastpysgi": 1.8, "h2corn": 2},
}

PYPY_FACTOR = 2 / 3
WEBSOCKET_LOADS = tuple(s.name for s in WEBSOCKET_SCENARIOS if s.asks == CPU)
WEBSOCKET_FACTORS = {
    "uvicorn-websockets": 0.5,
    "uvicorn-wsproto": 0.5,
    "granian-asyncio": 1.0,
    "granian-rust": 1.0,
}

TARGETS = (
    Target("hello", FAST, "floor", 1.4),
    *(
        Target(scenario, FAST, row, 1 / ratio)
        for scenario, ratios in FAST_RATIOS.items()
        for peer, ratio in ratios.items()
        for row in (UVICORN_ROWS if peer == "uvicorn" else (peer,))
    ),
    Target("hello", "esg-pure-asyncio", "bare-h11-asyncio", 1.25),
    Target("hello", "esg-pure-uvloop", "bare-h11-uvloop", 1.25),
    Target("hello", "esg-pure-trio", "bare-h11-trio", 1.25),
    Target("hello", "esg-pure-asyncio", "hypercorn-asyncio", 1.0),
    Target("hello", "esg-pure-trio", "hypercorn-trio", 1 / 3),
    Target("hello", "esg-pure-asyncio", "uvicorn-h11", 1.0),
    Target("hello", "esg-pypy-asyncio", "esg-pure-asyncio", PYPY_FACTOR),
    Target("hello", "esg-pypy-asyncio", "uvicorn-pypy", PYPY_FACTOR),
    *(
        Target(scenario, FAST, peer, factor)
        for scenario in WEBSOCKET_LOADS
        for peer, factor in WEBSOCKET_FACTORS.items()
    ),
)
