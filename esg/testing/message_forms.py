"""Every message of the ASGI specification as data: its keys, their forms, its clause.

The order of messages is `http_order`'s and its siblings'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from esg.asgi import Message
from esg.testing import value_forms as form
from esg.testing.violation import ASGI, EXTENSIONS, HTTP, LIFESPAN, WEBSOCKET, Forbidden


@dataclass(frozen=True, slots=True)
class Key:
    """Describe one key of a message or a scope.

    Args:
        name: of the key.
        form: what its value must look like.
        required: whether it may be missing.
        since: the first spec_version that knows it.
    """

    name: str
    form: form.Form
    required: bool = False
    since: str = "2.0"


@dataclass(frozen=True, slots=True)
class MessageForm:
    """Describe one message.

    Args:
        clause: where it is specified.
        keys: its keys besides "type".
        extension: what the server must offer for an application to send it.
    """

    clause: str
    keys: tuple[Key, ...] = ()
    extension: str | None = None


_BODY: Final = (Key("body", form.byte_string), Key("more_body", form.boolean))
_HEADERS: Final = Key("headers", form.response_headers)
_STATUS: Final = Key("status", form.final_status, required=True)
_PAYLOAD: Final = (
    Key("bytes", form.optional(form.byte_string)),
    Key("text", form.optional(form.encodable_string)),
)
_REASON: Final = form.optional(form.encodable_string)
_DENIAL: Final = f'{EXTENSIONS}, "Websocket Denial Response"'

SENT: Final[Mapping[str, MessageForm]] = {
    "http.response.start": MessageForm(
        f'{HTTP}, "Response Start"', (_STATUS, _HEADERS, Key("trailers", form.boolean))
    ),
    "http.response.body": MessageForm(f'{HTTP}, "Response Body"', _BODY),
    "http.response.trailers": MessageForm(
        f'{EXTENSIONS}, "HTTP Trailers"',
        (_HEADERS, Key("more_trailers", form.boolean)),
        extension="http.response.trailers",
    ),
    "http.response.push": MessageForm(
        f'{EXTENSIONS}, "HTTP/2 Server Push"',
        (
            Key("path", form.unicode_string, required=True),
            Key("headers", form.response_headers, required=True),
        ),
        extension="http.response.push",
    ),
    "http.response.zerocopysend": MessageForm(
        f'{EXTENSIONS}, "Zero Copy Send"',
        (
            Key("file", form.file_object, required=True),
            Key("offset", form.non_negative),
            Key("count", form.non_negative),
            Key("more_body", form.boolean),
        ),
        extension="http.response.zerocopysend",
    ),
    "http.response.pathsend": MessageForm(
        f'{EXTENSIONS}, "Path Send"',
        (Key("path", form.absolute_path, required=True),),
        extension="http.response.pathsend",
    ),
    "http.response.early_hint": MessageForm(
        f'{EXTENSIONS}, "Early Hints"',
        (Key("links", form.iterable_of(form.link_value), required=True),),
        extension="http.response.early_hint",
    ),
    "http.response.debug": MessageForm(
        f'{EXTENSIONS}, "Debug"',
        (Key("info", form.mapping, required=True),),
        extension="http.response.debug",
    ),
    "websocket.accept": MessageForm(
        f'{WEBSOCKET}, "Accept"',
        (
            Key("subprotocol", form.optional(form.unicode_string)),
            Key("headers", form.accept_headers, since="2.1"),
        ),
    ),
    "websocket.send": MessageForm(f'{WEBSOCKET}, "Send"', _PAYLOAD),
    "websocket.close": MessageForm(
        f'{WEBSOCKET}, "Close"',
        (Key("code", form.integer), Key("reason", _REASON, since="2.3")),
    ),
    "websocket.http.response.start": MessageForm(
        _DENIAL, (_STATUS, _HEADERS), extension="websocket.http.response"
    ),
    "websocket.http.response.body": MessageForm(
        _DENIAL, _BODY, extension="websocket.http.response"
    ),
    "lifespan.startup.complete": MessageForm(f'{LIFESPAN}, "Startup Complete"'),
    "lifespan.startup.failed": MessageForm(
        f'{LIFESPAN}, "Startup Failed"', (Key("message", form.unicode_string),)
    ),
    "lifespan.shutdown.complete": MessageForm(f'{LIFESPAN}, "Shutdown Complete"'),
    "lifespan.shutdown.failed": MessageForm(
        f'{LIFESPAN}, "Shutdown Failed"', (Key("message", form.unicode_string),)
    ),
}

RECEIVED: Final[Mapping[str, MessageForm]] = {
    "http.request": MessageForm(f'{HTTP}, "Request"', _BODY),
    "http.disconnect": MessageForm(f'{HTTP}, "Disconnect"'),
    "websocket.connect": MessageForm(f'{WEBSOCKET}, "Connect"'),
    "websocket.receive": MessageForm(f'{WEBSOCKET}, "Receive"', _PAYLOAD),
    "websocket.disconnect": MessageForm(
        f'{WEBSOCKET}, "Disconnect"',
        (Key("code", form.integer, required=True), Key("reason", _REASON)),
    ),
    "lifespan.startup": MessageForm(f'{LIFESPAN}, "Startup"'),
    "lifespan.shutdown": MessageForm(f'{LIFESPAN}, "Shutdown"'),
}

# These carry objects of this process on purpose.
_NOT_SERIALISABLE: Final = {"file", "info", "headers", "links"}


def own_iterables(message: Message) -> Message:
    """Return a message whose headers and links can be read more than once.

    They may be any iterable of iterables, and the server has to read them after the validator.
    """
    if not isinstance(message, dict):
        return message  # which `check_message` refuses
    changed: Message = {}
    for name in ("headers", "links"):
        value = message.get(name)
        if isinstance(value, Iterable) and not isinstance(value, str | bytes | list | tuple):
            value = changed[name] = list(value)
        if isinstance(value, list | tuple) and any(isinstance(item, Iterator) for item in value):
            changed[name] = [list(i) if isinstance(i, Iterator) else i for i in value]
    return {**message, **changed} if changed else message


def check_message(
    message: object,
    known: Mapping[str, MessageForm],
    extensions: Mapping[str, object],
    spec_version: str,
) -> str:
    """Return the type of a message that has its specified form.

    Args:
        message: what was sent or received.
        known: SENT or RECEIVED.
        extensions: what the scope offers.
        spec_version: of the scope.

    Raises:
        Forbidden: it has not.
    """
    message_type, message = _typed(message)
    described = known.get(message_type)
    if described is None:
        if message_type not in extensions:
            raise Forbidden(f"{message_type}: unknown message type", f'{ASGI}, "Error Handling"')
        return message_type
    needed = described.extension
    if needed is not None and needed not in extensions:
        raise Forbidden(
            f"{message_type}: the server does not offer the extension {needed!r}",
            described.clause,
        )
    check_keys(message, described.keys, spec_version, message_type, described.clause)
    if message_type in ("websocket.send", "websocket.receive"):
        _check_payload(message, message_type, described.clause)
    return message_type


def _typed(message: object) -> tuple[str, Mapping[str, Any]]:
    events = f'{ASGI}, "Events"'
    wrong = form.mapping(message)
    if wrong or not isinstance(message, dict):
        raise Forbidden(f"a message that {wrong}", events)
    if "type" not in message:
        raise Forbidden(f"a message without a type: {form.kind(message)}", events)
    message_type = message["type"]
    wrong = form.unicode_string(message_type)
    if wrong:
        raise Forbidden(f"a message whose type {wrong}", events)
    for name, value in message.items():
        wrong = None if name in _NOT_SERIALISABLE else form.serialisable(value)
        # What has a form of its own is judged by that, in its own words.
        if wrong and not _has_form(message_type, name):
            raise Forbidden(f"{message_type}: {name!r} {wrong}", events)
    return str(message_type), message


def _has_form(message_type: str, name: str) -> bool:
    described = SENT.get(message_type) or RECEIVED.get(message_type)
    return described is not None and any(key.name == name for key in described.keys)


def check_keys(
    found: Mapping[str, Any], keys: Iterable[Key], spec_version: str, whose: str, clause: str
) -> None:
    """Check the keys of a message or a scope; what the specification does not name is free.

    Raises:
        Forbidden: one is missing, too new, or not what it must be.
    """
    for key in keys:
        if key.name not in found:
            if key.required:
                raise Forbidden(f"{whose}: {key.name!r} is missing", clause)
            continue
        # An empty value says no more than a missing one.
        if found[key.name] and _version(spec_version) < _version(key.since):
            raise Forbidden(
                f"{whose}: {key.name!r} needs spec_version {key.since}, the scope has"
                f" {spec_version}",
                clause,
            )
        wrong = key.form(found[key.name])
        if wrong:
            raise Forbidden(f"{whose}: {key.name!r} {wrong}", clause)


def _version(spec_version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in spec_version.split("."))


def _check_payload(message: Mapping[str, Any], message_type: str, clause: str) -> None:
    payloads = [name for name in ("bytes", "text") if message.get(name) is not None]
    if len(payloads) != 1:
        found = "both" if payloads else "neither"
        raise Forbidden(
            f"{message_type}: exactly one of 'bytes' and 'text' must be non-None, got {found}",
            clause,
        )
