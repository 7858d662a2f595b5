"""The versions that ESG claims: other parts of the tree and its documents rely on them."""

from esg import asgi


def test_versions() -> None:
    assert asgi.ASGI_VERSION == "3.0"
    assert asgi.HTTP_SPEC_VERSION == "2.5"
    assert asgi.LIFESPAN_SPEC_VERSION == "2.0"
