"""The Azure triggers: each turns its trigger into a call of `coupa_core.app` and the result into a reply."""

import azure.functions as func

from coupa_core import app as bridge

# No setting changes who is asked for a key: a wrong or a blank one can open no door.
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def answer(name: str, req: func.HttpRequest) -> func.HttpResponse:
    """Hand a request on and write the answer."""
    reply = bridge.handle(
        name,
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


# Not `%POLL_SCHEDULE%`: the host would not find the function where that setting is missing.
@app.timer_trigger(arg_name="timer", schedule=bridge.schedule())
def poll_approvals(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding passes it
    """Announce what waits."""
    bridge.sweep()


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Say whether the bridge works, and nothing else."""
    return answer("health", req)


@app.route("approvals", methods=["GET"])
def list_approvals(req: func.HttpRequest) -> func.HttpResponse:
    """List what waits for a person."""
    return answer("list_approvals", req)


@app.route("approvals/{approval_id}", methods=["GET"])
def get_approval(req: func.HttpRequest) -> func.HttpResponse:
    """Show one approval to its approver."""
    return answer("get_approval", req)


@app.route("decisions", methods=["GET"])
def list_decisions(req: func.HttpRequest) -> func.HttpResponse:
    """List what a person decided lately."""
    return answer("list_decisions", req)


@app.route("approvals/{approval_id}/approve", methods=["POST"])
def approve(req: func.HttpRequest) -> func.HttpResponse:
    """Approve."""
    return answer("approve", req)


@app.route("approvals/{approval_id}/reject", methods=["POST"])
def reject(req: func.HttpRequest) -> func.HttpResponse:
    """Reject, with a reason."""
    return answer("reject", req)


@app.route("approvals/{approval_id}/hold", methods=["POST"])
def hold(req: func.HttpRequest) -> func.HttpResponse:
    """Put on hold."""
    return answer("hold", req)


@app.route("approvals/{approval_id}/decision", methods=["POST"])
def decision(req: func.HttpRequest) -> func.HttpResponse:
    """Decide as the body says, for a connector with one action for all options."""
    return answer("decision", req)


@app.route("approvals/decide", methods=["POST"])
def decide(req: func.HttpRequest) -> func.HttpResponse:
    """Decide on several approvals."""
    return answer("decide", req)


@app.route("approvals/{approval_id}/comment", methods=["POST"])
def comment(req: func.HttpRequest) -> func.HttpResponse:
    """Ask the requester by a comment in Coupa."""
    return answer("comment", req)


@app.route("notifications", methods=["POST"])
def notifications(req: func.HttpRequest) -> func.HttpResponse:
    """Relay a message."""
    return answer("notifications", req)


@app.route("status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:
    """Show operators how the bridge is."""
    return answer("status", req)


@app.route("approvals/{approval_id}/trace", methods=["GET"])
def trace(req: func.HttpRequest) -> func.HttpResponse:
    """Show operators what happened to one approval."""
    return answer("trace", req)


@app.route("approvals/{approval_id}/resend", methods=["POST"])
def resend(req: func.HttpRequest) -> func.HttpResponse:
    """Let the next sweep tell everybody again."""
    return answer("resend", req)


@app.route("approvals/resend", methods=["POST"])
def resend_all(req: func.HttpRequest) -> func.HttpResponse:
    """Let the next sweeps tell everybody of everything again."""
    return answer("resend_all", req)


@app.route("approvals/{approval_id}/unpark", methods=["POST"])
def unpark(req: func.HttpRequest) -> func.HttpResponse:
    """Let the next sweep try a parked approval again."""
    return answer("unpark", req)


@app.route("approvals/{approval_id}/mute", methods=["POST"])
def mute(req: func.HttpRequest) -> func.HttpResponse:
    """Send nothing for an approval for some hours."""
    return answer("mute", req)


@app.route("cycle-times", methods=["GET"])
def cycle_times(req: func.HttpRequest) -> func.HttpResponse:
    """Show operators how long approvals waited."""
    return answer("cycle_times", req)
