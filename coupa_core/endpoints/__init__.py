"""The routes' meaning, without an HTTP library: a request as plain values in, status and JSON out.

It checks what a caller sent and says what a result or an error is in HTTP; the use cases decide.
A business outcome is 200, a caller's mistake 400, 401, 403 or 404, ours or a neighbour's failure 5xx.
"""

from coupa_core.endpoints.reply import Reply, refusal
from coupa_core.endpoints.request import MAX_BODY, MAX_TEXT, Request, request_id
from coupa_core.endpoints.serve import BOUNDS_S, Endpoints

__all__ = ["BOUNDS_S", "MAX_BODY", "MAX_TEXT", "Endpoints", "Reply", "Request", "refusal", "request_id"]
