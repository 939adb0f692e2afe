"""The Azure triggers: each turns its trigger into a call of `coupa_core.app` and the result into a reply."""

from collections.abc import Callable

import azure.functions as func

from coupa_core import app as bridge
from coupa_core.routes import ROUTES, Route

# No setting changes who is asked for a key: a wrong or a blank one can open no door.
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


# Not `%POLL_SCHEDULE%`: the host would not find the function where that setting is missing.
@app.timer_trigger(arg_name="timer", schedule=bridge.schedule())
def poll_approvals(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding passes it
    """Announce what waits."""
    bridge.sweep()


def function_of(route: Route) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Return the function that hands a request of this route on and writes the answer."""

    def answer(req: func.HttpRequest) -> func.HttpResponse:
        reply = bridge.handle(
            route.name,
            headers=dict(req.headers),
            query=dict(req.params),
            route=dict(req.route_params),
            body=req.get_body(),
        )
        return func.HttpResponse(
            reply.text(),
            status_code=reply.status,
            mimetype=reply.mimetype,
            headers=reply.headers,
        )

    return answer


for route in ROUTES:
    level = func.AuthLevel.FUNCTION if route.caller else func.AuthLevel.ANONYMOUS
    trigger = app.route(route.path, methods=[route.method], auth_level=level)
    app.function_name(route.name)(trigger(function_of(route)))
