"""Every target bears its seeds and what fuzzing has found; `make sanitize` puts them, too."""

from __future__ import annotations

import pytest

from tests.fuzzing.corpus import FOLDER, found, inputs
from tests.fuzzing.given import Given
from tests.fuzzing.targets import NAMES, target
from tests.rules.twins import find_twins

pytestmark = pytest.mark.skipif(
    len(find_twins("request_head")) < 2, reason="the fast implementation is not built"
)
# All together, in bytes: they are replayed by every `make test`.
MOST_KEPT = 400_000


@pytest.mark.parametrize("name", NAMES)
def test_target_bears_its_inputs(name: str) -> None:
    check = target(name)
    known = inputs(name)
    assert known
    for data in known:
        try:
            check(Given(data))
        except BaseException as error:
            error.add_note(f"{name}: {data!r}")
            raise


def test_what_is_kept_belongs_to_a_target() -> None:
    assert {path.stem for path in FOLDER.glob("*")} <= {*NAMES}


def test_what_is_kept_is_small() -> None:
    kept = {name: sum(map(len, found(name))) for name in NAMES}
    assert sum(kept.values()) < MOST_KEPT, kept
