"""What gunicorn's settings mean for ESG: a table for each way that one becomes the other.

Must not import gunicorn: it reads the configuration that it is given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from esg.errors import ConfigError
from esg.settings import DEFAULT, collect

# Of `graceful_timeout`, after which the arbiter kills: the application's shutdown comes in it.
_FOR_SHUTDOWN: Final = 1.0  # seconds, and no more than a quarter
_SOON: Final = 0.001  # seconds; gunicorn's 0 is "at once", ours "never"

# What gunicorn does itself: ESG's own settings for it would be without effect.
_GUNICORNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("app", "factory"), "the application on its command line"),
    "app_dir": "--pythonpath",
    **dict.fromkeys(("host", "port", "uds", "fd", "bind"), "--bind"),
    "uds_permissions": "--umask",
    "reuse_port": "--reuse-port",
    "backlog": "--backlog",
    "env_file": "--env",
    "log_config": "--log-config",
    "access_log": "--access-logfile",
    "use_colors": "--log-config",
    **dict.fromkeys(("limit_max_requests", "worker_max_age", "worker_max_rss"), "--max-requests"),
    "limit_max_requests_jitter": "--max-requests-jitter",
    "workers": "--workers",
    "reload": "--reload",
    **dict.fromkeys(("reload_dir", "reload_include", "reload_exclude"), "--reload-extra-file"),
    "reload_delay": "--reload-engine",
    "worker_init": "its hook post_fork",
    "timeout_worker_healthcheck": "--timeout",
}

# What is taken over only where it was changed: gunicorn's default is meant for other workers.
_IF_CHANGED: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "worker_connections": ("limit_connections", int),
    "asgi_loop": ("loop", str),
    "asgi_lifespan": ("lifespan", str),
    "asgi_disconnect_grace_period": ("cancel_on_disconnect", float),
    "root_path": ("root_path", str),
    "websocket_max_message_size": ("ws_max_size", int),
}

# What has no effect here, and why, as far as there is more to say.
_WITHOUT_EFFECT: Final[Mapping[str, str]] = {
    "threads": "a worker has one event loop",
    "limit_request_field_size": "ESG_LIMIT_HEAD_SIZE bounds the whole head",
    "pre_request": "",
    "post_request": "",
    "statsd_host": "only its figures of requests are missing",
    "proxy_protocol": "ESG_PROXY_PROTOCOL is honoured",
    "protocol": "ESG speaks HTTP/1.1",
    "http_protocols": "ESG speaks HTTP/1.1",
    "secure_scheme_headers": "",
    "forwarder_headers": "",
    "header_map": "",
    "permit_obsolete_folding": "ESG is strict",
    "strip_header_spaces": "ESG is strict",
    "permit_unconventional_http_method": "ESG is strict",
    "permit_unconventional_http_version": "ESG is strict",
    "casefold_http_method": "ESG is strict",
}


def settings_for(
    gunicorn: Any, max_requests: int, environment: Mapping[str, str]
) -> dict[str, Any]:
    """Return the arguments of `Config` but for the application and the sockets.

    What ESG's own variables and the file of $ESG_CONFIG say wins over gunicorn's settings.

    Args:
        gunicorn: its configuration.
        max_requests: requests that this worker serves, jitter included.
        environment: where ESG_* variables are.

    Raises:
        ConfigError: a value is wrong, or has no effect under gunicorn.
    """
    return {**_translated(gunicorn, max_requests), **_tls(gunicorn), **_own(environment)}


def _own(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what ESG's variables and the file that they name say."""
    ours = {name: text for name, text in environment.items() if name.startswith("ESG_")}
    # [tool.esg] of a project is what the command `esg` reads; here it may say what gunicorn does.
    file = ours.get("ESG_CONFIG") or os.devnull
    settings = collect({}, ours, Path(file))
    errors = [
        f"{found.origin}: {name} is gunicorn's business here: use {_GUNICORNS[name]}"
        for name, found in settings.found.items()
        if name in _GUNICORNS and found.origin != DEFAULT
    ]
    if errors or settings.errors:
        raise ConfigError("\n".join([*settings.errors, *errors]))
    return settings.given()


def _translated(gunicorn: Any, max_requests: int) -> dict[str, Any]:
    settings = {
        "timeout_keep_alive": gunicorn.keepalive or _SOON,
        "timeout_graceful_shutdown": _time_for_requests(gunicorn.graceful_timeout),
        "limit_max_requests": 0 if max_requests == sys.maxsize else max_requests,
        "limit_fields": gunicorn.limit_request_fields or 1,
        "backlog": gunicorn.backlog,
        "access_log_format": gunicorn.access_log_format,
        # gunicorn believes whatever comes by a UNIX socket.
        "forwarded_allow_ips": ",".join([*gunicorn.forwarded_allow_ips, "unix"]),
    }
    if gunicorn.limit_request_line:  # else the limit of the whole head bounds it
        settings["limit_target_size"] = gunicorn.limit_request_line
    else:
        settings["limit_target_size"] = sys.maxsize
    for name, (ours, convert) in _IF_CHANGED.items():
        if _is_changed(gunicorn, name):
            settings[ours] = convert(gunicorn.settings[name].get())
    return settings


def _tls(gunicorn: Any) -> dict[str, Any]:
    if not gunicorn.is_ssl:
        return {}
    settings = {
        "ssl_certfile": gunicorn.certfile,
        "ssl_keyfile": gunicorn.keyfile,
        "ssl_ca_certs": gunicorn.ca_certs,
        "ssl_cert_reqs": int(gunicorn.cert_reqs),
        "ssl_ciphers": gunicorn.ciphers,
    }
    if _is_changed(gunicorn, "ssl_context"):
        settings["ssl_context_factory"] = lambda _, make: gunicorn.ssl_context(gunicorn, make)
    return settings


def _time_for_requests(graceful_timeout: float) -> float:
    return max(_SOON, graceful_timeout - min(_FOR_SHUTDOWN, graceful_timeout / 4))


def without_effect(gunicorn: Any) -> Iterator[str]:
    """Yield a line for every setting of gunicorn's that was changed, and is not honoured."""
    for name, reason in _WITHOUT_EFFECT.items():
        if _is_changed(gunicorn, name):
            yield f"{name} has no effect on ESG's workers" + (f": {reason}" if reason else "")


def _is_changed(gunicorn: Any, name: str) -> bool:
    """Tell whether a setting, if this gunicorn has it, is not what it is by default."""
    setting = gunicorn.settings.get(name)
    return setting is not None and setting.get() != type(setting)().get()
