"""Every framework, every check of the contract, on every server: see `tests.ecosystem`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import require
from tests.ecosystem import environment
from tests.ecosystem.checks import cells, checks_of
from tests.ecosystem.frameworks import Framework
from tests.ecosystem.peer_failures import PEER_FAILURES
from tests.ecosystem.site import Site
from tests.ecosystem.targets import FIRST, OWN, TARGETS, WITH_PEERS, Target

pytestmark = pytest.mark.skipif(
    platform.python_implementation() != "CPython", reason="some frameworks are compiled for CPython"
)
MIB = 2**20
TESTED = TARGETS if os.environ.get(WITH_PEERS) else OWN


class Sites:
    """The one site that is served; the next one takes its place."""

    def __init__(self, files: Path) -> None:
        self._python = environment.prepare()
        self._file = files / "file.bin"
        self._file.write_bytes(bytes(range(256)) * 4096)
        self._large = files / "large.bin"
        self._large.write_bytes(bytes(range(251)) * (50 * MIB // 251 + 1))
        self._served = ExitStack()
        self._site: Site | None = None

    def get(self, framework: Framework, target: Target) -> Site:
        """Return a framework's site on a server."""
        site = self._site
        if site and not site.stopped and (site.framework, site.target) == (framework, target):
            return site
        self.end()
        made = Site(framework, target, self._python, self._file, self._large)
        self._served.callback(made.end)
        made.wait_started()
        self._site = made
        return made

    def end(self) -> None:
        """End the one that is served."""
        self._site = None
        self._served.close()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    served = Sites(tmp_path_factory.mktemp("ecosystem"))
    yield served
    served.end()


def _parameter(framework: Framework, target: Target, check: str) -> object:
    marks = () if target is FIRST else (pytest.mark.exhaustive,)
    return pytest.param(
        framework, target, check, id=f"{framework.id}-{target.id}-{check}", marks=marks
    )


@pytest.mark.parametrize(
    ("framework", "target", "check"), [_parameter(*cell) for cell in cells(TESTED)]
)
def test_contract(sites: Sites, framework: Framework, target: Target, check: str) -> None:
    if target.row is not None:
        require(target.row)
    run = checks_of(framework)[check]
    site = sites.get(framework, target)
    if (target.id, framework.id, check) not in PEER_FAILURES:
        run(site)
        return
    with pytest.raises(Exception):  # noqa: B017, PT011 - in whichever way it fails
        run(site)
