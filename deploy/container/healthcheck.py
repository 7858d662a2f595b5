"""Say by the exit code whether the ESG of this container answers; its image runs it.

ESG_PORT is the server's own. HEALTH_PATH is the path to ask for (/); any status below 500 will do.
"""

import http.client
import os
import sys

TIMEOUT = 4.0  # seconds; below that of the image's HEALTHCHECK


def main() -> int:
    """Ask once; return 0 where there is an answer that is no server error."""
    port = int(os.environ.get("ESG_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request(
            "GET", os.environ.get("HEALTH_PATH", "/"), headers={"Connection": "close"}
        )
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer on port {port}: {error!r}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    return 0 if status < 500 else 1


if __name__ == "__main__":
    sys.exit(main())
