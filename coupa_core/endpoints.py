"""The routes' meaning, without an HTTP library: a request as plain values in, status and JSON out.

It checks what a caller sent and says what a result or an error is in HTTP; the use cases decide.
A business outcome is 200, a caller's mistake 400, 401, 403 or 404, ours or a neighbour's failure 5xx.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

from coupa_core.addresses import folded, is_address
from coupa_core.audience import EVERYBODY, Audience, audience_of
from coupa_core.callers import Caller, Callers
from coupa_core.clock import Clock, Deadline, until
from coupa_core.correlation import Correlation, correlated, trace_id
from coupa_core.decide import (
    BUDGET_S,
    MAX_AT_ONCE,
    Answer,
    Ask,
    Click,
    Decide,
    Question,
    parse_verb,
    summary,
)
from coupa_core.errors import BridgeError, Busy, CallerError, Denied, Malformed, Refused, SettingsError
from coupa_core.history import History, PastDecision
from coupa_core.inbox import Inbox, InboxItem
from coupa_core.model import Verb, stamp
from coupa_core.notice import Style, is_blank
from coupa_core.operator_actions import MAX_HOURS, ActionRequest, OperatorAction, OperatorActions
from coupa_core.pseudonym import Pseudonyms
from coupa_core.relay import Relay, RelayMessage, RelayResult
from coupa_core.repeat import RepeatRequest, Repeats
from coupa_core.report import Cause, CycleTimes, StatusReport, Trace, as_csv

MAX_BODY = 32 * 1024
MAX_TEXT = {
    "actor_email": 254,
    "action_token": 1_000,
    "reason": MAX_BODY,
    "decision": 20,
    "message": 20_000,
    "comment": MAX_BODY,
    "token": 1_000,
}
"""Characters of each field; of a person's own words the use case says, in their language, how many fit."""

MAX_KEY = 200
MAX_PEOPLE = 100

BOUNDS_S: Mapping[str, float] = {
    "health": 5.0,
    "trace": 35.0,
    "status": 110.0,
    "cycle_times": 110.0,
    "resend_all": 30.0,
}
"""Seconds within which these routes answer, whatever a neighbour does; every other one within `BUDGET_S`.

Azure ends a request after 230 s.
Source: https://learn.microsoft.com/azure/azure-functions/functions-scale#timeout
"""

WITH_A_TOKEN = ("approve", "reject", "hold", "decision", "comment")
"""Routes by which one person acts on one approval, with what a notice gave them."""

OF_PEOPLE = (*WITH_A_TOKEN, "decide", "list_approvals", "get_approval")
"""Routes whose answers a person may read: also the errors that are not of whoever calls them."""

_ID = re.compile(r"[1-9][0-9]{0,18}")
_NO_SLOTS = (
    "This bridge relays text without slots, which would put buttons under words that it has not composed; "
    "leave context out. It announces approvals itself."
)

_NO_KEY = (
    "Idempotency-Key is missing: send a name of your choice for this round, such as launch-2026-12-01. "
    "The same one again tells nobody twice."
)
_BAD_PEOPLE = (
    f"people must be a list of 1 to {MAX_PEOPLE} e-mail addresses such as ann@example.com, or domains such "
    "as example.com."
)
_BAD_SINCE = "since must be a time with its zone such as 2026-12-01T08:00:00Z."
_BAD_ITEMS = f'items must be 1 to {MAX_AT_ONCE} of {{"id": "...", "token": "..."}} with different ids.'
_NO_LENGTH = (
    "The body was sent in chunks, and Azure Functions drops such a body: send Content-Length in place of "
    "Transfer-Encoding. Nothing was done."
)
_SWITCH = {"": False, "0": False, "false": False, "1": True, "true": True}
_HALF_A_PAIR = re.compile(r"[\ud800-\udfff]")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One HTTP request, after the host has matched its route and asked for its key.

    It shows no more than its route and its id: tokens and people are in the rest.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    route: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    id: str = ""


