"""How servers other than ESG are judged: by what the clause demands, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.conformance.cases import ALL_CASES
from tests.conformance.client import Changes, Client
from tests.conformance.model import Call, Case, Fate, Level, Response, Seen
from tests.conformance.runner import Observation
from tests.conformance.scope_form import scope_violations
from tests.conformance.side_channel import CallTrace
from tests.conformance.suite import Outcome
from tests.conformance.verdict import violations

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n%s\r\nok"
BAD = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
SCOPE = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "headers": []}
RETURNED = ("end", ["returned"], "")


def case(**details: Any) -> Case:
    """Write a case."""
    details = {"fate": Fate.ANY, **details}
    return Case("group/case", 1, Level.MUST, "a clause", "says so", (), **details)


async def _client() -> Client:
    return Client(("127.0.0.1", 1), Changes(), ["GET"])


@contextmanager
def seen(case: Case, answer: bytes = OK % b"", **scope: Any) -> Iterator[Observation]:
    """Make the observation of an answer, and of one call with this scope."""
    observation = Observation(case, "whole", "other")
    client = asyncio.run(_client())
    client.parser.feed(answer)
    observation.clients["a"] = client
    no_writer = cast("Any", None)
    observation.calls["a"] = [CallTrace(no_writer, {**SCOPE, **scope}, [RETURNED])]
    try:
        yield observation
    finally:
        client.close()


def judged(case: Case, answer: bytes = OK % b"", *, exact: bool = False, **scope: Any) -> list[str]:
    """Judge an answer and a scope."""
    with seen(case, answer, **scope) as observation:
        return violations(observation, exact)


REFUSED = case(responses=(Response(400),), calls=())
EITHER = case(responses=(Response(400),), calls=(), or_else=(case(responses=(Response(200),)),))


def test_what_the_clause_leaves_open_is_left_to_others() -> None:
    assert judged(EITHER, BAD) == []
    assert judged(EITHER) == []
    assert judged(EITHER, OK.replace(b"200", b"201") % b"")
    assert judged(REFUSED)
    assert judged(EITHER, exact=True)


def test_a_case_that_waited_in_vain_has_not_been_met_otherwise() -> None:
    with seen(EITHER) as observation:
        observation.problems.append("waited 5 s for the call's end")
        assert violations(observation, exact=False)


def test_fields_of_ours_are_asked_of_esg_alone() -> None:
    wanted = case(responses=(Response(200, ours={"connection": "close"}),))
    assert judged(wanted) == []
    assert any("connection" in problem for problem in judged(wanted, exact=True))


@pytest.mark.parametrize(
    ("name", "value"), [("root_path", ""), ("raw_path", b"/"), ("scheme", "http"), ("client", None)]
)
def test_entries_of_a_scope_may_be_left_out(name: str, value: Any) -> None:
    wanted = case(responses=(Response(200),), calls=(Call(scope={name: value}),))
    assert judged(wanted) == []
    wrong: dict[str, Any] = {name: "wrong"}
    assert judged(wanted, **wrong)


def test_entries_without_a_default_may_not() -> None:
    wanted = case(responses=(Response(200),), calls=(Call(scope={"path": "/"}),))
    assert judged(wanted)


def test_only_values_of_one_name_have_an_order() -> None:
    headers = [(b"a", b"1"), (b"x", b"2"), (b"a", b"3")]
    wanted = case(responses=(Response(200),), calls=(Call(scope={"headers": headers}),))
    assert judged(wanted, headers=[(b"X", b"2"), (b"A", b"1"), (b"A", b"3")]) == []
    assert judged(wanted, headers=[(b"x", b"2"), (b"a", b"3"), (b"a", b"1")])
    lines = case(responses=(Response(200, in_order=tuple(headers)),))
    assert judged(lines, OK % b"X: 2\r\nA: 1\r\nA: 3\r\n") == []
    assert judged(lines, OK % b"X: 2\r\nA: 1\r\nA: 3\r\n", exact=True)
    assert judged(lines, OK % b"X: 2\r\nA: 3\r\nA: 1\r\n")


def test_names_in_lower_case_are_recommended_only() -> None:
    scope = {**SCOPE, "headers": [(b"Host", b"a")]}
    assert list(scope_violations(scope))
    assert not list(scope_violations(scope, exact=False))


def test_the_form_of_scopes_is_judged_in_one_case_of_each_kind() -> None:
    assert judged(case(responses=(Response(200),)), client=("127.0.0.1", "80")) == []
    (basics,) = [case for case in ALL_CASES if case.id == "asgi_scope/basics"]
    assert any("port" in line for line in judged(basics, client=("127.0.0.1", "80")))


def test_an_oserror_is_asked_of_servers_that_promise_it() -> None:
    raised = Seen("refused", "http.response.body", error="OSError")
    wanted = case(responses=(Response(200),), calls=(Call(order=(raised,)),))
    assert judged(wanted, asgi={"version": "3.0", "spec_version": "2.3"}) == []
    assert judged(wanted, asgi={"version": "3.0", "spec_version": "2.4"})


def test_a_reset_may_cut_the_servers_own_answer() -> None:
    wanted = case(responses=(Response(400, by_server=True),), calls=())
    half = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\n"
    assert judged(wanted, half)
    with seen(wanted, half) as observation:
        observation.clients["a"].ends.reset = True
        assert violations(observation, exact=False) == []
        assert violations(observation, exact=True)


@pytest.mark.parametrize("problems", [[], ["it is wrong"]])
def test_what_was_seen_is_kept_for_a_report_alone(problems: list[str]) -> None:
    with seen(REFUSED) as observation:
        outcome = Outcome(observation, problems, exact=True)
        before = outcome.digest
        outcome.settle()
        assert outcome.digest == before != []
        assert bool(observation.calls) is bool(observation.clients) is bool(problems)
