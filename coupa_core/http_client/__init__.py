"""HTTP to an upstream service: one send with a deadline, a rate and a size limit, and what failures mean.

It never repeats a request and depends on no vendor. `client` sends, `response` is an answer, `faults`
classifies a failure.
"""

from coupa_core.http_client.client import HttpClient, Rate
from coupa_core.http_client.faults import error_text, failure_of
from coupa_core.http_client.response import ServiceResponse

__all__ = [
    "HttpClient",
    "Rate",
    "ServiceResponse",
    "error_text",
    "failure_of",
]