@dataclass(frozen=True)
class Reply:
    """One HTTP answer: a status and JSON, or a table as text.

    Attributes:
        request_id: by which callers and operators speak of the request; it goes out as `X-Request-Id`.
        retry_after_s: after how many seconds the caller may try again; 0 where nothing is known of it.
    """

    status: int
    body: dict[str, Any]
    csv: str = ""
    request_id: str = field(default="", compare=False)
    retry_after_s: int = 0

    @property
    def mimetype(self) -> str:
        """Return what the text is."""
        return "text/csv" if self.csv else "application/json"

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers as they go out, beside those of the text."""
        more = {"Retry-After": str(self.retry_after_s)} if self.retry_after_s else {}
        return {"X-Request-Id": self.request_id} | more

    def text(self) -> str:
        """Return the body as it goes out."""
        return self.csv or json.dumps(self.body)


class Endpoints:
    """The routes, by the names of their functions."""

    def __init__(
        self,
        *,
        decide: Decide,
        ask: Ask,
        inbox: Inbox,
        history: History,
        report: StatusReport,
        trace: Trace,
        cycle_times: CycleTimes,
        operator_actions: OperatorActions,
        repeats: Repeats,
        relay: Relay,
        callers: Callers,
        clock: Clock,
        people: Pseudonyms,
    ) -> None:
        self._callers = callers
        self._clock = clock
        self._people = people
        self._relay = relay
        self._decide = decide
        self._ask = ask
        self._inbox = inbox
        self._history = history
        self._report = report
        self._story = trace
        self._cycle_times = cycle_times
        self._operator_actions = operator_actions
        self._repeats = repeats
        self._routes: Mapping[str, Callable[[Request], Reply]] = {
            "health": self._health,
            "list_approvals": self._list,
            "get_approval": self._show,
            "list_decisions": self._decisions,
            "approve": lambda request: self._click(request, Verb.APPROVE),
            "reject": lambda request: self._click(request, Verb.REJECT),
            "hold": lambda request: self._click(request, Verb.HOLD),
            "decision": lambda request: self._click(request, None),
            "decide": self._clicks,
            "comment": self._comment,
            "notifications": self._notify,
            "status": self._status,
            "trace": self._trace,
            "cycle_times": self._cycles,
            "resend": lambda request: self._order(request, OperatorAction.RESEND),
            "resend_all": self._repeat,
            "unpark": lambda request: self._order(request, OperatorAction.UNPARK),
            "mute": lambda request: self._order(request, OperatorAction.MUTE),
        }

    def handle(self, name: str, request: Request) -> Reply:
        """Answer one request; never raises for anything that a caller or a neighbour can cause."""
        deadline = Deadline(self._clock, BOUNDS_S.get(name, BUDGET_S))
        with correlated(Correlation(request_id(request))) as under, until(deadline):
            request = replace(request, id=under.id)
            try:
                if name != "health":
                    self._callers.check(name, _principal(request))
                reply = self._routes[name](request)
            except BridgeError as error:
                style = self._style_of(name, request, error) if name in OF_PEOPLE else None
                reply = refusal(name, error, request_id=under.id, style=style, about=error.about)
        if counts := under.counts():
            calls = " ".join(f"{each}={number}" for each, number in counts.items())
            logger.info("calls route=%s status=%d request_id=%s %s", name, reply.status, under.id, calls)
        return replace(reply, request_id=under.id)

    def _style_of(self, name: str, request: Request, error: BridgeError) -> Style:
        """Return how the person is spoken to of whom an error or a token tells the language."""
        style = self._decide.style_of(_some_token(request) if name in WITH_A_TOKEN else None)
        return replace(style, language=error.language or style.language)

    def _note(self, request: Request, actor: str) -> None:
        """Leave one line of who was served by whom, so that one caller who acts for many people is seen."""
        client = self._callers.client(_principal(request))
        logger.info(
            "served caller=%s known_by=%s client=%s person=%s request_id=%s",
            *(Caller.DECISIONS, self._callers.known_by, client, self._people.of(actor), request.id),
        )

    def _health(self, request: Request) -> Reply:
        since = request.query.get("since")
        time = stamp(since)
        cause = self._report.complaint(version=request.query.get("version", ""), since=time)
        if since and time is None:
            cause = Cause.BAD_SINCE  # what cannot be read is not fulfilled
        return Reply(503, {"status": "failing", "cause": cause}) if cause else Reply(200, {"status": "ok"})

    def _list(self, request: Request) -> Reply:
        actor = _actor(request, {})
        found = self._inbox.waiting_for(actor)
        self._note(request, actor)
        cards = [_card(card) for card in found.cards]
        answer = {"count": found.total, "is_complete": found.is_complete, "unreadable": found.unreadable}
        return Reply(200, answer | {"message": found.message, "approvals": cards})

    def _show(self, request: Request) -> Reply:
        approval_id = _approval_id(request)
        actor = _actor(request, {})
        card = self._inbox.show(actor, approval_id)
        if card is None:
            raise CallerError("not_found", "No such approval waits for this person.", status=404)
        self._note(request, actor)
        return Reply(200, _card(card))

    def _decisions(self, request: Request) -> Reply:
        actor = _actor(request, {})
        found = self._history.decided_by(actor)
        self._note(request, actor)
        answer = {"count": found.count, "is_complete": found.is_complete, "message": found.message}
        return Reply(200, answer | {"decisions": [_card(each) for each in found.decisions]})

    def _click(self, request: Request, verb: Verb | None) -> Reply:
        approval_id = _approval_id(request)
        body = _body(request, {"actor_email", "action_token", "reason", *(["decision"] if not verb else [])})
        actor = _actor(request, body)
        answer = self._decide.decide(
            Click(
                approval_id=approval_id,
                verb=verb or _verb(body),
                actor=actor,
                token=_token(request, body),
                reason=_agreed("reason", body.get("reason"), request.query.get("reason")) or "",
                key=_idempotency_key(request),
                known_by=self._callers.known_by,
                request_id=request.id,
            )
        )
        self._note(request, actor)
        return Reply(200, _told(approval_id, answer))

    def _clicks(self, request: Request) -> Reply:
        body = _object(request, {"decision", "reason", "actor_email", "items"})
        texts = {name: _text(name, value) for name, value in body.items() if name != "items"}
        verb, actor, key = _verb(texts), _actor(request, texts), _idempotency_key(request)
        clicks = [
            Click(
                approval_id=approval_id,
                verb=verb,
                actor=actor,
                token=token,
                reason=texts.get("reason", ""),
                key=key,
                known_by=self._callers.known_by,
                request_id=request.id,
            )
            for approval_id, token in _items(body.get("items"))
        ]
        answers = self._decide.decide_all(clicks)
        if any(isinstance(end, Answer) for end in answers.ends):
            self._note(request, actor)
        items = []
        for click, end, about in zip(clicks, answers.ends, answers.names, strict=True):
            if isinstance(end, Answer):
                items.append(_told(click.approval_id, end))
            else:
                fault = refusal("decide", end, request_id=request.id, style=answers.style, about=about).body
                told = {name: fault[name] for name in ("error", "message")}
                items.append({"approval_id": str(click.approval_id)} | told)
        return Reply(200, {"message": summary(verb, answers.ends, answers.style), "items": items})

    def _comment(self, request: Request) -> Reply:
        approval_id = _approval_id(request)
        body = _body(request, {"comment", "actor_email", "action_token"})
        comment = _agreed("comment", body.get("comment"), request.query.get("comment")) or ""
        if is_blank(comment):
            raise CallerError("no_comment", "comment must say what you would like to know.")
        actor = _actor(request, body)
        answer = self._ask.ask(
            Question(
                approval_id=approval_id,
                actor=actor,
                comment=comment,
                token=_token(request, body),
                key=_idempotency_key(request),
                known_by=self._callers.known_by,
                request_id=request.id,
            )
        )
        self._note(request, actor)
        return Reply(200, _told(approval_id, answer))

    def _notify(self, request: Request) -> Reply:
        self._relay.check_is_on()
        body = _object(request, {"message", "recipients", "html", "context"})
        if "context" in body:
            raise CallerError("context_not_allowed", _NO_SLOTS)
        recipients, html = body.get("recipients", []), body.get("html", False)
        if not isinstance(recipients, list) or not all(map(is_address, recipients)):
            raise CallerError("bad_recipients", "recipients must be a list of e-mail addresses.")
        if not isinstance(html, bool):
            raise CallerError("bad_field", "html must be true or false.")
        message = RelayMessage(
            _text("message", body.get("message", "")),
            tuple(recipients),
            html,
            known_by=self._callers.known_by,
            request_id=request.id,
        )
        deliveries = self._relay.relay(message)
        counts = Counter(deliveries.values())
        answer = {"accepted": counts[RelayResult.ACCEPTED], "recipients": dict(deliveries)}
        return Reply(200 if counts[RelayResult.ACCEPTED] == len(deliveries) else 207, answer)

    def _status(self, request: Request) -> Reply:
        after = request.query.get("after") or "0"
        if not re.fullmatch(r"[0-9]{1,19}", after):
            raise CallerError("bad_after", "after must be an approval id.")
        return Reply(200, self._report.status(full=_switch(request, "full"), after=int(after)))

    def _trace(self, request: Request) -> Reply:
        story = self._story.trace(_approval_id(request), live=_switch(request, "live"))
        if story is None:
            raise CallerError("not_found", "The bridge has never seen this approval.", status=404)
        return Reply(200, story)

    def _cycles(self, request: Request) -> Reply:
        since, until = _day(request, "from"), _day(request, "to")
        form = request.query.get("format") or "json"
        if form not in ("json", "csv"):
            raise CallerError("bad_format", "format must be json or csv.")
        table = self._cycle_times.table(since, until)
        return Reply(200, table, csv=as_csv(table) if form == "csv" else "")

    def _order(self, request: Request, act: OperatorAction) -> Reply:
        approval_id = _approval_id(request)
        body = _object(request, {"actor_email", *(["hours"] if act is OperatorAction.MUTE else [])})
        hours = body.pop("hours", None if act is OperatorAction.MUTE else 0.0)
        actor = _actor(request, {name: _text(name, value) for name, value in body.items()})
        if isinstance(hours, bool) or not isinstance(hours, float):
            raise CallerError("bad_hours", f"hours must be a number from 0 to {MAX_HOURS:.0f}.")
        row = self._operator_actions.carry_out(
            ActionRequest(
                approval_id, act, actor, hours, known_by=self._callers.known_by, request_id=request.id
            )
        )
        answer = {"approval_id": str(approval_id), "state": row.state.value, "cause": row.cause}
        return Reply(200, answer | {"next_at": row.next_at.isoformat() if row.next_at else None})

    def _repeat(self, request: Request) -> Reply:
        body = _object(request, {"actor_email", "people", "since"})
        people, since = body.pop("people", None), body.pop("since", None)
        actor = _actor(request, {name: _text(name, value) for name, value in body.items()})
        name = _idempotency_key(request)
        if not name:
            raise CallerError("no_key", _NO_KEY)
        repeat, is_new = self._repeats.ask(
            RepeatRequest(
                name=name,
                actor=actor,
                people=_people(people),
                since=_since(since),
                known_by=self._callers.known_by,
                request_id=request.id,
            )
        )
        answer = {
            "nothing_for": list(repeat.nothing_for),
            "asked_at": repeat.at.isoformat(),
            "is_new": is_new,
        }
        counts = {"approvals": repeat.approvals, "waiting_for_pilot": repeat.waiting_for_pilot}
        return Reply(200, counts | answer)


def request_id(request: Request) -> str:
    """Return by which id a request is spoken of.

    The caller's name for it, the trace that it belongs to, or the caller's name for this attempt; a new one
    when there is none that is safe to repeat.
    """
    given = (
        _header(request, "x-request-id")
        or trace_id(_header(request, "traceparent") or "")
        or _header(request, "idempotency-key")
    )
    return Correlation(given or "").id


def refusal(
    name: str, error: BridgeError, *, request_id: str, style: Style | None = None, about: str = ""
) -> Reply:
    """Say an error to the caller, and to the operator under the same request id.

    A caller's mistake and a wrong setting are named; of a neighbour's failure only the code is.

    Args:
        name: of the route.
        error: what it raised.
        request_id: of the request.
        style: of the person who may read it; None where nobody but an operator does.
        about: the request that it is about, as that person may know it; empty where that is not known.
    """
    retry_after_s, key = 0, f"error.{error.code}"
    if isinstance(error, Busy):
        status, retry_after_s = 503, error.retry_after_s
        logger.warning("busy route=%s request_id=%s cause=%s", name, request_id, error)
    elif isinstance(error, CallerError):
        status = error.status
        logger.info("refused route=%s code=%s request_id=%s", name, error.code, request_id)
    else:
        status, key = 503, "error.out_of_reach"
        logger.error("failed route=%s code=%s request_id=%s cause=%s", name, error.code, request_id, error)
    if isinstance(error, Refused | Denied | Malformed):
        # The neighbour answered, and asking again is no use before somebody has acted.
        status, key = 502, "error.not_from_here"
    is_said = style is not None or not isinstance(error, CallerError)
    style = style or Style()
    message = style.colon(about, style.say(key)) if is_said and style.has(key) else str(error)
    if isinstance(error, SettingsError):
        status, message = 500, f"The bridge is not configured: {error}."
    body = {"error": error.code, "message": message, "request_id": request_id}
    return Reply(status, body, request_id=request_id, retry_after_s=retry_after_s)


def _card(card: InboxItem | PastDecision) -> dict[str, Any]:
    """Write a card, or a decision; ids are texts, as in slots, and what is not known is left out."""
    answer = {name: value for name, value in asdict(card).items() if value is not None}
    return answer | {name: str(answer[name]) for name in ("approval_id", "document_id") if name in answer}


def _told(approval_id: int, answer: Answer) -> dict[str, str]:
    told = {"outcome": answer.outcome.value, "message": answer.message, "approval_id": str(approval_id)}
    return told | answer.details


def _approval_id(request: Request) -> int:
    return _id_of(request.route.get("approval_id", ""), "approval_id")


def _id_of(text: str, name: str) -> int:
    if not _ID.fullmatch(text):
        raise CallerError("bad_approval_id", f"{name} must be a number of 1 to 19 digits.")
    return int(text)


def _items(given: Any) -> list[tuple[int, str | None]]:
    """Read which approvals are decided, each with its token.

    Raises:
        CallerError: says what is wrong with them.
    """
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_AT_ONCE:
        raise CallerError("bad_items", _BAD_ITEMS)
    found: dict[int, str | None] = {}
    for each in given:
        if not isinstance(each, dict) or not {"id"} <= each.keys() <= {"id", "token"}:
            raise CallerError("bad_items", _BAD_ITEMS)
        number, token = each["id"], each.get("token")
        if not isinstance(number, str) or not isinstance(token, str | None):
            raise CallerError("bad_items", _BAD_ITEMS)
        approval_id = _id_of(number, "id")
        if approval_id in found:
            raise CallerError("bad_items", _BAD_ITEMS)
        found[approval_id] = _agreed("token", token)
    return list(found.items())


def _people(given: Any) -> Audience:
    """Read who is meant; everybody where nobody is named.

    Raises:
        CallerError: says what is wrong with it.
    """
    if given is None:
        return EVERYBODY
    is_list = isinstance(given, list) and 0 < len(given) <= MAX_PEOPLE
    if not is_list or not all(isinstance(each, str) for each in given):
        raise CallerError("bad_people", _BAD_PEOPLE)
    try:
        return audience_of(given)
    except ValueError:
        raise CallerError("bad_people", _BAD_PEOPLE) from None


def _since(given: Any) -> datetime | None:
    """Read a time with its zone; None where none is given."""
    time = stamp(given) if isinstance(given, str) else None
    if given is not None and time is None:
        raise CallerError("bad_since", _BAD_SINCE)
    return time


def _verb(body: Mapping[str, str]) -> Verb:
    verb = parse_verb(body.get("decision", ""))
    if verb is None:
        raise CallerError("bad_decision", "decision must be approve, reject or hold.")
    return verb


def _token(request: Request, body: Mapping[str, str]) -> str | None:
    return _agreed(
        "action_token",
        _header(request, "x-action-token"),
        body.get("action_token"),
        request.query.get("action_token"),
    )


def _some_token(request: Request) -> str | None:
    """Return a token of the request, wherever it stands, to tell the reader's language; it proves nothing."""
    if given := _header(request, "x-action-token") or request.query.get("action_token"):
        return given
    try:
        body = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        body = None
    token = body.get("action_token") if isinstance(body, dict) else None
    return token if isinstance(token, str) else None


