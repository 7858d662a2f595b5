"""Where a request's content ends: Content-Length, Transfer-Encoding, the chunked coding.

Each of these forms, read differently by two servers in a row, smuggles a request.
"""

from __future__ import annotations

from tests.conformance.cases.message_framing import chunks, content_length, transfer_encoding

CASES = (*content_length.CASES, *transfer_encoding.CASES, *chunks.CASES)
