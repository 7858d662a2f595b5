"""The comparison of traces, and what it says."""

from __future__ import annotations

import pytest

from esg.testing import RecordedApp, Trace, assert_same_traces, record
from tests.testing.calls import BODY, START, call, http_scope, sending


def traces(*bodies: bytes) -> list[Trace]:
    app: RecordedApp = record(sending())
    for body in bodies:
        app.app = sending(START, {**BODY, "body": body})
        call(app, http_scope())
    return app.traces


def test_the_same() -> None:
    assert_same_traces({"one": traces(b"a", b"b"), "two": traces(b"a", b"b")})


def test_a_difference_is_shown_with_what_is_around_it() -> None:
    with pytest.raises(AssertionError) as raised:
        assert_same_traces(
            {"one": traces(b"", b"a"), "two": traces(b"", b"a"), "three": traces(b"", b"other")}
        )
    assert str(raised.value).splitlines() == [
        "your application behaves differently on three than on one:",
        "in call 2, GET /é:",
        "--- one",
        "+++ three",
        "@@ -17,5 +17,5 @@",
        "   scope state: ",
        "   scope type: 'http'",
        "   sent http.response.start status=200",
        "-  sent http.response.body b'a'",
        "+  sent http.response.body b'other'",
        "   returned",
    ]


def test_every_row_that_differs_is_shown() -> None:
    with pytest.raises(AssertionError, match=r"(?s)on two than on one.*on three than on one"):
        assert_same_traces({"one": traces(b"a"), "two": traces(b"b"), "three": traces()})


def test_a_call_that_only_one_of_them_has() -> None:
    with pytest.raises(
        AssertionError, match=r"in call 2, GET /é:\n--- one\n\+\+\+ two\n@@ .*\n-GET"
    ):
        assert_same_traces({"one": traces(b"a", b"b"), "two": traces(b"a")})


@pytest.mark.parametrize("names", [[], ["one"]])
def test_too_little_to_compare(names: list[str]) -> None:
    with pytest.raises(ValueError, match="nothing to compare"):
        assert_same_traces({name: traces(b"a") for name in names})


def test_nothing_recorded() -> None:
    with pytest.raises(ValueError, match="nothing to compare: traces of one, two"):
        assert_same_traces({"one": [], "two": []})
