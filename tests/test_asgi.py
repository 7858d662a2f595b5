"""The versions that ESG claims, on which other parts rely, and content as it is sent."""

import pytest

from esg import asgi


class Odd(bytes):
    """Bytes by their type, whose methods say that they are others."""

    def __len__(self) -> int:
        return 3

    def __bytes__(self) -> bytes:
        return b"odd"


class OddArray(bytearray):
    """Likewise."""

    def __len__(self) -> int:
        return 3


def test_versions() -> None:
    assert asgi.ASGI_VERSION == "3.0"
    assert asgi.HTTP_SPEC_VERSION == "2.5"
    assert asgi.LIFESPAN_SPEC_VERSION == "2.0"


@pytest.mark.parametrize("data", [b"hello", bytearray(b"hello")])
def test_content_is_not_copied(data: asgi.Buffer) -> None:
    assert asgi.plain_buffer("body", data) is data


@pytest.mark.parametrize(
    "data",
    [Odd(b"hello"), OddArray(b"hello"), memoryview(b"hello"), memoryview(b"o_l_l_e_h")[::-2]],
)
def test_only_the_octets_of_content_count(data: asgi.Buffer) -> None:
    plain = asgi.plain_buffer("body", data)
    assert (len(plain), b"".join((plain,))) == (5, b"hello")


@pytest.mark.parametrize("data", ["hello", None, 5, [b"hello"]])
def test_what_is_no_content(data: object) -> None:
    with pytest.raises(TypeError, match="body must be bytes, got"):
        asgi.plain_buffer("body", data)
