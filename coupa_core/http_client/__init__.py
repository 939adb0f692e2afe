"""HTTP to an upstream service: one send with a deadline, a rate and a size limit, and what failures mean.

It never repeats a request and depends on no vendor. `client` sends, `response` is an answer, `faults`
classifies a failure.
"""

from coupa_core.http_client.client import ID_HEADER, MAX_ANSWER_BYTES, HttpClient, Rate
from coupa_core.http_client.faults import error_text, failure_of, validation_errors
from coupa_core.http_client.response import ServiceResponse

__all__ = [
    "ID_HEADER",
    "MAX_ANSWER_BYTES",
    "HttpClient",
    "Rate",
    "ServiceResponse",
    "error_text",
    "failure_of",
    "validation_errors",
]
