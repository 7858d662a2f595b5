"""docs/ecosystem.md says what the code does; the tables are in order."""

from __future__ import annotations

import pytest

from tests.ecosystem import matrix
from tests.ecosystem.checks import cells, checks_of
from tests.ecosystem.contract import CONTRACT
from tests.ecosystem.environment import WANTED
from tests.ecosystem.frameworks import FRAMEWORKS, Framework
from tests.ecosystem.peer_failures import PEER_FAILURES
from tests.ecosystem.targets import OWN, PEERS, TARGETS


def test_the_page_is_what_the_tables_say() -> None:
    assert matrix.PAGE.read_text("utf-8") == matrix.page(), "run python -m tests.ecosystem.matrix"


@pytest.mark.parametrize("framework", FRAMEWORKS, ids=lambda framework: framework.id)
def test_each_check_is_made_or_its_absence_explained(framework: Framework) -> None:
    assert set(framework.lacks) <= set(CONTRACT)
    assert {*checks_of(framework), *framework.lacks} == set(CONTRACT)


def test_every_framework_is_pinned() -> None:
    wanted = {line for line in WANTED.read_text("utf-8").splitlines() if line[:1] != "#"}
    for name in {*wanted, *(name for one in FRAMEWORKS for name in one.distributions)}:
        assert matrix.version(name)


def test_only_other_servers_fail() -> None:
    known = {(target.id, framework.id, check) for framework, target, check in cells(TARGETS)}
    assert set(PEER_FAILURES) <= known
    assert not {target.id for target in OWN} & {target for target, _, _ in PEER_FAILURES}
    assert {target for target, _, _ in PEER_FAILURES} <= {target.id for target in PEERS}
