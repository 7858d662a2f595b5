"""The settings that the sites of Django share."""

from __future__ import annotations

import django
from django.conf import settings


def set_up(urls: str) -> None:
    """Set Django up for a project in one module.

    Args:
        urls: the name of the module that has `urlpatterns`.
    """
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=urls,
        SECRET_KEY="for tests alone",
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    )
    django.setup()
