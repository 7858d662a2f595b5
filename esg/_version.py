"""The version of the package, in the one place that pyproject.toml and the server read."""

__version__ = "0.1.0"
