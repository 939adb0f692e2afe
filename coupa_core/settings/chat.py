"""The settings of cards, decisions and times, for people in chat.

Each class is a group in docs/settings.md; its docstring is the heading of the group.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from coupa_core.audience import read_audience
from coupa_core.cadence import Cadence, read_before, read_days, read_hour, read_hours, read_zone, read_zones
from coupa_core.facts import Fact
from coupa_core.model import Verb
from coupa_core.notice import read_actions, read_fields, read_language, read_links
from coupa_core.sensitive import read_sensitive
from coupa_core.settings.group import Group
from coupa_core.settings.maps import EmailPairs, LimitMap
from coupa_core.settings.values import CHOICE, Required, Superior, Switch, checked, parsed, read_facts


class Cards(Group):
    """Cards and messages."""

    notice_fields: Annotated[dict[str, tuple[str, ...]], parsed(read_fields)] = Field(
        {},
        description="the fields that a notice of each type shows, in order: "
        '`{"ExpenseReport": ["title", "amount"]}` ([the names](docs/notices.md))',
    )
    facts: Annotated[tuple[Fact, ...], parsed(read_facts)] = Field(
        (),
        description="facts that Coupa knows beside a document and its card shows "
        f"([facts](docs/notices.md#facts)): some of {', '.join(f'`{fact}`' for fact in Fact)}; each needs "
        "its scope and costs a sweep one more call for fifty documents",
    )
    link_template: Annotated[dict[str, str], parsed(read_links)] = Field(
        {},
        description="addresses of documents in Coupa, with `{base}`, `{type}` and `{id}`, by type: "
        '`{"*": "{base}/requisition_headers/{id}"}`, with `*` for all others',
    )
    notice_language: Annotated[str, AfterValidator(read_language)] = Field(
        "en_US",
        description="a locale such as `de_CH`: language, numbers and dates of everybody for whom Coupa has "
        "none of the [ten languages](docs/notices.md#language-and-time)",
    )
    sensitive: Annotated[dict[str, tuple[str, ...]], parsed(read_sensitive)] = Field(
        {},
        description="names of `commodities`, `suppliers`, `departments`, `accounts` and approval `groups`: "
        "of a document with one of them, chat shows only kind, number and link: "
        '`{"departments": ["HR"], "accounts": ["9100-*"]}` ([what is hidden](docs/notices.md#sensitive))',
    )


class Deciding(Group):
    """Decisions."""

    actions: Annotated[tuple[Verb, ...], parsed(read_actions)] = Field(
        tuple(Verb),
        description="actions that approvers have in chat; `hold` only where Coupa lets an approval be held",
    )
    step_up_over: LimitMap = Field(
        {},
        description="amounts by currency, with `*` for all others, above which a decision is made in Coupa "
        'itself: `{"USD": 10000, "*": 5000}`; the greatest amount of the document and its lines counts; once '
        "a limit is set, a currency without one and a document whose amounts Coupa does not state readably "
        "are always decided in Coupa",
    )
    allow_self_approval: Switch = Field(
        "off",
        description="`on` lets people decide on their own requests, and on documents of which Coupa does not "
        "say who asked, as with types that are not read",
    )
    reject_reason: Required = Field(
        "required", description="whether a rejection needs a reason: `required`, `optional`"
    )
    comments: Switch = Field(
        "off",
        description="`on` lets approvers ask the requester by a comment in Coupa, tells the requester in "
        "chat, and brings the answer back; our client then needs the scope `core.comment.write`, and with "
        "invoices or order changes among `DOCUMENT_TYPES` also `core.comment.read`",
    )


class Times(Group):
    """When people are told."""

    time_zone: Annotated[str, AfterValidator(read_zone)] = Field(
        "UTC",
        description="zone in which notices show times, and people's hours are counted, such as "
        "`Europe/Berlin`",
    )
    time_zones: Annotated[dict[str, str], parsed(read_zones)] = Field(
        {},
        description="zones in which people's hours are counted, where they differ, by e-mail address or "
        'domain: `{"example.de": "Europe/Berlin"}` ([when people are told](docs/cadence.md))',
    )
    quiet_hours: Annotated[str, checked(read_hours)] = Field(
        "", description="each person's hours in which nothing is sent, such as `20:00-07:00`"
    )
    working_days: Annotated[str, checked(read_days)] = Field(
        "mon-sun", description="days on which something is sent: `mon-fri`, `sun-thu` or `mon,wed,sat`"
    )
    urgent_within_days: int = Field(
        1,
        ge=0,
        le=30,
        description="a document that is needed within so many days, or was, is announced at any hour; `0` "
        "for none",
    )
    digest_over: int = Field(
        10,
        ge=0,
        le=1000,
        description="more messages than this for one person in one sweep become one; `0` for never",
    )
    digest_at: Annotated[str, checked(read_hour)] = Field(
        "",
        description="each person's hour that new approvals wait for, such as `09:00`; without it they are "
        "announced at once",
    )
    remind_after_hours: int = Field(
        0,
        ge=0,
        le=720,
        examples=[24],
        description="hours until the first reminder to an approver who has not acted; then the gaps double; "
        "`0` for never",
    )
    remind_max: int = Field(3, ge=1, le=10, description="reminders of one approval for each person")
    remind_before_days: Annotated[str, checked(read_before)] = Field(
        "",
        description="an approver who is silent is reminded so many working days before the day by which a "
        "decision is wanted, such as `3,1`: need-by, early discount, due; without it nobody is",
    )
    escalate_after_hours: int = Field(
        0,
        ge=0,
        le=2160,
        examples=[72],
        description="hours until `ESCALATE_TO` is informed, once; `0` for never",
    )
    escalate_to: Superior = Field(
        "manager", description="`manager`: the approver's in Coupa; or one e-mail address"
    )

    @property
    def cadence(self) -> Cadence:
        """Return the rules of when people are told."""
        return Cadence(
            zone=self.time_zone,
            zones=self.time_zones,
            quiet=read_hours(self.quiet_hours),
            working_days=read_days(self.working_days),
            urgent_within=timedelta(days=self.urgent_within_days),
            digest_over=self.digest_over,
            digest_at=read_hour(self.digest_at),
            remind_after=timedelta(hours=self.remind_after_hours) or None,
            remind_max=self.remind_max,
            remind_before=read_before(self.remind_before_days),
            escalate_after=timedelta(hours=self.escalate_after_hours) or None,
        )


class Endings(Group):
    """Who is told how it ended."""

    closing_notice: Annotated[Literal["never", "groups", "always"], CHOICE] = Field(
        "groups",
        description="people who are told that an approval ended without them: `never` anybody; `groups`: "
        "those who shared it with others; `always`: everybody who was shown it",
    )
    tell_requester: Switch = Field("off", description="`on` tells requesters how their document ended")


class Start(Group):
    """Starting and widening."""

    pilot: Annotated[tuple[str, ...], parsed(lambda text: read_audience(text).entries)] = Field(
        (),
        description="comma-separated chat addresses and domains of the only people who are told anything: "
        "`ann@example.com,example.de`; approvals that are new for others wait, and all of them are told once "
        "they are named or this is empty ([a pilot](docs/cadence.md#a-pilot))",
    )
    first_run: Annotated[Literal["announce", "digest", "baseline"], CHOICE] = Field(
        "announce",
        description="the very first sweep finds approvals that wait already: `announce` each, one `digest` "
        "for each person, or `baseline`: nobody is told",
    )
    dry_run: Switch = Field("off", description="`on` sends nothing; all is told once it is switched off")
    email_map: EmailPairs = Field(
        {},
        description="the chat's e-mail addresses by Coupa's, where they differ: "
        '`{"ann@corp.example": "ann@example.com"}`, or, for all others of a domain, '
        '`{"@corp.example": "@example.com"}`',
    )
