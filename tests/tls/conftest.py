"""What the tests of TLS share: an authority, whose keys take their time, for each module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import Authority, Pair


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority with a folder of its own."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    """Return the files of a server's certificate."""
    return authority.issue("server")


@pytest.fixture
def own_authority(tmp_path: Path) -> Authority:
    """Return an authority whose files one test may change."""
    return Authority(tmp_path)
