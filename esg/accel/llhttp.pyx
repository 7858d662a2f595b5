"""Say which llhttp is compiled in."""

from esg.accel cimport llhttp

VERSION = (
    f"{llhttp.LLHTTP_VERSION_MAJOR}.{llhttp.LLHTTP_VERSION_MINOR}.{llhttp.LLHTTP_VERSION_PATCH}"
)
