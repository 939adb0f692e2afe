"""The HTTP endpoints, independent of any HTTP library: plain values in, a status and JSON out.

They validate requests and translate results and errors into HTTP; the use cases decide. A business outcome
is 200, a caller's mistake 4xx, and a failure of the bridge or of a service 5xx.
"""

from coupa_core.endpoints.reply import Reply, refusal
from coupa_core.endpoints.request import MAX_BODY, Request, request_id
from coupa_core.endpoints.serve import BOUNDS_S, Endpoints

__all__ = ["BOUNDS_S", "MAX_BODY", "Endpoints", "Reply", "Request", "refusal", "request_id"]
