"""Request bodies as pydantic models; `make docs` writes their schemas into `openapi.yaml`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic.json_schema import SkipJsonSchema

from coupa_core.addresses import is_address
from coupa_core.audience import EVERYBODY, Audience, audience_of
from coupa_core.decide import MAX_AT_ONCE, parse_verb
from coupa_core.endpoints.body import Body, Faults, RefusedValue
from coupa_core.endpoints.request import ID, MAX_TEXT
from coupa_core.model import Verb, stamp
from coupa_core.operator_actions import MAX_HOURS
from coupa_core.relay import MAX_RECIPIENTS

MAX_PEOPLE = 100

_BAD_PEOPLE = (
    f"people must be a list of 1 to {MAX_PEOPLE} e-mail addresses such as ann@example.com, or domains such "
    "as example.com."
)
_BAD_ITEMS = f'items must be 1 to {MAX_AT_ONCE} of {{"id": "...", "token": "..."}} with different ids.'
_BAD_DECISION = ("bad_decision", "decision must be approve, reject or hold.")
_NO_SLOTS = (
    "This bridge relays text without slots, which would put buttons under words that it has not composed; "
    "leave context out. It announces approvals itself."
)
_CUT = (
    "at most 255 characters with the name of the actor; a longer one gets the outcome `reason_too_long`. "
    "Required to reject."
)


def text(field: str, title: str, says: str, *, is_advanced: bool = False, least: int = 0, **more: Any) -> Any:
    """Return the field of a text, with its title, description and visibility in the connector.

    The repr of a body leaves the text out, so that no log shows it.
    """
    shown: JsonDict = {"x-ms-summary": title}
    if is_advanced:
        shown["x-ms-visibility"] = "advanced"
    if least:
        shown["minLength"] = least
    return Field(max_length=MAX_TEXT[field], description=says, json_schema_extra=shown, repr=False, **more)


Actor = Annotated[
    str | None,
    text(
        "actor_email",
        "Who Acts (Body)",
        "E-mail address of the actor, for connectors that cannot send the header.",
        is_advanced=True,
    ),
]
ActionToken = Annotated[
    str | None,
    text(
        "action_token",
        "Action Token (Body)",
        "The action token, for connectors that cannot send the header.",
        is_advanced=True,
    ),
]
Reason = Annotated[str | None, text("reason", "Reason", f"The reason, {_CUT}")]


def _valid_decision(given: str) -> str:
    if parse_verb(given) is None:
        raise RefusedValue(*_BAD_DECISION)
    return given


Decided = Annotated[
    str,
    Field(max_length=MAX_TEXT["decision"], json_schema_extra={"x-ms-summary": "Decision", "enum": [*Verb]}),
    AfterValidator(_valid_decision),
]


class OperatorActionBody(Body):
    """The body of an operator's action without parameters."""

    actor_email: Actor = None


class ClickBody(Body):
    """The body of one decision that the route names."""

    reason: Reason = None
    actor_email: Actor = None
    action_token: ActionToken = None


class DecisionBody(ClickBody):
    """The body of one decision that the body names."""

    faults: ClassVar[Faults] = {"decision": _BAD_DECISION}

    decision: Decided = Field(description="The decision on the approval.")

    @property
    def verb(self) -> Verb:
        """Return what is decided."""
        return Verb(self.decision)


