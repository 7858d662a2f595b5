"""What the tests of esg.testing share."""

from __future__ import annotations

import pytest

from tests.testing.projects import APP


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project with an application `site_app:app` and strict settings."""
    pytester.makepyfile(site_app=APP)
    pytester.makeini("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
    return pytester