def _switch(request: Request, name: str) -> bool:
    value = request.query.get(name, "").strip().lower()
    if value not in _SWITCH:
        raise CallerError("bad_switch", f"{name} must be 1 or 0.")
    return _SWITCH[value]


def _day(request: Request, name: str) -> date | None:
    text = request.query.get(name, "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CallerError("bad_day", f"{name} must be a day such as 2026-11-23.") from None


def _actor(request: Request, body: Mapping[str, str]) -> str:
    """Return who acts: named by the connector, never guessed."""
    actor = _agreed(
        "actor_email",
        _header(request, "x-actor-email"),
        body.get("actor_email"),
        request.query.get("user_email"),
        request.query.get("approver_email"),
        of_address=True,
    )
    if actor is None:
        raise CallerError("no_actor", "Who acts is missing: send X-Actor-Email.", status=403)
    if not is_address(actor):
        raise CallerError("bad_actor", "X-Actor-Email is no e-mail address.")
    return actor


def _agreed(name: str, *given: str | None, of_address: bool = False) -> str | None:
    """Return the one value that was given, once or more; two that differ are refused."""
    values = [value.strip() for value in given if value is not None and value.strip()]
    different = {folded(value) if of_address else value for value in values}
    if len(different) > 1:
        raise CallerError("ambiguous", f"{name} is given twice, and differently.")
    return _usable(name, values[0]) if values else None


def _usable(name: str, value: str) -> str:
    """Return a text that is not too long and of whole characters: JSON alone can hold half a surrogate pair.

    Source: https://www.rfc-editor.org/rfc/rfc8259#section-8.2
    """
    if _HALF_A_PAIR.search(value):
        raise CallerError("bad_field", f"{name} has half a character (a surrogate without its partner).")
    if len(value) > MAX_TEXT[name]:
        raise CallerError("field_too_long", f"{name} is longer than {MAX_TEXT[name]} characters.")
    return value


def _idempotency_key(request: Request) -> str:
    """Return the caller's name for this very attempt, or nothing."""
    key = (_header(request, "idempotency-key") or "").strip()
    if len(key) > MAX_KEY or not key.isprintable():
        raise CallerError("bad_key", f"Idempotency-Key must be of at most {MAX_KEY} printable characters.")
    return key


def _principal(request: Request) -> str:
    return _header(request, "x-ms-client-principal") or ""


def _header(request: Request, name: str) -> str | None:
    for key, value in request.headers.items():
        if key.lower() == name:
            return value
    return None


def _body(request: Request, known: set[str]) -> dict[str, str]:
    """Read a JSON object of known texts, or nothing; raises `CallerError`, see `_object`."""
    return {name: _text(name, value) for name, value in _object(request, known).items()}


def _object(request: Request, known: set[str]) -> dict[str, Any]:
    """Read a JSON object of known fields, or nothing; null is not given.

    Raises:
        CallerError: says what is wrong with the body.
    """
    if len(request.body) > MAX_BODY:
        raise CallerError("body_too_large", f"The body is larger than {MAX_BODY} bytes.", status=413)
    if not request.body and "chunked" in (_header(request, "transfer-encoding") or "").lower():
        # Source: https://github.com/Azure/azure-functions-host/issues/4926, open since 2019
        raise CallerError("length_required", _NO_LENGTH, status=411)
    if not request.body.strip():
        return {}
    kind = (_header(request, "content-type") or "application/json").lower().replace(" ", "")
    charset = kind.partition("charset=")[2].strip('"') or "utf-8"
    if kind.split(";")[0] != "application/json" or charset not in ("utf-8", "utf8"):
        raise CallerError("bad_content_type", "The body must be application/json in UTF-8.")
    if (_header(request, "content-encoding") or "identity").lower() != "identity":
        raise CallerError("bad_encoding", "The body must not be compressed.")
    try:
        body = json.loads(
            request.body.decode("utf-8"),
            object_pairs_hook=_once,
            parse_constant=_no_constant,
            parse_int=float,  # a number of thousands of digits is refused like any other, not by its length
        )
    except (ValueError, RecursionError) as error:
        raise CallerError("bad_json", f"The body is no valid JSON: {_short(error)}.") from error
    if not isinstance(body, dict):
        raise CallerError("bad_body", "The body must be a JSON object.")
    if body.keys() - known:
        raise CallerError("unknown_field", f"The body may hold {', '.join(sorted(known))} only.")
    return {name: value for name, value in body.items() if value is not None}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise CallerError("bad_field", f"{name} must be a text.")
    return _usable(name, value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: a raw template could smuggle a second actor in behind the first."""
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _short(error: Exception) -> str:
    """Name the fault without repeating the body."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)