class Item(BaseModel):
    """One approval of several, with its token."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    id: str = Field(
        pattern=f"^{ID.pattern}$",
        description="Coupa's id of the approval.",
        json_schema_extra={"x-ms-summary": "Approval ID"},
    )
    token: str | None = text(
        "token",
        "Action Token",
        "The action token of the approval, from its notice or the list. Required unless the settings make it "
        "optional.",
        default=None,
    )


def _distinct(items: list[Item]) -> list[Item]:
    if len({each.id for each in items}) < len(items):
        raise RefusedValue("bad_items", _BAD_ITEMS)
    return items


class SeveralBody(Body):
    """The body of the same decision on several approvals."""

    faults: ClassVar[Faults] = {
        "decision": _BAD_DECISION,
        "items": ("bad_items", _BAD_ITEMS),
        "id": ("bad_approval_id", "id must be a number of 1 to 19 digits."),
    }

    decision: Decided = Field(description="The decision on all approvals.")
    reason: Annotated[
        str | None,
        text("reason", "Reason", f"The reason for all approvals, {_CUT}"),
    ] = None
    actor_email: Actor = None
    items: Annotated[list[Item], AfterValidator(_distinct)] = Field(
        min_length=1,
        max_length=MAX_AT_ONCE,
        description="The approvals, each once.",
        json_schema_extra={"x-ms-summary": "Approvals"},
    )

    @property
    def verb(self) -> Verb:
        """Return what is decided."""
        return Verb(self.decision)


class CommentBody(Body):
    """The body of a question to the requester; the query may hold the question instead."""

    model_config = ConfigDict(json_schema_extra={"required": ["comment"]})

    comment: str = text(
        "comment",
        "Question",
        "The question to the requester, at most 1000 characters. The bridge writes it as one line, which "
        "mentions only the requester.",
        least=1,
        default="",
    )
    actor_email: Actor = None
    action_token: ActionToken = None


class MuteBody(Body):
    """The body of a request to mute an approval."""

    faults: ClassVar[Faults] = {"hours": ("bad_hours", f"hours must be a number from 0 to {MAX_HOURS:.0f}.")}

    hours: float = Field(
        ge=0,
        le=round(MAX_HOURS),
        description="Number of hours without messages about the approval; 0 ends an earlier mute.",
        json_schema_extra={"x-ms-summary": "Hours"},
    )
    actor_email: Actor = None


def _time(given: Any) -> datetime:
    """Parse a time with its zone."""
    time = stamp(given) if isinstance(given, str) else None
    if time is None:
        raise RefusedValue("bad_since", "since must be a time with its zone such as 2026-12-01T08:00:00Z.")
    return time


def _valid_people(given: list[str]) -> list[str]:
    try:
        audience_of(given)
    except ValueError:
        raise RefusedValue("bad_people", _BAD_PEOPLE) from None
    return given


class RepeatBody(Body):
    """The body of a request to send earlier notices once more."""

    faults: ClassVar[Faults] = {"people": ("bad_people", _BAD_PEOPLE)}

    people: (
        Annotated[list[str], Field(min_length=1, max_length=MAX_PEOPLE), AfterValidator(_valid_people)] | None
    ) = Field(
        None,
        description="Chat addresses and domains of the recipients of the repeat; by default everybody.",
        json_schema_extra={"x-ms-summary": "People"},
    )
    since: Annotated[datetime, BeforeValidator(_time)] | None = Field(
        None,
        description="The time of the first notice to send again; by default the bridge repeats all.",
        json_schema_extra={"x-ms-summary": "Told Since"},
    )
    actor_email: Actor = None

    @property
    def audience(self) -> Audience:
        """Return the named people; everybody where the body names nobody."""
        return audience_of(self.people) if self.people else EVERYBODY


def _valid_addresses(given: list[str]) -> list[str]:
    if not all(map(is_address, given)):
        raise RefusedValue("bad_recipients", "recipients must be a list of e-mail addresses.")
    return given


def _refused_slots(_: Any) -> Any:
    raise RefusedValue("context_not_allowed", _NO_SLOTS)


class MessageBody(Body):
    """The body of a message to relay; the use case checks its length and the number of recipients."""

    model_config = ConfigDict(json_schema_extra={"required": ["message", "recipients"]})

    faults: ClassVar[Faults] = {
        "recipients": ("bad_recipients", "recipients must be a list of e-mail addresses."),
        "html": ("bad_field", "html must be true or false."),
    }

    message: str = text(
        "message",
        "Text",
        "The text. The bridge escapes it, unless `html` allows the safe tags.",
        least=1,
        default="",
    )
    recipients: Annotated[list[str], AfterValidator(_valid_addresses)] = Field(
        [],
        description="E-mail addresses in the domains that the settings allow.",
        json_schema_extra={
            "x-ms-summary": "Recipients",
            "minItems": 1,
            "maxItems": MAX_RECIPIENTS,
            "items": {"type": "string", "format": "email", "maxLength": MAX_TEXT["actor_email"]},
        },
    )
    html: bool = Field(
        default=False,
        description="Keep the tags of a notice (`b`, `i`, `br`, `ul`, `li`, `a href`) in the text, if the "
        "settings allow them.",
        json_schema_extra={"x-ms-summary": "With Tags"},
    )
    context: SkipJsonSchema[Annotated[Any, BeforeValidator(_refused_slots)]] = None
